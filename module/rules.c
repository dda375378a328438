// SPDX-License-Identifier: GPL-2.0-only
#include <linux/backing-dev.h>
#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <asm/mmu_context.h>

#include "compat.h"
#include "rules.h"
#include "vma.h"

static bool no_vma(const struct gw_case *c)
{
	return !c->vma;
}

static bool io_or_pfnmap(const struct gw_case *c)
{
	return c->vma->vm_flags & (VM_IO | VM_PFNMAP);
}

static bool not_io_nor_pfnmap(const struct gw_case *c)
{
	return !io_or_pfnmap(c);
}

/* As vm_normal_page() (mm/memory.c): a special entry, which the page of zeros has too. */
static bool maps_no_page(const struct gw_case *c)
{
	return c->before->state == GW_PRESENT && !c->before->page.valid && !io_or_pfnmap(c);
}

static bool not_populated(const struct gw_case *c)
{
	return c->before->state == GW_NONE;
}

static bool huge_leaf(const struct gw_case *c)
{
	return c->before->leaf == GW_PMD || c->before->leaf == GW_PUD;
}

static bool fsdax(const struct gw_case *c)
{
	return c->flags & GW_FLAG_LONGTERM && vma_is_fsdax(c->vma);
}

/* vma_is_secretmem() is not exported. */
static bool secretmem(const struct gw_case *c)
{
	return c->vma->vm_file && file_inode(c->vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/* writable_file_mapping_allowed() and vma_needs_dirty_tracking(), mm/gup.c and mm/mmap.c. */
static bool longterm_file_write(const struct gw_case *c)
{
	const struct vm_operations_struct *ops = c->vma->vm_ops;

	if (!GW_HAVE_LONGTERM_FILE_CHECK || !(c->flags & GW_FLAG_LONGTERM) ||
	    !(c->flags & GW_FLAG_WRITE) || !c->vma->vm_file ||
	    (c->vma->vm_flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return false;
	return (ops && (ops->page_mkwrite || ops->pfn_mkwrite)) ||
	       mapping_can_writeback(c->vma->vm_file->f_mapping);
}

static bool prot_none(const struct gw_case *c)
{
	return !(c->flags & GW_FLAG_FORCE) && !vma_is_accessible(c->vma);
}

static bool not_writable(const struct gw_case *c)
{
	return c->flags & GW_FLAG_WRITE && !(c->flags & GW_FLAG_FORCE) &&
	       !(c->vma->vm_flags & VM_WRITE);
}

static bool force_needs_cow(const struct gw_case *c)
{
	return c->flags & GW_FLAG_WRITE && c->flags & GW_FLAG_FORCE &&
	       !(c->vma->vm_flags & VM_WRITE) &&
	       (!gw_vma_is_cow_mapping(c->vma) ||
		(GW_HAVE_HUGETLB_FORCE_CHECK && is_vm_hugetlb_page(c->vma)));
}

static bool not_readable(const struct gw_case *c)
{
	if (c->flags & GW_FLAG_WRITE || c->vma->vm_flags & VM_READ)
		return false;
	return !(c->flags & GW_FLAG_FORCE) || !(c->vma->vm_flags & VM_MAYREAD);
}

/* Last in check_vma_flags(); handle_mm_fault() asks it too. */
static bool pkey(const struct gw_case *c)
{
	return !arch_vma_access_permitted(c->vma, c->flags & GW_FLAG_WRITE, false, c->foreign);
}

static bool guard_region(const struct gw_case *c)
{
	return c->before->state == GW_MARKER && c->before->marker == GW_MARKER_GUARD;
}

static bool hwpoison(const struct gw_case *c)
{
	return c->before->state == GW_MARKER && (c->before->marker == GW_MARKER_HWPOISON ||
						 c->before->marker == GW_MARKER_POISONED);
}

static bool must_not_fault(const struct gw_case *c)
{
	return c->op->never_faults || c->flags & GW_FLAG_NOFAULT;
}

static bool must_not_wait(const struct gw_case *c)
{
	return c->flags & GW_FLAG_NOWAIT;
}

static bool missing_in_userfaultfd(const struct gw_case *c)
{
	return c->vma->vm_flags & VM_UFFD_MISSING && c->before->state == GW_NONE &&
	       !must_not_fault(c) && !must_not_wait(c);
}

/* Read-write protection is noted as PROT_NONE in the entry, in a VMA that allows access. */
static bool read_write_protected(const struct gw_case *c)
{
	return gw_vma_is_rwp(c->vma) && c->before->state == GW_PROTNONE && !must_not_fault(c) &&
	       !must_not_wait(c);
}

static bool beyond_file_end(const struct gw_case *c)
{
	const struct inode *inode;

	if (!c->vma->vm_file || vma_is_anonymous(c->vma) || is_vm_hugetlb_page(c->vma) ||
	    c->before->state != GW_NONE)
		return false;
	inode = c->vma->vm_file->f_mapping->host;
	/* The size of other kinds says nothing about what can be mapped. */
	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return false;
	return linear_page_index(c->vma, c->addr) >=
	       DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
}

/*
 * Of all that could map a page there, only the mapping's own handler is left. That of [vvar] on
 * Linux 7.3 maps a page for the process itself, and for nobody else.
 */
static bool handler_gave_no_page(const struct gw_case *c)
{
	const struct file *file = c->vma->vm_file;

	return !vma_is_anonymous(c->vma) && (!file || S_ISCHR(file_inode(file)->i_mode)) &&
	       c->before->state == GW_NONE && !must_not_fault(c) && !must_not_wait(c);
}

static bool not_memfd(const struct gw_case *c)
{
	return !c->vma->vm_file || !(gw_vma_is_shmem(c->vma) || is_vm_hugetlb_page(c->vma));
}

#define MEMFD BIT(GW_FAMILY_MEMFD)
#define FOLLOW BIT(GW_FAMILY_FOLLOW)
#define FAULT (BIT(GW_FAMILY_FAULT) | BIT(GW_FAMILY_FIXUP))
#define FIXUP BIT(GW_FAMILY_FIXUP)
/* access_process_vm() copies nothing where get_user_pages_remote() fails, and gives no errno. */
#define GUP (BIT(GW_FAMILY_GUP) | BIT(GW_FAMILY_COPY))

/* ---- what is known before the call ---- */

static bool huge_not_followed(const struct gw_case *c)
{
	return !GW_HAVE_FOLLOW_PFNMAP && huge_leaf(c);
}

/* Where a pin of such an entry is a hole among the pages it does not fail. */
static bool needs_page(const struct gw_case *c)
{
	return maps_no_page(c) && !(GW_HAVE_GUP_HOLES && c->op->pins) && !c->op->copies;
}

/* access_process_vm() asks the driver, if it has an answer. */
static bool never_has_pages(const struct gw_case *c)
{
	return io_or_pfnmap(c) && !(c->op->copies && c->vma->vm_ops && c->vma->vm_ops->access);
}

/* The fast calls do not look at the VMA where the entries do. */
static bool not_readable_at_all(const struct gw_case *c)
{
	return not_readable(c) && !(c->op->fast && c->before->state == GW_PRESENT);
}

/* A file's page may be in the page cache, and a call that may give up the mmap lock can wait. */
static bool missing_for_sure(const struct gw_case *c)
{
	return missing_in_userfaultfd(c) && !c->op->unlocked && !c->op->may_unlock &&
	       vma_is_anonymous(c->vma);
}

bool gw_pins_for_good(const struct gw_case *c)
{
	return GW_HAVE_LONGTERM_UNSHARE && c->op->pins && c->flags & GW_FLAG_LONGTERM;
}

/* gup_must_unshare(), mm/internal.h: what a pin for reading does not take as it is. */
static bool must_unshare(const struct gw_case *c)
{
	const struct gw_page *page = &c->before->page;

	if (!c->op->pins || !GW_HAVE_ANON_EXCLUSIVE)
		return false;
	if (page->anon)
		return !page->anon_exclusive;
	return gw_pins_for_good(c) && gw_vma_is_cow_mapping(c->vma);
}

/* gup_can_follow_protnone(), include/linux/mm.h: PROT_NONE of the VMA, or a NUMA hint. */
static bool protnone_allows(const struct gw_case *c)
{
	if (!c->before->page.valid || gw_vma_is_rwp(c->vma))
		return false;
	return c->flags & GW_FLAG_FORCE ||
	       (GW_HAVE_HONOR_NUMA_FAULT && vma_is_accessible(c->vma));
}

bool gw_entry_allows(const struct gw_case *c)
{
	const struct gw_snapshot *snap = c->before;
	bool write = c->flags & GW_FLAG_WRITE, force = c->flags & GW_FLAG_FORCE;

	if (snap->state == GW_PROTNONE)
		return !write && !c->op->never_faults && protnone_allows(c) && !must_unshare(c);
	if (snap->state != GW_PRESENT || !snap->page.valid)
		return false;
	/* the page of zeros is special to the fast walk, the memory of a device is not */
	if (c->op->never_faults && ((snap->special && !snap->page.device) || snap->page.zero))
		return false;
	/* force is for a VMA without the right to write; elsewhere a fault makes it writable */
	if (write)
		return gw_snapshot_rights(snap) & GW_RIGHT_WRITE ||
		       (force && !(c->vma->vm_flags & VM_WRITE) && snap->page.anon_exclusive);
	return !must_unshare(c);
}

static bool needs_fault(const struct gw_case *c)
{
	return must_not_fault(c) && !gw_entry_allows(c);
}

/* ---- what would make it pass ---- */

static bool force_helps(const struct gw_case *c)
{
	struct gw_case forced = *c;

	forced.flags |= GW_FLAG_FORCE;
	return c->op->flags & ~c->flags & GW_FLAG_FORCE && !force_needs_cow(&forced) &&
	       !not_readable(&forced);
}

/* The VMA lacks a right. */
static const char *advise_rights(const struct gw_case *c)
{
	bool write = c->flags & GW_FLAG_WRITE;

	if (!(c->vma->vm_flags & (write ? VM_MAYWRITE : VM_MAYREAD)))
		return write ? "mprotect() cannot make it writable: map it anew, private, or of a file "
			       "that is opened for writing" :
			       "another mapping: mprotect() cannot make this one readable";
	/* what mprotect() gives, an entry that is not there, or not for writing, has not got yet */
	if (c->op->never_faults && write)
		return "mprotect() it writable, and write to it first";
	if (c->op->never_faults && !gw_snapshot_maps_page(c->before))
		return "mprotect() it readable and writable, and write to it first";
	if (force_helps(c))
		return write ? "mprotect() it writable, or force" :
			       "mprotect() it readable, or force";
	return write ? "mprotect() it writable" : "mprotect() it readable";
}

static const char *advise_cow(const struct gw_case *c)
{
	if (c->vma->vm_flags & VM_MAYWRITE && !gw_vma_is_cow_mapping(c->vma))
		return "mprotect() it writable, or a private mapping";
	return advise_rights(c);
}

/*
 * Reading maps the page of zeros, which the fast way does not take; a pin may not take what is
 * shared.
 */
static const char *advise_fault(const struct gw_case *c)
{
	bool must_write = c->flags & GW_FLAG_WRITE ||
			  (gw_vma_is_cow_mapping(c->vma) &&
			   (c->op->pins || (c->op->never_faults && vma_is_anonymous(c->vma))));

	if (c->before->state == GW_PRESENT && !c->before->page.valid)
		return "another mapping: the entry maps no ordinary page";
	if (!must_write)
		return "touch the address first, or a call that may fault";
	return c->vma->vm_flags & VM_WRITE ?
	       "write to the address first, or a call that may fault" : "a call that may fault";
}

static const char *advise_wait(const struct gw_case *c)
{
	if (c->op->family == GW_FAMILY_FAULT)
		return "fixup_user_fault, which may wait; or the page put there first";
	if (c->op->remote)
		return "with the argument locked it may wait; or the page put there first";
	return "a call that may drop the mmap lock (_unlocked, _fast), or the page put there first";
}

/* In the order in which check_vma_flags() (mm/gup.c) and the fault handler look. */
static const struct gw_rule rules[] = {
	{ "no-vma", "no VMA at the address where the call stopped",
	  FOLLOW | FAULT | GUP | MEMFD, { EFAULT, EINVAL },
	  "map something there first", NULL,
	  no_vma, NULL },
	{ "not-memfd", "memfd_pin_folios takes files of shared memory (memfd, tmpfs) and of hugetlb",
	  MEMFD, { EINVAL },
	  "a memfd, a file of tmpfs or one of hugetlb", NULL,
	  not_memfd, not_memfd },
	{ "vma-not-pfnmap",
	  "follow_pfn serves only VM_IO and VM_PFNMAP mappings: it never looked at the page",
	  FOLLOW, { EINVAL },
	  "get_user_pages is for ordinary memory", NULL,
	  not_io_nor_pfnmap, not_io_nor_pfnmap },
	{ "pfnmap-not-populated",
	  "no entry here yet, and follow_pfn does not fault: fixup_user_fault, then try again",
	  FOLLOW, { EINVAL },
	  "touch the address, or call fixup_user_fault first", NULL,
	  not_populated, not_populated },
	{ "pfnmap-huge", "follow_pfn of this kernel does not see huge entries",
	  FOLLOW, { EINVAL },
	  "a kernel with follow_pfnmap_start (6.12 and later)", NULL,
	  huge_leaf, huge_not_followed },
	{ "vma-io-pfnmap",
	  "VM_IO and VM_PFNMAP mappings are refused: what they map need not have a struct page",
	  GUP, { EFAULT },
	  GW_FOLLOW_PFN_NAME " is for such mappings", NULL,
	  io_or_pfnmap, never_has_pages },
	{ "no-struct-page",
	  "the entry maps a page frame that has no struct page, so there is nothing to pin",
	  GUP, { GW_HAVE_GUP_HOLES ? EFAULT : EEXIST },
	  "another mapping: what is mapped there is no memory of the kernel's", NULL,
	  maps_no_page, needs_page },
	{ "longterm-fsdax", "FOLL_LONGTERM is refused on a filesystem-DAX mapping",
	  GUP, { EOPNOTSUPP },
	  "a pin without longterm, released soon", NULL,
	  fsdax, fsdax },
	{ "longterm-file-write",
	  "FOLL_LONGTERM|FOLL_WRITE on a shared mapping whose filesystem must know of writes",
	  GUP, { EFAULT },
	  "a private mapping, a memfd or hugetlb; or a pin without longterm, released soon", NULL,
	  longterm_file_write, longterm_file_write },
	{ "secretmem", "secretmem is not for get_user_pages",
	  GUP, { EFAULT },
	  "nothing: that is what it is for", NULL,
	  secretmem, secretmem },
	{ "vma-prot-none",
	  "the VMA is PROT_NONE, and FOLL_FORCE was not given: whether a page is there does not matter",
	  FIXUP | GUP, { EFAULT },
	  NULL, advise_rights,
	  prot_none, prot_none },
	{ "vma-not-writable", "FOLL_WRITE, but the VMA lacks VM_WRITE; FOLL_FORCE was not given",
	  FIXUP | GUP, { EFAULT },
	  NULL, advise_rights,
	  not_writable, not_writable },
	{ "force-needs-cow",
	  "FOLL_FORCE|FOLL_WRITE without VM_WRITE needs a mapping that can be copied from",
	  GUP, { EFAULT },
	  NULL, advise_cow,
	  force_needs_cow, force_needs_cow },
	{ "vma-not-readable", "the VMA lacks VM_READ, and FOLL_FORCE was not given or cannot help",
	  FIXUP | GUP, { EFAULT },
	  NULL, advise_rights,
	  not_readable, not_readable_at_all },
	{ "pkey", "the protection key of the VMA denies the calling thread this access (PKRU)",
	  FAULT | GUP, { EFAULT },
	  "pkey_set() the right in the thread that calls", NULL,
	  pkey, pkey },
	{ "guard", "a guard region (MADV_GUARD_INSTALL)",
	  FAULT | GUP, { EFAULT },
	  "madvise(MADV_GUARD_REMOVE)", NULL,
	  guard_region, guard_region },
	{ "hwpoison", "the page has a memory error, or is marked as if it had one",
	  FAULT | GUP, { EHWPOISON, EFAULT },
	  "map the address anew", NULL,
	  hwpoison, hwpoison },
	{ "userfaultfd",
	  "missing in a userfaultfd range, and a call that keeps the mmap lock cannot wait",
	  FAULT | GUP, { EFAULT },
	  NULL, advise_wait,
	  missing_in_userfaultfd, missing_for_sure },
	{ "userfaultfd-rwp",
	  "read-write-protected by userfaultfd, and a call that keeps the mmap lock cannot wait",
	  FAULT | GUP, { EFAULT },
	  "a call that may drop the mmap lock (_unlocked, _fast), or UFFDIO_RWPROTECT first", NULL,
	  read_write_protected, NULL },
	{ "beyond-file-end", "the file has no page there: a fault ends in VM_FAULT_SIGBUS",
	  FAULT | GUP | MEMFD, { EFAULT, EINVAL },
	  "make the file longer", NULL,
	  beyond_file_end, beyond_file_end },
	{ "fault-handler",
	  "nothing is mapped there, and the fault handler of who made the mapping gives no page",
	  FAULT | GUP, { EFAULT },
	  "the process touching the address by itself first, if it is let", NULL,
	  handler_gave_no_page, NULL },
	{ "nofault", "the page tables as they are do not allow the access, and it must not fault",
	  GUP, { EFAULT },
	  NULL, advise_fault,
	  must_not_fault, needs_fault },
	{ "nowait", "the fault would have had to wait for something, and FOLL_NOWAIT was given",
	  GUP, { EFAULT },
	  "without nowait", NULL,
	  must_not_wait, NULL },
};

static bool leads_to(const struct gw_rule *rule, int error)
{
	int i;

	if (!error)
		return true;
	for (i = 0; i < ARRAY_SIZE(rule->errors); i++)
		if (rule->errors[i] == error)
			return true;
	return false;
}

const struct gw_rule *gw_rule_find(const struct gw_case *c)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct gw_rule *rule = &rules[i];

		/* Without a VMA only the first rule, which says so, may look. */
		if (rule->families & BIT(c->op->family) && leads_to(rule, c->error) &&
		    (c->vma || rule->holds == no_vma) && rule->holds(c))
			return rule;
	}
	return NULL;
}

const struct gw_rule *gw_rule_that_fails(const struct gw_case *c)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct gw_rule *rule = &rules[i];

		if (rule->families & BIT(c->op->family) && rule->fails && rule->fails(c))
			return rule;
	}
	return NULL;
}

const char *gw_rule_advice(const struct gw_rule *rule, const struct gw_case *c)
{
	return rule->advice ?: rule->advise(c);
}

int gw_rule_error(const struct gw_rule *rule, const struct gw_op *op)
{
	if (op->never_faults || op->copies)
		return 0;
	if (op->family == GW_FAMILY_MEMFD)
		return -EINVAL;
	/* Only the fault handler itself tells a memory error from others. */
	if (rule->holds == hwpoison)
		return op->family == GW_FAMILY_FAULT ? -EHWPOISON : -EFAULT;
	return -rule->errors[0];
}
