/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the program that runs the tests and the process that is one.
 */
#ifndef GUPWALK_TESTS_OUTCOME_H
#define GUPWALK_TESTS_OUTCOME_H

#include <stdint.h>

#include "lib.h"

enum result { RESULT_NONE, RESULT_PASSED, RESULT_FAILED, RESULT_SKIPPED };

/**
 * struct outcome - what became of a test, in memory that both processes see
 * @result: the result
 * @assertions: how much the test asserted
 * @why: of a failure or a skip
 * @notes: lines to print below
 */
struct outcome {
	enum result result;
	unsigned long assertions;
	char why[1500];
	char notes[1500];
};

/* Set up by the program, before it starts a test. */
void outcome_begin(struct outcome *shared, uint64_t seed);

/* In the test's process: run it, undo what it has left to undo, and exit. */
__attribute__((noreturn)) void outcome_run(const struct test *test);

/* Where answers of the module are collected; -1: nowhere. */
void collect_into(int fd);

#endif /* GUPWALK_TESTS_OUTCOME_H */
