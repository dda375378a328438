/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came of a call, into its record: the same of those that we make and of those that we watch.
 * Inline, as it is a part of what a request costs.
 */
#ifndef _GUPWALK_OUTCOME_H
#define _GUPWALK_OUTCOME_H

#include <linux/hugetlb.h>
#include <linux/mm.h>

#include "compat.h"
#include "record.h"
#include "rules.h"
#include "vma.h"

/**
 * gw_outcome_name_pages() - get the results ready: the address of each
 * @record: the record; its address, and how many it has room for, are known
 */
static inline void gw_outcome_name_pages(struct gw_record *record)
{
	unsigned long addr = record->addr;
	unsigned int i;

	for (i = 0; i < record->nr; i++)
		record->results[i] = (struct gw_page_result){
			.addr = i ? (addr & PAGE_MASK) + i * PAGE_SIZE : addr,
		};
}

/**
 * gw_outcome_note() - note what a call returned
 * @record: the record; its @ret is what was returned
 * @fault: what was returned by an op that returns VM_FAULT_* bits
 * @pages: pages that were obtained, if the op obtains some; may be NULL
 *
 * Return: how many pages were obtained.
 */
static inline unsigned long gw_outcome_note(struct gw_record *record, vm_fault_t fault,
					    struct page **pages)
{
	unsigned long obtained = 0, i;

	if (record->op->returns_fault) {
		record->fault = fault;
		if (record->fault & VM_FAULT_ERROR)
			record->error = -vm_fault_to_errno(record->fault, FOLL_HWPOISON);
	} else if (record->ret < 0) {
		record->error = -record->ret;
	} else if (record->op->release) {
		obtained = record->ret;
	}
	if (!pages)
		return obtained;
	for (i = 0; i < obtained && i < record->nr; i++) {
		if (!gw_gup_gave(pages[i]))
			continue;
		record->results[i].has_pfn = true;
		record->results[i].pfn = page_to_pfn(pages[i]);
	}
	return obtained;
}

/**
 * gw_outcome_fell_short() - did a call fail, or do less than it was asked for
 * @record: the record
 * @length: bytes that were to be copied, by an op that copies
 *
 * Return: true if so.
 */
static inline bool gw_outcome_fell_short(const struct gw_record *record, long length)
{
	if (record->error)
		return true;
	if (record->op->copies)
		return record->ret < length;
	return record->op->release && record->ret < (long)record->nr_pages;
}

/**
 * gw_outcome_explain() - find the rule by which a call fell short
 * @record: the record, of a call that did; its snapshots before the call are taken
 * @mm: whose memory
 *
 * What is beyond the pages that were looked at stays unexplained.
 *
 * Context: mmap lock of @mm held for read or write.
 */
static inline void gw_outcome_explain(struct gw_record *record, struct mm_struct *mm)
{
	unsigned long stopped = record->error || record->op->copies ? 0 : record->ret;
	struct gw_case c = {
		.op = record->op,
		.flags = record->flags,
		.error = record->error,
		.foreign = record->op->remote || mm != current->mm,
	};

	if (stopped >= record->nr || record->before[stopped].state == GW_UNREAD)
		return;
	c.addr = record->results[stopped].addr;
	c.vma = gw_vma_lookup(mm, c.addr);
	c.before = &record->before[stopped];
	record->reason = gw_rule_find(&c);
}

#endif /* _GUPWALK_OUTCOME_H */
