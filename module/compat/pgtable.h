/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of page tables. The facts are in ../compat.h, which includes this.
 */
#ifndef _GUPWALK_COMPAT_PGTABLE_H
#define _GUPWALK_COMPAT_PGTABLE_H

#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../walk.h"

#if GW_HAVE_PMDP_GET_LOCKLESS
#define gw_pmdp_get_lockless(pmdp) pmdp_get_lockless(pmdp)
#else
#define gw_pmdp_get_lockless(pmdp) READ_ONCE(*(pmdp))
#endif

static inline bool gw_pmd_special(pmd_t pmd)
{
#if GW_HAVE_PMD_SPECIAL
	return pmd_special(pmd) || pmd_devmap(pmd);
#else
	return pmd_devmap(pmd);
#endif
}

static inline bool gw_pte_devmap(pte_t pte)
{
	return pte_devmap(pte);
}

#ifdef CONFIG_X86
#define GW_PAGE_UFFD_WP _PAGE_UFFD_WP
#define GW_PAGE_SWP_UFFD_WP _PAGE_SWP_UFFD_WP
#define GW_PAGE_SWP_EXCLUSIVE _PAGE_SWP_EXCLUSIVE
#define GW_PAGE_DEVMAP _PAGE_DEVMAP
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

static inline u8 gw_pte_marker(swp_entry_t entry)
{
	pte_marker marker = pte_marker_get(entry);

	if (marker & PTE_MARKER_UFFD_WP)
		return GW_MARKER_UFFD_WP;
#if GW_HAVE_PTE_MARKER_POISONED
	if (marker & PTE_MARKER_POISONED)
		return GW_MARKER_POISONED;
#endif
	return GW_MARKER_UNKNOWN;
}

static inline struct gw_softleaf gw_softleaf_from_entry(swp_entry_t entry)
{
	struct gw_softleaf leaf = { .state = GW_MARKER, .marker = GW_MARKER_UNKNOWN };

	if (!non_swap_entry(entry)) {
		leaf.state = GW_SWAP;
		leaf.marker = GW_MARKER_NONE;
		leaf.type = swp_type(entry);
		leaf.offset = swp_offset(entry);
	} else if (is_migration_entry(entry)) {
		leaf.state = GW_MIGRATION;
		leaf.marker = GW_MARKER_NONE;
		leaf.offset = swp_offset_pfn(entry);
	} else if (is_device_private_entry(entry) || is_device_exclusive_entry(entry)) {
		leaf.state = GW_DEVICE;
		leaf.marker = GW_MARKER_NONE;
		leaf.offset = swp_offset_pfn(entry);
	} else if (is_hwpoison_entry(entry)) {
		leaf.marker = GW_MARKER_HWPOISON;
	} else if (is_pte_marker_entry(entry)) {
		leaf.marker = gw_pte_marker(entry);
#if GW_HAVE_SWAPIN_ERROR_ENTRY
	} else if (is_swapin_error_entry(entry)) {
		leaf.marker = GW_MARKER_POISONED;
#endif
	}
	return leaf;
}

/**
 * gw_softleaf_from_pte() - decode a pte that is neither empty nor present
 * @pte: the entry
 *
 * Return: what it says.
 */
static inline struct gw_softleaf gw_softleaf_from_pte(pte_t pte)
{
	return gw_softleaf_from_entry(pte_to_swp_entry(pte));
}

/**
 * gw_softleaf_from_pmd() - decode a pmd that is neither empty nor present
 * @pmd: the entry
 *
 * Return: what it says.
 */
static inline struct gw_softleaf gw_softleaf_from_pmd(pmd_t pmd)
{
#ifdef CONFIG_ARCH_ENABLE_THP_MIGRATION
	return gw_softleaf_from_entry(pmd_to_swp_entry(pmd));
#else
	return (struct gw_softleaf){ .state = GW_BAD };
#endif
}

#endif /* _GUPWALK_COMPAT_PGTABLE_H */
