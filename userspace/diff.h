/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_DIFF_H
#define GUPWALK_DIFF_H

#include <stddef.h>

#include "signature.h"

/**
 * struct difference - a fact that two signatures do not share
 * @step_a: number of the step in A, from 1; 0 if A has no such step
 * @step_b: number of the step in B, likewise
 * @label: what the run is called that it belongs to, or NULL
 * @number_a: number of the step in its run in A, likewise
 * @number_b: number of the step in its run in B, likewise
 * @op: op of the step
 * @path: name of the fact; NULL if a whole step is on one side only
 * @a: its value in A, NULL if it has none
 * @b: its value in B, NULL if it has none
 *
 * The strings belong to the signatures.
 */
struct difference {
	size_t step_a;
	size_t step_b;
	const char *label;
	size_t number_a;
	size_t number_b;
	const char *op;
	const char *path;
	const char *a;
	const char *b;
};

/**
 * struct differences - all differences of two signatures, in the order of the steps
 * @at: the differences
 * @n: how many
 * @steps: how many steps, those that are on one side only included
 * @steps_differ: how many of them are not the same
 * @unknown: facts that one side has and the other side's kernel or machine does not know: their
 * names, without the snapshot that they are of; none of them is a difference
 * @nr_unknown: how many
 * @runs: how many scenarios were compared
 * @only_a: runs that only A has, where others are on both sides; their steps are not compared
 * @nr_only_a: how many
 * @only_b: runs that only B has, likewise
 * @nr_only_b: how many
 */
struct differences {
	struct difference *at;
	size_t n;
	size_t steps;
	size_t steps_differ;
	const char **unknown;
	size_t nr_unknown;
	size_t runs;
	const char **only_a;
	size_t nr_only_a;
	const char **only_b;
	size_t nr_only_b;
};

/**
 * diff() - compare two signatures
 * @a: the one
 * @b: the other
 * @d: filled in; uses @a and @b's strings
 *
 * Names (P1, V1, M1, pte1) are compared by what they stand for: which of A's stands for which of
 * B's is found out on the way, and has to stay so within a run. Where both sides have runs of
 * the same scenario, only these are compared, and only with each other. Steps are aligned by
 * their ops: the longest common subsequence stays together. A fact that one side does not have
 * is a difference of its own only if the fact above it is the same on both sides: when
 * before.page is "none" here and "anon" there, that alone is told, not each of its parts.
 */
void diff(const struct signature *a, const struct signature *b, struct differences *d);

/**
 * differences_free() - forget differences
 * @d: the differences
 */
void differences_free(struct differences *d);

#endif
