/* SPDX-License-Identifier: GPL-2.0-only */
/* What each driver did, added up. */
#ifndef GUPWALK_DRIVERS_H
#define GUPWALK_DRIVERS_H

#include "command.h"
#include "pin.h"
#include "record.h"

#include <stddef.h>

struct driver;

/**
 * struct drivers - drivers, and what they did
 * @at: the drivers
 * @n: how many
 *
 * Starts as { 0 }.
 */
struct drivers {
	struct driver *at;
	size_t n;
};

/**
 * drivers_count() - count a call
 * @all: the drivers
 * @r: its record
 */
void drivers_count(struct drivers *all, const struct record *r);

/**
 * drivers_hold() - count pages that are held
 * @all: the drivers
 * @pin: the pin that holds them
 */
void drivers_hold(struct drivers *all, const struct pin *pin);

/**
 * drivers_print() - print a table, the driver whose calls took longest first
 * @all: the drivers; nothing is printed if there are none
 * @s: the invocation; its output is open
 */
void drivers_print(struct drivers *all, struct session *s);

/**
 * drivers_free() - forget drivers
 * @all: the drivers
 */
void drivers_free(struct drivers *all);

#endif
