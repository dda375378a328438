// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
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
MODULE_PARM_DESC(kept_pages_max, "most pages of all kept records together (65536: some 16 MiB)");

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

/*
 * The memory of a record that was given up, for the next one: with as many kept as may be, each
 * record comes as another goes, and to free and allocate would cost as much as the call does.
 */
static struct gw_record *spare;

/* More than that is not kept for what may never come. */
#define GW_SPARE_SIZE PAGE_SIZE

static void free_memory(struct gw_record *record)
{
	if (record && record->size <= GW_SPARE_SIZE)
		record = xchg(&spare, record);
	kvfree(record);
}

static struct gw_record *get_memory(size_t size)
{
	struct gw_record *record = NULL;

	if (size <= GW_SPARE_SIZE)
		record = xchg(&spare, NULL);
	if (record && record->size == size)
		return record;
	kvfree(record);
	/* All of that is written before it is read. */
	return kvmalloc(size, GFP_KERNEL_ACCOUNT);
}

static void record_destroy(struct gw_record *record)
{
	gw_vma_free(&record->vma);
	kfree(record->peek);
	free_memory(record);
}

/* What is of pages is in the same memory, behind the record. */
struct gw_record *gw_record_create(unsigned int nr, unsigned int nr_ways, bool after)
{
	size_t ways = nr_ways * sizeof(struct gw_path);
	size_t snapshots = nr * sizeof(struct gw_snapshot);
	size_t results = nr * sizeof(struct gw_page_result);
	size_t of_call = after ? snapshots + nr * sizeof(struct page *) : 0;
	size_t size = sizeof(struct gw_record) + ways + results + snapshots + of_call;
	struct gw_record *record = get_memory(size);

	if (!record)
		return NULL;
	*record = (struct gw_record){
		.kref = KREF_INIT(1),
		.size = size,
		.nr = nr,
		.nr_ways = nr_ways,
		.ways = (void *)(record + 1),
	};
	record->results = (void *)record->ways + ways;
	record->before = (void *)record->results + results;
	if (after) {
		record->after = record->before + nr;
		record->pages = (void *)(record->after + nr);
	}
	INIT_LIST_HEAD(&record->node);
	return record;
}

/* Copies snapshots, and the ways that they have, into the memory of another record. */
static void copy_snapshots(const struct gw_record *from, struct gw_record *to)
{
	unsigned int i, way;

	for (i = 0; i < to->nr_ways - 1; i++)
		gw_path_copy(&to->ways[i], &from->ways[i]);
	gw_path_copy(&to->ways[i], &from->ways[from->nr_ways - 1]);
	for (i = 0; i < to->nr; i++) {
		to->before[i] = from->before[i];
		way = from->before[i].way - from->ways;
		to->before[i].way = &to->ways[min(way, to->nr_ways - 1)];
	}
}

struct gw_record *gw_record_trim(struct gw_record *record, unsigned int nr, unsigned int nr_ways)
{
	struct gw_record *small = NULL;

	if (nr < record->nr || nr_ways < record->nr_ways)
		small = gw_record_create(nr, nr_ways, false);
	record->nr = nr;
	/* Without memory it keeps more room than it needs. */
	if (!small)
		return record;
	copy_snapshots(record, small);
	memcpy(small->results, record->results, nr * sizeof(*small->results));
	record->size = small->size;
	record->nr_ways = small->nr_ways;
	record->ways = small->ways;
	record->before = small->before;
	record->results = small->results;
	*small = *record;
	INIT_LIST_HEAD(&small->node);
	kvfree(record);
	return small;
}

enum gw_cause gw_record_cause(const struct gw_record *record, unsigned int i)
{
	u32 flags = record->flags;

	/* it pins for good without a flag for that */
	if (record->op->family == GW_FAMILY_MEMFD)
		flags |= GW_FLAG_LONGTERM;
	return gw_cause(&record->before[i], &record->after[i], flags);
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

/* Is there no room for another record of @nr pages? */
static bool no_room(unsigned int nr)
{
	return records_kept >= effective_records_max() ||
	       (records_kept && kept_pages + nr > kept_pages_max);
}

/* Drops the oldest records until there is room for another one. The caller holds records_lock. */
static void make_room(unsigned int nr)
{
	while (no_room(nr)) {
		struct gw_record *oldest = list_first_entry(&records, struct gw_record, node);

		list_del_init(&oldest->node);
		records_kept--;
		records_dropped++;
		kept_pages -= oldest->nr;
		gw_record_put(oldest);
	}
}

void gw_records_add(struct gw_record *record, bool keep, u64 start_ns)
{
	mutex_lock(&records_lock);
	/* Under the lock, so that the records stand in the order of their numbers. */
	record->seq = ++last_seq;
	if (keep) {
		make_room(record->nr);
		gw_record_get(record);
		list_add_tail(&record->node, &records);
		records_kept++;
		kept_pages += record->nr;
	}
	record->total_ns = ktime_get_ns() - start_ns;
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
	kvfree(xchg(&spare, NULL));
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
