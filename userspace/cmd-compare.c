// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk compare: two runs of scenarios, or saved records, or one of each. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "diff.h"
#include "drive.h"
#include "json.h"
#include "print.h"

static int records_of_file(const char *path, struct records *records)
{
	bool from_stdin = !strcmp(path, "-");
	struct strbuf text = { 0 }, wrong = { 0 };
	int status = STATUS_FINE;

	if (from_stdin ? slurp_fd(STDIN_FILENO, &text) : slurp(path, &text)) {
		complain("reading records", path, strerror(errno),
			 "give the name of a scenario, a file of records, or -");
		status = STATUS_TROUBLE;
	} else if (!records_parse(strbuf_text(&text), text.len, records, &wrong)) {
		complain("reading records", path, strbuf_text(&wrong),
			 "records are what gupwalk run --json prints and the module's "
			 "records.jsonl has");
		status = STATUS_TROUBLE;
	} else if (!records->n) {
		complain("reading records", path, "there are none in it",
			 "records are what gupwalk run --json prints");
		status = STATUS_TROUBLE;
	}
	strbuf_free(&text);
	strbuf_free(&wrong);
	return status;
}

static int records_of_run(struct session *s, const struct about *about, const struct scenario *sc,
			  struct records *records)
{
	static const struct drive_options as_it_is;
	struct drive d;
	int status;

	status = drive(s->debugfs, about, sc, &as_it_is, &d);
	drive_complain(&d);
	*records = d.records;
	d.records = (struct records){ 0 };
	drive_free(&d);
	return status;
}

static int records_of_dir(const char *dir, struct records *records)
{
	struct strbuf path = { 0 };
	int status;

	strbuf_addf(&path, "%s/records.jsonl", dir);
	status = records_of_file(strbuf_text(&path), records);
	strbuf_free(&path);
	return status;
}

/* In a saved directory a scenario stands for its last run there. */
static int records_of_saved_run(const char *dir, const char *name, struct records *records)
{
	int status = records_of_dir(dir, records);

	if (status)
		return status;
	records_keep_run(records, name);
	if (records->n)
		return STATUS_FINE;
	complain("looking for records of a scenario", dir, "it was not run there",
		 "name one that was, or leave --debugfs out to run it now");
	return STATUS_TROUBLE;
}

static int records_of_scenario(struct session *s, const struct scenario *sc,
			       struct records *records)
{
	struct about about;
	int status;

	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	if (device_live(s->debugfs))
		status = records_of_run(s, &about, sc, records);
	else
		status = records_of_saved_run(s->debugfs, sc->name, records);
	about_free(&about);
	return status;
}

static int records_of(struct session *s, const char *word, struct records *records)
{
	const struct scenario *sc = scenario_find(word);

	if (sc)
		return records_of_scenario(s, sc, records);
	if (device_is_directory(word))
		return records_of_dir(word, records);
	return records_of_file(word, records);
}

/* Which step it is; of several runs, in which run. */
static void put_where(const struct difference *d, bool runs, struct strbuf *out)
{
	if (runs && d->label)
		strbuf_addf(out, "%s ", d->label);
	if (d->number_a == d->number_b || !d->number_b)
		strbuf_addf(out, "%zu. %s", d->number_a, d->op);
	else if (!d->number_a)
		strbuf_addf(out, "%zu. %s", d->number_b, d->op);
	else
		strbuf_addf(out, "%zu./%zu. %s", d->number_a, d->number_b, d->op);
}

static const char *side(const struct difference *d, const char *value, size_t step)
{
	if (d->path)
		return value ? value : "-";
	return step ? "made" : "not made";
}

/* Is it the same fact of the same step, about the other snapshot, and do A and B differ alike? */
static bool repeats(const struct difference *before, const struct difference *after)
{
	const char *x = before->path ? strstr(before->path, "before.") : NULL;
	const char *y = after->path ? strstr(after->path, "after.") : NULL;

	return x && y && before->step_a == after->step_a && before->step_b == after->step_b &&
	       x - before->path == y - after->path &&
	       !strncmp(before->path, after->path, x - before->path) &&
	       !strcmp(x + strlen("before."), y + strlen("after.")) &&
	       same_text(before->a, after->a) && same_text(before->b, after->b);
}

static bool repeated(const struct differences *d, size_t i, bool earlier)
{
	size_t j;

	for (j = 0; j < d->n; j++)
		if (earlier ? repeats(&d->at[j], &d->at[i]) : repeats(&d->at[i], &d->at[j]))
			return true;
	return false;
}

/* "before.page.order" -> "before page order", or "before, after page order" */
static char *what_words(const struct difference *d, bool both)
{
	struct strbuf words = { 0 };
	const char *path = d->path ? d->path : "the call";

	for (; *path; path++) {
		if (both && !strncmp(path, "before.", strlen("before."))) {
			strbuf_addf(&words, "before, after ");
			path += strlen("before.");
		}
		strbuf_add(&words, *path == '.' ? " " : path, 1);
	}
	return words.at;
}

static void add_row(struct table *t, const struct differences *d, size_t i, bool again)
{
	const struct difference *one = &d->at[i];
	char *x = must_copy(side(one, one->a, one->step_a));
	char *y = must_copy(side(one, one->b, one->step_b));
	char *what = what_words(one, repeated(d, i, false));
	struct strbuf where = { 0 };

	if (!again)
		put_where(one, d->runs > 1, &where);
	table_row(t, (const char *[]){ strbuf_text(&where), what, spaced(x), spaced(y) }, false);
	strbuf_free(&where);
	free(what);
	free(x);
	free(y);
}

static const char *heading(const char *word, const char *instead)
{
	return strlen(word) > 24 ? instead : word;
}

static void print_table(struct session *s, const char *a, const char *b,
			const struct differences *d)
{
	const struct column columns[] = {
		{ .name = "step" }, { .name = "what", .flex = true },
		{ .name = heading(a, "A"), .flex = true },
		{ .name = heading(b, "B"), .flex = true },
	};
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	const struct difference *last = NULL;
	size_t i;

	for (i = 0; i < d->n; i++) {
		const struct difference *one = &d->at[i];

		if (repeated(d, i, true))
			continue;
		add_row(t, d, i,
			last && last->step_a == one->step_a && last->step_b == one->step_b);
		last = one;
	}
	fputc('\n', s->out);
	table_print(t);
}

static void print_verdict(struct session *s, const char *a, const char *b,
			  const struct differences *d)
{
	struct strbuf words = { 0 };

	if (!d->n) {
		fprintf(s->out, "%s and %s are the same: %zu steps, no difference\n", a, b,
			d->steps);
		return;
	}
	strbuf_addf(&words, "%s and %s differ in %zu of %zu steps", a, b, d->steps_differ,
		    d->steps);
	if (d->runs == 1)
		strbuf_addf(&words, "; they part at step %zu, %s",
			    d->at[0].step_a ? d->at[0].step_a : d->at[0].step_b, d->at[0].op);
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
}

static void print_unknown(struct session *s, const struct differences *d)
{
	struct strbuf words = { 0 };
	size_t i;

	if (!d->nr_unknown)
		return;
	strbuf_addf(&words, "not compared, as one of the kernels or machines does not have it:");
	for (i = 0; i < d->nr_unknown; i++) {
		char *name = must_copy(d->unknown[i]), *dot;

		while ((dot = strchr(name, '.')))
			*dot = ' ';
		strbuf_addf(&words, "%s %s", i ? "," : "", name);
		free(name);
	}
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
}

static void print_only(struct session *s, const char *where, const char **runs, size_t n)
{
	struct strbuf words = { 0 };
	size_t i;

	if (!n)
		return;
	strbuf_addf(&words, "not compared, as only %s has it:", where);
	for (i = 0; i < n; i++)
		strbuf_addf(&words, "%s %s", i ? "," : "", runs[i]);
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
}

static struct json_object *step_or_null(size_t step)
{
	return step ? json_object_new_uint64(step) : NULL;
}

static void print_json(FILE *out, const struct differences *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		const struct difference *one = &d->at[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "step_a", step_or_null(one->step_a));
		json_object_object_add(o, "step_b", step_or_null(one->step_b));
		json_put(o, "run", one->label);
		json_put(o, "op", one->op);
		json_put(o, "what", one->path);
		json_put(o, "a", one->a);
		json_put(o, "b", one->b);
		json_print(o, out);
	}
}

static void print_only_json(FILE *out, const char *side, const char **runs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_put(o, "run", runs[i]);
		json_put(o, "only", side);
		json_print(o, out);
	}
}

static int compare(struct session *s, const char *a, const char *b, const struct records *records)
{
	struct signature sig[2];
	struct differences d;
	int status;

	if (!session_out(s))
		return STATUS_TROUBLE;
	signature_make(&records[0], &sig[0]);
	signature_make(&records[1], &sig[1]);
	diff(&sig[0], &sig[1], &d);
	if (s->json) {
		print_json(s->out, &d);
		print_only_json(s->out, "a", d.only_a, d.nr_only_a);
		print_only_json(s->out, "b", d.only_b, d.nr_only_b);
	} else {
		print_verdict(s, a, b, &d);
		if (d.n)
			print_table(s, a, b, &d);
		print_unknown(s, &d);
		print_only(s, a, d.only_a, d.nr_only_a);
		print_only(s, b, d.only_b, d.nr_only_b);
	}
	status = d.n ? STATUS_DIFFERS : STATUS_FINE;
	differences_free(&d);
	signature_free(&sig[0]);
	signature_free(&sig[1]);
	return status;
}

static int do_compare(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct records records[2] = { { 0 } };
	const char *arg;
	int status;

	if (parser_next(&p, &arg) < 0)
		return p.status;
	if (!parser_words(&p, 2, 2))
		return STATUS_TROUBLE;
	if (!strcmp(p.argv[0], "-") && !strcmp(p.argv[1], "-"))
		return usage_error(s, "-", "can be read only once");
	status = records_of(s, p.argv[0], &records[0]);
	if (!status)
		status = records_of(s, p.argv[1], &records[1]);
	if (!status)
		status = compare(s, p.argv[0], p.argv[1], records);
	records_free(&records[0]);
	records_free(&records[1]);
	return status;
}

const struct command command_compare = {
	.name = "compare",
	.words = "A B",
	.saved = true,
	.summary = "tell how two runs differ; A and B are scenarios, run now, or files of records, "
		   "or -, or "
		   "saved directories",
	.run = do_compare,
};
