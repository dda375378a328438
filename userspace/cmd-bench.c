// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk bench: what a walk costs, beside what the kernel itself offers, in one run. */
#include "about.h"
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "device.h"
#include "json.h"
#include "number.h"
#include "print.h"
#include "record.h"

/* Each is done so often, and the fastest counts. */
#define TIMES 5

#define SMALL_BYTES (64ULL << 20)
#define HUGE_BYTES (1ULL << 30)
#define HOLE_BYTES (1ULL << 40)
#define SINGLE 200
#define TABLES 512
#define VMAS 4096
#define PAIR_PAGES 512
#define CHUNK (256 * 1024)

/* include/uapi/linux/fs.h, since v6.7 */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan)
#define SCAN_PRESENT (1ULL << 3)

/**
 * struct bench - the machinery
 * @s: the invocation
 * @walk: descriptor of `walk`
 * @run: descriptor of `run`
 * @pagemap: of /proc/self/pagemap
 * @page: bytes of a page
 * @kept: how many records the module keeps
 * @huge: bytes of a transparent huge page, 0: there are none
 * @buffer: room for what is read
 */
struct bench {
	struct session *s;
	int walk;
	int run;
	int pagemap;
	uint64_t page;
	uint64_t kept;
	uint64_t huge;
	char *buffer;
};

/**
 * struct area - memory that is looked at
 * @at: where
 * @bytes: how much
 */
struct area {
	char *at;
	uint64_t bytes;
};

/**
 * struct cost - a line of the result
 * @what: of what
 * @units: how many there were
 * @gupwalk: nanoseconds of all, 0: not measured
 * @pagemap: the same
 * @scan: of PAGEMAP_SCAN
 * @call: of the bare call, if it is about one
 * @note: why nothing was measured; or NULL
 */
struct cost {
	const char *what;
	uint64_t units;
	uint64_t gupwalk;
	uint64_t pagemap;
	uint64_t scan;
	uint64_t call;
	const char *note;
};

/**
 * struct line - how a line is measured
 * @what: of what
 * @measure: fills the rest in. Return: false if it cannot be done here
 */
struct line {
	const char *what;
	bool (*measure)(struct bench *b, struct cost *c);
};

uint64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static bool by_walk(struct bench *b, const struct area *a)
{
	char line[96];
	ssize_t n;
	int length;

	length = snprintf(line, sizeof(line), "addr=%p nr_pages=%" PRIu64, (void *)a->at,
			  a->bytes / b->page);
	if (write(b->walk, line, length) != length)
		return false;
	do
		n = read(b->walk, b->buffer, CHUNK);
	while (n > 0);
	return n == 0;
}

static bool by_pagemap(struct bench *b, const struct area *a)
{
	uint64_t left = a->bytes / b->page * 8, at = (uintptr_t)a->at / b->page * 8;

	while (left) {
		ssize_t n = pread(b->pagemap, b->buffer, left < CHUNK ? left : CHUNK, at);

		if (n <= 0)
			return false;
		left -= n;
		at += n;
	}
	return true;
}

static bool by_scan(struct bench *b, const struct area *a)
{
	struct scan scan = {
		.size = sizeof(scan), .start = (uintptr_t)a->at,
		.end = (uintptr_t)a->at + a->bytes, .vec = (uintptr_t)b->buffer,
		.vec_len = CHUNK / sizeof(struct scan_region), .category_mask = SCAN_PRESENT,
		.return_mask = SCAN_PRESENT,
	};

	while (scan.start < scan.end) {
		if (ioctl(b->pagemap, SCAN_IOCTL, &scan) < 0)
			return false;
		if (scan.walk_end <= scan.start)
			return false;
		scan.start = scan.walk_end;
	}
	return true;
}

/* The fastest of some times; 0: it cannot be done. */
static uint64_t fastest(struct bench *b, const struct area *a,
			bool (*way)(struct bench *b, const struct area *a))
{
	uint64_t best = 0;
	int i;

	for (i = 0; i < TIMES; i++) {
		uint64_t start = bench_now(), took;

		if (!way(b, a))
			return 0;
		took = bench_now() - start;
		if (!best || took < best)
			best = took;
	}
	return best;
}

static bool map_area(struct area *a, uint64_t bytes, uint64_t align)
{
	char *at = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return false;
	a->at = (char *)(((uintptr_t)at + align - 1) / align * align);
	a->bytes = bytes;
	return true;
}

static void touch(const struct area *a, uint64_t step)
{
	uint64_t at;

	for (at = 0; at < a->bytes; at += step)
		a->at[at] = 1;
}

static void measure(struct bench *b, struct cost *c, const struct area *a)
{
	c->gupwalk = fastest(b, a, by_walk);
	c->pagemap = fastest(b, a, by_pagemap);
	c->scan = fastest(b, a, by_scan);
}

static bool small_pages(struct bench *b, struct cost *c)
{
	struct area a;

	if (!map_area(&a, SMALL_BYTES, b->page))
		return false;
	madvise(a.at, a.bytes, MADV_NOHUGEPAGE);
	touch(&a, b->page);
	c->units = a.bytes / b->page;
	measure(b, c, &a);
	munmap(a.at, a.bytes);
	return true;
}

static uint64_t available(void)
{
	return (uint64_t)sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static bool huge_pages(struct bench *b, struct cost *c)
{
	struct area a;

	if (!b->huge)
		c->note = "there are no transparent huge pages of 1 GiB or less, or they are off";
	else if (available() < HUGE_BYTES + HUGE_BYTES / 4)
		c->note = "less than 1.25 GiB of memory are free";
	if (c->note || !map_area(&a, HUGE_BYTES, HUGE_BYTES))
		return false;
	madvise(a.at, a.bytes, MADV_HUGEPAGE);
	touch(&a, b->huge);
	c->units = a.bytes / b->huge;
	measure(b, c, &a);
	munmap(a.at, a.bytes);
	return true;
}

/* pagemap would give two gigabytes for it. */
static bool in_a_hole(struct bench *b, struct cost *c, bool touched)
{
	struct area a;

	if (!map_area(&a, HOLE_BYTES, b->page))
		return false;
	madvise(a.at, a.bytes, MADV_NOHUGEPAGE);
	if (touched)
		a.at[HOLE_BYTES / 2] = 1;
	c->units = 1;
	c->gupwalk = fastest(b, &a, by_walk);
	c->scan = fastest(b, &a, by_scan);
	munmap(a.at, a.bytes);
	return true;
}

static bool one_in_a_hole(struct bench *b, struct cost *c)
{
	return in_a_hole(b, c, true);
}

static bool a_hole(struct bench *b, struct cost *c)
{
	return in_a_hole(b, c, false);
}

/* A page in each of many tables. */
static bool sparse_tables(struct bench *b, struct cost *c)
{
	uint64_t step = b->page * (b->page / 8);
	struct area a;

	if (!map_area(&a, TABLES * step, step))
		return false;
	madvise(a.at, a.bytes, MADV_NOHUGEPAGE);
	touch(&a, step);
	c->units = TABLES;
	measure(b, c, &a);
	munmap(a.at, a.bytes);
	return true;
}

/* Pages side by side, each of another VMA than its neighbours. */
static bool many_vmas(struct bench *b, struct cost *c)
{
	struct area a;
	uint64_t at;

	if (!map_area(&a, VMAS * b->page, b->page))
		return false;
	madvise(a.at, a.bytes, MADV_NOHUGEPAGE);
	touch(&a, b->page);
	for (at = 0; at < a.bytes; at += 2 * b->page)
		mprotect(a.at + at, b->page, PROT_READ);
	c->units = VMAS;
	measure(b, c, &a);
	munmap(a.at, a.bytes);
	return true;
}

static bool single_addresses(struct bench *b, const struct area *a)
{
	struct area one = { .bytes = b->page };
	int i;

	for (i = 0; i < SINGLE; i++) {
		one.at = a->at + i * b->page;
		if (!by_walk(b, &one))
			return false;
	}
	return true;
}

static bool single_pagemap(struct bench *b, const struct area *a)
{
	struct area one = { .bytes = b->page };
	int i;

	for (i = 0; i < SINGLE; i++) {
		one.at = a->at + i * b->page;
		if (!by_pagemap(b, &one))
			return false;
	}
	return true;
}

static bool singles(struct bench *b, struct cost *c)
{
	struct area a;

	if (!map_area(&a, SINGLE * b->page, b->page))
		return false;
	madvise(a.at, a.bytes, MADV_NOHUGEPAGE);
	touch(&a, b->page);
	c->units = SINGLE;
	c->gupwalk = fastest(b, &a, single_addresses);
	c->pagemap = fastest(b, &a, single_pagemap);
	munmap(a.at, a.bytes);
	return true;
}

/*
 * A call with all that is measured around it, beside the call alone: both times are of the module's
 * own clock, so that the reading of the request and the printing of the answer are in neither.
 */
static bool pair_of(struct bench *b, const struct area *a, uint64_t pages, struct cost *c)
{
	struct strbuf line = { 0 }, answer = { 0 }, wrong = { 0 };
	struct record *r;
	uint64_t i, times = TIMES;
	int error;

	/* When as many are kept as may be, a record gets the memory of the one that goes for it. */
	if (pages == 1)
		times += b->kept;
	c->units = pages;
	strbuf_addf(&line, "op=get_user_pages_remote addr=%p nr_pages=%" PRIu64, (void *)a->at,
		    pages);
	for (i = 0; i < times; i++) {
		if (device_request(b->run, line.at, &answer, &error) != ANSWER_RECORD)
			break;
		r = record_parse(strbuf_text(&answer), answer.len, &wrong);
		if (r && (!c->call || r->duration_ns < c->call))
			c->call = r->duration_ns;
		if (r && (!c->gupwalk || r->total_ns < c->gupwalk))
			c->gupwalk = r->total_ns;
		record_free(r);
	}
	strbuf_free(&line);
	strbuf_free(&answer);
	strbuf_free(&wrong);
	return c->call;
}

static bool pair(struct bench *b, struct cost *c, uint64_t pages)
{
	struct area a;
	bool done;

	if (!map_area(&a, pages * b->page, b->page))
		return false;
	madvise(a.at, a.bytes, MADV_NOHUGEPAGE);
	touch(&a, b->page);
	done = pair_of(b, &a, pages, c);
	munmap(a.at, a.bytes);
	return done;
}

static bool many_pairs(struct bench *b, struct cost *c)
{
	return pair(b, c, PAIR_PAGES);
}

static bool one_pair(struct bench *b, struct cost *c)
{
	return pair(b, c, 1);
}

/* What bench -h and the man page tell of them. */
static const struct line lines[] = {
	{ "small pages, 64 MiB, each", small_pages },
	{ "THPs, 1 GiB, each", huge_pages },
	{ "one page in 1 TiB", one_in_a_hole },
	{ "a hole of 1 TiB", a_hole },
	{ "tables with one page, each", sparse_tables },
	{ "VMAs of one page, each", many_vmas },
	{ "single addresses, each", singles },
	{ "GUP of 512 pages, a page", many_pairs },
	{ "GUP of one page", one_pair },
};

static void ratio(uint64_t other, uint64_t own, char *text, size_t size)
{
	if (other && own)
		snprintf(text, size, "%.2f", (double)other / own);
	else
		snprintf(text, size, "-");
}

static void number(uint64_t ns, uint64_t units, char *text, size_t size)
{
	double each = (double)ns / units;

	if (ns)
		snprintf(text, size, each < 1000 ? "%.1f" : "%.0f", each);
	else
		snprintf(text, size, "-");
}

static void print_text(struct session *s, const struct cost *costs, size_t n)
{
	static const struct column columns[] = {
		{ .name = "what (ns each)", .flex = true }, { .name = "gupwalk", .right = true },
		{ .name = "pagemap", .right = true }, { .name = "pagemap/gupwalk", .right = true },
		{ .name = "scan", .right = true }, { .name = "scan/gupwalk", .right = true },
		{ .name = "call", .right = true }, { .name = "gupwalk/call", .right = true },
	};
	struct table *t = table_new(s, columns, ARRAY_SIZE(columns));
	size_t i;

	for (i = 0; i < n; i++) {
		const struct cost *c = &costs[i];
		char cell[7][32];

		number(c->gupwalk, c->units, cell[0], sizeof(cell[0]));
		number(c->pagemap, c->units, cell[1], sizeof(cell[1]));
		ratio(c->pagemap, c->gupwalk, cell[2], sizeof(cell[2]));
		number(c->scan, c->units, cell[3], sizeof(cell[3]));
		ratio(c->scan, c->gupwalk, cell[4], sizeof(cell[4]));
		number(c->call, c->units, cell[5], sizeof(cell[5]));
		ratio(c->call ? c->gupwalk : 0, c->call, cell[6], sizeof(cell[6]));
		table_row(t, (const char *[]){
			c->what, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6],
		}, false);
	}
	table_print(t);
	for (i = 0; i < n; i++) {
		struct strbuf note = { 0 };

		if (!costs[i].note)
			continue;
		strbuf_addf(&note, "%s: %s", costs[i].what, costs[i].note);
		fputc('\n', s->out);
		put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&note));
		strbuf_free(&note);
	}
}

/* All of a way, and for each unit. */
static void put_ns(struct json_object *o, const char *way, uint64_t ns, uint64_t units)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_ns", way);
	json_object_object_add(o, key, ns ? json_object_new_uint64(ns) : NULL);
	snprintf(key, sizeof(key), "%s_ns_each", way);
	json_object_object_add(o, key, ns ? json_object_new_double((double)ns / units) : NULL);
}

static void put_ratio(struct json_object *o, const char *key, uint64_t a, uint64_t b)
{
	json_object_object_add(o, key, a && b ? json_object_new_double((double)a / b) : NULL);
}

static void print_json(struct session *s, const struct cost *costs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct cost *c = &costs[i];
		struct json_object *o = json_object_new_object();

		json_put(o, "what", c->what);
		json_object_object_add(o, "units", json_object_new_uint64(c->units));
		put_ns(o, "gupwalk", c->gupwalk, c->units);
		put_ns(o, "pagemap", c->pagemap, c->units);
		put_ns(o, "pagemap_scan", c->scan, c->units);
		put_ns(o, "call", c->call, c->units);
		put_ratio(o, "pagemap_per_gupwalk", c->pagemap, c->gupwalk);
		put_ratio(o, "scan_per_gupwalk", c->scan, c->gupwalk);
		put_ratio(o, "gupwalk_per_call", c->gupwalk, c->call);
		json_put(o, "note", c->note);
		json_print(o, s->out);
	}
}

#define THP "/sys/kernel/mm/transparent_hugepage/"

static uint64_t huge_size(void)
{
	struct strbuf text = { 0 }, enabled = { 0 };
	uint64_t size = 0;

	if (!slurp(THP "hpage_pmd_size", &text) && !slurp(THP "enabled", &enabled) &&
	    !strstr(strbuf_text(&enabled), "[never]"))
		size = strtoull(strbuf_text(&text), NULL, 10);
	strbuf_free(&text);
	strbuf_free(&enabled);
	return size <= HUGE_BYTES ? size : 0;
}

static void bench(struct bench *b)
{
	struct cost costs[ARRAY_SIZE(lines)] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!lines[i].measure(b, &costs[i]))
			costs[i] = (struct cost){
				.note = costs[i].note ?: "no memory, or the request was refused",
			};
		costs[i].what = lines[i].what;
	}
	if (b->s->json)
		print_json(b->s, costs, ARRAY_SIZE(costs));
	else
		print_text(b->s, costs, ARRAY_SIZE(costs));
}

static int do_bench(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct bench b = { .s = s, .walk = -1, .run = -1, .pagemap = -1 };
	int status = STATUS_TROUBLE;
	struct about about;
	const char *arg;

	if (parser_next(&p, &arg) < 0)
		return p.status;
	if (!parser_words(&p, 0, 1))
		return STATUS_TROUBLE;
	if (p.argc && strcmp(p.argv[0], "observe"))
		return usage_error(s, p.argv[0], "is nothing that is measured: observe is");
	if (p.argc)
		return device_need_live(s->debugfs) ? bench_observe(s) : STATUS_TROUBLE;
	b.walk = device_open_walk(s->debugfs);
	if (b.walk >= 0 && device_need_live(s->debugfs))
		b.run = device_open(s->debugfs);
	if (b.run >= 0 && about_read(s->debugfs, &about)) {
		b.kept = about_number(&about, "records_max");
		about_free(&about);
	}
	if (b.kept && session_out(s)) {
		b.page = sysconf(_SC_PAGESIZE);
		b.huge = huge_size();
		b.buffer = must_alloc(1, CHUNK);
		b.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		bench(&b);
		status = STATUS_FINE;
		free(b.buffer);
	}
	if (b.pagemap >= 0)
		close(b.pagemap);
	if (b.run >= 0)
		close(b.run);
	if (b.walk >= 0)
		close(b.walk);
	return status;
}

const struct command command_bench = {
	.name = "bench",
	.words = "[observe]",
	.summary = "measure what a walk costs, beside /proc/PID/pagemap and PAGEMAP_SCAN in the "
		   "same run; or what observing adds to a call, beside probes of tracefs",
	.more =
"Each line is about memory of its own, the fastest of five times, in nanoseconds for each unit:\n"
"small pages\ta touched page of 64 MiB of them\n"
"THPs\ta transparent huge page of 1 GiB of them\n"
"one page in 1 TiB\tall of a terabyte in which one page is touched\n"
"a hole of 1 TiB\tall of a terabyte in which none is\n"
"tables with one page\ta page table, one page of which is mapped, of 512\n"
"VMAs of one page\ta page that is a VMA by itself, of 4096\n"
"single addresses\tone of 200 addresses, each asked for by a request of its own\n"
"GUP\tget_user_pages_remote of pages that are there, with all that is recorded around it; the "
"reading of the request and the printing of the answer are not in it\n"
"Columns:\n"
"gupwalk\tby gupwalk: of walks, the request and reading the answer included\n"
"pagemap\tby reading /proc/self/pagemap\n"
"scan\tby the PAGEMAP_SCAN ioctl (since Linux 6.7)\n"
"call\tby the call alone\n"
"a/b\tone divided by the other: pagemap/gupwalk 12 means that pagemap takes 12 times as long\n"
"-\tit was not measured: this kernel does not have it, it is about something else, or the note "
"under the table says why (of a terabyte pagemap would give two gigabytes)\n"
"The figures vary between runs. In a machine of `lab/vm --icount` time goes by instructions, and "
"they repeat themselves within a few per cent.\n",
	.run = do_bench,
};
