// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>

#include "cause.h"
#include "compat.h"
#include "ops.h"

const struct gw_name gw_cause_names[GW_NR_CAUSES + 1] = {
	[GW_CAUSE_UNCHANGED] = { "unchanged", BIT(GW_CAUSE_UNCHANGED) },
	[GW_CAUSE_TABLE_ALLOCATED] = { "table-allocated", BIT(GW_CAUSE_TABLE_ALLOCATED) },
	[GW_CAUSE_TABLE_FREED] = { "table-freed", BIT(GW_CAUSE_TABLE_FREED) },
	[GW_CAUSE_ZERO_MAPPED] = { "zero-mapped", BIT(GW_CAUSE_ZERO_MAPPED) },
	[GW_CAUSE_ANON_ALLOCATED] = { "anon-allocated", BIT(GW_CAUSE_ANON_ALLOCATED) },
	[GW_CAUSE_FILE_MAPPED] = { "file-mapped", BIT(GW_CAUSE_FILE_MAPPED) },
	[GW_CAUSE_PFN_MAPPED] = { "pfn-mapped", BIT(GW_CAUSE_PFN_MAPPED) },
	[GW_CAUSE_THP_MAPPED] = { "thp-mapped", BIT(GW_CAUSE_THP_MAPPED) },
	[GW_CAUSE_HUGETLB_MAPPED] = { "hugetlb-mapped", BIT(GW_CAUSE_HUGETLB_MAPPED) },
	[GW_CAUSE_COW] = { "cow", BIT(GW_CAUSE_COW) },
	[GW_CAUSE_UNSHARE] = { "unshare", BIT(GW_CAUSE_UNSHARE) },
	[GW_CAUSE_SWAP_IN] = { "swap-in", BIT(GW_CAUSE_SWAP_IN) },
	[GW_CAUSE_THP_SPLIT] = { "thp-split", BIT(GW_CAUSE_THP_SPLIT) },
	[GW_CAUSE_MIGRATED] = { "migrated", BIT(GW_CAUSE_MIGRATED) },
	[GW_CAUSE_PROTNONE_RESTORED] = { "protnone-restored", BIT(GW_CAUSE_PROTNONE_RESTORED) },
	[GW_CAUSE_FLAGS_ONLY] = { "flags-only", BIT(GW_CAUSE_FLAGS_ONLY) },
	[GW_CAUSE_UNMAPPED] = { "unmapped", BIT(GW_CAUSE_UNMAPPED) },
	[GW_CAUSE_REPLACED] = { "replaced", BIT(GW_CAUSE_REPLACED) },
	[GW_CAUSE_UNSTABLE] = { "unstable", BIT(GW_CAUSE_UNSTABLE) },
};

static bool same_entries(const struct gw_snapshot *a, const struct gw_snapshot *b)
{
	/* Ways are written down once. */
	return a->nr_levels == b->nr_levels && a->way == b->way &&
	       a->ptep == b->ptep && a->pte == b->pte;
}

/* What came to be mapped where nothing was. */
static enum gw_cause mapped(const struct gw_snapshot *after)
{
	if (!after->page.valid)
		return GW_CAUSE_PFN_MAPPED;
	if (after->page.zero)
		return GW_CAUSE_ZERO_MAPPED;
	if (after->page.hugetlb)
		return GW_CAUSE_HUGETLB_MAPPED;
	if (after->leaf < GW_PTE)
		return GW_CAUSE_THP_MAPPED;
	return after->page.anon ? GW_CAUSE_ANON_ALLOCATED : GW_CAUSE_FILE_MAPPED;
}

static enum gw_cause still_unmapped(const struct gw_snapshot *before,
				    const struct gw_snapshot *after)
{
	if (before->state != after->state)
		return GW_CAUSE_UNMAPPED;
	if (after->nr_levels > before->nr_levels)
		return GW_CAUSE_TABLE_ALLOCATED;
	if (after->nr_levels < before->nr_levels)
		return GW_CAUSE_TABLE_FREED;
	return same_entries(before, after) ? GW_CAUSE_UNCHANGED : GW_CAUSE_FLAGS_ONLY;
}

static enum gw_cause same_page(const struct gw_snapshot *before, const struct gw_snapshot *after,
			       u32 flags)
{
	if (before->state == GW_PROTNONE && after->state == GW_PRESENT)
		return GW_CAUSE_PROTNONE_RESTORED;
	if (before->leaf < after->leaf)
		return GW_CAUSE_THP_SPLIT;
	if (before->leaf > after->leaf)
		return GW_CAUSE_THP_MAPPED;
	/* The page was made ours alone without being copied, as nobody else had it any more. */
	if (!(flags & GW_FLAG_WRITE) && before->page.valid && after->page.valid &&
	    !before->page.anon_exclusive && after->page.anon_exclusive)
		return GW_CAUSE_UNSHARE;
	return same_entries(before, after) ? GW_CAUSE_UNCHANGED : GW_CAUSE_FLAGS_ONLY;
}

/*
 * A NUMA hint brings a page to the node of who asks for it (numa_migrate_prep(), mm/memory.c). What
 * others map, or is written to, may have been copied instead.
 */
static bool brought_by_hint(const struct gw_snapshot *before, const struct gw_snapshot *after,
			    u32 flags)
{
	const struct gw_page *old = &before->page, *new = &after->page;

	return before->state == GW_PROTNONE && after->state == GW_PRESENT &&
	       !(flags & GW_FLAG_WRITE) && old->nid != new->nid && !old->ksm && !old->zero &&
	       (!old->anon || old->mapcount <= 1);
}

static enum gw_cause other_page(const struct gw_snapshot *before, const struct gw_snapshot *after,
				u32 flags)
{
	const struct gw_page *old = &before->page, *new = &after->page;
	enum gw_cause copied = flags & GW_FLAG_WRITE ? GW_CAUSE_COW : GW_CAUSE_UNSHARE;

	if (!old->valid || !new->valid)
		return GW_CAUSE_REPLACED;
	/* A page of zeros or of a file became a private one. */
	if (new->anon && (old->zero || !old->anon))
		return copied;
	if (old->anon != new->anon)
		return GW_CAUSE_REPLACED;
	if (brought_by_hint(before, after, flags))
		return GW_CAUSE_MIGRATED;
	if (old->ksm && !new->ksm)
		return copied;
	/* What others have as well is copied; only then does FOLL_LONGTERM move the copy. */
	if (new->anon && !old->anon_exclusive && old->mapcount > 1)
		return copied;
	/* FOLL_LONGTERM moves a page out of memory that must stay movable. */
	if (flags & GW_FLAG_LONGTERM &&
	    (old->zone != new->zone || gw_page_in_cma(old) || !old->anon))
		return GW_CAUSE_MIGRATED;
	/* A page of ours alone needs no copy; a kernel that does not keep that unshares nothing. */
	if (old->anon_exclusive ||
	    (!GW_HAVE_ANON_EXCLUSIVE && !(flags & GW_FLAG_WRITE) && old->mapcount <= 1))
		return GW_CAUSE_MIGRATED;
	return new->anon ? copied : GW_CAUSE_REPLACED;
}

enum gw_cause gw_cause(const struct gw_snapshot *before, const struct gw_snapshot *after,
		       u32 flags)
{
	if (!before->stable || !after->stable)
		return GW_CAUSE_UNSTABLE;
	if (!gw_snapshot_maps_page(after))
		return gw_snapshot_maps_page(before) ? GW_CAUSE_UNMAPPED :
						       still_unmapped(before, after);
	if (before->state == GW_SWAP)
		return GW_CAUSE_SWAP_IN;
	if (before->state == GW_MIGRATION)
		return GW_CAUSE_MIGRATED;
	if (!gw_snapshot_maps_page(before))
		return mapped(after);
	if (before->pfn == after->pfn)
		return same_page(before, after, flags);
	return other_page(before, after, flags);
}
