/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk reads every level of the page tables for an address; a snapshot is what one walk saw,
 * with the state of the page that is mapped there.
 */
#ifndef _GUPWALK_WALK_H
#define _GUPWALK_WALK_H

#include <linux/mm_types.h>
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

/* A walk that finds the tables changed under it starts again at most this often. */
#define GW_WALK_RETRIES 8

/**
 * struct gw_entry - one slot of a table
 * @entry: physical address of the slot
 * @value: what was in it
 */
struct gw_entry {
	u64 entry;
	u64 value;
};

/**
 * struct gw_snapshot - what one walk saw
 * @level: the entries read, indexed by enum gw_level
 * @nr_levels: how many of them were read; the last one decided where the walk ended
 * @state: enum gw_state
 * @leaf: enum gw_level of the entry that maps the page, GW_NR_LEVELS if none does
 * @marker: enum gw_marker
 * @rights: GW_RIGHT_*
 * @shift: log2 of the bytes that the last entry covers
 * @contiguous_shift: log2 of the bytes of the block of entries that the leaf says it is a part
 *	of, to be cached as one (arm64); 0: of none
 * @retries: how often the walk was started again
 * @swap_type: swap device, if @state is GW_SWAP
 * @stable: the entries did not change while they, and the page, were read
 * @special: the entry is marked as mapping no ordinary page
 * @pfn: page frame of the address; see debugfs-layout.md for which states
 * @pa: physical address of the address, if gw_snapshot_maps_page()
 * @swap_offset: place on the swap device
 * @page: facts of the mapped page, valid if @page.valid
 */
struct gw_snapshot {
	struct gw_entry level[GW_NR_LEVELS];
	u8 nr_levels;
	u8 state;
	u8 leaf;
	u8 marker;
	u8 rights;
	u8 shift;
	u8 contiguous_shift;
	u8 retries;
	u8 swap_type;
	bool stable;
	bool special;
	u64 pfn;
	u64 pa;
	u64 swap_offset;
	struct gw_page page;
};

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
 * gw_walk() - take a snapshot of every page of a range
 * @mm: whose page tables
 * @addr: first address, in user space; need not be page-aligned
 * @nr_pages: pages from the one that holds @addr
 * @snaps: @nr_pages snapshots, filled in
 *
 * Pages outside every VMA get state GW_NOVMA: their tables may be freed under a reader of the
 * mmap lock (free_pgtables() after the downgrade in munmap), so they are not looked at.
 *
 * Context: process context, may sleep. The caller holds a reference on @mm's users and the mmap
 * lock for read or write.
 */
void gw_walk(struct mm_struct *mm, unsigned long addr, unsigned long nr_pages,
	     struct gw_snapshot *snaps);

/**
 * gw_walk_one() - take a snapshot of one address
 * @vma: the VMA that holds @addr
 * @addr: the address
 * @snap: filled in
 *
 * Mirrors gup_fast's descent (mm/gup.c, gup_pgd_range() and below) for the entries, and
 * __pte_offset_map_lock() (mm/pgtable-generic.c) for the page.
 *
 * Context: process context, may sleep. The caller holds the mmap lock of @vma->vm_mm for read or
 * write.
 */
void gw_walk_one(struct vm_area_struct *vma, unsigned long addr, struct gw_snapshot *snap);

#endif /* _GUPWALK_WALK_H */
