// SPDX-License-Identifier: GPL-2.0-only
/* The one reader of `pins.jsonl`. */
#include "pin.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "field.h"

#define FIELD(key, kind, null) { #key, kind, offsetof(struct pin, key), null }

static const struct field fields[] = {
	FIELD(what, STRING, false),
	FIELD(seq, MAYBE, true),
	FIELD(time_ns, MAYBE, true),
	FIELD(age_ns, MAYBE, true),
	FIELD(op, STRING, true),
	FIELD(flags, NAMES, true),
	FIELD(driver, STRING, false),
	FIELD(caller_pid, SIGNED, false),
	FIELD(caller_comm, STRING, false),
	FIELD(tgid, MAYBE, true),
	FIELD(owner, STRING, true),
	FIELD(addr, HEX, true),
	FIELD(nr_pages, MAYBE, true),
	FIELD(pages_left, MAYBE, true),
	FIELD(looked_at, MAYBE, true),
	FIELD(mapped, MAYBE, true),
	FIELD(replaced, MAYBE, true),
	FIELD(unmapped, MAYBE, true),
	FIELD(put_wrongly, MAYBE, true),
	FIELD(unpinned_unseen, MAYBE, true),
	FIELD(stack, NAMES, false),
	FIELD(pfn, MAYBE, true),
	FIELD(taken_by, STRING, true),
	FIELD(taken_stack, NAMES, true),
};

static bool read_line(const char *line, struct pin *pin, struct strbuf *wrong)
{
	struct json_object *object = json_tokener_parse(line);
	struct place p = { .memory = &pin->memory, .wrong = wrong };
	char *text;
	bool read;

	text = field_keep(&p, strlen(line) + 1);
	pin->text = strcpy(text, line);
	read = object ? fields_read(&p, fields, ARRAY_SIZE(fields), object, pin) :
			field_fail(&p, NULL, "is no JSON");
	json_object_put(object);
	return read;
}

bool pins_read(const char *dir, struct pins *pins)
{
	struct strbuf text = { 0 }, wrong = { 0 };
	char *line, *rest;
	bool read;

	if (!device_read(dir, "pins.jsonl", &text))
		return false;
	read = true;
	rest = text.at;
	while (read && (line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		pins->at = must_grow(pins->at, pins->n, sizeof(*pins->at));
		pins->at[pins->n] = (struct pin){ 0 };
		read = read_line(line, &pins->at[pins->n++], &wrong);
	}
	if (!read)
		complain("reading", "pins.jsonl", strbuf_text(&wrong),
			 "use a gupwalk and a module of the same release");
	strbuf_free(&wrong);
	strbuf_free(&text);
	return read;
}

void pins_free(struct pins *pins)
{
	size_t i;

	for (i = 0; i < pins->n; i++)
		memory_free(pins->at[i].memory);
	free(pins->at);
	*pins = (struct pins){ 0 };
}

bool pin_outlived_owner(const struct pin *pin)
{
	return !strcmp(pin->what, "pin") &&
	       (same_text(pin->owner, "gone") || same_text(pin->owner, "exec"));
}
