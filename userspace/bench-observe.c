// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk bench observe: what observing adds to a call, beside probes of tracefs. */
#include "bench.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "filter.h"
#include "json.h"
#include "print.h"

/* So many calls are timed together, so often, and the fastest counts. All find room as records. */
#define CALLS 200
#define TIMES 40

#define FUNCTION "pin_user_pages_remote"

/* What gives the page back: by one of these, which may call another. */
static const char * const give_back[] = {
	"unpin_user_pages_dirty_lock", "unpin_user_pages", "unpin_user_page",
};

#define TRACING "/sys/kernel/tracing/"

/* What is timed: process_vm_readv() of one byte, which pins a page and unpins it. */
static uint64_t time_calls(char *page)
{
	struct iovec local = { page, 1 }, remote = { page + 64, 1 };
	uint64_t start = bench_now();
	int i;

	for (i = 0; i < CALLS; i++)
		if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1)
			return 0;
	return bench_now() - start;
}

/* Reads all that is there. Returns how long each record took; 0: there was none. */
static uint64_t time_records(int fd)
{
	static char bytes[65536];
	uint64_t start = bench_now(), records = 0;
	const char *at;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		for (at = bytes; (at = memchr(at, '\n', bytes + n - at)); at++)
			records++;
	return records ? (bench_now() - start) / records : 0;
}

static void keep_less(uint64_t *best, uint64_t took)
{
	if (took && (!*best || took < *best))
		*best = took;
}

/**
 * struct took - what something takes at the fastest, in nanoseconds; 0: it cannot be done
 * @call: a call
 * @record: to read its record
 */
struct took {
	uint64_t call;
	uint64_t record;
};

/* @fd: of `observe`, or -1. */
static struct took fastest(char *page, int fd)
{
	struct took best = { 0 };
	int i;

	for (i = 0; i < TIMES; i++) {
		keep_less(&best.call, time_calls(page));
		keep_less(&best.record, time_records(fd));
	}
	best.call /= CALLS;
	return best;
}

/*
 * A probe begins as a breakpoint, and the kernel makes it a jump some tenths of a second later,
 * where it can: that one is to be measured.
 */
static void let_optimize(void)
{
	const struct timespec moment = { .tv_sec = 1 };

	nanosleep(&moment, NULL);
}

static struct took observed(struct session *s, char *page, const char *filter)
{
	int fd = device_open_observe(s->debugfs);
	struct took took = { 0 };

	if (fd < 0)
		return took;
	if (filter_begin(s->debugfs, fd, filter) == STATUS_FINE) {
		let_optimize();
		took = fastest(page, fd);
	}
	close(fd);
	return took;
}

static bool trace(const char *file, const char *text)
{
	struct strbuf path = { 0 };
	bool done;
	int fd;

	strbuf_addf(&path, TRACING "%s", file);
	fd = open(path.at, O_WRONLY | O_APPEND | O_CLOEXEC);
	done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	strbuf_free(&path);
	return done;
}

/* A probe at the function's entry and one at its return, which notes its result. */
static bool trace_function(const char *function)
{
	struct strbuf line = { 0 };
	bool done;

	strbuf_addf(&line, "p:gupwalk/entry_%s %s\n", function, function);
	done = trace("kprobe_events", line.at);
	line.len = 0;
	strbuf_addf(&line, "r:gupwalk/return_%s %s $retval\n", function, function);
	done = trace("kprobe_events", line.at) && done;
	strbuf_free(&line);
	return done;
}

static void untrace_function(const char *function)
{
	struct strbuf line = { 0 };

	strbuf_addf(&line, "-:gupwalk/entry_%s\n", function);
	trace("kprobe_events", line.at);
	line.len = 0;
	strbuf_addf(&line, "-:gupwalk/return_%s\n", function);
	trace("kprobe_events", line.at);
	strbuf_free(&line);
}

/* Pairs of tracefs on what pins the page, and with @all on what gives it back. */
static uint64_t traced(char *page, bool all)
{
	uint64_t ns = 0;
	size_t i;

	if (trace_function(FUNCTION)) {
		for (i = 0; all && i < ARRAY_SIZE(give_back); i++)
			trace_function(give_back[i]);
		if (trace("events/gupwalk/enable", "1")) {
			let_optimize();
			ns = fastest(page, -1).call;
		}
	}
	trace("events/gupwalk/enable", "0");
	untrace_function(FUNCTION);
	for (i = 0; i < ARRAY_SIZE(give_back); i++)
		untrace_function(give_back[i]);
	return ns;
}

/**
 * struct row - a line
 * @what: what it is about
 * @ns: what it takes
 * @apart: it is no call, and not held against one
 */
struct row {
	const char *what;
	uint64_t ns;
	bool apart;
};

static void print_text(struct session *s, const struct row *rows, size_t n)
{
	static const struct column columns[] = {
		{ .name = "a call that pins and unpins a page" }, { .name = "ns", .right = true },
		{ .name = "more", .right = true },
	};
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	char ns[24], more[24];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(ns, sizeof(ns), rows[i].ns ? "%" PRIu64 : "-", rows[i].ns);
		snprintf(more, sizeof(more), rows[i].ns && i && !rows[i].apart ? "%+" PRId64 : "-",
			 (int64_t)(rows[i].ns - rows[0].ns));
		table_row(t, (const char *[]){ rows[i].what, ns, more }, false);
	}
	table_print(t);
}

static void print_json(struct session *s, const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_put(o, "what", rows[i].what);
		json_object_object_add(o, "ns", rows[i].ns ? json_object_new_uint64(rows[i].ns) :
				       NULL);
		json_print(o, s->out);
	}
}

int bench_observe(struct session *s)
{
	struct row rows[] = {
		{ .what = "no probes" }, { .what = "observed, the filter does not match" },
		{ .what = "observed, with its record" },
		{ .what = "to read a record, without printing it", .apart = true },
		{ .what = "kprobe and kretprobe of tracefs, on the pin" },
		{ .what = "likewise on the pin and the unpin" },
	};
	char *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	struct strbuf filter = { 0 };
	struct took took;

	if (page == MAP_FAILED || !session_out(s))
		return STATUS_TROUBLE;
	rows[0].ns = fastest(page, -1).call;
	rows[1].ns = observed(s, page, "op=" FUNCTION " comm=none").call;
	/* it has complained */
	if (!rows[1].ns)
		return STATUS_TROUBLE;
	strbuf_addf(&filter, "op=" FUNCTION " pid=%d", getpid());
	took = observed(s, page, filter.at);
	rows[2].ns = took.call;
	rows[3].ns = took.record;
	rows[4].ns = traced(page, false);
	rows[5].ns = traced(page, true);
	strbuf_free(&filter);
	if (s->json)
		print_json(s, rows, ARRAY_SIZE(rows));
	else
		print_text(s, rows, ARRAY_SIZE(rows));
	return rows[2].ns && rows[3].ns ? STATUS_FINE : STATUS_TROUBLE;
}
