// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "compat.h"
#include "ops.h"
#include "record.h"
#include "target.h"
#include "walk.h"

const struct gw_name gw_flag_names[] = {
	{ "write", GW_FLAG_WRITE },
	{ "force", GW_FLAG_FORCE },
	{ "longterm", GW_FLAG_LONGTERM },
	{ "nofault", GW_FLAG_NOFAULT },
	{ "nowait", GW_FLAG_NOWAIT },
	{ "unshare", GW_FLAG_UNSHARE },
	{ "dump", GW_FLAG_DUMP },
	{ "hwpoison", GW_FLAG_HWPOISON },
	{ "anon", GW_FLAG_ANON },
	{ "p2pdma", GW_FLAG_P2PDMA },
	{ "interruptible", GW_FLAG_INTERRUPTIBLE },
	{ }
};

const char * const gw_lock_tokens[] = {
	[GW_LOCK_KEPT] = "kept",
	[GW_LOCK_DROPPED] = "dropped",
	[GW_LOCK_NOT_HELD] = "not-held",
	[GW_LOCK_UNKNOWN] = NULL,
};

/* Both ways; a flag that this kernel does not have is 0. */
static const struct {
	u32 flag;
	unsigned int foll;
} foll_names[] = {
	{ GW_FLAG_WRITE, FOLL_WRITE },
	{ GW_FLAG_FORCE, FOLL_FORCE },
	{ GW_FLAG_LONGTERM, FOLL_LONGTERM },
	{ GW_FLAG_NOFAULT, GW_FOLL_NOFAULT },
	{ GW_FLAG_NOWAIT, FOLL_NOWAIT },
	{ GW_FLAG_DUMP, FOLL_DUMP },
	{ GW_FLAG_HWPOISON, FOLL_HWPOISON },
	{ GW_FLAG_ANON, FOLL_ANON },
	{ GW_FLAG_P2PDMA, GW_FOLL_PCI_P2PDMA },
	{ GW_FLAG_INTERRUPTIBLE, GW_FOLL_INTERRUPTIBLE },
};

static unsigned int foll_flags(u32 flags)
{
	unsigned int foll = 0, i;

	for (i = 0; flags && i < ARRAY_SIZE(foll_names); i++)
		if (flags & foll_names[i].flag)
			foll |= foll_names[i].foll;
	return foll;
}

u32 gw_flags_of_foll(unsigned int foll)
{
	unsigned int i;
	u32 flags = 0;

	for (i = 0; i < ARRAY_SIZE(foll_names); i++)
		if (foll & foll_names[i].foll)
			flags |= foll_names[i].flag;
	return flags;
}

static long call_follow_pfn(struct gw_call *call)
{
	int ret = gw_follow_pfn(call->vma, call->addr, &call->pfn);

	call->has_pfn = !ret;
	return ret;
}

static unsigned int fault_flags(const struct gw_call *call)
{
	unsigned int flags = 0;

	if (call->flags & GW_FLAG_WRITE)
		flags |= FAULT_FLAG_WRITE;
	if (call->flags & GW_FLAG_UNSHARE)
		flags |= GW_FAULT_FLAG_UNSHARE;
	if (call->mm != current->mm)
		flags |= FAULT_FLAG_REMOTE;
	return flags;
}

/*
 * Without FAULT_FLAG_ALLOW_RETRY the mmap lock is never dropped (get_user_pages does the same
 * when it is given no @locked), so both snapshots and the call see the same VMAs.
 */
static long call_handle_mm_fault(struct gw_call *call)
{
	call->fault = handle_mm_fault(call->vma, call->addr & PAGE_MASK, fault_flags(call), NULL);
	return (__force unsigned int)call->fault;
}

/*
 * It checks of the VMA what handle_mm_fault leaves to its callers, and tries again for them: with
 * the lock held when it returns, whatever happened in between.
 */
static long call_fixup_user_fault(struct gw_call *call)
{
	return fixup_user_fault(call->mm, call->addr & PAGE_MASK, fault_flags(call),
				&call->dropped);
}

#define COPIES_FOR_ANOTHER "a private VM_PFNMAP or DAX mapping is copied for its own process only"

/*
 * What no caller of the kernel's own does: of a page without a struct page the copy for a write, or
 * to unshare, is read through the user address, in the caller's memory (__wp_page_copy_user()).
 */
static bool copies_for_another(const struct gw_call *call)
{
	struct vm_area_struct *vma = call->vma;

	return call->flags & (GW_FLAG_WRITE | GW_FLAG_UNSHARE) && call->mm != current->mm &&
	       gw_vma_is_cow_mapping(vma) &&
	       (vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP) || vma_is_dax(vma));
}

/*
 * What the CPU's fault handler checks of a write (arch/x86/mm/fault.c, access_error()); since v6.4
 * sanitize_fault_flags() warns about a caller that did not.
 */
static const char *check_handle_mm_fault(struct gw_call *call)
{
	u32 both = GW_FLAG_WRITE | GW_FLAG_UNSHARE;

	if ((call->flags & both) == both)
		return "unshare is what a read does that must not write: not with write";
	if (call->flags & GW_FLAG_WRITE && !(call->vma->vm_flags & VM_WRITE))
		return "the VMA does not allow writing, so handle_mm_fault must not be asked to";
	return copies_for_another(call) ? COPIES_FOR_ANOTHER : NULL;
}

/* It checks the rights itself; but not what it would copy, see above. */
static const char *check_fixup_user_fault(struct gw_call *call)
{
	return copies_for_another(call) ? COPIES_FOR_ANOTHER : NULL;
}

static long call_get_user_pages(struct gw_call *call)
{
	return gw_get_user_pages(call->addr, call->nr_pages, foll_flags(call->flags),
				 call->pages);
}

/* Where it has to wait it gives the lock up, and comes back without. */
static long call_get_user_pages_locked(struct gw_call *call)
{
	long ret = gw_get_user_pages_locked(call->addr, call->nr_pages, foll_flags(call->flags),
					    call->pages, &call->locked);

	call->dropped = !call->locked;
	return ret;
}

static long call_get_user_pages_unlocked(struct gw_call *call)
{
	return get_user_pages_unlocked(call->addr, call->nr_pages, call->pages,
				       foll_flags(call->flags));
}

static long call_get_user_pages_fast(struct gw_call *call)
{
	return get_user_pages_fast(call->addr, call->nr_pages, foll_flags(call->flags),
				   call->pages);
}

static long call_get_user_pages_fast_only(struct gw_call *call)
{
	return get_user_pages_fast_only(call->addr, call->nr_pages, foll_flags(call->flags),
					call->pages);
}

static long call_get_user_pages_remote(struct gw_call *call)
{
	return gw_get_user_pages_remote(call->mm, call->addr, call->nr_pages,
					foll_flags(call->flags), call->pages, NULL);
}

static long call_pin_user_pages(struct gw_call *call)
{
	return gw_pin_user_pages(call->addr, call->nr_pages, foll_flags(call->flags),
				 call->pages);
}

static long call_pin_user_pages_remote(struct gw_call *call)
{
	return gw_pin_user_pages_remote(call->mm, call->addr, call->nr_pages,
					foll_flags(call->flags), call->pages, NULL);
}

static long call_pin_user_pages_unlocked(struct gw_call *call)
{
	return pin_user_pages_unlocked(call->addr, call->nr_pages, call->pages,
				       foll_flags(call->flags));
}

static long call_pin_user_pages_fast(struct gw_call *call)
{
	return pin_user_pages_fast(call->addr, call->nr_pages, foll_flags(call->flags),
				   call->pages);
}

static void release_get(struct page **pages, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		put_page(pages[i]);
}

static void release_pin(struct page **pages, unsigned long nr)
{
	gw_unpin_pages(pages, nr);
}

/*
 * A mistake, made so that it can be seen: a pin is given back as if it were a reference. Only of a
 * page that this descriptor has pinned, and once: gw_holds_release() takes the reference again
 * before it gives back the pin. Not of a large folio: there a pin is one reference, which may be
 * the last.
 */
static struct gw_hold *hold_to_spoil(const struct gw_call *call, unsigned long pfn)
{
	struct gw_hold *hold;

	list_for_each_entry(hold, call->holds, node)
		if (hold->op->release == release_pin && hold->nr == 1 && !hold->put &&
		    page_to_pfn(hold->pages[0]) == pfn && !PageCompound(hold->pages[0]))
			return hold;
	return NULL;
}

/* What the entry of the address says, and the page; the way to it is not kept. */
static void look(const struct gw_call *call, struct gw_snapshot *snap)
{
	struct gw_path ways[2];
	struct gw_walk walk;

	gw_walk_begin(&walk, ways, ARRAY_SIZE(ways));
	gw_walk_one(&walk, call->vma, call->addr, snap);
	snap->way = NULL;
}

static const char *check_put_page(struct gw_call *call)
{
	struct gw_snapshot snap;

	look(call, &snap);
	if (snap.page.valid && !snap.page.zero)
		call->spoil = hold_to_spoil(call, snap.pfn);
	return call->spoil ? NULL :
	       "only on a small page that this descriptor has pinned by itself (hold), and once";
}

/* Requests of one descriptor take turns: what was found is still held, mapped or not. */
static long call_put_page(struct gw_call *call)
{
	struct gw_hold *hold = call->spoil;

	hold->put = hold->pages[0];
	put_page(hold->put);
	return 0;
}

/*
 * The process may run another program by now: then its memory is not what the snapshots are of.
 * With the lock that mm_access() takes too (kernel/fork.c) it does not change to another one
 * meanwhile.
 */
static long call_access_process_vm(struct gw_call *call)
{
	struct rw_semaphore *exec = &call->task->signal->exec_update_lock;
	struct mm_struct *mm;
	long ret = -ESRCH;

	if (down_read_killable(exec))
		return -EINTR;
	mm = get_task_mm(call->task);
	if (mm == call->mm)
		ret = access_process_vm(call->task, call->addr, call->buffer, call->length,
					foll_flags(call->flags));
	if (mm)
		mmput(mm);
	up_read(exec);
	return ret;
}

/* Where the page is not there yet an old kernel takes a reservation that is another's. */
static const char *check_memfd_pin_folios(struct gw_call *call)
{
	struct gw_snapshot snap;

	if (GW_HAVE_MEMFD_RESERVES || !is_vm_hugetlb_page(call->vma))
		return NULL;
	look(call, &snap);
	return call->vma->vm_flags & VM_SHARED && snap.state == GW_PRESENT ? NULL :
	       "of hugetlb, this kernel pins only shared pages that are mapped already";
}

/*
 * It takes a file and an offset: those that the address stands for. The page cache is what is
 * pinned, whether it is mapped or not.
 */
static long call_memfd_pin_folios(struct gw_call *call)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;
	loff_t offset = 0;
	long ret;

	if (mmap_read_lock_killable(call->mm))
		return -EINTR;
	vma = gw_vma_lookup(call->mm, call->addr);
	if (vma && vma->vm_file) {
		file = get_file(vma->vm_file);
		offset = (loff_t)vma->vm_pgoff << PAGE_SHIFT;
		offset += (call->addr & PAGE_MASK) - vma->vm_start;
	}
	mmap_read_unlock(call->mm);
	if (!file)
		return -EINVAL;
	ret = gw_memfd_pin_page(file, offset, call->pages);
	fput(file);
	return ret;
}

/* What others map is theirs to take away. */
static const char *check_zap(struct gw_call *call)
{
	unsigned long room;

	if (!gw_target_maps(call->vma))
		return "only of the mapping of the module's target device";
	room = call->vma->vm_end - (call->addr & PAGE_MASK);
	return call->nr_pages > room >> PAGE_SHIFT ? "the mapping ends before the range" : NULL;
}

static long call_zap(struct gw_call *call)
{
	gw_zap_vma(call->vma, call->addr & PAGE_MASK, call->nr_pages << PAGE_SHIFT);
	return 0;
}

/* What this kernel does not have is no flag here. */
#define NOFAULT (GW_HAVE_FOLL_NOFAULT ? GW_FLAG_NOFAULT : 0)
#define UNSHARE (GW_HAVE_FAULT_UNSHARE ? GW_FLAG_UNSHARE : 0)
#define LONGTERM_UNLOCKED (GW_HAVE_LONGTERM_UNLOCKED ? GW_FLAG_LONGTERM : 0)
#define GUP_FLAGS (GW_FLAG_WRITE | GW_FLAG_FORCE | GW_FLAG_NOWAIT | NOFAULT)
/* internal_get_user_pages_fast() warns about FOLL_NOWAIT, since v6.10 gup_fast_fallback() */
#define GUP_FAST_FLAGS (GW_FLAG_WRITE | GW_FLAG_FORCE | NOFAULT)

/*
 * FOLL_LONGTERM is a flag of pin_* only: get_* would warn (is_valid_gup_flags(), since v6.3
 * is_valid_gup_args(), mm/gup.c).
 */
const struct gw_op gw_ops[] = {
	{
		.name = "walk",
		.note = "makes no call: the page tables as they are, an element for each entry",
		.family = GW_FAMILY_WALK,
		.any_memory = true,
	},
	{
		.name = "follow_pfn",
		.impl = GW_FOLLOW_PFN_IMPL,
		.note = "page frame of a VM_IO or VM_PFNMAP mapping; never faults anything in",
		.missing = "not in 6.10 and 6.11: follow_pfn was gone, its successor came in 6.12",
		.call = call_follow_pfn,
		.family = GW_FAMILY_FOLLOW,
		.any_memory = true,
		.single = true,
	},
	{
		.name = "handle_mm_fault",
		.impl = "handle_mm_fault",
		.note = "what the CPU's page-fault handler calls to make an access possible",
		.call = call_handle_mm_fault,
		.check = check_handle_mm_fault,
		.family = GW_FAMILY_FAULT,
		.flags = GW_FLAG_WRITE | UNSHARE,
		.any_memory = true,
		.single = true,
		.returns_fault = true,
	},
	{
		.name = "fixup_user_fault",
		.impl = "fixup_user_fault",
		.note = "the same with the checks of the VMA, tried again until it is done",
		.call = call_fixup_user_fault,
		.check = check_fixup_user_fault,
		.family = GW_FAMILY_FIXUP,
		.flags = GW_FLAG_WRITE,
		.any_memory = true,
		.single = true,
		.may_unlock = true,
	},
	{
		.name = "get_user_pages",
		.impl = "get_user_pages",
		.note = "references (FOLL_GET) on pages of the caller, faulting in what is missing",
		.call = call_get_user_pages,
		.release = release_get,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FLAGS,
	},
	{
		.name = "get_user_pages_locked",
		.impl = GW_GUP_LOCKED_IMPL,
		.note = "the same, and may give up the mmap lock to wait",
		.missing = "gone since 5.18: with the mmap lock held get_user_pages, without _unlocked",
		.call = call_get_user_pages_locked,
		.release = release_get,
		.family = GW_FAMILY_GUP,
		.flags = GW_FLAG_WRITE | GW_FLAG_FORCE | GW_FLAG_NOWAIT,
		.may_unlock = true,
	},
	{
		.name = "get_user_pages_unlocked",
		.impl = "get_user_pages_unlocked",
		.note = "the same, and takes the mmap lock itself",
		.call = call_get_user_pages_unlocked,
		.release = release_get,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FLAGS,
		.unlocked = true,
	},
	{
		.name = "get_user_pages_fast",
		.impl = "get_user_pages_fast",
		.note = "the same without the mmap lock where the page tables alone allow it",
		.call = call_get_user_pages_fast,
		.release = release_get,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FAST_FLAGS,
		.unlocked = true,
		.fast = true,
	},
	{
		.name = "get_user_pages_fast_only",
		.impl = "get_user_pages_fast_only",
		.note = "the same, and gives fewer pages where they do not",
		.call = call_get_user_pages_fast_only,
		.release = release_get,
		.family = GW_FAMILY_GUP,
		.flags = GW_FLAG_WRITE,
		.unlocked = true,
		.never_faults = true,
		.fast = true,
	},
	{
		.name = "get_user_pages_remote",
		.impl = "get_user_pages_remote",
		.note = "the same on the memory of any process",
		.call = call_get_user_pages_remote,
		.release = release_get,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FLAGS,
		.any_memory = true,
		.remote = true,
	},
	{
		.name = "pin_user_pages",
		.impl = "pin_user_pages",
		.note = "pins (FOLL_PIN) on pages of the caller, for DMA; longterm: for good",
		.call = call_pin_user_pages,
		.release = release_pin,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FLAGS | GW_FLAG_LONGTERM,
		.pins = true,
	},
	{
		.name = "pin_user_pages_unlocked",
		.impl = "pin_user_pages_unlocked",
		.note = "the same, and takes the mmap lock itself",
		.call = call_pin_user_pages_unlocked,
		.release = release_pin,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FLAGS | LONGTERM_UNLOCKED,
		.unlocked = true,
		.pins = true,
	},
	{
		.name = "pin_user_pages_fast",
		.impl = "pin_user_pages_fast",
		.note = "the same without the mmap lock where the page tables alone allow it",
		.call = call_pin_user_pages_fast,
		.release = release_pin,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FAST_FLAGS | GW_FLAG_LONGTERM,
		.unlocked = true,
		.pins = true,
		.fast = true,
	},
	{
		.name = "pin_user_pages_remote",
		.impl = "pin_user_pages_remote",
		.note = "pins on the memory of any process, as vfio takes them",
		.call = call_pin_user_pages_remote,
		.release = release_pin,
		.family = GW_FAMILY_GUP,
		.flags = GUP_FLAGS | GW_FLAG_LONGTERM,
		.any_memory = true,
		.remote = true,
		.pins = true,
	},
	{
		.name = "memfd_pin_folios",
		.impl = GW_MEMFD_PIN_FOLIOS_IMPL,
		.note = "a pin for good on a page of a memfd or hugetlb file, mapped or not",
		.missing = "since 6.11: before, udmabuf and others took the pages themselves",
		.call = call_memfd_pin_folios,
		.check = check_memfd_pin_folios,
		.release = release_pin,
		.family = GW_FAMILY_MEMFD,
		.any_memory = true,
		.single = true,
		.unlocked = true,
		.pins = true,
	},
	{
		.name = "access_process_vm",
		.impl = "access_process_vm",
		.note = "copies bytes (peek, poke) from or to any process, as ptrace does",
		.call = call_access_process_vm,
		.family = GW_FAMILY_COPY,
		.flags = GW_FLAG_WRITE | GW_FLAG_FORCE,
		.any_memory = true,
		.remote = true,
		.single = true,
		.unlocked = true,
		.copies = true,
	},
	{
		.name = "zap_vma_ptes",
		.impl = GW_ZAP_IMPL,
		.note = "takes page frames of the module's target device out of the page tables",
		.call = call_zap,
		.check = check_zap,
		.family = GW_FAMILY_RELEASE,
		.any_memory = true,
	},
	{
		.name = "put_page",
		.impl = "put_page",
		.note = "a mistake: gives back a pin as if it were a reference; set right on close",
		.call = call_put_page,
		.check = check_put_page,
		.family = GW_FAMILY_RELEASE,
		.any_memory = true,
		.single = true,
	},
};

const unsigned int gw_nr_ops = ARRAY_SIZE(gw_ops);

const struct gw_op *gw_op_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < gw_nr_ops; i++)
		if (!strcmp(gw_ops[i].name, name))
			return &gw_ops[i];
	return NULL;
}

void gw_flags_text(u32 flags, char text[GW_FLAGS_TEXT_MAX])
{
	const struct gw_name *name;

	text[0] = '\0';
	for (name = gw_flag_names; name->name; name++) {
		if (!gw_name_applies(name, flags))
			continue;
		if (text[0])
			strlcat(text, ",", GW_FLAGS_TEXT_MAX);
		strlcat(text, name->name, GW_FLAGS_TEXT_MAX);
	}
}

static void show_flags(struct seq_file *m, u32 flags)
{
	char text[GW_FLAGS_TEXT_MAX];

	gw_flags_text(flags, text);
	seq_printf(m, " %-20s", text[0] ? text : "-");
}

void gw_ops_show(struct seq_file *m)
{
	unsigned int i;

	seq_printf(m, "#%-22s %-11s %-22s %-6s %5s %-20s %s\n", "name", "available", "impl",
		   "memory", "pages", "flags", "note");
	for (i = 0; i < gw_nr_ops; i++) {
		const struct gw_op *op = &gw_ops[i];

		seq_printf(m, "%-23s %-11s %-22s %-6s %5u", op->name,
			   gw_op_available(op) ? "available" : "unavailable", op->impl ?: "-",
			   op->any_memory ? "any" : "own", op->single ? 1 : gw_pages_max());
		show_flags(m, op->flags);
		seq_printf(m, " %s\n", gw_op_available(op) ? op->note : op->missing);
	}
}
