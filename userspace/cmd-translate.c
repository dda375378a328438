// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk translate: the physical address of an address, by every way there is to ask for it. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "about.h"
#include "device.h"
#include "json.h"
#include "number.h"
#include "print.h"
#include "record.h"
#include "words.h"

enum {
	OPTION_FAULT = OPTION_LONG,
};

static const struct option_row translate_options[] = {
	{ "pid", 'p', "PID", "the process" },
	{ "fault", OPTION_FAULT, NULL,
	  "let get_user_pages_remote fault the page in for reading, if it is not there" },
	{ NULL }
};

/* Documentation/admin-guide/mm/pagemap.rst of the kernel */
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)

/* The mapping may change while it is looked at; then all are asked again. */
#define TRIES 5

enum verdict { AGREES, DISAGREES, NOT_APPLICABLE };

static const char *const verdicts[] = {
	[AGREES] = "agree", [DISAGREES] = "disagree", [NOT_APPLICABLE] = "not applicable",
};

/**
 * struct method - a way to ask
 * @name: of the way
 * @mapped: it gave an address
 * @pa: the address
 * @applies: it can be asked here
 * @verdict: beside what the page tables say
 * @why: why it cannot be asked, or what it says instead; may be empty
 */
struct method {
	const char *name;
	bool mapped;
	uint64_t pa;
	bool applies;
	enum verdict verdict;
	struct strbuf why;
};

enum { BY_WALK, BY_FOLLOW_PFN, BY_GUP, BY_VM_PGOFF, BY_PAGEMAP, NR_METHODS };

/**
 * struct translation - one address
 * @s: the invocation
 * @about: what the module says of its kernel
 * @fd: descriptor for requests
 * @pid: the process
 * @addr: the address
 * @page: bytes of a page
 * @fault: pages may be faulted in
 * @nowhere: why no VMA can have the address; or empty
 * @walk: the record of the walk; NULL if there is no VMA
 * @by: the ways
 */
struct translation {
	struct session *s;
	struct about about;
	int fd;
	uint64_t pid;
	uint64_t addr;
	uint64_t page;
	bool fault;
	struct strbuf nowhere;
	struct record *walk;
	struct method by[NR_METHODS];
};

static uint64_t address_of(const struct translation *t, uint64_t pfn)
{
	return pfn * t->page + t->addr % t->page;
}

static void found(const struct translation *t, struct method *m, uint64_t pfn)
{
	m->applies = true;
	m->mapped = true;
	m->pa = address_of(t, pfn);
}

/*
 * A request. NULL if it was refused, with the reason in @refused, or after a complaint. That there
 * is no such address is an answer to the user's question: it goes to @t->nowhere.
 */
static struct record *request(struct translation *t, const char *op, const char *words,
			      struct strbuf *refused)
{
	struct strbuf line = { 0 }, answer = { 0 }, wrong = { 0 };
	struct record *r = NULL;
	struct refusal refusal;
	int error;

	strbuf_addf(&line, "op=%s nokeep pid=%" PRIu64 " addr=0x%" PRIx64 "%s", op, t->pid, t->addr,
		    words);
	switch (device_request(t->fd, line.at, &answer, &error)) {
	case ANSWER_RECORD:
		r = record_parse(strbuf_text(&answer), answer.len, &wrong);
		if (!r)
			complain("reading a record", op, strbuf_text(&wrong),
				 "use a gupwalk and a module of the same release");
		break;
	case ANSWER_REFUSED:
		refusal_read(strbuf_text(&answer), error, &refusal);
		if (error == EFAULT) {
			strbuf_free(&t->nowhere);
			strbuf_addf(&t->nowhere, "%s", refusal_reason(&refusal));
		}
		if (refused)
			strbuf_addf(refused, "%s", refusal_reason(&refusal));
		else if (error != EFAULT)
			refusal_complain(line.at, &refusal);
		refusal_free(&refusal);
		break;
	case ANSWER_LOST:
		break;
	}
	strbuf_free(&line);
	strbuf_free(&answer);
	strbuf_free(&wrong);
	return r;
}

static const struct snapshot *now(const struct translation *t)
{
	return t->walk->pages[0].before;
}

static bool is_pfnmap(const struct translation *t)
{
	return names_have(t->walk->vma->flags, "pfnmap");
}

static bool by_walk(struct translation *t)
{
	struct method *m = &t->by[BY_WALK];

	t->walk = request(t, "walk", "", NULL);
	if (!t->walk) {
		strbuf_addf(&m->why, "%s", strbuf_text(&t->nowhere));
		return t->nowhere.len;
	}
	m->applies = true;
	m->mapped = now(t)->pa && number_hex(now(t)->pa, &m->pa);
	if (m->mapped)
		strbuf_addf(&m->why, "by the %s%s", now(t)->leaf,
			    strcmp(now(t)->state, "protnone") ? "" : ", which nobody may use");
	else
		strbuf_addf(&m->why, "%s: no page is mapped", now(t)->state);
	return true;
}

/* What a call made of it: an address, or why not. */
static void by_record(struct translation *t, struct method *m, struct record *r)
{
	if (r && r->nr_read && r->pages[0].pfn.known)
		found(t, m, r->pages[0].pfn.value);
	else if (r)
		strbuf_addf(&m->why, "%s: %s", r->errno_name ? r->errno_name : "no page came",
			    r->reason_text ? r->reason_text : "the kernel did not say why");
	record_free(r);
}

static bool available(const struct translation *t, const char *op, struct method *m)
{
	const struct op_row *row = about_op(&t->about, op);

	if (row && row->available)
		return true;
	strbuf_addf(&m->why, "not on this kernel: %s", row ? row->note : "no such op");
	return false;
}

static void by_follow_pfn(struct translation *t)
{
	struct method *m = &t->by[BY_FOLLOW_PFN];

	if (!available(t, "follow_pfn", m))
		return;
	by_record(t, m, request(t, "follow_pfn", "", &m->why));
}

/* At most bits of the entry, as that of having been accessed, which GUP sets in a huge page's. */
static bool maps_the_same(const char *predicted)
{
	return same_text(predicted, "unchanged") || same_text(predicted, "flags-only") ||
	       same_text(predicted, "unchanged,flags-only");
}

/* What it may be that the call would do: one of these. */
static void put_causes(const char *causes, struct strbuf *out)
{
	char *copy = must_copy(causes ? causes : ""), *rest = copy, *cause;
	const char *sep = "";

	while ((cause = strsep(&rest, ","))) {
		if (!*cause)
			continue;
		strbuf_addf(out, "%s%s", sep, cause_words(cause, true) ?: cause);
		sep = ", or ";
	}
	if (!*sep)
		strbuf_addf(out, "change the mapping, which way cannot be told");
	free(copy);
}

static bool would_fault(struct translation *t, struct method *m)
{
	struct record *r = request(t, "get_user_pages_remote", " predict", &m->why);
	bool unchanged = r && r->nr_read && same_text(r->predicted, "works") &&
			 maps_the_same(r->pages[0].predicted);

	if (r && !unchanged && same_text(r->predicted, "fails")) {
		strbuf_addf(&m->why, "%s: %s", r->errno_name ? r->errno_name : "fails",
			    r->reason_text ? r->reason_text : "");
	} else if (r && !unchanged) {
		bool works = same_text(r->predicted, "works");

		strbuf_addf(&m->why, works ? "it would " : "maybe it would ");
		put_causes(r->nr_read ? r->pages[0].predicted : NULL, &m->why);
		if (!works)
			strbuf_addf(&m->why, "; maybe it would fail%s%s", r->doubt ? ": " : "",
				    r->doubt ? r->doubt : "");
		strbuf_addf(&m->why, "; --fault lets it");
	}
	record_free(r);
	return !unchanged;
}

/* Without --fault only where nothing is to be faulted in, and with FOLL_NOFAULT where it exists. */
static void by_gup(struct translation *t)
{
	const struct op_row *row = about_op(&t->about, "get_user_pages_remote");
	struct method *m = &t->by[BY_GUP];
	const char *words = "";

	if (!available(t, "get_user_pages_remote", m))
		return;
	if (!t->fault) {
		if (would_fault(t, m))
			return;
		if (row->flags && names_have(row->flags, "nofault"))
			words = " flags=nofault";
	}
	by_record(t, m, request(t, "get_user_pages_remote", words, &m->why));
}

static const char *vma_pgoff_words(const struct vma *vma)
{
	if (!strcmp(vma->kind, "anon"))
		return "where it was mapped first, in pages";
	if (!strcmp(vma->kind, "special"))
		return "an offset in what the kernel or a driver maps";
	return "an offset in a file";
}

static void by_vm_pgoff(struct translation *t)
{
	const struct vma *vma = t->walk->vma;
	struct method *m = &t->by[BY_VM_PGOFF];

	if (!is_pfnmap(t)) {
		strbuf_addf(&m->why, "no VM_PFNMAP mapping: vm_pgoff is %s", vma_pgoff_words(vma));
		return;
	}
	if (!t->by[BY_WALK].mapped) {
		strbuf_addf(&m->why, "nothing is mapped now that it could stand for");
		return;
	}
	found(t, m, vma->pgoff + (t->addr - vma->start) / t->page);
}

static void by_pagemap(struct translation *t)
{
	struct method *m = &t->by[BY_PAGEMAP];
	uint64_t word = 0;
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/pagemap", t->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &word, 8, t->addr / t->page * 8) != 8)
		strbuf_addf(&m->why, "cannot be read: %s", strerror(errno));
	else if (word & PM_PRESENT && word & PM_PFN)
		found(t, m, word & PM_PFN);
	else if (word & PM_PRESENT)
		strbuf_addf(&m->why, "it hides page frames from this user");
	else if (is_pfnmap(t))
		strbuf_addf(&m->why, "it does not look into VM_PFNMAP mappings");
	else
		m->applies = true;
	if (fd >= 0)
		close(fd);
}

static void forget(struct translation *t)
{
	int i;

	for (i = 0; i < NR_METHODS; i++)
		strbuf_free(&t->by[i].why);
	memset(t->by, 0, sizeof(t->by));
	t->by[BY_WALK].name = "page tables";
	t->by[BY_FOLLOW_PFN].name = "follow_pfn";
	t->by[BY_GUP].name = "get_user_pages_remote";
	t->by[BY_VM_PGOFF].name = "vm_pgoff";
	t->by[BY_PAGEMAP].name = "pagemap";
	strbuf_free(&t->nowhere);
	record_free(t->walk);
	t->walk = NULL;
}

/* No VMA: none of them has anything to go by. */
static void nowhere(struct translation *t)
{
	int i;

	for (i = 0; i < NR_METHODS; i++)
		if (!t->by[i].why.len)
			strbuf_addf(&t->by[i].why, "%s", strbuf_text(&t->nowhere));
}

/* All ways once. Returns false after a complaint; *same: the mapping stayed as it was. */
static bool ask_all(struct translation *t, bool *same)
{
	const struct method *m = &t->by[BY_WALK];
	struct record *again;
	uint64_t pa = 0;
	bool mapped;

	forget(t);
	if (t->fault)
		by_gup(t);
	if (!by_walk(t))
		return false;
	if (!t->walk) {
		nowhere(t);
		*same = true;
		return true;
	}
	strbuf_free(&t->nowhere);
	by_follow_pfn(t);
	if (!t->fault)
		by_gup(t);
	by_vm_pgoff(t);
	by_pagemap(t);
	again = request(t, "walk", "", NULL);
	if (!again) {
		*same = false;
		return t->nowhere.len;
	}
	mapped = again->pages[0].before->pa && number_hex(again->pages[0].before->pa, &pa);
	*same = mapped == m->mapped && pa == m->pa;
	record_free(again);
	return true;
}

/*
 * Beside the page tables, which are what the CPU goes by. Where nothing is mapped, one that gives
 * no address has nothing to agree about.
 */
static void judge(struct translation *t)
{
	const struct method *walk = &t->by[BY_WALK];
	int i;

	for (i = 0; i < NR_METHODS; i++) {
		struct method *m = &t->by[i];

		if (!m->applies || (!m->mapped && !walk->mapped))
			m->verdict = NOT_APPLICABLE;
		else if (m->mapped == walk->mapped && m->pa == walk->pa)
			m->verdict = AGREES;
		else
			m->verdict = DISAGREES;
		if (m->verdict == NOT_APPLICABLE && !m->why.len)
			strbuf_addf(&m->why, "it has no page here either");
		if (m->verdict != DISAGREES)
			continue;
		if (i == BY_VM_PGOFF)
			strbuf_addf(&m->why, "here it is an offset of the driver's own, not a page "
				    "frame: the page tables are right");
		else
			strbuf_addf(&m->why, "the page tables are right: they are what the CPU "
				    "goes by");
	}
}

static bool disagree(const struct translation *t)
{
	int i;

	for (i = 0; i < NR_METHODS; i++)
		if (t->by[i].verdict == DISAGREES)
			return true;
	return false;
}

/* Of all of them. Where nothing is mapped, there is nothing that they could agree on. */
static enum verdict overall(const struct translation *t)
{
	if (disagree(t))
		return DISAGREES;
	return t->by[BY_WALK].mapped ? AGREES : NOT_APPLICABLE;
}

static void put_address(const struct method *m, struct strbuf *out)
{
	if (m->mapped)
		strbuf_addf(out, "0x%" PRIx64, m->pa);
	else
		strbuf_addf(out, "-");
}

/* What page it is: kind as page_kind() has it, of what is no anonymous page as the VMA has it. */
static const char *kind_of(const struct translation *t)
{
	const char *kind = page_kind(now(t)->page);

	return strcmp(kind, "other") ? kind : t->walk->vma->kind;
}

static void put_page(const struct translation *t, struct strbuf *out)
{
	static const struct {
		const char *kind;
		const char *words;
	} pages[] = {
		{ "zero", "the shared page of zeros" },
		{ "ksm", "a page that KSM shares" },
		{ "anon", "an anonymous page" },
		{ "file", "a page of a file" },
		{ "shmem", "a page of shared memory" },
		{ "hugetlb", "a page of the hugetlb pool" },
		{ "none", "a page frame that is mapped as no ordinary page" },
	};
	const char *kind = kind_of(t), *words = "a page of the kernel or a driver";
	char *rights = must_copy(now(t)->rights && *now(t)->rights ? now(t)->rights : "no rights");
	char size[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (!strcmp(pages[i].kind, kind))
			words = pages[i].words;
	strbuf_addf(out, "%s (%s, %s)", words, size_text(now(t)->size, size), spaced(rights));
	if (!strcmp(kind, "zero") || !strcmp(kind, "ksm"))
		strbuf_addf(out, ": the first write puts a page of its own in its place, at another "
			    "address");
	free(rights);
}

/* The last sentence: where it is, what is there, and who is right. */
static void put_result(const struct translation *t, struct strbuf *out)
{
	const struct method *walk = &t->by[BY_WALK];
	const char *sep = " (";
	int i;

	strbuf_addf(out, "%s: 0x%" PRIx64, verdicts[overall(t)], t->addr);
	if (walk->mapped) {
		strbuf_addf(out, " is at 0x%" PRIx64 ", ", walk->pa);
		put_page(t, out);
	} else {
		strbuf_addf(out, " has no physical address");
		if (!t->walk)
			strbuf_addf(out, ": %s", strbuf_text(&t->nowhere));
	}
	if (!disagree(t))
		return;
	strbuf_addf(out, ". The page tables are right, and wrong here is what else was asked");
	for (i = 0; i < NR_METHODS; i++) {
		if (t->by[i].verdict != DISAGREES)
			continue;
		strbuf_addf(out, "%s%s", sep, t->by[i].name);
		sep = ", ";
	}
	strbuf_addf(out, ")");
}

static void print_text(const struct translation *t)
{
	const struct column columns[] = {
		{ .name = "by" }, { .name = "physical" }, { .name = "verdict" },
		{ .name = "why", .width = t->s->wide - 56 },
	};
	struct strbuf result = { 0 };
	struct table *table;
	int i;

	if (t->walk) {
		table = table_new(t->s, columns, ARRAY_SIZE(columns));
		for (i = 0; i < NR_METHODS; i++) {
			const struct method *m = &t->by[i];
			struct strbuf pa = { 0 };

			put_address(m, &pa);
			table_row(table, (const char *[]){
				m->name, pa.at, i == BY_WALK ? "-" : verdicts[m->verdict],
				strbuf_text(&m->why),
			}, false);
			strbuf_free(&pa);
		}
		table_print(table);
		fputc('\n', t->s->out);
	}
	put_result(t, &result);
	put_wrapped(t->s->out, 2, 0, t->s->wide, strbuf_text(&result));
	strbuf_free(&result);
}

static void json_put_address(struct json_object *o, const char *key, const struct method *m)
{
	struct strbuf pa = { 0 };

	put_address(m, &pa);
	json_put(o, key, m->mapped ? pa.at : NULL);
	strbuf_free(&pa);
}

static void print_json(const struct translation *t)
{
	struct json_object *o = json_object_new_object(), *methods = json_object_new_array();
	struct strbuf addr = { 0 }, result = { 0 };
	bool mapped = t->by[BY_WALK].mapped;
	int i;

	put_result(t, &result);
	strbuf_addf(&addr, "0x%" PRIx64, t->addr);
	json_object_object_add(o, "pid", json_object_new_uint64(t->pid));
	json_put(o, "addr", addr.at);
	json_put_address(o, "pa", &t->by[BY_WALK]);
	json_put(o, "verdict", verdicts[overall(t)]);
	json_put(o, "text", strbuf_text(&result));
	json_object_object_add(o, "fault", json_object_new_boolean(t->fault));
	json_put(o, "state", t->walk ? now(t)->state : NULL);
	json_put(o, "level", mapped ? now(t)->leaf : NULL);
	json_object_object_add(o, "size", mapped ? json_object_new_uint64(now(t)->size) : NULL);
	json_object_object_add(o, "rights", mapped ? json_names(now(t)->rights) : NULL);
	json_put(o, "page", mapped ? kind_of(t) : NULL);
	for (i = 0; i < NR_METHODS; i++) {
		const struct method *m = &t->by[i];
		struct json_object *one = json_object_new_object();

		json_put(one, "by", m->name);
		json_put_address(one, "pa", m);
		json_put(one, "verdict", i == BY_WALK ? NULL : verdicts[m->verdict]);
		json_put(one, "why", m->why.len ? m->why.at : NULL);
		json_object_array_add(methods, one);
	}
	json_object_object_add(o, "methods", methods);
	json_print(o, t->s->out);
	strbuf_free(&addr);
	strbuf_free(&result);
}

static int translate(struct translation *t)
{
	static const int statuses[] = {
		[AGREES] = STATUS_FINE, [DISAGREES] = STATUS_DIFFERS,
		[NOT_APPLICABLE] = STATUS_CANNOT,
	};
	bool same = false;
	int tries;

	for (tries = 0; !same && tries < TRIES; tries++)
		if (!ask_all(t, &same))
			return STATUS_TROUBLE;
	if (!same) {
		complain("translating", NULL, "the mapping keeps changing",
			 "stop the process while you look: kill -STOP");
		return STATUS_TROUBLE;
	}
	judge(t);
	if (t->s->json)
		print_json(t);
	else
		print_text(t);
	return statuses[overall(t)];
}

static bool scan_options(struct parser *p, struct translation *t)
{
	const char *arg;
	int c;

	while ((c = parser_next(p, &arg)) > 0) {
		if (c == OPTION_FAULT) {
			t->fault = true;
			continue;
		}
		if (!number_parse(arg, INT_MAX, &t->pid) || !t->pid) {
			p->status = usage_error(p->s, arg, NO_PID);
			return false;
		}
	}
	return c == 0;
}

static int do_translate(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct translation t = { .s = s, .fd = -1 };
	int status = STATUS_TROUBLE;

	if (!scan_options(&p, &t))
		return p.status;
	if (!parser_words(&p, 1, 1))
		return STATUS_TROUBLE;
	if (!number_hex(p.argv[0], &t.addr))
		return usage_error(s, p.argv[0], NO_ADDRESS);
	if (!t.pid)
		return usage_error(s, "-p PID", NOT_GIVEN);
	if (!about_read(s->debugfs, &t.about))
		return STATUS_TROUBLE;
	t.page = about_number(&t.about, "page_size");
	if (device_need_live(s->debugfs))
		t.fd = device_open(s->debugfs);
	if (t.fd >= 0 && session_out(s)) {
		status = translate(&t);
		forget(&t);
	}
	if (t.fd >= 0)
		close(t.fd);
	about_free(&t.about);
	return status;
}

const struct command command_translate = {
	.name = "translate",
	.words = "-p PID ADDR",
	.summary = "the physical address by every way there is to ask for it, and whether they "
		   "agree",
	.options = translate_options,
	.run = do_translate,
};
