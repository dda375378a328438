/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk reads every level of the page tables for the addresses of a range, and takes a snapshot of
 * each.
 */
#ifndef _GUPWALK_WALK_H
#define _GUPWALK_WALK_H

#include "descent.h"
#include "snapshot.h"

/* A walk that finds the tables changed under it starts again at most this often. */
#define GW_WALK_RETRIES 8

/* So many pages are looked at, at most, while the lock of a table is held. */
#define GW_WALK_CHUNK 64UL

/**
 * struct gw_walk - walks whose snapshots have their ways in common
 * @ways: room for ways
 * @next: the first that no snapshot has
 * @last: the last place, for snapshots that are not stable
 * @vma: VMA of the addresses that are looked at; NULL: the mmap lock was given up since
 * @addr: one of them
 * @path: the way to it, in @ways; NULL: none was gone yet
 * @taken: a snapshot has that way
 * @lock: what keeps the entry there as it is; above the pud nothing changes but from empty to table
 * @like: the last snapshot of an entry there, if the next may say the same; NULL: of none
 * @plain: it is of a pte that maps a page, and as far as that says an ordinary one
 * @online: number of the subsection of memory that the last page was found in; ~0: none
 */
struct gw_walk {
	struct gw_path *ways;
	struct gw_path *next;
	struct gw_path *last;
	struct vm_area_struct *vma;
	unsigned long addr;
	struct gw_path *path;
	bool taken;
	spinlock_t *lock;
	const struct gw_snapshot *like;
	bool plain;
	u64 online;
};

/**
 * gw_walk_begin() - get ready for walks
 * @walk: initialised
 * @ways: room for ways, which must outlive the snapshots
 * @nr_ways: how many, at least two
 *
 * Where there is no room any more for another way, a snapshot is not stable. One for each PTE
 * table of a range, and one more, are enough as long as nobody replaces tables.
 */
static inline void gw_walk_begin(struct gw_walk *walk, struct gw_path *ways, unsigned int nr_ways)
{
	walk->ways = ways;
	walk->next = ways;
	walk->last = ways + nr_ways - 1;
	walk->vma = NULL;
	walk->path = NULL;
	walk->like = NULL;
}

/**
 * gw_walk_used() - how many ways are in use
 * @walk: the walk
 *
 * Return: the number, without the last place.
 */
unsigned int gw_walk_used(const struct gw_walk *walk);

/**
 * gw_walk_range() - take a snapshot of every page of a range
 * @walk: the walk
 * @mm: whose page tables
 * @vma: VMA of @addr, if the caller has held the mmap lock since it found it and since the last
 *	snapshot of @walk; otherwise NULL
 * @addr: first address, in user space; need not be page-aligned
 * @nr_pages: pages from the one that holds @addr, at least one
 * @snaps: @nr_pages snapshots, filled in
 *
 * Pages outside every VMA get state GW_NOVMA: their tables may be freed under a reader of the
 * mmap lock (free_pgtables() after the downgrade in munmap), so they are not looked at.
 *
 * Context: process context, may sleep. The caller holds a reference on @mm's users and the mmap
 * lock for read or write.
 */
void gw_walk_range(struct gw_walk *walk, struct mm_struct *mm, struct vm_area_struct *vma,
		   unsigned long addr, unsigned long nr_pages, struct gw_snapshot *snaps);

/**
 * gw_walk_one() - take a snapshot of one address
 * @walk: the walk
 * @vma: the VMA that holds @addr
 * @addr: the address
 * @snap: filled in
 *
 * Context: as of gw_walk_range().
 */
void gw_walk_one(struct gw_walk *walk, struct vm_area_struct *vma, unsigned long addr,
		 struct gw_snapshot *snap);

/**
 * struct gw_glance - a look at page tables that never waits
 * @walk: where its snapshots have their ways
 * @mm: whose
 * @locked: the mmap lock was to be had; else only the caller's own tables can be looked at
 */
struct gw_glance {
	struct gw_walk *walk;
	struct mm_struct *mm;
	bool locked;
};

/**
 * gw_glance_begin() - begin to look at page tables without waiting for anything
 * @glance: filled in
 * @walk: from gw_walk_begin()
 * @mm: whose; it stays until the end of the glance, and so do its users
 *
 * Takes the mmap lock for read where that can be had at once. The caller may hold it himself, for
 * read or write, and any lock that may be held when the mmap lock is.
 *
 * Context: process context, interrupts on or off; it never sleeps and never faults.
 */
void gw_glance_begin(struct gw_glance *glance, struct gw_walk *walk, struct mm_struct *mm);

/**
 * gw_glance_end() - give back what gw_glance_begin() took
 * @glance: the glance
 */
void gw_glance_end(struct gw_glance *glance);

/**
 * gw_glance_at() - take a snapshot of one address
 * @glance: the glance
 * @addr: the address, in user space
 * @snap: filled in
 *
 * With the mmap lock it is what gw_walk_one() takes, in one try; where the lock of the entry is
 * taken there are no facts of the page, and an empty entry is not stable. Without it, the tables of
 * the caller's own memory are read as gup_fast reads them, with interrupts off, and there are no
 * facts of the page either; of other memory nothing is read (GW_UNREAD): on x86 up to v6.12 only a
 * CPU that uses an address space is waited for when its tables are freed.
 *
 * Context: as gw_glance_begin().
 */
void gw_glance_at(const struct gw_glance *glance, unsigned long addr, struct gw_snapshot *snap);

#endif /* _GUPWALK_WALK_H */
