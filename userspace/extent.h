/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_EXTENT_H
#define GUPWALK_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/**
 * struct extent - a range of addresses that all look the same
 * @start: first address
 * @end: first address after it
 * @state: as in a snapshot
 * @leaf: level of the entries that map it, NULL if none do
 * @page_size: bytes that each of its entries maps, 0 where nothing is mapped
 * @contiguous: bytes of the blocks that its entries say they are part of, 0: they do not
 * @rights: as in a snapshot
 * @mapped: @pa is known
 * @pa: physical address of @start
 * @swapped: @swap_type and @swap_offset are known
 * @swap_type: swap device
 * @swap_offset: place of @start there, in pages
 * @runs: how many pieces it has whose places, physical or in swap, follow without a gap; 0: it has
 *	no places
 * @what: "zero", "ksm", "anon", "file", "other" by /proc/kpageflags, or what a marker says; NULL
 *	where nothing is known
 * @huge: "thp", "hugetlb" by /proc/kpageflags; NULL: neither, or not known
 * @name: of the VMA
 * @perms: rights of the VMA as in /proc/PID/maps, NULL: not known
 */
struct extent {
	uint64_t start;
	uint64_t end;
	const char *state;
	const char *leaf;
	uint64_t page_size;
	uint64_t contiguous;
	const char *rights;
	bool mapped;
	uint64_t pa;
	bool swapped;
	uint64_t swap_type;
	uint64_t swap_offset;
	uint64_t runs;
	const char *what;
	const char *huge;
	const char *name;
	const char *perms;
};

/* What an extent is to the one before it. */
enum extent_fit {
	EXTENT_DIFFERS,	/* another extent */
	EXTENT_ALIKE,	/* the same, but for the place */
	EXTENT_FOLLOWS,	/* and its place follows without a gap */
};

/**
 * extent_fit() - can two extents be one
 * @e: the one, of one run
 * @next: the other, of one run
 * @page: bytes of a page
 *
 * All mappings of the zero page share one page frame: of that kind the place does not matter.
 *
 * Return: what @next is to @e.
 */
enum extent_fit extent_fit(const struct extent *e, const struct extent *next, uint64_t page);

/**
 * put_page_size() - how large the pages of an extent are
 * @e: the extent; something is mapped
 * @out: where it is appended: bytes that an entry maps, and after a slash those of the block that
 *	the entry is part of, if it is
 */
void put_page_size(const struct extent *e, struct strbuf *out);

/**
 * huge_words() - what a huge page is called where people read it
 * @huge: as in struct extent, not NULL
 *
 * Return: the name.
 */
const char *huge_words(const char *huge);

/**
 * struct extents - extents as they are found, joined where they can be
 * @page: bytes of a page
 * @any_place: join those too of which only the places do not follow
 * @open: there is one that may still grow
 * @last: that one; its strings are its own
 * @piece: the last run of @last, with its strings
 * @put: gets each extent when it does not grow any more
 * @context: for @put
 */
struct extents {
	uint64_t page;
	bool any_place;
	bool open;
	struct extent last;
	struct extent piece;
	void (*put)(void *context, const struct extent *e);
	void *context;
};

/**
 * extents_add() - add an extent after all others
 * @x: the extents
 * @e: the extent
 */
void extents_add(struct extents *x, const struct extent *e);

/**
 * extents_end() - no more come: give out the last one
 * @x: the extents
 */
void extents_end(struct extents *x);

#endif
