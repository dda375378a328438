/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: which pages observed calls have taken and nobody has given back. By page frame, as
 * whoever gives a page back knows nothing else. Its memory is allocated when it is opened; what no
 * longer fits is counted.
 */
#ifndef _GUPWALK_LEDGER_H
#define _GUPWALK_LEDGER_H

#include <linux/mm_types.h>
#include <linux/sched.h>

#include "caller.h"
#include "ops.h"

/**
 * struct gw_process - a process, remembered without a reference
 * @tgid: its number in the initial namespace; 0: not known
 * @start_time: when it was started
 * @exec_id: which of the programs that it has run
 */
struct gw_process {
	pid_t tgid;
	u64 start_time;
	u64 exec_id;
};

/**
 * gw_process_of() - remember a process
 * @task: a thread of it
 * @process: filled in
 *
 * Context: any. RCU read locked, or a reference on @task held.
 */
void gw_process_of(struct task_struct *task, struct gw_process *process);

/**
 * struct gw_ledger_entry - a call that took pages
 * @seq: number of its record
 * @time_ns: when, CLOCK_MONOTONIC
 * @op: the op
 * @flags: GW_FLAG_*
 * @pid: thread that made the call
 * @comm: its name
 * @owner: process whose memory it is
 * @addr: address
 * @nr: pages obtained
 * @left: pins of them that were not given back: one for each page, and those that were added
 * @stack: who called
 */
struct gw_ledger_entry {
	u64 seq;
	u64 time_ns;
	const struct gw_op *op;
	u32 flags;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct gw_process owner;
	unsigned long addr;
	unsigned long nr;
	unsigned long left;
	struct gw_stack stack;
};

/**
 * struct gw_ledger_run - neighbouring pages of one folio that one call took
 * @addr: address of the first
 * @pfn: page frame of the first
 * @nr: how many were taken
 * @left: pins of them that were not given back
 */
struct gw_ledger_run {
	unsigned long addr;
	u64 pfn;
	unsigned long nr;
	unsigned long left;
};

/**
 * struct gw_ledger_wrong - pins given back that nobody had taken, by one call
 * @number: which mistake it is, from 1 on
 * @time_ns: when, CLOCK_MONOTONIC
 * @pfn: the first page: its own counts say that it had no such pin
 * @nr: how many pins
 * @pid: thread that gave it back
 * @comm: its name
 * @stack: from where
 * @got: the page was taken by get_*, by the call @taken
 * @taken: that call
 */
struct gw_ledger_wrong {
	u64 number;
	u64 time_ns;
	u64 pfn;
	unsigned long nr;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct gw_stack stack;
	bool got;
	struct gw_ledger_entry taken;
};

/**
 * struct gw_ledger_counts - what the ledger knows, and what it does not
 * @pins: pages pinned and not given back
 * @calls: calls that took them
 * @room: runs of pages that there is room for
 * @used: runs in use, those of references among them
 * @unknown: pages pinned for which there was no room
 * @forgotten: pages of references (get_*) forgotten to make room
 * @released: pages given back
 * @ambiguous: pages given back that several calls had pinned, known ones or not: which one's it was
 *	is a guess
 * @wrong: pins given back of pages that had none
 * @unseen: pins that were found to be no longer there, without a call that gave them back
 */
struct gw_ledger_counts {
	u64 pins;
	u64 calls;
	u64 room;
	u64 used;
	u64 unknown;
	u64 forgotten;
	u64 released;
	u64 ambiguous;
	u64 wrong;
	u64 unseen;
};

struct gw_ledger;

/* Of so many folios at a time it is known what the call has given back. */
#define GW_RELEASE_GIVEN 16U

/**
 * struct gw_release - a call that gives pins back
 * @ledger: the ledger
 * @regs: registers of the function that is called for it
 * @inside: it is made by a call that is observed
 * @steps: how much may be looked at; when it is 0 the rest was not
 * @known: set to true if the ledger knew a pin of them, or knows now that there was none
 * @wrong: number of the mistake that it is, or 0
 * @nr_given: places of @given that were used, may be more than there are; 0 at first
 * @given: pins that it has given back
 */
struct gw_release {
	struct gw_ledger *ledger;
	struct pt_regs *regs;
	bool inside;
	unsigned long steps;
	bool known;
	u64 wrong;
	unsigned int nr_given;
	struct {
		u64 head_pfn;
		unsigned long pins;
	} given[GW_RELEASE_GIVEN];
};

/**
 * gw_ledger_create() - an empty ledger
 *
 * Context: may sleep.
 * Return: the ledger, with one reference; or NULL without memory.
 */
struct gw_ledger *gw_ledger_create(void);

/**
 * gw_ledger_get() - take a reference
 * @ledger: the ledger
 *
 * Context: any.
 * Return: @ledger.
 */
struct gw_ledger *gw_ledger_get(struct gw_ledger *ledger);

/**
 * gw_ledger_put() - drop a reference, and free the ledger with the last one
 * @ledger: the ledger; NULL is fine
 *
 * Context: may sleep.
 */
void gw_ledger_put(struct gw_ledger *ledger);

/**
 * gw_ledger_take() - a call took pages
 * @ledger: the ledger
 * @entry: the call; @entry->nr and @entry->left are set here
 * @pages: the pages, one for each address
 * @nr: how many
 *
 * Context: any but NMI. Bounded: of more than some thousand pages the rest is counted as unknown.
 * Return: the place of the entry, for gw_ledger_left(); negative if none was made.
 */
int gw_ledger_take(struct gw_ledger *ledger, const struct gw_ledger_entry *entry,
		   struct page **pages, unsigned long nr);

/**
 * gw_ledger_release_page() - a pin of a page is given back
 * @release: the call
 * @page: the page
 * @nr: how many, from this page on
 *
 * Context: any but NMI, before the pins are given back.
 */
void gw_ledger_release_page(struct gw_release *release, struct page *page, unsigned long nr);

/**
 * gw_ledger_release_folio() - pins of a folio are given back, of whichever pages
 * @release: the call
 * @page: first page of the folio
 * @nr: how many
 *
 * Context: any but NMI, before the pins are given back.
 */
void gw_ledger_release_folio(struct gw_release *release, struct page *page, unsigned long nr);

/**
 * gw_ledger_settle() - pins of a folio that are known, but that it has no longer, are forgotten
 * @ledger: the ledger
 * @pfn: a page of the folio
 *
 * They were given back by a call that was not seen, or at the same moment as another.
 *
 * Context: may sleep.
 */
void gw_ledger_settle(struct gw_ledger *ledger, u64 pfn);

/**
 * gw_ledger_add_pins() - a folio that is pinned is pinned once more
 * @ledger: the ledger
 * @page: first page of the folio
 * @nr: how many pins
 *
 * They are counted as pins of the call that has pinned it, if the ledger knows that.
 *
 * Context: any but NMI.
 */
void gw_ledger_add_pins(struct gw_ledger *ledger, struct page *page, unsigned long nr);

/**
 * gw_ledger_read() - the entry at a place
 * @ledger: the ledger
 * @place: from 0 on
 * @entry: filled in
 * @runs: filled in: the first of its runs
 * @nr_runs: in: room in @runs; out: how many were filled in
 *
 * Context: may sleep.
 * Return: 1; 0 if there is none at this place; -ENOENT past the last place.
 */
int gw_ledger_read(struct gw_ledger *ledger, unsigned long place, struct gw_ledger_entry *entry,
		   struct gw_ledger_run *runs, unsigned int *nr_runs);

/**
 * gw_ledger_places() - how many places there are
 * @ledger: the ledger
 *
 * Return: how many.
 */
unsigned long gw_ledger_places(const struct gw_ledger *ledger);

/**
 * gw_ledger_left() - pages of a call that were not given back
 * @ledger: the ledger
 * @place: of the call
 * @seq: number of its record
 *
 * Context: may sleep.
 * Return: how many; 0 if the place is another call's now.
 */
unsigned long gw_ledger_left(struct gw_ledger *ledger, int place, u64 seq);

/**
 * gw_ledger_forget() - a call is not to be in the ledger
 * @ledger: the ledger
 * @place: of the call
 * @seq: number of its record
 *
 * Context: may sleep.
 */
void gw_ledger_forget(struct gw_ledger *ledger, int place, u64 seq);

/**
 * gw_ledger_read_wrong() - one of the newest pins given back that nobody had taken
 * @ledger: the ledger
 * @i: from 0 on
 * @wrong: filled in
 *
 * Context: may sleep.
 * Return: false if there are no more.
 */
bool gw_ledger_read_wrong(struct gw_ledger *ledger, unsigned int i, struct gw_ledger_wrong *wrong);

/**
 * gw_ledger_count() - what it knows
 * @ledger: the ledger
 * @counts: filled in
 *
 * Context: may sleep.
 */
void gw_ledger_count(struct gw_ledger *ledger, struct gw_ledger_counts *counts);

#endif /* _GUPWALK_LEDGER_H */
