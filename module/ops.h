/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ops: kernel calls that gupwalk can make and measure. One table, gw_ops[], says everything
 * about them.
 */
#ifndef _GUPWALK_OPS_H
#define _GUPWALK_OPS_H

#include <linux/mm_types.h>
#include <linux/seq_file.h>
#include <linux/types.h>

#include "names.h"

/*
 * Flags of a request, by the names in gw_flag_names. They are ours: the kernel's FOLL_ values
 * differ between kernels, and ops.c translates.
 */
#define GW_FLAG_WRITE 0x1
#define GW_FLAG_FORCE 0x2
#define GW_FLAG_LONGTERM 0x4
#define GW_FLAG_NOFAULT 0x8
#define GW_FLAG_NOWAIT 0x10
#define GW_FLAG_UNSHARE 0x20
/* Flags of observed calls only: no op takes them from a request. */
#define GW_FLAG_DUMP 0x40
#define GW_FLAG_HWPOISON 0x80
#define GW_FLAG_ANON 0x100
#define GW_FLAG_P2PDMA 0x200
#define GW_FLAG_INTERRUPTIBLE 0x400
#define GW_FLAGS_OBSERVED (GW_FLAG_DUMP | GW_FLAG_HWPOISON | GW_FLAG_ANON | GW_FLAG_P2PDMA | \
			   GW_FLAG_INTERRUPTIBLE)

extern const struct gw_name gw_flag_names[];

/* Room for the names of all flags. */
#define GW_FLAGS_TEXT_MAX 112

/**
 * gw_flags_text() - the names of flags
 * @flags: GW_FLAG_*
 * @text: filled in: the names with commas between them, or nothing
 */
void gw_flags_text(u32 flags, char text[GW_FLAGS_TEXT_MAX]);

/**
 * gw_flags_of_foll() - the flags of an observed call
 * @foll: FOLL_* of this kernel
 *
 * Return: GW_FLAG_*; what has no name here is left out.
 */
u32 gw_flags_of_foll(unsigned int foll);

/**
 * enum gw_family - ops that follow the same rules
 * @GW_FAMILY_WALK: makes no call
 * @GW_FAMILY_FOLLOW: follow_pfn and its successors
 * @GW_FAMILY_FAULT: handle_mm_fault
 * @GW_FAMILY_FIXUP: fixup_user_fault, which looks at the rights of the VMA first
 * @GW_FAMILY_GUP: get_user_pages and pin_user_pages, and their relatives
 * @GW_FAMILY_COPY: access_process_vm, which copies bytes
 * @GW_FAMILY_MEMFD: memfd_pin_folios, which looks at a file and at no page table
 * @GW_FAMILY_RELEASE: what gives pages back, or takes them out of the page tables
 */
enum gw_family {
	GW_FAMILY_WALK,
	GW_FAMILY_FOLLOW,
	GW_FAMILY_FAULT,
	GW_FAMILY_FIXUP,
	GW_FAMILY_GUP,
	GW_FAMILY_COPY,
	GW_FAMILY_MEMFD,
	GW_FAMILY_RELEASE,
};

/**
 * enum gw_lock - what becomes of the mmap lock in a call
 * @GW_LOCK_KEPT: held for read from the first snapshot to the last
 * @GW_LOCK_DROPPED: the call gave it up, to wait for something, and others may have changed the
 * mapping
 * @GW_LOCK_NOT_HELD: the call wants to be made without it, and takes it itself where it needs it;
 * likewise
 * @GW_LOCK_UNKNOWN: others made the call, and may have let it give the lock up
 */
enum gw_lock { GW_LOCK_KEPT, GW_LOCK_DROPPED, GW_LOCK_NOT_HELD, GW_LOCK_UNKNOWN };

extern const char * const gw_lock_tokens[];

/**
 * struct gw_hold - pages that a descriptor holds
 * @node: place in the descriptor's list
 * @op: op that obtained them, and knows how they are released
 * @nr: how many
 * @put: the one of them that was put by mistake, see the op put_page; or NULL
 * @pages: the pages
 */
struct gw_hold {
	struct list_head node;
	const struct gw_op *op;
	unsigned long nr;
	struct page *put;
	struct page *pages[];
};

/**
 * struct gw_call - arguments of one kernel call, and what it gave
 * @task: (in) whose memory
 * @mm: (in) its memory; a reference on its users is held
 * @vma: (in) VMA of @addr
 * @addr: (in) address
 * @nr_pages: (in) pages from the one that holds @addr
 * @flags: (in) GW_FLAG_*
 * @holds: (in) what the descriptor holds
 * @spoil: what the op put_page found in @holds
 * @buffer: (in, out) of an op that @copies: bytes to write, or room for those to read
 * @length: (in) how many
 * @pages: (out) obtained pages: as many as the call returned, of an op that obtains pages;
 *	room for @nr_pages
 * @pfn: (out) page frame, if @has_pfn
 * @has_pfn: (out) the call reported a page frame and no reference
 * @fault: (out) VM_FAULT_* bits, of an op with @returns_fault
 * @locked: (in, out) the mmap lock is held; of an op with @unlocked it is not, and the call may
 *	give it up where the kernel function does
 * @dropped: (out) the lock was given up at some time, held again or not
 */
struct gw_call {
	struct task_struct *task;
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	unsigned long addr;
	unsigned long nr_pages;
	u32 flags;
	struct list_head *holds;
	struct gw_hold *spoil;
	void *buffer;
	int length;
	struct page **pages;
	unsigned long pfn;
	bool has_pfn;
	vm_fault_t fault;
	int locked;
	bool dropped;
};

/**
 * struct gw_op - one row of the op table
 * @name: the kernel's own name of the function
 * @impl: the kernel function that serves it on this kernel; NULL if none does or none is called
 * @note: what it does
 * @missing: which kernels do not have it, and why; NULL if all have
 * @call: makes the call. Context: process context, mmap lock of @mm held for read, but not of an
 *	op that is @unlocked. Return: what the kernel function returned. NULL if it makes none
 * @release: gives @nr pages back the way that fits the call. NULL: the op obtains none.
 *	Context: process context, may sleep, no locks
 * @check: looks at what the kernel's own callers must check before this call, and may note what it
 *	found in the call. Context: mmap lock held for read.
 *	Return: NULL, or what is wrong. May be NULL
 * @family: which rules explain its errors
 * @flags: GW_FLAG_* that it takes on this kernel; a flag that would trip a warning of the
 *	kernel is not among them
 * @any_memory: takes the memory of another process
 * @remote: passes FOLL_REMOTE even for the caller's own memory
 * @single: takes one address, not a range
 * @copies: copies bytes to or from a buffer, and returns how many
 * @unlocked: the call takes the mmap lock itself
 * @may_unlock: the call is made with the mmap lock, and may give it up to wait
 * @fast: looks at the page tables first, and only where they do not do at the VMA
 * @pins: takes pins (FOLL_PIN), not references
 * @never_faults: takes only what the page tables have already
 * @returns_fault: returns VM_FAULT_* bits, not a negative errno
 */
struct gw_op {
	const char *name;
	const char *impl;
	const char *note;
	const char *missing;
	long (*call)(struct gw_call *call);
	void (*release)(struct page **pages, unsigned long nr);
	const char *(*check)(struct gw_call *call);
	enum gw_family family;
	u32 flags;
	bool any_memory;
	bool remote;
	bool single;
	bool copies;
	bool unlocked;
	bool may_unlock;
	bool fast;
	bool pins;
	bool never_faults;
	bool returns_fault;
};

extern const struct gw_op gw_ops[];
extern const unsigned int gw_nr_ops;

/**
 * gw_op_find() - the op of a name
 * @name: the name
 *
 * Return: the row of the table, or NULL.
 */
const struct gw_op *gw_op_find(const char *name);

/**
 * gw_op_available() - can this kernel do it
 * @op: the op
 *
 * Return: true if it can.
 */
static inline bool gw_op_available(const struct gw_op *op)
{
	return op->impl || op->family == GW_FAMILY_WALK;
}

/**
 * gw_ops_show() - print the table, as the file `ops`
 * @m: where to
 */
void gw_ops_show(struct seq_file *m);

#endif /* _GUPWALK_OPS_H */
