/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of bits that every entry of this architecture has which points to a table or maps a page:
 * decode_x86.c and its siblings.
 */
#ifndef GUPWALK_TESTS_DECODE_H
#define GUPWALK_TESTS_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct entry_bit {
	const char *name;
	uint64_t mask;
};

extern const struct entry_bit entry_bits[];
extern const size_t nr_entry_bits;

#endif /* GUPWALK_TESTS_DECODE_H */
