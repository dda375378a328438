/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of bits of entries that point to a table or map a page: decode_x86.c and its siblings.
 */
#ifndef GUPWALK_TESTS_DECODE_H
#define GUPWALK_TESTS_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct entry_bit - a name that an entry has if these bits are as they should
 * @name: the name
 * @mask: the bits
 * @value: what they should be
 * @in_table: is there such a bit in an entry that points to a table
 * @in_leaf: is there in one that maps a page
 */
struct entry_bit {
	const char *name;
	uint64_t mask;
	uint64_t value;
	bool in_table;
	bool in_leaf;
};

extern const struct entry_bit entry_bits[];
extern const size_t nr_entry_bits;

#endif /* GUPWALK_TESTS_DECODE_H */
