/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of page tables. The facts are in ../compat.h, which includes this.
 */
#ifndef _GUPWALK_COMPAT_PGTABLE_H
#define _GUPWALK_COMPAT_PGTABLE_H

#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#if GW_HAVE_SOFTLEAF
#include <linux/leafops.h>
#endif

#include "../snapshot.h"

#if GW_HAVE_PMDP_GET_LOCKLESS
#define gw_pmdp_get_lockless(pmdp) pmdp_get_lockless(pmdp)
#else
#define gw_pmdp_get_lockless(pmdp) READ_ONCE(*(pmdp))
#endif

static inline bool gw_pmd_devmap(pmd_t pmd)
{
#if GW_HAVE_DEVMAP
	return pmd_devmap(pmd);
#else
	return false;
#endif
}

static inline bool gw_pte_devmap(pte_t pte)
{
#if GW_HAVE_DEVMAP
	return pte_devmap(pte);
#else
	return false;
#endif
}

static inline bool gw_pmd_special(pmd_t pmd)
{
#if GW_HAVE_PMD_SPECIAL
	return pmd_special(pmd);
#else
	return false;
#endif
}

#ifdef CONFIG_X86
#if GW_HAVE_PAGE_UFFD
#define GW_PAGE_UFFD _PAGE_UFFD
#define GW_PAGE_SWP_UFFD _PAGE_SWP_UFFD
#else
#define GW_PAGE_UFFD _PAGE_UFFD_WP
#define GW_PAGE_SWP_UFFD _PAGE_SWP_UFFD_WP
#endif
#if GW_HAVE_ANON_EXCLUSIVE
#define GW_PAGE_SWP_EXCLUSIVE _PAGE_SWP_EXCLUSIVE
#else
#define GW_PAGE_SWP_EXCLUSIVE 0
#endif
#if GW_HAVE_DEVMAP
#define GW_PAGE_DEVMAP _PAGE_DEVMAP
#else
#define GW_PAGE_DEVMAP 0
#endif
#if GW_HAVE_SAVED_DIRTY
#define GW_PAGE_SAVED_DIRTY _PAGE_SAVED_DIRTY
#else
#define GW_PAGE_SAVED_DIRTY 0
#endif
#if GW_HAVE_NOPTISHADOW
#define GW_PAGE_NOPTISHADOW _PAGE_NOPTISHADOW
#else
#define GW_PAGE_NOPTISHADOW 0
#endif
#endif /* CONFIG_X86 */

#ifdef CONFIG_ARM64
#if GW_HAVE_PAGE_UFFD
#define GW_PAGE_UFFD PTE_UFFD
#define GW_PAGE_SWP_UFFD PTE_SWP_UFFD
#elif GW_HAVE_ARM64_PRESENT_INVALID
#define GW_PAGE_UFFD PTE_UFFD_WP
#define GW_PAGE_SWP_UFFD PTE_SWP_UFFD_WP
#else
#define GW_PAGE_UFFD 0
#define GW_PAGE_SWP_UFFD 0
#endif
#if GW_HAVE_ANON_EXCLUSIVE
#define GW_PAGE_SWP_EXCLUSIVE PTE_SWP_EXCLUSIVE
#else
#define GW_PAGE_SWP_EXCLUSIVE 0
#endif
#if GW_HAVE_DEVMAP
#define GW_PAGE_DEVMAP PTE_DEVMAP
#else
#define GW_PAGE_DEVMAP 0
#endif
#if GW_HAVE_ARM64_PRESENT_INVALID
#define GW_ARM64_PROTNONE PTE_PRESENT_INVALID
#else
#define GW_ARM64_PROTNONE PTE_PROT_NONE
#endif

static inline bool gw_arm64_l5_enabled(void)
{
#if GW_HAVE_ARM64_RUNTIME_FOLDING
	return pgtable_l5_enabled();
#else
	return CONFIG_PGTABLE_LEVELS > 4;
#endif
}

static inline bool gw_arm64_l4_enabled(void)
{
#if GW_HAVE_ARM64_RUNTIME_FOLDING
	return pgtable_l4_enabled();
#else
	return CONFIG_PGTABLE_LEVELS > 3;
#endif
}
#endif /* CONFIG_ARM64 */

/**
 * struct gw_softleaf - what an entry that is neither empty nor present says
 * @state: enum gw_state
 * @marker: enum gw_marker
 * @type: swap device, of GW_SWAP
 * @offset: place on the swap device; page frame, of GW_MIGRATION and GW_DEVICE
 */
struct gw_softleaf {
	u8 state;
	u8 marker;
	u8 type;
	u64 offset;
};

/*
 * A softleaf is a swap entry by another name. Both halves of this file make a struct gw_softleaf
 * of the kernel's form.
 */
#if GW_HAVE_SOFTLEAF
static inline u8 gw_pte_marker(softleaf_t entry)
{
	if (softleaf_is_uffd_wp_marker(entry))
		return GW_MARKER_UFFD_WP;
	if (softleaf_is_poison_marker(entry))
		return GW_MARKER_POISONED;
	if (softleaf_is_guard_marker(entry))
		return GW_MARKER_GUARD;
	return GW_MARKER_UNKNOWN;
}

static inline struct gw_softleaf gw_softleaf_from_entry(softleaf_t entry)
{
	struct gw_softleaf leaf = { };

	switch (softleaf_type(entry)) {
	case SOFTLEAF_SWAP:
		leaf.state = GW_SWAP;
		leaf.type = swp_type(entry);
		leaf.offset = swp_offset(entry);
		break;
	case SOFTLEAF_MIGRATION_READ:
	case SOFTLEAF_MIGRATION_READ_EXCLUSIVE:
	case SOFTLEAF_MIGRATION_WRITE:
		leaf.state = GW_MIGRATION;
		leaf.offset = softleaf_to_pfn(entry);
		break;
	case SOFTLEAF_DEVICE_PRIVATE_READ:
	case SOFTLEAF_DEVICE_PRIVATE_WRITE:
	case SOFTLEAF_DEVICE_EXCLUSIVE:
		leaf.state = GW_DEVICE;
		leaf.offset = softleaf_to_pfn(entry);
		break;
	case SOFTLEAF_HWPOISON:
		leaf.state = GW_MARKER;
		leaf.marker = GW_MARKER_HWPOISON;
		break;
	case SOFTLEAF_MARKER:
		leaf.state = GW_MARKER;
		leaf.marker = gw_pte_marker(entry);
		break;
	default:
		leaf.state = GW_BAD;
	}
	return leaf;
}

#define gw_pte_to_entry(pte) softleaf_from_pte(pte)
#define gw_pmd_to_entry(pmd) softleaf_from_pmd(pmd)
#else /* !GW_HAVE_SOFTLEAF */
static inline u8 gw_pte_marker(swp_entry_t entry)
{
#if GW_HAVE_PTE_MARKER
	pte_marker marker;

	if (!is_pte_marker_entry(entry))
		return GW_MARKER_UNKNOWN;
	marker = pte_marker_get(entry);
	if (marker & PTE_MARKER_UFFD_WP)
		return GW_MARKER_UFFD_WP;
#if GW_HAVE_PTE_MARKER_POISONED
	if (marker & PTE_MARKER_POISONED)
		return GW_MARKER_POISONED;
#elif GW_HAVE_PTE_MARKER_SWAPIN_ERROR
	if (marker & PTE_MARKER_SWAPIN_ERROR)
		return GW_MARKER_POISONED;
#endif
#if GW_HAVE_PTE_MARKER_GUARD
	if (marker & PTE_MARKER_GUARD)
		return GW_MARKER_GUARD;
#endif
#endif
	return GW_MARKER_UNKNOWN;
}

/*
 * Kernels before v6.0 have only page frames there; later ones may keep accessed and dirty bits
 * above them.
 */
static inline u64 gw_entry_pfn(swp_entry_t entry)
{
#if GW_HAVE_SWP_OFFSET_PFN
	return swp_offset_pfn(entry);
#else
	return swp_offset(entry);
#endif
}

static inline bool gw_is_swapin_error(swp_entry_t entry)
{
#if GW_HAVE_SWAPIN_ERROR_ENTRY
	return is_swapin_error_entry(entry);
#else
	return false;
#endif
}

static inline bool gw_is_device_entry(swp_entry_t entry)
{
#if GW_HAVE_DEVICE_EXCLUSIVE
	if (is_device_exclusive_entry(entry))
		return true;
#endif
	return is_device_private_entry(entry);
}

static inline struct gw_softleaf gw_softleaf_from_entry(swp_entry_t entry)
{
	struct gw_softleaf leaf = { };

	if (!non_swap_entry(entry)) {
		leaf.state = GW_SWAP;
		leaf.type = swp_type(entry);
		leaf.offset = swp_offset(entry);
	} else if (is_migration_entry(entry)) {
		leaf.state = GW_MIGRATION;
		leaf.offset = gw_entry_pfn(entry);
	} else if (gw_is_device_entry(entry)) {
		leaf.state = GW_DEVICE;
		leaf.offset = gw_entry_pfn(entry);
	} else {
		leaf.state = GW_MARKER;
		if (is_hwpoison_entry(entry))
			leaf.marker = GW_MARKER_HWPOISON;
		else if (gw_is_swapin_error(entry))
			leaf.marker = GW_MARKER_POISONED;
		else
			leaf.marker = gw_pte_marker(entry);
	}
	return leaf;
}

#define gw_pte_to_entry(pte) pte_to_swp_entry(pte)
#define gw_pmd_to_entry(pmd) pmd_to_swp_entry(pmd)
#endif /* !GW_HAVE_SOFTLEAF */

/**
 * gw_softleaf_from_pte() - decode a pte that is neither empty nor present
 * @pte: the entry
 *
 * Return: what it says.
 */
static inline struct gw_softleaf gw_softleaf_from_pte(pte_t pte)
{
	return gw_softleaf_from_entry(gw_pte_to_entry(pte));
}

/**
 * gw_softleaf_from_pmd() - decode a pmd that is neither empty nor present
 * @pmd: the entry
 *
 * Return: what it says.
 */
static inline struct gw_softleaf gw_softleaf_from_pmd(pmd_t pmd)
{
#if GW_HAVE_SOFTLEAF || defined(CONFIG_ARCH_ENABLE_THP_MIGRATION)
	return gw_softleaf_from_entry(gw_pmd_to_entry(pmd));
#else
	return (struct gw_softleaf){ .state = GW_BAD };
#endif
}

#endif /* _GUPWALK_COMPAT_PGTABLE_H */
