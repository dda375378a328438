// SPDX-License-Identifier: GPL-2.0-only
/* Ranges that look the same. Pure. */
#include "extent.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

bool extent_join(struct extent *e, const struct extent *next)
{
	bool zero = same_text(e->what, "zero");

	if (e->end != next->start || e->page_size != next->page_size || e->mapped != next->mapped ||
	    !same_text(e->state, next->state) || !same_text(e->leaf, next->leaf) ||
	    !same_text(e->rights, next->rights) || !same_text(e->what, next->what) ||
	    !same_text(e->name, next->name))
		return false;
	if (e->mapped && !zero && e->pa + (e->end - e->start) != next->pa)
		return false;
	e->end = next->end;
	return true;
}

static const char *copy(const char *s)
{
	return s ? must_copy(s) : NULL;
}

void extents_end(struct extents *x)
{
	struct extent *e = &x->last;

	if (!x->open)
		return;
	x->put(x->context, e);
	x->open = false;
	free((char *)e->state);
	free((char *)e->leaf);
	free((char *)e->rights);
	free((char *)e->name);
}

void extents_add(struct extents *x, const struct extent *e)
{
	if (x->open && extent_join(&x->last, e))
		return;
	extents_end(x);
	x->last = *e;
	x->last.state = copy(e->state);
	x->last.leaf = copy(e->leaf);
	x->last.rights = copy(e->rights);
	x->last.name = copy(e->name);
	x->open = true;
}
