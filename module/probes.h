/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes on the kernel's own functions: one table, gw_watched[], says which, and how their
 * arguments are found. They exist from gw_probes_register() to gw_probes_unregister() only.
 */
#ifndef _GUPWALK_PROBES_H
#define _GUPWALK_PROBES_H

#include <linux/mm_types.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>

#include "ops.h"
#include "request.h"

/**
 * enum gw_shape - what kind of function it is, and where its arguments are
 * @GW_SHAPE_GUP: obtains pages of a range
 * @GW_SHAPE_MEMFD: obtains folios of a file
 * @GW_SHAPE_FIXUP: mm, address, FAULT_FLAG_*
 * @GW_SHAPE_FAULT: VMA, address, FAULT_FLAG_*
 * @GW_SHAPE_FOLLOW: VMA or mm, address, and where the page frame goes
 * @GW_SHAPE_FOLLOW_PTE: mm, address, and where the pte is told
 * @GW_SHAPE_FOLLOW_ARGS: all of that in a struct follow_pfnmap_args
 * @GW_SHAPE_UNPIN_PAGE: gives back a page, or a range of @nr of them
 * @GW_SHAPE_UNPIN_PAGES: gives back an array of @nr pages
 * @GW_SHAPE_UNPIN_FOLIO: gives back @nr pins of a folio
 * @GW_SHAPE_UNPIN_FOLIOS: gives back a pin of each of @nr folios of an array
 * @GW_SHAPE_ADD_PINS: takes @nr pins more of a folio that is pinned
 */
enum gw_shape {
	GW_SHAPE_GUP,
	GW_SHAPE_MEMFD,
	GW_SHAPE_FIXUP,
	GW_SHAPE_FAULT,
	GW_SHAPE_FOLLOW,
	GW_SHAPE_FOLLOW_PTE,
	GW_SHAPE_FOLLOW_ARGS,
	GW_SHAPE_UNPIN_PAGE,
	GW_SHAPE_UNPIN_PAGES,
	GW_SHAPE_UNPIN_FOLIO,
	GW_SHAPE_UNPIN_FOLIOS,
	GW_SHAPE_ADD_PINS,
};

/**
 * struct gw_watched - a function that is observed
 * @symbol: its name
 * @op: name of the op that it counts as; NULL of one that gives pages back, or pins them once more
 * @shape: what kind of function
 * @mm: number of the argument that is the mm, or the VMA; -1: the caller's
 * @addr: number of the argument that is the address; -1: none
 * @nr: number of the argument that is how many; -1: one
 * @flags: number of the argument that is the flags; -1: none
 * @pages: number of the argument that is the array, or the page; -1: none
 * @returns_int: its result, and how many it is asked for, have 32 bits
 * @nests: it calls others of the table
 * @hot: it is called at each page fault: only where it is asked for
 */
struct gw_watched {
	const char *symbol;
	const char *op;
	enum gw_shape shape;
	s8 mm;
	s8 addr;
	s8 nr;
	s8 flags;
	s8 pages;
	bool returns_int;
	bool nests;
	bool hot;
};

/**
 * struct gw_args - the arguments of a call
 * @mm: whose memory; NULL: none
 * @addr: address
 * @nr: pages
 * @flags: GW_FLAG_*
 * @pages: array of the pages, filled by the call, or the page itself; or NULL
 * @follow: struct follow_pfnmap_args, or where a page frame goes
 */
struct gw_args {
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long nr;
	u32 flags;
	void *pages;
	void *follow;
};

/**
 * gw_watched_op() - the op that a function counts as
 * @watched: the function
 *
 * Return: the op; NULL if it has none.
 */
const struct gw_op *gw_watched_op(const struct gw_watched *watched);

/**
 * gw_op_is_watched() - is there a function that counts as an op
 * @op: the op
 *
 * Return: true if so, on this kernel or another.
 */
bool gw_op_is_watched(const struct gw_op *op);

/**
 * gw_watched_allow() - name the ops that are observed
 * @error: where they are added
 */
void gw_watched_allow(struct gw_error *error);

/**
 * gw_watched_args() - read the arguments of a call
 * @watched: the function
 * @regs: the registers at its first instruction
 * @args: filled in
 *
 * Context: any.
 */
void gw_watched_args(const struct gw_watched *watched, struct pt_regs *regs,
		     struct gw_args *args);

/**
 * gw_watched_pfn() - the page frame that a call of the family FOLLOW has found
 * @watched: the function
 * @args: its arguments
 * @pfn: filled in
 *
 * Context: any, right after a call that succeeded.
 * Return: false if it gives none.
 */
bool gw_watched_pfn(const struct gw_watched *watched, const struct gw_args *args, u64 *pfn);

/**
 * struct gw_probe_handlers - what is called
 * @enter: a function is entered. Return: what @leave is to get; NULL: it need not be called. Of one
 *	without an op that does not nest it never is
 * @leave: the function returns @ret
 *
 * Context: of both, that of the function, but not preemptible, and interrupts may be off.
 */
struct gw_probe_handlers {
	void *(*enter)(const struct gw_watched *watched, struct pt_regs *regs);
	void (*leave)(const struct gw_watched *watched, void *flight, unsigned long ret);
};

/**
 * gw_probes_register() - place the probes
 * @handlers: what is called
 * @wanted: is a function wanted
 * @context: for @wanted
 *
 * A function that this kernel does not have, or does not let be probed, is passed over:
 * gw_probes_show() tells. One set of probes at a time.
 *
 * Context: may sleep; serialised by the caller.
 * Return: 0 if at least one function that obtains pages is probed, else a negative errno.
 */
int gw_probes_register(const struct gw_probe_handlers *handlers,
		       bool (*wanted)(const struct gw_watched *watched, const void *context),
		       const void *context);

/**
 * gw_probes_unregister() - take them away
 *
 * No handler runs any more when it returns.
 *
 * Context: may sleep; serialised by the caller.
 */
void gw_probes_unregister(void);

/**
 * gw_probes_missed() - calls that no handler was called for
 *
 * The kernel had no room to note where they return to, or was in another probe.
 *
 * Return: how many, of functions that obtain pages.
 */
u64 gw_probes_missed(void);

/**
 * gw_probes_missed_releases() - likewise, of functions that give pages back
 *
 * Return: how many.
 */
u64 gw_probes_missed_releases(void);

/**
 * gw_probes_show() - print which functions are probed, and why others are not
 * @m: where to
 *
 * Context: may sleep; serialised with gw_probes_register().
 */
void gw_probes_show(struct seq_file *m);

#endif /* _GUPWALK_PROBES_H */
