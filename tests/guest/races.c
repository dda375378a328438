// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many at once: readers and writers of records, walks of page tables that somebody is changing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define RUN_MS 4000

static volatile bool done;

/* ---- readers of the records ---- */

static void check_json_lines(char *text, unsigned int *lines)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		struct json_object *json;

		if (!*line)
			continue;
		json = json_tokener_parse(line);
		check_that(json, "not JSON: %.400s", line);
		check(jnum(json, "seq") > 0 && jlen(json, "pages") > 0);
		json_object_put(json);
		(*lines)++;
	}
}

struct reader {
	pthread_t thread;
	const char *file;
	unsigned int lines;
};

/* Reads in pieces of all sizes; what comes out must be whole lines, in order of their numbers. */
static void *read_records(void *arg)
{
	struct reader *reader = arg;
	char *text = malloc(8 * MiB);
	unsigned int piece = 1;

	while (!done) {
		int fd = open(module_file(reader->file), O_RDONLY | O_CLOEXEC);
		size_t used = 0;
		ssize_t n;

		must(fd >= 0);
		while ((n = read(fd, text + used, piece)) > 0) {
			used += n;
			piece = piece * 7 % 9973 + 1;
			must(used < 8 * MiB - 10000);
		}
		check_num(n, 0);
		close(fd);
		text[used] = '\0';
		check(!used || text[used - 1] == '\n');
		check_num(strlen(text), used);
		if (strstr(reader->file, "jsonl"))
			check_json_lines(text, &reader->lines);
		else
			reader->lines++;
	}
	free(text);
	return NULL;
}

static bool all_have_read(const volatile struct reader *readers, unsigned int nr)
{
	while (nr--)
		if (readers[nr].lines <= 1)
			return false;
	return true;
}

static void *clear_records(void *arg)
{
	while (!done) {
		write_file(module_file("clear"), "x");
		sleep_ms(23);
	}
	return NULL;
}

static void records_read_while_they_change(void)
{
	struct reader readers[] = {
		{ .file = "records.jsonl" }, { .file = "records.jsonl" }, { .file = "records" },
	};
	char *pages = map_anon(8 * PAGE, true);
	uint64_t start = now_ms();
	unsigned int i, added = 0;
	pthread_t clearer;

	collect(false);
	/* What earlier tests have left may be large. */
	write_file(module_file("clear"), "x");
	for (i = 0; i < NR_OF(readers); i++)
		must(!pthread_create(&readers[i].thread, NULL, read_records, &readers[i]));
	must(!pthread_create(&clearer, NULL, clear_records, NULL));
	while (going_on(start, RUN_MS, added > 20 && all_have_read(readers, NR_OF(readers)))) {
		json_object_put(record("op=get_user_pages addr=%p nr_pages=%u", pages,
				       1 + added % 8));
		added++;
	}
	done = true;
	for (i = 0; i < NR_OF(readers); i++) {
		pthread_join(readers[i].thread, NULL);
		check_that(readers[i].lines > 1, "reader %u saw %u lines only", i,
			   readers[i].lines);
	}
	pthread_join(clearer, NULL);
	note("%u records added", added);
	check(added > 20);
}

/*
 * Who has the file open sees the records of that moment, though they are cleared and many more
 * come.
 */
static void records_of_one_moment(void)
{
	char *page = map_anon(PAGE, true), text[512];
	size_t length;
	char *rest;
	int fd, i;

	write_file(module_file("clear"), "x");
	for (i = 0; i < 5; i++)
		record("op=walk addr=%p run=old%d", page, i);
	fd = open(module_file("records.jsonl"), O_RDONLY | O_CLOEXEC);
	check_num(read(fd, text, 100), 100);
	write_file(module_file("clear"), "x");
	for (i = 0; i < 300; i++)
		json_object_put(record("op=walk addr=%p run=new", page));
	rest = malloc(MiB);
	memcpy(rest, text, 100);
	for (length = 100; (i = read(fd, rest + length, 8000)) > 0; )
		length += i;
	rest[length] = '\0';
	check(strstr(rest, "\"run\":\"old0\"") && strstr(rest, "\"run\":\"old4\""));
	check(!strstr(rest, "\"run\":\"new\""));
	check_num(version_number("records_kept"), version_number("records_max"));
}

/* The oldest go first, and are counted. */
static void oldest_go_first(void)
{
	char *page = map_anon(PAGE, true), *text;
	long long most = version_number("records_max"), dropped = version_number("records_dropped");
	long long first;
	int i;

	collect(false);
	write_file(module_file("clear"), "x");
	first = jnum(record("op=walk addr=%p", page), "seq");
	for (i = 1; i < most + 7; i++)
		json_object_put(record("op=walk addr=%p", page));
	check_num(version_number("records_kept"), most);
	check_num(version_number("records_dropped"), dropped + 7);
	text = read_file(module_file("records.jsonl"), NULL);
	*strchr(text, '\n') = '\0';
	check_num(jnum(json_tokener_parse(text), "seq"), first + 7);
}

/* ---- walks of what is changing ---- */

static char *battlefield;
#define FIELD_SIZE (2 * pmd_size())
#define FIELD_PAGES (FIELD_SIZE / PAGE)

/* The kernel clears each huge page that it gives: with pages of 64K these are of 512 MiB. */
static bool may_be_huge(void)
{
	return pmd_size() <= 64 * MiB;
}

static void change_protection(uint32_t chance)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };

	mprotect(battlefield + chance % (FIELD_PAGES - 24) * PAGE, PAGE * (1 + chance % 24),
		 prots[chance % 3]);
	mprotect(battlefield, FIELD_SIZE, PROT_READ | PROT_WRITE);
}

static void drop(uint32_t chance)
{
	madvise(battlefield + chance % 2 * pmd_size(), pmd_size(), MADV_DONTNEED);
}

static void touch(uint32_t chance)
{
	size_t i;

	for (i = 0; i < 200; i++)
		battlefield[(chance + i * 5) % FIELD_PAGES * PAGE] = i;
}

static void remap(uint32_t chance)
{
	mmap(battlefield + chance % 2 * pmd_size(), pmd_size(), PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	madvise(battlefield, FIELD_SIZE,
		chance & 4 && may_be_huge() ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void unmap(uint32_t chance)
{
	munmap(battlefield + pmd_size(), pmd_size());
	mmap(battlefield + pmd_size(), pmd_size(), PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void move_away_and_back(uint32_t chance)
{
	static char *other;

	if (!other)
		other = reserve(pmd_size());
	if (mremap(battlefield, pmd_size(), pmd_size(), MREMAP_MAYMOVE | MREMAP_FIXED,
		   other) != other)
		return;
	if (mremap(other, pmd_size(), pmd_size(), MREMAP_MAYMOVE | MREMAP_FIXED, battlefield) !=
	    battlefield)
		fail("mremap back: %m");
}

static void fork_once(uint32_t chance)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void collapse(uint32_t chance)
{
	if (!may_be_huge())
		return;
	madvise(battlefield, FIELD_SIZE, MADV_HUGEPAGE);
	madvise(battlefield + chance % 2 * pmd_size(), pmd_size(), MADV_COLLAPSE);
}

static void (*const changes[])(uint32_t chance) = {
	change_protection, drop, touch, remap, unmap, move_away_and_back, fork_once, collapse,
	touch,
};

static void *change(void *rounds)
{
	uint64_t state = seed();

	while (!done) {
		uint32_t chance = random_of(&state);

		changes[chance % NR_OF(changes)](chance >> 8);
		++*(volatile unsigned int *)rounds;
	}
	return NULL;
}

static void check_snapshots(struct json_object *answer, unsigned int *stable,
			    unsigned int *unstable)
{
	struct json_object *pages = jget(answer, "pages");
	size_t i, side;

	for (i = 0; i < json_object_array_length(pages); i++) {
		struct json_object *page = json_object_array_get_idx(pages, i);

		for (side = 0; side < 2; side++) {
			const char *name = side ? "after" : "before";

			if (jnull(page, name))
				continue;
			consistent(jget(page, name), (void *)jhex(page, "addr"));
			++*(jbool(jget(page, name), "stable") ? stable : unstable);
			if (!jbool(jget(page, name), "stable") && !jnull(page, "cause"))
				check_str(jstr(page, "cause"), "unstable");
		}
	}
}

static void changing_tables(void)
{
	static const char *const ops[] = {
		"walk", "get_user_pages", "pin_user_pages flags=write", "handle_mm_fault",
		"get_user_pages_remote flags=force", "walk", "follow_pfn",
	};
	volatile unsigned int rounds = 0;
	unsigned int stable = 0, unstable = 0, requests = 0, refused = 0;
	uint64_t start = now_ms(), state = seed() ^ 77;
	int fd = run_open();
	pthread_t changer;

	collect(false);
	battlefield = reserve(FIELD_SIZE);
	must(!mprotect(battlefield, FIELD_SIZE, PROT_READ | PROT_WRITE));
	if (!may_be_huge())
		no_huge_pages(battlefield, FIELD_SIZE);
	must(!pthread_create(&changer, NULL, change, (void *)&rounds));
	while (going_on(start, 2 * RUN_MS, requests > 100 && rounds > 100)) {
		uint32_t chance = random_of(&state);
		const char *op = ops[chance % 7];
		bool single = strstr(op, "fault") || strstr(op, "follow");
		struct answer answer;

		answer = ask(fd, "op=%s addr=%p nr_pages=%u", op,
			     battlefield + chance % (FIELD_PAGES - 24) * PAGE + chance % 999,
			     single ? 1 : 1 + chance % 16);
		requests++;
		if (answer.error) {
			/* It was unmapped just then. */
			check_num(answer.error, EFAULT);
			refused++;
		} else {
			check_snapshots(answer.json, &stable, &unstable);
		}
		answer_free(&answer);
	}
	done = true;
	pthread_join(changer, NULL);
	note("%u requests (%u refused) against %u changes: %u stable snapshots, %u unstable",
	     requests, refused, rounds, stable, unstable);
	check(requests > 100 && rounds > 100 && stable > 100);
}

/* ---- processes that go ---- */

static void hold_and_die(void *arg)
{
	int fd = run_open();

	record_on(fd, "op=pin_user_pages addr=%p nr_pages=16 flags=write hold", battlefield);
}

/* However a process ends, what it held is given back. */
static void killed_holders(void)
{
	int i;

	battlefield = map_anon(16 * PAGE, true);
	for (i = 0; i < 20; i++) {
		pid_t pid = spawn(hold_and_die, NULL);

		check_num(version_number("pins_held"), 16);
		kill_and_reap(pid);
		/* Its descriptors are closed a moment after it can be waited for. */
		while (version_number("pins_held"))
			sleep_ms(1);
	}
	check_num(version_number("pins_held"), 0);
}

static void live_briefly(void *arg)
{
	memset(battlefield, 1, 256 * PAGE);
}

/* Big ranges of processes that are killed in the middle of it. */
static void killed_while_walked(void)
{
	unsigned int served = 0, refused = 0, rounds;
	uint64_t start = now_ms();
	int fd = run_open();

	collect(false);
	battlefield = map_anon(256 * PAGE, false);
	for (rounds = 0; going_on(start, RUN_MS, served > 3); rounds++) {
		pid_t pid = spawn(live_briefly, NULL), killer = fork();
		int i;

		if (!killer) {
			for (volatile unsigned int j = 0; j < rounds % 50 * 10000; j++)
				;
			kill(pid, SIGKILL);
			_exit(0);
		}
		for (i = 0; i < 3; i++) {
			struct answer answer = ask(fd, "op=%s pid=%d addr=%p nr_pages=256 nokeep",
						   i & 1 ? "get_user_pages_remote" : "walk", pid,
						   battlefield);

			check(!answer.error || answer.error == ESRCH || answer.error == EFAULT);
			if (!answer.error) {
				check_num(jnum(answer.json, "pid"), pid);
				served++;
			} else {
				refused++;
			}
			answer_free(&answer);
		}
		waitpid(killer, NULL, 0);
		waitpid(pid, NULL, 0);
	}
	note("%u served, %u refused", served, refused);
	check(served > 3);
}

const struct test tests_races[] = {
	{ "races/records-read-while-they-change", records_read_while_they_change },
	{ "races/records-of-one-moment", records_of_one_moment },
	{ "races/oldest-go-first", oldest_go_first },
	{ "races/changing-tables", changing_tables },
	{ "races/killed-holders", killed_holders },
	{ "races/killed-while-walked", killed_while_walked },
	{ }
};
