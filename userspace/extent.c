// SPDX-License-Identifier: GPL-2.0-only
/* Ranges that look the same. Pure. */
#include "extent.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "text.h"

static bool looks_same(const struct extent *e, const struct extent *next)
{
	return e->page_size == next->page_size && e->contiguous == next->contiguous &&
	       e->mapped == next->mapped && e->swapped == next->swapped &&
	       e->swap_type == next->swap_type && same_text(e->state, next->state) &&
	       same_text(e->leaf, next->leaf) && same_text(e->rights, next->rights) &&
	       same_text(e->what, next->what) && same_text(e->huge, next->huge) &&
	       same_text(e->name, next->name) && same_text(e->perms, next->perms);
}

enum extent_fit extent_fit(const struct extent *e, const struct extent *next, uint64_t page)
{
	uint64_t length = e->end - e->start;

	if (e->end != next->start || !looks_same(e, next))
		return EXTENT_DIFFERS;
	if (e->mapped && !same_text(e->what, "zero") && e->pa + length != next->pa)
		return EXTENT_ALIKE;
	if (e->swapped && e->swap_offset + length / page != next->swap_offset)
		return EXTENT_ALIKE;
	return EXTENT_FOLLOWS;
}

void put_page_size(const struct extent *e, struct strbuf *out)
{
	char size[24];

	strbuf_addf(out, "%s", size_text(e->page_size, size));
	if (e->contiguous)
		strbuf_addf(out, "/%s", size_text(e->contiguous, size));
}

const char *huge_words(const char *huge)
{
	return strcmp(huge, "thp") ? huge : "THP";
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
	free((char *)e->perms);
}

static bool join(struct extents *x, const struct extent *e)
{
	enum extent_fit fit = extent_fit(&x->piece, e, x->page);

	if (fit == EXTENT_DIFFERS || (fit == EXTENT_ALIKE && !x->any_place))
		return false;
	if (fit == EXTENT_ALIKE) {
		x->piece.start = e->start;
		x->piece.pa = e->pa;
		x->piece.swap_offset = e->swap_offset;
		x->last.runs++;
	}
	x->piece.end = e->end;
	x->last.end = e->end;
	return true;
}

void extents_add(struct extents *x, const struct extent *e)
{
	if (x->open && join(x, e))
		return;
	extents_end(x);
	x->last = *e;
	x->last.state = copy(e->state);
	x->last.leaf = copy(e->leaf);
	x->last.rights = copy(e->rights);
	x->last.name = copy(e->name);
	x->last.perms = copy(e->perms);
	x->last.runs = e->mapped || e->swapped;
	x->piece = x->last;
	x->open = true;
}
