/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_EXTENT_H
#define GUPWALK_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct extent - a range of addresses that all look the same
 * @start: first address
 * @end: first address after it
 * @state: as in a snapshot
 * @leaf: level of the entries that map it, NULL if none do
 * @page_size: bytes that each of its entries maps, 0 where nothing is mapped
 * @rights: as in a snapshot
 * @mapped: @pa is known
 * @pa: physical address of @start; the rest follows without a gap
 * @what: "zero", "ksm", "anon", "file", "other" by /proc/kpageflags, or what a marker says; NULL
 *	where nothing is known
 * @name: of the VMA
 */
struct extent {
	uint64_t start;
	uint64_t end;
	const char *state;
	const char *leaf;
	uint64_t page_size;
	const char *rights;
	bool mapped;
	uint64_t pa;
	const char *what;
	const char *name;
};

/**
 * extent_join() - make one extent of two, if they look the same and touch
 * @e: the one; grows
 * @next: the other
 *
 * Two extents that share one page frame only, as all mappings of the zero page do, look the same if
 * both are of that kind.
 *
 * Return: true if they did.
 */
bool extent_join(struct extent *e, const struct extent *next);

/**
 * struct extents - extents as they are found, joined where they can be
 * @open: there is one that may still grow
 * @last: that one; its strings are its own
 * @put: gets each extent when it does not grow any more
 * @context: for @put
 */
struct extents {
	bool open;
	struct extent last;
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
