// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading the module, and its parameters.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"

#define NAME "gupwalk"
static bool watches_memory(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

static bool loaded(void)
{
	return !access("/sys/module/" NAME, F_OK);
}

static int try_load(const char *parameters)
{
	int fd = open(getenv("GUPWALK_KO"), O_RDONLY | O_CLOEXEC), ret;

	must(fd >= 0);
	ret = syscall(SYS_finit_module, fd, parameters, 0) ? errno : 0;
	close(fd);
	return ret;
}

static int try_unload(void)
{
	return syscall(SYS_delete_module, NAME, O_NONBLOCK) ? errno : 0;
}

/* A descriptor of a process that has just ended may take a moment to close. */
static void unload(void)
{
	uint64_t end = now_ms() + 5000 * slowness();
	int error;

	while ((error = try_unload()) && now_ms() < end)
		sleep_ms(20);
	check_that(!error, "the module cannot be unloaded: %s", strerror(error));
}

static void load(const char *parameters)
{
	int error = try_load(parameters);

	check_that(!error, "the module cannot be loaded (%s): %s", parameters, strerror(error));
}

/* The next test finds it as it was. What this one has open would keep it loaded. */
static void reload(void *arg)
{
	closefrom(3);
	if (loaded())
		try_unload();
	try_load("");
}

static void check_gone(void)
{
	check(!loaded());
	check(access(module_file("version"), F_OK) && errno == ENOENT);
	check(access("/sys/kernel/debug/" NAME, F_OK) && errno == ENOENT);
	check(access("/dev/gupwalk_target", F_OK) && errno == ENOENT);
}

static void unload_and_load(void)
{
	at_end(reload, NULL);
	unload();
	check_gone();
	load("");
	check_num(try_load(""), EEXIST);
	check_num(version_number("records_kept"), 0);
	check_num(jnum(record("op=walk addr=%p", map_anon(PAGE, true)), "seq"), 1);
	unload();
	check_gone();
}

static void in_use(const char *what)
{
	int error = try_unload();

	check_that(error == EAGAIN || error == EBUSY, "%s: unloading gave: %s", what,
		   error ? strerror(error) : "success");
}

/* While somebody has something of it open or mapped it stays. */
static void refused_while_in_use(void)
{
	static const char *const files[] = { "version", "ops", "run", "records", "records.jsonl" };
	char *pages = map_anon(PAGE, true), *target;
	size_t i;
	int fd;

	at_end(reload, NULL);
	for (i = 0; i < NR_OF(files); i++) {
		fd = open(module_file(files[i]), O_RDONLY | O_CLOEXEC);
		must(fd >= 0);
		in_use(files[i]);
		close(fd);
	}
	fd = run_open();
	record_on(fd, "op=pin_user_pages addr=%p hold", pages);
	in_use("pins");
	check_num(version_number("pins_held"), 1);
	close(fd);
	fd = open("/dev/gupwalk_target", O_RDWR | O_CLOEXEC);
	must(fd >= 0);
	in_use("the open target");
	target = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
	in_use("the mapped target");
	target[0] = 1;
	must(!munmap(target, PAGE));
	unload();
	check_gone();
}

/* Counters of pins are kept per CPU; this folds them. */
static void pins_of_kernel(long long *acquired, long long *released)
{
	try_write_file("/proc/sys/vm/stat_refresh", "1");
	*acquired = read_key("/proc/vmstat", "nr_foll_pin_acquired");
	*released = read_key("/proc/vmstat", "nr_foll_pin_released");
}

static long long sum_of(const char *const *keys)
{
	long long sum = 0;

	for (; *keys; keys++)
		sum += read_key("/proc/meminfo", *keys);
	return sum;
}

/* Pages on the allocator's per-CPU lists: free, and not counted as such. */
static long long percpu_free(void)
{
	char *text = read_file("/proc/zoneinfo", NULL), *place = text;
	long long pages = 0;

	while ((place = strstr(place, " count: ")))
		pages += atoll(place += 8);
	free(text);
	return pages * PAGE / 1024;
}

/* Buffers of the file system by which the guest reads the host's files, in KiB; each has 256. */
static long long buffers_of_9p(void)
{
	char *text = read_file("/proc/slabinfo", NULL), *place = text;
	long long pages, slabs, kib = 0;

	while ((place = strstr(place, "\n9p-fcall-cache"))) {
		place++;
		if (sscanf(place, "%*s %*s %*s %*s %*s %lld : tunables %*s %*s %*s : slabdata %*s %lld",
			   &pages, &slabs) == 2)
			kib += pages * slabs * PAGE / 1024;
	}
	free(text);
	return kib;
}

struct in_use memory_in_use(void)
{
	static const char *const allocators[] = { "SUnreclaim", "VmallocUsed", "Percpu", NULL };
	static const char *const others[] = { "MemFree", "Buffers", "Cached", "SwapCached",
		"AnonPages", "SReclaimable", "KernelStack", "PageTables", NULL };
	struct in_use now;

	write_file("/proc/sys/vm/drop_caches", "3");
	drain();
	try_write_file("/proc/sys/vm/stat_refresh", "1");
	now.allocated = sum_of(allocators) - buffers_of_9p();
	now.unaccounted = read_key("/proc/meminfo", "MemTotal") - sum_of(others) - percpu_free() -
			  sum_of(allocators);
	return now;
}

static void use(char *pages)
{
	static const char *const ops[] = { "pin_user_pages flags=write hold", "get_user_pages hold",
		"walk" };
	int fd = run_open(), i;

	for (i = 0; i < 3; i++)
		json_object_put(record_on(fd, "addr=%p nr_pages=8 op=%s", pages, ops[i]));
	close(fd);
	free(read_file(module_file("records"), NULL));
}

static void cycle(char *pages, int rounds)
{
	while (rounds--) {
		unload();
		load("");
		use(pages);
	}
}

/*
 * What a load leaves behind, each load leaves behind. What comes and goes by itself was up to 70
 * pages in 100 loads when this was written, and now and then an allocator takes much at once: so
 * one stretch of loads without growth is enough, and a page a load is found only in stretches of
 * fifty. Short ones find what is as large as the target (four pages). A kernel that watches its
 * memory tells of all that was allocated by name, but not of pages; and it needs some itself.
 */
static int loads_of_a_stretch(void)
{
	return watches_memory() ? 5 : brevity() > 1 ? 12 : 50;
}

static bool grew(const char *what, long long from, long long to)
{
	long long loads = loads_of_a_stretch(), percent = brevity() > 1 ? 300 : 85;

	note("%s memory grew by %lld KiB in %lld loads", what, to - from, loads);
	return !watches_memory() && to - from >= loads * percent / 100 * (long long)PAGE / 1024;
}

static void hundred_times(void)
{
	long long acquired, released, acquired_before, released_before;
	bool allocated_grows = true, unaccounted_grows = true;
	int i, loads = loads_of_a_stretch(), stretches = brevity() > 1 ? 6 : 2;
	char *pages = map_anon(8 * PAGE, true);
	struct in_use before, after;

	at_end(reload, NULL);
	collect(false);
	cycle(pages, 5);
	pins_of_kernel(&acquired_before, &released_before);
	after = memory_in_use();
	for (i = 0; i < stretches; i++) {
		/* a hundred times is that, unless it shall be short */
		if (brevity() > 1 && !allocated_grows && !unaccounted_grows)
			break;
		before = after;
		cycle(pages, loads);
		after = memory_in_use();
		if (!grew("allocated", before.allocated, after.allocated))
			allocated_grows = false;
		if (!grew("unaccounted", before.unaccounted, after.unaccounted))
			unaccounted_grows = false;
	}
	check_that(!allocated_grows, "allocated memory grows");
	check_that(!unaccounted_grows, "memory that nobody accounts for grows");
	pins_of_kernel(&acquired, &released);
	check_num(acquired - acquired_before, i * loads * 8);
	check_num(released - released_before, i * loads * 8);
	check_num(version_number("pins_held"), 0);
	unload();
	check_gone();
	check_num(read_key("/proc/modules", NAME), -1);
}

/* ---- parameters ---- */

static void limits(void)
{
	char *pages = map_anon(64 * PAGE, true);
	struct answer answer;
	int fd, i;

	at_end(reload, NULL);
	unload();
	load("records_max=4 pages_max=8 pins_max=10");
	check_num(version_number("records_max"), 4);
	check_num(version_number("pages_max"), 8);
	check_num(version_number("pins_max"), 10);

	for (i = 0; i < 7; i++)
		record("op=walk addr=%p", pages);
	check_num(version_number("records_kept"), 4);
	check_num(version_number("records_dropped"), 3);

	check_num(jnum(record("op=get_user_pages addr=%p nr_pages=8", pages), "ret"), 8);
	answer = ask(run_open(), "op=get_user_pages addr=%p nr_pages=9", pages);
	check_num(answer.error, E2BIG);
	/* A walk says how far it came. */
	check_num(jnum(record("op=walk addr=%p nr_pages=64", pages), "ret"), 8);

	fd = run_open();
	record_on(fd, "op=pin_user_pages addr=%p nr_pages=8 hold", pages);
	answer = ask(fd, "op=get_user_pages addr=%p nr_pages=3 hold", pages);
	check_num(answer.error, ENOSPC);
	check(!strncmp(jstr(answer.json, "error"), "hold: ", 6));
	check_num(version_number("pins_held"), 8);
	record_on(fd, "op=get_user_pages addr=%p nr_pages=2 hold", pages);
	check_num(version_number("pins_held"), 10);
	check_num(ask(run_open(), "op=get_user_pages addr=%p hold", pages).error, ENOSPC);
	/* Without hold nothing is counted. */
	record("op=pin_user_pages addr=%p nr_pages=8", pages);
	close(fd);
	check_num(version_number("pins_held"), 0);
	record("op=pin_user_pages addr=%p nr_pages=8 hold", pages);
}

/* Foolish values are brought into bounds, and `version` says what is in force. */
static void foolish_limits(void)
{
	char *pages = map_anon(PAGE, true);
	int fd;

	at_end(reload, NULL);
	unload();
	load("records_max=0 pages_max=0 pins_max=0");
	check(version_number("records_max") >= 1 && version_number("pages_max") >= 1);
	check_num(jnum(record("op=get_user_pages addr=%p", pages), "ret"), 1);
	fd = run_open();
	check_num(ask(fd, "op=get_user_pages addr=%p hold", pages).error, ENOSPC);
	close(fd);
	unload();
	load("records_max=4294967295 pages_max=4294967295 pins_max=4294967295");
	check(version_number("records_max") < 1000000 && version_number("pages_max") < 1000000);
	check_num(jnum(record("op=get_user_pages addr=%p hold", pages), "ret"), 1);
	unload();
	check_num(try_load("records_max=-1"), EINVAL);
	check_num(try_load("pages_max=many"), EINVAL);
	check_gone();
}

const struct test tests_load[] = {
	{ "load/unload-and-load", unload_and_load, NEED_KO },
	{ "load/refused-while-in-use", refused_while_in_use, NEED_KO },
	{ "load/hundred-times", hundred_times, NEED_KO, 300 },
	{ "load/limits", limits, NEED_KO },
	{ "load/foolish-limits", foolish_limits, NEED_KO },
	{ }
};
