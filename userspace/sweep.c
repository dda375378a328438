// SPDX-License-Identifier: GPL-2.0-only
/* Walks over whole processes. */
#include "sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "device.h"

#define PROGRESS_AFTER_MS 1000
#define PROGRESS_EVERY_MS 200

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void show_progress(struct sweep *w)
{
	uint64_t now = now_ms();

	if (!w->shown)
		w->shown = now + PROGRESS_AFTER_MS - PROGRESS_EVERY_MS;
	if (now < w->shown + PROGRESS_EVERY_MS || !isatty(STDERR_FILENO))
		return;
	w->shown = now;
	fprintf(stderr, "\rwalked %3.0f %% of %" PRIu64 " MiB ", 100.0 * w->done / w->total,
		w->total >> 20);
}

static void end_progress(const struct sweep *w)
{
	if (w->shown && isatty(STDERR_FILENO) && now_ms() >= w->shown + PROGRESS_EVERY_MS)
		fprintf(stderr, "\r%40s\r", "");
}

/* The part of a mapping that is in the range. */
static bool part_of(const struct sweep *w, const struct mapping *m, struct range *part)
{
	part->start = m->start > w->range.start ? m->start : w->range.start;
	part->end = m->end < w->range.end ? m->end : w->range.end;
	return part->start < part->end;
}

/* One request from @addr on. Returns how many pages it covered, 0 if the mapping is gone, or -1. */
static int64_t sweep_once(struct sweep *w, const struct mapping *m, uint64_t addr, uint64_t end)
{
	uint64_t first = addr - addr % w->page_size;
	struct strbuf line = { 0 }, answer = { 0 }, wrong = { 0 };
	struct refusal refusal;
	struct record *r = NULL;
	int64_t covered = -1;
	enum answer kind;
	size_t i;
	int error;

	strbuf_addf(&line, "op=walk nokeep pid=%d addr=0x%" PRIx64 " nr_pages=%" PRIu64, w->pid,
		    addr, (end - first + w->page_size - 1) / w->page_size);
	kind = device_request(w->fd, line.at, &answer, &error);
	if (kind == ANSWER_REFUSED && error == EFAULT) {
		covered = 0;
	} else if (kind == ANSWER_REFUSED) {
		refusal_read(strbuf_text(&answer), error, &refusal);
		refusal_complain(line.at, &refusal);
		refusal_free(&refusal);
	} else if (kind == ANSWER_RECORD) {
		r = record_parse(strbuf_text(&answer), answer.len, &wrong);
		if (!r)
			complain("reading a record", "walk", strbuf_text(&wrong),
				 "use a gupwalk and a module of the same release");
	}
	for (i = 0; r && i < r->nr_read; i++)
		w->element(w->context, &r->pages[i], m, end);
	if (r)
		covered = r->ret;
	record_free(r);
	strbuf_free(&line);
	strbuf_free(&answer);
	strbuf_free(&wrong);
	return covered;
}

static int sweep_mapping(struct sweep *w, const struct mapping *m, const struct range *part)
{
	uint64_t addr = part->start;

	while (addr < part->end) {
		int64_t pages = sweep_once(w, m, addr, part->end);
		uint64_t next = addr - addr % w->page_size + pages * w->page_size;

		if (pages < 0)
			return STATUS_TROUBLE;
		if (!pages) {
			/* vsyscall is in maps, and in the kernel's half of the addresses */
			w->gone += strcmp(m->name, "[vsyscall]") != 0;
			break;
		}
		if (next > part->end || next < addr)
			next = part->end;
		w->done += next - addr;
		addr = next;
		show_progress(w);
	}
	return STATUS_FINE;
}

int sweep_run(struct sweep *w, const struct maps *maps)
{
	int status = STATUS_FINE;
	struct range part;
	size_t i;

	for (i = 0; i < maps->n; i++)
		if (part_of(w, &maps->at[i], &part))
			w->total += part.end - part.start;
	for (i = 0; !status && i < maps->n; i++)
		if (part_of(w, &maps->at[i], &part))
			status = sweep_mapping(w, &maps->at[i], &part);
	end_progress(w);
	return status;
}
