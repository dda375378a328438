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

static bool nobody_observes(const struct observing *o)
{
	if (o->active)
		return false;
	complain("listing pins", NULL, "nobody observes, so nobody knows of any",
		 "begin with gupwalk observe, in another terminal or with -o FILE and &; "
		 "pins taken before it are not known");
	return true;
}

/* Who observes is asked last: he may end at any time, and what is read then is no list. */
static int read_once(const struct session *s, struct pins *pins, struct observing *o)
{
	pins_free(pins);
	if (!pins_read(s->debugfs, pins) || !observing_read(s->debugfs, o))
		return STATUS_TROUBLE;
	return nobody_observes(o) ? STATUS_CANNOT : STATUS_FINE;
}

/*
 * What a process that has just ended leaves behind may be about to be given back: only what has
 * stayed is shown. The JSON is what the module says now, and a saved copy does not change.
 */
static int read_settled(const struct session *s, struct pins *pins, struct observing *o)
{
	const struct timespec wait = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t begun = now_ms(), age;
	struct orphans orphans = { 0 };
	int status;

	for (;;) {
		age = now_ms() - begun;
		status = read_once(s, pins, o);
		if (status != STATUS_FINE || s->json || !device_live(s->debugfs))
			break;
		orphans_look(&orphans, pins, age, NULL);
		if (!orphans_young(&orphans) || age > ORPHAN_MS)
			break;
		nanosleep(&wait, NULL);
	}
	orphans_free(&orphans);
	return status;
}

static int do_pins(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct pins pins = { 0 };
	struct observing o;
	const char *arg;
	int status;

	if (parser_next(&p, &arg) < 0)
		return p.status;
	if (!parser_words(&p, 0, 0))
		return STATUS_TROUBLE;
	status = read_settled(s, &pins, &o);
	if (status == STATUS_FINE)
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
