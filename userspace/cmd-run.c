// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk run: a scenario, its calls, and the page tables before and after each. */
#include "command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "drive.h"
#include "number.h"
#include "show.h"

enum {
	OPTION_OP = OPTION_LONG,
	OPTION_FLAGS,
	OPTION_PAGES,
	OPTION_HOLD,
	OPTION_ALL,
	OPTION_EXPLAIN,
};

static const struct option_row run_options[] = {
	{ "op", OPTION_OP, "OP,…", "make these calls, not the scenario's own" },
	{ "flags", OPTION_FLAGS, "F,…", "make the calls with these flags, e.g. write,force" },
	{ "pages", OPTION_PAGES, "N", "set up N pages, and make the calls for all of them" },
	{ "hold", OPTION_HOLD, NULL, "hold the pages obtained until the end of the run" },
	{ "all", OPTION_ALL, NULL, "run all scenarios and recipes, a line each" },
	{ "explain", OPTION_EXPLAIN, NULL,
	  "before each call ask what it would do, and see whether it did" },
	{ NULL }
};

static bool scan_options(struct parser *p, struct drive_options *o, bool *all)
{
	const char *arg;
	int c;

	while ((c = parser_next(p, &arg)) > 0) {
		switch (c) {
		case OPTION_OP:
			o->ops = arg;
			break;
		case OPTION_FLAGS:
			o->flags = arg;
			break;
		case OPTION_PAGES:
			if (!number_parse(arg, DRIVE_PAGES_MAX, &o->pages) || !o->pages) {
				p->status = usage_error(p->s, arg, NO_PAGES);
				return false;
			}
			break;
		case OPTION_HOLD:
			o->hold = true;
			break;
		case OPTION_EXPLAIN:
			o->explain = true;
			break;
		case OPTION_ALL:
			*all = true;
			break;
		}
	}
	return c == 0;
}

static void print_records(struct session *s, const struct records *records)
{
	size_t i;

	for (i = 0; i < records->n; i++) {
		fwrite(records->at[i]->text, 1, records->at[i]->text_len, s->out);
		fputc('\n', s->out);
	}
}

static void print_verdict(struct session *s, const struct drive *d, size_t i,
			  const struct verdict *v)
{
	int column = fprintf(s->out, "   %zu. %-22s ", i + 1, d->records.at[i]->op);

	if (v->known && v->met) {
		fputs("as expected\n", s->out);
	} else if (v->known) {
		column += fprintf(s->out, "NOT as expected: ");
		put_wrapped(s->out, 6, column, s->wide, strbuf_text(&v->wrong));
	} else {
		fputs("it is not known what to expect on this kernel\n", s->out);
	}
}

/* What was told before a call, and whether it was right. Returns whether it was. */
static bool print_foretold(struct session *s, const struct drive *d, size_t i, bool wrong_only)
{
	const struct record *told = d->predictions[i];
	struct strbuf wrong = { 0 }, words = { 0 };
	bool right = drive_foretold(d, i, &wrong);

	if (told && (!right || !wrong_only)) {
		strbuf_addf(&words, "%zu. %s: ", i + 1, d->records.at[i]->op);
		if (!right)
			strbuf_addf(&words, "WRONG: %s", strbuf_text(&wrong));
		else if (!strcmp(told->predicted, "cannot-tell"))
			strbuf_addf(&words, "said that it cannot be told: %s",
				    told->doubt ? told->doubt : "?");
		else if (told->reason)
			strbuf_addf(&words, "as foretold: fails by %s", told->reason);
		else
			strbuf_addf(&words, "as foretold: works; %s", told->pages[0].predicted);
		show_words(s, "explain", strbuf_text(&words));
	}
	strbuf_free(&wrong);
	strbuf_free(&words);
	return right;
}

static void print_verdicts(struct session *s, const struct drive *d,
			   const struct verdict *verdicts, unsigned int unmet)
{
	size_t i, steps = scenario_steps(d->scenario);

	if (d->changed) {
		fputs("\nexpected: not checked, because options changed what the scenario does\n",
		      s->out);
		return;
	}
	fprintf(s->out, "\nexpected: %s\n", unmet ? "NOT as expected" : "as expected");
	for (i = 0; i < d->records.n; i++)
		print_verdict(s, d, i, &verdicts[i]);
	for (i = 0; i < d->records.n; i++)
		print_foretold(s, d, i, false);
	if (d->records.n + d->passed < steps)
		fprintf(s->out, "   only %zu of %zu calls were made\n", d->records.n, steps);
}

static void print_event(struct session *s, const struct event *e)
{
	struct strbuf words = { 0 };

	strbuf_addf(&words, "-- %s%s", e->text, e->kind == EVENT_MET ? ": as expected" :
		    e->kind == EVENT_UNMET ? ": NOT as expected" : "");
	fputc('\n', s->out);
	put_wrapped(s->out, 3, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
}

static void print_drive(struct session *s, const struct drive *d, const struct verdict *verdicts,
			unsigned int unmet)
{
	size_t i, number = 0;

	fprintf(s->out, "%s\n", d->scenario->name);
	show_words(s, "teaches", d->scenario->teaches);
	for (i = 0; i < d->nr_events; i++) {
		const struct event *e = &d->events[i];

		if (e->kind == EVENT_RECORD) {
			show_record(s, d->records.at[number], number + 1);
			number++;
		} else {
			print_event(s, e);
		}
	}
	print_verdicts(s, d, verdicts, unmet);
}

static void complain_unmet(const struct drive *d, const struct verdict *verdicts)
{
	size_t i;

	for (i = 0; i < d->records.n; i++)
		if (verdicts[i].known && !verdicts[i].met)
			complain(d->scenario->name, d->records.at[i]->op, verdicts[i].wrong.at,
				 "not as expected; gupwalk run without --json shows more");
	for (i = 0; i < d->nr_events; i++)
		if (d->events[i].kind == EVENT_UNMET)
			complain(d->scenario->name, "its program", d->events[i].text,
				 "not as expected");
}

static int report(struct session *s, const struct drive *d)
{
	struct verdict *verdicts;
	unsigned int unmet;

	if (!session_out(s))
		return STATUS_TROUBLE;
	unmet = drive_judge(d, &verdicts);
	if (s->json) {
		print_records(s, &d->records);
		complain_unmet(d, verdicts);
	} else {
		print_drive(s, d, verdicts, unmet);
	}
	verdicts_free(verdicts, d->records.n);
	return unmet && !d->changed ? STATUS_DIFFERS : STATUS_FINE;
}

/* What a call did, in a word or two. */
static void put_outcome(const struct record *r, struct strbuf *out)
{
	if (r->errno_name)
		strbuf_addf(out, "-%s%s%s%s", r->errno_name, r->reason ? " (" : "",
			    r->reason ? r->reason : "", r->reason ? ")" : "");
	else if (!r->nr_read)
		strbuf_addf(out, "%" PRId64, r->ret);
	else if (r->pages[0].cause)
		strbuf_addf(out, "%s", r->pages[0].cause);
	else
		strbuf_addf(out, "%s", r->pages[0].before->state);
}

static void put_outcomes(const struct drive *d, struct strbuf *out)
{
	size_t i;

	for (i = 0; i < d->records.n; i++) {
		if (i)
			strbuf_addf(out, ", ");
		put_outcome(d->records.at[i], out);
	}
}

/* Where its words begin, on the line of a scenario. */
#define LINE_INDENT 22

static void print_line(struct session *s, const char *verdict, const struct drive *d,
		       const char *words)
{
	int column = fprintf(s->out, "%-4s  %-15s ", verdict, d->scenario->name);

	put_wrapped(s->out, LINE_INDENT, column, s->wide, words);
	fflush(s->out);
}

/* One of all: its line, and under it what is not as expected. */
static void print_one(struct session *s, const struct drive *d, int status,
		      const struct verdict *verdicts, unsigned int unmet)
{
	struct strbuf words = { 0 };
	size_t i;

	if (status == STATUS_CANNOT) {
		print_line(s, "skip", d, d->cannot ? d->cannot : "its set-up is not possible here");
		return;
	}
	put_outcomes(d, &words);
	print_line(s, status || unmet ? "NOT" : "ok", d, strbuf_text(&words));
	strbuf_free(&words);
	for (i = 0; i < d->nr_events; i++)
		if (d->events[i].kind == EVENT_UNMET)
			print_event(s, &d->events[i]);
	for (i = 0; i < d->records.n; i++) {
		if (verdicts[i].known && !verdicts[i].met)
			print_verdict(s, d, i, &verdicts[i]);
		print_foretold(s, d, i, true);
	}
}

/* What came of all; and of what was told before each call. */
struct tally {
	unsigned int fine;
	unsigned int unmet;
	unsigned int trouble;
	unsigned int cannot;
	unsigned int told;
	unsigned int untold;
	unsigned int wrong;
};

static void count_foretold(const struct drive *d, struct tally *tally)
{
	size_t i;

	for (i = 0; i < d->records.n; i++) {
		struct strbuf wrong = { 0 };

		if (!d->predictions[i])
			continue;
		if (!drive_foretold(d, i, &wrong))
			tally->wrong++;
		else if (!strcmp(d->predictions[i]->predicted, "cannot-tell"))
			tally->untold++;
		else
			tally->told++;
		strbuf_free(&wrong);
	}
}

static void run_one(struct session *s, const struct about *about, const struct scenario *sc,
		    const struct drive_options *options, struct tally *tally)
{
	struct verdict *verdicts;
	unsigned int unmet;
	struct drive d;
	int status;

	status = drive(s->debugfs, about, sc, options, &d);
	count_foretold(&d, tally);
	unmet = drive_judge(&d, &verdicts);
	if (s->json) {
		print_records(s, &d.records);
		complain_unmet(&d, verdicts);
		drive_complain(&d);
	} else {
		print_one(s, &d, status, verdicts, unmet);
	}
	if (status == STATUS_CANNOT)
		tally->cannot++;
	else if (status)
		tally->trouble++;
	else if (unmet)
		tally->unmet++;
	else
		tally->fine++;
	verdicts_free(verdicts, d.records.n);
	drive_free(&d);
}

static int run_all(struct session *s, const struct about *about,
		   const struct drive_options *options)
{
	struct tally tally = { 0 };
	const struct scenario *sc;
	size_t i;

	if (!session_out(s))
		return STATUS_TROUBLE;
	for (i = 0; (sc = scenario_nth(i)); i++)
		run_one(s, about, sc, options, &tally);
	if (!s->json)
		fprintf(s->out, "\n%u as expected, %u not, %u in trouble, %u not possible here\n",
			tally.fine, tally.unmet, tally.trouble, tally.cannot);
	if (options->explain && !s->json)
		fprintf(s->out, "%u calls as foretold, %u could not be told, %u otherwise\n",
			tally.told, tally.untold, tally.wrong);
	if (tally.trouble)
		return STATUS_TROUBLE;
	return tally.unmet || tally.wrong ? STATUS_DIFFERS : STATUS_FINE;
}

static int run_named(struct session *s, const struct about *about, const char *name,
		     const struct drive_options *options)
{
	const struct scenario *sc = scenario_find(name);
	struct drive d;
	int status, shown;

	if (!sc) {
		complain("running a scenario", name, "there is none of that name",
			 "gupwalk list tells all");
		return STATUS_TROUBLE;
	}
	status = drive(s->debugfs, about, sc, options, &d);
	if (d.records.n) {
		shown = report(s, &d);
		status = status ? status : shown;
	}
	drive_complain(&d);
	drive_free(&d);
	return status;
}

static int do_run(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct drive_options options = { 0 };
	struct about about;
	bool all = false;
	int status;

	if (!scan_options(&p, &options, &all))
		return p.status;
	if (all && (options.ops || options.flags || options.pages || options.hold))
		return usage_error(s, "--all", "runs the scenarios as they are");
	if (!parser_words(&p, !all, !all))
		return STATUS_TROUBLE;
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	if (!device_need_live(s->debugfs))
		status = STATUS_TROUBLE;
	else if (all)
		status = run_all(s, &about, &options);
	else
		status = run_named(s, &about, p.argv[0], &options);
	about_free(&about);
	return status;
}

const struct command command_run = {
	.name = "run",
	.words = "NAME|--all",
	.summary = "run a scenario: set up its memory, make its calls, show the page tables before "
		   "and after",
	.options = run_options,
	.run = do_run,
};
