/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMAs, pages and folios. The facts are in ../compat.h, which includes this.
 */
#ifndef _GUPWALK_COMPAT_MM_H
#define _GUPWALK_COMPAT_MM_H

#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

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

#endif /* _GUPWALK_COMPAT_MM_H */
