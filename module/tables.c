// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks over whole tables. What walk.c says of single addresses holds here too:
 *
 * - A table is read for the sake of an address in an attached VMA, and only while the mmap lock
 *   keeps that VMA: what free_pgtables() frees is covered by no VMA at all.
 * - It is read under its own lock, after looking once more at the entries above it. Who changes an
 *   entry clears it first and writes it later, both under that lock; whoever reads without it sees
 *   the nothing in between. RCU keeps a PTE table, and with it its lock, meanwhile.
 * - hugetlb has other locks on some kernels (gw_hugetlb_lock()). There a block ends where such
 *   memory begins or ends.
 */
#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "tables.h"
#include "uapi/gupwalk.h"

/* Steps with the mmap lock held; each passes over a hole, reads a table, or looks at a VMA. */
#define GW_STEPS_MAX 256

/* A hole in a table as long as this is left out: the head of another block takes less. */
#define GW_HOLE_MIN 32

/**
 * struct gw_blocks - blocks being made
 * @buffer: where
 * @used: bytes so far
 * @room: bytes there are
 * @steps: what was done for them; there is a bound, as the mmap lock is held meanwhile
 */
struct gw_blocks {
	void *buffer;
	size_t used;
	size_t room;
	unsigned int steps;
};

/**
 * struct gw_part - a part of a table
 * @level: its level
 * @slot: its first entry
 * @from: address that this one stands for
 * @to: first address after the part
 */
struct gw_part {
	enum gw_level level;
	const u64 *slot;
	unsigned long from;
	unsigned long to;
};

/**
 * struct gw_descent - the way down to an address
 * @path: as it was read
 * @entries: the same, level by level
 */
struct gw_descent {
	struct gw_path path;
	struct gw_entry entries[GW_NR_LEVELS];
};

/* The caller fills in all but the head. */
static void *block_add(struct gw_blocks *blocks, u16 type, size_t size)
{
	struct gupwalk_walk_head *head = blocks->buffer + blocks->used;

	head->size = size;
	head->type = type;
	head->reserved = 0;
	blocks->used += size;
	return head;
}

/* Bytes that a table covers; the topmost one may cover all there are. */
static unsigned long table_size(const struct gw_geometry *g)
{
	return (unsigned long)g->entries << g->shift;
}

static unsigned int index_of(const struct gw_geometry *g, unsigned long addr)
{
	return (addr >> g->shift) & (g->entries - 1);
}

static unsigned long table_start(const struct gw_geometry *g, unsigned long addr)
{
	return addr & ~(table_size(g) - 1);
}

/* First address of the next entry. */
static unsigned long entry_end(const struct gw_geometry *g, unsigned long addr)
{
	return ((addr >> g->shift) + 1) << g->shift;
}

/* What a block says of its table; the entries above it from @entries, if they are known. */
static void describe(struct gupwalk_walk_table *block, const struct gw_geometry *g,
		     enum gw_level level, unsigned long addr, const struct gw_entry *entries)
{
	enum gw_level i;

	block->level = level;
	block->flags = 0;
	block->reserved = 0;
	block->first = index_of(g, addr);
	block->nr = 0;
	block->reserved2 = 0;
	block->addr = table_start(g, addr);
	block->table = entries ? entries[level].entry - block->first * sizeof(u64) : 0;
	for (i = GW_PGD; i < GW_PTE; i++) {
		bool known = entries && i < level;

		block->above[i].entry = known ? entries[i].entry : 0;
		block->above[i].value = known ? entries[i].value : 0;
	}
}

/*
 * Copies entries, those at both ends that are empty left out. Return: how many. This is what a
 * walk spends its time with.
 */
static unsigned int copy_entries(u64 *to, const u64 *from, unsigned int nr, unsigned int *skipped)
{
	const u64 *end = from + nr, *start;

	while (from < end && !READ_ONCE(*from))
		from++;
	*skipped = nr - (end - from);
	start = to;
	for (; end - from >= 8; from += 8, to += 8) {
		to[0] = READ_ONCE(from[0]);
		to[1] = READ_ONCE(from[1]);
		to[2] = READ_ONCE(from[2]);
		to[3] = READ_ONCE(from[3]);
		to[4] = READ_ONCE(from[4]);
		to[5] = READ_ONCE(from[5]);
		to[6] = READ_ONCE(from[6]);
		to[7] = READ_ONCE(from[7]);
	}
	while (from < end)
		*to++ = READ_ONCE(*from++);
	while (to > start && !to[-1])
		to--;
	return to - start;
}

/*
 * Reads a part of a table under its lock. Return: false if the tables above it are not what they
 * were.
 */
static bool read_part(struct vm_area_struct *vma, struct gw_path *path,
		      const struct gw_part *part, unsigned int nr,
		      struct gupwalk_walk_table *block)
{
	unsigned int skipped = 0;
	spinlock_t *lock;
	bool same;

	rcu_read_lock();
	same = gw_path_same_above(path, part->level);
	if (same) {
		lock = gw_path_lock(vma->vm_mm, path, part->level);
		if (is_vm_hugetlb_page(vma))
			lock = gw_hugetlb_lock(vma, lock);
		spin_lock(lock);
		same = gw_path_same_above(path, part->level);
		if (same)
			block->nr = copy_entries(block->entries, part->slot, nr, &skipped);
		spin_unlock(lock);
	}
	rcu_read_unlock();
	block->first += skipped;
	return same;
}

/*
 * Notes which entries point to another table: there the walk goes on. Where huge pages are, most do
 * not, which a few bits tell sooner than the kernel's own functions.
 */
static void note_below(struct gw_tables *t, const struct gupwalk_walk_table *block)
{
	u64 mask = gw_arch_kind_bits, table = gw_arch_table_bits & gw_arch_kind_bits;
	enum gw_level kind = t->level[block->level].kind;
	unsigned long *below = t->below[block->level];
	unsigned int i;

	for (i = 0; i < block->nr; i++)
		if ((block->entries[i] & mask) == table &&
		    gw_entry_is_table(kind, block->entries[i]))
			__set_bit(block->first + i, below);
}

/* Makes two blocks of one, without the empty entries from number @from to before @to. */
static struct gupwalk_walk_table *cut(const struct gw_geometry *g, struct gw_blocks *blocks,
				      struct gupwalk_walk_table *block, unsigned int from,
				      unsigned int to)
{
	struct gupwalk_walk_table *next = (void *)&block->entries[from];
	struct gupwalk_walk_table head = *block;
	unsigned int rest = block->nr - to;

	memmove(next->entries, &block->entries[to], rest * sizeof(u64));
	*next = head;
	next->first += to;
	next->nr = rest;
	next->from = next->addr + ((u64)next->first << g->shift);
	next->head.size = sizeof(*next) + rest * sizeof(u64);
	block->nr = from;
	block->to = next->from;
	block->head.size = sizeof(*block) + from * sizeof(u64);
	blocks->used = (void *)next + next->head.size - blocks->buffer;
	return next;
}

/* Looks at some entries only: there is one of these in each hole that is long enough. */
static void cut_holes(const struct gw_geometry *g, struct gw_blocks *blocks,
		      struct gupwalk_walk_table *block)
{
	unsigned int i, from, to;

	BUILD_BUG_ON(GW_HOLE_MIN * sizeof(u64) < sizeof(*block));
	for (i = GW_HOLE_MIN / 2; i < block->nr; i += GW_HOLE_MIN / 2) {
		if (block->entries[i])
			continue;
		/*
		 * The first and the last were not empty, but may have become so before they were
		 * copied: entries above the pte are cleared without the lock that we hold
		 * (free_pmd_range(), huge_pmd_unshare()).
		 */
		for (from = i; from && !block->entries[from - 1]; from--)
			;
		for (to = i + 1; to < block->nr && !block->entries[to]; to++)
			;
		if (to - from < GW_HOLE_MIN)
			continue;
		block = cut(g, blocks, block, from, to);
		i = 0;
	}
}

/*
 * Where does memory begin whose entries have another lock than those of @vma at @level? Only some
 * kernels have such, for pages of hugetlb that are several entries of a table (arm64's contiguous
 * ones); and only so many VMAs are looked at.
 */
static unsigned long lock_ends(struct gw_blocks *blocks, struct vm_area_struct *vma,
			       struct gw_path *path, enum gw_level level, unsigned long to)
{
	spinlock_t *lock;

	if (GW_HAVE_HUGETLB_LEVEL_LOCKS || level < GW_PMD ||
	    !gw_arch_contiguous_shift(level, ~0ULL))
		return to;
	lock = gw_path_lock(vma->vm_mm, path, level);
	if (is_vm_hugetlb_page(vma) && gw_hugetlb_lock(vma, lock) != lock)
		return min(to, vma->vm_end);
	while ((vma = find_vma(vma->vm_mm, vma->vm_end)) && vma->vm_start < to)
		if (blocks->steps++ >= GW_STEPS_MAX ||
		    (is_vm_hugetlb_page(vma) && gw_hugetlb_lock(vma, lock) != lock))
			return vma->vm_start;
	return to;
}

/* The part of a table from the entry of t->next up to @to. Return: false if there is no room. */
static bool give_part(struct gw_tables *t, struct gw_blocks *blocks, struct vm_area_struct *vma,
		      struct gw_descent *d, enum gw_level level, unsigned long to, bool *same)
{
	const struct gw_geometry *g = &t->level[level];
	struct gupwalk_walk_table *block;
	struct gw_part part = { .level = level, .to = to };
	unsigned int nr;

	part.from = t->next & ~((1UL << g->shift) - 1);
	/* rounded up */
	nr = ((to - 1) >> g->shift) - (part.from >> g->shift) + 1;
	if (blocks->room - blocks->used < sizeof(*block) + nr * sizeof(u64))
		return false;
	part.slot = __va(d->entries[level].entry);
	block = block_add(blocks, GUPWALK_WALK_TABLE, sizeof(*block));
	describe(block, g, level, part.from, d->entries);
	block->from = max(part.from, t->start);
	block->to = to;
	*same = read_part(vma, &d->path, &part, nr, block);
	if (!*same) {
		blocks->used -= sizeof(*block);
		return true;
	}
	block->flags = GUPWALK_WALK_STABLE;
	block->head.size += block->nr * sizeof(u64);
	blocks->used += block->nr * sizeof(u64);
	if (level < GW_PTE) {
		bitmap_clear(t->below[level], index_of(g, part.from), nr);
		note_below(t, block);
	}
	cut_holes(g, blocks, block);
	return true;
}

/* The table is there, but it cannot be got hold of. */
static bool give_unstable(struct gw_tables *t, struct gw_blocks *blocks, enum gw_level level)
{
	const struct gw_geometry *g = &t->level[level];
	struct gupwalk_walk_table *block;

	if (blocks->room - blocks->used < sizeof(*block))
		return false;
	block = block_add(blocks, GUPWALK_WALK_TABLE, sizeof(*block));
	describe(block, g, level, t->next, NULL);
	block->from = t->next;
	block->to = min(t->end, entry_end(g, t->next));
	t->next = block->to;
	return true;
}

/*
 * Gives out the tables on the way to t->next that were not given out yet. Return: false if there
 * is no room for one of them. *same: the tables did not change meanwhile.
 */
static bool give_tables(struct gw_tables *t, struct gw_blocks *blocks, struct vm_area_struct *vma,
			enum gw_level *last, bool *same)
{
	struct gw_descent d;
	unsigned long irq_flags;
	enum gw_level level;

	local_irq_save(irq_flags);
	gw_descend(vma->vm_mm, t->next, &d.path);
	local_irq_restore(irq_flags);
	gw_path_levels(&d.path, GW_PTE, d.entries);
	*same = true;
	for (level = GW_PGD; level <= d.path.last; level++) {
		const struct gw_geometry *g = &t->level[level];
		unsigned long to;

		*last = level;
		if (g->folded)
			continue;
		if (t->next >= t->given[level])
			to = lock_ends(blocks, vma, &d.path, level,
				       min(t->end - 1, table_start(g, t->next) +
					   table_size(g) - 1) + 1);
		else if (level == d.path.last || (g->kind == d.path.last))
			/* it pointed to a table when that one was given out */
			to = min(t->end, entry_end(g, t->next));
		else
			continue;
		if (!give_part(t, blocks, vma, &d, level, to, same))
			return false;
		if (!*same)
			return true;
		t->given[level] = max(t->given[level], to);
		if (level == GW_PTE)
			t->next = to;
	}
	return true;
}

/*
 * Passes over what is known to have no table below, up to the next address that may have.
 * Return: false if that is not @t->next itself.
 */
static bool pass_holes(struct gw_tables *t)
{
	enum gw_level level;

	for (level = GW_PGD; level < GW_PTE; level++) {
		const struct gw_geometry *g = &t->level[level];
		unsigned int i;

		if (g->folded)
			continue;
		if (t->next >= t->given[level])
			return true;
		i = index_of(g, t->next);
		if (test_bit(i, t->below[level]))
			continue;
		i = find_next_bit(t->below[level], g->entries, i);
		t->next = min(t->given[level], table_start(g, t->next) +
			      ((unsigned long)i << g->shift));
		return false;
	}
	return true;
}

/* Return: false when the buffer is full, or the range at its end. */
static bool step(struct gw_tables *t, struct gw_blocks *blocks)
{
	struct vm_area_struct *vma;
	unsigned int tries = 0;
	enum gw_level last;
	bool same, room;

	if (t->next >= t->end)
		return false;
	if (!pass_holes(t))
		return true;
	vma = find_vma(t->mm, t->next);
	if (!vma || vma->vm_start >= t->end) {
		t->next = t->end;
		return false;
	}
	if (vma->vm_start > t->next) {
		t->next = vma->vm_start;
		return true;
	}
	/* A table of pmds that processes share may go otherwise, see walk.c. */
	if (is_vm_hugetlb_page(vma))
		i_mmap_lock_read(vma->vm_file->f_mapping);
	do
		room = give_tables(t, blocks, vma, &last, &same);
	while (room && !same && tries++ < GW_WALK_RETRIES);
	if (is_vm_hugetlb_page(vma))
		i_mmap_unlock_read(vma->vm_file->f_mapping);
	if (room && !same)
		room = give_unstable(t, blocks, last);
	return room;
}

static void give_start(struct gw_tables *t, struct gw_blocks *blocks)
{
	struct gupwalk_walk_start *block;
	unsigned int i;

	block = block_add(blocks, GUPWALK_WALK_START, sizeof(*block));
	block->version = GUPWALK_WALK_VERSION;
	block->page_size = PAGE_SIZE;
	block->pid = t->pid;
	block->reserved = 0;
	block->start = t->start;
	block->end = t->end;
	for (i = 0; i < GW_NR_LEVELS; i++) {
		block->level[i].entries = t->level[i].entries;
		block->level[i].shift = t->level[i].shift;
		block->level[i].folded = t->level[i].folded;
		block->level[i].reserved = 0;
	}
	t->started = true;
}

static bool give_end(struct gw_tables *t, struct gw_blocks *blocks, u32 how)
{
	struct gupwalk_walk_end *block;

	if (blocks->room - blocks->used < sizeof(*block))
		return false;
	block = block_add(blocks, GUPWALK_WALK_END, sizeof(*block));
	block->how = how;
	block->reserved = 0;
	block->addr = t->next;
	t->ended = true;
	return true;
}

ssize_t gw_tables_read(struct gw_tables *t, void *buffer, size_t room)
{
	struct gw_blocks blocks = { .buffer = buffer, .room = room };

	if (t->ended)
		return 0;
	if (!t->started)
		give_start(t, &blocks);
	if (!mmget_not_zero(t->mm)) {
		give_end(t, &blocks, GUPWALK_WALK_GONE);
		return blocks.used;
	}
	if (mmap_read_lock_killable(t->mm)) {
		mmput(t->mm);
		return -EINTR;
	}
	while (blocks.steps++ < GW_STEPS_MAX && step(t, &blocks))
		;
	mmap_read_unlock(t->mm);
	mmput(t->mm);
	if (t->next >= t->end)
		give_end(t, &blocks, GUPWALK_WALK_DONE);
	return blocks.used;
}

void gw_tables_start(struct gw_tables *t, struct mm_struct *mm, pid_t pid, unsigned long start,
		     unsigned long end)
{
	enum gw_level level;

	BUILD_BUG_ON(GW_NR_LEVELS != GUPWALK_LEVELS);
	BUILD_BUG_ON(PTRS_PER_PTE > GW_TABLE_ENTRIES_MAX);
	BUILD_BUG_ON(sizeof(struct gupwalk_walk_table) % 8);
	/* what is below is cleared as tables are given out */
	memset(t->given, 0, sizeof(t->given));
	t->started = false;
	t->ended = false;
	mmgrab(mm);
	t->mm = mm;
	t->pid = pid;
	t->start = start;
	t->next = start;
	t->end = end;
	for (level = GW_PGD; level < GW_NR_LEVELS; level++)
		t->level[level] = gw_level_geometry(level);
}

void gw_tables_stop(struct gw_tables *t)
{
	if (t->mm)
		mmdrop(t->mm);
	t->mm = NULL;
}
