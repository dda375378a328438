/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_MAPS_H
#define GUPWALK_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

/**
 * struct mapping - a line of /proc/PID/maps
 * @start: first address
 * @end: first address after it
 * @name: file or name in brackets, "" if it has none
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	char *name;
};

/**
 * struct maps - the lines of a /proc/PID/maps
 * @at: the lines
 * @n: how many
 */
struct maps {
	struct mapping *at;
	size_t n;
};

/**
 * maps_parse() - read the text of a /proc/PID/maps
 * @text: the text
 * @maps: filled in
 *
 * Return: true if every line could be read.
 */
bool maps_parse(const char *text, struct maps *maps);

/**
 * maps_free() - forget what was read
 * @maps: what
 */
void maps_free(struct maps *maps);

#endif
