// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record for people: the call, then a table with the page tables before it and after it, side by
 * side, a `>` before what has changed.
 */
#include "show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "pin.h"
#include "print.h"
#include "words.h"

/* What is left of a line for each of the two columns: a mark, a label of ten characters, blanks. */
#define SIDE_WIDTH(s) (((s)->wide - 15) / 2)

/* A row of the table: writes what it says of one snapshot. */
struct row {
	const char *label;
	void (*put)(const struct snapshot *s, struct strbuf *out);
};

void show_words(struct session *s, const char *label, const char *words)
{
	int column;

	if (!*words)
		return;
	column = fprintf(s->out, "   %-8s ", label);
	put_wrapped(s->out, 12, column, s->wide, words);
}

static void put_names(const char *names, struct strbuf *out)
{
	char *copy = must_copy(names && *names ? names : "-");

	strbuf_addf(out, "%s", spaced(copy));
	free(copy);
}

static void put_state(const struct snapshot *s, struct strbuf *out)
{
	char size[24];

	size_text(s->size, size);
	if (!strcmp(s->state, "none"))
		strbuf_addf(out, "none: a hole of %s", size);
	else if (s->leaf)
		strbuf_addf(out, "%s: a page of %s, by its %s", s->state, size, s->leaf);
	else
		strbuf_addf(out, "%s", s->state);
	if (s->marker)
		strbuf_addf(out, " %s", s->marker);
	if (s->swap_type.known)
		strbuf_addf(out, " on device %" PRId64 " at %" PRId64, s->swap_type.value,
			    s->swap_offset.value);
	if (!s->stable)
		strbuf_addf(out, " (unstable: still changing after %" PRIu64 " tries)", s->retries);
}

static void put_physical(const struct snapshot *s, struct strbuf *out)
{
	if (s->pa)
		strbuf_addf(out, "%s", s->pa);
	else if (s->pfn.known)
		strbuf_addf(out, "page frame 0x%" PRIx64, s->pfn.value);
	else
		strbuf_addf(out, "-");
}

static void put_rights(const struct snapshot *s, struct strbuf *out)
{
	put_names(s->rights, out);
}

static const char *exclusiveness(const struct page_facts *p)
{
	/* Linux before 5.19 does not know. */
	if (!p->anon_exclusive.known)
		return "";
	return p->anon_exclusive.value ? ", exclusive" : ", maybe shared";
}

static void put_page(const struct snapshot *s, struct strbuf *out)
{
	const struct page_facts *p = s->page;

	if (!p) {
		strbuf_addf(out, s->page_unread ? "not known: a lock was taken" :
			    s->leaf ? "no ordinary page" : "-");
		return;
	}
	if (p->zero)
		strbuf_addf(out, "the zero page");
	else if (p->anon)
		strbuf_addf(out, "%s%s", p->ksm ? "KSM" : "anonymous",
			    exclusiveness(p));
	else
		strbuf_addf(out, "not anonymous");
	if (p->order)
		strbuf_addf(out, ", in a folio of order %" PRIu64 " from page frame 0x%" PRIx64,
			    p->order, p->head_pfn);
	strbuf_addf(out, ", node %" PRId64 ", zone %s", p->nid, p->zone);
}

static void put_page_flags(const struct snapshot *s, struct strbuf *out)
{
	put_names(s->page ? s->page->flags : NULL, out);
}

static void put_count(const struct snapshot *s, int64_t count, struct strbuf *out)
{
	if (s->page)
		strbuf_addf(out, "%" PRId64, count);
	else
		strbuf_addf(out, "-");
}

static void put_refcount(const struct snapshot *s, struct strbuf *out)
{
	put_count(s, s->page ? s->page->refcount : 0, out);
}

static void put_mapcount(const struct snapshot *s, struct strbuf *out)
{
	put_count(s, s->page ? s->page->mapcount : 0, out);
}

static void put_pincount(const struct snapshot *s, struct strbuf *out)
{
	put_count(s, s->page ? s->page->pincount : 0, out);
	if (s->page && !s->page->pincount_exact && s->page->pincount)
		strbuf_addf(out, " (refcount / 1024)");
}

static const struct row fact_rows[] = {
	{ "state", put_state },
	{ "physical", put_physical },
	{ "rights", put_rights },
	{ "page", put_page },
	{ "page flags", put_page_flags },
	{ "refcount", put_refcount },
	{ "mapcount", put_mapcount },
	{ "pincount", put_pincount },
};

static void put_level(const struct level *l, struct strbuf *out)
{
	if (!l) {
		strbuf_addf(out, "not there");
	} else if (l->folded) {
		strbuf_addf(out, "folded: as the one above");
	} else {
		strbuf_addf(out, "0x%" PRIx64 " => 0x%016" PRIx64 "\n", l->entry, l->value);
		put_names(l->flags, out);
	}
}

/* Adds a row, and says "same" where nothing has changed. */
static void add_row(struct table *t, const char *label, struct strbuf *before, struct strbuf *after)
{
	bool changed = after && strcmp(strbuf_text(before), strbuf_text(after));
	const char *cells[] = {
		changed ? ">" : "", label, strbuf_text(before),
		!after ? NULL : changed ? strbuf_text(after) : "same",
	};

	table_row(t, cells, changed);
	strbuf_free(before);
	if (after)
		strbuf_free(after);
}

static void add_levels(struct table *t, const struct snapshot *before, const struct snapshot *after)
{
	const struct snapshot *deeper = before;
	size_t i;

	if (after && after->nr_levels > before->nr_levels)
		deeper = after;
	for (i = 0; i < deeper->nr_levels; i++) {
		const struct level *l = &deeper->levels[i];
		struct strbuf label = { 0 }, a = { 0 }, b = { 0 };

		strbuf_addf(&label, "%s[%" PRIu64 "]", l->name, l->index);
		put_level(snapshot_level(before, l->name), &a);
		if (after)
			put_level(snapshot_level(after, l->name), &b);
		add_row(t, strbuf_text(&label), &a, after ? &b : NULL);
		strbuf_free(&label);
	}
}

static void add_facts(struct table *t, const struct snapshot *before, const struct snapshot *after)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fact_rows); i++) {
		struct strbuf a = { 0 }, b = { 0 };

		/* nothing to say about a page where there is none */
		if (i > 1 && !before->leaf && !(after && after->leaf))
			break;
		if (i > 3 && !before->page && !(after && after->page))
			break;
		fact_rows[i].put(before, &a);
		if (after)
			fact_rows[i].put(after, &b);
		add_row(t, fact_rows[i].label, &a, after ? &b : NULL);
	}
}

static void show_page(struct session *s, const struct page *page)
{
	const struct column columns[] = {
		{ .name = "", .width = 1, .fixed = true },
		{ .name = "", .width = 10, .fixed = true },
		{ .name = page->after ? "before" : "now", .width = SIDE_WIDTH(s), .fixed = true },
		{ .name = "after", .width = SIDE_WIDTH(s), .fixed = true },
	};
	struct table *t = table_new(s, columns, page->after ? 4 : 3);

	add_levels(t, page->before, page->after);
	add_facts(t, page->before, page->after);
	table_print(t);
}

static void put_short(const struct snapshot *s, struct strbuf *out)
{
	char size[24];

	if (!s)
		return;
	strbuf_addf(out, "%s", s->state);
	if (s->leaf)
		strbuf_addf(out, " %s", size_text(s->size, size));
	if (s->pa)
		strbuf_addf(out, " at %s", s->pa);
}

/* Of many pages the first is shown in full, and a line of each of the others. */
static void show_more_pages(struct session *s, const struct record *r)
{
	static const struct column columns[] = {
		{ .name = "page at" }, { .name = "before", .width = 30 },
		{ .name = "after", .width = 30 }, { .name = "cause" },
	};
	struct table *t;
	size_t i;

	if (r->nr_read < 2)
		return;
	t = table_new(s, columns, ARRAY_SIZE(columns));
	for (i = 1; i < r->nr_read; i++) {
		const struct page *page = &r->pages[i];
		struct strbuf addr = { 0 }, before = { 0 }, after = { 0 };
		const char *cells[4];

		strbuf_addf(&addr, "0x%" PRIx64, page->addr);
		put_short(page->before, &before);
		put_short(page->after, &after);
		cells[0] = strbuf_text(&addr);
		cells[1] = strbuf_text(&before);
		cells[2] = strbuf_text(&after);
		cells[3] = page->cause;
		table_row(t, cells, false);
		strbuf_free(&addr);
		strbuf_free(&before);
		strbuf_free(&after);
	}
	fputc('\n', s->out);
	table_print(t);
}

void put_thread(const char *comm, int64_t pid, struct strbuf *out)
{
	size_t from = out->len;

	put_bytes(out, comm ? comm : "?", comm ? strlen(comm) : 1);
	strbuf_addf(out, "[%" PRId64 "]", pid);
	strbuf_tie(out, from);
}

/* What others called is the function by which this kernel does it. */
static const char *function_of(const struct record *r)
{
	return r->driver && r->impl ? r->impl : r->op;
}

/* Of handle_mm_fault() it is bits, as the kernel's VM_FAULT_* are. */
static void put_result(const struct record *r, struct strbuf *out)
{
	if (r->fault)
		strbuf_addf(out, "= %#" PRIx64, r->ret);
	else
		strbuf_addf(out, "= %" PRId64, r->ret);
	if (r->fault && *r->fault)
		strbuf_addf(out, " (%s)", r->fault);
	if (r->errno_name)
		strbuf_addf(out, " %s", r->errno_name);
}

void show_call(const struct record *r, struct strbuf *out)
{
	size_t from;

	strbuf_addf(out, "%s(0x%" PRIx64, function_of(r), r->addr);
	if (r->nr_pages != 1) {
		strbuf_addf(out, ", ");
		from = out->len;
		strbuf_addf(out, "%" PRIu64 " pages", r->nr_pages);
		strbuf_tie(out, from);
	}
	if (*r->flags)
		strbuf_addf(out, ", %s", r->flags);
	strbuf_addf(out, ")");
	if (!strcmp(r->op, "walk") || r->predicted)
		return;
	strbuf_addf(out, " ");
	from = out->len;
	put_result(r, out);
	strbuf_tie(out, from);
}

static void show_vma(struct session *s, const struct vma *vma)
{
	struct strbuf words = { 0 };

	if (!vma) {
		show_words(s, "vma", "none");
		return;
	}
	strbuf_addf(&words, "0x%" PRIx64 "-0x%" PRIx64 " %s: ", vma->start, vma->end, vma->kind);
	put_names(vma->flags, &words);
	/* of anonymous memory it is only where it was mapped first */
	if (strcmp(vma->kind, "anon"))
		strbuf_addf(&words, "; pgoff 0x%" PRIx64, vma->pgoff);
	if (vma->file) {
		strbuf_addf(&words, "; ");
		put_bytes(&words, vma->file, strlen(vma->file));
	}
	show_words(s, "vma", strbuf_text(&words));
	strbuf_free(&words);
}

/* What would be the cause in the call's record: one of these. */
static void show_causes(struct session *s, const char *causes)
{
	char *copy = must_copy(causes ? causes : ""), *rest = copy, *cause;
	const char *label = "cause";

	while ((cause = strsep(&rest, ","))) {
		struct strbuf words = { 0 };

		if (!*cause)
			continue;
		strbuf_addf(&words, "%s: the call would %s", cause,
			    cause_words(cause, true) ? cause_words(cause, true) : "do that");
		show_words(s, label, strbuf_text(&words));
		strbuf_free(&words);
		label = "or";
	}
	free(copy);
}

/* The tables that a page at this place needs and that are not there. */
static void show_tables(struct session *s, const struct page *page)
{
	static const char *const levels[] = { "pgd", "p4d", "pud", "pmd", "pte" };
	const struct snapshot *now = page->before;
	struct strbuf words = { 0 };
	const char *last;
	size_t i;

	if (strcmp(now->state, "none") || !now->nr_levels)
		return;
	last = now->levels[now->nr_levels - 1].name;
	for (i = 0; i + 1 < ARRAY_SIZE(levels) && strcmp(levels[i], last); i++)
		;
	/* a huge page needs none below the pmd */
	for (i++; i < ARRAY_SIZE(levels); i++)
		strbuf_addf(&words, "%sa table of %s entries", words.len ? ", " : "", levels[i]);
	if (words.len && names_have(page->predicted, "thp-mapped"))
		strbuf_addf(&words, "; for a huge page no table of pte entries");
	if (words.len)
		show_words(s, "allocates", strbuf_text(&words));
	strbuf_free(&words);
}

/* What it returns are bytes, not pages. */
static bool op_copies(const char *op)
{
	return !strcmp(op, "access_process_vm");
}

static void put_outlook(const struct record *r, struct strbuf *out)
{
	show_call(r, out);
	strbuf_addf(out, " of %s, pid %" PRId64 ": ", r->comm, r->tgid);
	if (!strcmp(r->predicted, "works")) {
		strbuf_addf(out, "would work");
	} else if (strcmp(r->predicted, "fails")) {
		strbuf_addf(out, "cannot be told");
	} else {
		strbuf_addf(out, "would not work: %" PRId64, r->ret);
		if (r->errno_name)
			strbuf_addf(out, " %s", r->errno_name);
		else if (op_copies(r->op))
			strbuf_addf(out, " bytes copied");
		else
			strbuf_addf(out, " of %" PRIu64 " page%s", r->nr_pages,
				    r->nr_pages > 1 ? "s" : "");
	}
}

void show_prediction(struct session *s, const struct record *r)
{
	const char *bold = session_colors(s) ? "\033[1m" : "", *normal = *bold ? "\033[0m" : "";
	struct strbuf words = { 0 };
	size_t i = 0;

	put_outlook(r, &words);
	fputs(bold, s->out);
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	fputs(normal, s->out);
	strbuf_free(&words);
	if (r->reason_text) {
		strbuf_addf(&words, "%s (%s)", r->reason_text, r->reason ? r->reason : "?");
		show_words(s, "rule", strbuf_text(&words));
		strbuf_free(&words);
	}
	show_words(s, "to pass", r->advice ? r->advice : "");
	if (r->doubt)
		show_words(s, "open", r->doubt);
	/* the page where it stops, if it does */
	if (!strcmp(r->predicted, "fails") && r->ret > 0 && (uint64_t)r->ret < r->nr_read)
		i = r->ret;
	if (r->nr_read > 1 && i < r->nr_read) {
		strbuf_addf(&words, "%zu of %zu, at 0x%" PRIx64 ", is what is shown below%s", i + 1,
			    r->nr_read, r->pages[i].addr,
			    i ? ": the call would stop there" : "; the others may fare otherwise");
		show_words(s, "page", strbuf_text(&words));
		strbuf_free(&words);
	}
	/* the record has the VMA of the first page only */
	if (!i || (r->pages[i].addr >= r->vma->start && r->pages[i].addr < r->vma->end))
		show_vma(s, r->vma);
	if (r->nr_read <= i)
		return;
	if (strcmp(r->predicted, "fails")) {
		show_causes(s, r->pages[i].predicted);
		show_tables(s, &r->pages[i]);
	}
	fputc('\n', s->out);
	show_page(s, &r->pages[i]);
}

/* Who made a call that others made, and from where. */
static void show_observed(struct session *s, const struct record *r)
{
	struct strbuf words = { 0 };
	char time[24];

	strbuf_addf(&words, "%s, for ", r->driver);
	put_thread(r->caller_comm, r->caller_pid.value, &words);
	if (r->comm && r->tgid != r->caller_tgid.value) {
		strbuf_addf(&words, "; the memory of ");
		put_thread(r->comm, r->tgid, &words);
	}
	show_words(s, "driver", strbuf_text(&words));
	strbuf_free(&words);
	show_words(s, "time", time_text(r->duration_ns, time));
	stack_words(r->stack, &words);
	show_words(s, "stack", strbuf_text(&words));
	strbuf_free(&words);
	if (r->pages_left.known && !r->pages_left.value)
		strbuf_addf(&words, "no page any more when this was read");
	else if (r->pages_left.known)
		strbuf_addf(&words, "%" PRId64 " page%s had not been given back when this was read",
			    r->pages_left.value, r->pages_left.value == 1 ? "" : "s");
	show_words(s, "held", strbuf_text(&words));
	strbuf_free(&words);
}

/* The module looks at so many pages of an observed call, not more. */
static void show_not_looked_at(struct session *s, const struct record *r)
{
	struct strbuf words = { 0 };

	if (!r->driver || !r->nr_read || r->nr_read >= r->nr_pages)
		return;
	strbuf_addf(&words, "only the first %zu of %" PRIu64 " pages were looked at (module parameter "
		    "observe_pages)", r->nr_read, r->nr_pages);
	show_words(s, "pages", strbuf_text(&words));
	strbuf_free(&words);
}

void show_record(struct session *s, const struct record *r, size_t number)
{
	const char *bold = session_colors(s) ? "\033[1m" : "", *normal = *bold ? "\033[0m" : "";
	struct strbuf call = { 0 }, words = { 0 };
	int column;
	size_t i;

	show_call(r, &call);
	column = fprintf(s->out, "\n%zu. ", number) - 1;
	fputs(bold, s->out);
	put_wrapped(s->out, 3, column, s->wide, strbuf_text(&call));
	fputs(normal, s->out);
	if (r->reason_text) {
		strbuf_addf(&words, "%s (%s)", r->reason_text, r->reason ? r->reason : "?");
		show_words(s, "reason", strbuf_text(&words));
		strbuf_free(&words);
	}
	if (r->impl && strcmp(r->impl, r->op))
		show_words(s, r->driver ? "op" : "through", r->driver ? r->op : r->impl);
	if (r->driver)
		show_observed(s, r);
	else if (strcmp(r->mmap_lock, "kept"))
		show_words(s, "lock", strcmp(r->mmap_lock, "dropped") ?
			   "the call is made without the mmap lock, and takes it if it needs it: "
			   "others may have changed the mapping between before and after" :
			   "the call gave up the mmap lock to wait: others may have changed the "
			   "mapping between before and after");
	if (r->vma || !r->driver)
		show_vma(s, r->vma);
	if (r->nr_read)
		show_page(s, &r->pages[0]);
	for (i = 0; i < r->nr_read && i < 1; i++)
		put_meaning(r, &r->pages[i], &words);
	show_words(s, "meaning", strbuf_text(&words));
	strbuf_free(&words);
	if (r->peek) {
		put_bytes(&words, r->peek, r->peek_len);
		show_words(s, "peek", strbuf_text(&words));
	}
	if (r->held && !r->driver)
		show_words(s, "held", "by the descriptor that asked for it");
	show_not_looked_at(s, r);
	show_more_pages(s, r);
	strbuf_free(&words);
	strbuf_free(&call);
}
