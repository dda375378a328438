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
#include "page.h"

static unsigned int ledger_max = 32768;
module_param(ledger_max, uint, 0444);
MODULE_PARM_DESC(ledger_max, "most runs of pages that the ledger of pins knows (32768: some 6 MiB; at most 1048576)");

#define LEDGER_LIMIT 1048576U

/* Pages dealt with before others, and interrupts, have their turn. */
#define CHUNK 64

/* More pages of one call than these are not looked at. */
#define TAKE_MAX 65536UL

/*
 * The lock is held, with interrupts off, while a bucket is looked through: no further than this.
 * Only a folio that was pinned in very many parts has more.
 */
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
	u64 nr_wrongs;
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

/**
 * struct match - which of the known pins is the one that is given back
 * @run: the likeliest; NULL: none is known
 * @rank: how likely
 * @known: pins of the folio that the ledger knows
 * @several: those of another call are as likely as the page is concerned: it is a guess
 * @steps: runs that were looked at
 * @cut: not all were
 */
struct match {
	struct run *run;
	unsigned int rank;
	unsigned long known;
	bool several;
	unsigned int steps;
	bool cut;
};

/* What counts most comes highest. */
enum { RANK_AS_MANY = 1, RANK_OWN = 2, RANK_SHORT = 4, RANK_PAGE = 8 };

/*
 * Nobody says which pin it is that he gives back. It is one of this page, if one is known; rather a
 * short one than one that is there for good; rather one of the process that gives it back.
 * @nr: of a folio, so many at once; 0: of the page @pfn
 */
static unsigned int rank_of(const struct run *run, u64 pfn, unsigned long nr)
{
	const struct gw_ledger_entry *entry = &run->call->entry;

	return (nr || covers(run, pfn) ? RANK_PAGE : 0) |
	       (entry->flags & GW_FLAG_LONGTERM ? 0 : RANK_SHORT) |
	       (entry->owner.tgid == task_tgid_nr(current) ? RANK_OWN : 0) |
	       (nr && run->facts.left == nr ? RANK_AS_MANY : 0);
}

/*
 * Of those that are as likely it is the newest, which comes first in the bucket. The pins of a
 * large folio are counted for all its pages together, and whoever has one may give it back by
 * another page.
 */
static void find_pin(struct gw_ledger *ledger, struct page *page, u64 head_pfn, unsigned long nr,
		     struct match *match)
{
	bool together = gw_folio_has_pincount(page_folio(page));
	u64 pfn = page_to_pfn(page);
	struct run *run;

	*match = (struct match){ };
	hlist_for_each_entry(run, bucket_of(ledger, head_pfn, true), hash) {
		unsigned int rank;

		if (match->steps++ == SEARCH_MAX) {
			match->cut = true;
			break;
		}
		if (run->head_pfn != head_pfn || !run->call->entry.op->pins)
			continue;
		match->known += run->facts.left;
		rank = rank_of(run, pfn, nr);
		if (!(rank & RANK_PAGE) && !together)
			continue;
		if (match->run && (rank ^ match->rank) < RANK_PAGE)
			match->several = match->several || run->call != match->run->call;
		else if (rank > match->rank)
			match->several = false;
		if (match->run && rank <= match->rank)
			continue;
		match->run = run;
		match->rank = rank;
	}
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

/* Pages that one call gives back by mistake are one mistake. */
static void note_wrong(struct gw_release *release, struct page *page, unsigned long nr)
{
	struct gw_ledger *ledger = release->ledger;
	struct gw_ledger_wrong *wrong = &ledger->wrongs[release->wrong % WRONG_MAX];
	u64 pfn = page_to_pfn(page);
	struct run *get;

	ledger->counts.wrong += nr;
	/* unless others have made so many since that its place is another's */
	if (release->wrong && wrong->number == release->wrong) {
		wrong->nr += nr;
		return;
	}
	release->wrong = ++ledger->nr_wrongs;
	wrong = &ledger->wrongs[release->wrong % WRONG_MAX];
	wrong->number = release->wrong;
	wrong->time_ns = ktime_get_mono_fast_ns();
	wrong->pfn = pfn;
	wrong->nr = nr;
	wrong->pid = task_pid_nr(current);
	memcpy(wrong->comm, current->comm, sizeof(wrong->comm));
	gw_stack_take(&wrong->stack, release->regs);
	get = find_get(ledger, head_pfn_of(page), pfn);
	wrong->got = get;
	if (get)
		wrong->taken = get->call->entry;
}

/*
 * A page that the ledger does not know as pinned. It may have been pinned before the ledger was
 * opened; but if its own counts say that there is no such pin, then it was never pinned. Those of a
 * page of zeros stay as they are, pinned or not (since v6.5).
 */
static bool has_pins(struct page *page, unsigned long nr)
{
	return is_zero_pfn(page_to_pfn(page)) || gw_folio_pins(page_folio(page)) >= (long)nr;
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

/*
 * Pins that this call has given back of the folio, as it says: its counts do not say so yet. This
 * is known of some folios at a time, as a call may have them in turns.
 */
static unsigned long *given_of(struct gw_release *release, u64 head_pfn)
{
	unsigned int i, at;

	for (i = 0; i < min(release->nr_given, GW_RELEASE_GIVEN); i++)
		if (release->given[i].head_pfn == head_pfn)
			return &release->given[i].pins;
	at = release->nr_given++ % GW_RELEASE_GIVEN;
	release->given[at].head_pfn = head_pfn;
	release->given[at].pins = 0;
	return &release->given[at].pins;
}

/*
 * Calls that are not observed, and those before, have pins of the same folio, and may give them
 * back as well. As long as the folio has as many pins left as are known, nobody can say that a
 * known one has gone. But if it has fewer, some have gone before: what is known is never more than
 * what there is, as a pin is noted after it was taken, and taken off before it is given back.
 * Returns how many known ones go with @nr.
 */
static unsigned long known_to_go(const struct match *match, struct page *page, u64 head_pfn,
				 unsigned long nr, unsigned long given)
{
	long rest = gw_folio_pins(page_folio(page)) - (long)given;

	/* its counts stay as they are, see has_pins() */
	if (match->cut || is_zero_pfn(head_pfn))
		return nr;
	rest = max(rest, 0L);
	return (long)match->known > rest ? match->known - rest : 0;
}

/*
 * How many of @nr the run may have, if @whole of the folio, and else of this page and the next. Of
 * a large folio they may be another page's.
 */
static unsigned long part_of(const struct run *run, u64 pfn, unsigned long nr, bool whole)
{
	nr = min(nr, run->facts.left);
	if (whole || !covers(run, pfn))
		return nr;
	return min(nr, (unsigned long)(run->facts.pfn + run->facts.nr - pfn));
}

/* Takes @nr pins off, of the likeliest run first. */
static void take_off(struct gw_ledger *ledger, struct page *page, u64 head_pfn, unsigned long nr,
		     struct match *match)
{
	unsigned long some;

	while (nr && match->run) {
		some = min(nr, match->run->facts.left);
		drop_pages(ledger, match->run, some);
		nr -= some;
		if (nr)
			find_pin(ledger, page, head_pfn, nr, match);
	}
}

/*
 * Returns how many of @nr are dealt with. What a call that is observed itself gives back is its own
 * affair, if it is not known: it has pinned it, and does not hand it out.
 */
static unsigned long release_some(struct gw_release *release, struct page *page, unsigned long nr,
				  bool whole)
{
	struct gw_ledger *ledger = release->ledger;
	u64 head_pfn = head_pfn_of(page), pfn = page_to_pfn(page);
	unsigned long most = whole ? nr : min(nr, rest_of_folio(page, head_pfn));
	unsigned long flags, some, gone, *given;
	struct match match __uninitialized;

	release->steps--;
	if (is_stranger(ledger, head_pfn, page, most))
		return most;
	some = whole ? nr : 1;
	raw_spin_lock_irqsave(&ledger->lock, flags);
	find_pin(ledger, page, head_pfn, whole ? nr : 0, &match);
	given = given_of(release, head_pfn);
	if (match.run) {
		some = part_of(match.run, pfn, most, whole);
		gone = known_to_go(&match, page, head_pfn, some, *given + some);
		if (match.several || gone < some)
			ledger->counts.ambiguous += !release->inside;
		take_off(ledger, page, head_pfn, gone, &match);
		release->known = true;
	} else if (match.cut) {
		ledger->counts.ambiguous++;
	} else if (!has_pins(page, *given + some)) {
		note_wrong(release, page, some);
		release->known = true;
	}
	*given += some;
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
	release->steps -= min_t(unsigned long, release->steps, match.steps / 4);
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

void gw_ledger_settle(struct gw_ledger *ledger, u64 pfn)
{
	struct page *page = pfn_to_online_page(pfn);
	struct match match __uninitialized;
	unsigned long flags, surplus;
	u64 head_pfn;
	long pins;

	if (!page || is_zero_pfn(pfn))
		return;
	head_pfn = head_pfn_of(page);
	/* under the lock nobody notes another one, so there are at least so many as are known */
	raw_spin_lock_irqsave(&ledger->lock, flags);
	find_pin(ledger, page, head_pfn, 1, &match);
	pins = max(gw_folio_pins(page_folio(page)), 0);
	if (!match.cut && (long)match.known > pins) {
		surplus = match.known - pins;
		take_off(ledger, page, head_pfn, surplus, &match);
		ledger->counts.unseen += surplus;
	}
	raw_spin_unlock_irqrestore(&ledger->lock, flags);
}

void gw_ledger_add_pins(struct gw_ledger *ledger, struct page *page, unsigned long nr)
{
	u64 head_pfn = head_pfn_of(page);
	struct match match __uninitialized;
	unsigned long flags;

	if (hlist_empty(bucket_of(ledger, head_pfn, true)))
		return;
	raw_spin_lock_irqsave(&ledger->lock, flags);
	find_pin(ledger, page, head_pfn, nr, &match);
	if (match.run) {
		match.run->facts.left += nr;
		match.run->call->entry.left += nr;
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
	there = i < min_t(u64, ledger->nr_wrongs, WRONG_MAX);
	/* the oldest first */
	if (there)
		*wrong = ledger->wrongs[(max_t(u64, ledger->nr_wrongs, WRONG_MAX) - WRONG_MAX + 1 +
					 i) % WRONG_MAX];
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
