/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts about the page that an entry maps, and about the folio that the page is a part of.
 */
#ifndef _GUPWALK_PAGE_H
#define _GUPWALK_PAGE_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "names.h"

/**
 * struct gw_page - facts of a mapped page
 * @valid: the rest was read
 * @pincount_exact: the folio has a counter of its own for pins
 * @anon: anonymous memory
 * @anon_exclusive: PageAnonExclusive: no other mapping can share this anonymous page
 * @zero: the shared page of zeros, small or huge
 * @ksm: merged by KSM
 * @hugetlb: of the hugetlb pool
 * @device: memory of a device, with a struct page
 * @order: order of the folio
 * @zone: number of the zone in the node, see gw_page_zone_name()
 * @nid: NUMA node
 * @refcount: references of the folio
 * @mapcount: how often this page is mapped, mappings of the whole folio included
 * @own_pincount: the folio's own counter of pins, if @pincount_exact: see gw_page_pincount()
 * @flags: bits of gw_page_flag_names
 * @head_pfn: page frame of the folio's first page
 */
struct gw_page {
	bool valid;
	bool pincount_exact;
	bool anon;
	bool anon_exclusive;
	bool zero;
	bool ksm;
	bool hugetlb;
	bool device;
	u8 order;
	u8 zone;
	s16 nid;
	s32 refcount;
	s32 mapcount;
	s32 own_pincount;
	u64 flags;
	u64 head_pfn;
};

extern const struct gw_name gw_page_flag_names[];

/**
 * gw_page_read() - read the facts of a page
 * @page: the page; it is mapped by the entry whose lock the caller holds
 * @first: first page that this entry maps: of a huge mapping it carries what the kernel
 *	notes about the whole of it
 * @zero: the caller found it to be a shared page of zeros
 * @facts: filled in; all zero before
 *
 * Context: any. The caller holds the page-table lock of an entry that maps @page: the reference
 * that this mapping owns keeps the folio from being freed or split meanwhile. A zero page and a
 * reserved page are never freed.
 */
void gw_page_read(struct page *page, struct page *first, bool zero, struct gw_page *facts);

/**
 * gw_page_pincount() - how many FOLL_PIN pins has the folio
 * @facts: facts of a page
 *
 * Return: the number; a guess unless @facts->pincount_exact.
 */
int gw_page_pincount(const struct gw_page *facts);

struct folio;

/**
 * gw_folio_pins() - how many FOLL_PIN pins has a folio now
 * @folio: the folio
 *
 * One of a small folio is GUP_PIN_COUNTING_BIAS references. Those of its mappings are not among
 * them; of others there are rarely so many that they look like one.
 *
 * Context: any. The folio may change meanwhile.
 * Return: the number, of a large folio for sure.
 */
int gw_folio_pins(struct folio *folio);

/**
 * gw_page_zone_name() - the name of the zone that the page lies in
 * @facts: facts of a page
 *
 * Return: a string of the kernel that is never freed.
 */
const char *gw_page_zone_name(const struct gw_page *facts);

/**
 * gw_page_in_cma() - does the folio lie in memory set aside for CMA
 * @facts: facts of a page
 *
 * As folio_is_longterm_pinnable() (include/linux/mm.h) asks it, of the folio's first page.
 *
 * Return: true if so.
 */
bool gw_page_in_cma(const struct gw_page *facts);

#endif /* _GUPWALK_PAGE_H */
