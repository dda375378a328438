// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs in the handlers of probes: nothing here may sleep, allocate or fault, and each call
 * takes a bounded time. What the handlers need is allocated when the observer starts.
 *
 * Handlers are called in the context of the function. A second probe that is hit while one is
 * served on the same CPU is passed over by the kernel itself, so that they never wait for
 * themselves; what runs in an NMI may wait for nobody, and is counted as lost.
 */
#include <linux/cpumask.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "arch.h"
#include "compat.h"
#include "observe.h"
#include "outcome.h"
#include "probes.h"

static unsigned int observe_records = 2048;
module_param(observe_records, uint, 0444);
MODULE_PARM_DESC(observe_records, "records that wait to be read, of all CPUs together (2048; at most 65536)");

static unsigned int observe_pages = 4;
module_param(observe_pages, uint, 0444);
MODULE_PARM_DESC(observe_pages, "pages of an observed call that are looked at (4; at most 16)");

#define RECORDS_LIMIT 65536U
#define RECORDS_OF_CPU_MIN 64U
#define PAGES_LIMIT 16U

/* Threads are told apart by their place in a table: buckets, and calls under way in each. */
#define BUCKETS 64
#define FLIGHTS_OF_BUCKET 32

/*
 * Ways of a call's snapshots: its pages are in two PTE tables at most, before the call and after
 * it, and one for those that are not stable.
 */
#define WAYS_OF_CALL 5

/* A handler holds up its CPU: so much is looked at when a call gives pages back. */
#define RELEASE_MAX 65536UL

/* Stacks that are remembered as those of other drivers than the one that is asked for. */
#define OTHERS 256

/* The contexts that may run on top of each other in one thread. */
enum level { LEVEL_TASK, LEVEL_SOFTIRQ, LEVEL_HARDIRQ, LEVEL_NMI };

/**
 * struct flight - a call under way
 * @node: place in its bucket, among those in use or among the free ones
 * @task: thread that made it
 * @level: in which context
 * @bucket: which bucket
 * @args: its arguments
 * @observation: what it becomes; NULL of one that gives pages back
 */
struct flight {
	struct hlist_node node;
	struct task_struct *task;
	enum level level;
	unsigned int bucket;
	struct gw_args args;
	struct gw_observation *observation;
};

struct bucket {
	raw_spinlock_t lock;
	struct hlist_head flying;
	struct hlist_head free;
	struct flight flights[FLIGHTS_OF_BUCKET];
};

/**
 * struct pool - the records of a CPU: of calls that were made there
 * @lock: guards the lists; raw, taken with interrupts off, for a moment only
 * @free: those not in use
 * @ready: those to be read, oldest first
 * @observations: all of them
 * @ways: what their snapshots have in common is in
 * @snaps: what their snapshots are in
 * @results: what their results are in
 */
struct pool {
	raw_spinlock_t lock;
	struct list_head free;
	struct list_head ready;
	struct gw_observation *observations;
	struct gw_path *ways;
	struct gw_snapshot *snaps;
	struct gw_page_result *results;
};

/*
 * @counts: of @under_way and @recorded of a CPU only the sum has a meaning
 * @others: hashes of the stacks that the reader has found to be other drivers' than the filter's:
 *	to name the driver takes too long for a handler, and the same stacks come again and again
 */
struct gw_observer {
	struct gw_filter filter;
	struct bucket *buckets;
	struct pool *pools;
	unsigned int pages;
	struct gw_ledger *ledger;
	struct gw_observe_counts __percpu *counts;
	u64 others[OTHERS];
	struct list_head batch;
	struct irq_work wake;
	struct wait_queue_head queue;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/* Guards @observer, but for handlers: they run only while it stays. */
static DEFINE_MUTEX(observer_lock);
static struct gw_observer *observer;

#define count(o, member) this_cpu_inc((o)->counts->member)
#define uncount(o, member) this_cpu_dec((o)->counts->member)

/* ---- gupwalk's own calls ---- */

/* Handlers look through the list without a lock: they are not preemptible, and so RCU readers. */
static DEFINE_SPINLOCK(unobserved_lock);
static HLIST_HEAD(unobserved);

void gw_unobserved_add(struct gw_unobserved *own)
{
	own->task = NULL;
	spin_lock(&unobserved_lock);
	hlist_add_head_rcu(&own->node, &unobserved);
	spin_unlock(&unobserved_lock);
}

void gw_unobserved_remove(struct gw_unobserved *own)
{
	spin_lock(&unobserved_lock);
	hlist_del_rcu(&own->node);
	spin_unlock(&unobserved_lock);
	/*
	 * Without an observer no handler runs, and those of the next one will not find it: placing
	 * its probes has each CPU stop for a moment, after @observer was set.
	 */
	smp_mb();
	if (READ_ONCE(observer))
		synchronize_rcu();
}

/* An interrupt that comes meanwhile is not ours. */
static bool is_unobserved(enum level level)
{
	struct gw_unobserved *own;

	if (level != LEVEL_TASK)
		return false;
	hlist_for_each_entry_rcu(own, &unobserved, node)
		if (READ_ONCE(own->task) == current)
			return true;
	return false;
}

/* ---- calls under way ---- */

static enum level level_now(void)
{
	if (in_nmi())
		return LEVEL_NMI;
	if (gw_in_hardirq())
		return LEVEL_HARDIRQ;
	return in_serving_softirq() ? LEVEL_SOFTIRQ : LEVEL_TASK;
}

static unsigned int bucket_number(void)
{
	return hash_ptr(current, ilog2(BUCKETS));
}

/* In what is the running thread, of all that is looked at? */
enum flying { FLYING_NOT, FLYING_CALL, FLYING_RELEASE };

static enum flying flying_now(struct gw_observer *o, enum level level)
{
	struct bucket *bucket = &o->buckets[bucket_number()];
	enum flying flying = FLYING_NOT;
	const struct flight *flight;
	unsigned long flags;

	if (hlist_empty(&bucket->flying))
		return FLYING_NOT;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(flight, &bucket->flying, node)
		if (flight->task == current && flight->level == level)
			flying = max(flying, flight->observation ? FLYING_CALL : FLYING_RELEASE);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return flying;
}

/* @observation: what it becomes; NULL of one that gives pages back. */
static struct flight *take_off(struct gw_observer *o, enum level level,
			       struct gw_observation *observation)
{
	unsigned int number = bucket_number();
	struct bucket *bucket = &o->buckets[number];
	struct flight *flight = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	if (!hlist_empty(&bucket->free)) {
		flight = hlist_entry(bucket->free.first, struct flight, node);
		hlist_del(&flight->node);
		flight->task = current;
		flight->level = level;
		flight->bucket = number;
		flight->observation = observation;
		hlist_add_head(&flight->node, &bucket->flying);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return flight;
}

static void land(struct gw_observer *o, struct flight *flight)
{
	struct bucket *bucket = &o->buckets[flight->bucket];
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_del(&flight->node);
	hlist_add_head(&flight->node, &bucket->free);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* ---- room for records ---- */

static struct gw_observation *take_room(struct gw_observer *o)
{
	struct pool *pool = &o->pools[raw_smp_processor_id()];
	struct gw_observation *observation;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	observation = list_first_entry_or_null(&pool->free, struct gw_observation, node);
	if (observation)
		list_del_init(&observation->node);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return observation;
}

static void give_room_back(struct gw_observer *o, struct gw_observation *observation)
{
	struct pool *pool = &o->pools[observation->pool];
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	list_add(&observation->node, &pool->free);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

static void publish(struct gw_observer *o, struct gw_observation *observation)
{
	struct pool *pool = &o->pools[observation->pool];
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	list_add_tail(&observation->node, &pool->ready);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* Waking somebody takes locks of the scheduler: not here. */
	irq_work_queue(&o->wake);
}

static void wake_reader(struct irq_work *work)
{
	struct gw_observer *o = container_of(work, struct gw_observer, wake);

	wake_up_interruptible(&o->queue);
}

/* ---- a call is made ---- */

static void note_owner(struct gw_record *record, struct gw_observed *observed,
		       struct mm_struct *mm)
{
	struct task_struct *owner;

	rcu_read_lock();
	owner = mm ? gw_mm_owner(mm) : current;
	observed->owner_known = owner;
	if (owner) {
		record->pid = task_pid_nr(owner);
		record->tgid = task_tgid_nr(owner);
		memcpy(record->comm, owner->comm, sizeof(record->comm));
		record->comm[TASK_COMM_LEN - 1] = '\0';
	}
	rcu_read_unlock();
}

/* All but what the observation keeps for good is made anew. */
static void begin_record(struct gw_observer *o, struct gw_observation *observation,
			 const struct gw_watched *watched, const struct gw_args *args)
{
	struct gw_observed *observed = &observation->observed;
	struct gw_record *record = &observation->record;
	struct gw_record fresh = {
		.op = gw_watched_op(watched),
		.impl = watched->symbol,
		.observed = observed,
		.addr = args->addr,
		.nr_pages = args->nr,
		.flags = args->flags,
		.nr = args->mm ? min_t(unsigned long, args->nr, o->pages) : 0,
		.nr_ways = WAYS_OF_CALL,
		.ways = record->ways,
		.before = record->before,
		.after = record->after,
		.results = record->results,
	};

	fresh.lock = fresh.op->unlocked ? GW_LOCK_NOT_HELD : GW_LOCK_UNKNOWN;
	*record = fresh;
	INIT_LIST_HEAD(&observation->node);
	observation->place = -1;
	observed->driver[0] = '\0';
	observed->left_known = false;
	observed->pid = task_pid_nr(current);
	observed->tgid = task_tgid_nr(current);
	memcpy(observed->comm, current->comm, sizeof(observed->comm));
	observed->comm[TASK_COMM_LEN - 1] = '\0';
	note_owner(record, observed, args->mm);
	gw_outcome_name_pages(record);
}

static void note_vma(struct gw_observation *observation, struct mm_struct *mm)
{
	struct vm_area_struct *vma = gw_vma_lookup(mm, observation->record.addr);

	if (!vma)
		return;
	gw_vma_note(vma, &observation->record.vma);
	if (!vma->vm_file)
		return;
	/* The whole path cannot be had without locks; its last names can. */
	snprintf(observation->file, sizeof(observation->file), "%pD4", vma->vm_file);
	observation->record.vma.file = observation->file;
}

static void look_before(struct gw_observation *observation, struct mm_struct *mm)
{
	struct gw_record *record = &observation->record;
	struct gw_glance glance;
	unsigned int i;

	if (!record->nr)
		return;
	gw_walk_begin(&observation->walk, record->ways, record->nr_ways);
	gw_glance_begin(&glance, &observation->walk, mm);
	for (i = 0; i < record->nr; i++)
		gw_glance_at(&glance, record->results[i].addr, &record->before[i]);
	if (glance.locked)
		note_vma(observation, mm);
	gw_glance_end(&glance);
}

/* Each is one word, which is written as a whole. */
static u64 *place_of_stack(struct gw_observer *o, u64 hash)
{
	return &o->others[(hash >> 1) % OTHERS];
}

static bool is_of_other(struct gw_observer *o, const struct gw_stack *stack)
{
	u64 hash;

	if (!o->filter.module[0])
		return false;
	hash = gw_stack_hash(stack);
	return READ_ONCE(*place_of_stack(o, hash)) == hash;
}

static void *enter_call(struct gw_observer *o, const struct gw_watched *watched,
			struct pt_regs *regs, enum level level)
{
	struct gw_observation *observation;
	struct flight *flight;
	struct gw_args args;
	u64 began;

	/* First what takes least: most calls are other people's. */
	count(o, seen);
	if (!gw_filter_comm(&o->filter)) {
		count(o, filtered);
		return NULL;
	}
	gw_watched_args(watched, regs, &args);
	if (!gw_filter_args(&o->filter, &args) || !gw_filter_task(&o->filter, args.mm)) {
		count(o, filtered);
		return NULL;
	}
	began = ktime_get_ns();
	/* what obtains pages may sleep: not in an interrupt, but for get_user_pages_fast_only() */
	observation = level == LEVEL_TASK ? take_room(o) : NULL;
	if (observation) {
		gw_stack_take(&observation->observed.stack, regs);
		if (is_of_other(o, &observation->observed.stack)) {
			give_room_back(o, observation);
			count(o, filtered);
			return NULL;
		}
	}
	flight = observation ? take_off(o, level, observation) : NULL;
	if (!flight) {
		if (observation)
			give_room_back(o, observation);
		count(o, lost);
		return NULL;
	}
	count(o, under_way);
	flight->args = args;
	begin_record(o, observation, watched, &args);
	observation->began_ns = began;
	look_before(observation, args.mm);
	observation->record.time_ns = ktime_get_ns();
	return flight;
}

static void release_array(struct gw_release *release, struct page **pages, unsigned long nr,
			  bool folios)
{
	unsigned long i;

	for (i = 0; i < nr && release->steps; i++) {
		if (IS_ERR_OR_NULL(pages[i]))
			continue;
		if (folios)
			gw_ledger_release_folio(release, pages[i], 1);
		else
			gw_ledger_release_page(release, pages[i], 1);
	}
}

/* What it does takes no longer than what the function itself does to the same pages. */
static void *enter_release(struct gw_observer *o, const struct gw_watched *watched,
			   struct pt_regs *regs, enum level level, bool inside)
{
	struct gw_release release __uninitialized;
	struct gw_args args;
	void *flight;

	/* not all of it: most are other people's */
	release.ledger = o->ledger;
	release.regs = regs;
	release.inside = inside;
	release.steps = RELEASE_MAX;
	release.known = false;
	release.wrong = 0;
	release.nr_given = 0;
	gw_watched_args(watched, regs, &args);
	if (!args.pages || (long)args.nr <= 0)
		return NULL;
	switch (watched->shape) {
	case GW_SHAPE_ADD_PINS:
		/* an unsigned int */
		gw_ledger_add_pins(o->ledger, args.pages, (u32)args.nr);
		return NULL;
	case GW_SHAPE_UNPIN_PAGE:
		gw_ledger_release_page(&release, args.pages, args.nr);
		break;
	case GW_SHAPE_UNPIN_FOLIO:
		gw_ledger_release_folio(&release, args.pages, args.nr);
		break;
	default:
		release_array(&release, args.pages, args.nr,
			      watched->shape == GW_SHAPE_UNPIN_FOLIOS);
	}
	/* Of what comes after so many nobody can say whether it is held still. */
	if (!release.steps)
		count(o, releases_lost);
	/*
	 * What it calls gives back the same pages, which by then may be known as somebody else's.
	 * Where none was known there is nothing to mistake, and no return to wait for.
	 */
	if (!watched->nests || !release.known)
		return NULL;
	flight = take_off(o, level, NULL);
	/* Then they are given back twice: how many are left is not known any more. */
	if (!flight)
		count(o, releases_lost);
	return flight;
}

static void *enter(const struct gw_watched *watched, struct pt_regs *regs)
{
	struct gw_observer *o = READ_ONCE(observer);
	enum level level = level_now();
	enum flying flying;

	if (level == LEVEL_NMI) {
		if (watched->op) {
			count(o, seen);
			count(o, lost);
		} else {
			count(o, releases_lost);
		}
		return NULL;
	}
	if (is_unobserved(level))
		return NULL;
	flying = flying_now(o, level);
	if (!watched->op)
		return flying == FLYING_RELEASE ? NULL :
		       enter_release(o, watched, regs, level, flying == FLYING_CALL);
	if (flying == FLYING_NOT)
		return enter_call(o, watched, regs, level);
	count(o, nested);
	return NULL;
}

/* ---- and returns ---- */

static void note_result(struct gw_record *record, const struct gw_watched *watched,
			const struct flight *flight, unsigned long ret)
{
	record->ret = watched->returns_int ? (int)ret : (long)ret;
	gw_outcome_note(record, (__force vm_fault_t)ret, flight->args.pages);
	if (record->op->family == GW_FAMILY_FOLLOW && !record->ret && record->nr)
		record->results[0].has_pfn = gw_watched_pfn(watched, &flight->args,
							    &record->results[0].pfn);
}

static void look_after(struct gw_observation *observation, struct mm_struct *mm)
{
	struct gw_record *record = &observation->record;
	struct gw_glance glance;
	unsigned int i;

	if (!record->nr)
		return;
	gw_glance_begin(&glance, &observation->walk, mm);
	for (i = 0; i < record->nr; i++)
		gw_glance_at(&glance, record->results[i].addr, &record->after[i]);
	if (glance.locked && gw_outcome_fell_short(record, 0))
		gw_outcome_explain(record, mm);
	gw_glance_end(&glance);
}

static void enter_in_ledger(struct gw_observer *o, struct gw_observation *observation,
			    const struct gw_args *args)
{
	const struct gw_record *record = &observation->record;
	struct gw_ledger_entry entry = {
		.seq = record->seq,
		.time_ns = record->time_ns,
		.op = record->op,
		.flags = record->flags,
		.pid = observation->observed.pid,
		.addr = args->addr & PAGE_MASK,
		.stack = observation->observed.stack,
	};
	struct task_struct *owner;

	if (!record->op->release || record->ret <= 0 || !args->pages)
		return;
	memcpy(entry.comm, observation->observed.comm, sizeof(entry.comm));
	rcu_read_lock();
	owner = args->mm ? gw_mm_owner(args->mm) : current;
	if (owner)
		gw_process_of(owner, &entry.owner);
	rcu_read_unlock();
	observation->place = gw_ledger_take(o->ledger, &entry, args->pages, record->ret);
}

static void leave(const struct gw_watched *watched, void *data, unsigned long ret)
{
	struct gw_observer *o = READ_ONCE(observer);
	struct flight *flight = data;
	struct gw_observation *observation = flight->observation;
	struct gw_record *record;

	if (!observation) {
		land(o, flight);
		return;
	}
	record = &observation->record;
	record->duration_ns = ktime_get_ns() - record->time_ns;
	uncount(o, under_way);
	if (record->duration_ns < o->filter.min_ns) {
		count(o, filtered);
		land(o, flight);
		give_room_back(o, observation);
		return;
	}
	record->seq = gw_record_number();
	note_result(record, watched, flight, ret);
	look_after(observation, flight->args.mm);
	enter_in_ledger(o, observation, &flight->args);
	count(o, recorded);
	record->total_ns = ktime_get_ns() - observation->began_ns;
	land(o, flight);
	publish(o, observation);
}

static const struct gw_probe_handlers handlers = { .enter = enter, .leave = leave };

/* ---- the reader ---- */

static int by_number(void *unused, const struct list_head *a, const struct list_head *b)
{
	u64 seq_a = list_entry(a, struct gw_observation, node)->record.seq;
	u64 seq_b = list_entry(b, struct gw_observation, node)->record.seq;

	return seq_a > seq_b ? 1 : seq_a < seq_b ? -1 : 0;
}

static void fetch_batch(struct gw_observer *o)
{
	unsigned long flags;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pool *pool = &o->pools[cpu];

		raw_spin_lock_irqsave(&pool->lock, flags);
		list_splice_tail_init(&pool->ready, &o->batch);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
	list_sort(NULL, &o->batch, by_number);
}

bool gw_observer_ready(struct gw_observer *o)
{
	int cpu;

	if (!list_empty(&o->batch))
		return true;
	for_each_possible_cpu(cpu)
		if (!list_empty(&o->pools[cpu].ready))
			return true;
	return false;
}

int gw_observer_wait(struct gw_observer *o)
{
	return wait_event_interruptible(o->queue, gw_observer_ready(o));
}

struct wait_queue_head *gw_observer_waitqueue(struct gw_observer *o)
{
	return &o->queue;
}

static void name_driver(struct gw_observer *o, struct gw_observation *observation)
{
	struct gw_observed *observed = &observation->observed;
	struct gw_record *record = &observation->record;

	gw_stack_driver(&observed->stack, observed->driver);
	observed->left_known = record->op->pins && observation->place >= 0;
	if (!observed->left_known)
		return;
	observed->left = gw_ledger_left(o->ledger, observation->place, record->seq);
	record->held = observed->left;
}

struct gw_observation *gw_observer_next(struct gw_observer *o)
{
	struct gw_observation *observation;
	u64 hash;

	for (;;) {
		/* Calls of other drivers may come faster than they are told apart. */
		if (signal_pending(current))
			return NULL;
		cond_resched();
		if (list_empty(&o->batch))
			fetch_batch(o);
		observation = list_first_entry_or_null(&o->batch, struct gw_observation,
						       node);
		if (!observation)
			return NULL;
		list_del_init(&observation->node);
		name_driver(o, observation);
		if (!o->filter.module[0] ||
		    !strcmp(o->filter.module, observation->observed.driver))
			return observation;
		hash = gw_stack_hash(&observation->observed.stack);
		WRITE_ONCE(*place_of_stack(o, hash), hash);
		if (observation->place >= 0)
			gw_ledger_forget(o->ledger, observation->place, observation->record.seq);
		uncount(o, recorded);
		count(o, filtered);
		give_room_back(o, observation);
	}
}

void gw_observer_put(struct gw_observer *o, struct gw_observation *observation)
{
	give_room_back(o, observation);
}

/* ---- beginning and end ---- */

static int create_pool(struct gw_observer *o, unsigned int number, unsigned int room)
{
	struct pool *pool = &o->pools[number];
	size_t snaps = (size_t)room * o->pages;
	unsigned int i;

	pool->observations = kvcalloc(room, sizeof(*pool->observations), GFP_KERNEL_ACCOUNT);
	pool->snaps = kvcalloc(2 * snaps, sizeof(*pool->snaps), GFP_KERNEL_ACCOUNT);
	pool->results = kvcalloc(snaps, sizeof(*pool->results), GFP_KERNEL_ACCOUNT);
	pool->ways = kvcalloc((size_t)room * WAYS_OF_CALL, sizeof(*pool->ways), GFP_KERNEL_ACCOUNT);
	if (!pool->observations || !pool->ways || !pool->snaps || !pool->results)
		return -ENOMEM;
	for (i = 0; i < room; i++) {
		struct gw_observation *observation = &pool->observations[i];

		observation->pool = number;
		observation->record.ways = &pool->ways[i * WAYS_OF_CALL];
		observation->record.before = &pool->snaps[2 * i * o->pages];
		observation->record.after = &pool->snaps[(2 * i + 1) * o->pages];
		observation->record.results = &pool->results[i * o->pages];
		list_add_tail(&observation->node, &pool->free);
	}
	return 0;
}

static int create_pools(struct gw_observer *o)
{
	unsigned int room = min(observe_records, RECORDS_LIMIT) / num_possible_cpus();
	int cpu, ret = 0;

	o->pages = clamp(observe_pages, 1U, PAGES_LIMIT);
	o->pools = kvcalloc(nr_cpu_ids, sizeof(*o->pools), GFP_KERNEL_ACCOUNT);
	if (!o->pools)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		raw_spin_lock_init(&o->pools[cpu].lock);
		INIT_LIST_HEAD(&o->pools[cpu].free);
		INIT_LIST_HEAD(&o->pools[cpu].ready);
		ret = ret ?: create_pool(o, cpu, max(room, RECORDS_OF_CPU_MIN));
	}
	return ret;
}

static int create_buckets(struct gw_observer *o)
{
	unsigned int i, j;

	o->buckets = kvcalloc(BUCKETS, sizeof(*o->buckets), GFP_KERNEL_ACCOUNT);
	if (!o->buckets)
		return -ENOMEM;
	for (i = 0; i < BUCKETS; i++) {
		raw_spin_lock_init(&o->buckets[i].lock);
		for (j = 0; j < FLIGHTS_OF_BUCKET; j++)
			hlist_add_head(&o->buckets[i].flights[j].node, &o->buckets[i].free);
	}
	return 0;
}

/* No handler runs, and none will. */
static void destroy(struct gw_observer *o)
{
	int cpu;

	irq_work_sync(&o->wake);
	if (o->pools) {
		for_each_possible_cpu(cpu) {
			kvfree(o->pools[cpu].observations);
			kvfree(o->pools[cpu].ways);
			kvfree(o->pools[cpu].snaps);
			kvfree(o->pools[cpu].results);
		}
	}
	kvfree(o->pools);
	kvfree(o->buckets);
	gw_ledger_put(o->ledger);
	free_percpu(o->counts);
	gw_filter_release(&o->filter);
	kfree(o);
}

static struct gw_observer *create(void)
{
	struct gw_observer *o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);

	if (!o)
		return NULL;
	init_irq_work(&o->wake, wake_reader);
	init_waitqueue_head(&o->queue);
	INIT_LIST_HEAD(&o->batch);
	o->pid = task_tgid_nr(current);
	get_task_comm(o->comm, current);
	o->counts = alloc_percpu(struct gw_observe_counts);
	o->ledger = gw_ledger_create();
	if (o->counts && o->ledger && !create_buckets(o) && !create_pools(o))
		return o;
	destroy(o);
	return NULL;
}

static bool is_wanted(const struct gw_watched *watched, const void *context)
{
	return gw_filter_wants(context, watched);
}

static int start(struct gw_observer *o)
{
	int ret;

	if (mutex_lock_killable(&observer_lock))
		return -EINTR;
	if (observer) {
		mutex_unlock(&observer_lock);
		return -EBUSY;
	}
	WRITE_ONCE(observer, o);
	ret = gw_probes_register(&handlers, is_wanted, &o->filter);
	if (ret)
		WRITE_ONCE(observer, NULL);
	mutex_unlock(&observer_lock);
	return ret;
}

int gw_observer_start(const struct gw_filter *filter, struct gw_observer **observerp)
{
	struct gw_observer *o = create();
	int ret = -ENOMEM;

	if (o) {
		o->filter = *filter;
		ret = start(o);
		if (!ret) {
			*observerp = o;
			return 0;
		}
		/* the filter, and what it holds, is the caller's still */
		o->filter = (struct gw_filter){ };
		destroy(o);
	}
	return ret;
}

void gw_observer_stop(struct gw_observer *o)
{
	if (!o)
		return;
	mutex_lock(&observer_lock);
	gw_probes_unregister();
	WRITE_ONCE(observer, NULL);
	mutex_unlock(&observer_lock);
	destroy(o);
}

struct gw_ledger *gw_observe_ledger(void)
{
	struct gw_ledger *ledger = NULL;

	mutex_lock(&observer_lock);
	if (observer)
		ledger = gw_ledger_get(observer->ledger);
	mutex_unlock(&observer_lock);
	return ledger;
}

/*
 * What a module has pinned may outlive it: who it was is asked while it can be told. Of records
 * that wait to be read it is not; they say "?".
 */
static void keep_names(struct gw_ledger *ledger, const struct module *module)
{
	struct gw_ledger_wrong *wrong = kmalloc(sizeof(*wrong), GFP_KERNEL);
	unsigned int i, none;
	int found;

	/* the largest part of it is the same thing */
	for (i = 0; wrong && i < gw_ledger_places(ledger); i++) {
		none = 0;
		found = gw_ledger_read(ledger, i, &wrong->taken, NULL, &none);
		if (found > 0)
			gw_stack_keep(&wrong->taken.stack, module);
		cond_resched();
	}
	for (i = 0; wrong && gw_ledger_read_wrong(ledger, i, wrong); i++) {
		gw_stack_keep(&wrong->stack, module);
		if (wrong->got)
			gw_stack_keep(&wrong->taken.stack, module);
	}
	kfree(wrong);
}

static int module_changes(struct notifier_block *block, unsigned long state, void *module)
{
	struct gw_ledger *ledger = state == MODULE_STATE_GOING ? gw_observe_ledger() : NULL;

	if (ledger)
		keep_names(ledger, module);
	gw_ledger_put(ledger);
	return NOTIFY_DONE;
}

static struct notifier_block modules_change = { .notifier_call = module_changes };

int gw_observe_init(void)
{
	return register_module_notifier(&modules_change);
}

void gw_observe_exit(void)
{
	unregister_module_notifier(&modules_change);
}

/* ---- what it says of itself ---- */

static void sum_counts(const struct gw_observer *o, struct gw_observe_counts *sum)
{
	u64 missed = gw_probes_missed();
	int cpu;

	*sum = (struct gw_observe_counts){ };
	for_each_possible_cpu(cpu) {
		const struct gw_observe_counts *one = per_cpu_ptr(o->counts, cpu);

		sum->seen += one->seen;
		sum->recorded += one->recorded;
		sum->filtered += one->filtered;
		sum->lost += one->lost;
		sum->under_way += one->under_way;
		sum->nested += one->nested;
		sum->releases_lost += one->releases_lost;
	}
	/* of these no handler was told */
	sum->seen += missed;
	sum->lost += missed;
	sum->releases_lost += gw_probes_missed_releases();
}

static void show_counts(struct seq_file *m, const struct gw_observer *o)
{
	struct gw_ledger_counts known;
	struct gw_observe_counts sum;

	sum_counts(o, &sum);
	gw_ledger_count(o->ledger, &known);
	seq_printf(m, "observer: %d %s\n", o->pid, o->comm);
	seq_puts(m, "filter:");
	gw_filter_show(&o->filter, m);
	seq_printf(m, "\nseen: %llu\n", sum.seen);
	seq_printf(m, "recorded: %llu\n", sum.recorded);
	seq_printf(m, "filtered: %llu\n", sum.filtered);
	seq_printf(m, "lost: %llu\n", sum.lost);
	seq_printf(m, "under_way: %llu\n", sum.under_way);
	seq_printf(m, "nested: %llu\n", sum.nested);
	seq_printf(m, "releases_lost: %llu\n", sum.releases_lost);
	seq_printf(m, "pins: %llu\n", known.pins);
	seq_printf(m, "pin_calls: %llu\n", known.calls);
	seq_printf(m, "ledger_room: %llu\n", known.room);
	seq_printf(m, "ledger_used: %llu\n", known.used);
	seq_printf(m, "pins_unknown: %llu\n", known.unknown);
	seq_printf(m, "gets_forgotten: %llu\n", known.forgotten);
	seq_printf(m, "released: %llu\n", known.released);
	seq_printf(m, "released_ambiguous: %llu\n", known.ambiguous);
	seq_printf(m, "released_wrongly: %llu\n", known.wrong);
	seq_printf(m, "released_unseen: %llu\n", known.unseen);
}

void gw_observe_show(struct seq_file *m)
{
	mutex_lock(&observer_lock);
	if (observer)
		show_counts(m, observer);
	else
		seq_puts(m, "observer: none\n");
	gw_probes_show(m);
	mutex_unlock(&observer_lock);
}
