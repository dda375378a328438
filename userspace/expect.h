/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_EXPECT_H
#define GUPWALK_EXPECT_H

#include "signature.h"

/**
 * struct expect - what a step is expected to do on some kernels
 * @since: first kernel it is for, as by KERNEL(); 0: from the oldest on
 * @before: first kernel it is not for; 0: to the newest
 * @terms: terms with blanks between them, each a fact of the step's signature, an operator, a value
 *
 * Operators: ``=`` the fact is the value; ``!=`` it is not; ``~`` the fact is a list that has the
 * value; ``!~`` it does not have it. A value @fact stands for the value of another fact of the
 * step. {pmd} in a value stands for the bytes that an entry of that level covers.
 */
struct expect {
	unsigned int since;
	unsigned int before;
	const char *terms;
};

#define EXPECT_MAX 4

/**
 * expect_pick() - which expectation is for a kernel
 * @expects: EXPECT_MAX of them, the unused ones empty
 * @kernel: the kernel, as by KERNEL()
 *
 * Return: its terms, or NULL if nothing is known about this kernel.
 */
const char *expect_pick(const struct expect *expects, unsigned int kernel);

/**
 * expect_unmet() - check a step against terms
 * @step: the step's signature
 * @terms: the terms, as in struct expect; {level} not in them any more
 * @wrong: where it is appended which of them are not met
 *
 * Return: how many are not met.
 */
unsigned int expect_unmet(const struct sig_step *step, const char *terms, struct strbuf *wrong);

#endif
