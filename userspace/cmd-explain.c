// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk explain: what a call would do, and by which rule it would not; the call is not made. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "drive.h"
#include "number.h"
#include "record.h"
#include "show.h"
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
			p->status = usage_error(p->s, arg, c == 'p' ? "is no number of a process" :
						"is no number of pages");
			return false;
		}
	}
	return c == 0;
}

/* A line of a file in /proc, from its first word on: "VmLck:       0 kB" -> "0 kB" */
static void put_proc(uint64_t pid, const char *file, const char *key, struct strbuf *out)
{
	struct strbuf path = { 0 }, text = { 0 };
	const char *at;

	strbuf_addf(&path, "/proc/%" PRIu64 "/%s", pid, file);
	if (!slurp(path.at, &text)) {
		at = strstr(strbuf_text(&text), key);
		if (at) {
			at += strlen(key);
			at += strspn(at, " \t");
			strbuf_add(out, at, strcspn(at, "\n"));
		}
	}
	strbuf_free(&path);
	strbuf_free(&text);
}

/* get_user_pages looks at no limit: those who pin for good do, each for itself. */
static void show_limit(struct session *s, const struct question *q)
{
	struct strbuf words = { 0 }, limit = { 0 }, locked = { 0 }, pinned = { 0 };

	if (!q->flags || !names_have(q->flags, "longterm"))
		return;
	put_proc(q->pid, "limits", "Max locked memory", &limit);
	put_proc(q->pid, "status", "VmLck:", &locked);
	put_proc(q->pid, "status", "VmPin:", &pinned);
	if (limit.len)
		limit.at[strcspn(limit.at, " ")] = '\0';
	strbuf_addf(&words,
		    "the call does not look at RLIMIT_MEMLOCK, a driver that pins for good does: "
		    "%s bytes; locked now %s, pinned %s",
		    strbuf_text(&limit), strbuf_text(&locked), strbuf_text(&pinned));
	show_words(s, "limit", strbuf_text(&words));
	strbuf_free(&words);
	strbuf_free(&limit);
	strbuf_free(&locked);
	strbuf_free(&pinned);
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
	struct about about;

	if (!scan_options(&p, &q))
		return p.status;
	if (!parser_words(&p, 1, 1))
		return STATUS_TROUBLE;
	if (!number_hex(p.argv[0], &q.addr))
		return usage_error(s, p.argv[0], "is no address, which is hexadecimal");
	if (!q.pid || !q.op)
		return usage_error(s, q.pid ? "--op OP" : "-p PID", "is missing");
	/* it says best what is missing, if the module is not there */
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
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
