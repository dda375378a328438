// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from a snapshot. It is worked out when somebody asks: a walk only reads.
 */
#include <linux/io.h>
#include <linux/string.h>

#include "arch.h"
#include "descent.h"
#include "snapshot.h"

void gw_snapshot_entries(const struct gw_snapshot *snap, struct gw_entry entries[GW_NR_LEVELS])
{
	/* What is in the last place for ways may be shorter than the way that the snapshot had. */
	memset(entries, 0, GW_NR_LEVELS * sizeof(*entries));
	if (!snap->nr_levels)
		return;
	gw_path_levels(snap->way, GW_PMD, entries);
	if (snap->nr_levels > GW_PTE)
		entries[GW_PTE] = (struct gw_entry){ __pa(snap->ptep), snap->pte };
}

u8 gw_snapshot_rights(const struct gw_snapshot *snap)
{
	struct gw_entry entries[GW_NR_LEVELS], *leaf = &entries[snap->leaf], *entry;
	const struct gw_right_rule *rule;
	u64 all = ~0ULL, any = 0;
	u8 rights = 0;

	if (snap->state != GW_PRESENT)
		return 0;
	gw_snapshot_entries(snap, entries);
	for (entry = entries; entry < leaf; entry++) {
		/* the levels that are folded into the topmost repeat its entry */
		u64 ignored = entry->entry == entries->entry ? gw_arch_top_ignored() : 0;

		all &= entry->value | ignored;
		any |= entry->value & ~ignored;
	}
	for (rule = gw_arch_right_rules; rule->right; rule++)
		if ((leaf->value & rule->leaf_mask) == rule->leaf_value &&
		    !(rule->table_value & ~all) &&
		    !(rule->table_mask & ~rule->table_value & any))
			rights |= rule->right;
	return rights;
}
