// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kprobes.h>
#include <linux/mm.h>

#include "arch.h"
#include "compat.h"
#include "probes.h"

/*
 * In which register an argument is the kernel says itself (regs_get_kernel_argument()); which
 * argument is what differs between functions, and here and there between kernels.
 *
 * The functions that obtain pages are those that others may call: what is between them and the page
 * tables differs from kernel to kernel, and is partly inlined. Each gives back what it took by one
 * of the functions at the end, or, of references, by put_page(), which is inlined everywhere.
 */
static const struct gw_watched gw_watched[] = {
	{ .symbol = "get_user_pages", .op = "get_user_pages", .shape = GW_SHAPE_GUP,
	  .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3 },
	/* up to v5.17 */
	{ .symbol = "get_user_pages_locked", .op = "get_user_pages_locked", .shape = GW_SHAPE_GUP,
	  .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3 },
	{ .symbol = "get_user_pages_unlocked", .op = "get_user_pages_unlocked",
	  .shape = GW_SHAPE_GUP, .mm = -1, .addr = 0, .nr = 1, .flags = 3, .pages = 2 },
	{ .symbol = "get_user_pages_fast", .op = "get_user_pages_fast", .shape = GW_SHAPE_GUP,
	  .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3, .returns_int = true },
	{ .symbol = "get_user_pages_fast_only", .op = "get_user_pages_fast_only",
	  .shape = GW_SHAPE_GUP, .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3,
	  .returns_int = true },
	{ .symbol = "get_user_pages_remote", .op = "get_user_pages_remote",
	  .shape = GW_SHAPE_GUP, .mm = 0, .addr = 1, .nr = 2, .flags = 3, .pages = 4 },
	{ .symbol = "pin_user_pages", .op = "pin_user_pages", .shape = GW_SHAPE_GUP,
	  .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3 },
	/* up to v5.17 */
	{ .symbol = "pin_user_pages_locked", .op = "pin_user_pages", .shape = GW_SHAPE_GUP,
	  .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3 },
	{ .symbol = "pin_user_pages_unlocked", .op = "pin_user_pages_unlocked",
	  .shape = GW_SHAPE_GUP, .mm = -1, .addr = 0, .nr = 1, .flags = 3, .pages = 2 },
	{ .symbol = "pin_user_pages_fast", .op = "pin_user_pages_fast", .shape = GW_SHAPE_GUP,
	  .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3, .returns_int = true },
	/* up to v6.6 */
	{ .symbol = "pin_user_pages_fast_only", .op = "pin_user_pages_fast",
	  .shape = GW_SHAPE_GUP, .mm = -1, .addr = 0, .nr = 1, .flags = 2, .pages = 3,
	  .returns_int = true },
	{ .symbol = "pin_user_pages_remote", .op = "pin_user_pages_remote",
	  .shape = GW_SHAPE_GUP, .mm = 0, .addr = 1, .nr = 2, .flags = 3, .pages = 4 },
	{ .symbol = "memfd_pin_folios", .op = "memfd_pin_folios", .shape = GW_SHAPE_MEMFD,
	  .mm = -1, .addr = -1, .nr = -1, .flags = -1, .pages = 3 },
	{ .symbol = "fixup_user_fault", .op = "fixup_user_fault", .shape = GW_SHAPE_FIXUP,
	  .mm = 0, .addr = 1, .nr = -1, .flags = 2, .pages = -1, .returns_int = true },
	{ .symbol = "follow_pfnmap_start", .op = "follow_pfn", .shape = GW_SHAPE_FOLLOW_ARGS,
	  .mm = -1, .addr = -1, .nr = -1, .flags = -1, .pages = 0, .returns_int = true },
#if GW_HAVE_FOLLOW_PFN
	{ .symbol = "follow_pfn", .op = "follow_pfn", .shape = GW_SHAPE_FOLLOW,
	  .mm = 0, .addr = 1, .nr = -1, .flags = -1, .pages = 2, .returns_int = true },
	{ .symbol = "follow_pte", .op = "follow_pfn", .shape = GW_SHAPE_FOLLOW_PTE,
	  .mm = 0, .addr = 1, .nr = -1, .flags = -1, .pages = 2, .returns_int = true },
#endif
	{ .symbol = "handle_mm_fault", .op = "handle_mm_fault", .shape = GW_SHAPE_FAULT,
	  .mm = 0, .addr = 1, .nr = -1, .flags = 2, .pages = -1, .returns_int = true, .hot = true },

	/* since v6.5, and v7.2 */
	{ .symbol = "folio_add_pin", .shape = GW_SHAPE_ADD_PINS,
	  .mm = -1, .addr = -1, .nr = -1, .flags = -1, .pages = 0 },
	{ .symbol = "folio_add_pins", .shape = GW_SHAPE_ADD_PINS,
	  .mm = -1, .addr = -1, .nr = 1, .flags = -1, .pages = 0 },
	{ .symbol = "unpin_user_page", .shape = GW_SHAPE_UNPIN_PAGE,
	  .mm = -1, .addr = -1, .nr = -1, .flags = -1, .pages = 0 },
	{ .symbol = "unpin_user_pages", .shape = GW_SHAPE_UNPIN_PAGES,
	  .mm = -1, .addr = -1, .nr = 1, .flags = -1, .pages = 0, .nests = true },
	{ .symbol = "unpin_user_pages_dirty_lock", .shape = GW_SHAPE_UNPIN_PAGES,
	  .mm = -1, .addr = -1, .nr = 1, .flags = -1, .pages = 0, .nests = true },
	{ .symbol = "unpin_user_page_range_dirty_lock", .shape = GW_SHAPE_UNPIN_PAGE,
	  .mm = -1, .addr = -1, .nr = 1, .flags = -1, .pages = 0 },
	{ .symbol = "unpin_user_folio", .shape = GW_SHAPE_UNPIN_FOLIO,
	  .mm = -1, .addr = -1, .nr = 1, .flags = -1, .pages = 0 },
	{ .symbol = "unpin_folio", .shape = GW_SHAPE_UNPIN_FOLIO,
	  .mm = -1, .addr = -1, .nr = -1, .flags = -1, .pages = 0 },
	{ .symbol = "unpin_folios", .shape = GW_SHAPE_UNPIN_FOLIOS,
	  .mm = -1, .addr = -1, .nr = 1, .flags = -1, .pages = 0, .nests = true },
};

/* Calls of one function that may be under way at once: they sleep where a page must be read. */
#define CALLS_UNDER_WAY 256

/**
 * struct probe - a function of the table, while there are probes
 * @kretprobe: the probe, if it matters when the function returns
 * @kprobe: the probe, if not
 * @watched: the function
 * @state: 0: probed; a negative errno: why not; 1: not wanted
 * @absent: this kernel has no such function: not looked for again, which takes some kernels long
 */
struct probe {
	struct kretprobe kretprobe;
	struct kprobe kprobe;
	const struct gw_watched *watched;
	int state;
	bool absent;
};

static struct probe probes[ARRAY_SIZE(gw_watched)];
static const struct gw_probe_handlers *probe_handlers;
static const struct gw_op *ops_found[ARRAY_SIZE(gw_watched)];

/* Handlers ask as well: the names are looked for once. */
const struct gw_op *gw_watched_op(const struct gw_watched *watched)
{
	const struct gw_op **op = &ops_found[watched - gw_watched];

	if (watched->op && !READ_ONCE(*op))
		WRITE_ONCE(*op, gw_op_find(watched->op));
	return READ_ONCE(*op);
}

bool gw_op_is_watched(const struct gw_op *op)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gw_watched); i++)
		if (gw_watched_op(&gw_watched[i]) == op)
			return true;
	return false;
}

void gw_watched_allow(struct gw_error *error)
{
	unsigned int i;

	for (i = 0; i < gw_nr_ops; i++)
		if (gw_op_is_watched(&gw_ops[i]))
			gw_error_allow(error, gw_ops[i].name);
}

static unsigned long argument(struct pt_regs *regs, int number)
{
	return number < 0 ? 0 : regs_get_kernel_argument(regs, number);
}

static u32 flags_of_fault(unsigned int flags)
{
	return (flags & FAULT_FLAG_WRITE ? GW_FLAG_WRITE : 0) |
	       (flags & GW_FAULT_FLAG_UNSHARE ? GW_FLAG_UNSHARE : 0);
}

static void args_of_vma(struct gw_args *args, const struct vm_area_struct *vma)
{
	args->mm = vma->vm_mm;
}

/* memfd_pin_folios(file, first byte, last byte, folios, …) */
static void args_of_memfd(struct gw_args *args, struct pt_regs *regs)
{
	u64 first = regs_get_kernel_argument(regs, 1), last = regs_get_kernel_argument(regs, 2);

	args->mm = NULL;
	args->nr = last < first ? 0 : (last >> PAGE_SHIFT) - (first >> PAGE_SHIFT) + 1;
	args->flags = GW_FLAG_LONGTERM;
}

static void args_of_follow(struct gw_args *args)
{
	struct vm_area_struct *vma = NULL;

	gw_follow_args(args->pages, &vma, &args->addr);
	args->follow = args->pages;
	args->pages = NULL;
	args->mm = NULL;
	if (vma)
		args_of_vma(args, vma);
}

void gw_watched_args(const struct gw_watched *watched, struct pt_regs *regs,
		     struct gw_args *args)
{
	unsigned int flags = argument(regs, watched->flags);

	args->mm = watched->mm < 0 ? current->mm : (void *)argument(regs, watched->mm);
	args->addr = gw_arch_untagged(argument(regs, watched->addr));
	args->nr = watched->nr < 0 ? 1 : argument(regs, watched->nr);
	if (watched->returns_int)
		args->nr = max((int)args->nr, 0);
	args->pages = (void *)argument(regs, watched->pages);
	args->follow = NULL;
	args->flags = 0;
	switch (watched->shape) {
	case GW_SHAPE_GUP:
		args->flags = gw_flags_of_foll(flags);
		break;
	case GW_SHAPE_MEMFD:
		args_of_memfd(args, regs);
		break;
	case GW_SHAPE_FAULT:
		args_of_vma(args, (void *)args->mm);
		args->flags = flags_of_fault(flags);
		break;
	case GW_SHAPE_FIXUP:
		args->flags = flags_of_fault(flags);
		break;
	case GW_SHAPE_FOLLOW:
		args_of_vma(args, (void *)args->mm);
		fallthrough;
	case GW_SHAPE_FOLLOW_PTE:
		args->follow = args->pages;
		args->pages = NULL;
		break;
	case GW_SHAPE_FOLLOW_ARGS:
		args_of_follow(args);
		break;
	default:
		break;
	}
}

bool gw_watched_pfn(const struct gw_watched *watched, const struct gw_args *args, u64 *pfn)
{
	if (watched->shape == GW_SHAPE_FOLLOW_ARGS)
		return gw_follow_found(args->follow, pfn);
	if (!args->follow)
		return false;
	/* its lock is held from then on, so it stays */
	if (watched->shape == GW_SHAPE_FOLLOW_PTE)
		*pfn = pte_pfn(READ_ONCE(**(pte_t **)args->follow));
	else
		*pfn = *(unsigned long *)args->follow;
	return watched->shape == GW_SHAPE_FOLLOW || watched->shape == GW_SHAPE_FOLLOW_PTE;
}

/* ---- handlers ---- */

static int entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct probe *probe = container_of(gw_kretprobe_of(instance), struct probe, kretprobe);
	void **flight = (void **)instance->data;

	*flight = probe_handlers->enter(probe->watched, regs);
	/* not 0: nothing is to be done when it returns */
	return !*flight;
}

static int left(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct probe *probe = container_of(gw_kretprobe_of(instance), struct probe, kretprobe);
	void **flight = (void **)instance->data;

	probe_handlers->leave(probe->watched, *flight, regs_return_value(regs));
	return 0;
}

static int passed(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct probe *probe = container_of(kprobe, struct probe, kprobe);

	probe_handlers->enter(probe->watched, regs);
	return 0;
}

static bool returns(const struct gw_watched *watched)
{
	return watched->op || watched->nests;
}

static int place(struct probe *probe)
{
	if (!returns(probe->watched)) {
		probe->kprobe = (struct kprobe){
			.symbol_name = probe->watched->symbol,
			.pre_handler = passed,
		};
		return register_kprobe(&probe->kprobe);
	}
	probe->kretprobe = (struct kretprobe){
		.kp.symbol_name = probe->watched->symbol,
		.entry_handler = entered,
		.handler = left,
		.data_size = sizeof(void *),
		.maxactive = CALLS_UNDER_WAY,
	};
	return register_kretprobe(&probe->kretprobe);
}

static void register_one(struct probe *probe)
{
	probe->state = probe->absent ? -ENOENT : place(probe);
	probe->absent = probe->state == -ENOENT;
}

int gw_probes_register(const struct gw_probe_handlers *handlers,
		       bool (*wanted)(const struct gw_watched *watched, const void *context),
		       const void *context)
{
	unsigned int i, placed = 0;
	int error = -ENOENT;

	probe_handlers = handlers;
	/* Those that give pages back first: what is taken from now on shall not be missed. */
	for (i = ARRAY_SIZE(gw_watched); i-- > 0;) {
		struct probe *probe = &probes[i];

		probe->watched = &gw_watched[i];
		probe->state = 1;
		if (!wanted(probe->watched, context))
			continue;
		register_one(probe);
		if (!probe->state && probe->watched->op)
			placed++;
		else if (probe->state && probe->watched->op)
			error = probe->state;
	}
	if (placed)
		return 0;
	gw_probes_unregister();
	return error;
}

void gw_probes_unregister(void)
{
	struct kretprobe *kretprobes[ARRAY_SIZE(gw_watched)];
	struct kprobe *kprobes[ARRAY_SIZE(gw_watched)];
	unsigned int i, nr_kretprobes = 0, nr_kprobes = 0;

	for (i = 0; i < ARRAY_SIZE(gw_watched); i++) {
		if (!probes[i].watched || probes[i].state)
			continue;
		if (returns(probes[i].watched))
			kretprobes[nr_kretprobes++] = &probes[i].kretprobe;
		else
			kprobes[nr_kprobes++] = &probes[i].kprobe;
	}
	/* together: the kernel waits once for all */
	if (nr_kretprobes)
		unregister_kretprobes(kretprobes, nr_kretprobes);
	if (nr_kprobes)
		unregister_kprobes(kprobes, nr_kprobes);
	for (i = 0; i < ARRAY_SIZE(gw_watched); i++)
		probes[i].watched = NULL;
}

static u64 missed(const struct probe *probe)
{
	if (!probe->watched || probe->state)
		return 0;
	if (!returns(probe->watched))
		return probe->kprobe.nmissed;
	return probe->kretprobe.nmissed + probe->kretprobe.kp.nmissed;
}

static u64 all_missed(bool releases)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < ARRAY_SIZE(gw_watched); i++)
		if (!gw_watched[i].op == releases)
			sum += missed(&probes[i]);
	return sum;
}

u64 gw_probes_missed(void)
{
	return all_missed(false);
}

u64 gw_probes_missed_releases(void)
{
	return all_missed(true);
}

static const char *state_text(const struct probe *probe)
{
	if (!probe->watched)
		return "none: nobody observes";
	switch (probe->state) {
	case 0:
		return "probed";
	case 1:
		return "not wanted by the filter";
	case -ENOENT:
		return "not on this kernel, or inlined";
	case -EINVAL:
		return "cannot be probed: the kernel forbids it";
	case -EADDRNOTAVAIL:
		return "cannot be probed: there are several of this name";
	default:
		return "cannot be probed";
	}
}

void gw_probes_show(struct seq_file *m)
{
	unsigned int i;

	seq_printf(m, "#%-33s %-24s %8s %s\n", "function", "op", "missed", "state");
	for (i = 0; i < ARRAY_SIZE(gw_watched); i++)
		seq_printf(m, "%-34s %-24s %8llu %s\n", gw_watched[i].symbol,
			   gw_watched[i].op ?: "-", missed(&probes[i]), state_text(&probes[i]));
}
