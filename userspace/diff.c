// SPDX-License-Identifier: GPL-2.0-only
/* Two signatures -> their differences. Pure: no input, no output. */
#include "diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void add(struct differences *d, const struct difference *one)
{
	d->at = must_grow(d->at, d->n, sizeof(*d->at));
	d->at[d->n++] = *one;
}

/* Does a fact above this one, e.g. before.page of before.page.order, differ already? */
static bool parent_differs(const struct sig_step *a, const struct sig_step *b, const char *path)
{
	char *up = must_copy(path), *dot;
	bool differs = false;

	while (!differs && (dot = strrchr(up, '.'))) {
		const char *x, *y;

		*dot = '\0';
		x = sig_step_value(a, up);
		y = sig_step_value(b, up);
		differs = x && y && strcmp(x, y);
	}
	free(up);
	return differs;
}

/* What is unknown on one side differs from nothing; it is only told which it was. */
static bool is_unknown(const char *value)
{
	return value && !strcmp(value, SIG_UNKNOWN);
}

/* "before.page.anon_exclusive" -> "page.anon_exclusive" */
static const char *without_side(const char *path)
{
	const char *at = strstr(path, "before.");

	if (at)
		return at + strlen("before.");
	at = strstr(path, "after.");
	return at ? at + strlen("after.") : path;
}

static void add_unknown(struct differences *d, const char *path)
{
	const char *name = without_side(path);
	size_t i;

	for (i = 0; i < d->nr_unknown; i++)
		if (!strcmp(d->unknown[i], name))
			return;
	d->unknown = must_grow(d->unknown, d->nr_unknown, sizeof(*d->unknown));
	d->unknown[d->nr_unknown++] = name;
}

/*
 * Which name of A stands for the same thing as which name of B, as far as was seen. A step that is
 * on one side only uses up names, so the numbers in them need not be the same.
 */
struct pairs {
	size_t run_a;
	size_t run_b;
	struct pair {
		char *a;
		char *b;
	} *at;
	size_t n;
};

static void pairs_forget(struct pairs *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->at[i].a);
		free(p->at[i].b);
	}
	free(p->at);
	*p = (struct pairs){ 0 };
}

/* Names of different runs have nothing to do with each other. */
static void pairs_for(struct pairs *p, const struct sig_step *a, const struct sig_step *b)
{
	if (p->run_a == a->run && p->run_b == b->run)
		return;
	pairs_forget(p);
	p->run_a = a->run;
	p->run_b = b->run;
}

/* "P2+37" -> 2: the offset in a large folio, or in a page, stays as it is */
static size_t name_length(const char *value)
{
	return strcspn(value, "+");
}

static char *name_of(const char *value)
{
	char *name = must_copy(value);

	name[name_length(value)] = '\0';
	return name;
}

/*
 * Does the name that @x has stand for the one that @y has? Two that were not seen yet do from now
 * on.
 */
static bool paired(struct pairs *p, const char *x, const char *y)
{
	char *a = name_of(x), *b = name_of(y);
	bool same = false, seen = false;
	size_t i;

	for (i = 0; i < p->n && !seen; i++) {
		bool has_a = !strcmp(p->at[i].a, a), has_b = !strcmp(p->at[i].b, b);

		seen = has_a || has_b;
		same = has_a && has_b;
	}
	if (!seen) {
		p->at = must_grow(p->at, p->n, sizeof(*p->at));
		p->at[p->n++] = (struct pair){ a, b };
		return true;
	}
	free(a);
	free(b);
	return same;
}

/* Letters before the number: what kind of thing it is a name of. */
static bool same_kind(const char *a, const char *b)
{
	size_t length = strcspn(a, "0123456789");

	return length == strcspn(b, "0123456789") && !strncmp(a, b, length);
}

static bool same_fact(struct pairs *pairs, const struct fact *a, const char *b)
{
	if (!a->named || !b || !same_kind(a->value, b) ||
	    strcmp(a->value + name_length(a->value), b + name_length(b)))
		return same_text(a->value, b);
	return paired(pairs, a->value, b);
}

static void diff_steps(const struct sig_step *a, const struct sig_step *b, struct pairs *pairs,
		       struct difference one, struct differences *d)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		one.path = a->facts[i].path;
		one.a = a->facts[i].value;
		/* facts mostly stand at the same place on both sides */
		if (i < b->n && !strcmp(b->facts[i].path, one.path))
			one.b = b->facts[i].value;
		else
			one.b = sig_step_value(b, one.path);
		if (same_fact(pairs, &a->facts[i], one.b))
			continue;
		if (is_unknown(one.a) || is_unknown(one.b))
			add_unknown(d, one.path);
		else if (one.b || !parent_differs(a, b, one.path))
			add(d, &one);
	}
	one.a = NULL;
	for (i = 0; i < b->n; i++) {
		one.path = b->facts[i].path;
		one.b = b->facts[i].value;
		if (!sig_step_value(a, one.path) && !is_unknown(one.b) &&
		    !parent_differs(a, b, one.path))
			add(d, &one);
	}
}

static bool has_label(const struct signature *sig, const char *label)
{
	size_t i;

	for (i = 0; i < sig->n; i++)
		if (same_text(sig->steps[i].label, label))
			return true;
	return false;
}

/* Do both have a run of the same name? Then runs of other names are not for comparing. */
static bool share_labels(const struct signature *a, const struct signature *b)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (has_label(b, a->steps[i].label))
			return true;
	return false;
}

/* The steps of one side that are compared, as numbers of steps. */
struct side {
	const struct signature *sig;
	size_t *at;
	size_t n;
};

/* Those of the runs called @label, or all. */
static void side_make(struct side *side, const struct signature *sig, bool by_label,
		      const char *label)
{
	size_t i;

	*side = (struct side){ .sig = sig, .at = must_alloc(sig->n + 1, sizeof(*side->at)) };
	for (i = 0; i < sig->n; i++)
		if (!by_label || same_text(sig->steps[i].label, label))
			side->at[side->n++] = i;
}

/* Is it the first step of the first run of its name? */
static bool first_of_label(const struct signature *sig, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (same_text(sig->steps[j].label, sig->steps[i].label))
			return false;
	return true;
}

/* Runs of names that the other side has not. */
static void list_only(const struct signature *sig, const struct signature *other,
		      const char ***only, size_t *n)
{
	size_t i;

	for (i = 0; i < sig->n; i++) {
		const char *label = sig->steps[i].label;

		if (!first_of_label(sig, i) || has_label(other, label))
			continue;
		*only = must_grow(*only, *n, sizeof(**only));
		(*only)[(*n)++] = label ? label : "without a name";
	}
}

static const struct sig_step *side_step(const struct side *side, size_t i)
{
	return &side->sig->steps[side->at[i]];
}

static bool alike(const struct sig_step *a, const struct sig_step *b)
{
	return !strcmp(a->op, b->op);
}

/*
 * common[i * (b->n + 1) + j]: length of the longest common subsequence of ops of A from step i on
 * and B from step j on.
 */
static uint32_t *common_lengths(const struct side *a, const struct side *b)
{
	size_t width = b->n + 1, i, j;
	uint32_t *common = must_alloc((a->n + 1) * width, sizeof(*common));

	for (i = a->n; i-- > 0;)
		for (j = b->n; j-- > 0;) {
			uint32_t *here = &common[i * width + j];

			if (alike(side_step(a, i), side_step(b, j)))
				*here = here[width + 1] + 1;
			else
				*here = here[width] > here[1] ? here[width] : here[1];
		}
	return common;
}

/* A step of one side or of both: NULL where it is not. */
static struct difference about_step(const struct side *a, const struct sig_step *x,
				    const struct side *b, const struct sig_step *y)
{
	const struct sig_step *step = x ? x : y;

	return (struct difference){
		.step_a = x ? x - a->sig->steps + 1 : 0,
		.step_b = y ? y - b->sig->steps + 1 : 0,
		.label = step->label,
		.number_a = x ? x->number : 0,
		.number_b = y ? y->number : 0,
		.op = step->op,
	};
}

static void diff_sides(const struct side *a, const struct side *b, struct differences *d)
{
	uint32_t *common = common_lengths(a, b);
	size_t width = b->n + 1, i = 0, j = 0;
	struct pairs pairs = { 0 };

	while (i < a->n || j < b->n) {
		const struct sig_step *x = i < a->n ? side_step(a, i) : NULL;
		const struct sig_step *y = j < b->n ? side_step(b, j) : NULL;
		struct difference one;
		size_t before = d->n;

		if (x && y && alike(x, y)) {
			one = about_step(a, x, b, y);
			pairs_for(&pairs, x, y);
			diff_steps(x, y, &pairs, one, d);
			i++;
			j++;
		} else if (!y || (x && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
			one = about_step(a, x, b, NULL);
			add(d, &one);
			i++;
		} else {
			one = about_step(a, NULL, b, y);
			add(d, &one);
			j++;
		}
		d->steps++;
		d->steps_differ += d->n > before;
	}
	pairs_forget(&pairs);
	free(common);
}

static void diff_runs(const struct signature *a, const struct signature *b, bool by_label,
		      const char *label, struct differences *d)
{
	struct side x, y;

	side_make(&x, a, by_label, label);
	side_make(&y, b, by_label, label);
	diff_sides(&x, &y, d);
	d->runs++;
	free(x.at);
	free(y.at);
}

void diff(const struct signature *a, const struct signature *b, struct differences *d)
{
	size_t i;

	*d = (struct differences){ 0 };
	if (!share_labels(a, b)) {
		diff_runs(a, b, false, NULL, d);
		return;
	}
	for (i = 0; i < a->n; i++)
		if (first_of_label(a, i) && has_label(b, a->steps[i].label))
			diff_runs(a, b, true, a->steps[i].label, d);
	list_only(a, b, &d->only_a, &d->nr_only_a);
	list_only(b, a, &d->only_b, &d->nr_only_b);
}

void differences_free(struct differences *d)
{
	free(d->at);
	free(d->unknown);
	free(d->only_a);
	free(d->only_b);
	*d = (struct differences){ 0 };
}
