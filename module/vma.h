/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts about a VMA, copied so that they outlive the mmap lock.
 */
#ifndef _GUPWALK_VMA_H
#define _GUPWALK_VMA_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "names.h"

/**
 * struct gw_vma - facts of a VMA
 * @start: first address
 * @end: first address after it
 * @pgoff: offset in the file, in pages
 * @flags: VM_* bits of this kernel, named by gw_vma_flag_names
 * @kind: name of what is mapped: anon, file, shmem, hugetlb, pfnmap, special
 * @anonymous: private memory without a file
 * @file: path of the file, allocated; NULL if there is none
 */
struct gw_vma {
	unsigned long start;
	unsigned long end;
	unsigned long pgoff;
	u64 flags;
	const char *kind;
	bool anonymous;
	char *file;
};

extern const struct gw_name gw_vma_flag_names[];

/**
 * gw_vma_is_shmem() - does a VMA map a file of shared memory
 * @vma: the VMA; it has a file
 *
 * Context: mmap lock held.
 * Return: true for a file of tmpfs, a memfd among them.
 */
bool gw_vma_is_shmem(const struct vm_area_struct *vma);

/**
 * gw_vma_is_rwp() - does userfaultfd take away and give back the access to this memory (RWP)
 * @vma: the VMA
 *
 * Return: true if a PROT_NONE entry there may mean that, and not a NUMA hint.
 */
bool gw_vma_is_rwp(struct vm_area_struct *vma);

/**
 * gw_vma_stack_above() - the stack that a call may make grow to an address
 * @mm: the address space
 * @task: a thread of it
 * @addr: an address without a VMA
 *
 * expand_stack() (mm/mmap.c) is what access_process_vm() makes of such an address, and
 * get_user_pages() up to v6.4.
 *
 * Context: mmap lock of @mm held for read or write.
 * Return: the VMA, which begins above @addr; NULL if there is none, or the thread's limit forbids
 * it.
 */
struct vm_area_struct *gw_vma_stack_above(struct mm_struct *mm, struct task_struct *task,
					  unsigned long addr);

/**
 * gw_vma_copy() - copy the facts of a VMA
 * @vma: the VMA
 * @facts: filled in; gw_vma_free() frees what it holds
 *
 * Context: process context, may sleep; the mmap lock of @vma->vm_mm is held for read or write.
 * Return: 0, or -ENOMEM.
 */
int gw_vma_copy(struct vm_area_struct *vma, struct gw_vma *facts);

/**
 * gw_vma_note() - copy the facts of a VMA but for the path of its file
 * @vma: the VMA
 * @facts: filled in; it holds nothing
 *
 * Context: any; the mmap lock of @vma->vm_mm is held for read or write.
 */
void gw_vma_note(struct vm_area_struct *vma, struct gw_vma *facts);

/**
 * gw_vma_free() - free what gw_vma_copy() allocated
 * @facts: the facts; all zero is fine
 */
void gw_vma_free(struct gw_vma *facts);

#endif /* _GUPWALK_VMA_H */
