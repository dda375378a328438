// SPDX-License-Identifier: GPL-2.0-only
#include "orphans.h"

#include <stdlib.h>
#include <string.h>

/**
 * struct orphan - a pin whose owner is gone
 * @seq: number of the record of the call
 * @since_ms: when it was found so first
 * @look: the last look that has found it
 * @old: it has been so for long enough
 */
struct orphan {
	int64_t seq;
	uint64_t since_ms;
	uint64_t look;
	bool old;
};

static struct orphan *orphan_of(struct orphans *o, int64_t seq, uint64_t now_ms)
{
	size_t i, at;

	/* they come in the same order each time */
	for (i = 0; i < o->n; i++) {
		at = (o->next + i) % o->n;
		if (o->at[at].seq != seq)
			continue;
		o->next = at + 1;
		return &o->at[at];
	}
	o->at = must_grow(o->at, o->n, sizeof(*o->at));
	o->at[o->n] = (struct orphan){ .seq = seq, .since_ms = now_ms };
	return &o->at[o->n++];
}

static void forget(struct orphans *o)
{
	size_t i, kept = 0;

	for (i = 0; i < o->n; i++)
		if (o->at[i].look == o->look)
			o->at[kept++] = o->at[i];
	o->n = kept;
}

void orphans_look(struct orphans *o, const struct pins *pins, uint64_t now_ms, struct pins *old)
{
	struct orphan *orphan;
	size_t i;

	o->look++;
	o->next = 0;
	for (i = 0; i < pins->n; i++) {
		if (!pin_outlived_owner(&pins->at[i]))
			continue;
		orphan = orphan_of(o, pins->at[i].seq.value, now_ms);
		orphan->look = o->look;
		if (orphan->old || now_ms - orphan->since_ms < ORPHAN_MS)
			continue;
		orphan->old = true;
		if (!old)
			continue;
		old->at = must_grow(old->at, old->n, sizeof(*old->at));
		old->at[old->n++] = pins->at[i];
	}
	forget(o);
}

bool orphans_young(const struct orphans *o)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (!o->at[i].old)
			return true;
	return false;
}

void orphans_free(struct orphans *o)
{
	free(o->at);
	*o = (struct orphans){ 0 };
}
