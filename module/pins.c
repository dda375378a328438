// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "compat.h"
#include "debugfs.h"
#include "fields.h"
#include "observe.h"
#include "pins.h"
#include "walk.h"

/* Of one call so many runs are looked at, and so many pages. */
#define RUNS_MAX 128
#define PAGES_MAX 512

/* One is in use at a time, and one for those that are not stable. */
#define WAYS 2

/* What has become of the process whose memory it is. */
enum owner { OWNER_UNKNOWN, OWNER_ALIVE, OWNER_EXEC, OWNER_GONE };

static const char * const owner_tokens[] = {
	[OWNER_UNKNOWN] = NULL,
	[OWNER_ALIVE] = "alive",
	[OWNER_EXEC] = "exec",
	[OWNER_GONE] = "gone",
};

/**
 * struct state - what is true now of a call that took pages
 * @time_ns: now
 * @owner: what became of the process whose memory it is
 * @same: pages that are mapped at their addresses still
 * @changed: pages at whose addresses others are mapped
 * @unmapped: pages at whose addresses nothing is mapped
 * @put: pages whose counts say that a pin was dropped as a reference
 * @untold: pages of which this kernel does not tell that
 * @stale: pages whose counts say that they have no pin any more: it was given back unseen
 * @looked: pages that were looked at
 */
struct state {
	u64 time_ns;
	enum owner owner;
	unsigned long same;
	unsigned long changed;
	unsigned long unmapped;
	unsigned long put;
	unsigned long untold;
	unsigned long stale;
	unsigned long looked;
};

/**
 * struct pin - a call that took pages, as it is printed
 * @entry: the call
 * @runs: what it took
 * @nr_runs: how many
 * @driver: who made it
 * @ways: where snapshots have their ways
 * @now: what is true now
 */
struct pin {
	struct gw_ledger_entry entry;
	struct gw_ledger_run runs[RUNS_MAX];
	unsigned int nr_runs;
	char driver[GW_DRIVER_MAX];
	struct gw_path ways[WAYS];
	struct state now;
};

/**
 * struct pins_file - an open file
 * @ledger: the ledger, from start to stop; NULL: nobody observes
 * @json: how it is printed
 * @place: of the entry in @pin
 * @wrong: the mistake at the position
 * @driver: who made it
 * @is_wrong: it is one
 * @pin: the entry at the position
 */
struct pins_file {
	struct gw_ledger *ledger;
	bool json;
	unsigned long place;
	struct gw_ledger_wrong wrong;
	char driver[GW_DRIVER_MAX];
	bool is_wrong;
	struct pin pin;
};

/* ---- what is true now ---- */

/**
 * struct counts - who has references on a folio
 * @refs: all, but ours
 * @pins: pins
 * @needs: references that the pins, the mappings, a cache and the file system must have; -1: this
 *	kernel does not tell how often a large folio is mapped
 */
struct counts {
	int refs;
	int pins;
	int needs;
};

/* What a cache or a file system has. Of hugetlb it may be less than it has, never more. */
static int others_need(struct folio *folio)
{
	bool cached = folio_test_anon(folio) ? folio_test_swapcache(folio) :
					       !!gw_folio_mapping(folio);
	int needs = 0;

	if (cached)
		needs += PageHuge(&folio->page) ? 1 : 1 << folio_order(folio);
	if (folio_test_private(folio))
		needs++;
	return needs;
}

/* A pin of a small folio is GUP_PIN_COUNTING_BIAS references, one of a large folio is one. */
static void count_once(struct folio *folio, struct counts *counts)
{
	int bias = GUP_PIN_COUNTING_BIAS, maps = gw_folio_mapcount(folio);

	counts->refs = folio_ref_count(folio) - 1;
	counts->pins = gw_folio_pins(folio);
	counts->needs = maps < 0 ? -1 : maps + others_need(folio) +
			counts->pins * (gw_folio_has_pincount(folio) ? 1 : bias);
}

/*
 * Read twice: between two looks a mapping may go, and with it its reference. A reference of ours
 * keeps the folio as it is; a page that nobody has gives none.
 */
static bool read_counts(struct folio *folio, struct page *page, struct counts *counts)
{
	struct counts again;
	bool same;

	if (!gw_folio_try_get(folio))
		return false;
	same = folio == page_folio(page);
	count_once(folio, counts);
	/* the second look comes after the first */
	smp_rmb();
	count_once(folio, &again);
	put_page(&folio->page);
	return same && !memcmp(counts, &again, sizeof(again));
}

/* Who maps pages of a file counts the mappings before the references (filemap_map_pages()). */
static bool lacks_still(struct folio *folio, struct page *page)
{
	struct counts counts;

	usleep_range(50, 100);
	return read_counts(folio, page, &counts) && counts.refs < counts.needs;
}

/* Fewer references than all together need: somebody dropped one that was not his. */
static void look_at_counts(struct pin *pin, struct page *page)
{
	struct folio *folio = page_folio(page);
	struct counts counts;

	if (!read_counts(folio, page, &counts)) {
		/* free */
		if (!folio_ref_count(folio))
			pin->now.stale++;
		return;
	}
	if (counts.pins < 1)
		pin->now.stale++;
	else if (counts.needs < 0)
		pin->now.untold++;
	else if (counts.refs < counts.needs && lacks_still(folio, page))
		pin->now.put++;
}

static void look_at_mapping(struct pin *pin, struct mm_struct *mm, unsigned long addr, u64 pfn)
{
	struct gw_snapshot snap;
	struct gw_walk walk;

	gw_walk_begin(&walk, pin->ways, WAYS);
	gw_walk_range(&walk, mm, NULL, addr, 1, &snap);
	if (!gw_snapshot_maps_page(&snap))
		pin->now.unmapped++;
	else if (snap.pfn == pfn)
		pin->now.same++;
	else
		pin->now.changed++;
}

static void look_at_page(struct pin *pin, struct mm_struct *mm, const struct gw_ledger_run *run,
			 unsigned long i)
{
	struct page *page = pfn_to_online_page(run->pfn + i);

	pin->now.looked++;
	if (mm && run->addr)
		look_at_mapping(pin, mm, run->addr + i * PAGE_SIZE, run->pfn + i);
	/* a page of zeros is never pinned (since v6.5), whoever asks */
	if (page && pin->entry.op->pins && !is_zero_pfn(run->pfn + i))
		look_at_counts(pin, page);
}

static void look_at_pages(struct pin *pin, struct mm_struct *mm)
{
	unsigned int i;
	unsigned long j;

	for (i = 0; i < pin->nr_runs; i++)
		for (j = 0; j < pin->runs[i].nr && pin->now.looked < PAGES_MAX; j++)
			look_at_page(pin, mm, &pin->runs[i], j);
}

/*
 * The memory of a process, whichever of its threads has it still: the first may have ended before
 * the others. Context: RCU read locked.
 */
static struct mm_struct *mm_of_process(struct task_struct *task)
{
	struct mm_struct *mm = NULL;
	struct task_struct *thread;

	for_each_thread(task, thread) {
		mm = get_task_mm(thread);
		if (mm)
			break;
	}
	return mm;
}

/* Notes what has become of the owner. Return: its memory, with a reference, if it is the same. */
static struct mm_struct *find_owner(struct pin *pin)
{
	const struct gw_process *was = &pin->entry.owner;
	struct gw_process is = { };
	struct mm_struct *mm = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = was->tgid ? pid_task(find_pid_ns(was->tgid, &init_pid_ns), PIDTYPE_TGID) : NULL;
	if (task)
		gw_process_of(task, &is);
	if (!was->tgid)
		pin->now.owner = OWNER_UNKNOWN;
	else if (is.tgid != was->tgid || is.start_time != was->start_time)
		pin->now.owner = OWNER_GONE;
	else if (is.exec_id != was->exec_id)
		pin->now.owner = OWNER_EXEC;
	else
		mm = mm_of_process(task);
	if (mm)
		pin->now.owner = OWNER_ALIVE;
	else if (pin->now.owner == OWNER_ALIVE)
		/* on its way out */
		pin->now.owner = OWNER_GONE;
	rcu_read_unlock();
	return mm;
}

static void look(struct pin *pin)
{
	struct mm_struct *mm;

	pin->now = (struct state){ .time_ns = ktime_get_ns(), .owner = OWNER_ALIVE };
	mm = find_owner(pin);
	if (mm && mmap_read_lock_killable(mm)) {
		mmput(mm);
		mm = NULL;
	}
	look_at_pages(pin, mm);
	if (mm) {
		mmap_read_unlock(mm);
		mmput(mm);
	}
}

/*
 * What is given back meanwhile is taken off the ledger first: if that has not changed, the pins
 * were there all the time. Return: false if they are gone, or come and go too fast.
 */
static bool look_until_same(struct pins_file *file)
{
	struct pin *pin = &file->pin;
	unsigned int tries = 0, nr_runs, i;

	for (i = 0; pin->entry.op->pins && i < pin->nr_runs; i++)
		gw_ledger_settle(file->ledger, pin->runs[i].pfn);
	do {
		nr_runs = RUNS_MAX;
		if (gw_ledger_read(file->ledger, file->place, &pin->entry, pin->runs,
				   &nr_runs) <= 0)
			return false;
		pin->nr_runs = nr_runs;
		look(pin);
	} while (gw_ledger_left(file->ledger, file->place, pin->entry.seq) != pin->entry.left &&
		 tries++ < GW_WALK_RETRIES);
	return tries <= GW_WALK_RETRIES;
}

/* ---- fields ---- */

#define GET(name, slot, expression)					\
static void name(const void *object, struct gw_value *value)		\
{									\
	const struct pin *o = object;					\
									\
	value->slot = (expression);					\
}

#define GET_IF(name, condition, slot, expression)			\
static void name(const void *object, struct gw_value *value)		\
{									\
	const struct pin *o = object;					\
									\
	value->null = !(condition);					\
	if (!value->null)						\
		value->slot = (expression);				\
}

static bool sees_mapping(const struct pin *pin)
{
	return pin->now.owner == OWNER_ALIVE && pin->entry.addr;
}

static void pin_what(const void *object, struct gw_value *value)
{
	const struct pin *o = object;

	value->string = o->entry.op->pins ? "pin" : "reference";
}

static void pin_flags(const void *object, struct gw_value *value)
{
	const struct pin *o = object;

	value->names = gw_flag_names;
	value->word = o->entry.flags;
}

GET(pin_seq, number, o->entry.seq)
GET(pin_op, string, o->entry.op->name)
GET(pin_driver, string, o->driver)
GET_IF(pin_tgid, o->entry.owner.tgid, number, o->entry.owner.tgid)
GET(pin_owner, string, owner_tokens[o->now.owner])
GET(pin_caller, number, o->entry.pid)
GET(pin_comm, string, o->entry.comm)
GET(pin_time, number, o->entry.time_ns)
GET(pin_age, number, o->now.time_ns - o->entry.time_ns)
GET(pin_addr, address, o->entry.addr)
GET(pin_pages, number, o->entry.nr)
GET_IF(pin_left, o->entry.op->pins, number, o->entry.left)
GET(pin_looked, number, o->now.looked)
GET_IF(pin_same, sees_mapping(o), number, o->now.same)
GET_IF(pin_changed, sees_mapping(o), number, o->now.changed)
GET_IF(pin_unmapped, sees_mapping(o), number, o->now.unmapped)
GET_IF(pin_put, o->entry.op->pins && (o->now.put || !o->now.untold), number, o->now.put)
GET_IF(pin_stale, o->entry.op->pins, number, o->now.stale)
GET(pin_stack, stack, &o->entry.stack)

static const struct gw_field pin_fields[] = {
	{ "what", GW_STRING, pin_what },
	{ "seq", GW_NUMBER, pin_seq },
	{ "time_ns", GW_NUMBER, pin_time },
	{ "age_ns", GW_NUMBER, pin_age },
	{ "op", GW_STRING, pin_op },
	{ "flags", GW_NAMES, pin_flags },
	{ "driver", GW_TEXT, pin_driver },
	{ "caller_pid", GW_NUMBER, pin_caller },
	{ "caller_comm", GW_TEXT, pin_comm },
	{ "tgid", GW_NUMBER, pin_tgid },
	{ "owner", GW_STRING, pin_owner },
	{ "addr", GW_ADDRESS, pin_addr },
	{ "nr_pages", GW_NUMBER, pin_pages },
	{ "pages_left", GW_NUMBER, pin_left },
	{ "looked_at", GW_NUMBER, pin_looked },
	{ "mapped", GW_NUMBER, pin_same },
	{ "replaced", GW_NUMBER, pin_changed },
	{ "unmapped", GW_NUMBER, pin_unmapped },
	{ "put_wrongly", GW_NUMBER, pin_put },
	{ "unpinned_unseen", GW_NUMBER, pin_stale },
	{ "stack", GW_STACK, pin_stack },
	{ }
};

static void wrong_what(const void *object, struct gw_value *value)
{
	value->string = "wrong-unpin";
}

#define GET_WRONG(name, slot, expression)				\
static void name(const void *object, struct gw_value *value)		\
{									\
	const struct pins_file *o = object;				\
									\
	value->slot = (expression);					\
}

GET_WRONG(wrong_time, number, o->wrong.time_ns)
GET_WRONG(wrong_pfn, number, o->wrong.pfn)
GET_WRONG(wrong_nr, number, o->wrong.nr)
GET_WRONG(wrong_driver, string, o->driver)
GET_WRONG(wrong_pid, number, o->wrong.pid)
GET_WRONG(wrong_comm, string, o->wrong.comm)
GET_WRONG(wrong_stack, stack, &o->wrong.stack)

static void wrong_op(const void *object, struct gw_value *value)
{
	const struct pins_file *o = object;

	value->string = o->wrong.got ? o->wrong.taken.op->name : NULL;
}

static void wrong_seq(const void *object, struct gw_value *value)
{
	const struct pins_file *o = object;

	value->null = !o->wrong.got;
	value->number = o->wrong.taken.seq;
}

static void wrong_taken(const void *object, struct gw_value *value)
{
	const struct pins_file *o = object;

	value->null = !o->wrong.got;
	value->stack = &o->wrong.taken.stack;
}

static const struct gw_field wrong_fields[] = {
	{ "what", GW_STRING, wrong_what },
	{ "time_ns", GW_NUMBER, wrong_time },
	{ "pfn", GW_NUMBER, wrong_pfn },
	{ "nr_pages", GW_NUMBER, wrong_nr },
	{ "driver", GW_TEXT, wrong_driver },
	{ "caller_pid", GW_NUMBER, wrong_pid },
	{ "caller_comm", GW_TEXT, wrong_comm },
	{ "stack", GW_STACK, wrong_stack },
	{ "taken_seq", GW_NUMBER, wrong_seq },
	{ "taken_by", GW_STRING, wrong_op },
	{ "taken_stack", GW_STACK, wrong_taken },
	{ }
};

/* ---- the files ---- */

/* The next place that has something; after the last one come the mistakes. */
static bool seek(struct pins_file *file, loff_t *pos)
{
	unsigned int nr_runs = RUNS_MAX, i = 0;
	int found = 0;

	if (!file->ledger)
		return false;
	for (;; ++*pos) {
		nr_runs = RUNS_MAX;
		found = gw_ledger_read(file->ledger, *pos, &file->pin.entry, file->pin.runs,
				       &nr_runs);
		if (found)
			break;
	}
	file->pin.nr_runs = nr_runs;
	file->is_wrong = found < 0;
	file->place = *pos;
	if (!file->is_wrong)
		return true;
	i = *pos - gw_ledger_places(file->ledger);
	return gw_ledger_read_wrong(file->ledger, i, &file->wrong);
}

static void *pins_start(struct seq_file *m, loff_t *pos)
{
	struct pins_file *file = m->private;

	file->ledger = gw_observe_ledger();
	return seek(file, pos) ? file : NULL;
}

static void *pins_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return seek(v, pos) ? v : NULL;
}

static void pins_stop(struct seq_file *m, void *v)
{
	struct pins_file *file = m->private;

	gw_ledger_put(file->ledger);
	file->ledger = NULL;
}

static void print(struct seq_file *m, const struct pins_file *file, const char *title,
		  const struct gw_field *fields, const void *object)
{
	if (!file->json) {
		gw_text_object(m, title, fields, object);
		return;
	}
	gw_json_object(m, fields, object);
	seq_putc(m, '\n');
}

static int pins_show(struct seq_file *m, void *v)
{
	struct pins_file *file = v;
	struct pin *pin = &file->pin;

	if (file->is_wrong) {
		gw_stack_driver(&file->wrong.stack, file->driver);
		print(m, file, "wrong:", wrong_fields, file);
		return 0;
	}
	if (!look_until_same(file))
		return SEQ_SKIP;
	gw_stack_driver(&pin->entry.stack, pin->driver);
	print(m, file, "pin:", pin_fields, pin);
	return 0;
}

static const struct seq_operations pins_ops = {
	.start = pins_start,
	.next = pins_next,
	.stop = pins_stop,
	.show = pins_show,
};

static int open_pins(struct file *file, bool json)
{
	struct pins_file *pins;
	int ret = gw_check_opener();

	if (ret)
		return ret;
	pins = __seq_open_private(file, &pins_ops, sizeof(*pins));
	if (!pins)
		return -ENOMEM;
	pins->json = json;
	return 0;
}

static int pins_open(struct inode *inode, struct file *file)
{
	return open_pins(file, false);
}

static int pins_json_open(struct inode *inode, struct file *file)
{
	return open_pins(file, true);
}

const struct file_operations gw_pins_fops = {
	.owner = THIS_MODULE,
	.open = pins_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

const struct file_operations gw_pins_json_fops = {
	.owner = THIS_MODULE,
	.open = pins_json_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};
