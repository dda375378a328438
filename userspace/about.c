// SPDX-License-Identifier: GPL-2.0-only
/* What the module says about itself: its files `version` and `ops`. */
#include "about.h"

#include <stdlib.h>
#include <string.h>

#include <gupwalk.h>

#include "device.h"
#include "number.h"
#include "text.h"

static char *next_line(char **rest)
{
	char *line;

	do
		line = strsep(rest, "\n");
	while (line && !*line);
	return line;
}

const char *about_parse_version(const char *text, struct about *a)
{
	char *copy = must_copy(text), *rest = copy;
	const char *line;

	while ((line = next_line(&rest))) {
		const char *colon = strstr(line, ": ");
		struct about_key *key;

		if (!colon) {
			free(copy);
			return "a line has no \"key: value\"";
		}
		a->keys = must_grow(a->keys, a->nr_keys, sizeof(*a->keys));
		key = &a->keys[a->nr_keys++];
		key->key = must_copy(line);
		key->key[colon - line] = '\0';
		key->value = must_copy(colon + 2);
	}
	free(copy);
	if (!about_value(a, "format"))
		return "it names no format";
	if (about_number(a, "format") != GUPWALK_FORMAT)
		return "it has another format than this gupwalk reads";
	return NULL;
}

static char *dash_is_null(const char *word)
{
	return strcmp(word, "-") ? must_copy(word) : NULL;
}

static bool parse_op(char *line, struct op_row *op)
{
	char *word[6];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(word); i++) {
		line += strspn(line, " \t");
		word[i] = strsep(&line, " \t");
		if (!line)
			return false;
	}
	*op = (struct op_row){
		.name = must_copy(word[0]),
		.available = !strcmp(word[1], "available"),
		.impl = dash_is_null(word[2]),
		.any_memory = !strcmp(word[3], "any"),
		.flags = dash_is_null(word[5]),
		.note = must_copy(line + strspn(line, " \t")),
	};
	number_parse(word[4], UINT64_MAX, &op->pages);
	return true;
}

const char *about_parse_ops(const char *text, struct about *a)
{
	char *copy = must_copy(text), *rest = copy, *line;
	const char *wrong = NULL;

	while (!wrong && (line = next_line(&rest))) {
		if (*line == '#')
			continue;
		a->ops = must_grow(a->ops, a->nr_ops, sizeof(*a->ops));
		if (parse_op(line, &a->ops[a->nr_ops]))
			a->nr_ops++;
		else
			wrong = "a line has too few columns";
	}
	free(copy);
	return wrong;
}

static bool about_part(const char *dir, const char *name,
		       const char *(*parse)(const char *text, struct about *a), struct about *a)
{
	struct strbuf text = { 0 };
	const char *wrong = NULL;
	bool read;

	read = device_read(dir, name, &text);
	if (read)
		wrong = parse(strbuf_text(&text), a);
	strbuf_free(&text);
	if (wrong) {
		struct strbuf path = { 0 };

		strbuf_addf(&path, "%s/%s", dir, name);
		complain("reading", strbuf_text(&path), wrong,
			 "use a gupwalk and a module of the same release");
		strbuf_free(&path);
	}
	return read && !wrong;
}

bool about_read(const char *dir, struct about *a)
{
	*a = (struct about){ 0 };
	if (about_part(dir, "version", about_parse_version, a) &&
	    about_part(dir, "ops", about_parse_ops, a))
		return true;
	about_free(a);
	return false;
}

void about_free(struct about *a)
{
	size_t i;

	for (i = 0; i < a->nr_keys; i++) {
		free(a->keys[i].key);
		free(a->keys[i].value);
	}
	for (i = 0; i < a->nr_ops; i++) {
		free(a->ops[i].name);
		free(a->ops[i].impl);
		free(a->ops[i].flags);
		free(a->ops[i].note);
	}
	free(a->keys);
	free(a->ops);
	*a = (struct about){ 0 };
}

const char *about_value(const struct about *a, const char *key)
{
	size_t i;

	for (i = 0; i < a->nr_keys; i++)
		if (!strcmp(a->keys[i].key, key))
			return a->keys[i].value;
	return NULL;
}

uint64_t about_number(const struct about *a, const char *key)
{
	const char *value = about_value(a, key);
	uint64_t number;

	return value && number_parse(value, UINT64_MAX, &number) ? number : 0;
}

const struct op_row *about_op(const struct about *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->nr_ops; i++)
		if (!strcmp(a->ops[i].name, name))
			return &a->ops[i];
	return NULL;
}

unsigned int about_kernel(const struct about *a)
{
	const char *release = about_value(a, "kernel");
	unsigned int major, minor;

	if (!release || sscanf(release, "%u.%u", &major, &minor) != 2)
		return 0;
	return KERNEL(major, minor);
}

static uint64_t table_entries(const struct about *a, const char *level)
{
	const char *entries = about_value(a, "table_entries");
	struct strbuf find = { 0 };
	const char *at = NULL;
	uint64_t n = 0;

	strbuf_addf(&find, "%s ", level);
	if (entries)
		at = strstr(entries, strbuf_text(&find));
	if (at)
		n = strtoull(at + find.len, NULL, 10);
	strbuf_free(&find);
	return n;
}

uint64_t about_covers(const struct about *a, const char *level)
{
	static const char *const levels[] = { "pte", "pmd", "pud", "p4d", "pgd" };
	uint64_t bytes = about_number(a, "page_size");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!strcmp(levels[i], level))
			return bytes;
		bytes *= table_entries(a, levels[i]);
	}
	return 0;
}
