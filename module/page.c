// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>

#include "compat.h"
#include "page.h"

/* Not bits of the kernel's word: set by read_flags(). */
#define GW_FOLIO_CMA BIT_ULL(61)
#define GW_FOLIO_SWAPCACHE BIT_ULL(62)
#define GW_FOLIO_HUGETLB BIT_ULL(63)

/* Names as the kernel prints them (include/trace/events/mmflags.h). */
const struct gw_name gw_page_flag_names[] = {
	{ "locked", BIT_ULL(PG_locked) },
	{ "referenced", BIT_ULL(PG_referenced) },
	{ "uptodate", BIT_ULL(PG_uptodate) },
	{ "dirty", BIT_ULL(PG_dirty) },
	{ "lru", BIT_ULL(PG_lru) },
	{ "active", BIT_ULL(PG_active) },
	{ "workingset", BIT_ULL(PG_workingset) },
	{ "reserved", BIT_ULL(PG_reserved) },
	{ "private", BIT_ULL(PG_private) },
	{ "writeback", BIT_ULL(PG_writeback) },
	{ "head", BIT_ULL(PG_head) },
	{ "reclaim", BIT_ULL(PG_reclaim) },
	{ "swapbacked", BIT_ULL(PG_swapbacked) },
	{ "unevictable", BIT_ULL(PG_unevictable) },
	{ "mlocked", BIT_ULL(PG_mlocked) },
#ifdef CONFIG_MEMORY_FAILURE
	{ "hwpoison", BIT_ULL(PG_hwpoison) },
#endif
	{ "swapcache", GW_FOLIO_SWAPCACHE },
	{ "hugetlb", GW_FOLIO_HUGETLB },
	{ "cma", GW_FOLIO_CMA },
	{ }
};

static u64 read_flags(struct folio *folio, bool hugetlb)
{
	/* The node, zone and section of the page are in the upper bits of the same word. */
	u64 flags = gw_folio_flags(folio) & (BIT_ULL(NR_PAGEFLAGS) - 1);

	if (folio_test_swapcache(folio))
		flags |= GW_FOLIO_SWAPCACHE;
	if (hugetlb)
		flags |= GW_FOLIO_HUGETLB;
	if (!is_zone_device_page(&folio->page) && gw_pfn_in_cma(page_to_pfn(&folio->page)))
		flags |= GW_FOLIO_CMA;
	return flags;
}

bool gw_page_in_cma(const struct gw_page *facts)
{
	return facts->flags & GW_FOLIO_CMA;
}

static void read_pincount(struct folio *folio, struct gw_page *facts)
{
	facts->pincount_exact = gw_folio_has_pincount(folio);
	if (facts->pincount_exact)
		facts->pincount = gw_folio_pincount(folio);
	else
		facts->pincount = facts->refcount / (int)GUP_PIN_COUNTING_BIAS;
}

void gw_page_read(struct page *page, struct page *first, bool zero, struct gw_page *facts)
{
	struct folio *folio = page_folio(page);

	facts->zero = zero;
	facts->hugetlb = PageHuge(page);
	facts->flags = read_flags(folio, facts->hugetlb);
	facts->refcount = folio_ref_count(folio);
	facts->mapcount = gw_page_mapcount(folio, page);
	read_pincount(folio, facts);
	/* With DAX the same bit is PAGE_MAPPING_DAX_SHARED. */
	facts->device = is_zone_device_page(page);
	facts->anon = folio_test_anon(folio) && !facts->device;
	facts->ksm = folio_test_ksm(folio);
	/*
	 * Has a meaning for anonymous pages only. hugetlb notes it in the head page, however the
	 * page is mapped.
	 */
	if (facts->anon && !facts->ksm)
		facts->anon_exclusive =
			gw_page_anon_exclusive(facts->hugetlb ? &folio->page : first);
	facts->order = folio_order(folio);
	facts->head_pfn = page_to_pfn(&folio->page);
	facts->nid = page_to_nid(page);
	facts->zone = page_zone(page)->name;
	facts->valid = true;
}
