// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk walk: the page tables of a process, as extents or entry by entry. */
#include "command.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulk.h"
#include "device.h"
#include "extent.h"
#include "json.h"
#include "kpage.h"
#include "maps.h"
#include "print.h"
#include "summary.h"

enum {
	OPTION_LEVELS = OPTION_LONG,
	OPTION_SUMMARY,
	OPTION_VIRTUAL,
};

static const struct option_row walk_options[] = {
	{ "pid", 'p', "PID", "the process" },
	{ "levels", OPTION_LEVELS, NULL, "print every entry with all its levels, not extents" },
	{ "virtual", OPTION_VIRTUAL, NULL,
	  "join extents that differ only in where they are in physical memory, or in swap, and print "
	  "in how many runs they are" },
	{ "summary", OPTION_SUMMARY, NULL,
	  "print bytes by state, kind, page size and node, page tables by level, and physically contiguous "
	  "runs by size" },
	{ NULL }
};

enum { FROM, PAGE = 3, PHYSICAL = 5, NR_COLUMNS = 8 };

/*
 * Batches of rows are tables of their own, and are to look like one: only the last column takes
 * what is left. Of some columns the module's entries tell how wide they have to be.
 */
static const struct column columns[NR_COLUMNS] = {
	{ .name = "from", .fixed = true },
	{ .name = "length", .width = 7, .fixed = true, .right = true },
	{ .name = "state", .width = 9, .fixed = true },
	{ .name = "page", .fixed = true, .right = true },
	{ .name = "rights", .width = 9, .fixed = true },
	{ .name = "physical", .fixed = true },
	{ .name = "what", .width = 8, .fixed = true },
	{ .name = "mapping", .flex = true },
};

/* Rows are printed in batches: a process may have millions. */
#define BATCH 1024

/**
 * struct printer - what was walked, on its way to being printed
 * @s: the invocation
 * @columns: of a table of rows
 * @table: rows that are not printed yet
 * @rows: how many there were
 * @mapped: bytes that were
 * @holes: bytes that were not
 * @extents: the extent that may still grow
 */
struct printer {
	struct session *s;
	struct column columns[NR_COLUMNS];
	struct table *table;
	size_t rows;
	uint64_t mapped;
	uint64_t holes;
	struct extents extents;
};

/**
 * struct walker - a walk
 * @p: where extents go
 * @entries: how to read entries
 * @page: bytes of a page
 * @range: where
 * @maps: the mappings; the one that the walk has come to is @maps.now
 * @at: up to where all of that is dealt with
 * @done: bytes of mappings that are
 * @levels: entries are printed, not extents
 * @gone: the process has ended, or become another
 * @summary: what is counted, if nothing else is printed
 * @kpage: what is known of pages
 * @special: by level: bits of an entry that maps no ordinary page
 * @run: pages that look the same as far as their entries tell, not looked at in @kpage yet
 * @run_is: there are some
 * @run_special: they are no ordinary pages
 * @rights: their rights
 * @last: by level: the class of the last entry; most are like the one before
 */
struct walker {
	struct printer p;
	struct entries entries;
	uint64_t page;
	struct range range;
	struct maps maps;
	uint64_t at;
	uint64_t done;
	bool levels;
	bool gone;
	struct summary *summary;
	struct kpage kpage;
	uint64_t special[GUPWALK_LEVELS];
	struct extent run;
	bool run_is;
	bool run_special;
	struct strbuf rights;
	const struct entry_class *last[GUPWALK_LEVELS];
};

/* "read,write,user" -> "rw-u", and those of the VMA after a slash */
static void put_rights(const struct extent *e, struct strbuf *out)
{
	if (e->mapped)
		strbuf_addf(out, "%c%c%c%c", names_have(e->rights, "read") ? 'r' : '-',
			    names_have(e->rights, "write") ? 'w' : '-',
			    names_have(e->rights, "exec") ? 'x' : '-',
			    names_have(e->rights, "user") ? 'u' : '-');
	else
		strbuf_addf(out, "-");
	strbuf_addf(out, "/%s", e->perms ? e->perms : "-");
}

/* The page frame, or the place in swap. */
static void put_place(const struct extent *e, struct strbuf *out)
{
	if (e->runs > 1)
		strbuf_addf(out, "%" PRIu64 " runs", e->runs);
	else if (e->mapped)
		strbuf_addf(out, "0x%" PRIx64, e->pa);
	else if (e->swapped)
		strbuf_addf(out, "%" PRIu64 ":%" PRIu64, e->swap_type, e->swap_offset);
	else
		strbuf_addf(out, same_text(e->state, "swap") ? "not decoded" : "-");
}

/* Of hugetlb that; whether it is anonymous, its mapping's name tells. */
static void put_what(const struct extent *e, struct strbuf *out)
{
	if (same_text(e->huge, "hugetlb"))
		strbuf_addf(out, "hugetlb");
	else
		strbuf_addf(out, "%s%s%s", e->what ? e->what : "-", e->huge ? " " : "",
			    e->huge ? huge_words(e->huge) : "");
}

static void put_name(const char *name, struct strbuf *out)
{
	const char *slash = strrchr(name, '/');

	if (*name == '/' && slash)
		name = slash + 1;
	put_bytes(out, name, strlen(name));
}

static void print_batch(struct printer *p, bool last)
{
	if (p->table && (last || p->rows % BATCH == 0)) {
		table_print(p->table);
		p->table = NULL;
	}
}

static int hex_width(unsigned int bits)
{
	return strlen("0x") + (bits + 3) / 4;
}

/* By the longest that entries can need. User space has 56 bits at most (x86, 5 levels). */
static void set_widths(struct column *c, const struct entries *e)
{
	unsigned int bits = 0, top = 0, page = e->level[GUPWALK_LEVELS - 1].shift;
	int i, page_width = strlen("page");
	size_t j, k;

	for (i = 0; i < GUPWALK_LEVELS; i++) {
		const struct entry_level *l = &e->level[i];
		struct extent one = { .page_size = 1ULL << l->shift };
		struct strbuf text = { 0 };

		if (l->folded)
			continue;
		if (!top)
			top = l->shift + 63 - __builtin_clzll(l->entries);
		if (l->contiguous_mask)
			one.contiguous = 1ULL << l->contiguous_shift;
		put_page_size(&one, &text);
		for (j = 0; j < l->nr_classes; j++) {
			const struct gather *g = &l->classes[j].pfn;

			if (l->classes[j].kind != ENTRY_LEAF)
				continue;
			if ((int)text.len > page_width)
				page_width = text.len;
			for (k = 0; k < g->nr; k++)
				if (g->run[k].to + g->run[k].n + page > bits)
					bits = g->run[k].to + g->run[k].n + page;
		}
		strbuf_free(&text);
	}
	memcpy(c, columns, sizeof(columns));
	c[FROM].width = hex_width(top < 56 ? top : 56);
	c[PAGE].width = page_width;
	c[PHYSICAL].width = hex_width(bits);
}

static void print_extent(void *context, const struct extent *e)
{
	struct strbuf from = { 0 }, size = { 0 }, rights = { 0 }, place = { 0 }, what = { 0 };
	struct strbuf name = { 0 };
	struct printer *p = context;
	char length[24];

	if (!p->table) {
		p->table = table_new(p->s, p->columns, NR_COLUMNS);
		table_headings(p->table, !p->rows);
	}
	strbuf_addf(&from, "0x%" PRIx64, e->start);
	if (e->page_size)
		put_page_size(e, &size);
	put_rights(e, &rights);
	put_place(e, &place);
	put_what(e, &what);
	put_name(e->name, &name);
	table_row(p->table, (const char *[]){
		strbuf_text(&from), size_text(e->end - e->start, length), e->state,
		e->page_size ? strbuf_text(&size) : "-", strbuf_text(&rights), strbuf_text(&place),
		strbuf_text(&what), *e->name ? strbuf_text(&name) : "-",
	}, false);
	p->rows++;
	*(e->mapped ? &p->mapped : &p->holes) += e->end - e->start;
	print_batch(p, false);
	strbuf_free(&from);
	strbuf_free(&size);
	strbuf_free(&rights);
	strbuf_free(&place);
	strbuf_free(&what);
	strbuf_free(&name);
}

static void print_total(struct printer *p)
{
	char mapped[24], holes[24];

	if (p->rows)
		fprintf(p->s->out, "\n%zu extent%s, %s mapped, %s not\n", p->rows,
			p->rows == 1 ? "" : "s", size_text(p->mapped, mapped),
			size_text(p->holes, holes));
}

static void put_hex(struct json_object *o, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_put(o, key, text);
}

/* @known: else it is null */
static void put_number(struct json_object *o, const char *key, bool known, uint64_t value)
{
	json_object_object_add(o, key, known ? json_object_new_uint64(value) : NULL);
}

static struct json_object *extent_json(const struct extent *e)
{
	struct json_object *o = json_object_new_object();

	put_hex(o, "start", e->start);
	put_hex(o, "end", e->end);
	put_number(o, "length", true, e->end - e->start);
	json_put(o, "state", e->state);
	json_put(o, "leaf", e->leaf);
	put_number(o, "page_size", e->page_size, e->page_size);
	put_number(o, "contiguous", e->contiguous, e->contiguous);
	json_put(o, "huge", e->huge);
	json_object_object_add(o, "rights", json_names(e->rights));
	json_put(o, "perms", e->perms);
	json_put(o, "pa", NULL);
	if (e->mapped)
		put_hex(o, "pa", e->pa);
	put_number(o, "swap_type", e->swapped, e->swap_type);
	put_number(o, "swap_offset", e->swapped, e->swap_offset);
	put_number(o, "runs", e->runs, e->runs);
	json_put(o, "what", e->what);
	json_put(o, "mapping", *e->name ? e->name : NULL);
	return o;
}

static void print_extent_json(void *context, const struct extent *e)
{
	struct printer *p = context;

	json_print(extent_json(e), p->s->out);
}

/* What an entry is, and how much it stands for: "table 1G", "leaf 4K/64K", "swap 4K". */
static void put_kind(const struct entry_level *l, const struct entry_class *c, uint64_t value,
		     struct strbuf *out)
{
	char size[24];

	if (!c || !strcmp(c->state, "bad"))
		strbuf_addf(out, "bad");
	else
		strbuf_addf(out, "%s",
			    c->kind == ENTRY_ABSENT ? c->state : entry_kind_name(c->kind));
	strbuf_addf(out, " %s", size_text(1ULL << l->shift, size));
	if (c && c->kind == ENTRY_LEAF && value & l->contiguous_mask)
		strbuf_addf(out, "/%s", size_text(1ULL << l->contiguous_shift, size));
}

static void put_levels(struct walker *w, const struct extent *e, const struct table_entry *t)
{
	struct strbuf line = { 0 };
	FILE *out = w->p.s->out;
	char length[24];
	int i;

	strbuf_addf(&line, "0x%" PRIx64 " %s %s ", e->start,
		    size_text(e->end - e->start, length), e->state);
	put_rights(e, &line);
	if (e->mapped || same_text(e->state, "swap")) {
		strbuf_addf(&line, " at ");
		put_place(e, &line);
	}
	if (e->what || e->huge) {
		strbuf_addf(&line, " ");
		put_what(e, &line);
	}
	if (*e->name)
		strbuf_addf(&line, " ");
	put_name(e->name, &line);
	fprintf(out, "%s\n", strbuf_text(&line));
	strbuf_free(&line);
	for (i = 0; t && i <= t->level; i++) {
		const struct entry_level *l = &w->entries.level[i];
		const struct entry_class *c = entry_class(l, t->path[i].value);
		struct strbuf flags = { 0 }, kind = { 0 };
		int column;

		if (l->folded)
			strbuf_addf(&kind, "folded");
		else
			put_kind(l, c, t->path[i].value, &kind);
		if (!l->folded)
			entry_flags(l, c ? c->kind : ENTRY_TABLE, t->path[i].value, &flags);
		column = fprintf(out, "  %s[%" PRIu64 "] 0x%" PRIx64 " => 0x%016" PRIx64
				 " %s%s", l->name,
				 l->folded ? 0 : t->addr >> l->shift & (l->entries - 1),
				 (uint64_t)t->path[i].entry, (uint64_t)t->path[i].value,
				 strbuf_text(&kind), flags.at ? ": " : "");
		put_wrapped(out, 6, column, w->p.s->wide, flags.at ? spaced(flags.at) : "");
		strbuf_free(&flags);
		strbuf_free(&kind);
	}
}

static struct json_object *level_json(const struct walker *w, const struct table_entry *t, int i)
{
	const struct entry_level *l = &w->entries.level[i];
	const struct entry_class *c = entry_class(l, t->path[i].value);
	uint64_t index = l->folded ? 0 : t->addr >> l->shift & (l->entries - 1);
	struct json_object *o = json_object_new_object();
	struct strbuf flags = { 0 };
	int real = i;

	while (w->entries.level[real].folded)
		real--;
	if (!l->folded)
		entry_flags(l, c ? c->kind : ENTRY_TABLE, t->path[i].value, &flags);
	json_put(o, "name", l->name);
	json_object_object_add(o, "folded", json_object_new_boolean(l->folded));
	json_object_object_add(o, "index", json_object_new_uint64(index));
	json_put(o, "kind", l->folded || !c ? NULL : entry_kind_name(c->kind));
	put_number(o, "size", !l->folded, 1ULL << l->shift);
	l = &w->entries.level[real];
	put_hex(o, "table",
		t->path[i].entry - 8 * (t->addr >> l->shift & (l->entries - 1)));
	put_hex(o, "entry", t->path[i].entry);
	put_hex(o, "value", t->path[i].value);
	json_object_object_add(o, "flags", json_names(strbuf_text(&flags)));
	strbuf_free(&flags);
	return o;
}

static void put_levels_json(struct walker *w, const struct extent *e, const struct table_entry *t)
{
	struct json_object *o = extent_json(e), *levels = json_object_new_array();
	int i;

	for (i = 0; t && i <= t->level; i++)
		json_object_array_add(levels, level_json(w, t, i));
	json_object_object_add(o, "levels", levels);
	json_print(o, w->p.s->out);
}

/* Shared memory without a name in the filesystem is a file too, whatever it was called. */
static bool is_file(const char *name)
{
	return *name == '/' || !strncmp(name, "[anon_shmem:", strlen("[anon_shmem:"));
}

/*
 * What is no page of anybody has no kind, but for the shared page of zeros. The kernel says THP of
 * all pages of large folios, those too that entries of single pages map.
 */
static void set_kind(struct extent *e, const struct kpage_kind *kind, bool special)
{
	if (special && !same_text(kind->what, "zero"))
		return;
	e->what = same_text(kind->what, "other") && is_file(e->name) ? "file" : kind->what;
	if (!strcmp(e->leaf, "pte") && !e->contiguous && same_text(kind->huge, "thp"))
		return;
	e->huge = kind->huge;
}

/* Page frames of a process that has gone may be anything by now: of them nothing is known. */
static void look_up(struct walker *w, uint64_t pfn, size_t n, struct kpage_kind *kinds)
{
	kpage_kinds(&w->kpage, pfn, n, kinds);
	w->gone |= maps_gone(&w->maps);
	if (w->gone)
		memset(kinds, 0, n * sizeof(*kinds));
}

/* The run by itself: what its pages are was found out. */
static void put_run(struct walker *w, uint64_t from, uint64_t to, const struct kpage_kind *kind)
{
	struct extent e = w->run;

	e.start += from;
	e.end = w->run.start + to;
	e.pa += from;
	set_kind(&e, kind, w->run_special);
	extents_add(&w->p.extents, &e);
}

static bool same_kind(const struct kpage_kind *a, const struct kpage_kind *b)
{
	return same_text(a->what, b->what) && same_text(a->huge, b->huge);
}

/* A page at a time, where one entry maps it: the pages of a larger one are all the same. */
static void end_run(struct walker *w)
{
	uint64_t length = w->run.end - w->run.start, at = 0, from = 0;
	struct kpage_kind kinds[KPAGE_BATCH], kind = { 0 };
	bool small = w->run.page_size == w->page;
	size_t n = 0, i = 0;

	if (!w->run_is)
		return;
	w->run_is = false;
	if (!w->run.mapped) {
		extents_add(&w->p.extents, &w->run);
		return;
	}
	while (at < length) {
		uint64_t pfn = (w->run.pa + at) / w->page;
		uint64_t step = small ? w->page : w->run.page_size - (w->run.start + at) %
				w->run.page_size;

		if (small && w->run.pa / w->page == w->entries.zero_pfn) {
			kinds[i = 0] = (struct kpage_kind){ .what = "zero" };
		} else if (i == n) {
			n = small ? (length - at + w->page - 1) / w->page : 1;
			n = n > KPAGE_BATCH ? KPAGE_BATCH : n;
			look_up(w, pfn, n, kinds);
			i = 0;
		}
		if (at && !same_kind(&kinds[i], &kind)) {
			put_run(w, from, at, &kind);
			from = at;
		}
		kind = kinds[i++];
		at += step;
	}
	put_run(w, from, length, &kind);
}

/* The place of an extent is where that of the run ends. */
static bool follows_run(const struct walker *w, const struct extent *e)
{
	const struct extent *r = &w->run;
	uint64_t length = r->end - r->start;

	if (e->mapped)
		return r->mapped && r->pa + length == e->pa && r->contiguous == e->contiguous &&
		       !strcmp(r->rights, e->rights);
	if (e->swapped)
		return r->swapped && r->swap_type == e->swap_type &&
		       r->swap_offset + length / w->page == e->swap_offset;
	return !r->mapped && !r->swapped;
}

/* Makes the run longer, or begins another. */
static void add(struct walker *w, const struct extent *e, bool special)
{
	struct extent *r = &w->run;

	/* the texts are those of the walker, or stay as long as it does: their places are enough */
	if (w->run_is && r->end == e->start && r->state == e->state && r->leaf == e->leaf &&
	    r->name == e->name && r->what == e->what && w->run_special == special &&
	    follows_run(w, e)) {
		r->end = e->end;
		return;
	}
	end_run(w);
	strbuf_free(&w->rights);
	strbuf_addf(&w->rights, "%s", e->rights);
	*r = *e;
	r->rights = w->rights.at;
	w->run_special = special;
	w->run_is = true;
}

static void put(struct walker *w, const struct extent *e, bool special,
		const struct table_entry *t)
{
	struct kpage_kind kind = { 0 };
	struct extent one = *e;

	if (!w->levels) {
		add(w, e, special);
		return;
	}
	if (e->mapped) {
		look_up(w, e->pa / w->page, 1, &kind);
		set_kind(&one, &kind, special);
	}
	one.runs = e->mapped || e->swapped;
	if (w->p.s->json)
		put_levels_json(w, &one, t);
	else
		put_levels(w, &one, t);
}

/* Nothing is mapped from where the walk has come to up to an address of the same mapping. */
static void pass(struct walker *w, uint64_t to)
{
	struct extent e = { .start = w->at, .end = to, .state = "none", .rights = "",
			    .name = w->maps.now.name, .perms = w->maps.now.perms };

	if (w->at >= to)
		return;
	put(w, &e, false, NULL);
	w->done += to - w->at;
	w->at = to;
}

/* Goes on to the mapping that an address is in, or to the first one after it. */
static bool go_to(struct walker *w, uint64_t addr)
{
	for (;;) {
		uint64_t end = w->maps.now.end;

		if (!end)
			return false;
		if (w->at < w->maps.now.start)
			w->at = w->maps.now.start;
		if (end > addr)
			return w->maps.now.start <= addr;
		pass(w, end < w->range.end ? end : w->range.end);
		/* runs have names of their own */
		end_run(w);
		extents_end(&w->p.extents);
		maps_next(&w->maps);
	}
}

static void take_entry(void *context, const struct table_entry *t)
{
	struct walker *w = context;
	const struct entry_level *l = &w->entries.level[t->level];
	uint64_t value = t->path[t->level].value;
	const struct entry_class *c = w->last[t->level];
	struct strbuf rights = { 0 };
	struct extent e = { .start = t->addr, .end = t->addr + t->size };
	uint64_t pfn;

	/* of those of entries that map nothing more than one may fit, and the first is right */
	if (!c || c->kind != ENTRY_LEAF || (value & c->mask) != c->value)
		c = entry_class(l, value);
	w->last[t->level] = c;
	if (c && !strcmp(c->state, "none"))
		return;
	if (e.start < w->range.start)
		e.start = w->range.start;
	if (e.end > w->range.end)
		e.end = w->range.end;
	if (e.start >= e.end)
		return;
	if (go_to(w, e.start)) {
		pass(w, e.start);
		e.name = w->maps.now.name;
		e.perms = w->maps.now.perms;
		w->done += e.end - e.start;
		w->at = e.end;
	} else {
		/* mapped since the list of mappings was read, or about to be unmapped */
		e.name = maps_gone(&w->maps) ? "" : "(not in maps)";
	}
	e.state = c ? c->state : "bad";
	e.rights = "";
	if (c && c->kind == ENTRY_LEAF) {
		pfn = entry_pfn(&w->entries, t->level, c, value, e.start);
		e.leaf = l->name;
		e.page_size = t->size;
		if (value & l->contiguous_mask)
			e.contiguous = 1ULL << l->contiguous_shift;
		e.mapped = true;
		e.pa = pfn * w->page + e.start % w->page;
		if (strcmp(c->state, "protnone"))
			entry_rights(&w->entries, t->level, t->path, &rights);
		e.rights = strbuf_text(&rights);
	}
	if (c && c->type.there && c->offset.there) {
		e.swapped = true;
		e.swap_type = gather(&c->type, value);
		e.swap_offset = gather(&c->offset, value) + (e.start - t->addr) / w->page;
	}
	if (c)
		e.what = c->marker;
	put(w, &e, value & w->special[t->level], t);
	strbuf_free(&rights);
}

static void take_table(void *context, int level, uint64_t table, uint64_t size)
{
	struct walker *w = context;

	(void)table;
	if (w->summary)
		summary_table(w->summary, level, size);
}

static void count_extent(void *context, const struct extent *e)
{
	struct walker *w = context;

	summary_extent(w->summary, e);
	w->p.rows++;
}

static void print_one(void *context, const struct extent *e)
{
	struct walker *w = context;

	if (w->p.s->json)
		print_extent_json(&w->p, e);
	else
		print_extent(&w->p, e);
}

/* Bits whose name says that no page with a count of references is mapped. */
static void find_special(struct walker *w)
{
	size_t i, j;

	for (i = 0; i < GUPWALK_LEVELS; i++)
		for (j = 0; j < w->entries.level[i].nr_flags; j++) {
			const struct entry_flag *f = &w->entries.level[i].flags[j];

			if (f->kind == ENTRY_LEAF && (!strcmp(f->name, "SPECIAL") ||
						      !strcmp(f->name, "DEVMAP")))
				w->special[i] |= f->mask;
		}
}

/* How much there is to walk, about: what the kernel counts as the size of the process. */
static uint64_t size_of(pid_t pid, uint64_t page, const struct range *range)
{
	struct strbuf text = { 0 };
	uint64_t size = 0;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (!slurp(path, &text))
		size = strtoull(strbuf_text(&text), NULL, 10) * page;
	strbuf_free(&text);
	if (range->end - range->start < size)
		size = range->end - range->start;
	return size;
}

/* What is there of the output if the walk did not come to its end. */
static void print_incomplete(const struct walker *w)
{
	struct session *s = w->p.s;

	if (!s->json) {
		fprintf(s->out, "incomplete: %s\n",
			w->gone ? "the process has gone" : "the walk could not go on");
	} else if (!w->summary) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "complete", json_object_new_boolean(false));
		json_print(o, s->out);
	}
}

/*
 * Rows on a terminal have no room for progress between them; what goes through a pipe may come to
 * the same terminal, as that of a pager does.
 */
static bool may_be_seen(FILE *out)
{
	struct stat st;

	return isatty(fileno(out)) || fstat(fileno(out), &st) || S_ISFIFO(st.st_mode);
}

static int walk(struct session *s, struct walker *w, pid_t pid)
{
	struct bulk b = {
		.dir = s->debugfs,
		.pid = pid,
		.range = w->range,
		.tables = { .entries = &w->entries, .entry = take_entry, .table = take_table,
			    .context = w },
	};
	bool incomplete;
	int status;

	if (!maps_open(pid, &w->maps))
		return STATUS_TROUBLE;
	if (w->summary || !may_be_seen(s->out))
		b.at = &w->done;
	b.total = size_of(pid, w->page, &w->range);
	w->at = w->range.start;
	w->p.s = s;
	w->p.extents.page = w->page;
	w->p.extents.context = w;
	w->p.extents.put = w->summary ? count_extent : print_one;
	find_special(w);
	set_widths(w->p.columns, &w->entries);
	kpage_open(&w->kpage);
	status = bulk_run(&b);
	/* beyond the last entry, up to where user space ends: vsyscall is in maps, and above */
	if (b.tables.start.head.size && w->range.end > b.tables.start.end)
		w->range.end = b.tables.start.end;
	if (!status)
		go_to(w, w->range.end - 1);
	if (!status && w->maps.now.end && w->maps.now.start < w->range.end)
		pass(w, w->range.end);
	end_run(w);
	extents_end(&w->p.extents);
	if (!status && w->gone) {
		complain("walking", NULL, "the process has ended, or become another by exec",
			 "of pages that were not looked up before that it is not told what they are");
		status = STATUS_TROUBLE;
	}
	w->gone |= b.tables.end.how == GUPWALK_WALK_GONE;
	incomplete = status && b.tables.start.head.size;
	if (!status && !w->done) {
		complain("walking", NULL, "the process has nothing mapped in this range",
			 "gupwalk walk without a range shows what it has");
		status = STATUS_TROUBLE;
	}
	if (w->summary && (w->p.rows || incomplete))
		summary_print(w->summary, s, !incomplete);
	else if (!w->summary)
		print_batch(&w->p, true);
	if (!w->summary && !w->levels && !s->json)
		print_total(&w->p);
	if (incomplete)
		print_incomplete(w);
	kpage_close(&w->kpage);
	maps_close(&w->maps);
	strbuf_free(&w->rights);
	return status;
}

static bool scan_options(struct parser *p, struct walker *w, pid_t *pid, bool *summary)
{
	const char *arg;
	uint64_t number;
	int c;

	while ((c = parser_next(p, &arg)) > 0) {
		if (c == OPTION_LEVELS) {
			w->levels = true;
			continue;
		}
		if (c == OPTION_VIRTUAL) {
			w->p.extents.any_place = true;
			continue;
		}
		if (c == OPTION_SUMMARY) {
			*summary = true;
			continue;
		}
		if (!number_parse(arg, INT_MAX, &number) || !number) {
			p->status = usage_error(p->s, arg, NO_PID);
			return false;
		}
		*pid = number;
	}
	return c == 0;
}

static int do_walk(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv, .status = STATUS_TROUBLE };
	struct walker w = { .range.end = UINT64_MAX };
	const char *wrong = NULL;
	bool summary = false;
	pid_t pid = 0;

	if (!scan_options(&p, &w, &pid, &summary) || !parser_words(&p, 0, 1))
		return p.status;
	if (!pid)
		return usage_error(s, "-p PID", NOT_GIVEN);
	if (summary && w.levels)
		return usage_error(s, "--summary", "it cannot be given together with --levels");
	if (w.p.extents.any_place && (summary || w.levels))
		return usage_error(s, "--virtual", "it is about extents: it cannot be given together "
				   "with --levels or --summary");
	if (!entries_read(s->debugfs, &w.entries))
		return STATUS_TROUBLE;
	w.page = 1ULL << w.entries.level[GUPWALK_LEVELS - 1].shift;
	if (p.argc)
		wrong = range_parse(p.argv[0], w.page, &w.range);
	if (wrong) {
		p.status = usage_error(s, p.argv[0], wrong);
	} else if (device_need_live(s->debugfs) && session_out(s)) {
		if (summary)
			w.summary = summary_new(&w.entries);
		p.status = walk(s, &w, pid);
	}
	entries_free(&w.entries);
	return p.status;
}

const struct command command_walk = {
	.name = "walk",
	.words = "-p PID [START[-END|+LEN]]",
	.summary = "print the page tables of a process, as extents that look the same",
	.more = "START and END are hexadecimal, with or without 0x, and END is the first address after "
		 "the range; LEN is a number of bytes, decimal, or hexadecimal after 0x, and may end in "
		 "K, M, G or T. START alone stands for one page. A range is made larger to whole pages; "
		 "without one, all that the process has mapped is walked.\n"
		 "Columns:\n"
		 "from\tfirst address\n"
		 "length\tbytes; sizes are powers of 1024, rounded where they have a decimal point\n"
		 "state\tpresent, none, swap, protnone, …\n"
		 "page\tbytes that an entry maps; after a slash those of the block that it is part of, "
		 "where entries say so (arm64)\n"
		 "rights\tr w x and u for user, by the page tables; after a slash those of the mapping, "
		 "as in /proc/PID/maps\n"
		 "physical\tfirst physical address; of swap the device and the page there; of "
		 "--virtual in how many runs, if it is more than one\n"
		 "what\tkind of the pages, with THP of transparent huge pages; hugetlb; or which "
		 "marker it is\n"
		 "mapping\tas in /proc/PID/maps\n",
	.options = walk_options,
	.run = do_walk,
};
