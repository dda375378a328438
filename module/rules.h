/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules by which the kernel refuses, as a table: they explain the error of a call that was
 * made.
 */
#ifndef _GUPWALK_RULES_H
#define _GUPWALK_RULES_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "ops.h"
#include "snapshot.h"

/**
 * struct gw_case - what was true where a call stopped
 * @op: the op
 * @flags: GW_FLAG_* of the request
 * @error: positive errno, 0 if fewer pages came than were asked for and nothing failed
 * @foreign: the call counts as made for another process (FOLL_REMOTE, FAULT_FLAG_REMOTE)
 * @addr: the address where it stopped
 * @vma: its VMA, NULL if it has none
 * @before: snapshot of @addr before the call
 */
struct gw_case {
	const struct gw_op *op;
	u32 flags;
	int error;
	bool foreign;
	unsigned long addr;
	struct vm_area_struct *vma;
	const struct gw_snapshot *before;
};

/**
 * struct gw_rule - a rule by which the kernel refuses
 * @token: its name in records
 * @text: the rule in a sentence
 * @families: bits of enum gw_family that it is about
 * @errors: errnos that it leads to; 0 ends the list
 * @advice: what would make the call pass; NULL: @advise tells
 * @advise: the same where it depends on the case. Context: as @holds. May be NULL
 * @holds: does it explain this case. Context: mmap lock of the VMA's mm held
 * @fails: does the call fail by it for sure, before it is made; NULL: that can only be told after
 * it. Context: likewise
 */
struct gw_rule {
	const char *token;
	const char *text;
	u32 families;
	int errors[3];
	const char *advice;
	const char *(*advise)(const struct gw_case *c);
	bool (*holds)(const struct gw_case *c);
	bool (*fails)(const struct gw_case *c);
};

/**
 * gw_rule_find() - which rule explains an error
 * @c: the case
 *
 * Context: mmap lock of @c->vma's mm held for read or write.
 * Return: the first rule of the table that holds and leads to @c->error (to any, if that is 0),
 * or NULL.
 */
const struct gw_rule *gw_rule_find(const struct gw_case *c);

/**
 * gw_rule_that_fails() - which rule will make a call fail
 * @c: the case; its @error does not count
 *
 * Context: mmap lock of @c->vma's mm held for read or write.
 * Return: the first rule of the table by which the call fails for sure, or NULL.
 */
const struct gw_rule *gw_rule_that_fails(const struct gw_case *c);

/**
 * gw_rule_error() - the error that a rule leads to
 * @rule: the rule
 * @op: the op
 *
 * Return: a negative errno; 0 where the op returns less than it was asked for, and no error.
 */
int gw_rule_error(const struct gw_rule *rule, const struct gw_op *op);

/**
 * gw_rule_advice() - what would make a call pass that fails by a rule
 * @rule: the rule
 * @c: the case
 *
 * Context: mmap lock of @c->vma's mm held for read or write.
 * Return: a sentence, without its full stop.
 */
const char *gw_rule_advice(const struct gw_rule *rule, const struct gw_case *c);

/**
 * gw_pins_for_good() - is it a long-term pin that takes no page which a copy would part from it
 * @c: the case
 *
 * Mirrors what FOLL_LONGTERM adds to gup_must_unshare() (mm/internal.h): in a private mapping such
 * a pin breaks the sharing of a file first.
 *
 * Return: true if so.
 */
bool gw_pins_for_good(const struct gw_case *c);

/**
 * gw_entry_allows() - does the entry as it is allow the access, so that nothing has to be faulted
 * in
 * @c: the case, of the families GUP or COPY
 *
 * Mirrors can_follow_write_pte() and gup_must_unshare() (mm/gup.c, mm/internal.h).
 *
 * Return: true if the call takes the page that is mapped, and changes nothing.
 */
bool gw_entry_allows(const struct gw_case *c);

#endif /* _GUPWALK_RULES_H */
