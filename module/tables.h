/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks over all page tables of a range, table by table, in the form of uapi/gupwalk.h.
 */
#ifndef _GUPWALK_TABLES_H
#define _GUPWALK_TABLES_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "descent.h"
#include "walk.h"

/* Most entries that a table has: pages of 64K. */
#define GW_TABLE_ENTRIES_MAX 8192

/* Room for blocks: two of the largest tables at least. */
#define GW_TABLES_BUFFER max_t(size_t, SZ_64K, 2 * PAGE_SIZE)

/**
 * struct gw_tables - a walk on its way
 * @mm: whose page tables; it is held, but not its users: a process that wants to go may
 * @pid: of the process, in the initial namespace
 * @start: first address
 * @next: first address that was not walked yet
 * @end: first address after the range
 * @level: the levels
 * @given: by level: address up to which the table that @next lies in has been given out; not above
 *	@next: it was not
 * @below: by level: which entries of that table point to another
 * @started: the first block was given out
 * @ended: the last one was
 */
struct gw_tables {
	struct mm_struct *mm;
	pid_t pid;
	unsigned long start;
	unsigned long next;
	unsigned long end;
	struct gw_geometry level[GW_NR_LEVELS];
	unsigned long given[GW_NR_LEVELS];
	DECLARE_BITMAP(below[GW_PTE], GW_TABLE_ENTRIES_MAX);
	bool started;
	bool ended;
};

/**
 * gw_tables_start() - begin a walk
 * @tables: filled in
 * @mm: whose page tables; a reference of its own is taken
 * @pid: of the process, in the initial namespace
 * @start: first address, page-aligned
 * @end: first address after the range, page-aligned, in user space
 */
void gw_tables_start(struct gw_tables *tables, struct mm_struct *mm, pid_t pid,
		     unsigned long start, unsigned long end);

/**
 * gw_tables_read() - go on with a walk
 * @tables: the walk
 * @buffer: where the next blocks go
 * @room: its size, GW_TABLES_BUFFER
 *
 * The mmap lock is held for one buffer of tables at most, the lock of a table for its copy.
 *
 * Context: process context, may sleep; no locks.
 * Return: bytes in @buffer; 0: the walk has ended, or, with @tables->ended not set, it has passed
 * many mappings in which there is nothing. -EINTR: a deadly signal came.
 */
ssize_t gw_tables_read(struct gw_tables *tables, void *buffer, size_t room);

/**
 * gw_tables_stop() - give back what a walk holds
 * @tables: the walk; all zero is fine
 */
void gw_tables_stop(struct gw_tables *tables);

#endif /* _GUPWALK_TABLES_H */
