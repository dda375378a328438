// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk explain: what a call would do, and by which rule it would not; the call is not made. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "device.h"
#include "drive.h"
#include "number.h"
#include "record.h"
#include "show.h"
#include "status.h"
#include "text.h"

enum {
	OPTION_OP = OPTION_LONG,
	OPTION_FLAGS,
	OPTION_PAGES,
};

static const struct option_row explain_options[] = {
	{ "pid", 'p', "PID", "the process whose memory it is" },
	{ "op", OPTION_OP, "OP", "the call" },
	{ "flags", OPTION_FLAGS, "F,…", "its flags, e.g. write,longterm" },
	{ "pages", OPTION_PAGES, "N", "for N pages from there on" },
	{ NULL }
};

struct question {
	uint64_t pid;
	uint64_t addr;
	uint64_t pages;
	const char *op;
	const char *flags;
};

static bool scan_options(struct parser *p, struct question *q)
{
	const char *arg;
	int c;

	while ((c = parser_next(p, &arg)) > 0) {
		bool good = true;

		switch (c) {
		case 'p':
			good = number_parse(arg, INT_MAX, &q->pid) && q->pid;
			break;
		case OPTION_OP:
			q->op = arg;
			break;
		case OPTION_FLAGS:
			q->flags = arg;
			break;
		case OPTION_PAGES:
			good = number_parse(arg, DRIVE_PAGES_MAX, &q->pages) && q->pages;
			break;
		}
		if (!good) {
			p->status = usage_error(p->s, arg, c == 'p' ? NO_PID :
						NO_PAGES);
			return false;
		}
	}
	return c == 0;
}

/* Some drivers count with what is locked (vfio), others with what is pinned (RDMA). */
static const char *over_or_within(uint64_t kb, uint64_t locked, uint64_t pinned, uint64_t limit)
{
	bool by_locked = kb + locked > limit, by_pinned = kb + pinned > limit;

	if (by_locked != by_pinned)
		return by_locked ? "over it for a driver that counts locked memory, and within" :
		       "over it for a driver that counts pinned memory, and within";
	return by_locked ? "over" : "within";
}

/* get_user_pages looks at no limit: those who pin for good do, each for itself. */
static void show_limit(struct session *s, const struct question *q)
{
	uint64_t kb = q->pages * sysconf(_SC_PAGESIZE) / 1024, locked, pinned;
	struct strbuf words = { 0 };
	struct rlimit limit;

	if (!q->flags || !names_have(q->flags, "longterm") ||
	    prlimit(q->pid, RLIMIT_MEMLOCK, NULL, &limit) ||
	    !status_kb(q->pid, "VmLck:", &locked) || !status_kb(q->pid, "VmPin:", &pinned))
		return;
	strbuf_addf(&words, "%" PRIu64 " page%s %" PRIu64 " kB: ", q->pages,
		    q->pages > 1 ? "s are" : " is", kb);
	if (limit.rlim_cur == RLIM_INFINITY)
		strbuf_addf(&words, "within the limit, RLIMIT_MEMLOCK is unlimited");
	else
		strbuf_addf(&words, "%s the limit of %" PRIu64 " kB (RLIMIT_MEMLOCK)",
			    over_or_within(kb, locked, pinned, limit.rlim_cur / 1024),
			    (uint64_t)limit.rlim_cur / 1024);
	strbuf_addf(&words, "; %" PRIu64 " kB are locked now, %" PRIu64 " kB pinned. The call does not "
		    "look at it, a driver that pins for good does, unless the process has "
		    "CAP_IPC_LOCK", locked, pinned);
	show_words(s, "limit", strbuf_text(&words));
	strbuf_free(&words);
}

static int print_answer(struct session *s, const struct question *q, const char *answer)
{
	struct strbuf wrong = { 0 };
	struct record *r = record_parse(answer, strlen(answer), &wrong);
	int status = STATUS_TROUBLE;

	if (!r || !r->predicted) {
		complain("reading the answer", q->op, strbuf_text(&wrong),
			 "use a gupwalk and a module of the same release");
	} else if (session_out(s)) {
		status = strcmp(r->predicted, "fails") ? STATUS_FINE : STATUS_DIFFERS;
		if (s->json) {
			fprintf(s->out, "%s\n", answer);
		} else {
			show_prediction(s, r);
			show_limit(s, q);
		}
	}
	record_free(r);
	strbuf_free(&wrong);
	return status;
}

/*
 * A request that the module refuses is an answer too, where it is about the address or the flags:
 * such a call cannot be made, or the kernel would warn about its caller.
 */
static int print_refusal(struct session *s, const struct question *q, const char *line,
			 const char *answer, int error)
{
	static const char typo[] = "flags: no such flag";
	struct strbuf words = { 0 };
	struct refusal refusal;
	int status = STATUS_TROUBLE;

	refusal_read(answer, error, &refusal);
	if (error != EFAULT &&
	    (strncmp(refusal.error, "flags:", strlen("flags:")) ||
	     !strncmp(refusal.error, typo, strlen(typo)))) {
		refusal_complain(line, &refusal);
	} else if (session_out(s)) {
		status = STATUS_DIFFERS;
		strbuf_addf(&words, "%s(0x%" PRIx64 "%s%s): would not work: %s%s", q->op, q->addr,
			    q->flags ? ", " : "", q->flags ? q->flags : "",
			    error == EFAULT ? "-14 EFAULT, " : "", refusal.error);
		if (s->json)
			fprintf(s->out, "%s\n", answer);
		else
			put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
		strbuf_free(&words);
	}
	refusal_free(&refusal);
	return status;
}

static int ask(struct session *s, const struct question *q)
{
	struct strbuf line = { 0 }, answer = { 0 };
	int fd = device_open(s->debugfs), error, status = STATUS_TROUBLE;

	if (fd < 0)
		return STATUS_TROUBLE;
	strbuf_addf(&line, "op=%s pid=%" PRIu64 " addr=0x%" PRIx64 " nr_pages=%" PRIu64 " predict",
		    q->op, q->pid, q->addr, q->pages);
	if (q->flags)
		strbuf_addf(&line, " flags=%s", q->flags);
	switch (device_request(fd, line.at, &answer, &error)) {
	case ANSWER_RECORD:
		status = print_answer(s, q, strbuf_text(&answer));
		break;
	case ANSWER_REFUSED:
		status = print_refusal(s, q, line.at, strbuf_text(&answer), error);
		break;
	case ANSWER_LOST:
		break;
	}
	strbuf_free(&line);
	strbuf_free(&answer);
	close(fd);
	return status;
}

static int do_explain(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct question q = { .pages = 1 };
	const struct op_row *op;
	struct about about;

	if (!scan_options(&p, &q))
		return p.status;
	if (!parser_words(&p, 1, 1))
		return STATUS_TROUBLE;
	if (!number_hex(p.argv[0], &q.addr))
		return usage_error(s, p.argv[0], NO_ADDRESS);
	if (!q.pid || !q.op)
		return usage_error(s, q.pid ? "--op OP" : "-p PID", NOT_GIVEN);
	/* it says best what is missing, if the module is not there */
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	op = about_op(&about, q.op);
	if (op && !op->available) {
		complain("explaining a call", q.op, op->note, "gupwalk list tells all calls");
		about_free(&about);
		return STATUS_CANNOT;
	}
	about_free(&about);
	if (!device_need_live(s->debugfs))
		return STATUS_TROUBLE;
	return ask(s, &q);
}

const struct command command_explain = {
	.name = "explain",
	.words = "-p PID ADDR --op OP",
	.summary = "would a call work, what would it do, and if not, which rule says no; without "
		   "making it",
	.options = explain_options,
	.run = do_explain,
};
