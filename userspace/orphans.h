/* SPDX-License-Identifier: GPL-2.0-only */
/* Pins whose owners are gone: which of them have stayed, and are not about to be given back. */
#ifndef GUPWALK_ORPHANS_H
#define GUPWALK_ORPHANS_H

#include "pin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * For so long a pin has to be found without its owner. What a process has open is closed after its
 * memory is gone, and the kernel may put that off: io_uring gives registered buffers back from a
 * worker, when nothing of the ring is under way any more.
 */
#define ORPHAN_MS 2000

struct orphan;

/**
 * struct orphans - pins whose owners are gone
 * @at: the pins
 * @n: how many
 * @look: how often they were looked for
 * @next: where the pin that is looked for next is likely to be
 *
 * Starts as { 0 }.
 */
struct orphans {
	struct orphan *at;
	size_t n;
	uint64_t look;
	size_t next;
};

/**
 * orphans_look() - look for pins whose owners are gone
 * @o: those that were found before; what was given back meanwhile is forgotten
 * @pins: the pins that there are
 * @now_ms: the time
 * @old: where those are appended that have been without their owner for ORPHAN_MS, each once; what
 *	they point to belongs to @pins. Or NULL
 */
void orphans_look(struct orphans *o, const struct pins *pins, uint64_t now_ms, struct pins *old);

/**
 * orphans_young() - are there pins of which it is too early to tell
 * @o: the pins
 *
 * Return: true if so.
 */
bool orphans_young(const struct orphans *o);

/**
 * orphans_free() - forget them
 * @o: the pins
 */
void orphans_free(struct orphans *o);

#endif
