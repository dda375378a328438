/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which calls are observed.
 */
#ifndef _GUPWALK_FILTER_H
#define _GUPWALK_FILTER_H

#include <linux/sched.h>

#include "caller.h"
#include "probes.h"
#include "request.h"

/**
 * struct gw_filter - which calls
 * @pid: process; NULL: any. A reference is held
 * @children: its descendants too
 * @not: process whose own calls are passed over; NULL: none. A reference is held
 * @comm: name of the calling thread; empty: any
 * @ops: bits of the op table; 0: all but those of hot functions
 * @start: first address
 * @end: last address
 * @min_pages: fewest pages asked for
 * @min_ns: shortest duration
 * @module: driver as in records; empty: any
 */
struct gw_filter {
	struct pid *pid;
	bool children;
	struct pid *not;
	char comm[TASK_COMM_LEN];
	u32 ops;
	unsigned long start;
	unsigned long end;
	unsigned long min_pages;
	u64 min_ns;
	char module[GW_DRIVER_MAX];
};

/**
 * gw_filter_parse() - parse a filter line
 * @line: the line, without newline, with a NUL at its end; it is taken apart
 * @filter: filled in; gw_filter_release() gives back what it holds
 * @error: filled in if the line is refused
 *
 * Context: process context of who writes it.
 * Return: 0, or a negative errno; nothing is held then.
 */
int gw_filter_parse(char *line, struct gw_filter *filter, struct gw_error *error);

/**
 * gw_filter_release() - give back what a filter holds
 * @filter: the filter
 */
void gw_filter_release(struct gw_filter *filter);

/**
 * gw_filter_wants() - is a function to be probed
 * @filter: the filter
 * @watched: the function
 *
 * Return: true if so.
 */
bool gw_filter_wants(const struct gw_filter *filter, const struct gw_watched *watched);

/**
 * gw_filter_comm() - has the running thread the name that is wanted
 * @filter: the filter
 *
 * Context: any.
 * Return: true if so.
 */
bool gw_filter_comm(const struct gw_filter *filter);

/**
 * gw_filter_task() - may calls of the running thread, or on memory, match
 * @filter: the filter
 * @mm: whose memory, or NULL
 *
 * Context: any.
 * Return: true if they may.
 */
bool gw_filter_task(const struct gw_filter *filter, struct mm_struct *mm);

/**
 * gw_filter_args() - do the arguments of a call match
 * @filter: the filter
 * @args: the arguments
 *
 * Context: any.
 * Return: true if they do.
 */
bool gw_filter_args(const struct gw_filter *filter, const struct gw_args *args);

/**
 * gw_mm_owner() - a thread whose memory it is
 * @mm: the memory
 *
 * Context: RCU read locked.
 * Return: the running thread, if it is its own; else a thread of its process, where the kernel
 * keeps that (CONFIG_MEMCG); else NULL.
 */
struct task_struct *gw_mm_owner(struct mm_struct *mm);

/**
 * gw_filter_show() - print the filter as the line that gives it
 * @filter: the filter
 * @m: where to
 */
void gw_filter_show(const struct gw_filter *filter, struct seq_file *m);

#endif /* _GUPWALK_FILTER_H */
