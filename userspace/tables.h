/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_TABLES_H
#define GUPWALK_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entries.h"

/**
 * struct table_entry - an entry that says something, and is no table
 * @addr: first address that it stands for
 * @size: bytes that it covers
 * @level: its level, 0 pgd … 4 pte
 * @path: the entries from the top down to it; of a folded level those of the one above
 */
struct table_entry {
	uint64_t addr;
	uint64_t size;
	int level;
	struct gupwalk_walk_entry path[GUPWALK_LEVELS];
};

/**
 * struct upper_table - a table whose entries are not all given out yet
 * @base: address of its entry 0
 * @table: physical address
 * @above: the entries above it
 * @next: first entry not given out
 * @end: first one after those that are known
 * @values: raw values
 */
struct upper_table {
	uint64_t base;
	uint64_t table;
	struct gupwalk_walk_entry above[GUPWALK_LEVELS - 1];
	uint32_t next;
	uint32_t end;
	uint64_t *values;
};

/**
 * struct tables - what is read from the file `walk`, put into the order of addresses
 * @entries: how to read entries
 * @entry: gets each entry that is neither empty nor a table
 * @table: gets each table once, if it is not NULL: its level, physical address, and bytes
 * @context: for both
 * @start: the first block, once it was read
 * @end: the last block; @end.head.size is 0 before it came
 * @unstable: blocks that were not stable
 * @upper: by level
 * @last_table: by level: base of the table that came last, UINT64_MAX: none came
 * @part: bytes of a block that is not complete yet
 */
struct tables {
	const struct entries *entries;
	void (*entry)(void *context, const struct table_entry *e);
	void (*table)(void *context, int level, uint64_t table, uint64_t size);
	void *context;
	struct gupwalk_walk_start start;
	struct gupwalk_walk_end end;
	uint64_t unstable;
	struct upper_table upper[GUPWALK_LEVELS - 1];
	uint64_t last_table[GUPWALK_LEVELS];
	struct strbuf part;
};

/**
 * tables_begin() - get ready
 * @t: @entries, @entry, @table and @context filled in, the rest 0
 */
void tables_begin(struct tables *t);

/**
 * tables_feed() - take what was read
 * @t: the tables
 * @bytes: the bytes
 * @n: how many
 *
 * Return: NULL; or what is wrong with them.
 */
const char *tables_feed(struct tables *t, const void *bytes, size_t n);

/**
 * tables_free() - forget all
 * @t: the tables
 */
void tables_free(struct tables *t);

#endif
