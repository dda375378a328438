// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "outcome.h"

#define UNDO_MAX 16

static struct outcome *outcome;
static uint64_t the_seed;
static pid_t test_pid;
static struct {
	void (*undo)(void *arg);
	void *arg;
} undos[UNDO_MAX];
static int nr_undos;

void outcome_begin(struct outcome *shared, uint64_t seed)
{
	outcome = shared;
	the_seed = seed;
	memset(outcome, 0, sizeof(*outcome));
}

uint64_t seed(void)
{
	return the_seed;
}

/* xorshift64*: the same numbers everywhere. */
uint32_t random_of(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL) >> 32;
}

void asserted(void)
{
	__atomic_add_fetch(&outcome->assertions, 1, __ATOMIC_RELAXED);
}

void at_end(void (*undo)(void *arg), void *arg)
{
	must(nr_undos < UNDO_MAX);
	undos[nr_undos].undo = undo;
	undos[nr_undos++].arg = arg;
}

/*
 * A child of the test that fails, fails the test: the outcome is shared. What is to be undone is
 * the test's own business.
 */
__attribute__((noreturn)) static void end(enum result result)
{
	__atomic_store_n(&outcome->result, result, __ATOMIC_SEQ_CST);
	if (getpid() == test_pid)
		while (nr_undos > 0) {
			nr_undos--;
			undos[nr_undos].undo(undos[nr_undos].arg);
		}
	_exit(result == RESULT_PASSED ? 0 : 1);
}

void failed(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	int error = errno, length;
	va_list args;
	char *newline;

	/* The first failure counts, also when several threads and processes of a test meet one. */
	if (__atomic_load_n(&outcome->result, __ATOMIC_SEQ_CST) == RESULT_FAILED)
		_exit(1);
	va_start(args, fmt);
	errno = error;
	length = vsnprintf(outcome->why, sizeof(outcome->why) - 64, fmt, args);
	va_end(args);
	if (length > (int)sizeof(outcome->why) - 65)
		length = sizeof(outcome->why) - 65;
	/* An answer of the module ends with a newline; a result is one line. */
	for (newline = outcome->why; (newline = strchr(newline, '\n')); )
		*newline = ' ';
	snprintf(outcome->why + length, sizeof(outcome->why) - length, " (%s:%d)",
		 base ? base + 1 : file, line);
	end(RESULT_FAILED);
}

void skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(outcome->why, sizeof(outcome->why), fmt, args);
	va_end(args);
	end(RESULT_SKIPPED);
}

void note(const char *fmt, ...)
{
	size_t used = strlen(outcome->notes);
	va_list args;

	va_start(args, fmt);
	vsnprintf(outcome->notes + used, sizeof(outcome->notes) - used, fmt, args);
	va_end(args);
	used = strlen(outcome->notes);
	if (used + 1 < sizeof(outcome->notes))
		strcpy(outcome->notes + used, "\n");
}

void outcome_run(const struct test *test)
{
	test_pid = getpid();
	test->run();
	if (outcome->result == RESULT_NONE && !outcome->assertions)
		fail("the test asserted nothing");
	end(outcome->result == RESULT_NONE ? RESULT_PASSED : outcome->result);
}

void check_num_at(const char *file, int line, const char *what, long long got, long long want)
{
	asserted();
	if (got != want)
		failed(file, line, "%s: expected %lld, got %lld", what, want, got);
}

void check_hex_at(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
	asserted();
	if (got != want)
		failed(file, line, "%s: expected %#llx, got %#llx", what, (unsigned long long)want,
		       (unsigned long long)got);
}

void check_str_at(const char *file, int line, const char *what, const char *got, const char *want)
{
	asserted();
	if (!got != !want || (got && strcmp(got, want)))
		failed(file, line, "%s: expected %s, got %s", what, want ? want : "null",
		       got ? got : "null");
}
