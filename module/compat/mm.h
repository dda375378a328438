/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMAs, pages and folios. The facts are in ../compat.h, which includes this.
 */
#ifndef _GUPWALK_COMPAT_MM_H
#define _GUPWALK_COMPAT_MM_H

#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/ksm.h>
#include <linux/magic.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>

/* Kernels before v5.14 have no secretmem, so nothing of theirs has its superblock either. */
#ifndef SECRETMEM_MAGIC
#define SECRETMEM_MAGIC 0x5345434d
#endif

/*
 * Linux kernel commit 7677f7fd8be7 ("userfaultfd: add minor fault registration mode") (in v5.13).
 */
#ifndef VM_UFFD_MINOR
#define VM_UFFD_MINOR 0
#endif

/* Read-write protection of userfaultfd came with Linux 7.3. */
#ifndef VM_UFFD_RWP
#define VM_UFFD_RWP 0
#endif

static inline struct vm_area_struct *gw_vma_lookup(struct mm_struct *mm, unsigned long addr)
{
#if GW_HAVE_VMA_LOOKUP
	return vma_lookup(mm, addr);
#else
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
#endif
}

/*
 * is_cow_mapping() of the kernel: in mm/internal.h until v5.13, of a VMA and no longer of its
 * flags since v7.3.
 */
static inline bool gw_vma_is_cow_mapping(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

#if GW_HAVE_ZAP_SPECIAL_VMA_RANGE
#define GW_ZAP_IMPL "zap_special_vma_range"
#else
#define GW_ZAP_IMPL "zap_vma_ptes"
#endif

/*
 * Takes all of [addr, addr + len), which lies in @vma, out of the page tables. The mmap lock is
 * held.
 */
static inline void gw_zap_vma(struct vm_area_struct *vma, unsigned long addr, unsigned long len)
{
#if GW_HAVE_ZAP_SPECIAL_VMA_RANGE
	zap_special_vma_range(vma, addr, len);
#else
	zap_vma_ptes(vma, addr, len);
#endif
}

/* Before folios the first page of a compound page stood for all of it. */
#if !GW_HAVE_FOLIO
struct folio {
	struct page page;
};

#define page_folio(p) ((struct folio *)compound_head(p))
#define folio_ref_count(folio) page_ref_count(&(folio)->page)
#define folio_test_anon(folio) PageAnon(&(folio)->page)
#define folio_test_ksm(folio) PageKsm(&(folio)->page)
#define folio_test_large(folio) PageHead(&(folio)->page)
#define folio_test_swapcache(folio) PageSwapCache(&(folio)->page)
#define folio_test_private(folio) PagePrivate(&(folio)->page)
#define folio_order(folio) compound_order(&(folio)->page)
#endif

/* Of memory that may be free: the caller gives the reference back by put_page(). */
static inline bool gw_folio_try_get(struct folio *folio)
{
#if GW_HAVE_FOLIO
	return folio_try_get(folio);
#else
	return get_page_unless_zero(&folio->page);
#endif
}

/* The caller gives it back by put_dev_pagemap(). */
static inline struct dev_pagemap *gw_get_dev_pagemap(unsigned long pfn)
{
#if GW_HAVE_DEV_PAGEMAP_CACHED
	return get_dev_pagemap(pfn, NULL);
#else
	return get_dev_pagemap(pfn);
#endif
}

/*
 * get_pageblock_migratetype() is not exported. Mirrors it and what it calls (mm/page_alloc.c): some
 * bits for each block of pages, the migration type in the lowest three.
 */
static inline bool gw_pfn_in_cma(unsigned long pfn)
{
#if defined(CONFIG_CMA) && defined(CONFIG_SPARSEMEM)
	unsigned long bit = ((pfn & (PAGES_PER_SECTION - 1)) >> pageblock_order) *
			    NR_PAGEBLOCK_BITS;
	unsigned long *words = section_to_usemap(__pfn_to_section(pfn));
	unsigned long word = READ_ONCE(words[bit / BITS_PER_LONG]);

	return ((word >> (bit % BITS_PER_LONG)) & 7) == MIGRATE_CMA;
#else
	return false;
#endif
}

static inline unsigned long gw_folio_flags(const struct folio *folio)
{
#if GW_HAVE_MEMDESC_FLAGS
	return folio->flags.f;
#else
	return folio->page.flags;
#endif
}

/* is_zone_device_page(), of a zone that is known */
static inline bool gw_zone_is_device(enum zone_type zone)
{
#ifdef CONFIG_ZONE_DEVICE
	return zone == ZONE_DEVICE;
#else
	return false;
#endif
}

static inline bool gw_page_has_mapping(struct page *page)
{
	return compound_head(page)->mapping;
}

/* The same bit of a page by itself; other kinds of pages use it for something else. */
#if GW_HAVE_ANON_EXCLUSIVE
#define GW_PG_ANON_EXCLUSIVE BIT_ULL(PG_anon_exclusive)
#else
#define GW_PG_ANON_EXCLUSIVE 0
#endif

static inline bool gw_page_anon_exclusive(struct page *page)
{
#if GW_HAVE_ANON_EXCLUSIVE
	return PageAnonExclusive(page);
#else
	return false;
#endif
}

/* Has the folio a counter of its own for pins? */
static inline bool gw_folio_has_pincount(struct folio *folio)
{
#if GW_HAVE_FOLIO
	return folio_test_large(folio);
#else
	return folio_test_large(folio) && hpage_pincount_available(&folio->page);
#endif
}

static inline int gw_folio_pincount(struct folio *folio)
{
#if GW_HAVE_FOLIO_PINCOUNT_FIELD
	return atomic_read(&folio->_pincount);
#elif GW_HAVE_FOLIO
	return atomic_read(folio_pincount_ptr(folio));
#else
	return atomic_read(compound_pincount_ptr(&folio->page));
#endif
}

/* How often the folio is mapped, by whichever entries; -1: this kernel does not count that. */
static inline int gw_folio_mapcount(struct folio *folio)
{
#if GW_HAVE_LARGE_MAPCOUNT
	return folio_mapcount(folio);
#else
	return folio_test_large(folio) ? -1 : atomic_read(&folio->page._mapcount) + 1;
#endif
}

static inline struct address_space *gw_folio_mapping(struct folio *folio)
{
#if GW_HAVE_FOLIO
	return folio->mapping;
#else
	return folio->page.mapping;
#endif
}

static inline int gw_page_mapcount(struct folio *folio, struct page *page)
{
#if GW_HAVE_PAGE_MAPCOUNT
	return page_mapcount(page);
#else
	int mapcount = 0;

	if (!folio_test_large(folio))
		return atomic_read(&page->_mapcount) + 1;
	/* The word of a hugetlb page's own count holds the page type since v6.11. */
	if (!folio_test_hugetlb(folio))
		mapcount = atomic_read(&page->_mapcount) + 1;
	return mapcount + folio_entire_mapcount(folio);
#endif
}

/* The lock of a hugetlb entry on a level whose entries have @level_lock otherwise. */
static inline spinlock_t *gw_hugetlb_lock(struct vm_area_struct *vma, spinlock_t *level_lock)
{
#if GW_HAVE_HUGETLB_LEVEL_LOCKS
	return level_lock;
#else
	if (huge_page_size(hstate_vma(vma)) == PMD_SIZE)
		return level_lock;
	return &vma->vm_mm->page_table_lock;
#endif
}

/* ---- kernel mappings ---- */

static inline void *gw_kmap_local_page(struct page *page)
{
#if GW_HAVE_KMAP_LOCAL
	return kmap_local_page(page);
#else
	return kmap_atomic(page);
#endif
}

static inline void gw_kunmap_local(void *address)
{
#if GW_HAVE_KMAP_LOCAL
	kunmap_local(address);
#else
	kunmap_atomic(address);
#endif
}

#endif /* _GUPWALK_COMPAT_MM_H */
