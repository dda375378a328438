// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests: each in a process of its own, one line of output each.
 *
 * usage: gupwalk-test [-l] [-x PATTERN]... [-s SEED] [PATTERN]...
 *
 * PATTERN is a shell pattern for names of tests; -x leaves those out, -l lists. Exit: 0 all passed
 * or were skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "outcome.h"

#define EXCLUDE_MAX 16
#define SECONDS 120

static const struct test * const areas[] = {
	tests_states, tests_moving, tests_facts, tests_family, tests_predict, tests_reasons,
	tests_bulk, tests_extents, tests_whole, tests_translate, tests_observe,
	tests_bad, tests_target, tests_races, tests_load, tests_layout,
};

static const char *excluded[EXCLUDE_MAX];
static int nr_excluded;
static struct outcome *outcome;
static unsigned int passed, failures, skipped;

static unsigned int seconds_of(const struct test *test)
{
	return slowness() * (test->seconds ? test->seconds : SECONDS);
}

static bool selected(const char *name, char **patterns)
{
	int i;

	for (i = 0; i < nr_excluded; i++)
		if (!fnmatch(excluded[i], name, 0))
			return false;
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, name, 0))
			return true;
	return false;
}

/* The process group of a test goes with it: what it has started must not live into the next one. */
static bool wait_for(pid_t pid, unsigned int seconds, int *status)
{
	uint64_t end = now_ms() + seconds * 1000;
	bool in_time = true;

	while (!waitpid(pid, status, WNOHANG)) {
		if (now_ms() > end) {
			in_time = false;
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
			break;
		}
		sleep_ms(2);
	}
	kill(-pid, SIGKILL);
	return in_time;
}

/*
 * Whatever a test did, its descriptors are closed now, so it holds nothing. A process that was
 * killed takes a moment to go.
 */
static long long pins_left(void)
{
	uint64_t end = now_ms() + 2000 * slowness();
	long long pins = 0;

	if (access(module_file("version"), R_OK))
		return 0;
	while ((pins = read_key(module_file("version"), "pins_held")) && now_ms() < end)
		sleep_ms(10);
	return pins;
}

static void judge(const struct test *test, bool in_time, int status)
{
	if (!in_time) {
		outcome->result = RESULT_FAILED;
		snprintf(outcome->why, sizeof(outcome->why), "not done after %u s",
			 seconds_of(test));
	} else if (outcome->result == RESULT_NONE) {
		outcome->result = RESULT_FAILED;
		snprintf(outcome->why, sizeof(outcome->why), "died: %s",
			 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "without a word");
	} else if (outcome->result != RESULT_FAILED && pins_left()) {
		outcome->result = RESULT_FAILED;
		snprintf(outcome->why, sizeof(outcome->why), "left pins behind: pins_held is %lld",
			 pins_left());
	}
}

static void print_notes(void)
{
	char *rest = outcome->notes, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("#   %s\n", line);
}

static void print(const struct test *test, uint64_t took)
{
	switch (outcome->result) {
	case RESULT_PASSED:
		passed++;
		printf("ok %s\n", test->name);
		break;
	case RESULT_SKIPPED:
		skipped++;
		printf("skip %s: %s\n", test->name, outcome->why);
		break;
	default:
		failures++;
		printf("not ok %s: %s\n", test->name, outcome->why);
	}
	print_notes();
	if (took > 3000)
		printf("#   took %.1f s\n", took / 1000.0);
	fflush(stdout);
}

static void run(const struct test *test, uint64_t seed)
{
	const char *missing = need_missing(test->needs);
	uint64_t start = now_ms();
	int status = 0;
	bool in_time;
	pid_t pid;

	outcome_begin(outcome, seed);
	if (missing) {
		outcome->result = RESULT_SKIPPED;
		snprintf(outcome->why, sizeof(outcome->why), "%s", missing);
	} else {
		fflush(NULL);
		pid = fork();
		if (!pid) {
			setpgid(0, 0);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			outcome_run(test);
		}
		setpgid(pid, pid);
		in_time = wait_for(pid, seconds_of(test), &status);
		judge(test, in_time, status);
	}
	print(test, now_ms() - start);
}

/* What is found out here need not be found out by each test. */
static void print_machine(uint64_t seed)
{
	struct utsname name;

	uname(&name);
	printf("# %s %s, pages of %zu bytes, %d levels, %u bits of address, seed %llu\n",
	       name.machine, name.release, PAGE, nr_levels(), user_bits(),
	       (unsigned long long)seed);
	if (!kpageflags_knows_ksm())
		puts("# /proc/kpageflags is wrong here: it says KSM of all anonymous pages");
}

static void open_collection(void)
{
	const char *path = getenv("GUPWALK_RECORDS");
	int fd;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	collect_into(fd);
}

int main(int argc, char **argv)
{
	bool list = false;
	uint64_t seed = time(NULL);
	unsigned int area;
	int option;

	while ((option = getopt(argc, argv, "lx:s:")) != -1) {
		if (option == 'l') {
			list = true;
		} else if (option == 'x' && nr_excluded < EXCLUDE_MAX) {
			excluded[nr_excluded++] = optarg;
		} else if (option == 's') {
			seed = strtoull(optarg, NULL, 0);
		} else {
			fprintf(stderr, "usage: %s [-l] [-x PATTERN]... [-s SEED] [PATTERN]...\n",
				argv[0]);
			return 2;
		}
	}
	if (!list && !getenv("GUPWALK_TEST_MACHINE")) {
		fputs("these tests poison memory, change settings and reload the module:\n"
		      "only for a virtual machine of their own, with GUPWALK_TEST_MACHINE=yes\n",
		      stderr);
		return 2;
	}
	seed = seed ? seed : 1;
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	outcome_begin(outcome, seed);
	open_collection();
	/*
	 * NUMA hints would change entries between two looks; the one test that wants them turns
	 * them on.
	 */
	try_write_file("/proc/sys/kernel/numa_balancing", "0");
	if (!list) {
		print_machine(seed);
		bulk_prepare();
	}
	for (area = 0; area < NR_OF(areas); area++) {
		const struct test *test;

		for (test = areas[area]; test->name; test++) {
			if (!selected(test->name, argv + optind))
				continue;
			if (list)
				puts(test->name);
			else
				run(test, seed);
		}
	}
	if (list)
		return 0;
	printf("# %u passed, %u failed, %u skipped\n", passed, failures, skipped);
	if (passed + failures + skipped == 0)
		fputs("no test has such a name\n", stderr);
	return failures || passed + skipped == 0;
}
