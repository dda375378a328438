/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records as debugfs-layout.md describes them. Member names are the keys there; every list of names
 * is one string with commas between the names; a string or list that is null there is NULL here.
 */
#ifndef GUPWALK_RECORD_H
#define GUPWALK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define LEVELS_MAX 5

/**
 * struct maybe - a number that may be null
 * @known: it is not null
 * @value: the number
 */
struct maybe {
	bool known;
	int64_t value;
};

struct level {
	const char *name;
	bool folded;
	uint64_t index;
	uint64_t table;
	uint64_t entry;
	uint64_t value;
	const char *flags;
};

struct page_facts {
	const char *flags;
	int64_t refcount;
	int64_t mapcount;
	int64_t pincount;
	bool pincount_exact;
	bool anon;
	struct maybe anon_exclusive;
	bool zero;
	bool ksm;
	uint64_t head_pfn;
	uint64_t order;
	int64_t nid;
	const char *zone;
};

struct snapshot {
	struct level levels[LEVELS_MAX];
	size_t nr_levels;
	const char *state;
	const char *leaf;
	uint64_t size;
	struct maybe pfn;
	const char *pa;
	const char *rights;
	struct maybe swap_type;
	struct maybe swap_offset;
	const char *marker;
	bool stable;
	uint64_t retries;
	struct page_facts *page;
	bool page_unread;	/* NULL, but there may well be one: a lock was not to be had */
};

struct page {
	uint64_t addr;
	struct snapshot *before;
	struct snapshot *after;
	const char *cause;
	const char *predicted;	/* of a prediction: causes, one of which it would be */
	struct maybe pfn;
	struct maybe refcount_delta;
	struct maybe pincount_delta;
};

struct vma {
	uint64_t start;
	uint64_t end;
	const char *flags;
	uint64_t pgoff;
	const char *kind;
	const char *file;
};

struct record {
	const char *text;	/* the line itself, verbatim, without its newline */
	size_t text_len;
	uint64_t seq;
	uint64_t time_ns;
	const char *run;
	const char *source;
	const char *op;
	const char *impl;
	int64_t pid;		/* 0: an observed call, and not known whose memory it is */
	int64_t tgid;
	const char *comm;	/* NULL then */
	uint64_t addr;
	uint64_t nr_pages;
	const char *flags;
	int64_t ret;
	const char *errno_name;
	const char *fault;
	const char *reason;
	const char *reason_text;
	const char *predicted;	/* of a prediction: "works", "fails" or "cannot-tell" */
	const char *doubt;
	const char *advice;
	uint64_t duration_ns;
	uint64_t total_ns;
	const char *mmap_lock;	/* NULL of observed calls that may have dropped it */
	bool held;
	const char *stack;	/* of observed calls: frames with commas between them */
	const char *driver;	/* of observed calls: who made it */
	struct maybe caller_pid;
	struct maybe caller_tgid;
	const char *caller_comm;
	struct maybe pages_left; /* of observed pins: not given back when it was read */
	const char *peek;	/* bytes, not a string */
	size_t peek_len;
	struct vma *vma;
	struct page *pages;
	size_t nr_read;		/* elements of pages */
	struct memory *memory;	/* everything above that is pointed to */
};

/**
 * struct records - some records, in their order
 * @at: the records
 * @n: how many
 */
struct records {
	struct record **at;
	size_t n;
};

/**
 * record_parse() - read one record
 * @line: the line, without its newline
 * @len: its length
 * @wrong: where it is written what is wrong with it, if it is no record
 *
 * Return: the record, for record_free(); or NULL.
 */
struct record *record_parse(const char *line, size_t len, struct strbuf *wrong);

/**
 * record_free() - forget a record
 * @r: the record, or NULL
 */
void record_free(struct record *r);

/**
 * records_add() - append a record
 * @list: to what
 * @r: the record; belongs to the list from now on
 */
void records_add(struct records *list, struct record *r);

/**
 * records_parse() - read JSON Lines
 * @text: the lines
 * @len: their length
 * @list: where the records are appended
 * @wrong: where it is written what is wrong, the number of the line included
 *
 * Empty lines are passed over.
 *
 * Return: true if every line was a record.
 */
bool records_parse(const char *text, size_t len, struct records *list, struct strbuf *wrong);

/**
 * records_keep_run() - keep the last run of a scenario and forget all other records
 * @list: the records
 * @run: label of the run
 *
 * The records of one run follow each other, and are about the same process.
 */
void records_keep_run(struct records *list, const char *run);

/**
 * records_free() - forget some records
 * @list: the records
 */
void records_free(struct records *list);

/**
 * snapshot_level() - a level of a snapshot
 * @s: the snapshot, or NULL
 * @name: name of the level
 *
 * Return: the level, or NULL if the walk did not get there.
 */
const struct level *snapshot_level(const struct snapshot *s, const char *name);

/**
 * page_kind() - what kind of page it is
 * @page: its facts, or NULL
 *
 * Return: "none", "zero", "ksm", "anon" or "other".
 */
const char *page_kind(const struct page_facts *page);

#endif
