// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk. What makes it legal, and where:
 *
 * - The caller's reference on mm_users keeps exit_mmap() away, the mmap lock keeps attached VMAs
 *   attached, and an address inside an attached VMA keeps its tables above the PTE table:
 *   free_pgtables() frees only what no VMA covers.
 * - PTE tables may still go: retract_page_tables() (since v6.6 without the mmap lock) and, since
 *   v6.14, the reclaim of empty tables by MADV_DONTNEED. Interrupts off keeps these, as it does for
 *   gup_fast: both wait for an interrupt of this CPU or for an RCU grace period first.
 * - A PMD table that hugetlb shares between processes may go by huge_pmd_unshare(), which needs
 *   i_mmap_rwsem for write: we hold it for read.
 * - The entries change under us at any time. They are read once each, all of them again at the
 *   end, and the walk starts over if one is different.
 * - The last entry, and the page that it maps, are looked at once more under the entry's lock,
 *   taken with interrupts on (who holds it may be waiting for our CPU to answer a TLB flush),
 *   after checking that the entry is still the one we read.
 */
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "arch.h"
#include "compat.h"
#include "descent.h"

/*
 * Are the entries of the tables still what the descent read? Their slots may be read while
 * interrupts are off since the descent, or while the mmap lock, and for hugetlb i_mmap_rwsem, are
 * held.
 */
static bool tables_unchanged(const struct gw_path *path)
{
	return gw_path_same_above(path, min_t(int, path->last + 1, GW_PTE));
}

/* And the pte? Its table must be kept from being freed: by interrupts off, or by RCU. */
static bool path_unchanged(const struct gw_path *path)
{
	return tables_unchanged(path) &&
	       (path->last < GW_PTE || pte_val(READ_ONCE(*path->ptep)) == pte_val(path->pte));
}

/* The page frame of the address, from that of the first page that the leaf maps. */
static u64 leaf_pfn(u64 pfn, unsigned int shift, unsigned long addr)
{
	u64 mask = (1ULL << (shift - PAGE_SHIFT)) - 1;

	return (pfn & ~mask) | ((addr >> PAGE_SHIFT) & mask);
}

static u8 rights_of(const struct gw_snapshot *snap)
{
	u64 leaf = snap->level[snap->nr_levels - 1].value;
	enum gw_level level, top = gw_level_geometry(GW_PGD).kind;
	const struct gw_right_rule *rule;
	u8 rights = 0;

	for (rule = gw_arch_right_rules; rule->right; rule++) {
		bool has = (leaf & rule->leaf_mask) == rule->leaf_value;

		for (level = GW_PGD; has && level + 1 < snap->nr_levels; level++) {
			u64 mask = rule->table_mask;

			if (level <= top)
				mask &= ~gw_arch_top_ignored();
			has = (snap->level[level].value & mask) == (rule->table_value & mask);
		}
		if (has)
			rights |= rule->right;
	}
	return rights;
}

static void classify_leaf(struct gw_snapshot *snap, const struct gw_path *path,
			  unsigned long addr)
{
	u64 pfn;

	/*
	 * The helpers undo the inversion of entries that are not PRESENT on x86 (L1TF); a mask
	 * would not.
	 */
	switch (path->last) {
	case GW_PUD:
		pfn = pud_pfn(path->pud);
		break;
	case GW_PMD:
		pfn = pmd_pfn(path->pmd);
		snap->special = gw_pmd_special(path->pmd) || gw_pmd_devmap(path->pmd);
		break;
	default:
		pfn = pte_pfn(path->pte);
		snap->special = pte_special(path->pte) || gw_pte_devmap(path->pte);
	}
	snap->leaf = path->last;
	snap->contiguous_shift =
		gw_arch_contiguous_shift(path->last, snap->level[path->last].value);
	snap->pfn = leaf_pfn(pfn, snap->shift, addr);
	if (gw_arch_protnone(snap->level[path->last].value)) {
		snap->state = GW_PROTNONE;
	} else {
		snap->state = GW_PRESENT;
		snap->rights = rights_of(snap);
	}
}

static void classify_absent(struct gw_snapshot *snap, const struct gw_path *path,
			    bool hugetlb, unsigned long addr)
{
	struct gw_softleaf soft;
	pte_t pte = path->pte;

	/*
	 * hugetlb keeps the format of a pte on every level (huge_ptep_get()), and where the
	 * kernel has no huge pages of the page cache on a level, its pXd_present() does not know
	 * PROT_NONE there (x86: pud_present()).
	 */
	if (hugetlb && path->last != GW_PTE) {
		pte = __pte(snap->level[path->last].value);
		if (pte_present(pte)) {
			snap->leaf = path->last;
			snap->pfn = leaf_pfn(pte_pfn(pte), snap->shift, addr);
			snap->state = GW_PROTNONE;
			return;
		}
	}
	if (path->last == GW_PTE || hugetlb) {
		soft = gw_softleaf_from_pte(pte);
	} else if (path->last == GW_PMD) {
		soft = gw_softleaf_from_pmd(path->pmd);
	} else {
		snap->state = GW_BAD;
		return;
	}
	snap->state = soft.state;
	snap->marker = soft.marker;
	if (soft.state == GW_SWAP) {
		snap->swap_type = soft.type;
		snap->swap_offset = soft.offset;
	} else if (soft.state == GW_MIGRATION || soft.state == GW_DEVICE) {
		snap->pfn = leaf_pfn(soft.offset, snap->shift, addr);
	}
}

static void classify(struct gw_snapshot *snap, const struct gw_path *path,
		     struct vm_area_struct *vma, unsigned long addr)
{
	gw_path_levels(path, snap->level);
	snap->nr_levels = path->last + 1;
	snap->shift = gw_level_shift(path->last);
	snap->leaf = GW_NR_LEVELS;
	switch (path->end) {
	case GW_END_EMPTY:
		snap->state = GW_NONE;
		break;
	case GW_END_LEAF:
		classify_leaf(snap, path, addr);
		break;
	case GW_END_ABSENT:
		classify_absent(snap, path, is_vm_hugetlb_page(vma), addr);
		break;
	case GW_END_BAD:
		snap->state = GW_BAD;
		break;
	}
}

static struct page *first_page(const struct gw_snapshot *snap)
{
	return pfn_to_page(leaf_pfn(snap->pfn, snap->shift, 0));
}

/*
 * Memory of a device, with struct pages, that a file of a file system with DAX is mapped from. A
 * driver that goes takes them with it, whoever maps them; it waits for the reference on all of them
 * only, as get_user_pages() takes it (mm/gup.c up to v6.12).
 */
static bool read_fsdax_page(struct gw_snapshot *snap)
{
	struct dev_pagemap *pagemap = gw_get_dev_pagemap(snap->pfn);

	if (!pagemap)
		return false;
	gw_page_read(pfn_to_page(snap->pfn), first_page(snap), false, &snap->page);
	put_dev_pagemap(pagemap);
	return true;
}

/* What an entry of a pmd that maps no page of the VMA's own may be: the huge page of zeros. */
static bool may_be_huge_zero(const struct gw_snapshot *snap, struct vm_area_struct *vma)
{
	return snap->leaf == GW_PMD && (vma_is_anonymous(vma) || vma_is_fsdax(vma));
}

static struct page *normal_page(const struct gw_snapshot *snap, struct vm_area_struct *vma,
				bool zero)
{
	if (snap->special && !zero && !may_be_huge_zero(snap, vma))
		return NULL;
	/* Huge leaves have no bit that says so before v6.12. */
	if (snap->leaf < GW_PTE && vma->vm_flags & VM_PFNMAP)
		return NULL;
	return pfn_to_online_page(snap->pfn);
}

/*
 * Read the facts of the mapped page, if it is one that the kernel treats as an ordinary page
 * here. Mirrors vm_normal_page() and vm_normal_page_pmd() (mm/memory.c), and shows the zero
 * pages and those of files with DAX, which these hide (the latter on v6.12 and older), as well.
 */
static void read_page(struct gw_snapshot *snap, struct vm_area_struct *vma)
{
	bool zero = snap->leaf == GW_PTE && is_zero_pfn(snap->pfn);
	struct page *page;

	if (!gw_snapshot_maps_page(snap))
		return;
	if (vma_is_fsdax(vma) && read_fsdax_page(snap))
		return;
	page = normal_page(snap, vma, zero);
	if (!page)
		return;
	/*
	 * No module can ask which page is the huge zero page. Nothing else is mapped by a pmd of
	 * an anonymous VMA, or a hole of a file with DAX, and yet neither anonymous nor part of a
	 * mapping.
	 */
	if (may_be_huge_zero(snap, vma) && !gw_page_has_mapping(page))
		zero = true;
	gw_page_read(page, first_page(snap), zero, &snap->page);
}

static spinlock_t *lock_of_last(struct vm_area_struct *vma, struct gw_path *path)
{
	spinlock_t *lock;

	/* above the pud nothing changes while a VMA is there */
	if (path->last < GW_PUD)
		return NULL;
	lock = gw_path_lock(vma->vm_mm, path, path->last);
	return is_vm_hugetlb_page(vma) ? gw_hugetlb_lock(vma, lock) : lock;
}

/*
 * Looks once more at the entry where the walk ended, under its lock, and at the page that it maps.
 * An empty entry needs that as well: who changes an entry under the lock clears it first and
 * writes the new one later (ptep_clear_flush() and set_pte_at(): copy-on-write, migration,
 * mprotect), and without the lock two looks in between see the same nothing.
 *
 * As in __pte_offset_map_lock(): RCU keeps a PTE table, and with it its lock, from the moment that
 * the entry above it was seen to point there; that entry is looked at again under the lock.
 *
 * Returns false if an entry is no longer the one in @path.
 */
static bool settle(struct gw_snapshot *snap, struct gw_path *path, struct vm_area_struct *vma)
{
	spinlock_t *lock;
	bool same;

	rcu_read_lock();
	same = tables_unchanged(path);
	lock = same ? lock_of_last(vma, path) : NULL;
	if (lock) {
		spin_lock(lock);
		same = path_unchanged(path);
		if (same)
			read_page(snap, vma);
		spin_unlock(lock);
	}
	rcu_read_unlock();
	return same;
}

static bool walk_try(struct vm_area_struct *vma, unsigned long addr, struct gw_snapshot *snap)
{
	struct gw_path path = { };
	unsigned long irq_flags;
	bool same;

	memset(snap, 0, sizeof(*snap));
	local_irq_save(irq_flags);
	gw_descend(vma->vm_mm, addr, &path);
	same = path_unchanged(&path);
	local_irq_restore(irq_flags);

	classify(snap, &path, vma, addr);
	if (gw_snapshot_maps_page(snap))
		snap->pa = PFN_PHYS(snap->pfn) + offset_in_page(addr);
	return same && settle(snap, &path, vma);
}

void gw_walk_one(struct vm_area_struct *vma, unsigned long addr, struct gw_snapshot *snap)
{
	bool hugetlb = is_vm_hugetlb_page(vma);
	unsigned int tries = 0;

	if (hugetlb)
		i_mmap_lock_read(vma->vm_file->f_mapping);
	do {
		snap->stable = walk_try(vma, addr, snap);
		snap->retries = tries;
	} while (!snap->stable && tries++ < GW_WALK_RETRIES);
	if (hugetlb)
		i_mmap_unlock_read(vma->vm_file->f_mapping);
}

void gw_walk(struct mm_struct *mm, unsigned long addr, unsigned long nr_pages,
	     struct gw_snapshot *snaps)
{
	struct vm_area_struct *vma = NULL;
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		if (!vma || addr >= vma->vm_end)
			vma = gw_vma_lookup(mm, addr);
		if (vma) {
			gw_walk_one(vma, addr, &snaps[i]);
		} else {
			memset(&snaps[i], 0, sizeof(snaps[i]));
			snaps[i].state = GW_NOVMA;
			snaps[i].leaf = GW_NR_LEVELS;
			snaps[i].stable = true;
		}
		addr = (addr & PAGE_MASK) + PAGE_SIZE;
	}
}
