// SPDX-License-Identifier: GPL-2.0-only
#include "summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "kpage.h"
#include "number.h"
#include "print.h"

/* By log2 of their bytes. */
#define RUN_SIZES 64

/**
 * struct tally - bytes of one sort
 * @name: of the sort
 * @count: bytes; of tables how many tables
 * @bytes: bytes
 */
struct tally {
	char *name;
	uint64_t count;
	uint64_t bytes;
};

/**
 * struct tallies - bytes sort by sort, in the order in which the sorts were met
 * @at: the sorts
 * @n: how many
 */
struct tallies {
	struct tally *at;
	size_t n;
};

/**
 * struct summary - what was counted
 * @entries: how to read entries
 * @states: bytes by state; zero pages by themselves
 * @kinds: mapped bytes by what /proc/kpageflags says; zero pages are no part of it
 * @sizes: mapped bytes by size of the page
 * @nodes: mapped bytes by node
 * @tables: page tables by level
 * @runs: by log2: how many runs of physically contiguous memory, and their bytes
 * @run_end: address at which the last run ends, and the physical one
 * @run_bytes: its bytes; 0: there is none
 */
struct summary {
	const struct entries *entries;
	struct tallies states, kinds, sizes, nodes;
	struct tally tables[GUPWALK_LEVELS];
	struct tally runs[RUN_SIZES];
	uint64_t run_end, run_pa_end, run_bytes;
};

struct summary *summary_new(const struct entries *entries)
{
	struct summary *y = must_alloc(1, sizeof(*y));

	y->entries = entries;
	return y;
}

static void add(struct tallies *t, const char *name, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < t->n && strcmp(t->at[i].name, name); i++)
		;
	if (i == t->n) {
		t->at = must_grow(t->at, t->n, sizeof(*t->at));
		t->at[t->n++] = (struct tally){ .name = must_copy(name) };
	}
	t->at[i].bytes += bytes;
}

void summary_table(struct summary *y, int level, uint64_t size)
{
	y->tables[level].count++;
	y->tables[level].bytes += size;
}

static void end_run(struct summary *y)
{
	struct tally *t;

	if (!y->run_bytes)
		return;
	t = &y->runs[63 - __builtin_clzll(y->run_bytes)];
	t->count++;
	t->bytes += y->run_bytes;
	y->run_bytes = 0;
}

/* Each page by itself: an extent may go over the border of a node. */
static void add_nodes(struct summary *y, const struct extent *e)
{
	uint64_t page = 1ULL << y->entries->level[GUPWALK_LEVELS - 1].shift, at = 0;
	uint64_t length = e->end - e->start, step = 1ULL << 20;
	char name[24];

	while (at < length) {
		int node = node_of((e->pa + at) / page, page);
		uint64_t part = step - (e->pa + at) % step;

		if (part > length - at)
			part = length - at;
		snprintf(name, sizeof(name), "%d", node);
		add(&y->nodes, node < 0 ? "unknown" : name, part);
		at += part;
	}
}

void summary_extent(struct summary *y, const struct extent *e)
{
	uint64_t length = e->end - e->start;
	bool zero = same_text(e->what, "zero");
	struct strbuf size = { 0 };

	add(&y->states, zero ? "zero" : e->state, length);
	if (!e->mapped || zero) {
		end_run(y);
		return;
	}
	put_page_size(e, &size);
	if (e->huge)
		strbuf_addf(&size, " %s", huge_words(e->huge));
	add(&y->sizes, strbuf_text(&size), length);
	strbuf_free(&size);
	add(&y->kinds, e->what ? e->what : "unknown", length);
	add_nodes(y, e);
	if (y->run_bytes && (e->start != y->run_end || e->pa != y->run_pa_end))
		end_run(y);
	y->run_bytes += length;
	y->run_end = e->end;
	y->run_pa_end = e->pa + length;
}

static struct json_object *tallies_json(const struct tallies *t)
{
	struct json_object *o = json_object_new_object();
	size_t i;

	for (i = 0; i < t->n; i++)
		json_object_object_add(o, t->at[i].name, json_object_new_uint64(t->at[i].bytes));
	return o;
}

static struct json_object *tally_json(const struct tally *t, const char *what)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, what, json_object_new_uint64(t->count));
	json_object_object_add(o, "bytes", json_object_new_uint64(t->bytes));
	return o;
}

static void print_json(const struct summary *y, bool complete, FILE *out)
{
	struct json_object *o = json_object_new_object(), *tables = json_object_new_object();
	struct json_object *runs = json_object_new_array();
	int i;

	json_object_object_add(o, "complete", json_object_new_boolean(complete));
	json_object_object_add(o, "states", tallies_json(&y->states));
	json_object_object_add(o, "what", tallies_json(&y->kinds));
	json_object_object_add(o, "page_sizes", tallies_json(&y->sizes));
	json_object_object_add(o, "nodes", tallies_json(&y->nodes));
	for (i = 0; i < GUPWALK_LEVELS; i++)
		if (!y->entries->level[i].folded)
			json_object_object_add(tables, y->entries->level[i].name,
					       tally_json(&y->tables[i], "tables"));
	json_object_object_add(o, "page_tables", tables);
	for (i = 0; i < RUN_SIZES; i++) {
		struct json_object *run;

		if (!y->runs[i].count)
			continue;
		run = tally_json(&y->runs[i], "runs");
		json_object_object_add(run, "from", json_object_new_uint64(1ULL << i));
		json_object_array_add(runs, run);
	}
	json_object_object_add(o, "contiguous", runs);
	json_print(o, out);
}

static void row(struct table *t, const char *what, const char *sort, uint64_t count,
		uint64_t bytes)
{
	char size[24], number[24] = "";

	if (count)
		snprintf(number, sizeof(number), "%" PRIu64, count);
	table_row(t, (const char *[]){ what, sort, number, size_text(bytes, size) }, false);
}

static void rows(struct table *t, const char *what, const struct tallies *tallies)
{
	size_t i;

	for (i = 0; i < tallies->n; i++)
		row(t, i ? "" : what, tallies->at[i].name, 0, tallies->at[i].bytes);
}

static void print_text(const struct summary *y, struct session *s)
{
	static const struct column columns[] = {
		{ .name = "what" }, { .name = "" }, { .name = "number", .right = true },
		{ .name = "bytes", .right = true },
	};
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	const char *what = "page tables";
	uint64_t tables = 0, bytes = 0;
	char from[24], to[24];
	int i;

	rows(t, "state", &y->states);
	rows(t, "what", &y->kinds);
	rows(t, "page size", &y->sizes);
	rows(t, "node", &y->nodes);
	for (i = 0; i < GUPWALK_LEVELS; i++) {
		if (y->entries->level[i].folded || !y->tables[i].count)
			continue;
		row(t, what, y->entries->level[i].name, y->tables[i].count, y->tables[i].bytes);
		tables += y->tables[i].count;
		bytes += y->tables[i].bytes;
		what = "";
	}
	if (tables)
		row(t, what, "total", tables, bytes);
	what = "contiguous runs";
	for (i = 0; i < RUN_SIZES; i++) {
		struct strbuf name = { 0 };

		if (!y->runs[i].count)
			continue;
		strbuf_addf(&name, "%s to %s", size_text(1ULL << i, from),
			    size_text(1ULL << (i + 1), to));
		row(t, what, name.at, y->runs[i].count, y->runs[i].bytes);
		strbuf_free(&name);
		what = "";
	}
	table_print(t);
}

static void free_tallies(struct tallies *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->at[i].name);
	free(t->at);
}

void summary_print(struct summary *y, struct session *s, bool complete)
{
	end_run(y);
	if (s->json)
		print_json(y, complete, s->out);
	else
		print_text(y, s);
	free_tallies(&y->states);
	free_tallies(&y->kinds);
	free_tallies(&y->sizes);
	free_tallies(&y->nodes);
	free(y);
}
