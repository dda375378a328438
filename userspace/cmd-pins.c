// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk pins: the pins that are held now, as far as somebody observes. */
#include "command.h"

#include <inttypes.h>
#include <stdlib.h>

#include "device.h"
#include "observing.h"
#include "pin.h"

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
	if (pins_read(s->debugfs, &pins))
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
