// SPDX-License-Identifier: GPL-2.0-only
/* The one reader of `pins.jsonl`, and how it is shown. */
#include "pin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "field.h"
#include "number.h"
#include "show.h"
#include "status.h"

#define FIELD(key, kind, null) { #key, kind, offsetof(struct pin, key), null }

static const struct field fields[] = {
	FIELD(what, STRING, false),
	FIELD(seq, MAYBE, true),
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
}

void stack_words(const char *stack, struct strbuf *out)
{
	char *copy = must_copy(stack ? stack : ""), *rest = copy, *frame;

	while ((frame = strsep(&rest, ",")))
		if (*frame)
			strbuf_word(out, " < ", frame);
	free(copy);
}

static void show_stack(struct session *s, const char *label, const char *stack)
{
	struct strbuf words = { 0 };

	stack_words(stack, &words);
	show_words(s, label, strbuf_text(&words));
	strbuf_free(&words);
}

static void put_age(int64_t ns, struct strbuf *out)
{
	strbuf_addf(out, "%" PRId64 ".%03" PRId64 " s", ns / 1000000000, ns / 1000000 % 1000);
}

bool pin_outlived_owner(const struct pin *pin)
{
	return same_text(pin->owner, "gone") || same_text(pin->owner, "exec");
}

static void put_outlived(const struct pin *pin, struct strbuf *out)
{
	strbuf_addf(out, "of pid %" PRId64 ", which %s: the pin outlived its owner",
		    pin->tgid.value, same_text(pin->owner, "gone") ? "is gone" :
		    "runs another program now");
}

void pin_words_outlived(const struct pin *pin, struct strbuf *out)
{
	strbuf_addf(out, "%" PRId64 " page%s ", pin->pages_left.value,
		    pin->pages_left.value == 1 ? "" : "s");
	put_outlived(pin, out);
	strbuf_addf(out, "; %s(0x%" PRIx64 ") by %s[%" PRId64 "], ", pin->op, pin->addr,
		    pin->caller_comm, pin->caller_pid);
	put_age(pin->age_ns.value, out);
	strbuf_addf(out, " ago");
}

static void show_owner(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	if (!pin->owner)
		strbuf_addf(&words, "of a process that this kernel does not tell");
	else if (pin_outlived_owner(pin))
		put_outlived(pin, &words);
	else
		strbuf_addf(&words, "of pid %" PRId64 ", at 0x%" PRIx64, pin->tgid.value,
			    pin->addr);
	show_words(s, "memory", strbuf_text(&words));
	strbuf_free(&words);
}

static void put_part(struct strbuf *out, struct maybe pages, const char *what)
{
	if (pages.known && pages.value)
		strbuf_addf(out, "%s%" PRId64 " %s", out->len ? ", " : "", pages.value, what);
}

static void show_mapping(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	put_part(&words, pin->mapped, "mapped where they were");
	put_part(&words, pin->replaced, "diverged: another page is mapped there now");
	put_part(&words, pin->unmapped, "no longer mapped there");
	if (words.len && pin->looked_at.known && pin->looked_at.value < pin->nr_pages.value)
		strbuf_addf(&words, "; of the first %" PRId64 " pages", pin->looked_at.value);
	show_words(s, "mapping", strbuf_text(&words));
	strbuf_free(&words);
}

static void show_wrong(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	put_part(&words, pin->put_wrongly, "wrongly released: a pin (FOLL_PIN) was dropped as a "
		 "reference (put_page)");
	put_part(&words, pin->unpinned_unseen, "have no pin any more: given back without a call "
		 "that is seen");
	show_words(s, "counts", strbuf_text(&words));
	strbuf_free(&words);
}

/* Whoever counts pinned memory counts it in one of these. */
static void show_system(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };
	uint64_t kb;

	if (!same_text(pin->owner, "alive") || !device_live(s->debugfs))
		return;
	if (status_kb(pin->tgid.value, "VmPin:", &kb))
		strbuf_addf(&words, "VmPin %" PRIu64 " kB", kb);
	if (status_kb(pin->tgid.value, "VmLck:", &kb))
		strbuf_addf(&words, "%sVmLck %" PRIu64 " kB", words.len ? ", " : "", kb);
	if (words.len)
		strbuf_addf(&words, "; ");
	status_uring(pin->tgid.value, &words);
	while (words.len && strchr("; ", words.at[words.len - 1]))
		words.at[--words.len] = '\0';
	show_words(s, "system", strbuf_text(&words));
	strbuf_free(&words);
}

static void show_wrong_unpin(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	strbuf_addf(&words, "%s gave back a pin that there was not, of page frame 0x%" PRIx64
		    ", by %s, pid %" PRId64, pin->driver, pin->pfn.value, pin->caller_comm,
		    pin->caller_pid);
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
	if (pin->taken_by)
		strbuf_addf(&words, "the page was taken by %s: a reference (FOLL_GET), which "
			    "put_page gives back", pin->taken_by);
	else
		strbuf_addf(&words, "its counts say that nobody had pinned it");
	show_words(s, "wrong", strbuf_text(&words));
	strbuf_free(&words);
	show_stack(s, "stack", pin->stack);
	show_stack(s, "taken", pin->taken_stack);
}

void pin_show(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	if (!strcmp(pin->what, "wrong-unpin")) {
		show_wrong_unpin(s, pin);
		return;
	}
	strbuf_addf(&words, "%s holds %" PRId64 " of %" PRId64 " page%s: %s(%s) by %s, pid %" PRId64
		    ", ", pin->driver, pin->pages_left.value, pin->nr_pages.value,
		    pin->nr_pages.value == 1 ? "" : "s", pin->op, pin->flags ? pin->flags : "",
		    pin->caller_comm, pin->caller_pid);
	put_age(pin->age_ns.value, &words);
	strbuf_addf(&words, " ago");
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
	show_owner(s, pin);
	show_mapping(s, pin);
	show_wrong(s, pin);
	show_system(s, pin);
	show_stack(s, "stack", pin->stack);
}

size_t pins_show(struct session *s, const struct pins *pins)
{
	size_t i, shown = 0;

	for (i = 0; i < pins->n; i++) {
		if (!strcmp(pins->at[i].what, "reference"))
			continue;
		if (shown++)
			fputc('\n', s->out);
		pin_show(s, &pins->at[i]);
	}
	return shown;
}
