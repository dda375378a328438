// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/mm.h>

#include "compat.h"
#include "fields.h"

/* A getter that reads one member, or an expression, of an object @o. */
#define GET(name, type, slot, expression)				\
static void name(const void *object, struct gw_value *value)		\
{									\
	const type *o = object;						\
									\
	value->slot = (expression);					\
}

/* The same, with the condition under which there is a value at all. */
#define GET_IF(name, type, condition, slot, expression)			\
static void name(const void *object, struct gw_value *value)		\
{									\
	const type *o = object;						\
									\
	value->null = !(condition);					\
	if (!value->null)						\
		value->slot = (expression);				\
}

/* Names of bits. */
#define GET_NAMES(getter, type, table, expression)			\
static void getter(const void *object, struct gw_value *value)		\
{									\
	const type *o = object;						\
									\
	value->names = (table);						\
	value->word = (expression);					\
}

/* ---- page ---- */

GET_NAMES(page_flags, struct gw_page, gw_page_flag_names, o->flags)
GET(page_refcount, struct gw_page, number, o->refcount)
GET(page_mapcount_get, struct gw_page, number, o->mapcount)
GET(page_pincount, struct gw_page, number, gw_page_pincount(o))
GET(page_pincount_exact, struct gw_page, truth, o->pincount_exact)
GET(page_anon, struct gw_page, truth, o->anon)
GET_IF(page_anon_exclusive, struct gw_page, GW_HAVE_ANON_EXCLUSIVE, truth, o->anon_exclusive)
GET(page_zero, struct gw_page, truth, o->zero)
GET(page_ksm, struct gw_page, truth, o->ksm)
GET(page_head_pfn, struct gw_page, number, o->head_pfn)
GET(page_order, struct gw_page, number, o->order)
GET(page_nid, struct gw_page, number, o->nid)
GET(page_zone_name, struct gw_page, string, gw_page_zone_name(o))

const struct gw_field gw_page_fields[] = {
	{ "flags", GW_NAMES, page_flags },
	{ "refcount", GW_NUMBER, page_refcount },
	{ "mapcount", GW_NUMBER, page_mapcount_get },
	{ "pincount", GW_NUMBER, page_pincount },
	{ "pincount_exact", GW_BOOL, page_pincount_exact },
	{ "anon", GW_BOOL, page_anon },
	{ "anon_exclusive", GW_BOOL, page_anon_exclusive },
	{ "zero", GW_BOOL, page_zero },
	{ "ksm", GW_BOOL, page_ksm },
	{ "head_pfn", GW_NUMBER, page_head_pfn },
	{ "order", GW_NUMBER, page_order },
	{ "nid", GW_NUMBER, page_nid },
	{ "zone", GW_STRING, page_zone_name },
	{ }
};

/* ---- level ---- */

static const char * const level_tokens[GW_NR_LEVELS] = {
	[GW_PGD] = "pgd", [GW_P4D] = "p4d", [GW_PUD] = "pud", [GW_PMD] = "pmd", [GW_PTE] = "pte",
};

const char *gw_level_name(enum gw_level level)
{
	return level_tokens[level];
}

struct gw_level_view gw_level_view_make(const struct gw_snapshot *snap, enum gw_level level)
{
	struct gw_entry entries[GW_NR_LEVELS];

	gw_snapshot_entries(snap, entries);
	return (struct gw_level_view){ .snap = snap, .level = level, .entry = entries[level] };
}

/*
 * The slot's place in its table. A table need not be a page: the top one of arm64 may be smaller.
 */
static u64 slot_index(const struct gw_level_view *view, enum gw_level level)
{
	return (view->entry.entry / sizeof(u64)) & (gw_arch_level_entries(level) - 1);
}

static u64 view_index(const struct gw_level_view *view)
{
	return gw_arch_level_folded(view->level) ? 0 : slot_index(view, view->level);
}

/* A folded level has no table of its own: its entry is that of the level above. */
static u64 view_table(const struct gw_level_view *view)
{
	enum gw_level real = view->level;

	while (gw_arch_level_folded(real))
		real--;
	return view->entry.entry - slot_index(view, real) * sizeof(u64);
}

static enum gw_entry_kind view_kind(const struct gw_level_view *view)
{
	if (view->level + 1 < view->snap->nr_levels)
		return GW_ENTRY_TABLE;
	if (view->level == view->snap->leaf)
		return GW_ENTRY_LEAF;
	return view->snap->state == GW_BAD ? GW_ENTRY_TABLE : GW_ENTRY_ABSENT;
}

GET(level_name, struct gw_level_view, string, level_tokens[o->level])
GET(level_folded, struct gw_level_view, truth, gw_arch_level_folded(o->level))
GET(level_index, struct gw_level_view, number, view_index(o))
GET(level_table, struct gw_level_view, address, view_table(o))
GET(level_entry, struct gw_level_view, address, o->entry.entry)
GET(level_value, struct gw_level_view, address, o->entry.value)
GET_NAMES(level_flags, struct gw_level_view, gw_arch_entry_names(o->level, view_kind(o)),
	  o->entry.value)

const struct gw_field gw_level_fields[] = {
	{ "name", GW_STRING, level_name },
	{ "folded", GW_BOOL, level_folded },
	{ "index", GW_NUMBER, level_index },
	{ "table", GW_ADDRESS, level_table },
	{ "entry", GW_ADDRESS, level_entry },
	{ "value", GW_ADDRESS, level_value },
	{ "flags", GW_NAMES, level_flags },
	{ }
};

/* ---- snapshot ---- */

static const char * const state_tokens[GW_NR_STATES] = {
	[GW_NONE] = "none",
	[GW_PRESENT] = "present",
	[GW_PROTNONE] = "protnone",
	[GW_SWAP] = "swap",
	[GW_MIGRATION] = "migration",
	[GW_MARKER] = "marker",
	[GW_DEVICE] = "device",
	[GW_BAD] = "bad",
	[GW_NOVMA] = "novma",
	[GW_UNREAD] = "unread",
};

static const char * const marker_tokens[GW_NR_MARKERS] = {
	[GW_MARKER_UFFD_WP] = "uffd-wp",
	[GW_MARKER_POISONED] = "poisoned",
	[GW_MARKER_GUARD] = "guard",
	[GW_MARKER_HWPOISON] = "hwpoison",
	[GW_MARKER_UNKNOWN] = "unknown",
};

const struct gw_name gw_right_names[] = {
	{ "read", GW_RIGHT_READ },
	{ "write", GW_RIGHT_WRITE },
	{ "user", GW_RIGHT_USER },
	{ "exec", GW_RIGHT_EXEC },
	{ }
};

const char *gw_state_name(enum gw_state state)
{
	return state_tokens[state];
}

const char *gw_marker_name(enum gw_marker marker)
{
	return marker_tokens[marker];
}

static bool level_element(const void *array, unsigned int i, union gw_element *element)
{
	const struct gw_snapshot *snap = array;

	if (i >= snap->nr_levels)
		return false;
	element->level = gw_level_view_make(snap, i);
	return true;
}

static u64 contiguous_size(const struct gw_snapshot *snap)
{
	return BIT_ULL(snap->contiguous_shift);
}

GET(snap_levels, struct gw_snapshot, object, o)
GET(snap_state, struct gw_snapshot, string, state_tokens[o->state])
GET_IF(snap_leaf, struct gw_snapshot, o->leaf < GW_NR_LEVELS, string, level_tokens[o->leaf])
GET_IF(snap_size, struct gw_snapshot, o->nr_levels, number, BIT_ULL(o->shift))
GET_IF(snap_contiguous, struct gw_snapshot, o->contiguous_shift, number, contiguous_size(o))
GET_IF(snap_pfn, struct gw_snapshot, gw_snapshot_has_pfn(o), number, o->pfn)
GET_IF(snap_pa, struct gw_snapshot, gw_snapshot_maps_page(o), address, gw_snapshot_pa(o))
GET_NAMES(snap_rights, struct gw_snapshot, gw_right_names, gw_snapshot_rights(o))
GET_IF(snap_swap_type, struct gw_snapshot, o->state == GW_SWAP, number, o->swap_type)
GET_IF(snap_swap_offset, struct gw_snapshot, o->state == GW_SWAP, number, o->swap_offset)
GET(snap_marker, struct gw_snapshot, string, marker_tokens[o->marker])
GET(snap_stable, struct gw_snapshot, truth, o->stable)
GET(snap_retries, struct gw_snapshot, number, o->retries)
GET_IF(snap_page, struct gw_snapshot, o->page.valid, object, &o->page)

const struct gw_field gw_snapshot_fields[] = {
	{ "levels", GW_ARRAY, snap_levels, gw_level_fields, level_element },
	{ "state", GW_STRING, snap_state },
	{ "leaf", GW_STRING, snap_leaf },
	{ "size", GW_NUMBER, snap_size },
	{ "contiguous", GW_NUMBER, snap_contiguous },
	{ "pfn", GW_NUMBER, snap_pfn },
	{ "pa", GW_ADDRESS, snap_pa },
	{ "rights", GW_NAMES, snap_rights },
	{ "swap_type", GW_NUMBER, snap_swap_type },
	{ "swap_offset", GW_NUMBER, snap_swap_offset },
	{ "marker", GW_STRING, snap_marker },
	{ "stable", GW_BOOL, snap_stable },
	{ "retries", GW_NUMBER, snap_retries },
	{ "page", GW_OBJECT, snap_page, gw_page_fields },
	{ }
};

/* ---- page of a record ---- */

static const struct gw_page_result *view_result(const struct gw_page_view *view)
{
	return &view->record->results[view->i];
}

static const struct gw_snapshot *view_before(const struct gw_page_view *view)
{
	return &view->record->before[view->i];
}

static const struct gw_snapshot *view_after(const struct gw_page_view *view)
{
	return view->record->after ? &view->record->after[view->i] : NULL;
}

/* Counts can be compared only if they are the same folio's. */
static bool view_same_folio(const struct gw_page_view *view)
{
	const struct gw_page *before = &view_before(view)->page;

	return view->record->after && before->valid && view_after(view)->page.valid &&
	       before->head_pfn == view_after(view)->page.head_pfn;
}

static int view_pins(const struct gw_page_view *view)
{
	return gw_page_pincount(&view_after(view)->page) -
	       gw_page_pincount(&view_before(view)->page);
}

static int view_references(const struct gw_page_view *view)
{
	return view_after(view)->page.refcount - view_before(view)->page.refcount;
}

static const char *view_cause_token(const struct gw_page_view *view)
{
	return gw_cause_names[gw_record_cause(view->record, view->i)].name;
}

GET(view_addr, struct gw_page_view, address, view_result(o)->addr)
GET(view_before_get, struct gw_page_view, object, view_before(o))
GET_IF(view_after_get, struct gw_page_view, o->record->after, object, view_after(o))
GET_IF(view_cause, struct gw_page_view, o->record->after, string, view_cause_token(o))
GET_IF(view_pfn, struct gw_page_view, view_result(o)->has_pfn, number, view_result(o)->pfn)
GET_IF(view_refcount_delta, struct gw_page_view, view_same_folio(o), number, view_references(o))
GET_IF(view_pincount_delta, struct gw_page_view, view_same_folio(o), number, view_pins(o))

static void view_predicted(const void *object, struct gw_value *value)
{
	const struct gw_page_view *o = object;

	value->null = !o->record->outlook;
	value->names = gw_cause_names;
	value->word = view_result(o)->predicted;
}

const struct gw_field gw_page_view_fields[] = {
	{ "addr", GW_ADDRESS, view_addr },
	{ "before", GW_OBJECT, view_before_get, gw_snapshot_fields },
	{ "after", GW_OBJECT, view_after_get, gw_snapshot_fields },
	{ "cause", GW_STRING, view_cause },
	{ "predicted", GW_NAMES, view_predicted },
	{ "pfn", GW_NUMBER, view_pfn },
	{ "refcount_delta", GW_NUMBER, view_refcount_delta },
	{ "pincount_delta", GW_NUMBER, view_pincount_delta },
	{ }
};

/* ---- VMA ---- */

GET(vma_start, struct gw_vma, address, o->start)
GET(vma_end, struct gw_vma, address, o->end)
GET_NAMES(vma_flags, struct gw_vma, gw_vma_flag_names, o->flags)
GET(vma_pgoff, struct gw_vma, number, o->pgoff)
GET(vma_kind_get, struct gw_vma, string, o->kind)
GET(vma_file, struct gw_vma, string, o->file)

const struct gw_field gw_vma_fields[] = {
	{ "start", GW_ADDRESS, vma_start },
	{ "end", GW_ADDRESS, vma_end },
	{ "flags", GW_NAMES, vma_flags },
	{ "pgoff", GW_NUMBER, vma_pgoff },
	{ "kind", GW_STRING, vma_kind_get },
	{ "file", GW_TEXT, vma_file },
	{ }
};

/* ---- record ---- */

/* errname() is not exported. These are what the calls and their fault handlers return. */
static const char *errno_token(int error)
{
	switch (error) {
	case 0: return NULL;
	case EPERM: return "EPERM";
	case ENOENT: return "ENOENT";
	case EINTR: return "EINTR";
	case EIO: return "EIO";
	case EAGAIN: return "EAGAIN";
	case ENOMEM: return "ENOMEM";
	case EFAULT: return "EFAULT";
	case EBUSY: return "EBUSY";
	case EEXIST: return "EEXIST";
	case EINVAL: return "EINVAL";
	case ENOSPC: return "ENOSPC";
	case EOPNOTSUPP: return "EOPNOTSUPP";
	case EHWPOISON: return "EHWPOISON";
	default: return "other";
	}
}

static const struct gw_name fault_names[] = {
	{ "VM_FAULT_OOM", (__force u32)VM_FAULT_OOM },
	{ "VM_FAULT_SIGBUS", (__force u32)VM_FAULT_SIGBUS },
	{ "VM_FAULT_MAJOR", (__force u32)VM_FAULT_MAJOR },
	{ "VM_FAULT_WRITE", (__force u32)GW_VM_FAULT_WRITE },
	{ "VM_FAULT_HWPOISON", (__force u32)VM_FAULT_HWPOISON },
	{ "VM_FAULT_HWPOISON_LARGE", (__force u32)VM_FAULT_HWPOISON_LARGE },
	{ "VM_FAULT_SIGSEGV", (__force u32)VM_FAULT_SIGSEGV },
	{ "VM_FAULT_NOPAGE", (__force u32)VM_FAULT_NOPAGE },
	{ "VM_FAULT_LOCKED", (__force u32)VM_FAULT_LOCKED },
	{ "VM_FAULT_RETRY", (__force u32)VM_FAULT_RETRY },
	{ "VM_FAULT_FALLBACK", (__force u32)VM_FAULT_FALLBACK },
	{ "VM_FAULT_DONE_COW", (__force u32)VM_FAULT_DONE_COW },
	{ "VM_FAULT_NEEDDSYNC", (__force u32)VM_FAULT_NEEDDSYNC },
	{ "VM_FAULT_COMPLETED", (__force u32)GW_VM_FAULT_COMPLETED },
	{ }
};

static void record_format(const void *object, struct gw_value *value)
{
	value->number = GUPWALK_FORMAT;
}

static void record_fault(const void *object, struct gw_value *value)
{
	const struct gw_record *o = object;

	value->null = !o->op->returns_fault;
	value->names = fault_names;
	value->word = (__force u32)o->fault;
}

static void record_peek(const void *object, struct gw_value *value)
{
	const struct gw_record *o = object;

	value->null = !o->peek_len;
	value->bytes = o->peek;
	value->length = o->peek_len;
}

static bool owner_known(const struct gw_record *record)
{
	return !record->observed || record->observed->owner_known;
}

GET(record_seq, struct gw_record, number, o->seq)
GET(record_time_ns, struct gw_record, number, o->time_ns)
GET(record_run, struct gw_record, string, o->label[0] ? o->label : NULL)
GET(record_op, struct gw_record, string, o->op->name)
GET(record_impl, struct gw_record, string, o->impl)
GET(record_source, struct gw_record, string, o->observed ? "observe" : "request")
GET_IF(record_pid, struct gw_record, owner_known(o), number, o->pid)
GET_IF(record_tgid, struct gw_record, owner_known(o), number, o->tgid)
GET_IF(record_comm, struct gw_record, owner_known(o), string, o->comm)
GET(record_addr, struct gw_record, address, o->addr)
GET(record_nr_pages, struct gw_record, number, o->nr_pages)
GET_NAMES(record_flags, struct gw_record, gw_flag_names, o->flags)
GET_IF(record_ret, struct gw_record, o->outlook != GW_OUTLOOK_CANNOT_TELL, number, o->ret)
GET(record_errno, struct gw_record, string, errno_token(o->error))
GET(record_reason, struct gw_record, string, o->reason ? o->reason->token : NULL)
GET(record_reason_text, struct gw_record, string, o->reason ? o->reason->text : NULL)
GET(record_predicted, struct gw_record, string, gw_outlook_tokens[o->outlook])
GET(record_doubt, struct gw_record, string, o->doubt)
GET(record_advice, struct gw_record, string, o->advice)
GET(record_duration_ns, struct gw_record, number, o->duration_ns)
GET(record_total_ns, struct gw_record, number, o->total_ns)
GET(record_mmap_lock, struct gw_record, string, gw_lock_tokens[o->lock])
GET(record_held, struct gw_record, truth, o->held)
GET_IF(record_vma, struct gw_record, o->vma.kind, object, &o->vma)

const struct gw_field gw_record_fields[] = {
	{ "format", GW_NUMBER, record_format },
	{ "seq", GW_NUMBER, record_seq },
	{ "time_ns", GW_NUMBER, record_time_ns },
	{ "run", GW_TEXT, record_run },
	{ "source", GW_STRING, record_source },
	{ "op", GW_STRING, record_op },
	{ "impl", GW_STRING, record_impl },
	{ "pid", GW_NUMBER, record_pid },
	{ "tgid", GW_NUMBER, record_tgid },
	{ "comm", GW_TEXT, record_comm },
	{ "addr", GW_ADDRESS, record_addr },
	{ "nr_pages", GW_NUMBER, record_nr_pages },
	{ "flags", GW_NAMES, record_flags },
	{ "ret", GW_NUMBER, record_ret },
	{ "errno", GW_STRING, record_errno },
	{ "fault", GW_NAMES, record_fault },
	{ "reason", GW_STRING, record_reason },
	{ "reason_text", GW_STRING, record_reason_text },
	{ "predicted", GW_STRING, record_predicted },
	{ "doubt", GW_STRING, record_doubt },
	{ "advice", GW_STRING, record_advice },
	{ "duration_ns", GW_NUMBER, record_duration_ns },
	{ "total_ns", GW_NUMBER, record_total_ns },
	{ "mmap_lock", GW_STRING, record_mmap_lock },
	{ "held", GW_BOOL, record_held },
	{ "peek", GW_BYTES, record_peek },
	{ "vma", GW_OBJECT, record_vma, gw_vma_fields },
	{ }
};

/* ---- who made an observed call; of a request there is none of it ---- */

static bool left_known(const struct gw_record *record)
{
	return record->observed && record->observed->left_known;
}

GET_IF(observed_pid, struct gw_record, o->observed, number, o->observed->pid)
GET_IF(observed_tgid, struct gw_record, o->observed, number, o->observed->tgid)
GET_IF(observed_comm, struct gw_record, o->observed, string, o->observed->comm)
GET_IF(observed_driver, struct gw_record, o->observed, string, o->observed->driver)
GET_IF(observed_left, struct gw_record, left_known(o), number, o->observed->left)
GET_IF(observed_stack, struct gw_record, o->observed, stack, &o->observed->stack)

const struct gw_field gw_record_tail_fields[] = {
	{ "stack", GW_STACK, observed_stack },
	{ "driver", GW_TEXT, observed_driver },
	{ "caller_pid", GW_NUMBER, observed_pid },
	{ "caller_tgid", GW_NUMBER, observed_tgid },
	{ "caller_comm", GW_TEXT, observed_comm },
	{ "pages_left", GW_NUMBER, observed_left },
	{ }
};
