/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_UNIT_H
#define GUPWALK_UNIT_H

/* clang-format off: cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "scenario.h"
#include "text.h"

/**
 * load_bytes() - read a file of the recorded data
 * @name: its name under data/
 * @n: set to its size
 *
 * Return: its bytes and a NUL, for free(); the test fails if there is no such file.
 */
static inline char *load_bytes(const char *name, size_t *n)
{
	struct strbuf path = { 0 }, text = { 0 };

	strbuf_addf(&path, "data/%s", name);
	if (slurp(strbuf_text(&path), &text))
		fail_msg("%s cannot be read", path.at);
	strbuf_free(&path);
	strbuf_add(&text, "", 0);
	*n = text.len;
	return text.at;
}

/**
 * load() - read a file of the recorded data
 * @name: its name under data/
 *
 * Return: its text, for free(); the test fails if there is none.
 */
static inline char *load(const char *name)
{
	size_t n;

	return load_bytes(name, &n);
}

/**
 * load_run() - read the records of a scenario
 * @sc: the scenario
 * @run: which of its runs, 1 or 2
 *
 * Return: their text, for free(); or NULL if the kernel that they were recorded on cannot run it.
 */
static inline char *load_run(const struct scenario *sc, int run)
{
	struct strbuf name = { 0 }, path = { 0 };
	char *text = NULL;

	strbuf_addf(&name, "%s.%d.jsonl", sc->name, run);
	strbuf_addf(&path, "data/%s", name.at);
	if (!access(path.at, F_OK))
		text = load(name.at);
	strbuf_free(&name);
	strbuf_free(&path);
	return text;
}

/* Most of the scenarios are possible on the kernel that the data were recorded on. */
#define RUNS_MIN 35

/**
 * parse() - read records that must be good
 * @text: the lines
 * @records: filled in
 */
static inline void parse(const char *text, struct records *records)
{
	struct strbuf wrong = { 0 };

	*records = (struct records){ 0 };
	if (!records_parse(text, strlen(text), records, &wrong))
		fail_msg("%s", wrong.at);
	strbuf_free(&wrong);
}

/**
 * replaced() - a text with every occurrence of a string replaced
 * @text: the text
 * @old: the string; the test fails if it does not occur
 * @new: what comes in its place
 *
 * Return: the new text, for free().
 */
static inline char *replaced(const char *text, const char *old, const char *new)
{
	struct strbuf out = { 0 };
	const char *at;

	if (!strstr(text, old))
		fail_msg("no %s in the recorded data", old);
	while ((at = strstr(text, old))) {
		strbuf_add(&out, text, at - text);
		strbuf_add(&out, new, strlen(new));
		text = at + strlen(old);
	}
	strbuf_add(&out, text, strlen(text));
	return out.at;
}

/* The next step that a kernel has made: the first with this op, past those that it may not have. */
static inline const struct step *step_made(const struct step *step, const char *op)
{
	while (step->maybe && strcmp(step->op, op))
		step++;
	return step;
}

#endif
