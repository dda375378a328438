// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk walk: the page tables of a process, as extents or entry by entry. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "about.h"
#include "device.h"
#include "extent.h"
#include "json.h"
#include "print.h"
#include "sweep.h"

enum {
	OPTION_LEVELS = OPTION_LONG,
};

static const struct option_row walk_options[] = {
	{ "pid", 'p', "PID", "the process" },
	{ "levels", OPTION_LEVELS, NULL, "print every entry with all its levels, not extents" },
	{ NULL }
};

static const struct column columns[] = {
	{ .name = "from" }, { .name = "length", .right = true }, { .name = "state" },
	{ .name = "page", .right = true }, { .name = "rights" }, { .name = "physical" },
	{ .name = "what" }, { .name = "mapping" },
};

/* Rows are printed in batches: a process may have millions. */
#define BATCH 1024

struct printer {
	struct session *s;
	struct table *table;
	size_t rows;
	uint64_t mapped;
	uint64_t holes;
	struct extents extents;
};

/* "read,write,user" -> "rw-u" */
static void put_rights(const char *rights, struct strbuf *out)
{
	strbuf_addf(out, "%c%c%c%c", names_have(rights, "read") ? 'r' : '-',
		    names_have(rights, "write") ? 'w' : '-', names_have(rights, "exec") ? 'x' : '-',
		    names_have(rights, "user") ? 'u' : '-');
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

static void print_extent(void *context, const struct extent *e)
{
	struct strbuf from = { 0 }, rights = { 0 }, pa = { 0 }, name = { 0 };
	struct printer *p = context;
	char length[24], size[24] = "-";

	if (!p->table) {
		p->table = table_new(p->s, columns, ARRAY_SIZE(columns));
		table_headings(p->table, !p->rows);
	}
	strbuf_addf(&from, "0x%" PRIx64, e->start);
	if (e->page_size)
		size_text(e->page_size, size);
	if (e->mapped)
		put_rights(e->rights, &rights);
	if (e->mapped)
		strbuf_addf(&pa, "0x%" PRIx64, e->pa);
	put_name(e->name, &name);
	table_row(p->table, (const char *[]){
		strbuf_text(&from), size_text(e->end - e->start, length), e->state, size,
		e->mapped ? strbuf_text(&rights) : "-", e->mapped ? strbuf_text(&pa) : "-",
		e->what ? e->what : "-", strbuf_text(&name),
	}, false);
	p->rows++;
	*(e->mapped ? &p->mapped : &p->holes) += e->end - e->start;
	print_batch(p, false);
	strbuf_free(&from);
	strbuf_free(&rights);
	strbuf_free(&pa);
	strbuf_free(&name);
}

static void print_total(struct printer *p)
{
	char mapped[24], holes[24];

	if (p->rows)
		fprintf(p->s->out, "\n%zu extents, %s mapped, %s not\n", p->rows,
			size_text(p->mapped, mapped), size_text(p->holes, holes));
}

static void put_hex(struct json_object *o, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_put(o, key, text);
}

static struct json_object *extent_json(const struct extent *e)
{
	struct json_object *o = json_object_new_object();

	put_hex(o, "start", e->start);
	put_hex(o, "end", e->end);
	json_object_object_add(o, "length", json_object_new_uint64(e->end - e->start));
	json_put(o, "state", e->state);
	json_put(o, "leaf", e->leaf);
	json_object_object_add(o, "page_size",
			       e->page_size ? json_object_new_uint64(e->page_size) : NULL);
	json_object_object_add(o, "rights", json_names(e->rights));
	json_put(o, "pa", NULL);
	if (e->mapped)
		put_hex(o, "pa", e->pa);
	json_put(o, "what", e->what);
	json_put(o, "mapping", e->name);
	return o;
}

static void print_extent_json(void *context, const struct extent *e)
{
	struct printer *p = context;

	json_print(extent_json(e), p->s->out);
}

static void add_extent(void *context, const struct page *page, const struct mapping *m,
		       uint64_t limit)
{
	struct printer *p = context;
	struct extent e;

	extent_of(page, limit, m->name, &e);
	extents_add(&p->extents, &e);
}

static void print_levels(void *context, const struct page *page, const struct mapping *m,
			 uint64_t limit)
{
	struct strbuf line = { 0 };
	struct printer *p = context;
	char length[24];
	struct extent e;
	size_t i;

	extent_of(page, limit, m->name, &e);
	strbuf_addf(&line, "0x%" PRIx64 " %s %s", e.start, size_text(e.end - e.start, length),
		    e.state);
	if (e.mapped) {
		strbuf_addf(&line, " ");
		put_rights(e.rights, &line);
		strbuf_addf(&line, " at 0x%" PRIx64, e.pa);
	}
	strbuf_addf(&line, " ");
	put_name(m->name, &line);
	fprintf(p->s->out, "%s\n", strbuf_text(&line));
	strbuf_free(&line);
	for (i = 0; i < page->before->nr_levels; i++) {
		const struct level *l = &page->before->levels[i];
		char *flags = must_copy(l->folded ? "folded" : l->flags);
		int column;

		column = fprintf(p->s->out, "  %s[%" PRIu64 "] 0x%" PRIx64 " => 0x%016" PRIx64 " ",
				 l->name, l->index, l->entry, l->value);
		put_wrapped(p->s->out, 6, column, p->s->wide, spaced(flags));
		free(flags);
	}
}

static void print_levels_json(void *context, const struct page *page, const struct mapping *m,
			      uint64_t limit)
{
	struct json_object *o, *levels = json_object_new_array();
	struct printer *p = context;
	struct extent e;
	size_t i;

	extent_of(page, limit, m->name, &e);
	o = extent_json(&e);
	for (i = 0; i < page->before->nr_levels; i++) {
		const struct level *l = &page->before->levels[i];
		struct json_object *level = json_object_new_object();

		json_put(level, "name", l->name);
		json_object_object_add(level, "folded", json_object_new_boolean(l->folded));
		json_object_object_add(level, "index", json_object_new_uint64(l->index));
		put_hex(level, "table", l->table);
		put_hex(level, "entry", l->entry);
		put_hex(level, "value", l->value);
		json_object_object_add(level, "flags", json_names(l->flags));
		json_object_array_add(levels, level);
	}
	json_object_object_add(o, "levels", levels);
	json_print(o, p->s->out);
}

static bool read_maps(pid_t pid, struct maps *maps)
{
	struct strbuf text = { 0 };
	bool read = false;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	if (slurp(path, &text))
		complain("reading", path, errno == ENOENT ? "no such process" : strerror(errno),
			 "give -p the number of a running process");
	else if (!maps_parse(strbuf_text(&text), maps))
		complain("reading", path, "a line is not as expected", NULL);
	else if (!maps->n)
		complain("reading", path, "the process has no memory of its own",
			 "kernel threads and zombies have none");
	else
		read = true;
	strbuf_free(&text);
	return read;
}

static int walk(struct session *s, struct sweep *w, bool levels)
{
	struct printer p = { .s = s };
	struct maps maps = { 0 };
	int status;

	if (!read_maps(w->pid, &maps))
		return STATUS_TROUBLE;
	w->context = &p;
	w->element = !levels ? add_extent : s->json ? print_levels_json : print_levels;
	p.extents.context = &p;
	p.extents.put = s->json ? print_extent_json : print_extent;
	status = sweep_run(w, &maps);
	extents_end(&p.extents);
	print_batch(&p, true);
	print_total(&p);
	maps_free(&maps);
	if (!status && !w->total) {
		complain("walking", NULL, "the process has nothing mapped in this range",
			 "gupwalk walk without a range shows what it has");
		status = STATUS_TROUBLE;
	}
	if (w->gone)
		fprintf(stderr, "gupwalk: walking: %zu mapping%s went away meanwhile\n", w->gone,
			w->gone == 1 ? "" : "s");
	return status;
}

static bool scan_options(struct parser *p, struct sweep *w, bool *levels)
{
	const char *arg;
	uint64_t pid;
	int c;

	while ((c = parser_next(p, &arg)) > 0) {
		if (c == OPTION_LEVELS) {
			*levels = true;
			continue;
		}
		if (!number_parse(arg, INT_MAX, &pid) || !pid) {
			p->status = usage_error(p->s, arg, "is no number of a process");
			return false;
		}
		w->pid = pid;
	}
	return c == 0;
}

static int do_walk(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv, .status = STATUS_TROUBLE };
	struct sweep w = { .range.end = UINT64_MAX };
	const char *wrong = NULL;
	struct about about;
	bool levels = false;

	if (!scan_options(&p, &w, &levels) || !parser_words(&p, 0, 1))
		return p.status;
	if (!w.pid)
		return usage_error(s, "-p PID", "is missing");
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	w.page_size = about_number(&about, "page_size");
	about_free(&about);
	if (p.argc)
		wrong = range_parse(p.argv[0], w.page_size, &w.range);
	if (wrong)
		return usage_error(s, p.argv[0], wrong);
	if (!device_need_live(s->debugfs))
		return STATUS_TROUBLE;
	w.fd = device_open(s->debugfs);
	if (w.fd < 0 || !session_out(s))
		return STATUS_TROUBLE;
	p.status = walk(s, &w, levels);
	close(w.fd);
	return p.status;
}

const struct command command_walk = {
	.name = "walk",
	.words = "[START[-END|+LEN]]",
	.summary = "print the page tables of a process, as extents that look the same; addresses "
		   "are hexadecimal",
	.options = walk_options,
	.run = do_walk,
};
