// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs-layout.md against the module that is loaded: GUPWALK_LAYOUT names the page. That the
 * answers have no token that is not in it: see tests/layout.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib.h"

#define NAMES_MAX 64

/**
 * struct names - names between backticks, in order
 * @name: the names
 * @nr: how many
 */
struct names {
	char name[NAMES_MAX][48];
	int nr;
};

static bool contains(const struct names *names, const char *name)
{
	int i;

	for (i = 0; i < names->nr; i++)
		if (!strcmp(names->name[i], name))
			return true;
	return false;
}

/* The names of @length characters of text are added. */
static void add_names(struct names *names, const char *text, size_t length)
{
	const char *end = text + length, *open, *close;

	while ((open = memchr(text, '`', end - text)) &&
	       (close = memchr(open + 1, '`', end - open - 1))) {
		must(names->nr < NAMES_MAX && close - open < 48);
		memcpy(names->name[names->nr], open + 1, close - open - 1);
		names->name[names->nr++][close - open - 1] = '\0';
		text = close + 1;
	}
}

/* The page from a line that begins with @start on. */
static char *page_from(const char *start)
{
	static char *page;
	char *place, *line;

	if (!page)
		page = read_file(getenv("GUPWALK_LAYOUT"), NULL);
	for (line = page; line; line = place ? place + 1 : NULL) {
		if (!strncmp(line, start, strlen(start)))
			return line;
		place = strchr(line, '\n');
	}
	fail("debugfs-layout.md has no line that begins with: %s", start);
}

/* Is this the last line of a table? */
static char *next_row(char *row)
{
	char *line = strchr(row, '\n');

	return line && line[1] == '|' ? line + 1 : NULL;
}

/* First row of the first table after the line that begins with @start. */
static char *table_after(const char *start)
{
	char *table = strstr(page_from(start), "\n|");
	char *row;

	must(table);
	row = next_row(table + 1);	/* the line of dashes */
	must(row && row[2] == '-');
	row = next_row(row);
	must(row);
	return row;
}

/* The names in the first column of the table after a line. */
static struct names first_column(const char *start)
{
	struct names names = { .nr = 0 };
	char *row;

	for (row = table_after(start); row; row = next_row(row))
		add_names(&names, row, strcspn(row + 1, "|") + 1);
	check_that(names.nr > 0, "no names in the table after: %s", start);
	return names;
}

/* The names in the rest of the row of @key, in the table after a line. */
static struct names tokens_of(const char *start, const char *key)
{
	struct names names = { .nr = 0 };
	char *row, quoted[64];

	snprintf(quoted, sizeof(quoted), "| `%s` |", key);
	for (row = table_after(start); row; row = next_row(row))
		if (!strncmp(row, quoted, strlen(quoted)))
			add_names(&names, row + strlen(quoted),
				  strcspn(row, "\n") - strlen(quoted));
	check_that(names.nr > 0, "no tokens of %s after: %s", key, start);
	return names;
}

/* ---- the files ---- */

static void files(void)
{
	struct names names = first_column("The directory has mode");
	struct dirent *entry;
	struct stat st;
	char *row;
	DIR *directory;
	int nr = 0;

	must(!stat(module_file(""), &st));
	check_num(st.st_mode & 07777, 0700);
	for (row = table_after("The directory has mode"); row; row = next_row(row)) {
		struct names name = { .nr = 0 };
		char *mode = strchr(row + 1, '|');

		add_names(&name, row, mode - row);
		check_that(!stat(module_file(name.name[0]), &st), "there is no %s", name.name[0]);
		check_that((st.st_mode & 07777) == strtoul(mode + 1, NULL, 8),
			   "%s: the page says mode%.6s, it is %o", name.name[0], mode + 1,
			   st.st_mode & 07777);
		check_num(st.st_uid, 0);
	}
	directory = opendir(module_file(""));
	must(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		nr++;
		check_that(contains(&names, entry->d_name), "%s is not in the page", entry->d_name);
	}
	check_num(nr, names.nr);
	closedir(directory);
}

static void version(void)
{
	struct names names = first_column("## version");
	char *text = read_file(module_file("version"), NULL), *rest = text, *line, entries[96];
	int i = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		size_t length = strcspn(line, ":");

		check_that(i < names.nr, "%s: not in the page", line);
		check_that(length == strlen(names.name[i]) &&
			   !strncmp(line, names.name[i], length) &&
			   line[length + 1] == ' ' && line[length + 2],
			   "line %d: the page says %s, the file %s", i + 1, names.name[i], line);
		i++;
	}
	check_num(i, names.nr);
	check_num(version_number("format"), 1);
	check_num(version_number("page_size"), PAGE);
	check_num(version_number("levels"), nr_levels());
	snprintf(entries, sizeof(entries), "\ntable_entries: pgd %u p4d %u pud %u pmd %u pte %u\n",
		 level_entries(0), level_entries(1), level_entries(2), level_entries(3),
		 level_entries(4));
	text = read_file(module_file("version"), NULL);
	check_that(strstr(text, entries), "expected %s in %s", entries, text);
}

/* Each line begins with a word of the page, and each of these words is there. */
static void entries(void)
{
	struct names names = first_column("## entries");
	char *text = read_file(module_file("entries"), NULL), *rest = text, *line;
	bool seen[NAMES_MAX] = { false };
	int i;

	while ((line = strsep(&rest, "\n")) && *line) {
		line[strcspn(line, " ")] = '\0';
		check_that(contains(&names, line), "%s: not in the page", line);
		for (i = 0; i < names.nr; i++)
			seen[i] |= !strcmp(names.name[i], line);
	}
	for (i = 0; i < names.nr; i++)
		/* not every CPU has such blocks; the others are words in the same column */
		check_that(seen[i] || !strcmp(names.name[i], "contiguous") ||
			   !strcmp(names.name[i], "folded") || !strcmp(names.name[i], "-"),
			   "%s is in the page only", names.name[i]);
}

/* With an observer all lines are there; the table of functions comes after them. */
static void probes(void)
{
	struct names names = first_column("`key: value`, one a line; without an observer");
	int fd = open(module_file("observe"), O_RDWR | O_CLOEXEC), i = 0;
	char *text, *line;

	must(fd >= 0 && write(fd, "comm=nobody\n", 12) == 12);
	text = read_file(module_file("probes"), NULL);
	close(fd);
	while ((line = strsep(&text, "\n")) && *line != '#') {
		size_t length = strcspn(line, ":");

		check_that(i < names.nr, "%s: not in the page", line);
		check_that(length == strlen(names.name[i]) &&
			   !strncmp(line, names.name[i], length), "%s, and not %s", line,
			   names.name[i]);
		i++;
	}
	check_num(i, names.nr);
}

static void ops(void)
{
	struct names columns = { .nr = 0 }, mentioned = { .nr = 0 };
	char *heading = page_from("`name` `available`"), *text, *rest, *line;
	int i, rows = 0;

	add_names(&columns, heading, strcspn(heading, "\n"));
	/* `available`|`unavailable` is one column. */
	check_str(columns.name[2], "unavailable");
	text = read_file(module_file("ops"), NULL);
	rest = text;
	line = strsep(&rest, "\n");
	check_num(line[0], '#');
	line++;
	for (i = 0; i < columns.nr; i++) {
		size_t length;

		if (i == 2)
			continue;
		line += strspn(line, " ");
		length = strcspn(line, " ");
		check_that(!strncmp(columns.name[i], line, length),
			   "column %s: the file says %.*s", columns.name[i], (int)length, line);
		line += length;
	}
	while ((line = strsep(&rest, "\n")) && *line) {
		char name[64], available[64], impl[64], memory[64], flags[64], first_of_note[64];
		unsigned int pages;

		check_num(sscanf(line, "%63s %63s %63s %63s %u %63s %63s", name, available, impl,
				 memory, &pages, flags, first_of_note), 7);
		check(!strcmp(available, "available") || !strcmp(available, "unavailable"));
		check(!strcmp(memory, "own") || !strcmp(memory, "any"));
		check_that(pages == 1 || pages == version_number("pages_max"), "pages %u", pages);
		rows++;
	}
	check(rows >= 6);
	/* The ops that the text speaks of are there. */
	add_names(&mentioned, "`walk` `follow_pfn` `handle_mm_fault` `get_user_pages`", 54);
	text = read_file(module_file("ops"), NULL);
	for (i = 0; i < mentioned.nr; i++)
		check(strstr(text, mentioned.name[i]));
}

/* ---- the record ---- */

static void check_keys(struct json_object *object, const char *start)
{
	struct names names = first_column(start);
	int i = 0;

	check_that(json_object_is_type(object, json_type_object), "no object for: %s", start);
	json_object_object_foreach(object, key, value) {
		(void)value;
		check_that(contains(&names, key), "key %s is not in the table after: %s", key,
			   start);
		check_that(i < names.nr && !strcmp(names.name[i], key),
			   "key %d is %s, and %s in the table after: %s", i + 1, key,
			   i < names.nr ? names.name[i] : "nothing", start);
		i++;
	}
	check_that(i == names.nr, "the table after %s has %d keys, the record %d: no %s", start,
		   names.nr, i, i < names.nr ? names.name[i] : "");
}

/* A reference that a pipe has, so that there is one. */
static void pins(void)
{
	int fd = open(module_file("observe"), O_RDWR | O_CLOEXEC), ends[2];
	struct iovec vec = { map_anon(PAGE, true), PAGE };

	must(fd >= 0 && write(fd, "\n", 1) == 1 && !pipe(ends));
	must(vmsplice(ends[1], &vec, 1, 0) == (ssize_t)PAGE);
	check_keys(json_tokener_parse(read_file(module_file("pins.jsonl"), NULL)),
		   "`what` is `pin`");
	close(fd);
}

static void record_keys(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer = record("op=get_user_pages addr=%p", page);

	check_keys(answer, "## A record");
	check_keys(jget(answer, "vma"), "`vma`:");
	check_keys(jget(answer, "pages.0"), "An element of `pages`:");
	check_keys(jget(answer, "pages.0.before"), "A snapshot:");
	check_keys(jget(answer, "pages.0.after"), "A snapshot:");
	check_keys(jget(answer, "pages.0.before.levels.0"), "An element of `levels`:");
	check_keys(jget(answer, "pages.0.before.levels.1"), "An element of `levels`:");
	check_keys(jget(answer, "pages.0.before.page"), "`page`, all read while");
	check_keys(ask(run_open(), "op=nonsense").json, "`{\"error\":");
	answer = record("op=walk addr=%p", page);
	check_keys(answer, "## A record");
	check_keys(jget(answer, "pages.0"), "An element of `pages`:");
	check_keys(jget(answer, "pages.0.before"), "A snapshot:");
}

/* Every word that a request may have is in the page, and the other way round. */
static void words(void)
{
	struct names names = first_column("A request is words separated");
	struct answer answer = ask(run_open(), "nonsense");
	char *allowed = strdup(jstr(answer.json, "allowed")), *word;
	int nr = 0;

	while ((word = strsep(&allowed, " "))) {
		size_t length = strlen(word);
		int i;

		for (i = 0; i < names.nr; i++)
			if (!strncmp(names.name[i], word, length) &&
			    (word[length - 1] == '=' || !names.name[i][length]))
				break;
		check_that(i < names.nr, "the word %s is not in the page", word);
		nr++;
	}
	check_num(nr, names.nr);
}

/* ---- tokens ---- */

/* The module has every token of the page: its strings are in the file. */
static void tokens_of_module(void)
{
	const struct names all[] = {
		first_column("## Tokens of `cause`"), first_column("## Tokens of `reason`"),
		tokens_of("`vma`:", "kind"), tokens_of("A snapshot:", "state"),
		tokens_of("A snapshot:", "marker"),
	};
	size_t length, i;
	char *ko = read_file(getenv("GUPWALK_KO"), &length);

	for (i = 0; i < NR_OF(all); i++) {
		int j;

		for (j = 0; j < all[i].nr; j++)
			check_that(memmem(ko, length, all[i].name[j], strlen(all[i].name[j]) + 1),
				   "the module has no %s", all[i].name[j]);
	}
}

const struct test tests_layout[] = {
	{ "layout/files", files, NEED_LAYOUT },
	{ "layout/version", version, NEED_LAYOUT },
	{ "layout/entries", entries, NEED_LAYOUT },
	{ "layout/probes", probes, NEED_LAYOUT },
	{ "layout/pins", pins, NEED_LAYOUT },
	{ "layout/ops", ops, NEED_LAYOUT },
	{ "layout/record-keys", record_keys, NEED_LAYOUT },
	{ "layout/words", words, NEED_LAYOUT },
	{ "layout/tokens-of-module", tokens_of_module, NEED_LAYOUT | NEED_KO },
	{ }
};
