// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk. What makes it legal, and where:
 *
 * - The caller's reference on mm_users keeps exit_mmap() away, the mmap lock keeps attached VMAs
 *   attached, and an address inside an attached VMA keeps its tables above the PTE table:
 *   free_pgtables() frees only what no VMA covers.
 * - PTE tables may still go: retract_page_tables() (since v6.6 without the mmap lock) and, since
 *   v6.14, the reclaim of empty tables by MADV_DONTNEED. Both free the table after an RCU grace
 *   period only, so that RCU, read locked from before the entry above was read, or was seen to be
 *   what it was, until the lock of the table is given up, keeps it, and its lock. Whether it still
 *   is the table of the address is looked at again under that lock, without which it is not taken
 *   away: __pte_offset_map_lock() (mm/pgtable-generic.c).
 * - A PMD table that hugetlb shares between processes may go by huge_pmd_unshare(), which needs
 *   i_mmap_rwsem for write: we hold it for read.
 * - Who changes an entry holds its lock, but for the CPU, which sets ACCESSED and DIRTY: so the
 *   last entries of a chunk of pages are read once each, and the pages that they map looked at,
 *   under that lock, and all of that belongs together.
 * - The lock is taken with interrupts on: who holds it may be waiting for our CPU to answer a TLB
 *   flush.
 */
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "arch.h"
#include "compat.h"
#include "walk.h"

/*
 * What is __always_inline below is gone through for each page: a call for each part took a tenth of
 * the time of a measurement.
 */

/* The value of the entry where the path ends. */
static u64 value_of_last(const struct gw_path *path)
{
	switch (path->last) {
	case GW_PUD:
		return pud_val(path->pud);
	case GW_PMD:
		return pmd_val(path->pmd);
	default:
		return pte_val(path->pte);
	}
}

/*
 * A pte that maps a page: most entries are that. Here and below the helpers find the page frame:
 * they undo the inversion of entries that are not PRESENT on x86 (L1TF); a mask would not.
 */
static noinline void classify_pte(struct gw_walk *w, struct gw_snapshot *snap)
{
	const struct gw_path *path = w->path;
	bool special = pte_special(path->pte) || gw_pte_devmap(path->pte);
	u64 value = pte_val(path->pte);

	*snap = (struct gw_snapshot){
		.way = path,
		.ptep = path->ptep,
		.pte = value,
		.nr_levels = GW_PTE + 1,
		.leaf = GW_PTE,
		.shift = PAGE_SHIFT,
		.stable = path != w->last,
		.special = special,
	};
	w->plain = !special && w->vma && !vma_is_fsdax(w->vma);
	snap->pfn = pte_pfn(path->pte);
	snap->contiguous_shift = gw_arch_contiguous_shift(GW_PTE, value);
	snap->state = gw_arch_protnone(value) ? GW_PROTNONE : GW_PRESENT;
}

static void classify_huge(const struct gw_path *path, struct gw_snapshot *snap)
{
	u64 value = value_of_last(path);

	if (path->last == GW_PMD) {
		snap->special = gw_pmd_special(path->pmd) || gw_pmd_devmap(path->pmd);
		snap->pfn = pmd_pfn(path->pmd);
	} else {
		snap->pfn = pud_pfn(path->pud);
	}
	snap->leaf = path->last;
	snap->contiguous_shift = gw_arch_contiguous_shift(path->last, value);
	snap->state = gw_arch_protnone(value) ? GW_PROTNONE : GW_PRESENT;
}

static noinline void classify_absent(const struct gw_walk *w, struct gw_snapshot *snap)
{
	bool hugetlb = w->vma && is_vm_hugetlb_page(w->vma);
	const struct gw_path *path = w->path;
	struct gw_softleaf soft;
	pte_t pte = path->pte;

	/*
	 * hugetlb keeps the format of a pte on every level (huge_ptep_get()), and where the
	 * kernel has no huge pages of the page cache on a level, its pXd_present() does not know
	 * PROT_NONE there (x86: pud_present()).
	 */
	if (hugetlb && path->last != GW_PTE) {
		pte = __pte(value_of_last(path));
		if (pte_present(pte)) {
			snap->leaf = path->last;
			snap->state = GW_PROTNONE;
			snap->pfn = pte_pfn(pte);
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
	} else {
		snap->pfn = soft.offset;
	}
}

/* How many pages, less one, the last entry covers. */
static u64 pages_mask(const struct gw_snapshot *snap)
{
	return (1ULL << (snap->shift - PAGE_SHIFT)) - 1;
}

/* The first page that the entry maps. */
static struct page *first_page(const struct gw_snapshot *snap)
{
	return pfn_to_page(snap->pfn & ~pages_mask(snap));
}

/* What is no page that a pte maps: that is for classify_pte(). */
static noinline void classify_other(struct gw_walk *w, struct gw_snapshot *snap)
{
	const struct gw_path *path = w->path;

	*snap = (struct gw_snapshot){
		.way = path,
		.nr_levels = path->last + 1,
		.shift = gw_level_shift(path->last),
		.leaf = GW_NR_LEVELS,
		.stable = path != w->last,
	};
	if (path->last == GW_PTE) {
		snap->ptep = path->ptep;
		snap->pte = pte_val(path->pte);
	}
	switch (path->end) {
	case GW_END_EMPTY:
		snap->state = GW_NONE;
		break;
	case GW_END_LEAF:
		classify_huge(path, snap);
		break;
	case GW_END_ABSENT:
		classify_absent(w, snap);
		break;
	case GW_END_BAD:
		snap->state = GW_BAD;
		break;
	}
	w->plain = false;
}

/* The same as of the one before, but for the page. */
static __always_inline void make_like(const struct gw_snapshot *like, struct gw_snapshot *snap)
{
	memcpy(snap, like, offsetof(struct gw_snapshot, page));
	memset(&snap->page, 0, sizeof(snap->page));
}

/* It often says the same as the one before, of another page. */
static __always_inline void read_pte(struct gw_walk *w, unsigned long addr, pte_t *ptep,
				     struct gw_snapshot *snap)
{
	pte_t pte = READ_ONCE(*ptep);

	if (w->like && !((pte_val(pte) ^ w->like->pte) & gw_arch_attributes)) {
		make_like(w->like, snap);
		snap->ptep = ptep;
		snap->pte = pte_val(pte);
		snap->pfn = pte_pfn(pte);
		return;
	}
	w->addr = addr;
	gw_path_end_at_pte(w->path, ptep, pte);
	if (w->path->end == GW_END_LEAF) {
		classify_pte(w, snap);
		w->like = snap;
	} else {
		classify_other(w, snap);
		w->like = NULL;
	}
}

/* Which of the pages that the entry covers is it? */
static void note_place(struct gw_snapshot *snap, unsigned long addr)
{
	if (gw_snapshot_has_pfn(snap))
		snap->pfn = (snap->pfn & ~pages_mask(snap)) +
			    (addr >> PAGE_SHIFT & pages_mask(snap));
}

/* Several pages may have it in common. */
static noinline void read_other(struct gw_walk *w, unsigned long addr, struct gw_snapshot *snap)
{
	if (w->like)
		make_like(w->like, snap);
	else
		classify_other(w, snap);
	w->like = snap;
	note_place(snap, addr);
}

/*
 * Memory of a device, with struct pages, that a file of a file system with DAX is mapped from. A
 * driver that goes takes them with it, whoever maps them; it waits for the reference on all of them
 * only, as get_user_pages() takes it (mm/gup.c up to v6.12).
 */
static bool read_fsdax_page(const struct gw_walk *w, struct gw_snapshot *snap)
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

/*
 * pfn_to_online_page(), which need not be asked about the neighbours of a page that is mapped here:
 * memory of devices comes and goes in whole subsections, other memory in whole sections, and not
 * while it is mapped.
 */
static struct page *online_page(struct gw_walk *w, u64 pfn)
{
	u64 subsection = pfn >> PFN_SUBSECTION_SHIFT;
	struct page *page;

	if (subsection == w->online)
		return pfn_to_page(pfn);
	page = pfn_to_online_page(pfn);
	w->online = page ? subsection : ~0ULL;
	return page;
}

static struct page *normal_page(struct gw_walk *w, const struct gw_snapshot *snap, bool zero)
{
	if (snap->special && !zero && !may_be_huge_zero(snap, w->vma))
		return NULL;
	/* Huge leaves have no bit that says so before v6.12. */
	if (snap->leaf < GW_PTE && w->vma->vm_flags & VM_PFNMAP)
		return NULL;
	return online_page(w, snap->pfn);
}

/* Of an entry that is not @plain. */
static noinline void read_odd_page(struct gw_walk *w, struct gw_snapshot *snap)
{
	bool zero = snap->leaf == GW_PTE && is_zero_pfn(snap->pfn);
	struct page *page;

	if (!gw_snapshot_maps_page(snap))
		return;
	if (vma_is_fsdax(w->vma) && read_fsdax_page(w, snap))
		return;
	page = normal_page(w, snap, zero);
	if (!page)
		return;
	/*
	 * No module can ask which page is the huge zero page. Nothing else is mapped by a pmd of
	 * an anonymous VMA, or a hole of a file with DAX, and yet neither anonymous nor part of a
	 * mapping.
	 */
	if (may_be_huge_zero(snap, w->vma) && !gw_page_has_mapping(page))
		zero = true;
	gw_page_read(page, first_page(snap), zero, &snap->page);
}

/*
 * Read the facts of the mapped page, if it is one that the kernel treats as an ordinary page
 * here. Mirrors vm_normal_page() and vm_normal_page_pmd() (mm/memory.c), and shows the zero
 * pages and those of files with DAX, which these hide (the latter on v6.12 and older), as well.
 */
static __always_inline void read_page(struct gw_walk *w, struct gw_snapshot *snap)
{
	struct page *page;

	if (!w->plain) {
		read_odd_page(w, snap);
		return;
	}
	page = online_page(w, snap->pfn);
	if (page)
		gw_page_read(page, page, is_zero_pfn(snap->pfn), &snap->page);
}

/*
 * The lock of the entry where the path ends. As in __pte_offset_map_lock(): RCU keeps a PTE table,
 * and with it its lock, from the moment that the entry above it was seen to point there.
 */
static spinlock_t *lock_of_last(struct vm_area_struct *vma, struct gw_path *path)
{
	spinlock_t *lock = gw_path_lock(vma->vm_mm, path, path->last);

	return is_vm_hugetlb_page(vma) ? gw_hugetlb_lock(vma, lock) : lock;
}

/* Snapshots have the way: it keeps its place, but if that is the last. */
static void keep_way(struct gw_walk *w)
{
	if (w->taken && w->path == w->next && w->next != w->last)
		w->next++;
}

/* Another way down, from the top; or the last one, if it turns out to be that. */
static noinline void descend(struct gw_walk *w, struct mm_struct *mm, struct vm_area_struct *vma,
			     unsigned long addr)
{
	struct gw_path *path;
	bool same;

	if (w->path)
		keep_way(w);
	path = w->next;
	gw_descend(mm, addr, path);
	same = w->path && w->path != path && gw_path_same_way(w->path, path);
	if (same) {
		w->path->ptep = path->ptep;
	} else {
		w->path = path;
		w->taken = false;
	}
	/* What was read for another one may mean something else here. */
	if (!same || vma != w->vma)
		w->like = NULL;
	w->vma = vma;
	w->addr = addr;
	w->lock = vma ? lock_of_last(vma, w->path) : NULL;
	w->online = ~0ULL;
}

/*
 * Is the last way down that of @addr as well? The tables above the PTE table are where they were,
 * as the mmap lock was held all the time; but what hugetlb shares, whose VMAs are not noted.
 */
static __always_inline bool same_way_down(const struct gw_walk *w, struct vm_area_struct *vma,
					  unsigned long addr)
{
	return w->path && vma == w->vma && !((addr ^ w->addr) >> PMD_SHIFT) &&
	       gw_path_same_end(w->path);
}

static __always_inline void go_down(struct gw_walk *w, struct vm_area_struct *vma,
				    unsigned long addr)
{
	if (!same_way_down(w, vma, addr)) {
		descend(w, vma->vm_mm, vma, addr);
		return;
	}
	/* The page may be a table anew, with another lock where that is not in its struct page. */
	if (ALLOC_SPLIT_PTLOCKS && w->path->last == GW_PTE)
		w->lock = lock_of_last(vma, w->path);
	if (addr != w->addr) {
		w->addr = addr;
		if (w->path->last == GW_PTE)
			w->path->ptep = pte_offset_kernel(&w->path->pmd, addr);
	}
}

/*
 * Of how many pages from that of @addr on, of at most @nr, may snapshots be taken together: in the
 * VMA, with the last entry at the end of the path, and not too many for a lock.
 */
static noinline unsigned long pages_together(const struct gw_path *path,
					     const struct vm_area_struct *vma, unsigned long addr,
					     unsigned long nr)
{
	unsigned int shift = gw_level_shift(min_t(int, path->last, GW_PMD));
	unsigned long last = min(vma->vm_end - 1, addr | ((1UL << shift) - 1));

	return min3(nr, (last >> PAGE_SHIFT) - (addr >> PAGE_SHIFT) + 1, GW_WALK_CHUNK);
}

/*
 * A snapshot that cannot be trusted. What is in the last place for ways is of this one, or of
 * another like it.
 */
static noinline void make_unstable(struct gw_walk *w, unsigned long addr, struct gw_snapshot *snap)
{
	w->like = NULL;
	if (w->path->last == GW_PTE)
		read_pte(w, addr, w->path->ptep, snap);
	else
		read_other(w, addr, snap);
	snap->offset = offset_in_page(addr);
	if (w->path != w->last)
		gw_path_copy(w->last, w->path);
	snap->way = w->last;
	snap->stable = false;
	keep_way(w);
	w->path = NULL;
}

/* The pte at @ptep, or what the path ends with above it. */
static __always_inline void take_one(struct gw_walk *w, unsigned long addr, pte_t *ptep,
				     struct gw_snapshot *snap)
{
	if (ptep)
		read_pte(w, addr, ptep, snap);
	else
		read_other(w, addr, snap);
	snap->offset = offset_in_page(addr);
	read_page(w, snap);
}

static noinline void take_next(struct gw_walk *w, unsigned long addr, pte_t *ptep,
			       unsigned int nr, struct gw_snapshot *snaps)
{
	addr &= PAGE_MASK;
	while (nr--) {
		addr += PAGE_SIZE;
		take_one(w, addr, ptep ? ++ptep : NULL, ++snaps);
	}
}

/*
 * Looks at entries under their lock, at an empty one as well: who changes an entry under the lock
 * clears it first and writes the new one later (ptep_clear_flush() and set_pte_at(): copy-on-write,
 * migration, mprotect). A pte is read here; all above it must be what the way down has read.
 *
 * Returns false if it is not.
 */
static __always_inline bool take(struct gw_walk *w, unsigned long addr, unsigned int nr,
				 struct gw_snapshot *snaps)
{
	pte_t *ptep = w->path->last == GW_PTE ? w->path->ptep : NULL;

	if (!gw_path_same_end(w->path))
		return false;
	if (!ptep)
		w->like = NULL;
	take_one(w, addr, ptep, snaps);
	if (nr > 1)
		take_next(w, addr, ptep, nr - 1, snaps);
	w->taken = true;
	return true;
}

/* Returns how many pages a snapshot was taken of; 0: of one, but it cannot be trusted. */
static noinline unsigned int walk_try(struct gw_walk *w, struct vm_area_struct *vma,
				      unsigned long addr, unsigned long nr,
				      struct gw_snapshot *snaps)
{
	rcu_read_lock();
	go_down(w, vma, addr);
	if (nr > 1)
		nr = pages_together(w->path, vma, addr, nr);
	spin_lock(w->lock);
	if (!take(w, addr, nr, snaps))
		nr = 0;
	spin_unlock(w->lock);
	if (!nr)
		make_unstable(w, addr, snaps);
	rcu_read_unlock();
	return nr;
}

/* After a first try that failed. */
static noinline unsigned int walk_again(struct gw_walk *w, struct vm_area_struct *vma,
					unsigned long addr, unsigned long nr,
					struct gw_snapshot *snaps)
{
	unsigned int tries = 0, taken, i;

	do
		taken = walk_try(w, vma, addr, nr, snaps);
	while (++tries < GW_WALK_RETRIES && !taken);
	taken = max(taken, 1U);
	for (i = 0; i < taken; i++)
		snaps[i].retries = tries;
	w->like = NULL;
	return taken;
}

/* Returns how many pages a snapshot was taken of: all at the end of one way, or some. */
static unsigned int walk_some(struct gw_walk *w, struct vm_area_struct *vma, unsigned long addr,
			      unsigned long nr, struct gw_snapshot *snaps)
{
	return walk_try(w, vma, addr, nr, snaps) ?: walk_again(w, vma, addr, nr, snaps);
}

static noinline unsigned int walk_hugetlb(struct gw_walk *w, struct vm_area_struct *vma,
					  unsigned long addr, unsigned long nr,
					  struct gw_snapshot *snaps)
{
	unsigned int taken;

	w->vma = NULL;
	i_mmap_lock_read(vma->vm_file->f_mapping);
	taken = walk_some(w, vma, addr, nr, snaps);
	i_mmap_unlock_read(vma->vm_file->f_mapping);
	return taken;
}

unsigned int gw_walk_used(const struct gw_walk *walk)
{
	bool one_more = walk->path && walk->taken && walk->path == walk->next &&
			walk->next != walk->last;

	return walk->next - walk->ways + one_more;
}

/* A snapshot of no entry. */
static void read_nothing(struct gw_snapshot *snap, enum gw_state state)
{
	*snap = (struct gw_snapshot){
		.state = state, .leaf = GW_NR_LEVELS, .stable = state == GW_NOVMA,
	};
}

/* Returns how many pages a snapshot was taken of. */
static unsigned int walk_vma(struct gw_walk *w, struct vm_area_struct *vma, unsigned long addr,
			     unsigned long nr, struct gw_snapshot *snaps)
{
	if (!vma) {
		read_nothing(snaps, GW_NOVMA);
		return 1;
	}
	if (is_vm_hugetlb_page(vma))
		return walk_hugetlb(w, vma, addr, nr, snaps);
	return walk_some(w, vma, addr, nr, snaps);
}

void gw_walk_range(struct gw_walk *walk, struct mm_struct *mm, struct vm_area_struct *vma,
		   unsigned long addr, unsigned long nr_pages, struct gw_snapshot *snaps)
{
	unsigned int nr;

	/* The mmap lock was given up meanwhile: tables may be gone. */
	if (!vma)
		walk->vma = NULL;
	for (;;) {
		/* the caller's may be a stack that is above it */
		if (!vma || addr < vma->vm_start || addr >= vma->vm_end)
			vma = gw_vma_lookup(mm, addr);
		nr = walk_vma(walk, vma, addr, nr_pages, snaps);
		nr_pages -= nr;
		if (!nr_pages)
			return;
		snaps += nr;
		addr = (addr & PAGE_MASK) + nr * PAGE_SIZE;
	}
}

void gw_walk_one(struct gw_walk *walk, struct vm_area_struct *vma, unsigned long addr,
		 struct gw_snapshot *snap)
{
	gw_walk_range(walk, vma->vm_mm, vma, addr, 1, snap);
}

void gw_glance_begin(struct gw_glance *glance, struct gw_walk *walk, struct mm_struct *mm)
{
	glance->walk = walk;
	glance->mm = mm;
	glance->locked = mmap_read_trylock(mm);
	/* The mmap lock was given up meanwhile: tables may be gone, and VMAs. */
	walk->vma = NULL;
	walk->like = NULL;
}

void gw_glance_end(struct gw_glance *glance)
{
	/*
	 * It may wake who waits to write, and so take locks of the scheduler: nobody holds those
	 * who calls a function that may sleep, as all are in which there are glances.
	 */
	if (glance->locked)
		mmap_read_unlock(glance->mm);
}

/* Is the last entry still what the way down has read? */
static bool is_same(const struct gw_path *path)
{
	return gw_path_same_end(path) &&
	       (path->last < GW_PTE || pte_val(READ_ONCE(*path->ptep)) == pte_val(path->pte));
}

/* The entries alone, without their lock. An empty one may be about to be written. */
static void take_entries(struct gw_walk *w, unsigned long addr, struct gw_snapshot *snap)
{
	struct gw_path *path = w->path;

	w->like = NULL;
	if (path->last == GW_PTE)
		read_pte(w, addr, path->ptep, snap);
	else
		read_other(w, addr, snap);
	w->like = NULL;
	snap->offset = offset_in_page(addr);
	if (!is_same(path)) {
		make_unstable(w, addr, snap);
		return;
	}
	w->taken = true;
	if (path->end == GW_END_EMPTY && path->last >= GW_PUD)
		snap->stable = false;
}

/*
 * Nobody keeps these tables but that interrupts are off: see gup_fast. What an entry means cannot
 * be told for sure where the VMA is not known: only a page that is mapped is certain.
 */
static void glance_at_own(struct gw_walk *w, unsigned long addr, struct gw_snapshot *snap)
{
	unsigned long flags;

	local_irq_save(flags);
	descend(w, current->mm, NULL, addr);
	take_entries(w, addr, snap);
	local_irq_restore(flags);
	if (snap->leaf == GW_NR_LEVELS)
		snap->stable = false;
}

/* So often a glance asks for the lock of a table. */
#define GLANCE_TRIES 256

static void glance_at_vma(struct gw_walk *w, struct vm_area_struct *vma, unsigned long addr,
			  struct gw_snapshot *snap)
{
	unsigned int tries;

	rcu_read_lock();
	go_down(w, vma, addr);
	/*
	 * It is held for moments only, so it may be free before long; but it may be held by the
	 * very call that returns (follow_pfnmap_start()).
	 */
	for (tries = 0; tries < GLANCE_TRIES; tries++) {
		if (spin_trylock(w->lock)) {
			if (!take(w, addr, 1, snap))
				make_unstable(w, addr, snap);
			spin_unlock(w->lock);
			break;
		}
		cpu_relax();
	}
	if (tries == GLANCE_TRIES)
		take_entries(w, addr, snap);
	rcu_read_unlock();
}

void gw_glance_at(const struct gw_glance *glance, unsigned long addr, struct gw_snapshot *snap)
{
	bool own = glance->mm == current->mm, hugetlb;
	struct vm_area_struct *vma;

	if (addr >= (glance->mm->task_size ?: TASK_SIZE)) {
		read_nothing(snap, GW_NOVMA);
		return;
	}
	if (!glance->locked) {
		if (own)
			glance_at_own(glance->walk, addr, snap);
		else
			read_nothing(snap, GW_UNREAD);
		return;
	}
	vma = gw_vma_lookup(glance->mm, addr);
	if (!vma) {
		read_nothing(snap, GW_NOVMA);
		return;
	}
	hugetlb = is_vm_hugetlb_page(vma);
	/* as walk_hugetlb() takes it */
	if (hugetlb && !down_read_trylock(&vma->vm_file->f_mapping->i_mmap_rwsem)) {
		read_nothing(snap, GW_UNREAD);
		return;
	}
	if (hugetlb)
		glance->walk->vma = NULL;
	glance_at_vma(glance->walk, vma, addr, snap);
	if (hugetlb)
		i_mmap_unlock_read(vma->vm_file->f_mapping);
}
