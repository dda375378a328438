// SPDX-License-Identifier: GPL-2.0-only
/* Records -> signature. Pure: reads records, and nothing else. */
#include "signature.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/*
 * Addresses within this many bytes count as one virtual page. A record does not say how large pages
 * are; where they are larger, one may get several names, but always the same ones.
 */
#define VIRTUAL_PAGE 4096

/* Flags of a folio that come and go with the state of the LRU lists, not with what the call did. */
#define LRU_NOISE "lru,active,referenced,workingset,waiters"

/* A page of hugetlb comes from its pool with this one as its last user has left it. */
#define HUGETLB_NOISE LRU_NOISE ",dirty"

/* Numbers and the names that they got. */
struct namer {
	const char *prefix;
	unsigned int n;
	void *tree;
};

struct named {
	uint64_t number;
	unsigned int name;
};

/* The names of one run. */
struct names {
	struct namer pages;
	struct namer virtual;
	struct namer tables[LEVELS_MAX];	/* a level each: not all machines have all */
	struct namer vmas;
};

struct maker {
	struct names names;
	struct sig_step *step;
	char prefix[32];	/* of the paths of the page at hand */
};

static int named_compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void put_name(struct namer *namer, uint64_t number, struct strbuf *out)
{
	struct named *key = must_alloc(1, sizeof(*key));
	struct named **found;

	key->number = number;
	found = tsearch(key, &namer->tree, named_compare);
	if (*found == key)
		key->name = ++namer->n;
	else
		free(key);
	strbuf_addf(out, "%s%u", namer->prefix, (*found)->name);
}

static void names_begin(struct names *names)
{
	*names = (struct names){
		.pages.prefix = "P",
		.virtual.prefix = "V",
		.vmas.prefix = "M",
	};
}

static void names_end(struct names *names)
{
	size_t i;

	tdestroy(names->pages.tree, free);
	tdestroy(names->virtual.tree, free);
	tdestroy(names->vmas.tree, free);
	for (i = 0; i < LEVELS_MAX; i++)
		tdestroy(names->tables[i].tree, free);
}

static void put_fact(struct maker *m, const char *path, const char *value)
{
	struct sig_step *step = m->step;
	struct strbuf full = { 0 };
	struct fact *fact;

	step->facts = must_grow(step->facts, step->n, sizeof(*step->facts));
	fact = &step->facts[step->n++];
	strbuf_addf(&full, "%s%s", m->prefix, path);
	fact->path = full.at;
	fact->value = must_copy(value && *value ? value : "none");
	fact->named = false;
}

static void put_number(struct maker *m, const char *path, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	put_fact(m, path, text);
}

static void put_bool(struct maker *m, const char *path, bool value)
{
	put_fact(m, path, value ? "true" : "false");
}

static void put_and_free(struct maker *m, const char *path, struct strbuf *value)
{
	put_fact(m, path, strbuf_text(value));
	strbuf_free(value);
}

static void put_named(struct maker *m, const char *path, struct strbuf *name)
{
	bool named = name->len;

	put_and_free(m, path, name);
	m->step->facts[m->step->n - 1].named = named;
}

static bool in_folio(const struct page_facts *page, uint64_t pfn)
{
	return page && page->order < 64 && pfn >= page->head_pfn &&
	       (pfn - page->head_pfn) >> page->order == 0;
}

static void put_pfn(struct maker *m, const char *path, const struct maybe *pfn,
		    const struct page_facts *page)
{
	struct strbuf name = { 0 };
	uint64_t number = pfn->value;

	if (pfn->known && in_folio(page, number)) {
		put_name(&m->names.pages, page->head_pfn, &name);
		if (number != page->head_pfn)
			strbuf_addf(&name, "+%" PRIu64, number - page->head_pfn);
	} else if (pfn->known) {
		put_name(&m->names.pages, number, &name);
	}
	put_named(m, path, &name);
}

static void put_addr(struct maker *m, const char *path, uint64_t addr)
{
	struct strbuf name = { 0 };

	put_name(&m->names.virtual, addr / VIRTUAL_PAGE, &name);
	if (addr % VIRTUAL_PAGE)
		strbuf_addf(&name, "+0x%" PRIx64, addr % VIRTUAL_PAGE);
	put_named(m, path, &name);
}

static void put_page(struct maker *m, const char *side, const struct page_facts *page)
{
	struct strbuf flags = { 0 };
	char path[64];

#define PATH(name) (snprintf(path, sizeof(path), "%s.page" name, side), path)
	put_fact(m, PATH(""), page_kind(page));
	if (!page)
		return;
	if (page->anon_exclusive.known)
		put_bool(m, PATH(".anon_exclusive"), page->anon_exclusive.value);
	else
		put_fact(m, PATH(".anon_exclusive"), SIG_UNKNOWN);
	put_number(m, PATH(".order"), page->order);
	put_number(m, PATH(".mapcount"), page->mapcount);
	put_bool(m, PATH(".pincount_exact"), page->pincount_exact);
	names_without(page->flags,
		      names_have(page->flags, "hugetlb") ? HUGETLB_NOISE : LRU_NOISE, &flags);
	put_and_free(m, PATH(".flags"), &flags);
#undef PATH
}

#define DIRTY_BITS "DIRTY,SAVED_DIRTY"

/*
 * x86 keeps the dirty bit of an entry without the right to write elsewhere since Linux kernel
 * commit "x86/mm: Introduce _PAGE_SAVED_DIRTY" (in v6.6), as there it would mean a shadow stack.
 * For the kernel's own question, pte_dirty(), both are one.
 */
static void put_entry_flags(struct maker *m, const char *path, const char *flags)
{
	struct strbuf said = { 0 };

	names_without(flags, DIRTY_BITS, &said);
	if (names_have(flags, "DIRTY") || names_have(flags, "SAVED_DIRTY"))
		strbuf_word(&said, ",", "DIRTY");
	put_and_free(m, path, &said);
}

static void put_levels(struct maker *m, const char *side, const struct snapshot *s)
{
	struct strbuf names = { 0 };
	char path[64];
	size_t i;

	for (i = 0; i < s->nr_levels; i++)
		strbuf_word(&names, ",", s->levels[i].name);
	snprintf(path, sizeof(path), "%s.levels", side);
	put_and_free(m, path, &names);
	for (i = 0; i < s->nr_levels; i++) {
		const struct level *l = &s->levels[i];
		struct strbuf table = { 0 };

		snprintf(path, sizeof(path), "%s.levels.%s.flags", side, l->name);
		if (l->folded) {
			put_fact(m, path, SIG_UNKNOWN);
			continue;
		}
		put_entry_flags(m, path, l->flags);
		snprintf(path, sizeof(path), "%s.levels.%s.table", side, l->name);
		m->names.tables[i].prefix = l->name;
		put_name(&m->names.tables[i], l->table, &table);
		put_named(m, path, &table);
	}
}

static void put_snapshot(struct maker *m, const char *side, const struct snapshot *s)
{
	char path[64], size[24];

	if (!s)
		return;
#define PATH(name) (snprintf(path, sizeof(path), "%s." name, side), path)
	put_fact(m, PATH("state"), s->state);
	put_fact(m, PATH("leaf"), s->leaf);
	snprintf(size, sizeof(size), "%" PRIu64, s->size);
	put_fact(m, PATH("size"), size);
	put_pfn(m, PATH("pfn"), &s->pfn, s->page);
	put_fact(m, PATH("rights"), s->rights);
	if (s->marker)
		put_fact(m, PATH("marker"), s->marker);
	put_page(m, side, s->page);
	put_levels(m, side, s);
	put_bool(m, PATH("stable"), s->stable);
#undef PATH
}

/* See the head of signature.h. */
static int in_lru_batch(const struct page_facts *page)
{
	return !names_have(page->flags, "lru");
}

static void put_deltas(struct maker *m, const struct page *page)
{
	int64_t ref = page->refcount_delta.value;

	/* the references of the zero page are everybody's */
	if (page->before->page && page->before->page->zero)
		return;
	if (page->refcount_delta.known) {
		if (page->before->page && page->after && page->after->page)
			ref += in_lru_batch(page->before->page) - in_lru_batch(page->after->page);
		put_number(m, "before.page.gained_refs", ref);
	}
	if (page->pincount_delta.known)
		put_number(m, "before.page.gained_pins", page->pincount_delta.value);
}

static void put_one_page(struct maker *m, const struct page *page, size_t i)
{
	const struct page_facts *facts = page->after ? page->after->page : NULL;

	if (i)
		snprintf(m->prefix, sizeof(m->prefix), "pages.%zu.", i + 1);
	if (!facts || !in_folio(facts, page->pfn.value))
		facts = page->before->page;
	put_addr(m, "addr", page->addr);
	put_fact(m, "cause", page->cause);
	put_snapshot(m, "before", page->before);
	put_snapshot(m, "after", page->after);
	put_pfn(m, "pfn", &page->pfn, facts);
	put_deltas(m, page);
}

static void put_vma(struct maker *m, const struct vma *vma)
{
	struct strbuf name = { 0 };

	if (vma)
		put_name(&m->names.vmas, vma->start, &name);
	put_named(m, "vma", &name);
	if (!vma)
		return;
	put_fact(m, "vma.kind", vma->kind);
	put_fact(m, "vma.flags", vma->flags);
}

static void make_step(struct maker *m, const struct record *r)
{
	struct strbuf peek = { 0 };
	size_t i;

	m->prefix[0] = '\0';
	m->step->op = must_copy(r->op);
	put_fact(m, "flags", r->flags);
	put_number(m, "nr_pages", r->nr_pages);
	put_number(m, "ret", r->ret);
	put_fact(m, "errno", r->errno_name);
	if (r->fault)
		put_fact(m, "fault", r->fault);
	put_fact(m, "reason", r->reason);
	put_fact(m, "mmap_lock", r->mmap_lock);
	put_bool(m, "held", r->held);
	if (r->peek)
		put_bytes(&peek, r->peek, r->peek_len);
	put_and_free(m, "peek", &peek);
	put_vma(m, r->vma);
	put_number(m, "pages", r->nr_read);
	for (i = 0; i < r->nr_read; i++)
		put_one_page(m, &r->pages[i], i);
}

static bool same_run(const struct record *a, const struct record *b)
{
	return a->run ? b->run && !strcmp(a->run, b->run) : !b->run;
}

void signature_make(const struct records *records, struct signature *sig)
{
	struct maker m;
	size_t i, run = 0, number = 0;

	names_begin(&m.names);
	sig->n = records->n;
	sig->steps = must_alloc(records->n, sizeof(*sig->steps));
	for (i = 0; i < records->n; i++) {
		if (i && !same_run(records->at[i - 1], records->at[i])) {
			names_end(&m.names);
			names_begin(&m.names);
			run++;
			number = 0;
		}
		m.step = &sig->steps[i];
		m.step->run = run;
		m.step->number = ++number;
		m.step->label = records->at[i]->run ? must_copy(records->at[i]->run) : NULL;
		make_step(&m, records->at[i]);
	}
	names_end(&m.names);
}

void signature_free(struct signature *sig)
{
	size_t i, j;

	for (i = 0; i < sig->n; i++) {
		struct sig_step *step = &sig->steps[i];

		for (j = 0; j < step->n; j++) {
			free(step->facts[j].path);
			free(step->facts[j].value);
		}
		free(step->facts);
		free(step->op);
		free(step->label);
	}
	free(sig->steps);
	*sig = (struct signature){ 0 };
}

const char *sig_step_value(const struct sig_step *step, const char *path)
{
	size_t i;

	for (i = 0; i < step->n; i++)
		if (!strcmp(step->facts[i].path, path))
			return step->facts[i].value;
	return NULL;
}
