/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * gupwalk: what the module and user space agree on beyond the text files of debugfs-layout.md.
 *
 * Everything here has a fixed width and no padding, so that a program built once works with every
 * kernel and architecture that the module runs on.
 */
#ifndef _UAPI_GUPWALK_H
#define _UAPI_GUPWALK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The number of debugfs-layout.md; grows when something there changes its meaning. */
#define GUPWALK_FORMAT 1

#define GUPWALK_VERSION "0.1.0"

/* Longest request line, its newline included. */
#define GUPWALK_LINE_MAX 4095

/* Longest label of a request (run=). */
#define GUPWALK_LABEL_MAX 31

/*
 * The target: a device whose mmap(MAP_SHARED) gives a VM_PFNMAP mapping of a few reserved pages,
 * all of them mapped at once. GUPWALK_TARGET_ZAP takes them out of the page tables of the caller
 * again; the next access or fault maps them anew.
 */
#define GUPWALK_TARGET_NAME "gupwalk_target"
#define GUPWALK_TARGET_PAGES 4

/**
 * struct gupwalk_target_zap - argument of GUPWALK_TARGET_ZAP
 * @addr: (in) page-aligned address in a mapping of the target by the calling process
 * @len: (in) bytes, a multiple of the page size, not beyond the end of that mapping
 */
struct gupwalk_target_zap {
	__u64 addr;
	__u64 len;
};

#define GUPWALK_TARGET_ZAP _IOW('g', 0x01, struct gupwalk_target_zap)

/*
 * The file `walk`: the page tables of a process, whole tables at a time.
 *
 * What is read is a row of blocks. Each begins with a struct gupwalk_walk_head, whose size says
 * where the next one begins; blocks of a type that the reader does not know are to be passed over.
 * The first block is a struct gupwalk_walk_start, the last a struct gupwalk_walk_end, and those
 * in between are struct gupwalk_walk_table. All numbers are in the byte order of the machine.
 *
 * A table comes before those that its entries point to, and tables of a level come in the order of
 * addresses. Where an entry of a table points to the next one, blocks of that one follow: one, or
 * more where it had to be read in parts, or where a long row of empty entries is left out. If none
 * follows, no VMA lies there. An entry that is not in any block is empty.
 *
 * A table is read under its lock, so that its entries are of one moment, but for the bits that the
 * CPU sets by itself; the entries above it are those of the same moment. Between two tables the
 * process may do what it wants. If that has made something else of an entry that pointed to a
 * table, a block with that one entry follows instead of the table: a later block is right where
 * it says something else than an earlier one.
 */
#define GUPWALK_WALK_VERSION 1

/* pgd, p4d, pud, pmd and pte, by these numbers from 0 on. */
#define GUPWALK_LEVELS 5

/* Types of blocks. */
#define GUPWALK_WALK_START 1
#define GUPWALK_WALK_TABLE 2
#define GUPWALK_WALK_END 3

/**
 * struct gupwalk_walk_head - how each block begins
 * @size: bytes of the block, this head included; a multiple of 8
 * @type: GUPWALK_WALK_START, …
 * @reserved: 0
 */
struct gupwalk_walk_head {
	__u32 size;
	__u16 type;
	__u16 reserved;
};

/**
 * struct gupwalk_walk_level - the tables of a level
 * @entries: how many entries a table has; 1 if the level is folded
 * @shift: log2 of the bytes that an entry covers
 * @folded: 1: there are no such tables; the entry above stands for both levels
 * @reserved: 0
 */
struct gupwalk_walk_level {
	__u32 entries;
	__u8 shift;
	__u8 folded;
	__u16 reserved;
};

/**
 * struct gupwalk_walk_start - what the walk is about
 * @head: type GUPWALK_WALK_START
 * @version: GUPWALK_WALK_VERSION
 * @page_size: bytes
 * @pid: of the process, in the initial namespace
 * @reserved: 0
 * @start: first address
 * @end: first address after it
 * @level: the levels
 */
struct gupwalk_walk_start {
	struct gupwalk_walk_head head;
	__u32 version;
	__u32 page_size;
	__u32 pid;
	__u32 reserved;
	__u64 start;
	__u64 end;
	struct gupwalk_walk_level level[GUPWALK_LEVELS];
};

/**
 * struct gupwalk_walk_entry - an entry above a table
 * @entry: physical address of the entry
 * @value: raw value
 */
struct gupwalk_walk_entry {
	__u64 entry;
	__u64 value;
};

/* The entries are of one moment, and so are those above them. */
#define GUPWALK_WALK_STABLE 0x1

/**
 * struct gupwalk_walk_table - (a part of) a table
 * @head: type GUPWALK_WALK_TABLE
 * @level: its level
 * @flags: GUPWALK_WALK_STABLE; without it the table was changing again and again, and there are no
 *	entries
 * @reserved: 0
 * @first: index of the first entry that follows
 * @nr: how many entries follow; those before and after them are empty. 0: there is a table, and
 *	nothing in it
 * @reserved2: 0
 * @addr: address that the table's entry 0 stands for
 * @table: physical address of the table
 * @from: first address that the block tells about
 * @to: first address after it
 * @above: the entries above the table, pgd first; of levels from @level on: 0
 * @entries: raw values
 */
struct gupwalk_walk_table {
	struct gupwalk_walk_head head;
	__u8 level;
	__u8 flags;
	__u16 reserved;
	__u32 first;
	__u32 nr;
	__u32 reserved2;
	__u64 addr;
	__u64 table;
	__u64 from;
	__u64 to;
	struct gupwalk_walk_entry above[GUPWALK_LEVELS - 1];
	__u64 entries[];
};

/* How a walk ended. */
#define GUPWALK_WALK_DONE 0	/* all of the range was walked */
#define GUPWALK_WALK_GONE 1	/* the process has given up its memory: exit or exec */

/**
 * struct gupwalk_walk_end - the end of the walk
 * @head: type GUPWALK_WALK_END
 * @how: GUPWALK_WALK_DONE or GUPWALK_WALK_GONE
 * @reserved: 0
 * @addr: up to where the range was walked
 */
struct gupwalk_walk_end {
	struct gupwalk_walk_head head;
	__u32 how;
	__u32 reserved;
	__u64 addr;
};

#endif /* _UAPI_GUPWALK_H */
