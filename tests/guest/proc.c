// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc and the clock say, and processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"

static uint64_t read_word(const char *path, uint64_t index)
{
	uint64_t word = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("cannot open %s: %m", path);
	/* Nothing there: the end of the file, as of an address above the last VMA. */
	if (pread(fd, &word, sizeof(word), index * sizeof(word)) < 0)
		fail("cannot read %s at %llu: %m", path, (unsigned long long)index);
	close(fd);
	return word;
}

/* Of files that are asked again and again: *fd is opened once, and stays so in children. */
static uint64_t read_word_of(const char *path, int *fd, uint64_t index)
{
	uint64_t word = 0;

	if (*fd < 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0 || pread(*fd, &word, sizeof(word), index * sizeof(word)) < 0)
		fail("cannot read %s at %llu: %m", path, (unsigned long long)index);
	return word;
}

uint64_t kpageflags(uint64_t pfn)
{
	static int fd = -1;

	return read_word_of("/proc/kpageflags", &fd, pfn);
}

static uint64_t kpagecount(uint64_t pfn)
{
	static int fd = -1;

	return read_word_of("/proc/kpagecount", &fd, pfn);
}

struct sight look(pid_t pid, const void *addr)
{
	struct sight sight = { };
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/pagemap");
	sight.pagemap = read_word(path, (uintptr_t)addr / page_size());
	if (sight.pagemap & PM_PRESENT) {
		sight.flags = kpageflags(sight.pagemap & PM_PFN);
		sight.count = kpagecount(sight.pagemap & PM_PFN);
	}
	return sight;
}

#define ZONES_MAX 32

static struct zone {
	char name[16];
	uint64_t start;
	uint64_t spanned;
} zones[ZONES_MAX];
static int nr_zones;

static void read_zones(void)
{
	char *text = read_file("/proc/zoneinfo", NULL), *rest = text, *line;
	struct zone *zone = NULL;
	unsigned long long number;
	char name[16];

	while ((line = strsep(&rest, "\n")) && nr_zones < ZONES_MAX) {
		if (sscanf(line, "Node %*d, zone %15s", name) == 1) {
			zone = &zones[nr_zones++];
			strcpy(zone->name, name);
		} else if (zone && sscanf(line, " spanned %llu", &number) == 1) {
			zone->spanned = number;
		} else if (zone && sscanf(line, " start_pfn: %llu", &number) == 1) {
			zone->start = number;
		}
	}
	free(text);
}

const char *zone_of(uint64_t pfn)
{
	const char *found = NULL;
	int i;

	if (!nr_zones)
		read_zones();
	for (i = 0; i < nr_zones; i++) {
		if (pfn < zones[i].start || pfn - zones[i].start >= zones[i].spanned)
			continue;
		/* Nodes whose ranges overlap: only the names matter. */
		if (found && strcmp(found, zones[i].name))
			return NULL;
		found = zones[i].name;
	}
	return found;
}

/* Is it asleep, or has it ended? */
static bool at_rest(pid_t pid)
{
	char path[32], *text, state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_file(path, NULL);
	must(sscanf(text, "%*d (%*[^)]) %c", &state) == 1);
	free(text);
	return strchr("SZ", state);
}

pid_t spawn(void (*run)(void *arg), void *arg)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	must(!pipe(ready));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		if (run)
			run(arg);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail("a child died while it was being set up");
	close(ready[0]);
	/* On its way to pause() it may still touch pages that it had not. */
	while (!at_rest(pid))
		sleep_ms(1);
	return pid;
}

void kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	must(waitpid(pid, NULL, 0) == pid);
}

#define NO_COMMAND 127

static void command_exec(const char *const *words)
{
	const char *all[16] = { "gupwalk" };
	size_t nr;

	for (nr = 0; words[nr] && nr + 2 < NR_OF(all); nr++)
		all[nr + 1] = words[nr];
	/* not changed by it, as POSIX says */
	execvp(all[0], (char *const *)all);
	_exit(NO_COMMAND);
}

pid_t command_start(const char *const *words, int *out)
{
	int ends[2];
	pid_t pid;

	if (out) {
		must(!pipe2(ends, O_CLOEXEC));
		/* The least that there is: a page. */
		must(fcntl(ends[1], F_SETPIPE_SZ, 1) > 0);
	}
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (out)
			dup2(ends[1], STDOUT_FILENO);
		else
			ptrace(PTRACE_TRACEME, 0, 0, 0);
		command_exec(words);
	}
	if (out) {
		close(ends[1]);
		*out = ends[0];
	}
	return pid;
}

int command_status(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_COMMAND)
		skip("there is no gupwalk in PATH");
	return WEXITSTATUS(status);
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

bool going_on(uint64_t start, unsigned int ms, bool enough)
{
	uint64_t now = now_ms();

	return now < start + ms / brevity() || (!enough && now < start + 80000 * slowness());
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

struct json_object *command_prints(int status, const char *fmt, ...)
{
	struct json_object *lines = json_object_new_array();
	const char *words[16] = { NULL };
	char text[256], *line = NULL, *rest;
	size_t room = 0, nr = 0;
	va_list args;
	pid_t pid;
	FILE *f;
	int out;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	rest = text;
	while ((words[nr] = strtok_r(rest, " ", &rest)))
		must(++nr < sizeof(words) / sizeof(words[0]));
	pid = command_start(words, &out);
	f = fdopen(out, "r");
	must(f);
	while (getline(&line, &room, f) > 0)
		json_object_array_add(lines, json_tokener_parse(line));
	fclose(f);
	free(line);
	check_num(command_status(pid), status);
	return lines;
}
