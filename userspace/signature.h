/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A signature is what is left of some records when everything that differs from run to run is
 * renamed or dropped: two runs of the same thing have equal signatures.
 *
 * It is a list of steps, a record each, and a step is a list of facts, each with a path as its
 * name: "errno", "vma.flags", "cause", "after.state", "before.pte.flags", "after.page.order";
 * "pages.2.cause" for the second page of a record, and so on. Page frames are named P1, P2 in the
 * order in which they appear (with +N for the Nth page of a large folio), virtual pages V1, tables
 * by their level, pte1, VMAs M1, in each run anew: pages of one that has ended are used again.
 * Lists have commas between their names; what is null or empty is "none".
 *
 * What a kernel or a machine does not have is "unknown" (SIG_UNKNOWN), and no difference to
 * anything: whether a page is exclusive before 5.19, the entry of a level that is folded.
 *
 * Reference counts appear as differences only: "before.page.gained_refs" and
 * "before.page.gained_pins" are what the page that was there before gained by the call, if it is
 * there after it as well. The kernel keeps a freshly mapped page in a batch of this CPU before it
 * goes on an LRU list, the batch has a reference of its own, and a page in it has no flag `lru`
 * yet: that reference is left out.
 */
#ifndef GUPWALK_SIGNATURE_H
#define GUPWALK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

#define SIG_UNKNOWN "unknown"

/**
 * struct fact - one fact of a step
 * @path: its name
 * @value: its value
 * @named: the value is a name that was given here, with what follows it: P2+37. Only which facts
 * have the same name means anything, not the number in it
 */
struct fact {
	char *path;
	char *value;
	bool named;
};

/**
 * struct sig_step - one step
 * @run: number of the run that it belongs to: names mean the same thing only within one
 * @label: what the run is called: the scenario; NULL if it has no name
 * @number: of the step in its run, from 1
 * @op: op of the record
 * @facts: its facts
 * @n: how many
 */
struct sig_step {
	size_t run;
	char *label;
	size_t number;
	char *op;
	struct fact *facts;
	size_t n;
};

struct signature {
	struct sig_step *steps;
	size_t n;
};

/**
 * signature_make() - make the signature of some records
 * @records: the records
 * @sig: filled in
 */
void signature_make(const struct records *records, struct signature *sig);

/**
 * signature_free() - forget a signature
 * @sig: the signature
 */
void signature_free(struct signature *sig);

/**
 * sig_step_value() - the value of a fact
 * @step: the step
 * @path: name of the fact
 *
 * Return: the value, or NULL if the step has no such fact.
 */
const char *sig_step_value(const struct sig_step *step, const char *path);

#endif
