/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of page tables, read by what the module says of them in its file `entries`: nothing of an
 * architecture or a kernel is known here.
 */
#ifndef GUPWALK_ENTRIES_H
#define GUPWALK_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gupwalk.h>

#include "text.h"

enum entry_kind { ENTRY_TABLE, ENTRY_LEAF, ENTRY_ABSENT };

#define GATHER_RUNS 8

/**
 * struct gather - how a number is gathered from the bits of an entry
 * @there: it can be
 * @flip: what is inverted in the end
 * @nr: how many runs of bits
 * @run: from which bit, to which, how many
 */
struct gather {
	bool there;
	uint64_t flip;
	unsigned int nr;
	struct { uint8_t from, to, n; } run[GATHER_RUNS];
};

/**
 * struct entry_class - entries that are to be read the same way
 * @mask: bits to look at
 * @value: what they are
 * @kind: table, leaf or absent
 * @state: as in a snapshot, "table" of a table
 * @marker: as in a snapshot, or NULL
 * @pfn: the page frame
 * @type: swap device
 * @offset: place there
 */
struct entry_class {
	uint64_t mask;
	uint64_t value;
	enum entry_kind kind;
	char *state;
	char *marker;
	struct gather pfn;
	struct gather type;
	struct gather offset;
};

/**
 * struct entry_flag - name of a bit
 * @kind: of which entries
 * @name: the name
 * @mask: the bits
 * @value: what they have to be; 0: any of them set
 */
struct entry_flag {
	enum entry_kind kind;
	char *name;
	uint64_t mask;
	uint64_t value;
};

/**
 * struct entry_right - one way to have a right
 * @name: of the right
 * @leaf_mask: bits of the entry that maps the page
 * @leaf_value: what they have to be
 * @table_mask: bits of each entry above it
 * @table_value: what they have to be
 */
struct entry_right {
	char *name;
	uint64_t leaf_mask;
	uint64_t leaf_value;
	uint64_t table_mask;
	uint64_t table_value;
};

/**
 * struct entry_level - entries of a level
 * @name: of the level
 * @shift: log2 of the bytes that one covers
 * @entries: how many a table has
 * @folded: there are none
 * @contiguous_mask: bits that say that it is one of a block
 * @contiguous_shift: log2 of the bytes of the block
 * @classes: the first that fits is the right one
 * @nr_classes: how many
 * @flags: names of bits
 * @nr_flags: how many
 */
struct entry_level {
	char *name;
	unsigned int shift;
	unsigned int entries;
	bool folded;
	uint64_t contiguous_mask;
	unsigned int contiguous_shift;
	struct entry_class *classes;
	size_t nr_classes;
	struct entry_flag *flags;
	size_t nr_flags;
};

/**
 * struct entries - what the file says
 * @level: pgd, p4d, pud, pmd, pte
 * @zero_pfn: the shared page of zeros
 * @top_ignored: bits that mean nothing in the topmost table
 * @rights: what a right needs
 * @nr_rights: how many
 */
struct entries {
	struct entry_level level[GUPWALK_LEVELS];
	uint64_t zero_pfn;
	uint64_t top_ignored;
	struct entry_right *rights;
	size_t nr_rights;
};

/**
 * entries_parse() - read the text of `entries`
 * @text: the text
 * @e: filled in
 *
 * Return: NULL, or the line that is wrong, valid as long as @text.
 */
const char *entries_parse(const char *text, struct entries *e);

/**
 * entries_free() - forget what was read
 * @e: what
 */
void entries_free(struct entries *e);

/**
 * entry_kind_name() - the name of a kind
 * @kind: the kind
 *
 * Return: "table", "leaf" or "absent".
 */
const char *entry_kind_name(enum entry_kind kind);

/**
 * entry_class() - how an entry is to be read
 * @l: its level
 * @value: raw value
 *
 * Return: the class; NULL: no kernel makes such an entry.
 */
const struct entry_class *entry_class(const struct entry_level *l, uint64_t value);

/**
 * gather() - a number out of an entry
 * @g: which
 * @value: raw value
 *
 * Return: the number.
 */
uint64_t gather(const struct gather *g, uint64_t value);

/**
 * entry_pfn() - the page frame of an address, as its last entry says
 * @e: what the module says
 * @level: level of the entry
 * @c: its class; @c->pfn is there
 * @value: raw value
 * @addr: the address
 *
 * Return: the page frame.
 */
uint64_t entry_pfn(const struct entries *e, int level, const struct entry_class *c, uint64_t value,
		   uint64_t addr);

/**
 * entry_rights() - what all entries of a path together allow
 * @e: what the module says
 * @level: level of the last one, which maps a page
 * @path: the entries, pgd first
 * @out: where the names are appended, with commas between
 */
void entry_rights(const struct entries *e, int level, const struct gupwalk_walk_entry *path,
		  struct strbuf *out);

/**
 * entry_flags() - the names of the bits of an entry
 * @l: its level
 * @kind: how it is to be read
 * @value: raw value
 * @out: where they are appended, with commas between
 */
void entry_flags(const struct entry_level *l, enum entry_kind kind, uint64_t value,
		 struct strbuf *out);

#endif
