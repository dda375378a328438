/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot is what a walk saw of an address: every level of the page tables, with the state of
 * the page that is mapped there.
 */
#ifndef _GUPWALK_SNAPSHOT_H
#define _GUPWALK_SNAPSHOT_H

#include <linux/mm.h>
#include <linux/types.h>

#include "page.h"

/**
 * enum gw_level - levels of the page tables, from the top
 * @GW_PGD: page global directory
 * @GW_P4D: page level 4 directory
 * @GW_PUD: page upper directory
 * @GW_PMD: page middle directory
 * @GW_PTE: page table entry
 * @GW_NR_LEVELS: how many there are; also "no level"
 */
enum gw_level { GW_PGD, GW_P4D, GW_PUD, GW_PMD, GW_PTE, GW_NR_LEVELS };

/**
 * enum gw_state - what the last entry of a walk says
 * @GW_NONE: nothing is mapped, nothing is remembered
 * @GW_PRESENT: a page is mapped
 * @GW_PROTNONE: a page is there, but the entry lets nobody reach it: PROT_NONE, or a NUMA hint
 * @GW_SWAP: the page is in swap
 * @GW_MIGRATION: the page is being moved
 * @GW_MARKER: no page; the entry itself carries a message (enum gw_marker)
 * @GW_DEVICE: the page is private or exclusive to a device
 * @GW_BAD: not an entry that the kernel would accept
 * @GW_NOVMA: there is no VMA, so the tables may not be read
 * @GW_UNREAD: what would have made reading legal could not be had without waiting: see gw_glance
 */
enum gw_state {
	GW_NONE,
	GW_PRESENT,
	GW_PROTNONE,
	GW_SWAP,
	GW_MIGRATION,
	GW_MARKER,
	GW_DEVICE,
	GW_BAD,
	GW_NOVMA,
	GW_UNREAD,
	GW_NR_STATES
};

/**
 * enum gw_marker - what an entry of state GW_MARKER says
 * @GW_MARKER_NONE: not a marker
 * @GW_MARKER_UFFD_WP: write-protected by userfaultfd while no page was mapped
 * @GW_MARKER_POISONED: access shall fail (UFFDIO_POISON, or a page that could not be read
 *	from swap)
 * @GW_MARKER_GUARD: MADV_GUARD_INSTALL
 * @GW_MARKER_HWPOISON: the page that was here has a memory error
 * @GW_MARKER_UNKNOWN: a kind of entry that this module does not know
 */
enum gw_marker {
	GW_MARKER_NONE,
	GW_MARKER_UFFD_WP,
	GW_MARKER_POISONED,
	GW_MARKER_GUARD,
	GW_MARKER_HWPOISON,
	GW_MARKER_UNKNOWN,
	GW_NR_MARKERS
};

/* What all levels of a path together allow. */
#define GW_RIGHT_READ 0x1
#define GW_RIGHT_WRITE 0x2
#define GW_RIGHT_USER 0x4
#define GW_RIGHT_EXEC 0x8

/**
 * struct gw_entry - one slot of a table
 * @entry: physical address of the slot
 * @value: what was in it
 */
struct gw_entry {
	u64 entry;
	u64 value;
};

struct gw_path;

/**
 * struct gw_snapshot - what one walk saw
 * @way: the way down to the PTE table, or to where there is none, in common with the snapshots of
 *	neighbours: see gw_snapshot_entries()
 * @ptep: slot of the pte, if the way leads there; it may not be read any more
 * @pte: what it held
 * @pfn: page frame of the address, if gw_snapshot_has_pfn()
 * @swap_offset: place on the swap device, if @state is GW_SWAP
 * @offset: place of the address in its page
 * @nr_levels: how many levels were read; the last one decided where the walk ended
 * @state: enum gw_state
 * @leaf: enum gw_level of the entry that maps the page, GW_NR_LEVELS if none does
 * @marker: enum gw_marker
 * @shift: log2 of the bytes that the last entry covers
 * @contiguous_shift: log2 of the bytes of the block of entries that the leaf says it is a part
 *	of, to be cached as one (arm64); 0: of none
 * @retries: how often the walk was started again
 * @swap_type: swap device, if @state is GW_SWAP
 * @stable: the entries did not change while they, and the page, were read
 * @special: the entry is marked as mapping no ordinary page
 * @page: facts of the mapped page, valid if @page.valid
 */
struct gw_snapshot {
	const struct gw_path *way;
	const void *ptep;
	u64 pte;
	union {
		u64 pfn;
		u64 swap_offset;
	};
	u16 offset;
	u8 nr_levels;
	u8 state;
	u8 leaf;
	u8 marker;
	u8 shift;
	u8 contiguous_shift;
	u8 retries;
	u8 swap_type;
	bool stable;
	bool special;
	struct gw_page page;
};

/**
 * gw_snapshot_entries() - the entries of all levels
 * @snap: the snapshot
 * @entries: the first @snap->nr_levels are filled in, folded levels as repetitions
 */
void gw_snapshot_entries(const struct gw_snapshot *snap, struct gw_entry entries[GW_NR_LEVELS]);

/**
 * gw_snapshot_rights() - what the entries of all levels together allow
 * @snap: the snapshot
 *
 * Return: GW_RIGHT_*; 0 if no page is mapped, or it is for nobody.
 */
u8 gw_snapshot_rights(const struct gw_snapshot *snap);

/**
 * gw_snapshot_maps_page() - does the last entry name a page that the address stands for
 * @snap: the snapshot
 *
 * Return: true if @snap->pfn and the physical address of the address are known.
 */
static inline bool gw_snapshot_maps_page(const struct gw_snapshot *snap)
{
	return snap->state == GW_PRESENT || snap->state == GW_PROTNONE;
}

/**
 * gw_snapshot_has_pfn() - does the last entry name a page frame
 * @snap: the snapshot
 *
 * Return: true if @snap->pfn is known.
 */
static inline bool gw_snapshot_has_pfn(const struct gw_snapshot *snap)
{
	return gw_snapshot_maps_page(snap) || snap->state == GW_MIGRATION ||
	       snap->state == GW_DEVICE;
}

/**
 * gw_snapshot_pa() - the physical address of the address
 * @snap: a snapshot of which gw_snapshot_maps_page()
 *
 * Return: the address.
 */
static inline u64 gw_snapshot_pa(const struct gw_snapshot *snap)
{
	return (snap->pfn << PAGE_SHIFT) + snap->offset;
}

#endif /* _GUPWALK_SNAPSHOT_H */
