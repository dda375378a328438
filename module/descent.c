// SPDX-License-Identifier: GPL-2.0-only
#include <linux/io.h>

#include "arch.h"
#include "compat.h"
#include "descent.h"

struct gw_geometry gw_level_geometry(enum gw_level level)
{
	struct gw_geometry g = {
		.entries = gw_arch_level_entries(level),
		.folded = gw_arch_level_folded(level),
		.kind = level,
	};

	while (!g.folded && g.kind < GW_PTE && gw_arch_level_folded(g.kind + 1))
		g.kind++;
	g.shift = gw_level_shift(g.kind);
	return g;
}

bool gw_entry_is_empty(enum gw_level kind, u64 value)
{
	switch (kind) {
	case GW_PGD:
		return pgd_none(__pgd(value));
	case GW_P4D:
		return p4d_none(__p4d(value));
	case GW_PUD:
		return pud_none(__pud(value));
	case GW_PMD:
		return pmd_none(__pmd(value));
	default:
		return pte_none(__pte(value));
	}
}

/* Is it an entry of hugetlb? These have the format of a pte on every level. */
static bool is_like_pte(enum gw_level kind, u64 value)
{
	switch (kind) {
	case GW_PUD:
		return !pud_present(__pud(value)) && pte_present(__pte(value));
	case GW_PMD:
		return !pmd_present(__pmd(value)) && pte_present(__pte(value));
	default:
		return kind == GW_PTE;
	}
}

enum gw_entry_kind gw_entry_kind_of(enum gw_level kind, u64 value)
{
	bool present, leaf = false;

	switch (kind) {
	case GW_PGD:
		present = pgd_present(__pgd(value));
		break;
	case GW_P4D:
		present = p4d_present(__p4d(value));
		break;
	case GW_PUD:
		present = pud_present(__pud(value));
		leaf = present && pud_leaf(__pud(value));
		break;
	case GW_PMD:
		present = pmd_present(__pmd(value));
		leaf = present && pmd_leaf(__pmd(value));
		break;
	default:
		present = pte_present(__pte(value));
		leaf = present;
	}
	if (!present && is_like_pte(kind, value) && kind != GW_PTE)
		return GW_ENTRY_LEAF;
	if (!present)
		return GW_ENTRY_ABSENT;
	return leaf ? GW_ENTRY_LEAF : GW_ENTRY_TABLE;
}

u64 gw_entry_pfn_of(enum gw_level kind, u64 value)
{
	if (is_like_pte(kind, value))
		return pte_pfn(__pte(value));
	return kind == GW_PUD ? pud_pfn(__pud(value)) : pmd_pfn(__pmd(value));
}

static void descend_pte(struct gw_path *path, unsigned long addr)
{
	pte_t *ptep = pte_offset_kernel(&path->pmd, addr);

	gw_path_end_at_pte(path, ptep, READ_ONCE(*ptep));
}

static void descend_pmd(struct gw_path *path, unsigned long addr)
{
	path->pmdp = pmd_offset_lockless(path->pudp, path->pud, addr);
	path->pmd = gw_pmdp_get_lockless(path->pmdp);
	if (pmd_none(path->pmd))
		gw_path_ends(path, GW_PMD, GW_END_EMPTY);
	else if (!pmd_present(path->pmd))
		gw_path_ends(path, GW_PMD, GW_END_ABSENT);
	else if (pmd_leaf(path->pmd))
		gw_path_ends(path, GW_PMD, GW_END_LEAF);
	else if (pmd_bad(path->pmd))
		gw_path_ends(path, GW_PMD, GW_END_BAD);
	else
		descend_pte(path, addr);
}

static void descend_pud(struct gw_path *path, unsigned long addr)
{
	path->pudp = pud_offset_lockless(path->p4dp, path->p4d, addr);
	path->pud = READ_ONCE(*path->pudp);
	if (pud_none(path->pud))
		gw_path_ends(path, GW_PUD, GW_END_EMPTY);
	else if (!pud_present(path->pud))
		gw_path_ends(path, GW_PUD, GW_END_ABSENT);
	else if (pud_leaf(path->pud))
		gw_path_ends(path, GW_PUD, GW_END_LEAF);
	else if (pud_bad(path->pud))
		gw_path_ends(path, GW_PUD, GW_END_BAD);
	else
		descend_pmd(path, addr);
}

static void descend_p4d(struct gw_path *path, unsigned long addr)
{
	path->p4dp = p4d_offset_lockless(path->pgdp, path->pgd, addr);
	path->p4d = READ_ONCE(*path->p4dp);
	if (p4d_none(path->p4d))
		gw_path_ends(path, GW_P4D, GW_END_EMPTY);
	else if (p4d_bad(path->p4d))
		gw_path_ends(path, GW_P4D, GW_END_BAD);
	else
		descend_pud(path, addr);
}

void gw_descend(struct mm_struct *mm, unsigned long addr, struct gw_path *path)
{
	path->pgdp = pgd_offset(mm, addr);
	path->pgd = READ_ONCE(*path->pgdp);
	if (pgd_none(path->pgd))
		gw_path_ends(path, GW_PGD, GW_END_EMPTY);
	else if (pgd_bad(path->pgd))
		gw_path_ends(path, GW_PGD, GW_END_BAD);
	else
		descend_p4d(path, addr);
}

bool gw_path_same_above(const struct gw_path *path, enum gw_level level)
{
	if (level > GW_PGD && pgd_val(READ_ONCE(*path->pgdp)) != pgd_val(path->pgd))
		return false;
	if (level > GW_P4D && p4d_val(READ_ONCE(*path->p4dp)) != p4d_val(path->p4d))
		return false;
	if (level > GW_PUD && pud_val(READ_ONCE(*path->pudp)) != pud_val(path->pud))
		return false;
	return level <= GW_PMD ||
	       pmd_val(gw_pmdp_get_lockless(path->pmdp)) == pmd_val(path->pmd);
}

/* Is a slot the copy that a path has of the entry above? */
static bool is_copy(const struct gw_path *path, const void *slot)
{
	return slot >= (const void *)path && slot < (const void *)(path + 1);
}

static bool same_slot(const struct gw_path *a, const void *slot_a,
		      const struct gw_path *b, const void *slot_b)
{
	return slot_a == slot_b || (is_copy(a, slot_a) && is_copy(b, slot_b));
}

bool gw_path_same_way(const struct gw_path *a, const struct gw_path *b)
{
	return a->last == b->last &&
	       a->pgdp == b->pgdp && pgd_val(a->pgd) == pgd_val(b->pgd) &&
	       (a->last < GW_P4D ||
		(same_slot(a, a->p4dp, b, b->p4dp) && p4d_val(a->p4d) == p4d_val(b->p4d))) &&
	       (a->last < GW_PUD ||
		(same_slot(a, a->pudp, b, b->pudp) && pud_val(a->pud) == pud_val(b->pud))) &&
	       (a->last < GW_PMD ||
		(same_slot(a, a->pmdp, b, b->pmdp) && pmd_val(a->pmd) == pmd_val(b->pmd)));
}

/* A slot of a path, or the same part of its copy. */
static void *moved(const struct gw_path *from, struct gw_path *to, void *slot)
{
	return is_copy(from, slot) ? (void *)to + (slot - (void *)from) : slot;
}

void gw_path_copy(struct gw_path *to, const struct gw_path *from)
{
	*to = *from;
	to->p4dp = moved(from, to, from->p4dp);
	to->pudp = moved(from, to, from->pudp);
	to->pmdp = moved(from, to, from->pmdp);
}

/*
 * Note one level down. A folded level and the one above it are the same entry. Whose
 * slot is the real one differs: where the kernel folds by a copy
 * (include/asm-generic/pgtable-nop4d.h, x86) it is the upper one's; where arm64 folds at run time
 * it is the lower one's, and what was read under the upper name was the first slot of the same
 * table.
 */
static void note_level(struct gw_entry *entries, const struct gw_path *path,
		       enum gw_level level, const void *slot, u64 value, bool folded)
{
	struct gw_entry *entry = &entries[level];
	bool copy = folded && is_copy(path, slot);

	if (!copy) {
		entry->entry = __pa(slot);
		entry->value = value;
	}
	if (!folded)
		return;
	if (copy)
		*entry = entries[level - 1];
	else
		entries[level - 1] = *entry;
}

void gw_path_levels(const struct gw_path *path, enum gw_level last, struct gw_entry *entries)
{
	bool p4d_folded = gw_arch_level_folded(GW_P4D);
	bool pud_folded = gw_arch_level_folded(GW_PUD);

	last = min(last, path->last);
	note_level(entries, path, GW_PGD, path->pgdp, pgd_val(path->pgd), false);
	if (last >= GW_P4D)
		note_level(entries, path, GW_P4D, path->p4dp, p4d_val(path->p4d), p4d_folded);
	if (last >= GW_PUD)
		note_level(entries, path, GW_PUD, path->pudp, pud_val(path->pud), pud_folded);
	if (last >= GW_PMD)
		note_level(entries, path, GW_PMD, path->pmdp, pmd_val(path->pmd),
			   gw_arch_level_folded(GW_PMD));
	if (last >= GW_PTE)
		note_level(entries, path, GW_PTE, path->ptep, pte_val(path->pte), false);
	/*
	 * With two folded levels (three in use of arm64's five) the topmost is still as it was
	 * read.
	 */
	if (last >= GW_PUD && p4d_folded && pud_folded)
		entries[GW_PGD] = entries[GW_P4D];
}
