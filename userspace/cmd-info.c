// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk info: what the module, its kernel and this machine can do. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "about.h"
#include "device.h"
#include "json.h"
#include "machine.h"
#include "number.h"
#include "print.h"
#include "text.h"

static void print_keys(struct session *s, const struct about *about, bool live)
{
	const struct column columns[] = { { .name = "key" },
					  { .name = "value", .width = s->wide - 26 } };
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	struct strbuf value = { 0 };
	const char *key;
	size_t i;

	for (i = 0; i < about->nr_keys; i++)
		table_row(t, (const char *[]){ about->keys[i].key, about->keys[i].value }, false);
	for (i = 0; live && machine_fact(i, &key, &value); i++) {
		table_row(t, (const char *[]){ key, strbuf_text(&value) }, false);
		strbuf_free(&value);
	}
	table_headings(t, false);
	table_print(t);
}

static void print_ops(struct session *s, const struct about *about)
{
	static const struct column columns[] = {
		{ .name = "op" }, { .name = "here" }, { .name = "memory" },
		{ .name = "pages", .right = true }, { .name = "flags", .width = 14 },
		{ .name = "note", .width = 34 },
	};
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	size_t i;

	for (i = 0; i < about->nr_ops; i++) {
		const struct op_row *op = &about->ops[i];
		char *flags = must_copy(op->flags ? op->flags : "-");
		const char *cells[] = {
			op->name, op->available ? "yes" : "no", op->any_memory ? "any" : "own",
			NULL, spaced(flags), op->note,
		};
		char pages[24];

		snprintf(pages, sizeof(pages), "%llu", (unsigned long long)op->pages);
		cells[3] = pages;
		table_row(t, cells, false);
		free(flags);
	}
	fputc('\n', s->out);
	table_print(t);
}

static struct json_object *key_json(const char *value)
{
	uint64_t number;

	if (number_parse(value, UINT64_MAX, &number))
		return json_object_new_uint64(number);
	return json_object_new_string(value);
}

static void print_json(struct session *s, const struct about *about, bool live)
{
	struct json_object *all = json_object_new_object(), *module = json_object_new_object();
	struct json_object *ops = json_object_new_array(), *machine = NULL;
	struct strbuf value = { 0 };
	const char *key;
	size_t i;

	for (i = 0; i < about->nr_keys; i++)
		json_object_object_add(module, about->keys[i].key, key_json(about->keys[i].value));
	for (i = 0; i < about->nr_ops; i++)
		json_object_array_add(ops, json_op(&about->ops[i]));
	if (live)
		machine = json_object_new_object();
	for (i = 0; live && machine_fact(i, &key, &value); i++) {
		json_object_object_add(machine, key, json_object_new_string(strbuf_text(&value)));
		strbuf_free(&value);
	}
	json_object_object_add(all, "module", module);
	json_object_object_add(all, "ops", ops);
	json_object_object_add(all, "machine", machine);
	json_print(all, s->out);
}

static int do_info(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct about about;
	const char *arg;
	bool live;

	if (parser_next(&p, &arg) < 0)
		return p.status;
	if (!parser_words(&p, 0, 0))
		return STATUS_TROUBLE;
	live = device_live(s->debugfs);
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	if (!session_out(s)) {
		about_free(&about);
		return STATUS_TROUBLE;
	}
	if (s->json) {
		print_json(s, &about, live);
	} else {
		print_keys(s, &about, live);
		print_ops(s, &about);
	}
	about_free(&about);
	return STATUS_FINE;
}

const struct command command_info = {
	.name = "info",
	.words = "",
	.saved = true,
	.summary = "tell what the module, its kernel and this machine can do",
	.run = do_info,
};
