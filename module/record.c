// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "record.h"

/*
 * Upper bounds of the parameters: what they let a request allocate stays in the tens of
 * megabytes.
 */
#define GW_RECORDS_LIMIT 4096u
#define GW_PAGES_LIMIT 4096u

static unsigned int records_max = 256;
module_param(records_max, uint, 0444);
MODULE_PARM_DESC(records_max, "most records kept (256; at most 4096)");

static unsigned int pages_max = 512;
module_param(pages_max, uint, 0444);
MODULE_PARM_DESC(pages_max, "most pages of one request (512; at most 4096)");

static unsigned int kept_pages_max = 65536;
module_param(kept_pages_max, uint, 0444);
MODULE_PARM_DESC(kept_pages_max, "most pages of all kept records together (65536: some 32 MiB)");

static unsigned int pins_max = 65536;
module_param(pins_max, uint, 0444);
MODULE_PARM_DESC(pins_max, "most pages held by all descriptors together (65536)");

static DEFINE_MUTEX(records_lock);
static LIST_HEAD(records);	/* oldest first */
static unsigned int records_kept;
static u64 kept_pages;
static u64 records_dropped;
static u64 last_seq;
static atomic_t pins_held;

static unsigned int effective_records_max(void)
{
	return clamp(records_max, 1u, GW_RECORDS_LIMIT);
}

unsigned int gw_pages_max(void)
{
	return clamp(pages_max, 1u, GW_PAGES_LIMIT);
}

static void record_destroy(struct gw_record *record)
{
	gw_vma_free(&record->vma);
	kfree(record->peek);
	kvfree(record->before);
	kvfree(record->after);
	kvfree(record->results);
	kfree(record);
}

struct gw_record *gw_record_create(unsigned int nr, bool after)
{
	struct gw_record *record = kzalloc(sizeof(*record), GFP_KERNEL_ACCOUNT);

	if (!record)
		return NULL;
	kref_init(&record->kref);
	INIT_LIST_HEAD(&record->node);
	record->nr = nr;
	record->before = kvcalloc(nr, sizeof(*record->before), GFP_KERNEL_ACCOUNT);
	record->results = kvcalloc(nr, sizeof(*record->results), GFP_KERNEL_ACCOUNT);
	if (after)
		record->after = kvcalloc(nr, sizeof(*record->after), GFP_KERNEL_ACCOUNT);
	if (!record->before || !record->results || (after && !record->after)) {
		record_destroy(record);
		return NULL;
	}
	return record;
}

void gw_record_trim(struct gw_record *record, unsigned int nr)
{
	struct gw_snapshot *before;
	struct gw_page_result *results;

	record->nr = nr;
	before = kvcalloc(nr, sizeof(*before), GFP_KERNEL_ACCOUNT);
	results = kvcalloc(nr, sizeof(*results), GFP_KERNEL_ACCOUNT);
	if (!before || !results) {
		/* Then it keeps more room than it needs. */
		kvfree(before);
		kvfree(results);
		return;
	}
	memcpy(before, record->before, nr * sizeof(*before));
	memcpy(results, record->results, nr * sizeof(*results));
	swap(before, record->before);
	swap(results, record->results);
	kvfree(before);
	kvfree(results);
}

static void record_release(struct kref *kref)
{
	record_destroy(container_of(kref, struct gw_record, kref));
}

void gw_record_get(struct gw_record *record)
{
	kref_get(&record->kref);
}

void gw_record_put(struct gw_record *record)
{
	if (record)
		kref_put(&record->kref, record_release);
}

/*
 * Takes the oldest record off the list. The caller holds records_lock and drops the reference
 * after giving it up.
 */
static struct gw_record *detach_oldest(void)
{
	struct gw_record *oldest = list_first_entry(&records, struct gw_record, node);

	list_del_init(&oldest->node);
	records_kept--;
	kept_pages -= oldest->nr;
	return oldest;
}

static bool too_many_kept(void)
{
	return records_kept > effective_records_max() ||
	       (records_kept > 1 && kept_pages > kept_pages_max);
}

void gw_records_add(struct gw_record *record, bool keep)
{
	struct gw_record *dropped;

	mutex_lock(&records_lock);
	/* Under the lock, so that the records stand in the order of their numbers. */
	record->seq = ++last_seq;
	if (keep) {
		gw_record_get(record);
		list_add_tail(&record->node, &records);
		records_kept++;
		kept_pages += record->nr;
	}
	while (too_many_kept()) {
		dropped = detach_oldest();
		records_dropped++;
		/* It may be large: not under the lock. */
		mutex_unlock(&records_lock);
		gw_record_put(dropped);
		mutex_lock(&records_lock);
	}
	mutex_unlock(&records_lock);
}

void gw_records_clear(void)
{
	struct gw_record *record, *next;
	LIST_HEAD(cleared);

	mutex_lock(&records_lock);
	list_splice_init(&records, &cleared);
	records_kept = 0;
	kept_pages = 0;
	mutex_unlock(&records_lock);
	list_for_each_entry_safe(record, next, &cleared, node) {
		list_del_init(&record->node);
		gw_record_put(record);
	}
}

struct gw_record_set *gw_record_set_create(unsigned int room)
{
	struct gw_record_set *set;

	set = kvmalloc(struct_size(set, records, room), GFP_KERNEL_ACCOUNT);
	if (set)
		set->nr = 0;
	return set;
}

void gw_record_set_add(struct gw_record_set *set, struct gw_record *record)
{
	gw_record_get(record);
	set->records[set->nr++] = record;
}

struct gw_record_set *gw_records_grab(void)
{
	struct gw_record_set *set = gw_record_set_create(effective_records_max());
	struct gw_record *record;

	if (!set)
		return NULL;
	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, node)
		gw_record_set_add(set, record);
	mutex_unlock(&records_lock);
	return set;
}

void gw_records_release(struct gw_record_set *set)
{
	unsigned int i;

	if (!set)
		return;
	for (i = 0; i < set->nr; i++)
		gw_record_put(set->records[i]);
	kvfree(set);
}

void gw_limits_read(struct gw_limits *limits)
{
	mutex_lock(&records_lock);
	limits->records_kept = records_kept;
	limits->records_dropped = records_dropped;
	limits->kept_pages = kept_pages;
	mutex_unlock(&records_lock);
	limits->records_max = effective_records_max();
	limits->pages_max = gw_pages_max();
	limits->kept_pages_max = kept_pages_max;
	limits->pins_max = pins_max;
	limits->pins_held = atomic_read(&pins_held);
}

bool gw_pins_reserve(unsigned int nr)
{
	int held = atomic_read(&pins_held);

	do {
		if (nr > pins_max || held > pins_max - nr)
			return false;
	} while (!atomic_try_cmpxchg(&pins_held, &held, held + nr));
	return true;
}

void gw_pins_unreserve(unsigned int nr)
{
	atomic_sub(nr, &pins_held);
}
