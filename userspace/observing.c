// SPDX-License-Identifier: GPL-2.0-only
/* The counts of the module's `probes`. */
#include "observing.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"

static const struct {
	const char *key;
	size_t at;
} counts[] = {
	{ "seen", offsetof(struct observing, seen) },
	{ "recorded", offsetof(struct observing, recorded) },
	{ "filtered", offsetof(struct observing, filtered) },
	{ "lost", offsetof(struct observing, lost) },
	{ "under_way", offsetof(struct observing, under_way) },
	{ "releases_lost", offsetof(struct observing, releases_lost) },
	{ "pins", offsetof(struct observing, pins) },
	{ "pins_unknown", offsetof(struct observing, pins_unknown) },
	{ "released_ambiguous", offsetof(struct observing, released_ambiguous) },
	{ "released_wrongly", offsetof(struct observing, released_wrongly) },
};

#define NOBODY "none"

static void read_line(const char *line, struct observing *o)
{
	size_t i, len = strcspn(line, ":");

	if (!strncmp(line, "observer: ", strlen("observer: "))) {
		struct strbuf name = { 0 };

		line += strlen("observer: ");
		o->active = strcmp(line, NOBODY);
		put_bytes(&name, line, strlen(line));
		snprintf(o->observer, sizeof(o->observer), "%s", strbuf_text(&name));
		strbuf_free(&name);
		return;
	}

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		uint64_t *count = (uint64_t *)((char *)o + counts[i].at);

		if (len == strlen(counts[i].key) && !strncmp(line, counts[i].key, len))
			*count = strtoull(line + len + 1, NULL, 10);
	}
}

bool observing_read(const char *dir, struct observing *o)
{
	struct strbuf text = { 0 };
	char *line, *rest;

	*o = (struct observing){ 0 };
	if (!device_read(dir, "probes", &text))
		return false;
	rest = text.at;
	while ((line = strsep(&rest, "\n")) && *line != '#')
		read_line(line, o);
	strbuf_free(&text);
	return true;
}

bool observing_ops(const char *dir, struct strbuf *names)
{
	struct strbuf text = { 0 };
	char *line, *rest, op[64];
	bool table = false;

	if (!device_read(dir, "probes", &text))
		return false;
	rest = text.at;
	while ((line = strsep(&rest, "\n"))) {
		if (table && sscanf(line, "%*s %63s", op) == 1 && strcmp(op, "-") &&
		    !names_have(names->at, op))
			strbuf_word(names, ",", op);
		table = table || *line == '#';
	}
	strbuf_free(&text);
	return true;
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

void observing_doubts(struct session *s, const struct observing *o)
{
	struct strbuf words = { 0 };

	if (o->pins_unknown)
		strbuf_addf(&words, "%" PRIu64 " pages more were pinned than the ledger had room "
			    "for (module parameter ledger_max). ", o->pins_unknown);
	if (o->releases_lost)
		strbuf_addf(&words, "%" PRIu64 " calls that give pages back were missed: what is "
			    "said to be held may not be. ", o->releases_lost);
	if (o->lost)
		strbuf_addf(&words, "%" PRIu64 " calls were lost: there may be pins more. ",
			    o->lost);
	if (o->released_ambiguous)
		strbuf_addf(&words, "%" PRIu64 " times one of several pins of the same page was "
			    "given back: which one is a guess. ", o->released_ambiguous);
	if (words.len) {
		fputc('\n', s->out);
		put_wrapped(s->out, 0, 0, s->wide, strbuf_text(&words));
	}
	strbuf_free(&words);
}
