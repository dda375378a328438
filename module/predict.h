/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call would do, told from the page tables as they are and the rules; no call is made.
 */
#ifndef _GUPWALK_PREDICT_H
#define _GUPWALK_PREDICT_H

#include "rules.h"

/**
 * enum gw_outlook - would a call work
 * @GW_OUTLOOK_NONE: nobody asked
 * @GW_OUTLOOK_WORKS: it would
 * @GW_OUTLOOK_FAILS: it would fail, or give fewer pages, by a rule
 * @GW_OUTLOOK_CANNOT_TELL: that depends on what only the call finds out
 */
enum gw_outlook {
	GW_OUTLOOK_NONE,
	GW_OUTLOOK_WORKS,
	GW_OUTLOOK_FAILS,
	GW_OUTLOOK_CANNOT_TELL,
};

extern const char * const gw_outlook_tokens[];

/**
 * struct gw_prediction - what a call would do to one page
 * @outlook: would it work
 * @rule: by which rule it would not
 * @doubt: why that cannot be told, or what else may happen; or NULL
 * @causes: bits of enum gw_cause: what it would do to the mapping, one of these
 */
struct gw_prediction {
	enum gw_outlook outlook;
	const struct gw_rule *rule;
	const char *doubt;
	u32 causes;
};

/**
 * gw_predict() - tell what a call would do to a page
 * @c: the case; @before is a fresh snapshot
 *
 * The page tables may be others by the time that the call is made.
 *
 * Context: mmap lock of @c->vma's mm held for read or write.
 * Return: the prediction.
 */
struct gw_prediction gw_predict(const struct gw_case *c);

#endif /* _GUPWALK_PREDICT_H */
