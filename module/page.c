// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>

#include "compat.h"
#include "page.h"

/* Not bits of the kernel's word: set by gw_page_read(). */
#define GW_FOLIO_CMA BIT_ULL(61)
#define GW_FOLIO_HUGETLB BIT_ULL(62)

/* As folio_test_swapcache() (include/linux/page-flags.h): one bit alone may mean something else. */
#define GW_SWAPCACHE (BIT_ULL(PG_swapbacked) | BIT_ULL(PG_swapcache))

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
#ifdef CONFIG_SWAP
	{ "swapcache", GW_SWAPCACHE, GW_SWAPCACHE },
#endif
	{ "hugetlb", GW_FOLIO_HUGETLB },
	{ "cma", GW_FOLIO_CMA },
	{ }
};

bool gw_page_in_cma(const struct gw_page *facts)
{
	return facts->flags & GW_FOLIO_CMA;
}

int gw_page_pincount(const struct gw_page *facts)
{
	return facts->pincount_exact ? facts->own_pincount :
				       facts->refcount / (int)GUP_PIN_COUNTING_BIAS;
}

int gw_folio_pins(struct folio *folio)
{
	int others, bias = GUP_PIN_COUNTING_BIAS;

	if (gw_folio_has_pincount(folio))
		return gw_folio_pincount(folio);
	others = max(gw_folio_mapcount(folio), 0);
	/* the nearest: one that was dropped as a reference leaves one reference less */
	return (folio_ref_count(folio) - others + bias / 2) / bias;
}

const char *gw_page_zone_name(const struct gw_page *facts)
{
	return NODE_DATA(facts->nid)->node_zones[facts->zone].name;
}

/* Folios of several pages, hugetlb's among them. */
static noinline void read_large(struct folio *folio, struct page *page, struct page *first,
				struct gw_page *facts)
{
	facts->mapcount = gw_page_mapcount(folio, page);
	facts->hugetlb = PageHuge(page);
	if (facts->hugetlb)
		facts->flags |= GW_FOLIO_HUGETLB;
	facts->order = folio_order(folio);
	facts->pincount_exact = gw_folio_has_pincount(folio);
	if (facts->pincount_exact)
		facts->own_pincount = gw_folio_pincount(folio);
	/* hugetlb notes it in the head page, however the page is mapped. */
	if (facts->anon && !facts->ksm)
		facts->anon_exclusive =
			gw_page_anon_exclusive(facts->hugetlb ? &folio->page : first);
}

void gw_page_read(struct page *page, struct page *first, bool zero, struct gw_page *facts)
{
	struct folio *folio = page_folio(page);
	u64 flags = gw_folio_flags(folio);

	facts->valid = true;
	facts->zero = zero;
	facts->head_pfn = page_to_pfn(&folio->page);
	facts->refcount = folio_ref_count(folio);
	facts->nid = page_to_nid(page);
	facts->zone = page_zonenum(page);
	facts->device = gw_zone_is_device(facts->zone);
	/* The node, zone and section of the page are in the upper bits of the same word. */
	facts->flags = flags & (BIT_ULL(NR_PAGEFLAGS) - 1);
	if (!facts->device && gw_pfn_in_cma(facts->head_pfn))
		facts->flags |= GW_FOLIO_CMA;
	/* With DAX the same bit is PAGE_MAPPING_DAX_SHARED. */
	facts->anon = folio_test_anon(folio) && !facts->device;
	facts->ksm = facts->anon && folio_test_ksm(folio);
	/* Has a meaning for anonymous pages only: of others the kernel does not let it be asked. */
	facts->anon_exclusive = facts->anon && !facts->ksm && flags & GW_PG_ANON_EXCLUSIVE;
	if (flags & BIT_ULL(PG_head))
		read_large(folio, page, first, facts);
	else
		facts->mapcount = atomic_read(&page->_mapcount) + 1;
}
