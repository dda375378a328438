/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record: one op, its arguments and result, with a snapshot of every page before and after. The
 * newest ones are kept.
 */
#ifndef _GUPWALK_RECORD_H
#define _GUPWALK_RECORD_H

#include <linux/kref.h>
#include <linux/sched.h>

#include "caller.h"
#include "cause.h"
#include "descent.h"
#include "ops.h"
#include "predict.h"
#include "rules.h"
#include "uapi/gupwalk.h"
#include "vma.h"
#include "snapshot.h"

/**
 * struct gw_page_result - what a call gave for one page
 * @addr: address
 * @pfn: page frame, if @has_pfn
 * @predicted: bits of enum gw_cause, of a prediction
 * @has_pfn: the call reported a page
 */
struct gw_page_result {
	unsigned long addr;
	u64 pfn;
	u32 predicted;
	bool has_pfn;
};

/**
 * struct gw_observed - what is known of a call that others made
 * @stack: who made it
 * @driver: name of who made it
 * @pid: thread that made it
 * @tgid: its process
 * @comm: its name
 * @owner_known: it is known whose memory it is: @pid, @tgid and @comm of the record
 * @left_known: the ledger knows the pages
 * @left: pages that had not been given back when the record was read, if @left_known
 */
struct gw_observed {
	struct gw_stack stack;
	char driver[GW_DRIVER_MAX];
	pid_t pid;
	pid_t tgid;
	char comm[TASK_COMM_LEN];
	bool owner_known;
	bool left_known;
	unsigned long left;
};

/**
 * struct gw_record - one op
 * @kref: references: the kept records, and everybody who reads it
 * @gone: of one that was dropped: the next to be put
 * @seq: number since load, from 1
 * @size: bytes of the record, with all that is in its memory
 * @nr: entries of @before, @after and @results
 * @nr_ways: how many @ways there is room for
 * @ways: the ways of the snapshots; in the memory of the record, as the next four
 * @before: snapshots before the call
 * @after: snapshots after the call; NULL if no call was made
 * @pages: room for the call to put the pages that it obtains; they are not ours any more
 * @results: what the call gave
 * @op: the op
 * @impl: kernel function that served it
 * @observed: what is known of who made the call; NULL of one that we made
 * @pid: thread whose memory, in the initial namespace
 * @tgid: its process
 * @comm: its name
 * @addr: address of the request
 * @nr_pages: pages of the request
 * @label: label of the request, may be empty
 * @flags: GW_FLAG_*
 * @time_ns: when the call was made, CLOCK_MONOTONIC
 * @ret: what the kernel function returned
 * @error: positive errno that the call ended with, or 0
 * @fault: VM_FAULT_* bits, of handle_mm_fault
 * @lock: what became of the mmap lock
 * @reason: rule that explains @error or a short result, or NULL
 * @outlook: of a prediction: would the call work; then no call was made
 * @doubt: of a prediction: what cannot be told, or NULL
 * @advice: of a prediction that the call fails: what would make it pass, or NULL
 * @duration_ns: how long the call took
 * @total_ns: how long all took, from the allocation of the record until it is kept; to give back
 *	older ones comes after it
 * @held: the pages are held by the descriptor
 * @peek: bytes read from the page, allocated, or NULL
 * @peek_len: how many
 * @vma: VMA of @addr
 *
 * Three parts: the memory, the request, and from @time_ns on what came of it. Written by
 * gw_measure() only; constant from the moment somebody else can see it, but for @seq and
 * @gone.
 */
struct gw_record {
	struct kref kref;
	struct gw_record *gone;
	u64 seq;
	size_t size;
	unsigned int nr;
	unsigned int nr_ways;
	struct gw_path *ways;
	struct gw_snapshot *before;
	struct gw_snapshot *after;
	struct page **pages;
	struct gw_page_result *results;

	const struct gw_op *op;
	const char *impl;
	const struct gw_observed *observed;
	pid_t pid;
	pid_t tgid;
	char comm[TASK_COMM_LEN];
	unsigned long addr;
	unsigned long nr_pages;
	char label[GUPWALK_LABEL_MAX + 1];
	u32 flags;

	u64 time_ns;
	long ret;
	int error;
	vm_fault_t fault;
	enum gw_lock lock;
	const struct gw_rule *reason;
	enum gw_outlook outlook;
	const char *doubt;
	const char *advice;
	u64 duration_ns;
	u64 total_ns;
	bool held;
	u8 *peek;
	unsigned int peek_len;
	struct gw_vma vma;
};

/**
 * gw_record_create() - allocate a record
 * @nr: pages it has room for
 * @nr_ways: ways it has room for
 * @after: with snapshots after a call
 *
 * Context: may sleep.
 * Return: a record with one reference; the request, the VMA, and what is of pages, are not
 * initialised, all else is zero; NULL without memory.
 */
struct gw_record *gw_record_create(unsigned int nr, unsigned int nr_ways, bool after);

/**
 * gw_record_cause() - what the call did to a mapping
 * @record: the record, with snapshots after the call
 * @i: which page
 *
 * Return: the cause.
 */
enum gw_cause gw_record_cause(const struct gw_record *record, unsigned int i);

/**
 * gw_record_get() - take a reference
 * @record: the record
 */
void gw_record_get(struct gw_record *record);

/**
 * gw_record_put() - drop a reference, and free the record with the last one
 * @record: the record; NULL is fine
 */
void gw_record_put(struct gw_record *record);

/**
 * gw_record_trim() - make a record of a walk as large as it turned out to be
 * @record: the record, new, without snapshots after a call; must not be used any more
 * @nr: pages that it has, at most what it was created with
 * @nr_ways: ways that it has, with the last one, likewise
 *
 * Context: may sleep.
 * Return: the record, in other memory if there is any.
 */
struct gw_record *gw_record_trim(struct gw_record *record, unsigned int nr, unsigned int nr_ways);

/**
 * gw_records_add() - give a record its number, and keep it
 * @record: the record, new; if it is kept, with a reference of its own
 * @keep: put it among the kept ones, and drop the oldest if there are too many
 * @start_ns: when the measurement began, CLOCK_MONOTONIC
 *
 * Context: may sleep.
 */
void gw_records_add(struct gw_record *record, bool keep, u64 start_ns);

/**
 * gw_records_init() - get ready to keep records
 *
 * Context: may sleep; before all else of records.
 * Return: 0, or -ENOMEM.
 */
int gw_records_init(void);

/**
 * gw_records_exit() - drop all kept records, for good
 *
 * Context: may sleep. Nobody has a record any more.
 */
void gw_records_exit(void);

/**
 * gw_record_number() - the next number
 *
 * Context: any.
 * Return: it, for a record that is not kept.
 */
u64 gw_record_number(void);

/**
 * gw_records_clear() - drop all kept records
 *
 * Context: may sleep. Readers that have begun keep what they have.
 */
void gw_records_clear(void);

/**
 * struct gw_record_set - records that a reader has hold of
 * @nr: how many
 * @records: oldest first, with a reference each
 */
struct gw_record_set {
	unsigned int nr;
	struct gw_record *records[];
};

/**
 * gw_records_grab() - take hold of all kept records
 *
 * Context: may sleep.
 * Return: a set that gw_records_release() frees, or NULL without memory.
 */
struct gw_record_set *gw_records_grab(void);

/**
 * gw_record_set_create() - make an empty set
 * @room: how many records it has room for
 *
 * Context: may sleep.
 * Return: a set that gw_records_release() frees, or NULL without memory.
 */
struct gw_record_set *gw_record_set_create(unsigned int room);

/**
 * gw_record_set_add() - put a record into a set
 * @set: the set, with room
 * @record: the record; the set takes a reference of its own
 */
void gw_record_set_add(struct gw_record_set *set, struct gw_record *record);

/**
 * gw_records_release() - give a set back
 * @set: the set; NULL is fine
 */
void gw_records_release(struct gw_record_set *set);

/**
 * struct gw_limits - limits in force, and how far they are used
 * @records_max: most records kept
 * @records_kept: records kept now
 * @records_dropped: records dropped since load because newer ones came
 * @kept_pages_max: most pages of all kept records
 * @kept_pages: pages of the records kept now
 * @pages_max: most pages of a request
 * @pins_max: most pages held by all descriptors
 * @pins_held: pages held now
 */
struct gw_limits {
	unsigned int records_max;
	unsigned int records_kept;
	u64 records_dropped;
	unsigned int kept_pages_max;
	u64 kept_pages;
	unsigned int pages_max;
	unsigned int pins_max;
	unsigned int pins_held;
};

/**
 * gw_limits_read() - the limits in force
 * @limits: filled in
 *
 * Context: may sleep.
 */
void gw_limits_read(struct gw_limits *limits);

/**
 * gw_pages_max() - most pages that one request may name
 *
 * Return: the parameter pages_max, at least 1.
 */
unsigned int gw_pages_max(void);

/**
 * gw_pins_reserve() - count pages that are about to be held
 * @nr: how many
 *
 * Return: false if that would be too many; nothing is counted then.
 */
bool gw_pins_reserve(unsigned int nr);

/**
 * gw_pins_unreserve() - the opposite
 * @nr: how many
 */
void gw_pins_unreserve(unsigned int nr);

#endif /* _GUPWALK_RECORD_H */
