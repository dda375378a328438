// SPDX-License-Identifier: GPL-2.0-only
/* Blocks of the file `walk` -> entries in the order of addresses. Pure. */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

/* No table is larger, nor a block: pages of 64K, and its head. */
#define BLOCK_MAX (65536 + sizeof(struct gupwalk_walk_table))

static const struct entry_level *level_of(const struct tables *t, int level)
{
	return &t->entries->level[level];
}

void tables_begin(struct tables *t)
{
	int i;

	for (i = 0; i < GUPWALK_LEVELS; i++)
		t->last_table[i] = UINT64_MAX;
}

void tables_free(struct tables *t)
{
	int i;

	for (i = 0; i < GUPWALK_LEVELS - 1; i++)
		free(t->upper[i].values);
	strbuf_free(&t->part);
}

/* Gives out what is known of a table up to an address. */
static void flush_table(struct tables *t, int level, uint64_t to)
{
	const struct entry_level *l = level_of(t, level);
	struct upper_table *u = &t->upper[level];
	struct table_entry e = { .level = level, .size = 1ULL << l->shift };

	for (; u->next < u->end; u->next++) {
		uint64_t value = u->values[u->next];
		const struct entry_class *c;

		e.addr = u->base + ((uint64_t)u->next << l->shift);
		if (e.addr >= to)
			break;
		if (!value)
			continue;
		c = entry_class(l, value);
		if (c && (!strcmp(c->state, "table") || !strcmp(c->state, "none")))
			continue;
		memcpy(e.path, u->above, level * sizeof(*e.path));
		e.path[level] = (struct gupwalk_walk_entry){ u->table + 8 * u->next, value };
		t->entry(t->context, &e);
	}
}

/* What is known of tables further down lies before what is known of those above. */
static void flush(struct tables *t, uint64_t to)
{
	int level;

	for (level = GUPWALK_LEVELS - 2; level >= 0; level--)
		flush_table(t, level, to);
}

/* @more: it goes on where the block before it ended. */
static void take_upper(struct tables *t, const struct gupwalk_walk_table *b, bool more)
{
	const struct entry_level *l = level_of(t, b->level);
	struct upper_table *u = &t->upper[b->level];
	uint32_t from = (b->from - b->addr) >> l->shift;
	uint32_t to = ((b->to - 1 - b->addr) >> l->shift) + 1;

	if (!u->values)
		u->values = must_alloc(l->entries, sizeof(*u->values));
	if (u->base != b->addr || u->table != b->table || !u->end) {
		u->base = b->addr;
		u->table = b->table;
		u->end = 0;
		memset(u->values, 0, l->entries * sizeof(*u->values));
	}
	memcpy(u->above, b->above, sizeof(u->above));
	memset(u->values + from, 0, (to - from) * sizeof(*u->values));
	memcpy(u->values + b->first, b->entries, b->nr * sizeof(*u->values));
	if (!more)
		u->next = from;
	if (u->end < to)
		u->end = to;
}

static void give_ptes(struct tables *t, const struct gupwalk_walk_table *b)
{
	const struct entry_level *l = level_of(t, b->level);
	struct table_entry e = { .level = b->level, .size = 1ULL << l->shift };
	uint32_t i;

	memcpy(e.path, b->above, b->level * sizeof(*e.path));
	for (i = 0; i < b->nr; i++) {
		if (!b->entries[i])
			continue;
		e.addr = b->addr + ((uint64_t)(b->first + i) << l->shift);
		e.path[b->level] = (struct gupwalk_walk_entry){ b->table + 8 * (b->first + i),
								 b->entries[i] };
		t->entry(t->context, &e);
	}
}

/*
 * Does a block go on where the one before of the same table ended? Then tables below may still
 * come that lie before it.
 */
static bool goes_on(const struct tables *t, const struct gupwalk_walk_table *b)
{
	const struct upper_table *u = &t->upper[b->level];

	return u->end && u->base == b->addr && u->table == b->table &&
	       b->from == b->addr + ((uint64_t)u->end << level_of(t, b->level)->shift);
}

static const char *take_table(struct tables *t, const struct gupwalk_walk_table *b)
{
	const struct entry_level *l;
	bool more;
	int level;

	if (b->head.size < sizeof(*b) || b->level >= GUPWALK_LEVELS ||
	    b->head.size != sizeof(*b) + 8ULL * b->nr)
		return "a block has a wrong size";
	l = level_of(t, b->level);
	if (b->first + (uint64_t)b->nr > l->entries || b->from < b->addr || b->to <= b->from ||
	    (b->to - 1 - b->addr) >> l->shift >= l->entries)
		return "a block has entries that its table does not";
	t->unstable += !(b->flags & GUPWALK_WALK_STABLE);
	more = b->level < GUPWALK_LEVELS - 1 && goes_on(t, b);
	for (level = GUPWALK_LEVELS - 2; level > b->level; level--)
		flush_table(t, level, UINT64_MAX);
	if (!more)
		flush(t, b->from);
	if (t->table && t->last_table[b->level] != b->addr) {
		uint64_t size = b->level == GUPWALK_LEVELS - 1 ? t->start.page_size :
				8ULL * l->entries;

		t->table(t->context, b->level, b->table, size);
	}
	t->last_table[b->level] = b->addr;
	if (b->level == GUPWALK_LEVELS - 1) {
		give_ptes(t, b);
		return NULL;
	}
	for (level = b->level + 1; level < GUPWALK_LEVELS - 1; level++)
		t->upper[level].end = 0;
	take_upper(t, b, more);
	return NULL;
}

static const char *take_start(struct tables *t, const struct gupwalk_walk_head *head)
{
	int i;

	if (head->size < sizeof(t->start))
		return "the first block is too small";
	memcpy(&t->start, head, sizeof(t->start));
	if (t->start.version != GUPWALK_WALK_VERSION)
		return "the module speaks another version of the format";
	for (i = 0; i < GUPWALK_LEVELS; i++)
		if (t->start.level[i].entries != level_of(t, i)->entries ||
		    (!level_of(t, i)->folded &&
		     t->start.level[i].shift != level_of(t, i)->shift))
			return "the levels are not those that the module tells of elsewhere";
	return NULL;
}

static const char *take_block(struct tables *t, const struct gupwalk_walk_head *head)
{
	bool first = head->type == GUPWALK_WALK_START, begun = t->start.head.size;

	if (first == begun)
		return "the blocks are not in order";
	switch (head->type) {
	case GUPWALK_WALK_START:
		return take_start(t, head);
	case GUPWALK_WALK_TABLE:
		return take_table(t, (const void *)head);
	case GUPWALK_WALK_END:
		if (head->size < sizeof(t->end))
			return "the last block is too small";
		flush(t, UINT64_MAX);
		memcpy(&t->end, head, sizeof(t->end));
	}
	return NULL;
}

const char *tables_feed(struct tables *t, const void *bytes, size_t n)
{
	const char *wrong = NULL;
	size_t used = 0;

	strbuf_add(&t->part, bytes, n);
	while (!wrong && t->part.len - used >= sizeof(struct gupwalk_walk_head)) {
		const struct gupwalk_walk_head *head = (const void *)(t->part.at + used);

		if (head->size < sizeof(*head) || head->size % 8 || head->size > BLOCK_MAX)
			return "a block has a wrong size";
		if (t->part.len - used < head->size)
			break;
		if (t->end.head.size)
			return "something follows the last block";
		wrong = take_block(t, head);
		used += head->size;
	}
	memmove(t->part.at, t->part.at + used, t->part.len - used);
	t->part.len -= used;
	return wrong;
}
