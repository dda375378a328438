// SPDX-License-Identifier: GPL-2.0-only
/* Walks over whole processes, by the module's file `walk`. */
#include "bulk.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"

#define PROGRESS_AFTER_MS 1000
#define PROGRESS_EVERY_MS 200

#define CHUNK 65536

bool entries_read(const char *dir, struct entries *e)
{
	struct strbuf text = { 0 };
	const char *wrong = NULL;
	bool read = device_read(dir, "entries", &text);

	if (read)
		wrong = entries_parse(strbuf_text(&text), e);
	if (wrong)
		complain("reading entries", dir, "a line is not as expected",
			 "use a gupwalk and a module of the same release");
	strbuf_free(&text);
	return read && !wrong;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/**
 * struct progress - what is on the terminal
 * @next: when it is to be shown, 0: never yet
 * @width: how many characters are shown
 */
struct progress {
	uint64_t next;
	int width;
};

static void show_progress(const struct bulk *b, struct progress *p)
{
	uint64_t now = now_ms();

	if (!p->next)
		p->next = now + PROGRESS_AFTER_MS;
	if (!b->at || now < p->next || !isatty(STDERR_FILENO))
		return;
	p->next = now + PROGRESS_EVERY_MS;
	p->width = fprintf(stderr, "\rwalked %3.0f %% of %" PRIu64 " MiB ",
			   b->total ? 100.0 * *b->at / b->total : 100.0, b->total >> 20) - 1;
}

/* By blanks, which a dumb terminal knows too. */
static void end_progress(const struct progress *p)
{
	if (p->width > 0)
		fprintf(stderr, "\r%*s\r", p->width, "");
}

/* Whoever gave a range did not speak of the words of the request. */
static enum status refused(const struct bulk *b, int fd, const char *line, int error)
{
	struct strbuf answer = { 0 }, range = { 0 };
	struct refusal refusal;
	const char *reason;

	slurp_fd(fd, &answer);
	refusal_read(strbuf_text(&answer), error, &refusal);
	if (error == EFAULT && b->range.end != UINT64_MAX) {
		strbuf_addf(&range, "0x%" PRIx64 "-0x%" PRIx64, b->range.start, b->range.end);
		reason = strstr(refusal.error, ": ");
		complain("walking", strbuf_text(&range), reason ? reason + 2 : refusal.error,
			 "only addresses of user space are walked; without a range, all of them");
	} else {
		refusal_complain(line, &refusal);
	}
	strbuf_free(&range);
	refusal_free(&refusal);
	strbuf_free(&answer);
	return STATUS_TROUBLE;
}

static enum status ask(const struct bulk *b, int fd)
{
	uint64_t page = 1ULL << b->tables.entries->level[GUPWALK_LEVELS - 1].shift;
	uint64_t first = b->range.start - b->range.start % page;
	struct strbuf line = { 0 };
	enum status status = STATUS_FINE;

	strbuf_addf(&line, "pid=%d", b->pid);
	if (b->range.end != UINT64_MAX)
		strbuf_addf(&line, " addr=0x%" PRIx64 " nr_pages=%" PRIu64, first,
			    (b->range.end - first + page - 1) / page);
	if (write(fd, line.at, line.len) != (ssize_t)line.len)
		status = refused(b, fd, line.at, errno);
	strbuf_free(&line);
	return status;
}

static enum status read_all(struct bulk *b, int fd)
{
	static char bytes[CHUNK];
	struct progress progress = { 0 };
	const char *wrong = NULL;
	ssize_t n;

	do {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			wrong = tables_feed(&b->tables, bytes, n);
		show_progress(b, &progress);
	} while (n && !wrong && (n > 0 || errno == EINTR));
	end_progress(&progress);
	if (n < 0) {
		complain("walking", "walk", strerror(errno), NULL);
		return STATUS_TROUBLE;
	}
	if (!wrong && !b->tables.end.head.size)
		wrong = "the last block is missing";
	if (wrong) {
		complain("walking", "walk", wrong,
			 "use a gupwalk and a module of the same release");
		return STATUS_TROUBLE;
	}
	if (b->tables.end.how != GUPWALK_WALK_DONE) {
		complain("walking", NULL, "the process has ended, or become another by exec",
			 "what is printed is what was there before");
		return STATUS_TROUBLE;
	}
	return STATUS_FINE;
}

enum status bulk_run(struct bulk *b)
{
	int fd = device_open_walk(b->dir);
	enum status status;

	if (fd < 0)
		return STATUS_TROUBLE;
	tables_begin(&b->tables);
	status = ask(b, fd);
	if (!status)
		status = read_all(b, fd);
	tables_free(&b->tables);
	close(fd);
	return status;
}
