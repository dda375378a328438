/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of bits. User space gets names, never raw bits alone: their values differ between kernels.
 */
#ifndef _GUPWALK_NAMES_H
#define _GUPWALK_NAMES_H

#include <linux/types.h>

/**
 * struct gw_name - a name for a bit pattern
 * @name: the name; NULL ends a table
 * @mask: the bits looked at; 0: this kernel does not have them, the row is passed over
 * @value: what they must be; 0: any of @mask set
 */
struct gw_name {
	const char *name;
	u64 mask;
	u64 value;
};

/**
 * gw_name_applies() - does a name apply to a word
 * @name: a row of a table
 * @word: the bits
 *
 * Return: true if it does.
 */
static inline bool gw_name_applies(const struct gw_name *name, u64 word)
{
	if (name->value)
		return (word & name->mask) == name->value;
	return word & name->mask;
}

#endif /* _GUPWALK_NAMES_H */
