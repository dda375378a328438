// SPDX-License-Identifier: GPL-2.0-only
/* What tokens and counts mean, in words. */
#include "words.h"

#include <inttypes.h>
#include <string.h>

/* The table of causes in debugfs-layout.md, for people. */
static const struct {
	const char *cause;
	const char *words;	/* the call … */
	const char *would;	/* the call would … */
} causes[] = {
	{ "unchanged",
	  "changed nothing in the page tables of this address",
	  "change nothing in the page tables of this address" },
	{ "table-allocated",
	  "allocated page tables, but mapped nothing",
	  "allocate page tables, but map nothing" },
	{ "table-freed",
	  "freed page tables of a hole",
	  "free page tables of a hole" },
	{ "zero-mapped",
	  "mapped the page of zeros that everyone shares, read-only",
	  "map the page of zeros that everyone shares, read-only" },
	{ "anon-allocated",
	  "found nothing mapped, took a fresh page and mapped it",
	  "find nothing mapped, take a fresh page and map it" },
	{ "file-mapped",
	  "mapped a page of a file or of shared memory",
	  "map a page of a file or of shared memory" },
	{ "pfn-mapped",
	  "mapped a page frame that is no ordinary page (VM_PFNMAP)",
	  "map a page frame that is no ordinary page (VM_PFNMAP)" },
	{ "thp-mapped",
	  "mapped a transparent huge page, with one entry above the PTE table",
	  "map a transparent huge page, with one entry above the PTE table" },
	{ "hugetlb-mapped",
	  "mapped a page of the hugetlb pool",
	  "map a page of the hugetlb pool" },
	{ "cow",
	  "copied the page to a private one, so that it can be written to (copy on write)",
	  "copy the page to a private one, so that it can be written to (copy on write)" },
	{ "unshare",
	  "gave the mapping a page that it shares with no one, without a write",
	  "give the mapping a page that it shares with no one, without a write" },
	{ "swap-in",
	  "brought the page back from swap",
	  "bring the page back from swap" },
	{ "thp-split",
	  "split the huge mapping into small entries of the same pages",
	  "split the huge mapping into small entries of the same pages" },
	{ "migrated",
	  "moved the page to another page frame",
	  "move the page to another page frame" },
	{ "protnone-restored",
	  "made an entry that no access was allowed to accessible again",
	  "make an entry that no access is allowed to accessible again" },
	{ "flags-only",
	  "changed bits of the entries; the same page stays mapped",
	  "change bits of the entries; the same page stays mapped" },
	{ "unmapped",
	  "took the mapping away",
	  "take the mapping away" },
	{ "replaced",
	  "mapped another page in place of the one that was there",
	  "map another page in place of the one that is there" },
	{ "unstable",
	  "cannot be judged: the page tables were changing all the while",
	  "meet page tables that are changing all the while" },
};

const char *cause_words(const char *cause, bool would)
{
	size_t i;

	for (i = 0; cause && i < ARRAY_SIZE(causes); i++)
		if (!strcmp(causes[i].cause, cause))
			return would ? causes[i].would : causes[i].words;
	return NULL;
}

static void put_obtained(const struct page *page, struct strbuf *out)
{
	const struct snapshot *after = page->after;

	if (!page->pfn.known || !after)
		return;
	strbuf_addf(out, " It gave page frame 0x%" PRIx64 ", ", page->pfn.value);
	if (after->pfn.known && after->pfn.value == page->pfn.value)
		strbuf_addf(out, "the one that the page tables map now.");
	else
		strbuf_addf(out, "which is not what the page tables map now.");
}

/* The references of a small anonymous page that was not there before: each has an owner. */
static void put_owners(const struct page_facts *facts, struct strbuf *out)
{
	bool batch = !names_have(facts->flags, "lru");
	int64_t call = facts->refcount - facts->mapcount - batch;

	if (!facts->anon || facts->zero || facts->order || call < 0)
		return;
	strbuf_addf(out, " Its references: %" PRId64 " of the mapping", facts->mapcount);
	if (batch)
		strbuf_addf(out, ", 1 of this CPU's batch of pages that wait to go on an LRU list");
	if (call)
		strbuf_addf(out, ", %" PRId64 " of the call", call);
	strbuf_addf(out, ".");
}

static void put_counts(const struct page *page, struct strbuf *out)
{
	const struct page_facts *facts = page->after ? page->after->page : NULL;

	if (!facts)
		return;
	if (page->pincount_delta.known && page->pincount_delta.value > 0)
		strbuf_addf(out, " Pins went up by %" PRId64 "%s.", page->pincount_delta.value,
			    facts->pincount_exact ? ", counted exactly" :
			    " (a pin of a small folio is 1024 references)");
	else if (page->refcount_delta.known && page->refcount_delta.value > 0)
		strbuf_addf(out, " The page has %" PRId64 " reference%s more than before.",
			    page->refcount_delta.value, page->refcount_delta.value > 1 ? "s" : "");
	else if (page->refcount_delta.known && page->refcount_delta.value < 0)
		strbuf_addf(out, " The page has %" PRId64 " reference%s less than before.",
			    -page->refcount_delta.value,
			    page->refcount_delta.value < -1 ? "s" : "");
	else if (!page->refcount_delta.known)
		put_owners(facts, out);
}

void put_meaning(const struct record *r, const struct page *page, struct strbuf *out)
{
	const char *words = cause_words(page->cause, false);

	if (!page->after)
		return;
	if (page->before && !strcmp(page->before->state, "migration") && page->cause &&
	    !strcmp(page->cause, "migrated"))
		strbuf_addf(out, "The page was being moved: the call waited, and found it at another "
			    "page frame.");
	else if (words)
		strbuf_addf(out, "The call %s.", words);
	else if (page->cause)
		strbuf_addf(out, "%s.", page->cause);
	if (!r->errno_name)
		put_obtained(page, out);
	put_counts(page, out);
}
