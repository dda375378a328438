/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call did to a mapping, told from the snapshots before and after it.
 */
#ifndef _GUPWALK_CAUSE_H
#define _GUPWALK_CAUSE_H

#include "names.h"
#include "snapshot.h"

/* The tokens are in gw_cause_names, in this order, their meaning in debugfs-layout.md. */
enum gw_cause {
	GW_CAUSE_UNCHANGED,
	GW_CAUSE_TABLE_ALLOCATED,
	GW_CAUSE_TABLE_FREED,
	GW_CAUSE_ZERO_MAPPED,
	GW_CAUSE_ANON_ALLOCATED,
	GW_CAUSE_FILE_MAPPED,
	GW_CAUSE_PFN_MAPPED,
	GW_CAUSE_THP_MAPPED,
	GW_CAUSE_HUGETLB_MAPPED,
	GW_CAUSE_COW,
	GW_CAUSE_UNSHARE,
	GW_CAUSE_SWAP_IN,
	GW_CAUSE_THP_SPLIT,
	GW_CAUSE_MIGRATED,
	GW_CAUSE_PROTNONE_RESTORED,
	GW_CAUSE_FLAGS_ONLY,
	GW_CAUSE_UNMAPPED,
	GW_CAUSE_REPLACED,
	GW_CAUSE_UNSTABLE,
	GW_NR_CAUSES
};

extern const struct gw_name gw_cause_names[GW_NR_CAUSES + 1];

/**
 * gw_cause() - what a call did to the mapping of an address
 * @before: snapshot before the call
 * @after: snapshot after the call
 * @flags: GW_FLAG_* of the call
 *
 * Return: the cause; GW_CAUSE_UNSTABLE if a snapshot cannot be trusted.
 */
enum gw_cause gw_cause(const struct gw_snapshot *before, const struct gw_snapshot *after,
		       u32 flags);

#endif /* _GUPWALK_CAUSE_H */
