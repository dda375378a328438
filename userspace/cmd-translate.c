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

enum {
	OPTION_FAULT = OPTION_LONG,
};

static const struct option_row translate_options[] = {
	{ "pid", 'p', "PID", "the process" },
	{ "fault", OPTION_FAULT, NULL,
	  "let get_user_pages_remote fault the page in, if it is not there" },
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
 * @walk: the record of the walk
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

/* A request. NULL if it was refused, with the reason in @refused, or after a complaint. */
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
		if (refused)
			strbuf_addf(refused, "%s", refusal.error);
		else
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
	if (!t->walk)
		return false;
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

static bool would_fault(struct translation *t, struct method *m)
{
	struct record *r = request(t, "get_user_pages_remote", " predict", &m->why);
	bool unchanged = r && r->nr_read && same_text(r->predicted, "works") &&
			 maps_the_same(r->pages[0].predicted);

	if (r && !unchanged) {
		if (same_text(r->predicted, "fails"))
			strbuf_addf(&m->why, "%s: %s", r->errno_name ? r->errno_name : "fails",
				    r->reason_text ? r->reason_text : "");
		else
			strbuf_addf(&m->why, "it would change the mapping (%s); --fault lets it",
				    r->pages[0].predicted && *r->pages[0].predicted ?
				    r->pages[0].predicted : "cannot tell how");
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

static void by_vm_pgoff(struct translation *t)
{
	const struct vma *vma = t->walk->vma;
	struct method *m = &t->by[BY_VM_PGOFF];

	if (!is_pfnmap(t)) {
		strbuf_addf(&m->why, "no VM_PFNMAP mapping: vm_pgoff is an offset in a file");
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
	record_free(t->walk);
	t->walk = NULL;
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
	by_follow_pfn(t);
	if (!t->fault)
		by_gup(t);
	by_vm_pgoff(t);
	by_pagemap(t);
	again = request(t, "walk", "", NULL);
	if (!again)
		return false;
	mapped = again->pages[0].before->pa && number_hex(again->pages[0].before->pa, &pa);
	*same = mapped == m->mapped && pa == m->pa;
	record_free(again);
	return true;
}

/* Beside the page tables, which are what the CPU goes by. */
static void judge(struct translation *t)
{
	const struct method *walk = &t->by[BY_WALK];
	int i;

	for (i = 0; i < NR_METHODS; i++) {
		struct method *m = &t->by[i];

		m->verdict = !m->applies ? NOT_APPLICABLE :
			     m->mapped == walk->mapped && m->pa == walk->pa ? AGREES : DISAGREES;
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

static void print_text(const struct translation *t)
{
	const struct column columns[] = {
		{ .name = "by" }, { .name = "physical" }, { .name = "verdict" },
		{ .name = "why", .width = t->s->wide - 56 },
	};
	struct table *table = table_new(t->s, columns, ARRAY_SIZE(columns));
	const struct method *walk = &t->by[BY_WALK];
	int i;

	for (i = 0; i < NR_METHODS; i++) {
		const struct method *m = &t->by[i];
		struct strbuf pa = { 0 };

		put_address(m, &pa);
		table_row(table, (const char *[]){
			m->name, pa.at, i ? verdicts[m->verdict] : "", strbuf_text(&m->why),
		}, false);
		strbuf_free(&pa);
	}
	table_print(table);
	if (walk->mapped)
		fprintf(t->s->out, "\n%s: 0x%" PRIx64 " is at 0x%" PRIx64 "\n",
			verdicts[overall(t)], t->addr, walk->pa);
	else
		fprintf(t->s->out, "\n%s: 0x%" PRIx64 " has no physical address%s\n",
			verdicts[overall(t)], t->addr, disagree(t) ? ", and not all say so" : "");
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
	struct strbuf addr = { 0 };
	int i;

	strbuf_addf(&addr, "0x%" PRIx64, t->addr);
	json_object_object_add(o, "pid", json_object_new_uint64(t->pid));
	json_put(o, "addr", addr.at);
	json_put_address(o, "pa", &t->by[BY_WALK]);
	json_put(o, "verdict", verdicts[overall(t)]);
	for (i = 0; i < NR_METHODS; i++) {
		const struct method *m = &t->by[i];
		struct json_object *one = json_object_new_object();

		json_put(one, "by", m->name);
		json_put_address(one, "pa", m);
		json_put(one, "verdict", verdicts[m->verdict]);
		json_put(one, "why", m->why.len ? m->why.at : NULL);
		json_object_array_add(methods, one);
	}
	json_object_object_add(o, "methods", methods);
	json_print(o, t->s->out);
	strbuf_free(&addr);
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
			p->status = usage_error(p->s, arg, "is no number of a process");
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
		return usage_error(s, p.argv[0], "is no address, which is hexadecimal");
	if (!t.pid)
		return usage_error(s, "-p PID", "is missing");
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
