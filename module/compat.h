/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions, and nothing else. No other file looks at LINUX_VERSION_CODE.
 *
 * First facts: what a kernel has, 0 or 1, with the commit that changed it. Each can be set from the build line
 * (KCFLAGS=-DGW_HAVE_GUP_VMAS=0), for a kernel whose version number does not tell. Then wrappers: a changed function gets
 * the prefix gw_ and the newest kernel's form; what an older kernel merely lacks keeps the kernel's name.
 */
#ifndef _GUPWALK_COMPAT_H
#define _GUPWALK_COMPAT_H

#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/version.h>

#include "walk.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "gupwalk needs Linux 6.1 or newer"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "gupwalk does not know this kernel yet: 6.12 is the newest one that it was proven on"
#endif

/* ---- facts ---- */

/* Linux kernel commit 54d020692b34 ("mm/gup: remove unused vmas parameter from get_user_pages()") (in v6.5) and the two
 * that follow it for get_user_pages_remote() and pin_user_pages().
 */
#ifndef GW_HAVE_GUP_VMAS
#define GW_HAVE_GUP_VMAS (LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0))
#endif

/* Linux kernel commit 6da8e9634bb7 ("mm: new follow_pfnmap API") (in v6.12); follow_pfn() itself left in v6.10, commit
 * cb10c28ac82c ("mm: remove follow_pfn").
 */
#ifndef GW_HAVE_FOLLOW_PFNMAP
#define GW_HAVE_FOLLOW_PFNMAP (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))
#endif

/* Linux kernel commit dab6e717429e ("mm: Rename pmd_read_atomic()") (in v6.2). */
#ifndef GW_HAVE_PMDP_GET_LOCKLESS
#define GW_HAVE_PMDP_GET_LOCKLESS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))
#endif

/* Linux kernel commit 6857be5fecae ("mm: introduce ARCH_SUPPORTS_HUGE_PFNMAP and special bits to pmd/pud") (in v6.12). */
#ifndef GW_HAVE_PMD_SPECIAL
#define GW_HAVE_PMD_SPECIAL (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))
#endif

/* Linux kernel commit 94688e8eb453 ("mm: remove folio_pincount_ptr() and head_compound_pincount()") (in v6.3). */
#ifndef GW_HAVE_FOLIO_PINCOUNT_FIELD
#define GW_HAVE_FOLIO_PINCOUNT_FIELD (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))
#endif

/* Linux kernel commit "fs/proc: move page_mapcount() to fs/proc/internal.h" (in v6.11). */
#ifndef GW_HAVE_PAGE_MAPCOUNT
#define GW_HAVE_PAGE_MAPCOUNT (LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0))
#endif

/* Linux kernel commit af19487f00f3 ("mm: make PTE_MARKER_SWAPIN_ERROR more general") (in v6.6). */
#ifndef GW_HAVE_PTE_MARKER_POISONED
#define GW_HAVE_PTE_MARKER_POISONED (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))
#endif

/* Linux kernel commit 15520a3f0469 ("mm: use pte markers for swap errors") (in v6.2): before, a swap type of its own. */
#ifndef GW_HAVE_SWAPIN_ERROR_ENTRY
#define GW_HAVE_SWAPIN_ERROR_ENTRY (LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#endif

/* Linux kernel commit "x86/mm: Introduce _PAGE_SAVED_DIRTY" (in v6.6). */
#ifndef GW_HAVE_SAVED_DIRTY
#define GW_HAVE_SAVED_DIRTY (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))
#endif

/* Linux kernel commit d0ceea662d45 ("x86/mm: Add _PAGE_NOPTISHADOW bit to avoid updating userspace page tables") (in
 * v6.13, and in stable kernels): no version tells, the macro itself does.
 */
#ifndef GW_HAVE_NOPTISHADOW
#ifdef _PAGE_NOPTISHADOW
#define GW_HAVE_NOPTISHADOW 1
#else
#define GW_HAVE_NOPTISHADOW 0
#endif
#endif

/* Linux kernel commit 8ac268436e6d ("mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to file-backed mappings") (in v6.5). */
#ifndef GW_HAVE_LONGTERM_FILE_CHECK
#define GW_HAVE_LONGTERM_FILE_CHECK (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))
#endif

/* Linux kernel commit cb8d86331343 ("mm: remove VM_FAULT_WRITE") (in v6.2). */
#ifndef GW_HAVE_VM_FAULT_WRITE
#define GW_HAVE_VM_FAULT_WRITE (LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#endif

/* ---- entries ---- */

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

/* ---- VMAs ---- */

static inline struct vm_area_struct *gw_vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return vma_lookup(mm, addr);
}

static inline bool gw_vma_is_cow_mapping(const struct vm_area_struct *vma)
{
	return is_cow_mapping(vma->vm_flags);
}

/* Takes all of [addr, addr + len), which lies in @vma, out of the page tables. The mmap lock is held. */
static inline void gw_zap_vma(struct vm_area_struct *vma, unsigned long addr, unsigned long len)
{
	zap_vma_ptes(vma, addr, len);
}

/* ---- pages ---- */

static inline unsigned long gw_folio_flags(const struct folio *folio)
{
	return folio->flags;
}

static inline bool gw_page_has_mapping(struct page *page)
{
	return page_folio(page)->mapping;
}

static inline bool gw_page_ksm(struct page *page)
{
	return PageKsm(page);
}

static inline int gw_folio_large_pincount(struct folio *folio)
{
#if GW_HAVE_FOLIO_PINCOUNT_FIELD
	return atomic_read(&folio->_pincount);
#else
	return atomic_read(folio_pincount_ptr(folio));
#endif
}

static inline int gw_page_mapcount(struct folio *folio, struct page *page)
{
#if GW_HAVE_PAGE_MAPCOUNT
	return page_mapcount(page);
#else
	int mapcount = 0;

	/* The word of a hugetlb page's own count holds the page type since v6.11. */
	if (!folio_test_hugetlb(folio))
		mapcount = atomic_read(&page->_mapcount) + 1;
	if (folio_test_large(folio))
		mapcount += folio_entire_mapcount(folio);
	return mapcount;
#endif
}

/* ---- calls ---- */

static inline long gw_get_user_pages(unsigned long start, unsigned long nr_pages,
				     unsigned int gup_flags, struct page **pages)
{
#if GW_HAVE_GUP_VMAS
	return get_user_pages(start, nr_pages, gup_flags, pages, NULL);
#else
	return get_user_pages(start, nr_pages, gup_flags, pages);
#endif
}

static inline long gw_pin_user_pages(unsigned long start, unsigned long nr_pages,
				     unsigned int gup_flags, struct page **pages)
{
#if GW_HAVE_GUP_VMAS
	return pin_user_pages(start, nr_pages, gup_flags, pages, NULL);
#else
	return pin_user_pages(start, nr_pages, gup_flags, pages);
#endif
}

static inline long gw_get_user_pages_remote(struct mm_struct *mm, unsigned long start,
					    unsigned long nr_pages, unsigned int gup_flags,
					    struct page **pages, int *locked)
{
#if GW_HAVE_GUP_VMAS
	return get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, NULL, locked);
#else
	return get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, locked);
#endif
}

#if GW_HAVE_VM_FAULT_WRITE
#define GW_VM_FAULT_WRITE VM_FAULT_WRITE
#else
#define GW_VM_FAULT_WRITE 0
#endif

/* What serves follow_pfn on this kernel. */
#if GW_HAVE_FOLLOW_PFNMAP
#define GW_FOLLOW_PFN_IMPL "follow_pfnmap_start"
#else
#define GW_FOLLOW_PFN_IMPL "follow_pfn"
#endif

static inline int gw_follow_pfn(struct vm_area_struct *vma, unsigned long addr,
				unsigned long *pfn)
{
#if GW_HAVE_FOLLOW_PFNMAP
	struct follow_pfnmap_args args = { .vma = vma, .address = addr };
	int ret = follow_pfnmap_start(&args);

	if (ret)
		return ret;
	*pfn = args.pfn;
	follow_pfnmap_end(&args);
	return 0;
#else
	return follow_pfn(vma, addr, pfn);
#endif
}

#endif /* _GUPWALK_COMPAT_H */
