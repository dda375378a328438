/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls. The facts are in ../compat.h, which includes this.
 */
#ifndef _GUPWALK_COMPAT_GUP_H
#define _GUPWALK_COMPAT_GUP_H

#include <linux/mm.h>

/* Before the call: a place that it does not write shall not look like a page. */
static inline void gw_gup_prepare(struct page **pages, unsigned long nr)
{
	if (GW_HAVE_GUP_HOLES)
		memset(pages, 0, nr * sizeof(*pages));
}

/* Is this a page that the call has put there? What was there before may look like one. */
static inline bool gw_gup_gave(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	if (!GW_HAVE_GUP_HOLES)
		return true;
	/* The compiler would take it for granted that it comes back to the same. */
	OPTIMIZER_HIDE_VAR(pfn);
	return page && pfn_valid(pfn) && pfn_to_page(pfn) == page;
}

static inline void gw_unpin_pages(struct page **pages, unsigned long nr)
{
	unsigned long i;

	for (i = 0; GW_HAVE_GUP_HOLES && i < nr; i++)
		if (pages[i])
			unpin_user_page(pages[i]);
	if (!GW_HAVE_GUP_HOLES)
		unpin_user_pages(pages, nr);
}

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

static inline long gw_pin_user_pages_remote(struct mm_struct *mm, unsigned long start,
					    unsigned long nr_pages, unsigned int gup_flags,
					    struct page **pages, int *locked)
{
#if GW_HAVE_GUP_VMAS
	return pin_user_pages_remote(mm, start, nr_pages, gup_flags, pages, NULL, locked);
#else
	return pin_user_pages_remote(mm, start, nr_pages, gup_flags, pages, locked);
#endif
}

#if GW_HAVE_GUP_LOCKED
#define GW_GUP_LOCKED_IMPL "get_user_pages_locked"
#else
#define GW_GUP_LOCKED_IMPL NULL
#endif

static inline long gw_get_user_pages_locked(unsigned long start, unsigned long nr_pages,
					    unsigned int gup_flags, struct page **pages,
					    int *locked)
{
#if GW_HAVE_GUP_LOCKED
	return get_user_pages_locked(start, nr_pages, gup_flags, pages, locked);
#else
	return -EOPNOTSUPP;
#endif
}

#if GW_HAVE_MEMFD_PIN_FOLIOS
#define GW_MEMFD_PIN_FOLIOS_IMPL "memfd_pin_folios"
#else
#define GW_MEMFD_PIN_FOLIOS_IMPL NULL
#endif

/* The page of @file at @offset, pinned. Return: 1, or a negative errno. */
static inline long gw_memfd_pin_page(struct file *file, loff_t offset, struct page **page)
{
#if GW_HAVE_MEMFD_PIN_FOLIOS
	struct folio *folio;
	pgoff_t inside;
	long ret = memfd_pin_folios(file, offset, offset, &folio, 1, &inside);

	if (ret == 1)
		*page = folio_page(folio, inside >> PAGE_SHIFT);
	return ret;
#else
	return -EOPNOTSUPP;
#endif
}

#if GW_HAVE_FOLL_NOFAULT
#define GW_FOLL_NOFAULT FOLL_NOFAULT
#else
#define GW_FOLL_NOFAULT 0
#endif

#if GW_HAVE_FAULT_UNSHARE
#define GW_FAULT_FLAG_UNSHARE FAULT_FLAG_UNSHARE
#else
#define GW_FAULT_FLAG_UNSHARE 0
#endif

#if GW_HAVE_VM_FAULT_WRITE
#define GW_VM_FAULT_WRITE VM_FAULT_WRITE
#else
#define GW_VM_FAULT_WRITE 0
#endif

#if GW_HAVE_VM_FAULT_COMPLETED
#define GW_VM_FAULT_COMPLETED VM_FAULT_COMPLETED
#else
#define GW_VM_FAULT_COMPLETED 0
#endif

/*
 * The kernel's own call for memory without pages, and whether it serves follow_pfn here: 6.10 and
 * 6.11 had only one that does not.
 */
#if GW_HAVE_FOLLOW_PFNMAP
#define GW_FOLLOW_PFN_NAME "follow_pfnmap_start"
#define GW_FOLLOW_PFN_IMPL GW_FOLLOW_PFN_NAME
#elif GW_HAVE_FOLLOW_PFN
#define GW_FOLLOW_PFN_NAME "follow_pfn"
#define GW_FOLLOW_PFN_IMPL GW_FOLLOW_PFN_NAME
#else
#define GW_FOLLOW_PFN_NAME "follow_pte"
#define GW_FOLLOW_PFN_IMPL NULL
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
#elif GW_HAVE_FOLLOW_PFN
	return follow_pfn(vma, addr, pfn);
#else
	return -EOPNOTSUPP;
#endif
}

/* What follow_pfnmap_start() is asked: @args is its argument. */
static inline void gw_follow_args(const void *args, struct vm_area_struct **vma,
				  unsigned long *addr)
{
#if GW_HAVE_FOLLOW_PFNMAP
	const struct follow_pfnmap_args *follow = args;

	*vma = follow->vma;
	*addr = follow->address;
#endif
}

/* What it has found, after it succeeded. */
static inline bool gw_follow_found(const void *args, u64 *pfn)
{
#if GW_HAVE_FOLLOW_PFNMAP
	*pfn = ((const struct follow_pfnmap_args *)args)->pfn;
	return true;
#else
	return false;
#endif
}

#if GW_HAVE_FOLL_PCI_P2PDMA
#define GW_FOLL_PCI_P2PDMA FOLL_PCI_P2PDMA
#define GW_FOLL_INTERRUPTIBLE FOLL_INTERRUPTIBLE
#else
#define GW_FOLL_PCI_P2PDMA 0
#define GW_FOLL_INTERRUPTIBLE 0
#endif

#endif /* _GUPWALK_COMPAT_GUP_H */
