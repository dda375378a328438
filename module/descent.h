/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One way down through the page tables. walk.c says what makes it legal.
 */
#ifndef _GUPWALK_DESCENT_H
#define _GUPWALK_DESCENT_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "arch.h"
#include "compat.h"
#include "snapshot.h"

/**
 * enum gw_end - why a descent ended where it did
 * @GW_END_EMPTY: the entry is empty
 * @GW_END_LEAF: the entry maps a page
 * @GW_END_ABSENT: the entry is not present, but not empty
 * @GW_END_BAD: the entry is none that the kernel makes
 */
enum gw_end { GW_END_EMPTY, GW_END_LEAF, GW_END_ABSENT, GW_END_BAD };

/**
 * struct gw_path - the entries of one descent
 * @pgdp: slot of the pgd entry
 * @pgd: what it held
 * @p4dp: slot of the p4d entry
 * @p4d: what it held
 * @pudp: slot of the pud entry
 * @pud: what it held
 * @pmdp: slot of the pmd entry
 * @pmd: what it held
 * @ptep: slot of the pte
 * @pte: what it held
 * @last: the level where the descent ended
 * @end: why
 *
 * The slots may be read only while interrupts are off since the descent; @pudp and @pmdp also
 * while the mmap lock, and for hugetlb i_mmap_rwsem, are held, and with these @ptep while RCU is
 * read locked since the descent. Where a level is folded, its slot
 * is the copy of the entry above it.
 */
struct gw_path {
	pgd_t *pgdp, pgd;
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;
	pte_t *ptep, pte;
	enum gw_level last;
	enum gw_end end;
};

/**
 * struct gw_geometry - the tables of a level
 * @shift: log2 of the bytes that an entry covers
 * @entries: how many a table has
 * @folded: there are none: the level repeats the entry of the one above it
 * @kind: level by whose rules the entries are made: of the topmost table the lowest of those that
 *	are folded into it
 */
struct gw_geometry {
	unsigned int shift;
	unsigned int entries;
	bool folded;
	enum gw_level kind;
};

/**
 * gw_level_shift() - how much an entry covers
 * @level: its level
 *
 * Return: log2 of the bytes.
 */
static inline unsigned int gw_level_shift(enum gw_level level)
{
	switch (level) {
	case GW_PGD:
		return PGDIR_SHIFT;
	case GW_P4D:
		return P4D_SHIFT;
	case GW_PUD:
		return PUD_SHIFT;
	case GW_PMD:
		return PMD_SHIFT;
	default:
		return PAGE_SHIFT;
	}
}

/**
 * gw_level_geometry() - what the tables of a level look like on this machine
 * @level: the level
 *
 * Return: the geometry.
 */
struct gw_geometry gw_level_geometry(enum gw_level level);

/**
 * gw_entry_is_empty() - does an entry say nothing
 * @kind: gw_geometry.kind of its level
 * @value: raw value
 *
 * Return: true if it does.
 */
bool gw_entry_is_empty(enum gw_level kind, u64 value);

/**
 * gw_entry_kind_of() - how an entry is to be read
 * @kind: gw_geometry.kind of its level
 * @value: raw value
 *
 * Return: the kind; what no kernel would make counts as a table.
 */
enum gw_entry_kind gw_entry_kind_of(enum gw_level kind, u64 value);

/**
 * gw_entry_pfn_of() - the page frame that an entry maps
 * @kind: gw_geometry.kind of its level, GW_PUD or below
 * @value: raw value, of GW_ENTRY_LEAF
 *
 * Return: the first page frame.
 */
u64 gw_entry_pfn_of(enum gw_level kind, u64 value);

/**
 * gw_entry_is_table() - does an entry point to another table
 * @kind: gw_geometry.kind of its level
 * @value: raw value
 *
 * As gw_descend() decides whether it goes on. Inline, as a walk over whole tables asks it of each
 * entry.
 *
 * Return: true if it does.
 */
static inline bool gw_entry_is_table(enum gw_level kind, u64 value)
{
	switch (kind) {
	case GW_PGD:
		return !pgd_none(__pgd(value)) && !pgd_bad(__pgd(value));
	case GW_P4D:
		return !p4d_none(__p4d(value)) && !p4d_bad(__p4d(value));
	case GW_PUD:
		return pud_present(__pud(value)) && !pud_leaf(__pud(value)) &&
		       !pud_bad(__pud(value));
	case GW_PMD:
		return pmd_present(__pmd(value)) && !pmd_leaf(__pmd(value)) &&
		       !pmd_bad(__pmd(value));
	default:
		return false;
	}
}

/**
 * gw_descend() - read one entry of each level, down to where nothing more is
 * @mm: whose page tables
 * @addr: the address, in a VMA
 * @path: filled in
 *
 * Mirrors gup_fast's descent (mm/gup.c, gup_pgd_range() and below).
 *
 * Context: interrupts off; or the mmap lock, and for hugetlb i_mmap_rwsem, held, and RCU read
 * locked for the pte.
 */
void gw_descend(struct mm_struct *mm, unsigned long addr, struct gw_path *path);

/**
 * gw_path_ends() - note where a path ends
 * @path: the path
 * @last: the level
 * @end: why
 */
static inline void gw_path_ends(struct gw_path *path, enum gw_level last, enum gw_end end)
{
	path->last = last;
	path->end = end;
}

/**
 * gw_path_end_at_pte() - let a path end at another pte of the PTE table that it leads to
 * @path: the path
 * @ptep: slot of the pte
 * @pte: what it holds
 */
static inline void gw_path_end_at_pte(struct gw_path *path, pte_t *ptep, pte_t pte)
{
	path->ptep = ptep;
	path->pte = pte;
	gw_path_ends(path, GW_PTE, pte_none(pte) ? GW_END_EMPTY :
				   pte_present(pte) ? GW_END_LEAF : GW_END_ABSENT);
}

/**
 * gw_path_same_above() - are the entries above a level still what the descent read
 * @path: the path
 * @level: the level
 *
 * Context: as struct gw_path says for the slots.
 * Return: true if they are.
 */
bool gw_path_same_above(const struct gw_path *path, enum gw_level level);

/**
 * gw_path_same_end() - does a path still end as the descent read it
 * @path: the path
 *
 * Of a path to a pte that is the entry above it, which leads to the PTE table. Above these nothing
 * changes under the mmap lock but from empty to table; where hugetlb shares tables, under
 * i_mmap_rwsem as well. It is what __pte_offset_map_lock() (mm/pgtable-generic.c) looks at.
 *
 * Context: as struct gw_path says for the slots.
 * Return: true if it does.
 */
static inline bool gw_path_same_end(const struct gw_path *path)
{
	/* A folded level is a copy, which says nothing of now. */
	if (path->last < GW_PMD || __is_defined(__PAGETABLE_PMD_FOLDED))
		return gw_path_same_above(path, min_t(int, path->last + 1, GW_PTE));
	return pmd_val(gw_pmdp_get_lockless(path->pmdp)) == pmd_val(path->pmd);
}

/**
 * gw_path_same_way() - do two descents come to the same pte table, or to the same entry above
 * @a: a path
 * @b: what was in the same place before
 *
 * Return: true if all entries above the pte are the same, and were the same.
 */
bool gw_path_same_way(const struct gw_path *a, const struct gw_path *b);

/**
 * gw_path_copy() - copy a path
 * @to: where to
 * @from: the path
 *
 * Where a level is folded its slot is in the path itself, and moves with it.
 */
void gw_path_copy(struct gw_path *to, const struct gw_path *from);

/**
 * gw_path_levels() - what a descent read, level by level
 * @path: the path
 * @last: level to end with, if the path goes that far: GW_PMD or GW_PTE
 * @entries: filled in, folded levels as repetitions
 */
void gw_path_levels(const struct gw_path *path, enum gw_level last, struct gw_entry *entries);

/**
 * gw_path_lock() - the lock of the table that a path goes through
 * @mm: whose page tables
 * @path: the path
 * @level: level of the table; the path reaches it
 *
 * Mirrors pte_lockptr(), pmd_lockptr() and pud_lockptr(). hugetlb may have another:
 * gw_hugetlb_lock().
 *
 * Return: the lock.
 */
static inline spinlock_t *gw_path_lock(struct mm_struct *mm, struct gw_path *path,
				       enum gw_level level)
{
	switch (level) {
	case GW_PTE:
		return pte_lockptr(mm, &path->pmd);
	case GW_PMD:
		return pmd_lockptr(mm, path->pmdp);
	default:
		/* above the pmd this is all there is */
		return &mm->page_table_lock;
	}
}

#endif /* _GUPWALK_DESCENT_H */
