/* SPDX-License-Identifier: GPL-2.0-only */
/* What to observe: the words of the command line, and the line that the module takes. */
#ifndef GUPWALK_FILTER_H
#define GUPWALK_FILTER_H

#include "command.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct filter - which calls are observed
 * @line: words for the module, each after a blank
 * @ops: the argument of --op, or NULL
 *
 * Starts as { 0 }.
 */
struct filter {
	struct strbuf line;
	const char *ops;
};

/**
 * filter_number() - add a word that is a number
 * @f: the filter
 * @key: the word's key
 * @arg: the number as it was typed
 * @factor: what to multiply it with
 *
 * Return: true if it is a number.
 */
bool filter_number(struct filter *f, const char *key, const char *arg, uint64_t factor);

/**
 * filter_range() - add addresses
 * @f: the filter
 * @arg: them, as range_parse() takes them
 *
 * Return: NULL, or what is wrong with them.
 */
const char *filter_range(struct filter *f, const char *arg);

/**
 * filter_name() - add a word that is a name
 * @f: the filter
 * @key: the word's key
 * @arg: the name
 *
 * Return: NULL, or what is wrong with it.
 */
const char *filter_name(struct filter *f, const char *key, const char *arg);

/**
 * filter_ops() - add the ops that @f->ops names
 * @f: the filter
 * @s: the invocation; the module is asked which ops there are
 * @family: calls of a process and not of all are observed, as each page fault can only be then
 *
 * A name may have `*`, `?` and [...] in it, and stands then for all that fit, but never for
 * handle_mm_fault: each page fault has to be asked for by its name.
 *
 * Return: true; or false after a complaint.
 */
bool filter_ops(struct filter *f, const struct session *s, bool family);

/**
 * filter_other_ops() - which ops were not asked for
 * @f: the filter, after filter_ops()
 * @s: the invocation
 * @names: where their names are appended, with commas between them: those that begin as one that
 *	was asked for; or all, if there are none
 *
 * Return: true; or false after a complaint.
 */
bool filter_other_ops(const struct filter *f, const struct session *s, struct strbuf *names);

/**
 * filter_begin() - begin to observe
 * @dir: the module's directory
 * @fd: from device_open_observe()
 * @line: words for the module
 *
 * Return: STATUS_FINE; or after a complaint, in words of the command line, STATUS_CANNOT if this
 * kernel has none of the functions, else STATUS_TROUBLE.
 */
int filter_begin(const char *dir, int fd, const char *line);

/**
 * filter_free() - forget a filter
 * @f: the filter
 */
void filter_free(struct filter *f);

#endif
