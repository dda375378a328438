// SPDX-License-Identifier: GPL-2.0-only
/* Elements of walks -> extents. Pure. */
#include "extent.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"

static const char *what(const struct page_facts *page, const char *name)
{
	const char *kind = page_kind(page);

	if (!page)
		return NULL;
	return !strcmp(kind, "other") && *name == '/' ? "file" : kind;
}

void extent_of(const struct page *page, uint64_t limit, const char *name, struct extent *e)
{
	const struct snapshot *s = page->before;
	uint64_t size = s->size ? s->size : 1;

	*e = (struct extent){
		.start = page->addr,
		/* the last entry covers more than from here on */
		.end = page->addr - page->addr % size + size,
		.state = s->state,
		.leaf = s->leaf,
		.page_size = s->leaf ? s->size : 0,
		.rights = s->rights,
		.what = what(s->page, name),
		.name = name,
	};
	if (e->end > limit || e->end < e->start)
		e->end = limit;
	e->mapped = s->pa && number_hex(s->pa, &e->pa);
}

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
