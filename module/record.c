// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

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

static DEFINE_SPINLOCK(records_lock);
/* A ring of as many places as records may be kept; the oldest is the first of those in use. */
static struct gw_record **records;
static unsigned int oldest;
static unsigned int records_kept;
static u64 kept_pages;
static u64 records_dropped;
static atomic64_t last_seq;
static atomic_t pins_held;

unsigned int gw_pages_max(void)
{
	return pages_max;
}

/*
 * A record that was given up, for the next one like it: with as many kept as may be, each record
 * comes as another goes, and to free and allocate would cost as much as the call does.
 */
static struct gw_record *spare;

/* More than that is not kept for what may never come. */
#define GW_SPARE_SIZE PAGE_SIZE

static void record_destroy(struct gw_record *record)
{
	gw_vma_free(&record->vma);
	kfree(record->peek);
	if (record->size <= GW_SPARE_SIZE)
		record = xchg(&spare, record);
	kvfree(record);
}

static struct gw_record *take_spare(unsigned int nr, unsigned int nr_ways, bool after)
{
	struct gw_record *record = xchg(&spare, NULL);

	if (record && record->nr == nr && record->nr_ways == nr_ways && !!record->after == after)
		return record;
	kvfree(record);
	return NULL;
}

/* What is of pages is in the same memory, behind the record. */
static noinline struct gw_record *allocate(unsigned int nr, unsigned int nr_ways, bool after)
{
	size_t ways = nr_ways * sizeof(struct gw_path);
	size_t snapshots = nr * sizeof(struct gw_snapshot);
	size_t results = nr * sizeof(struct gw_page_result);
	size_t of_call = after ? snapshots + nr * sizeof(struct page *) : 0;
	size_t size = sizeof(struct gw_record) + ways + results + snapshots + of_call;
	struct gw_record *record;

	/* All of that is written before it is read. */
	record = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!record)
		return NULL;
	record->size = size;
	record->nr = nr;
	record->nr_ways = nr_ways;
	record->ways = (void *)(record + 1);
	record->results = (void *)record->ways + ways;
	record->before = (void *)record->results + results;
	record->after = after ? record->before + nr : NULL;
	record->pages = after ? (void *)(record->after + nr) : NULL;
	return record;
}

struct gw_record *gw_record_create(unsigned int nr, unsigned int nr_ways, bool after)
{
	const size_t outcome = offsetof(struct gw_record, time_ns);
	const size_t end = offsetof(struct gw_record, vma);
	struct gw_record *record;

	record = take_spare(nr, nr_ways, after) ?: allocate(nr, nr_ways, after);
	if (!record)
		return NULL;
	memset((void *)record + outcome, 0, end - outcome);
	record->observed = NULL;
	record->vma.file = NULL;
	kref_init(&record->kref);
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
	kvfree(record);
	return small;
}

static bool is_unknown(const struct gw_snapshot *snap)
{
	return gw_snapshot_maps_page(snap) && !snap->page.valid && !snap->special;
}

enum gw_cause gw_record_cause(const struct gw_record *record, unsigned int i)
{
	const struct gw_snapshot *before = &record->before[i], *after = &record->after[i];
	u32 flags = record->flags;
	enum gw_cause cause;

	/* it pins for good without a flag for that */
	if (record->op->family == GW_FAMILY_MEMFD)
		flags |= GW_FLAG_LONGTERM;
	cause = gw_cause(before, after, flags);
	/* without a lock nothing is known of a page but its frame: whether it is one, or whose */
	if (record->observed && (cause == GW_CAUSE_REPLACED || cause == GW_CAUSE_PFN_MAPPED) &&
	    (is_unknown(before) || is_unknown(after)))
		return GW_CAUSE_UNSTABLE;
	return cause;
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

/* The place that is @i places after the oldest. */
static unsigned int place(unsigned int i)
{
	unsigned int at = oldest + i;

	return at < records_max ? at : at - records_max;
}

/*
 * Takes the oldest record off, and puts it before @gone. The caller holds records_lock, and drops
 * the references when it has given that up.
 */
static inline struct gw_record *take_oldest(struct gw_record *gone)
{
	struct gw_record *record = records[oldest];

	oldest = place(1);
	records_kept--;
	kept_pages -= record->nr;
	record->gone = gone;
	return record;
}

static void put_gone(struct gw_record *gone)
{
	while (gone) {
		struct gw_record *record = gone;

		gone = record->gone;
		gw_record_put(record);
	}
}

/* Is there no room for another record of @nr pages? */
static bool no_room(unsigned int nr)
{
	return records_kept >= records_max ||
	       (records_kept && kept_pages + nr > kept_pages_max);
}

u64 gw_record_number(void)
{
	return atomic64_inc_return(&last_seq);
}

void gw_records_add(struct gw_record *record, bool keep, u64 start_ns)
{
	struct gw_record *gone = NULL;

	spin_lock(&records_lock);
	/* Under the lock, so that the records stand in the order of their numbers. */
	record->seq = gw_record_number();
	if (keep) {
		while (no_room(record->nr)) {
			gone = take_oldest(gone);
			records_dropped++;
		}
		gw_record_get(record);
		records[place(records_kept++)] = record;
		kept_pages += record->nr;
	}
	record->total_ns = ktime_get_ns() - start_ns;
	spin_unlock(&records_lock);
	put_gone(gone);
}

void gw_records_clear(void)
{
	struct gw_record *gone = NULL;

	spin_lock(&records_lock);
	while (records_kept)
		gone = take_oldest(gone);
	spin_unlock(&records_lock);
	put_gone(gone);
	kvfree(xchg(&spare, NULL));
}

int gw_records_init(void)
{
	records_max = clamp(records_max, 1u, GW_RECORDS_LIMIT);
	pages_max = clamp(pages_max, 1u, GW_PAGES_LIMIT);
	records = kvcalloc(records_max, sizeof(*records), GFP_KERNEL);
	return records ? 0 : -ENOMEM;
}

void gw_records_exit(void)
{
	gw_records_clear();
	kvfree(records);
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
	struct gw_record_set *set = gw_record_set_create(records_max);
	unsigned int i;

	if (!set)
		return NULL;
	spin_lock(&records_lock);
	for (i = 0; i < records_kept; i++)
		gw_record_set_add(set, records[place(i)]);
	spin_unlock(&records_lock);
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
	spin_lock(&records_lock);
	limits->records_kept = records_kept;
	limits->records_dropped = records_dropped;
	limits->kept_pages = kept_pages;
	spin_unlock(&records_lock);
	limits->records_max = records_max;
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
