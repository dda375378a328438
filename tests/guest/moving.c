// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that are there for a moment only: somebody makes them again and again, and a walk has to
 * meet one in time.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"
#include "tables.h"

#define SECONDS (60 * slowness())

static volatile bool done;

/*
 * Moves a page to the other node and back. One that somebody holds a reference on cannot go, but
 * it is tried ten times.
 */
static void *move(void *page)
{
	unsigned int round = 0;

	while (!done) {
		void *pages[] = { page };
		int node = round++ & 1, status;

		syscall(SYS_move_pages, 0, 1UL, pages, &node, &status, MPOL_MF_MOVE);
	}
	return NULL;
}

/* With pages of 64K a huge one has 512 MiB: the other node may have nothing of that size left. */
static void check_movable(void *page, size_t size)
{
	int node, status;

	for (node = 1; node >= 0; node--) {
		must(!syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, MPOL_MF_MOVE));
		/* A transparent huge page is split then, to be moved in pieces. */
		if (status == -ENOMEM || jnum(walk(page), "size") != (long long)size)
			skip("no %zu KiB in one piece are free on node %d", size / 1024, node);
		check_num(status, node);
	}
}

/* The same, by the file `walk`. Return: 1 if it is a migration entry. */
static int check_bulk(const char *addr, size_t size, uint64_t pfn)
{
	struct bulk bulk = bulk_of(0, addr, 1);
	const struct entries *entries = bulk_entries();
	const struct entry_class *class;
	struct table_entry *e = bulk.entry;
	uint64_t value;
	bool migration;

	check_num(bulk.nr, 1);
	value = e->path[e->level].value;
	class = entry_class(&entries->level[e->level], value);
	check(class);
	migration = !strcmp(class->state, "migration");
	check_that(migration || !strcmp(class->state, "present"), "state %s", class->state);
	check_num(entry_pfn(entries, e->level, class, value, (uintptr_t)addr), pfn);
	check_num(e->size, size);
	bulk_free(&bulk);
	return migration;
}

/* And by /proc. Return: 1 if it is an entry of a page that is not there. */
static int check_pagemap(const char *addr, uint64_t pfn)
{
	uint64_t word = look(0, addr).pagemap;

	if (word & PM_PRESENT)
		check_num(word & PM_PFN, pfn);
	return !(word & PM_PRESENT);
}

/* The page is held, so the entry must always name the page frame that it has now. */
static void meet_migration(char *page, size_t size)
{
	uint64_t end = now_ms() + SECONDS * 1000, walks = 0, seen = 0, bulk = 0, absent = 0;
	int fd = run_open(), walker = run_open();
	const char *addr = page + size / 2 + 5;
	long long pfn;
	pthread_t mover;

	drain();
	check_movable(page, size);
	pfn = jnum(record_on(fd, "op=get_user_pages flags=write hold addr=%p", addr),
		   "pages.0.pfn");
	must(!pthread_create(&mover, NULL, move, page));
	collect(false);
	while (now_ms() < end && (seen < 3 || bulk < 3)) {
		struct answer answer = ask(walker, "op=walk nokeep addr=%p", addr);
		struct json_object *snap = jget(answer.json, "pages.0.before");

		walks++;
		consistent(snap, addr);
		if (jbool(snap, "stable")) {
			bool migration = !strcmp(jstr(snap, "state"), "migration");

			check_that(migration || !strcmp(jstr(snap, "state"), "present"), "state %s",
				   jstr(snap, "state"));
			check_num(jnum(snap, "pfn"), pfn);
			check_num(jnum(snap, "size"), size);
			seen += migration;
		}
		answer_free(&answer);
		bulk += check_bulk(addr, size, pfn);
		absent += check_pagemap(addr, pfn);
	}
	done = true;
	pthread_join(mover, NULL);
	note("migration entries in %llu walks: %llu of single addresses, %llu in bulk; %llu pages not there by pagemap",
	     (unsigned long long)walks, (unsigned long long)seen, (unsigned long long)bulk,
	     (unsigned long long)absent);
	check_that(seen && bulk, "no migration entry in %u s", SECONDS);
}

static void migration(void)
{
	meet_migration(map_anon(PAGE, true), PAGE);
}

static void migration_thp(void)
{
	meet_migration(map_thp(), pmd_size());
}

static void migration_hugetlb(void)
{
	char *page = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[0] = 1;
	meet_migration(page, pmd_size());
}

/* Moved for real: another page frame on the other node. */
static void moved(void)
{
	char *page = map_anon(PAGE, true);
	void *pages[] = { page };
	int node, status;
	long long pfn;

	for (node = 1; node >= 0; node--) {
		pfn = jnum(walk(page), "pfn");
		must(!syscall(SYS_move_pages, 0, 1UL, pages, &node, &status, MPOL_MF_MOVE));
		check_num(status, node);
		check_num(jnum(walk(page), "page.nid"), node);
	}
	check(jnum(walk(page), "pfn") != pfn);
}

/*
 * How the scanner is set: in debugfs since 8a99b6833c88 ("sched: Move SCHED_DEBUG sysctl to
 * debugfs") (in v5.13), before that a sysctl.
 */
static void set_scanner(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/sched/numa_balancing/%s", name);
	if (try_write_file(path, value))
		return;
	snprintf(path, sizeof(path), "/proc/sys/kernel/numa_balancing_%s", name);
	write_file(path, value);
}

/*
 * Since d74943a2f3cd ("mm/gup: reintroduce FOLL_NUMA as FOLL_HONOR_NUMA_FAULT") (in v6.5)
 * get_user_pages takes such a page as it is.
 */
static bool gup_restores_hints(void)
{
	return !kernel_since(6, 5);
}

static void *idle(void *arg)
{
	pause();
	return NULL;
}

static void hints_off(void *arg)
{
	try_write_file("/proc/sys/kernel/numa_balancing", "0");
}

/* A page that is on another node than who came by is taken there, if it can be. */
static void check_restored(struct json_object *answer)
{
	bool moved = jnum(answer, "pages.0.before.pfn") != jnum(answer, "pages.0.after.pfn");

	check_str(jstr(answer, "pages.0.after.state"), "present");
	check_str(jstr(answer, "pages.0.cause"), moved ? "migrated" : "protnone-restored");
	if (moved)
		check(jnum(answer, "pages.0.before.page.nid") !=
		      jnum(answer, "pages.0.after.page.nid"));
}

/*
 * The scanner takes the rights of pages away for a moment, to see who comes by: PROT_NONE entries
 * in a VMA that allows access.
 */
static void numa_hint(void)
{
	uint64_t end = now_ms() + SECONDS * 1000;
	pthread_t thread;
	char *pages;
	int i;

	/* Of a process with one thread the scanner passes over what is on its own node. */
	must(!pthread_create(&thread, NULL, idle, NULL));
	at_end(hints_off, NULL);
	set_scanner("scan_delay_ms", "10");
	set_scanner("scan_period_min_ms", "10");
	write_file("/proc/sys/kernel/numa_balancing", "1");
	pages = map_anon(64 * PAGE, true);
	while (now_ms() < end) {
		struct json_object *answer;

		for (i = 0; i < 10000000; i++)
			asm volatile("" : : : "memory");
		answer = record("op=get_user_pages addr=%p nokeep", pages + 5 * PAGE);
		if (strcmp(jstr(answer, "pages.0.before.state"), "protnone"))
			continue;
		check(jhas(answer, "vma.flags", "read"));
		check_num(jnum(answer, "ret"), 1);
		check_num(jnum(answer, "pages.0.pfn"), jnum(answer, "pages.0.after.pfn"));
		if (!gup_restores_hints())
			check_str(jstr(answer, "pages.0.cause"), "unchanged");
		else
			check_restored(answer);
		/* The scanner may have come by again; a fault is about such entries only. */
		answer = record("op=handle_mm_fault addr=%p nokeep", pages + 5 * PAGE);
		if (!strcmp(jstr(answer, "pages.0.before.state"), "protnone"))
			check_restored(answer);
		return;
	}
	fail("no NUMA hint in %u s", SECONDS);
}

const struct test tests_moving[] = {
	{ "moving/migration", migration, NEED_TWO_NODES },
	{ "moving/migration-thp", migration_thp, NEED_TWO_NODES | NEED_THP },
	{ "moving/migration-hugetlb", migration_hugetlb, NEED_TWO_NODES | NEED_HUGETLB_2M },
	{ "moving/moved", moved, NEED_TWO_NODES },
	{ "moving/numa-hint", numa_hint, NEED_TWO_NODES | NEED_NUMA_BALANCING },
	{ }
};
