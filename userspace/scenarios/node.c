// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel does to a program's memory by itself on a machine with several nodes. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../memory.h"
#include "../text.h"
#include "spot.h"

/* So long a set-up waits for what the kernel does in its own time. */
#define SECONDS 30

static bool start_thread(void *(*function)(void *arg), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, function, arg);
	return !errno || scene_failed("pthread_create");
}

/* The node that a page is on; negative if that cannot be told. */
static int node_of(void *page)
{
	int node;

	return syscall(SYS_move_pages, 0, 1UL, &page, NULL, &node, 0) ? -1 : node;
}

/* ---- a page on its way ---- */

static bool move_to(void *page, int node)
{
	int status;

	return !syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, 2 /* MPOL_MF_MOVE */) &&
	       status == node;
}

/* To the other node and back, for as long as the process lives. */
static void *move_on(void *page)
{
	unsigned int round;

	for (round = 0;; round++)
		move_to(page, round & 1);
	return NULL;
}

/* What does not fit on a node as one is split, and moved in pieces. */
static bool moves_as_one(struct scene *scene)
{
	int node;

	memory_drain();
	for (node = 1; node >= 0; node--)
		if (!move_to(scene->spots[0], node) || !spot_is(scene, 0, "before.leaf=pmd"))
			return false;
	return true;
}

static const char *check_migration(const struct about *about)
{
	const char *missing = spot_nodes_missing(about);

	return missing ? missing : spot_thp_missing(about);
}

/*
 * The mover and who looks are on one CPU (see memory_one_cpu()). Who looks goes first whenever he
 * wakes up: the mover stays where it was, and that is often in the middle of copying a huge page.
 * What is seen then stays so until who looks goes to sleep again.
 */
static bool setup_migration(struct scene *scene)
{
	const struct sched_param first = { .sched_priority = 1 };
	char *end;

	if (!spot_huge(scene, 0))
		return false;
	end = scene->spots[0] + scene_pmd(scene);
	spot_write(scene, 0, WORD);
	/* a huge page is there as a whole */
	if (memory_untouched(end - scene->page_size, scene->page_size))
		return scene_cannot(scene, "the kernel found no memory for a huge page");
	if (!moves_as_one(scene))
		return scene_cannot(scene, "nodes 0 and 1 have no place for a huge page each");
	if (!start_thread(move_on, scene->spots[0]))
		return false;
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		return scene_cannot(scene, "real-time priority is not allowed here");
	scene_note(scene, "the program writes \"%s\" into a transparent huge page, and another thread "
			  "of it moves that to the other node and back, again and again", WORD);
	return true;
}

/* It is not moved for all of the time: look at odd moments until it is. */
static bool meet_migration(struct scene *scene)
{
	time_t end = time(NULL) + SECONDS;
	unsigned int i;

	for (i = 0; !scene->cannot && time(NULL) <= end; i++) {
		if (spot_is(scene, 0, "before.state=migration"))
			return true;
		usleep(100 + i * 37 % 1000);
	}
	return !scene->cannot && scene_cannot(scene, "the page was never seen on its way");
}

static const struct step migration_steps[] = {
	{
		.op = "walk",
		.before = meet_migration,
		.expects = ALWAYS("before.state=migration before.pfn=P1"),
	},
	{
		.op = "get_user_pages",
		.words = "peek=7",
		.before = meet_migration,
		.expects = ALWAYS("ret=1 errno=none cause=migrated before.state=migration "
				  "after.state=present after.page=anon pfn=@after.pfn "
				  "peek=" WORD),
	},
	{ 0 }
};

const struct scenario scenario_migration = {
	.name = "migration",
	.teaches = "while the kernel moves a page, its entry is one that is not present, and names "
		   "the page frame that it is leaving: who comes by waits, a call too, and then "
		   "takes the page where it is now",
	.needs = "two memory nodes, transparent huge pages not set to never, real-time priority",
	.check = check_migration,
	.setup = setup_migration,
	.steps = migration_steps,
};

/* ---- NUMA hints ---- */

#define BALANCING "/proc/sys/kernel/numa_balancing"

static const char *check_hints(const struct about *about)
{
	const char *missing = spot_nodes_missing(about);

	if (missing)
		return missing;
	return access(BALANCING, W_OK) ? "this kernel does not balance memory between nodes" : NULL;
}

/*
 * How often the scanner comes by. In debugfs since Linux kernel commit 8a99b6833c88 ("sched: Move
 * SCHED_DEBUG sysctl to debugfs") (in v5.13).
 */
static const char *scanner_file(bool period)
{
	static const char *const files[2][2] = {
		{ "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms",
		  "/proc/sys/kernel/numa_balancing_scan_delay_ms" },
		{ "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms",
		  "/proc/sys/kernel/numa_balancing_scan_period_min_ms" },
	};

	return files[period][access(files[period][0], W_OK) ? 1 : 0];
}

static bool end_hints(const uint64_t *kept)
{
	bool balancing = spot_restore(BALANCING, kept[0]);
	bool delay = spot_restore(scanner_file(false), kept[1]);

	return spot_restore(scanner_file(true), kept[2]) && delay && balancing;
}

static bool begin_hints(const struct about *about, uint64_t *kept)
{
	(void)about;
	if (!file_number(BALANCING, &kept[0]) || !file_number(scanner_file(false), &kept[1]) ||
	    !file_number(scanner_file(true), &kept[2])) {
		complain("reading how memory is balanced", BALANCING, strerror(errno), "be root");
		return false;
	}
	if (file_put_number(scanner_file(false), 10) && file_put_number(scanner_file(true), 10) &&
	    file_put_number(BALANCING, 1))
		return true;
	complain("turning on the balancing of memory", BALANCING, strerror(errno), "be root");
	end_hints(kept);
	return false;
}

static void *sleep_on(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

#define HINTED 3

static bool all_hinted(struct scene *scene)
{
	int i;

	for (i = 0; i < HINTED; i++)
		if (!spot_is(scene, i, "before.state=protnone"))
			return false;
	return true;
}

/* The scanner runs in the time of the program: that has to use some. */
static void use_time(void)
{
	clock_t end = clock() + CLOCKS_PER_SEC / 100;

	while (clock() < end)
		;
}

/* Who is moved to another node would find its memory on this one. */
static bool stay_on_cpu(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	return !sched_setaffinity(0, sizeof(cpu), &cpu);
}

static bool setup_hints(struct scene *scene)
{
	time_t end = time(NULL) + SECONDS;
	unsigned int node;
	int i;

	/* of a program with one thread it passes over what is on that one's node */
	if (!start_thread(sleep_on, NULL))
		return false;
	if (!stay_on_cpu())
		return scene_failed("staying on a CPU");
	memory_hints();
	for (i = 0; i < HINTED; i++)
		if (!spot_touch(scene, i))
			return false;
	/* who comes by from another node takes the page there */
	if (getcpu(NULL, &node) || node_of(scene->spots[0]) != (int)node)
		return scene_cannot(scene, "this CPU's node has no memory left");
	/* and over what somebody else seems to have a reference of, as a CPU's batch does */
	memory_drain();
	while (!all_hinted(scene)) {
		if (scene->cannot)
			return false;
		if (time(NULL) > end)
			return scene_cannot(scene, "the kernel's scanner has not come by");
		use_time();
	}
	if (!file_put_number(BALANCING, 0))
		return scene_failed(BALANCING);
	scene_note(scene, "the program writes \"%s\" to three buffers and waits until the kernel has "
			  "taken the rights from their entries, to see who comes by (NUMA balancing)",
		   WORD);
	return true;
}

/*
 * Linux kernel commit d74943a2f3cd ("mm/gup: reintroduce FOLL_NUMA as FOLL_HONOR_NUMA_FAULT") (in
 * v6.5).
 */
static const struct step numa_hint_steps[] = {
	{
		.op = "get_user_pages",
		.expects = {
			{ .before = KERNEL(6, 5),
			  .terms = "ret=1 cause=protnone-restored before.state=protnone "
				   "after.state=present pfn=@before.pfn vma.flags~read" },
			{ .since = KERNEL(6, 5),
			  .terms = "ret=1 cause=unchanged before.state=protnone "
				   "after.state=protnone pfn=@before.pfn vma.flags~read" },
		},
	},
	{
		.op = "get_user_pages_remote", .flags = "force",
		.spot = 1,
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=unchanged before.state=protnone "
				  "after.state=protnone pfn=@before.pfn peek=" WORD),
	},
	{
		.op = "handle_mm_fault",
		.spot = 1,
		.expects = ALWAYS("errno=none cause=protnone-restored before.state=protnone "
				  "after.state=present after.pfn=@before.pfn after.rights~write"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 2,
		.expects = ALWAYS("ret=1 cause=protnone-restored before.state=protnone "
				  "after.state=present after.rights~write pfn=@before.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_numa_hint = {
	.name = "numa-hint",
	.teaches = "NUMA balancing takes the rights from entries now and then, to see from which node "
		   "the next access comes: PROT_NONE in a VMA that allows access. Since Linux 6.5 a "
		   "call that only reads passes over that and takes the page; one that writes "
		   "faults, as the right to write is not there",
	.needs = "two memory nodes and NUMA balancing, which the run turns on and back",
	.check = check_hints,
	.setup = setup_hints,
	.begin = begin_hints,
	.end = end_hints,
	.steps = numa_hint_steps,
};
