// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "ledger.h"

static unsigned int ledger_max = 32768;
module_param(ledger_max, uint, 0444);
MODULE_PARM_DESC(ledger_max, "most runs of pages that the ledger of pins knows (32768: some 6 MiB; at most 1048576)");

#define LEDGER_LIMIT 1048576U

/* Pages dealt with before others, and interrupts, have their turn. */
#define CHUNK 64

/* More pages of one call than these are not looked at. */
#define TAKE_MAX 65536UL

/* The lock is held, with interrupts off, while a bucket is looked through: no longer than this. */
#define SEARCH_MAX 256

/* Pins given back by mistake that are remembered with their stacks. */
#define WRONG_MAX 32

/**
 * struct taken - a call that took pages, as long as some are left
 * @node: place among the free ones, or among those of references, oldest first
 * @runs: its runs
 * @entry: what it was; @entry.nr is 0 of a free one
 */
struct taken {
	struct list_head node;
	struct list_head runs;
	struct gw_ledger_entry entry;
};

/**
 * struct run - neighbouring pages of one folio that one call took
 * @hash: place in the bucket of its folio; or among the free ones
 * @of_call: place among the runs of its call
 * @call: that
 * @head_pfn: first page frame of the folio
 * @facts: the run itself
 */
struct run {
	struct hlist_node hash;
	struct list_head of_call;
	struct taken *call;
	u64 head_pfn;
	struct gw_ledger_run facts;
};

/*
 * Everything is guarded by @lock, which handlers of probes take in any context but NMI: it is
 * raw, taken with interrupts off, held for CHUNK pages at most, and nothing else is taken under
 * it.
 */
struct gw_ledger {
	struct kref kref;
	raw_spinlock_t lock;
	struct taken *calls;
	unsigned int nr_calls;
	struct list_head free_calls;
	struct list_head gets;		/* calls that took references, oldest first */
	struct run *runs;
	struct hlist_head free_runs;
	struct hlist_head *buckets;
	unsigned int bucket_bits;
	struct gw_ledger_wrong wrongs[WRONG_MAX];
	struct gw_ledger_counts counts;
};

void gw_process_of(struct task_struct *task, struct gw_process *process)
{
	struct task_struct *leader = READ_ONCE(task->group_leader);

	process->tgid = task_tgid_nr(task);
	process->start_time = leader->start_time;
	process->exec_id = READ_ONCE(leader->self_exec_id);
}

static void destroy(struct kref *kref)
{
	struct gw_ledger *ledger = container_of(kref, struct gw_ledger, kref);

	kvfree(ledger->calls);
	kvfree(ledger->runs);
	kvfree(ledger->buckets);
	kvfree(ledger);
}

void gw_ledger_put(struct gw_ledger *ledger)
{
	if (ledger)
		kref_put(&ledger->kref, destroy);
}

struct gw_ledger *gw_ledger_create(void)
{
	unsigned int i, room = clamp(ledger_max, 64U, LEDGER_LIMIT);
	struct gw_ledger *ledger = kvzalloc(sizeof(*ledger), GFP_KERNEL_ACCOUNT);

	if (!ledger)
		return NULL;
	kref_init(&ledger->kref);
	raw_spin_lock_init(&ledger->lock);
	INIT_LIST_HEAD(&ledger->free_calls);
	INIT_LIST_HEAD(&ledger->gets);
	ledger->bucket_bits = ilog2(room);
	ledger->nr_calls = room / 4;
	ledger->counts.room = room;
	ledger->calls = kvcalloc(ledger->nr_calls, sizeof(*ledger->calls), GFP_KERNEL_ACCOUNT);
	ledger->runs = kvcalloc(room, sizeof(*ledger->runs), GFP_KERNEL_ACCOUNT);
	ledger->buckets = kvcalloc(1UL << ledger->bucket_bits, sizeof(*ledger->buckets),
				   GFP_KERNEL_ACCOUNT);
	if (!ledger->calls || !ledger->runs || !ledger->buckets) {
		gw_ledger_put(ledger);
		return NULL;
	}
	for (i = 0; i < ledger->nr_calls; i++) {
		INIT_LIST_HEAD(&ledger->calls[i].runs);
		list_add_tail(&ledger->calls[i].node, &ledger->free_calls);
	}
	for (i = 0; i < room; i++)
		hlist_add_head(&ledger->runs[i].hash, &ledger->free_runs);
	return ledger;
}

struct gw_ledger *gw_ledger_get(struct gw_ledger *ledger)
{
	kref_get(&ledger->kref);
	return ledger;
}

/*
 * References by themselves: they leave only when they are forgotten, and who gives back a pin shall
 * not have to look through them.
 */
static struct hlist_head *bucket_of(struct gw_ledger *ledger, u64 head_pfn, bool pins)
{
	return &ledger->buckets[hash_64(2 * head_pfn + pins, ledger->bucket_bits)];
}

static u64 head_pfn_of(struct page *page)
{
	return page_to_pfn(&page_folio(page)->page);
}

/* ---- under the lock ---- */

static void free_call(struct gw_ledger *ledger, struct taken *call)
{
	if (call->entry.op->pins)
		ledger->counts.calls--;
	list_del_init(&call->node);
	call->entry.nr = 0;
	list_add(&call->node, &ledger->free_calls);
}

static void free_run(struct gw_ledger *ledger, struct run *run)
{
	list_del(&run->of_call);
	hlist_del(&run->hash);
	hlist_add_head(&run->hash, &ledger->free_runs);
	ledger->counts.used--;
}

/* Some runs of a call, and the call with the last of them. Returns how many pins they had left. */
static unsigned long forget_some(struct gw_ledger *ledger, struct taken *call)
{
	unsigned long forgotten = 0;
	struct run *run, *next;
	unsigned int i = 0;

	list_for_each_entry_safe(run, next, &call->runs, of_call) {
		forgotten += run->facts.left;
		call->entry.left -= run->facts.left;
		free_run(ledger, run);
		if (++i == CHUNK)
			break;
	}
	if (list_empty(&call->runs))
		free_call(ledger, call);
	return forgotten;
}

/* Nobody tells when a reference is dropped: the oldest of them are the first to be forgotten. */
static bool forget_oldest_get(struct gw_ledger *ledger)
{
	struct taken *oldest = list_first_entry_or_null(&ledger->gets, struct taken, node);

	if (!oldest)
		return false;
	ledger->counts.forgotten += forget_some(ledger, oldest);
	return true;
}

static struct taken *new_call(struct gw_ledger *ledger, const struct gw_ledger_entry *entry)
{
	struct taken *call;

	if (list_empty(&ledger->free_calls) && !forget_oldest_get(ledger))
		return NULL;
	call = list_first_entry_or_null(&ledger->free_calls, struct taken, node);
	if (!call)
		return NULL;
	list_del_init(&call->node);
	call->entry = *entry;
	call->entry.nr = 0;
	call->entry.left = 0;
	if (entry->op->pins)
		ledger->counts.calls++;
	else
		list_add_tail(&call->node, &ledger->gets);
	return call;
}

static struct run *new_run(struct gw_ledger *ledger, struct taken *call)
{
	struct run *run;

	/* not its own call, which would go with its last run */
	if (hlist_empty(&ledger->free_runs) && ledger->gets.next != &call->node)
		forget_oldest_get(ledger);
	if (hlist_empty(&ledger->free_runs))
		return NULL;
	run = hlist_entry(ledger->free_runs.first, struct run, hash);
	hlist_del(&run->hash);
	ledger->counts.used++;
	return run;
}

static bool extends(const struct run *run, u64 head_pfn, u64 pfn, unsigned long addr)
{
	return run && run->head_pfn == head_pfn && run->facts.pfn + run->facts.nr == pfn &&
	       run->facts.addr + run->facts.nr * PAGE_SIZE == addr;
}

/* Notes one page. The last run of the call is extended where the page is the next of its folio. */
static struct run *take_page(struct gw_ledger *ledger, struct taken *call, struct run *last,
			     struct page *page, unsigned long addr)
{
	u64 pfn = page_to_pfn(page), head_pfn = head_pfn_of(page);

	if (!extends(last, head_pfn, pfn, addr)) {
		last = new_run(ledger, call);
		if (!last)
			return NULL;
		last->call = call;
		last->head_pfn = head_pfn;
		last->facts = (struct gw_ledger_run){ .addr = addr, .pfn = pfn };
		list_add_tail(&last->of_call, &call->runs);
		hlist_add_head(&last->hash, bucket_of(ledger, head_pfn, call->entry.op->pins));
	}
	last->facts.nr++;
	last->facts.left++;
	call->entry.nr++;
	call->entry.left++;
	if (call->entry.op->pins)
		ledger->counts.pins++;
	return last;
}

static void drop_pages(struct gw_ledger *ledger, struct run *run, unsigned long nr)
{
	struct taken *call = run->call;

	run->facts.left -= nr;
	call->entry.left -= nr;
	ledger->counts.pins -= nr;
	ledger->counts.released += nr;
	if (!run->facts.left)
		free_run(ledger, run);
	if (!call->entry.left)
		free_call(ledger, call);
}

static bool covers(const struct run *run, u64 pfn)
{
	return pfn - run->facts.pfn < run->facts.nr;
}

/*
 * The run that a pin is given back of. Where several calls have pinned the page it is a guess: the
 * process that gives back one of its own, or else the oldest, of so many as there is time for.
 * @pfn: the page, or with @any whichever of the folio
 */
static struct run *find_pin(struct gw_ledger *ledger, u64 head_pfn, u64 pfn, bool any)
{
	struct run *run, *found = NULL, *own = NULL;
	pid_t tgid = task_tgid_nr(current);
	unsigned int nr = 0, steps = 0;

	hlist_for_each_entry(run, bucket_of(ledger, head_pfn, true), hash) {
		if (steps++ >= SEARCH_MAX && found)
			break;
		if (run->head_pfn != head_pfn || !run->call->entry.op->pins ||
		    !(any || covers(run, pfn)))
			continue;
		nr++;
		found = run;
		if (run->call->entry.owner.tgid == tgid)
			own = run;
	}
	if (nr > 1 && !any)
		ledger->counts.ambiguous++;
	return own ?: found;
}

static struct run *find_get(struct gw_ledger *ledger, u64 head_pfn, u64 pfn)
{
	unsigned int steps = 0;
	struct run *run;

	hlist_for_each_entry(run, bucket_of(ledger, head_pfn, false), hash) {
		if (run->head_pfn == head_pfn && !run->call->entry.op->pins && covers(run, pfn))
			return run;
		if (++steps == SEARCH_MAX)
			break;
	}
	return NULL;
}

static void note_wrong(struct gw_ledger *ledger, struct page *page, struct pt_regs *regs)
{
	struct gw_ledger_wrong *wrong = &ledger->wrongs[ledger->counts.wrong++ % WRONG_MAX];
	u64 pfn = page_to_pfn(page);
	struct run *get = find_get(ledger, head_pfn_of(page), pfn);

	wrong->time_ns = ktime_get_mono_fast_ns();
	wrong->pfn = pfn;
	wrong->sure = true;
	wrong->pid = task_pid_nr(current);
	memcpy(wrong->comm, current->comm, sizeof(wrong->comm));
	gw_stack_take(&wrong->stack, regs);
	wrong->got = get;
	if (get)
		wrong->taken = get->call->entry;
}

/*
 * A page that the ledger does not know as pinned. It may have been pinned before the ledger was
 * opened; but if its own counts say that there is no such pin, then it was never pinned.
 */
static bool has_pins(struct page *page, unsigned long nr)
{
	struct folio *folio = page_folio(page);
	unsigned long pins;

	/* pinned or not its counts stay as they are (since v6.5) */
	if (is_zero_pfn(page_to_pfn(page)))
		return true;
	pins = gw_folio_has_pincount(folio) ? gw_folio_pincount(folio) :
	       folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS;
	return (long)pins >= (long)nr;
}

/*
 * Is it a page that the call has taken? Where the kernel leaves holes among the pages, one that was
 * there before has no pin of this call's, and maybe none at all.
 */
static bool was_taken(const struct gw_ledger_entry *entry, struct page *page)
{
	return gw_gup_gave(page) &&
	       (!GW_HAVE_GUP_HOLES || !entry->op->pins || has_pins(page, 1));
}

/* ---- for handlers ---- */

int gw_ledger_take(struct gw_ledger *ledger, const struct gw_ledger_entry *entry,
		   struct page **pages, unsigned long nr)
{
	unsigned long flags, i = 0, end, most = min(nr, TAKE_MAX);
	struct taken *call = NULL;
	bool full = false;
	struct run *last;
	int place = -1;

	while (i < most && !full) {
		raw_spin_lock_irqsave(&ledger->lock, flags);
		/*
		 * Others may have had their turn: what they gave back may have been ours already,
		 * and the call gone with it.
		 */
		last = NULL;
		if (!call || call->entry.seq != entry->seq || !call->entry.nr)
			call = new_call(ledger, entry);
		full = !call;
		for (end = min(most, i + CHUNK); i < end && !full; i++) {
			if (!was_taken(entry, pages[i]))
				continue;
			last = take_page(ledger, call, last, pages[i],
					 entry->addr ? entry->addr + i * PAGE_SIZE : 0);
			if (!last) {
				full = true;
				break;
			}
		}
		if (call && !call->entry.nr)
			free_call(ledger, call);
		else if (call)
			place = call - ledger->calls;
		raw_spin_unlock_irqrestore(&ledger->lock, flags);
	}
	if (i == nr || !entry->op->pins)
		return place;
	raw_spin_lock_irqsave(&ledger->lock, flags);
	ledger->counts.unknown += nr - i;
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
	return place;
}

/* Most pages that are given back are other people's: these take no lock. */
static bool is_stranger(struct gw_ledger *ledger, u64 head_pfn, struct page *page,
			unsigned long nr)
{
	return hlist_empty(bucket_of(ledger, head_pfn, true)) && has_pins(page, nr);
}

/* Pages from this one to the last of its folio. */
static unsigned long rest_of_folio(struct page *page, u64 head_pfn)
{
	unsigned long before = page_to_pfn(page) - head_pfn;

	/* of a page that is not held, by mistake, anything may be read */
	return max(1UL << min(folio_order(page_folio(page)), 30U), before + 1) - before;
}

/* Returns how many of @nr are dealt with. */
static unsigned long release_some(struct gw_release *release, struct page *page, unsigned long nr,
				  bool any)
{
	struct gw_ledger *ledger = release->ledger;
	u64 head_pfn = head_pfn_of(page), pfn = page_to_pfn(page);
	unsigned long some = any ? nr : min(nr, rest_of_folio(page, head_pfn));
	unsigned long flags;
	struct run *run;

	release->steps--;
	if (is_stranger(ledger, head_pfn, page, some))
		return some;
	some = any ? nr : 1;
	raw_spin_lock_irqsave(&ledger->lock, flags);
	run = find_pin(ledger, head_pfn, pfn, any);
	if (run) {
		some = min(nr, run->facts.left);
		/* another page of a range may be another call's */
		if (!any)
			some = min(some, (unsigned long)(run->facts.pfn + run->facts.nr - pfn));
		drop_pages(ledger, run, some);
		release->known = true;
	} else if (!has_pins(page, some)) {
		note_wrong(ledger, page, release->regs);
		release->known = true;
	}
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
	return some;
}

void gw_ledger_release_page(struct gw_release *release, struct page *page, unsigned long nr)
{
	unsigned long some;

	for (; nr && release->steps; nr -= some) {
		some = release_some(release, page, nr, false);
		page = pfn_to_page(page_to_pfn(page) + some);
	}
}

void gw_ledger_release_folio(struct gw_release *release, struct page *page, unsigned long nr)
{
	while (nr && release->steps)
		nr -= release_some(release, page, nr, true);
}

void gw_ledger_add_pins(struct gw_ledger *ledger, struct page *page, unsigned long nr)
{
	u64 head_pfn = head_pfn_of(page);
	unsigned long flags;
	struct run *run;

	if (hlist_empty(bucket_of(ledger, head_pfn, true)))
		return;
	raw_spin_lock_irqsave(&ledger->lock, flags);
	run = find_pin(ledger, head_pfn, 0, true);
	if (run) {
		run->facts.left += nr;
		run->call->entry.left += nr;
		ledger->counts.pins += nr;
	}
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
}

/* ---- for readers ---- */

int gw_ledger_read(struct gw_ledger *ledger, unsigned long place, struct gw_ledger_entry *entry,
		   struct gw_ledger_run *runs, unsigned int *nr_runs)
{
	unsigned int room = *nr_runs;
	unsigned long flags;
	struct taken *call;
	struct run *run;

	if (place >= ledger->nr_calls)
		return -ENOENT;
	*nr_runs = 0;
	raw_spin_lock_irqsave(&ledger->lock, flags);
	call = &ledger->calls[place];
	*entry = call->entry;
	if (entry->nr) {
		list_for_each_entry(run, &call->runs, of_call) {
			if (*nr_runs == room)
				break;
			runs[(*nr_runs)++] = run->facts;
		}
	}
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
	return entry->nr ? 1 : 0;
}

unsigned long gw_ledger_places(const struct gw_ledger *ledger)
{
	return ledger->nr_calls;
}

unsigned long gw_ledger_left(struct gw_ledger *ledger, int place, u64 seq)
{
	const struct gw_ledger_entry *entry = &ledger->calls[place].entry;
	unsigned long flags, left;

	raw_spin_lock_irqsave(&ledger->lock, flags);
	left = entry->nr && entry->seq == seq ? entry->left : 0;
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
	return left;
}

void gw_ledger_forget(struct gw_ledger *ledger, int place, u64 seq)
{
	struct taken *call = &ledger->calls[place];
	unsigned long flags, forgotten;
	bool there;

	do {
		raw_spin_lock_irqsave(&ledger->lock, flags);
		there = call->entry.nr && call->entry.seq == seq;
		if (there) {
			bool pins = call->entry.op->pins;

			forgotten = forget_some(ledger, call);
			if (pins)
				ledger->counts.pins -= forgotten;
		}
		raw_spin_unlock_irqrestore(&ledger->lock, flags);
	} while (there);
}

bool gw_ledger_read_wrong(struct gw_ledger *ledger, unsigned int i, struct gw_ledger_wrong *wrong)
{
	unsigned long flags;
	bool there;

	raw_spin_lock_irqsave(&ledger->lock, flags);
	there = i < min_t(u64, ledger->counts.wrong, WRONG_MAX);
	if (there)
		*wrong = ledger->wrongs[i];
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
	return there;
}

void gw_ledger_count(struct gw_ledger *ledger, struct gw_ledger_counts *counts)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ledger->lock, flags);
	*counts = ledger->counts;
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
}
