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

/* In the order in which check_vma_flags() (mm/gup.c) and the fault handler look. */
static const struct gw_rule rules[] = {
	{ "no-vma", "no VMA at the address where the call stopped",
	  FOLLOW | FAULT | GUP | MEMFD, { EFAULT, EINVAL }, no_vma },
	{ "not-memfd", "memfd_pin_folios takes files of shared memory (memfd, tmpfs) and of hugetlb",
	  MEMFD, { EINVAL }, not_memfd },
	{ "vma-not-pfnmap",
	  "follow_pfn serves only VM_IO and VM_PFNMAP mappings: it never looked at the page",
	  FOLLOW, { EINVAL }, not_io_nor_pfnmap },
	{ "pfnmap-not-populated",
	  "no entry here yet, and follow_pfn does not fault: fixup_user_fault, then try again",
	  FOLLOW, { EINVAL }, not_populated },
	{ "pfnmap-huge", "follow_pfn of this kernel does not see huge entries",
	  FOLLOW, { EINVAL }, huge_leaf },
	{ "vma-io-pfnmap",
	  "VM_IO and VM_PFNMAP mappings are refused: what they map need not have a struct page",
	  GUP, { EFAULT }, io_or_pfnmap },
	{ "longterm-fsdax", "FOLL_LONGTERM is refused on a filesystem-DAX mapping",
	  GUP, { EOPNOTSUPP }, fsdax },
	{ "longterm-file-write",
	  "FOLL_LONGTERM|FOLL_WRITE on a shared mapping whose filesystem must know of writes",
	  GUP, { EFAULT }, longterm_file_write },
	{ "secretmem", "secretmem is not for get_user_pages",
	  GUP, { EFAULT }, secretmem },
	{ "vma-prot-none",
	  "the VMA is PROT_NONE, and FOLL_FORCE was not given; the page may well be there",
	  FIXUP | GUP, { EFAULT }, prot_none },
	{ "vma-not-writable", "FOLL_WRITE, but the VMA lacks VM_WRITE; FOLL_FORCE was not given",
	  FIXUP | GUP, { EFAULT }, not_writable },
	{ "force-needs-cow",
	  "FOLL_FORCE|FOLL_WRITE without VM_WRITE needs a mapping that can be copied from",
	  GUP, { EFAULT }, force_needs_cow },
	{ "vma-not-readable", "the VMA lacks VM_READ, and FOLL_FORCE was not given or cannot help",
	  FIXUP | GUP, { EFAULT }, not_readable },
	{ "pkey", "the protection key of the VMA denies the calling thread this access (PKRU)",
	  FAULT | GUP, { EFAULT }, pkey },
	{ "guard", "a guard region (MADV_GUARD_INSTALL)",
	  FAULT | GUP, { EFAULT }, guard_region },
	{ "hwpoison", "the page has a memory error, or is marked as if it had one",
	  FAULT | GUP, { EHWPOISON, EFAULT }, hwpoison },
	{ "userfaultfd",
	  "missing in a userfaultfd range, and a call that keeps the mmap lock cannot wait",
	  FAULT | GUP, { EFAULT }, missing_in_userfaultfd },
	{ "beyond-file-end", "the file has no page there: a fault ends in VM_FAULT_SIGBUS",
	  FAULT | GUP | MEMFD, { EFAULT, EINVAL }, beyond_file_end },
	{ "nofault", "the page tables as they are do not allow the access, and it must not fault",
	  GUP, { EFAULT }, must_not_fault },
	{ "nowait", "the fault would have had to wait for something, and FOLL_NOWAIT was given",
	  GUP, { EFAULT }, must_not_wait },
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
