/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_OBSERVING_H
#define GUPWALK_OBSERVING_H

#include "command.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct observing - what the module's `probes` says, see debugfs-layout.md
 * @active: somebody observes
 * @observer: number and name of his process
 * @seen: calls seen
 * @recorded: of them, those that became records
 * @filtered: of them, those passed over
 * @lost: of them, those there was no room for
 * @under_way: of them, those that have not returned
 * @releases_lost: calls that gave pages back, and were missed
 * @pins: pages pinned and not given back
 * @pins_unknown: pages pinned that there was no room for
 * @released_ambiguous: pages given back of which it is a guess whose pin it was
 * @released_wrongly: pins given back of pages that had none
 */
struct observing {
	bool active;
	char observer[64];
	uint64_t seen;
	uint64_t recorded;
	uint64_t filtered;
	uint64_t lost;
	uint64_t under_way;
	uint64_t releases_lost;
	uint64_t pins;
	uint64_t pins_unknown;
	uint64_t released_ambiguous;
	uint64_t released_wrongly;
};

/**
 * observing_read() - read `probes`
 * @dir: the module's directory, live or saved
 * @o: filled in
 *
 * Return: true; or false after a complaint.
 */
bool observing_read(const char *dir, struct observing *o);

/**
 * observing_ops() - which ops can be observed
 * @dir: the module's directory, live or saved
 * @names: where their names are appended, with commas between them
 *
 * Return: true; or false after a complaint.
 */
bool observing_ops(const char *dir, struct strbuf *names);

/**
 * now_ms() - the time, to see how much of it goes by
 *
 * Return: milliseconds of CLOCK_MONOTONIC.
 */
uint64_t now_ms(void);

/**
 * observing_doubts() - say what is not known of pins
 * @s: the invocation; its output is open
 * @o: the counts; nothing is printed if all is known
 */
void observing_doubts(struct session *s, const struct observing *o);

#endif
