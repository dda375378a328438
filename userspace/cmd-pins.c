// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk pins: the pins that are held now, as far as somebody observes. */
#include "command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "device.h"
#include "observing.h"
#include "orphans.h"
#include "pin.h"

/* How often it is looked whether a pin has stayed without its owner. */
#define LOOK_MS 500

static int print(struct session *s, const struct observing *o, const struct pins *pins)
{
	size_t i;

	if (!session_out(s))
		return STATUS_TROUBLE;
	if (s->json) {
		for (i = 0; i < pins->n; i++)
			fprintf(s->out, "%s\n", pins->at[i].text);
		return STATUS_FINE;
	}
	if (!pins_show(s, pins))
		fputs("no pins\n", s->out);
	observing_doubts(s, o);
	return STATUS_FINE;
}

/*
 * What a process that has just ended leaves behind may be about to be given back: only what has
 * stayed is shown. The JSON is what the module says now, and a saved copy does not change.
 */
static bool read_settled(const struct session *s, struct pins *pins)
{
	const struct timespec wait = { .tv_nsec = LOOK_MS * 1000000L };
	struct orphans orphans = { 0 };
	uint64_t now_ms = 0;
	bool good;

	for (;; now_ms += LOOK_MS) {
		good = pins_read(s->debugfs, pins);
		if (!good || s->json || !device_live(s->debugfs))
			break;
		orphans_look(&orphans, pins, now_ms, NULL);
		if (!orphans_young(&orphans) || now_ms >= ORPHAN_MS)
			break;
		pins_free(pins);
		nanosleep(&wait, NULL);
	}
	orphans_free(&orphans);
	return good;
}

static int do_pins(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	int status = STATUS_TROUBLE;
	struct pins pins = { 0 };
	struct observing o;
	const char *arg;

	if (parser_next(&p, &arg) < 0)
		return p.status;
	if (!parser_words(&p, 0, 0) || !observing_read(s->debugfs, &o))
		return STATUS_TROUBLE;
	if (!o.active) {
		complain("listing pins", NULL, "nobody observes, so nobody knows of any",
			 "begin with gupwalk observe, in another terminal or with -o FILE and &; "
			 "pins taken before it are not known");
		return STATUS_CANNOT;
	}
	if (read_settled(s, &pins))
		status = print(s, &o, &pins);
	pins_free(&pins);
	return status;
}

const struct command command_pins = {
	.name = "pins",
	.words = "",
	.summary = "print which pages are pinned now, by whom and since when, of what gupwalk "
		   "observe has seen; and pins that were given back wrongly",
	.run = do_pins,
};
