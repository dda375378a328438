// SPDX-License-Identifier: GPL-2.0-only
/* The file `entries`, and entries read by it. Pure. */
#include "entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

#define WORDS_MAX 12

static const char *const kind_names[] = {
	[ENTRY_TABLE] = "table", [ENTRY_LEAF] = "leaf", [ENTRY_ABSENT] = "absent",
};

/**
 * struct line - words of a line
 * @word: the words
 * @nr: how many
 */
struct line {
	char *word[WORDS_MAX];
	int nr;
};

static bool split(char *text, struct line *line)
{
	char *word;

	line->nr = 0;
	while ((word = strsep(&text, " "))) {
		if (line->nr == WORDS_MAX)
			return false;
		line->word[line->nr++] = word;
	}
	return true;
}

static bool number(const struct line *line, int i, uint64_t *value)
{
	return i < line->nr && number_parse(line->word[i], UINT64_MAX, value);
}

static struct entry_level *level_named(struct entries *e, const char *name)
{
	int i;

	for (i = 0; i < GUPWALK_LEVELS; i++)
		if (e->level[i].name && !strcmp(e->level[i].name, name))
			return &e->level[i];
	return NULL;
}

static bool kind_named(const char *name, enum entry_kind *kind)
{
	for (*kind = ENTRY_TABLE; *kind <= ENTRY_ABSENT; ++*kind)
		if (!strcmp(kind_names[*kind], name))
			return true;
	return false;
}

static bool parse_level(struct entries *e, const struct line *line)
{
	uint64_t shift, entries;
	struct entry_level *l;
	int i = 0;

	while (i < GUPWALK_LEVELS && e->level[i].name)
		i++;
	if (i == GUPWALK_LEVELS || line->nr != 5 || !number(line, 2, &shift) ||
	    !number(line, 3, &entries) || shift > 63)
		return false;
	l = &e->level[i];
	l->name = must_copy(line->word[1]);
	l->shift = shift;
	l->entries = entries;
	l->folded = !strcmp(line->word[4], "folded");
	return true;
}

/* "0xff,12:0:40,8:50:2" */
static bool parse_gather(char *text, struct gather *g)
{
	char *flip = strsep(&text, ","), *run;

	*g = (struct gather){ .there = true };
	if (!number_parse(flip, UINT64_MAX, &g->flip))
		return false;
	while ((run = strsep(&text, ","))) {
		unsigned int from, to, n;

		if (g->nr == GATHER_RUNS || sscanf(run, "%u:%u:%u", &from, &to, &n) != 3 || !n ||
		    from + n > 64 || to + n > 64)
			return false;
		g->run[g->nr].from = from;
		g->run[g->nr].to = to;
		g->run[g->nr++].n = n;
	}
	return true;
}

static bool parse_class(struct entries *e, const struct line *line)
{
	struct entry_class c = { 0 };
	struct entry_level *l;
	int i;

	if (line->nr < 7 || !number(line, 2, &c.mask) || !number(line, 3, &c.value) ||
	    !kind_named(line->word[4], &c.kind))
		return false;
	l = level_named(e, line->word[1]);
	if (!l)
		return false;
	for (i = 7; i < line->nr; i++) {
		char *text = line->word[i], *name = strsep(&text, "=");
		struct gather *g = !strcmp(name, "pfn") ? &c.pfn : !strcmp(name, "type") ? &c.type :
				   !strcmp(name, "offset") ? &c.offset : NULL;

		/* what a later module adds is passed over */
		if (g && (!text || !parse_gather(text, g)))
			return false;
	}
	c.state = must_copy(line->word[5]);
	c.marker = strcmp(line->word[6], "-") ? must_copy(line->word[6]) : NULL;
	l->classes = must_grow(l->classes, l->nr_classes, sizeof(c));
	l->classes[l->nr_classes++] = c;
	return true;
}

static bool parse_flag(struct entries *e, const struct line *line)
{
	struct entry_flag f = { 0 };
	struct entry_level *l;

	if (line->nr != 6 || !kind_named(line->word[2], &f.kind) || !number(line, 4, &f.mask) ||
	    !number(line, 5, &f.value))
		return false;
	l = level_named(e, line->word[1]);
	if (!l)
		return false;
	f.name = must_copy(line->word[3]);
	l->flags = must_grow(l->flags, l->nr_flags, sizeof(f));
	l->flags[l->nr_flags++] = f;
	return true;
}

static bool parse_right(struct entries *e, const struct line *line)
{
	struct entry_right r = { 0 };

	if (line->nr != 6 || !number(line, 2, &r.leaf_mask) || !number(line, 3, &r.leaf_value) ||
	    !number(line, 4, &r.table_mask) || !number(line, 5, &r.table_value))
		return false;
	r.name = must_copy(line->word[1]);
	e->rights = must_grow(e->rights, e->nr_rights, sizeof(r));
	e->rights[e->nr_rights++] = r;
	return true;
}

static bool parse_contiguous(struct entries *e, const struct line *line)
{
	struct entry_level *l = line->nr == 4 ? level_named(e, line->word[1]) : NULL;
	uint64_t shift;

	if (!l || !number(line, 2, &l->contiguous_mask) || !number(line, 3, &shift) || shift > 63)
		return false;
	l->contiguous_shift = shift;
	return true;
}

static bool parse_line(struct entries *e, char *text)
{
	struct line line;

	if (!split(text, &line))
		return false;
	if (!strcmp(line.word[0], "level"))
		return parse_level(e, &line);
	if (!strcmp(line.word[0], "class"))
		return parse_class(e, &line);
	if (!strcmp(line.word[0], "flag"))
		return parse_flag(e, &line);
	if (!strcmp(line.word[0], "right"))
		return parse_right(e, &line);
	if (!strcmp(line.word[0], "contiguous"))
		return parse_contiguous(e, &line);
	if (!strcmp(line.word[0], "zero-pfn"))
		return number(&line, 1, &e->zero_pfn);
	if (!strcmp(line.word[0], "top-ignored"))
		return number(&line, 1, &e->top_ignored);
	return true;
}

const char *entries_parse(const char *text, struct entries *e)
{
	const char *wrong = NULL;

	*e = (struct entries){ 0 };
	while (!wrong && *text) {
		size_t length = strcspn(text, "\n");
		char *line = strndup(text, length);

		if (!line)
			abort();
		if (*line && !parse_line(e, line))
			wrong = text;
		free(line);
		text += length + (text[length] == '\n');
	}
	if (!wrong && !e->level[GUPWALK_LEVELS - 1].nr_classes)
		wrong = "";
	if (wrong)
		entries_free(e);
	return wrong;
}

void entries_free(struct entries *e)
{
	size_t i, j;

	for (i = 0; i < GUPWALK_LEVELS; i++) {
		struct entry_level *l = &e->level[i];

		for (j = 0; j < l->nr_classes; j++) {
			free(l->classes[j].state);
			free(l->classes[j].marker);
		}
		for (j = 0; j < l->nr_flags; j++)
			free(l->flags[j].name);
		free(l->name);
		free(l->classes);
		free(l->flags);
	}
	for (i = 0; i < e->nr_rights; i++)
		free(e->rights[i].name);
	free(e->rights);
	*e = (struct entries){ 0 };
}

const char *entry_kind_name(enum entry_kind kind)
{
	return kind_names[kind];
}

const struct entry_class *entry_class(const struct entry_level *l, uint64_t value)
{
	size_t i;

	for (i = 0; i < l->nr_classes; i++)
		if ((value & l->classes[i].mask) == l->classes[i].value)
			return &l->classes[i];
	return NULL;
}

uint64_t gather(const struct gather *g, uint64_t value)
{
	uint64_t number = 0;
	unsigned int i;

	for (i = 0; i < g->nr; i++)
		number |= (value >> g->run[i].from & (~0ULL >> (64 - g->run[i].n))) << g->run[i].to;
	return number ^ g->flip;
}

uint64_t entry_pfn(const struct entries *e, int level, const struct entry_class *c, uint64_t value,
		   uint64_t addr)
{
	unsigned int page = e->level[GUPWALK_LEVELS - 1].shift;
	uint64_t inside = (1ULL << (e->level[level].shift - page)) - 1;

	return (gather(&c->pfn, value) & ~inside) | (addr >> page & inside);
}

/* Is an entry one of the topmost table, or does it repeat one? */
static bool is_top(const struct entries *e, int level)
{
	int i;

	for (i = 1; i <= level; i++)
		if (!e->level[i].folded)
			return false;
	return true;
}

static bool has_right(const struct entries *e, const struct entry_right *r, int level,
		      const struct gupwalk_walk_entry *path)
{
	int i;

	if ((path[level].value & r->leaf_mask) != r->leaf_value)
		return false;
	for (i = 0; i < level; i++) {
		uint64_t mask = r->table_mask & ~(is_top(e, i) ? e->top_ignored : 0);

		if ((path[i].value & mask) != (r->table_value & mask))
			return false;
	}
	return true;
}

void entry_rights(const struct entries *e, int level, const struct gupwalk_walk_entry *path,
		  struct strbuf *out)
{
	size_t i;

	for (i = 0; i < e->nr_rights; i++)
		if (has_right(e, &e->rights[i], level, path) &&
		    !names_have(strbuf_text(out), e->rights[i].name))
			strbuf_word(out, ",", e->rights[i].name);
}

static bool has_flag(const struct entry_flag *f, uint64_t value)
{
	return f->value ? (value & f->mask) == f->value : value & f->mask;
}

void entry_flags(const struct entry_level *l, enum entry_kind kind, uint64_t value,
		 struct strbuf *out)
{
	size_t i;

	for (i = 0; i < l->nr_flags; i++)
		if (l->flags[i].kind == kind && has_flag(&l->flags[i], value))
			strbuf_word(out, ",", l->flags[i].name);
}
