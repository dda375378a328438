// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "vma.h"

const struct gw_name gw_vma_flag_names[] = {
	{ "read", VM_READ },
	{ "write", VM_WRITE },
	{ "exec", VM_EXEC },
	{ "shared", VM_SHARED },
	{ "mayread", VM_MAYREAD },
	{ "maywrite", VM_MAYWRITE },
	{ "mayexec", VM_MAYEXEC },
	{ "mayshare", VM_MAYSHARE },
	{ "growsdown", VM_GROWSDOWN },
	{ "uffd_missing", VM_UFFD_MISSING },
	{ "uffd_wp", VM_UFFD_WP },
	{ "uffd_minor", VM_UFFD_MINOR },
	{ "uffd_rwp", VM_UFFD_RWP },
	{ "pfnmap", VM_PFNMAP },
	{ "io", VM_IO },
	{ "mixedmap", VM_MIXEDMAP },
	{ "locked", VM_LOCKED },
	{ "lockonfault", VM_LOCKONFAULT },
	{ "seq_read", VM_SEQ_READ },
	{ "rand_read", VM_RAND_READ },
	{ "dontcopy", VM_DONTCOPY },
	{ "dontexpand", VM_DONTEXPAND },
	{ "dontdump", VM_DONTDUMP },
	{ "account", VM_ACCOUNT },
	{ "noreserve", VM_NORESERVE },
	{ "hugetlb", VM_HUGETLB },
	{ "hugepage", VM_HUGEPAGE },
	{ "nohugepage", VM_NOHUGEPAGE },
	{ "mergeable", VM_MERGEABLE },
	{ "wipeonfork", VM_WIPEONFORK },
	{ "softdirty", VM_SOFTDIRTY },
	{ }
};

/*
 * vma_is_shmem() is not exported: System V and shared /dev/zero memory, memfds and files of tmpfs
 * have this superblock, as have the nodes of devtmpfs, which are no files.
 */
bool gw_vma_is_shmem(const struct vm_area_struct *vma)
{
	const struct inode *inode = file_inode(vma->vm_file);

	return S_ISREG(inode->i_mode) && inode->i_sb->s_magic == TMPFS_MAGIC;
}

static const char *vma_kind(struct vm_area_struct *vma)
{
	if (vma->vm_flags & (VM_PFNMAP | VM_IO))
		return "pfnmap";
	if (is_vm_hugetlb_page(vma))
		return "hugetlb";
	/* Before the file: private memory of /dev/zero has one. */
	if (vma_is_anonymous(vma))
		return "anon";
	if (vma->vm_file)
		return gw_vma_is_shmem(vma) ? "shmem" : "file";
	return "special";
}

static char *copy_path(struct file *file)
{
	char *buffer = kmalloc(PATH_MAX, GFP_KERNEL);
	char *path, *copy;

	if (!buffer)
		return NULL;
	path = file_path(file, buffer, PATH_MAX);
	copy = kstrdup(IS_ERR(path) ? "(path too long)" : path, GFP_KERNEL_ACCOUNT);
	kfree(buffer);
	return copy;
}

bool gw_vma_is_rwp(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_UFFD_RWP && vma_is_accessible(vma);
}

struct vm_area_struct *gw_vma_stack_above(struct mm_struct *mm, struct task_struct *task,
					  unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	if (!vma || vma->vm_start <= addr || !(vma->vm_flags & VM_GROWSDOWN) ||
	    vma->vm_end - addr > task_rlimit(task, RLIMIT_STACK))
		return NULL;
	return vma;
}

static inline void note(struct vm_area_struct *vma, struct gw_vma *facts)
{
	facts->start = vma->vm_start;
	facts->end = vma->vm_end;
	facts->pgoff = vma->vm_pgoff;
	facts->flags = vma->vm_flags;
	facts->kind = vma_kind(vma);
	facts->anonymous = vma_is_anonymous(vma);
	facts->file = NULL;
}

void gw_vma_note(struct vm_area_struct *vma, struct gw_vma *facts)
{
	note(vma, facts);
}

int gw_vma_copy(struct vm_area_struct *vma, struct gw_vma *facts)
{
	note(vma, facts);
	if (!vma->vm_file)
		return 0;
	facts->file = copy_path(vma->vm_file);
	return facts->file ? 0 : -ENOMEM;
}

void gw_vma_free(struct gw_vma *facts)
{
	kfree(facts->file);
	facts->file = NULL;
}
