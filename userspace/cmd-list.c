// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk list: scenarios, recipes and ops, with what each teaches. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "json.h"
#include "print.h"
#include "scenario.h"
#include "text.h"

static const struct column columns[] = {
	{ .name = "" }, { .name = "name" }, { .name = "what it teaches", .width = 65 },
};

static void print_scenarios(struct session *s)
{
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	const struct scenario *sc;
	size_t i;

	for (i = 0; (sc = scenario_nth(i)); i++) {
		struct strbuf words = { 0 };

		strbuf_addf(&words, "%s", sc->teaches);
		if (sc->needs)
			strbuf_addf(&words, " (needs %s)", sc->needs);
		table_row(t, (const char *[]){ scenario_kind(sc), sc->name, strbuf_text(&words) },
			  false);
		strbuf_free(&words);
	}
	table_print(t);
}

static void print_ops(struct session *s, const struct about *about)
{
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	size_t i;

	for (i = 0; i < about->nr_ops; i++) {
		const struct op_row *op = &about->ops[i];
		struct strbuf words = { 0 };

		strbuf_addf(&words, "%s%s", op->available ? "" : "not on this kernel: ", op->note);
		table_row(t, (const char *[]){ "op", op->name, strbuf_text(&words) }, false);
		strbuf_free(&words);
	}
	fputc('\n', s->out);
	table_headings(t, false);
	table_print(t);
}

static struct json_object *json_scenario(const struct scenario *sc)
{
	struct json_object *o = json_object_new_object(), *ops = json_object_new_array();
	const struct step *step;

	json_put(o, "kind", scenario_kind(sc));
	json_put(o, "name", sc->name);
	json_put(o, "summary", sc->teaches);
	json_put(o, "needs", sc->needs);
	for (step = sc->steps; step->op; step++)
		json_object_array_add(ops, json_object_new_string(step->op));
	json_object_object_add(o, "ops", ops);
	return o;
}

static int do_list(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	const struct scenario *sc;
	struct about about;
	const char *arg;
	size_t i;

	if (parser_next(&p, &arg) < 0)
		return p.status;
	if (!parser_words(&p, 0, 0) || !session_out(s))
		return STATUS_TROUBLE;
	if (s->json)
		for (i = 0; (sc = scenario_nth(i)); i++)
			json_print(json_scenario(sc), s->out);
	else
		print_scenarios(s);
	/* the ops are the module's to tell: without it all else is a list too, and that is said */
	if (!about_read(s->debugfs, &about)) {
		if (strcmp(s->debugfs, DEVICE_DIR))
			return STATUS_TROUBLE;
		complain("listing the ops", NULL, "left out, the module tells them", NULL);
		return STATUS_FINE;
	}
	if (s->json)
		for (i = 0; i < about.nr_ops; i++)
			json_print(json_op(&about.ops[i]), s->out);
	else
		print_ops(s, &about);
	about_free(&about);
	return STATUS_FINE;
}

const struct command command_list = {
	.name = "list",
	.words = "",
	.saved = true,
	.summary = "list scenarios, recipes and ops, with what each teaches",
	.run = do_list,
};
