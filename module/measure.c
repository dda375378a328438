// SPDX-License-Identifier: GPL-2.0-only
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "arch.h"
#include "compat.h"
#include "measure.h"
#include "outcome.h"
#include "walk.h"

/**
 * struct gw_measurement - one request being served
 * @request: the request
 * @error: why it is refused
 * @record: what becomes of it
 * @call: arguments and result of the kernel call
 * @locked: the mmap lock is held
 * @obtained: pages that it obtained
 * @walk: takes the snapshots
 * @walked: elements of a walk
 */
struct gw_measurement {
	const struct gw_request *request;
	struct gw_error *error;
	struct gw_record *record;
	struct gw_call call;
	bool locked;
	unsigned long obtained;
	struct gw_walk *walk;
	unsigned int walked;
};

/*
 * The snapshots of a walk: an element for each entry, up to the end of the VMA, of the range, or
 * of the record.
 */
static noinline void walk_entries(struct gw_measurement *m)
{
	struct vm_area_struct *vma = m->call.vma;
	struct gw_record *record = m->record;
	unsigned long addr = m->call.addr;
	unsigned long start = addr & PAGE_MASK;
	unsigned long end = min(vma->vm_end, start + (m->call.nr_pages << PAGE_SHIFT));
	unsigned int i;

	for (i = 0; i < record->nr && addr < end; i++) {
		unsigned long size;

		gw_walk_one(m->walk, vma, addr, &record->before[i]);
		record->results[i].addr = addr;
		size = 1UL << record->before[i].shift;
		/*
		 * The last entry below the end of the address space wraps to 0: min() below must
		 * not see that.
		 */
		addr = min(end - 1, addr | (size - 1)) + 1;
	}
	m->walked = i;
	record->ret = (min(addr, end) - start) >> PAGE_SHIFT;
}

static noinline void explain(struct gw_measurement *m)
{
	gw_outcome_explain(m->record, m->call.mm);
}

static void note_result(struct gw_measurement *m)
{
	struct gw_record *record = m->record;

	m->obtained = gw_outcome_note(record, m->call.fault, m->call.pages);
	if (m->call.has_pfn) {
		record->results[0].has_pfn = true;
		record->results[0].pfn = m->call.pfn;
	}
}

static inline int lock(struct gw_measurement *m)
{
	int ret = 0;

	if (!mmap_read_trylock(m->request->mm))
		ret = mmap_read_lock_killable(m->request->mm);
	m->locked = !ret;
	return ret;
}

static inline void unlock(struct gw_measurement *m)
{
	if (m->locked)
		mmap_read_unlock(m->request->mm);
	m->locked = false;
}

/* With the lock that the op wants, and with the lock held again after it. */
static int make_call(struct gw_measurement *m)
{
	const struct gw_op *op = m->request->op;
	struct gw_record *record = m->record;

	if (op->unlocked)
		unlock(m);
	m->call.locked = m->locked;
	record->time_ns = ktime_get_ns();
	record->ret = op->call(&m->call);
	record->duration_ns = ktime_get_ns() - record->time_ns;
	m->locked = m->call.locked;
	/* Others may have been at the VMAs. */
	if (!m->locked || m->call.dropped)
		m->call.vma = NULL;
	record->lock = op->unlocked ? GW_LOCK_NOT_HELD :
		       m->call.dropped ? GW_LOCK_DROPPED : GW_LOCK_KEPT;
	note_result(m);
	return m->locked ? 0 : lock(m);
}

/* Walk, call, walk. */
static int measure_call(struct gw_measurement *m)
{
	const struct gw_request *r = m->request;
	struct gw_record *record = m->record;
	int ret;

	gw_walk_range(m->walk, r->mm, m->call.vma, r->addr, r->nr_pages, record->before);
	ret = make_call(m);
	if (ret)
		return ret;
	gw_walk_range(m->walk, r->mm, m->call.vma, r->addr, r->nr_pages, record->after);
	if (gw_outcome_fell_short(m->record, m->call.length))
		explain(m);
	return 0;
}

/* Of a request that does not say how many: all up to the end of the page. */
static long bytes_to_copy(const struct gw_measurement *m)
{
	return m->call.length ?: PAGE_SIZE - offset_in_page(m->call.addr);
}

/* A hole in the address space. */
static void predict_hole(struct gw_measurement *m, const struct gw_case *c)
{
	if (gw_vma_stack_above(m->call.mm, m->request->task, c->addr)) {
		m->record->outlook = GW_OUTLOOK_CANNOT_TELL;
		m->record->doubt = "no VMA here, but a stack above, which a call may make grow: "
				   "access_process_vm does, and get_user_pages did up to Linux 6.4";
		return;
	}
	m->record->outlook = GW_OUTLOOK_FAILS;
	m->record->reason = gw_rule_find(c);
}

/* Up to the first page that would fail; what follows would not be looked at. */
static noinline void predict(struct gw_measurement *m)
{
	struct gw_record *record = m->record;
	struct gw_case c = {
		.op = record->op,
		.flags = record->flags,
		.foreign = record->op->remote || m->call.mm != current->mm,
	};
	unsigned int i;

	record->time_ns = ktime_get_ns();
	gw_walk_range(m->walk, m->call.mm, m->call.vma, m->call.addr, m->call.nr_pages,
		      record->before);
	record->outlook = GW_OUTLOOK_WORKS;
	for (i = 0; i < record->nr; i++) {
		struct gw_prediction p;

		c.addr = record->results[i].addr;
		c.vma = gw_vma_lookup(m->call.mm, c.addr);
		c.before = &record->before[i];
		if (!c.vma)
			break;
		p = gw_predict(&c);
		record->results[i].predicted = p.causes;
		record->doubt = record->doubt ?: p.doubt;
		if (p.outlook == GW_OUTLOOK_WORKS)
			continue;
		record->outlook = p.outlook;
		record->reason = p.rule;
		break;
	}
	if (i < record->nr && !c.vma)
		predict_hole(m, &c);
	if (record->reason)
		record->advice = gw_rule_advice(record->reason, &c);
	record->ret = record->op->release ? i : record->op->copies ? bytes_to_copy(m) : 0;
	if (record->outlook != GW_OUTLOOK_FAILS)
		return;
	record->ret = record->op->release ? i : 0;
	if (!i && record->reason)
		record->error = -gw_rule_error(record->reason, record->op);
	if (record->error)
		record->ret = -record->error;
}

static int measure_locked(struct gw_measurement *m)
{
	const struct gw_request *r = m->request;
	const char *refused;
	bool mapped;
	int ret;

	m->call.vma = gw_vma_lookup(r->mm, r->addr);
	mapped = m->call.vma;
	if (!mapped && r->predict)
		m->call.vma = gw_vma_stack_above(r->mm, r->task, r->addr);
	if (!m->call.vma)
		return gw_request_refuse(r, m->error, "addr", -EFAULT, "no VMA at 0x%lx", r->addr);
	refused = mapped && r->op->check ? r->op->check(&m->call) : NULL;
	if (refused)
		return gw_request_refuse(r, m->error, r->flags ? "flags" : "op", -EINVAL, "%s",
					 refused);
	ret = gw_vma_copy(m->call.vma, &m->record->vma);
	if (ret)
		return ret;
	gw_outcome_name_pages(m->record);
	if (r->predict) {
		predict(m);
		return 0;
	}
	if (r->op->family != GW_FAMILY_WALK)
		return measure_call(m);
	m->record->time_ns = ktime_get_ns();
	walk_entries(m);
	return 0;
}

/*
 * Reads and writes the first obtained page through the kernel's own mapping of it, as a driver
 * would; an op that copies has done so itself.
 */
static noinline void peek_and_poke(struct gw_measurement *m)
{
	const struct gw_request *r = m->request;
	struct gw_record *record = m->record;
	struct page *page;
	char *bytes;

	if (r->op->copies && r->peek && !r->predict && record->ret > 0)
		record->peek_len = record->ret;
	if (!r->op->release || !m->obtained || !m->call.pages[0])
		return;
	page = m->call.pages[0];
	bytes = gw_kmap_local_page(page) + offset_in_page(r->addr);
	if (record->peek) {
		memcpy(record->peek, bytes, r->peek);
		record->peek_len = r->peek;
	}
	if (r->poke) {
		memcpy(bytes, r->poke, strlen(r->poke));
		flush_dcache_page(page);
	}
	gw_kunmap_local(bytes);
	/* At once: by the time a held page is given back its filesystem may have cleaned it. */
	if (r->poke)
		set_page_dirty_lock(page);
}

/* How many there is room for; the elements of a walk may be fewer than its pages. */
static unsigned int nr_pages(const struct gw_request *r)
{
	return r->nr_pages > 1 ? min_t(unsigned long, r->nr_pages, gw_pages_max()) : 1;
}

/*
 * How many ways there may be to the pages: two for each PTE table of the range, as a call may put
 * another in its place, some more for what others do meanwhile, and one that gw_walk_begin() wants.
 * The elements of a walk may be large.
 */
static unsigned int nr_ways(const struct gw_request *r)
{
	unsigned long last = r->addr + ((r->nr_pages - 1) << PAGE_SHIFT);
	unsigned long tables = (last >> PMD_SHIFT) - (r->addr >> PMD_SHIFT) + 1;
	unsigned long snapshots = 2 * r->nr_pages;

	if (r->op->family == GW_FAMILY_WALK)
		return nr_pages(r) + 1;
	if (snapshots < 8)
		return snapshots + 1;
	return min(snapshots, 2 * tables + 8) + 1;
}

static int create_record(struct gw_measurement *m)
{
	const struct gw_request *r = m->request;
	bool walk = r->op->family == GW_FAMILY_WALK;
	struct gw_record *record;

	record = gw_record_create(nr_pages(r), nr_ways(r), !walk && !r->predict);
	if (!record)
		return -ENOMEM;
	gw_walk_begin(m->walk, record->ways, record->nr_ways);
	m->record = record;
	record->op = r->op;
	record->impl = r->op->impl;
	record->pid = r->pid;
	record->tgid = r->tgid;
	memcpy(record->comm, r->comm, sizeof(record->comm));
	memcpy(record->label, r->label, sizeof(record->label));
	record->addr = r->addr;
	record->nr_pages = r->nr_pages;
	record->flags = r->flags;
	if (r->peek) {
		record->peek = kzalloc(r->peek, GFP_KERNEL_ACCOUNT);
		if (!record->peek)
			return -ENOMEM;
	}
	return 0;
}

static struct gw_hold *create_hold(const struct gw_request *r)
{
	struct gw_hold *hold;

	hold = kvmalloc(struct_size(hold, pages, r->nr_pages), GFP_KERNEL_ACCOUNT);
	if (hold)
		*hold = (struct gw_hold){ .op = r->op };
	return hold;
}

/*
 * A file system with DAX waits for who has its pages when it frees their blocks, or warns
 * (dax_disassociate_entry(), fs/dax.c): that is why it takes no FOLL_LONGTERM.
 */
static bool has_device_memory(const struct gw_measurement *m)
{
	unsigned long i;

	for (i = 0; i < m->obtained; i++)
		if (m->call.pages[i] && is_zone_device_page(m->call.pages[i]))
			return true;
	return false;
}

/* Keep the obtained pages for the descriptor, or give them back. */
static void settle_pages(struct gw_measurement *m, struct gw_hold *hold, struct list_head *holds)
{
	const struct gw_request *r = m->request;

	if (hold && m->obtained && !has_device_memory(m)) {
		gw_pins_unreserve(r->nr_pages - m->obtained);
		hold->nr = m->obtained;
		list_add_tail(&hold->node, holds);
		m->record->held = true;
		return;
	}
	if (m->obtained)
		r->op->release(m->call.pages, m->obtained);
	if (hold) {
		gw_pins_unreserve(r->nr_pages);
		kvfree(hold);
	}
}

static int allocate(struct gw_measurement *m, struct gw_hold **hold)
{
	const struct gw_request *r = m->request;

	if (create_record(m))
		return -ENOMEM;
	if (r->peek || r->poke) {
		m->call.buffer = r->peek ? (void *)m->record->peek : (void *)r->poke;
		m->call.length = r->peek ?: strlen(r->poke);
	}
	m->call.pages = m->record->pages;
	if (!r->hold || r->predict)
		return 0;
	if (!gw_pins_reserve(r->nr_pages))
		return gw_request_refuse(r, m->error, "hold", -ENOSPC,
					 "more than pins_max pages held (module parameter)");
	*hold = create_hold(r);
	if (!*hold) {
		gw_pins_unreserve(r->nr_pages);
		return -ENOMEM;
	}
	m->call.pages = (*hold)->pages;
	return 0;
}

/* Allocates all that the call needs, so that nothing can fail once it was made. */
static int prepare(struct gw_measurement *m, struct gw_hold **hold)
{
	int ret = allocate(m, hold);

	if (!ret && m->request->op->release && !m->request->predict)
		gw_gup_prepare(m->call.pages, m->request->nr_pages);
	return ret;
}

int gw_measure(const struct gw_request *request, struct list_head *holds,
	       struct gw_record **recordp, struct gw_error *error)
{
	struct gw_walk walk __uninitialized;
	struct gw_measurement m = {
		.request = request,
		.error = error,
		.call = {
			.task = request->task,
			.mm = request->mm,
			.addr = request->addr,
			.nr_pages = request->nr_pages,
			.flags = request->flags,
			.holds = holds,
		},
		.walk = &walk,
	};
	struct gw_hold *hold = NULL;
	u64 start = ktime_get_ns();
	int ret;

	ret = prepare(&m, &hold);
	if (!ret)
		ret = lock(&m);
	if (!ret) {
		ret = measure_locked(&m);
		unlock(&m);
	}
	if (!ret && (request->peek || request->poke))
		peek_and_poke(&m);
	if (m.record)
		settle_pages(&m, hold, holds);
	if (ret) {
		gw_record_put(m.record);
		return ret;
	}
	if (request->op->family == GW_FAMILY_WALK)
		m.record = gw_record_trim(m.record, m.walked, gw_walk_used(&walk) + 1);
	gw_records_add(m.record, request->keep, start);
	*recordp = m.record;
	return 0;
}

void gw_holds_release(struct list_head *holds)
{
	struct gw_hold *hold, *next;

	list_for_each_entry_safe(hold, next, holds, node) {
		list_del(&hold->node);
		/* The pin that is still there keeps the page, so there is one to take. */
		if (hold->put)
			get_page(hold->put);
		hold->op->release(hold->pages, hold->nr);
		gw_pins_unreserve(hold->nr);
		kvfree(hold);
	}
}
