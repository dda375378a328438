// SPDX-License-Identifier: GPL-2.0-only
/* The filter of `observe`, from the words of the command line, and back where it is refused. */
#include "filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "number.h"
#include "observing.h"

/* Every page fault: the module takes it for a process only. */
#define HOT_OP "handle_mm_fault"

/* How many letters two ops have in common if they are of a kind, as in pin_ and get_. */
#define KIND 4

/* By which option each word is given. */
static const struct {
	const char *key;
	const char *option;
} options[] = {
	{ "pid", "-p" }, { "children", "-p" }, { "comm", "--comm" }, { "op", "--op" },
	{ "addr", "--addr" }, { "min_pages", "--min-pages" }, { "min_ns", "--min-time" },
	{ "module", "--module" },
};

bool filter_number(struct filter *f, const char *key, const char *arg, uint64_t factor)
{
	uint64_t value;

	if (!number_parse(arg, UINT64_MAX / factor, &value))
		return false;
	strbuf_addf(&f->line, " %s=%" PRIu64, key, value * factor);
	return true;
}

const char *filter_range(struct filter *f, const char *arg)
{
	struct range range;
	const char *wrong = range_parse(arg, sysconf(_SC_PAGESIZE), &range);

	if (!wrong)
		strbuf_addf(&f->line, " addr=0x%" PRIx64 "-0x%" PRIx64, range.start, range.end);
	return wrong;
}

const char *filter_name(struct filter *f, const char *key, const char *arg)
{
	if (!*arg || strpbrk(arg, " \t\n"))
		return "is empty, or has blanks in it";
	strbuf_addf(&f->line, " %s=%s", key, arg);
	return NULL;
}

/* ---- ops ---- */

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[");
}

static bool fits(const char *name, const char *op)
{
	if (!is_pattern(name))
		return !strcmp(name, op);
	return strcmp(op, HOT_OP) && !fnmatch(name, op, 0);
}

/* Appends those of @all that @name stands for. Returns whether there are any. */
static bool add_fitting(const char *name, const char *all, struct strbuf *ops)
{
	char *copy = must_copy(all), *rest = copy, *op;
	bool any = false;

	while ((op = strsep(&rest, ","))) {
		if (!fits(name, op))
			continue;
		any = true;
		if (!names_have(ops->at, op))
			strbuf_word(ops, ",", op);
	}
	free(copy);
	return any;
}

static void complain_op(const char *name, const char *all)
{
	struct strbuf advice = { 0 };
	char *list = must_copy(all);

	strbuf_addf(&advice, "there are: %s; and patterns, as 'pin_*', which never stand for "
		    HOT_OP, spaced(list));
	complain("observe: --op", *name ? name : "''", "no such op, or none that can be observed",
		 advice.at);
	free(list);
	strbuf_free(&advice);
}

static bool expand(const char *names, const char *all, struct strbuf *ops)
{
	char *copy = must_copy(names), *rest = copy, *name;
	bool known = true;

	while (known && (name = strsep(&rest, ","))) {
		known = add_fitting(name, all, ops);
		if (!known)
			complain_op(name, all);
	}
	free(copy);
	return known;
}

bool filter_ops(struct filter *f, const struct session *s, bool family)
{
	struct strbuf all = { 0 }, ops = { 0 };
	bool good;

	if (!f->ops)
		return true;
	good = observing_ops(s->debugfs, &all) && expand(f->ops, strbuf_text(&all), &ops);
	if (good && !family && names_have(ops.at, HOT_OP)) {
		usage_error(s, "--op " HOT_OP, "each page fault: with -p, or of a command");
		good = false;
	}
	if (good)
		strbuf_addf(&f->line, " op=%s", strbuf_text(&ops));
	strbuf_free(&ops);
	strbuf_free(&all);
	return good;
}

static bool is_of_kind(const char *op, const char *names)
{
	for (; *names; names += strcspn(names, ","), names += *names == ',')
		if (!strncmp(op, names, KIND))
			return true;
	return false;
}

bool filter_other_ops(const struct filter *f, const struct session *s, struct strbuf *names)
{
	struct strbuf all = { 0 }, asked = { 0 }, others = { 0 };
	char *copy, *rest, *op;
	bool good;

	good = observing_ops(s->debugfs, &all) && expand(f->ops, strbuf_text(&all), &asked);
	if (good)
		names_without(all.at, strbuf_text(&asked), &others);
	copy = must_copy(strbuf_text(&others));
	rest = copy;
	while ((op = strsep(&rest, ",")))
		if (*op && is_of_kind(op, strbuf_text(&asked)))
			strbuf_word(names, ",", op);
	if (!names->len)
		names_without(others.at, HOT_OP, names);
	free(copy);
	strbuf_free(&all);
	strbuf_free(&asked);
	strbuf_free(&others);
	return good;
}

/* ---- the module ---- */

/* By which option a word was given; NULL: by none. */
static const char *option_of(const char *word)
{
	size_t i, len = strcspn(word, "=:");

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (len == strlen(options[i].key) && !strncmp(word, options[i].key, len))
			return options[i].option;
	return NULL;
}

static void complain_busy(const char *dir)
{
	struct strbuf reason = { 0 }, advice = { 0 };
	struct observing now;

	if (!observing_read(dir, &now))
		return;
	/* who observed may have ended meanwhile */
	strbuf_addf(&reason, "somebody observes already, and one can at a time: %s%s",
		    now.active ? "pid " : "he has just ended", now.active ? now.observer : "");
	if (now.active)
		strbuf_addf(&advice, "gupwalk pins shows what is pinned; kill -INT %.*s ends the "
			    "observing", (int)strcspn(now.observer, " "), now.observer);
	else
		strbuf_addf(&advice, "try again");
	complain("observe", NULL, reason.at, advice.at);
	strbuf_free(&reason);
	strbuf_free(&advice);
}

static void complain_refused(const char *line, const struct refusal *refusal)
{
	const char *option = option_of(refusal->error), *reason = refusal->error;

	if (refusal->errno_value == ENOENT) {
		complain("observe", "--op", "this kernel has no such function, or has it inlined",
			 "a pattern, as 'get_*', takes those that this kernel has");
		return;
	}
	if (!option) {
		refusal_complain(line, refusal);
		return;
	}
	reason += strcspn(reason, ":");
	reason += strspn(reason, ": ");
	complain("observe", option, reason, "gupwalk observe -h tells what it takes");
}

int filter_begin(const char *dir, int fd, const char *line)
{
	struct strbuf words = { 0 }, answer = { 0 };
	struct refusal refusal;
	int error = 0;

	line += strspn(line, " ");
	/* one write is one line, and nothing is a line too */
	strbuf_addf(&words, "%s\n", line);
	if (write(fd, words.at, words.len) != (ssize_t)words.len)
		error = errno;
	strbuf_free(&words);
	if (!error)
		return STATUS_FINE;
	if (error == EBUSY) {
		complain_busy(dir);
		return STATUS_TROUBLE;
	}
	slurp_fd(fd, &answer);
	refusal_read(strbuf_text(&answer), error, &refusal);
	complain_refused(line, &refusal);
	refusal_free(&refusal);
	strbuf_free(&answer);
	return error == ENOENT ? STATUS_CANNOT : STATUS_TROUBLE;
}

void filter_free(struct filter *f)
{
	strbuf_free(&f->line);
}
