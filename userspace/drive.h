/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_DRIVE_H
#define GUPWALK_DRIVE_H

#include "record.h"
#include "scenario.h"

#define DRIVE_PAGES_MAX 65536

/* What is wrong with a number of pages that is none, or larger. */
#define NO_PAGES "is no number of pages, from 1 to " DRIVE_TEXT(DRIVE_PAGES_MAX)
#define DRIVE_TEXT(macro) DRIVE_TEXT_OF(macro)
#define DRIVE_TEXT_OF(text) #text

/**
 * struct drive_options - what to do otherwise than the scenario says
 * @ops: ops in place of its steps, with commas between them; or NULL
 * @flags: flags in place of its steps', likewise
 * @pages: pages in place of one; or 0
 * @hold: hold all pages obtained until the end
 * @explain: before each call ask what it would do, and see whether it did
 */
struct drive_options {
	const char *ops;
	const char *flags;
	uint64_t pages;
	bool hold;
	bool explain;
};

enum event_kind {
	EVENT_NOTE,	/* the scenario's program did or saw something */
	EVENT_MET,	/* it saw what was expected */
	EVENT_UNMET,	/* it saw something else */
	EVENT_PASSED,	/* a step was passed over */
	EVENT_RECORD,	/* a request was made: the next record */
};

struct event {
	enum event_kind kind;
	char *text;
};

/**
 * struct drive - a scenario that was run
 * @scenario: the scenario
 * @changed: options changed its steps, so that it is not known what to expect
 * @kernel: on which kernel, as by KERNEL()
 * @pmd: bytes that a pmd entry covers there
 * @events: what happened, in that order
 * @nr_events: how many of them
 * @passed: how many steps were passed over
 * @records: the records of the events that are one
 * @steps: of each of them, the number of its step, from 0
 * @predictions: of each of them, what was told before the call, or NULL
 * @predicted: the last one told, whose call has not been made yet; or NULL
 * @cannot: why it is not possible here, or NULL
 */
struct drive {
	const struct scenario *scenario;
	bool changed;
	unsigned int kernel;
	uint64_t pmd;
	struct event *events;
	size_t nr_events;
	size_t passed;
	struct records records;
	size_t *steps;
	struct record **predictions;
	struct record *predicted;
	char *cannot;
};

/**
 * drive() - run a scenario in a process of its own
 * @dir: the module's directory, live
 * @about: what the module says about itself
 * @sc: the scenario
 * @options: what to do otherwise
 * @d: filled in, also with what there was before something went wrong
 *
 * Return: STATUS_FINE; STATUS_CANNOT with the reason in @d, if it is not after a complaint; or
 * another enum status after a complaint.
 */
int drive(const char *dir, const struct about *about, const struct scenario *sc,
	  const struct drive_options *options, struct drive *d);

/**
 * drive_complain() - complain about a run that was not possible
 * @d: the run; nothing is said if it was
 */
void drive_complain(const struct drive *d);

/**
 * drive_free() - forget a run
 * @d: the run
 */
void drive_free(struct drive *d);

/**
 * struct verdict - is a record as expected
 * @known: it is known what to expect
 * @met: it is as expected
 * @terms: what was expected, as in struct expect
 * @wrong: which of it is not so
 */
struct verdict {
	bool known;
	bool met;
	struct strbuf terms;
	struct strbuf wrong;
};

/**
 * drive_judge() - compare a run with what its scenario expects
 * @d: the run
 * @verdicts: set to an array, a verdict for each record
 *
 * Return: how many expectations, those of the program among them, are not met.
 */
unsigned int drive_judge(const struct drive *d, struct verdict **verdicts);

/**
 * drive_foretold() - did a call do what was told before it
 * @d: the run
 * @i: which of its records
 * @wrong: where it is appended what did not come true
 *
 * Return: true if it did, if it had been said that it could not be told, or if nobody had asked.
 */
bool drive_foretold(const struct drive *d, size_t i, struct strbuf *wrong);

/**
 * verdicts_free() - forget verdicts
 * @verdicts: from drive_judge()
 * @n: how many
 */
void verdicts_free(struct verdict *verdicts, size_t n);

/**
 * perform() - the child's side: set up a scenario and make its requests
 * @dir: the module's directory, live
 * @about: what the module says about itself
 * @sc: the scenario
 * @options: what to do otherwise
 * @notes: descriptor on which it tells what happens, a line an event
 *
 * Return: an enum status; if not STATUS_FINE, after a complaint, or, STATUS_CANNOT, after
 * scene_cannot().
 */
int perform(const char *dir, const struct about *about, const struct scenario *sc,
	    const struct drive_options *options, int notes);

#endif
