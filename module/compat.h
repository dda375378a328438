/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions, and nothing else. No file but this one and those in
 * compat/ looks at LINUX_VERSION_CODE.
 *
 * Here are the facts: what a kernel has, 0 or 1, with the commit that changed it. Each can be set
 * from the build line (KCFLAGS=-DGW_HAVE_GUP_VMAS=0), for a kernel whose version number does not
 * tell. The wrappers that follow from them are in compat/, by the kernel's header: a changed
 * function gets the prefix gw_ and the newest kernel's form; what an older kernel merely lacks
 * keeps the kernel's name.
 */
#ifndef _GUPWALK_COMPAT_H
#define _GUPWALK_COMPAT_H

#include <linux/pgtable.h>
#include <linux/version.h>

/* Linux kernel commit 54d020692b34 ("mm/gup: remove unused vmas parameter from get_user_pages()")
 * (in v6.5) and the two that follow it for get_user_pages_remote() and pin_user_pages().
 */
#ifndef GW_HAVE_GUP_VMAS
#define GW_HAVE_GUP_VMAS (LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0))
#endif

/* Linux kernel commit "mm/gup: remove unused get_user_pages_locked()" (in v5.18). */
#ifndef GW_HAVE_GUP_LOCKED
#define GW_HAVE_GUP_LOCKED (LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0))
#endif

/* Linux kernel commit 89c1905d9c14 ("mm/gup: introduce memfd_pin_folios() for pinning memfd
 * folios") (in v6.11).
 */
#ifndef GW_HAVE_MEMFD_PIN_FOLIOS
#define GW_HAVE_MEMFD_PIN_FOLIOS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))
#endif

/* Before, memfd_pin_folios() took a page of hugetlb that was not in the file from the reservations
 * of others (memfd_alloc_folio(), mm/memfd.c): that it reserves one of its own was seen in 7.3, and
 * not in 6.12.
 */
#ifndef GW_HAVE_MEMFD_RESERVES
#define GW_HAVE_MEMFD_RESERVES (LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0))
#endif

/* Linux kernel commit 53b2d09bf7f1 ("mm/gup: remove the restriction on locked with FOLL_LONGTERM"),
 * taken for granted from v6.3 on: before, pin_user_pages_unlocked() warns about FOLL_LONGTERM.
 */
#ifndef GW_HAVE_LONGTERM_UNLOCKED
#define GW_HAVE_LONGTERM_UNLOCKED (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))
#endif

/* Linux kernel commit 55b8fe703bc5 ("gup: Introduce FOLL_NOFAULT flag to disable page faults") (in
 * v5.16).
 */
#ifndef GW_HAVE_FOLL_NOFAULT
#define GW_HAVE_FOLL_NOFAULT (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0))
#endif

/* Linux kernel commit c89357e27f20 ("mm: support GUP-triggered unsharing of anonymous pages") (in
 * v5.19).
 */
#ifndef GW_HAVE_FAULT_UNSHARE
#define GW_HAVE_FAULT_UNSHARE (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0))
#endif

/*
 * A pin of a special entry in a VM_MIXEDMAP mapping counted as obtained, and its place among the
 * pages was not written, before Linux kernel commit 7196040e19ad ("mm: fix invalid page pointer
 * returned with FOLL_PIN gups") (in v5.18).
 */
#ifndef GW_HAVE_GUP_HOLES
#define GW_HAVE_GUP_HOLES (LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0))
#endif

/* Linux kernel commit 6da8e9634bb7 ("mm: new follow_pfnmap API") (in v6.12); follow_pfn() itself
 * left in v6.10, commit cb10c28ac82c ("mm: remove follow_pfn").
 */
#ifndef GW_HAVE_FOLLOW_PFN
#define GW_HAVE_FOLLOW_PFN (LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0))
#endif
#ifndef GW_HAVE_FOLLOW_PFNMAP
#define GW_HAVE_FOLLOW_PFNMAP (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))
#endif

/* Linux kernel commit dab6e717429e ("mm: Rename pmd_read_atomic()") (in v6.2). */
#ifndef GW_HAVE_PMDP_GET_LOCKLESS
#define GW_HAVE_PMDP_GET_LOCKLESS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))
#endif

/*
 * Linux kernel commit 6857be5fecae ("mm: introduce ARCH_SUPPORTS_HUGE_PFNMAP and special bits to
 * pmd/pud") (in v6.12).
 */
#ifndef GW_HAVE_PMD_SPECIAL
#define GW_HAVE_PMD_SPECIAL (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))
#endif

/*
 * Linux kernel commit 94688e8eb453 ("mm: remove folio_pincount_ptr() and
 * head_compound_pincount()") (in v6.3).
 */
#ifndef GW_HAVE_FOLIO_PINCOUNT_FIELD
#define GW_HAVE_FOLIO_PINCOUNT_FIELD (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))
#endif

/*
 * Linux kernel commit 05c5323b2a34 ("mm: track mapcount of large folios in single value") (in
 * v6.10).
 */
#ifndef GW_HAVE_LARGE_MAPCOUNT
#define GW_HAVE_LARGE_MAPCOUNT (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0))
#endif

/* Linux kernel commit "fs/proc: move page_mapcount() to fs/proc/internal.h" (in v6.11). */
#ifndef GW_HAVE_PAGE_MAPCOUNT
#define GW_HAVE_PAGE_MAPCOUNT (LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0))
#endif

/* Linux kernel commit af19487f00f3 ("mm: make PTE_MARKER_SWAPIN_ERROR more general") (in v6.6). */
#ifndef GW_HAVE_PTE_MARKER_POISONED
#define GW_HAVE_PTE_MARKER_POISONED (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))
#endif

/* Linux kernel commit 15520a3f0469 ("mm: use pte markers for swap errors") (in v6.2): before, and
 * since 9f186f9e5fa9 ("mm/swapfile: unuse_pte can map random data if swap read fails") (in
 * v5.19), a swap type of its own.
 */
#ifndef GW_HAVE_SWAPIN_ERROR_ENTRY
#define GW_HAVE_SWAPIN_ERROR_ENTRY (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0) && \
				    LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#endif

/* Its name from 15520a3f0469 ("mm: use pte markers for swap errors") (in v6.2) on, until it was
 * made more general (in v6.6), see above.
 */
#ifndef GW_HAVE_PTE_MARKER_SWAPIN_ERROR
#define GW_HAVE_PTE_MARKER_SWAPIN_ERROR (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
					 LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0))
#endif

/* Linux kernel commit 7c53dfbdb024 ("mm: add PTE_MARKER_GUARD PTE marker") (in v6.13). */
#ifndef GW_HAVE_PTE_MARKER_GUARD
#define GW_HAVE_PTE_MARKER_GUARD (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0))
#endif

/* Linux kernel commit "x86/mm: Introduce _PAGE_SAVED_DIRTY" (in v6.6). */
#ifndef GW_HAVE_SAVED_DIRTY
#define GW_HAVE_SAVED_DIRTY (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))
#endif

/*
 * Linux kernel commit 8ac268436e6d ("mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to
 * file-backed mappings") (in v6.5).
 */
#ifndef GW_HAVE_LONGTERM_FILE_CHECK
#define GW_HAVE_LONGTERM_FILE_CHECK (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))
#endif

/*
 * Linux kernel commit "mm/memremap: remove unused get_dev_pagemap() parameter" (in v6.18; v6.12 has
 * the parameter, v7.2 has not).
 */
#ifndef GW_HAVE_DEV_PAGEMAP_CACHED
#define GW_HAVE_DEV_PAGEMAP_CACHED (LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0))
#endif

/*
 * Linux kernel commit "mm/gup: remove the vma allocation from gup_longterm_locked()" (in v5.11):
 * that a VMA has filesystem-DAX is found before its pages are taken, and no longer after.
 */
#ifndef GW_HAVE_FSDAX_CHECK_FIRST
#define GW_HAVE_FSDAX_CHECK_FIRST (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0))
#endif

/*
 * Linux kernel commit d74943a2f3cd ("mm/gup: reintroduce FOLL_NUMA as FOLL_HONOR_NUMA_FAULT") (in
 * v6.5): without that flag NUMA hints do not hinder who reads.
 */
#ifndef GW_HAVE_HONOR_NUMA_FAULT
#define GW_HAVE_HONOR_NUMA_FAULT (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))
#endif

/*
 * Linux kernel commit d1e153fea2a8 ("mm/gup: migrate pinned pages out of movable zone") (in v5.13).
 */
#ifndef GW_HAVE_LONGTERM_MIGRATE
#define GW_HAVE_LONGTERM_MIGRATE (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0))
#endif

/*
 * Linux kernel commit 84209e87c696 ("mm/gup: reliable R/O long-term pinning in COW mappings") (in
 * v6.2).
 */
#ifndef GW_HAVE_LONGTERM_UNSHARE
#define GW_HAVE_LONGTERM_UNSHARE (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))
#endif

/* Linux kernel commit cb8d86331343 ("mm: remove VM_FAULT_WRITE") (in v6.2). */
#ifndef GW_HAVE_VM_FAULT_WRITE
#define GW_HAVE_VM_FAULT_WRITE (LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#endif

/* Linux kernel commit "mm: introduce leaf entry type and use to simplify leaf entry logic" (in
 * v6.19): before, swap_entry_t and is_*_entry() (linux/swapops.h).
 */
#ifndef GW_HAVE_SOFTLEAF
#define GW_HAVE_SOFTLEAF (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))
#endif

/* Linux kernel commit 679d10331910 ("mm: introduce PTE_MARKER swap entry") (in v5.19). */
#ifndef GW_HAVE_PTE_MARKER
#define GW_HAVE_PTE_MARKER (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0))
#endif

/*
 * Linux kernel commit 0d206b5d2e0d ("mm/swap: add swp_offset_pfn() to fetch PFN from swap entry")
 * (in v6.1).
 */
#ifndef GW_HAVE_SWP_OFFSET_PFN
#define GW_HAVE_SWP_OFFSET_PFN (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0))
#endif

/* Linux kernel commit b756a3b5e7ea ("mm: device exclusive memory access") (in v5.14). */
#ifndef GW_HAVE_DEVICE_EXCLUSIVE
#define GW_HAVE_DEVICE_EXCLUSIVE (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0))
#endif

/* Linux kernel commit "mm: remove devmap related functions and page table bits" (in v6.17). */
#ifndef GW_HAVE_DEVMAP
#define GW_HAVE_DEVMAP (LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0))
#endif

/*
 * Linux kernel 7.3 calls the bit of userfaultfd _PAGE_UFFD, as it also means read-write
 * protection (USERFAULTFD_RWP).
 */
#ifndef GW_HAVE_PAGE_UFFD
#define GW_HAVE_PAGE_UFFD (LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0))
#endif

/* Linux kernel commit 6c287605fd56 ("mm: remember exclusively mapped anonymous pages with
 * PG_anon_exclusive") (in v5.19); with it came _PAGE_SWP_EXCLUSIVE.
 */
#ifndef GW_HAVE_ANON_EXCLUSIVE
#define GW_HAVE_ANON_EXCLUSIVE (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0))
#endif

/* Linux kernel commit 7b230db3b8d3 ("mm: Introduce struct folio") (in v5.16). */
#ifndef GW_HAVE_FOLIO
#define GW_HAVE_FOLIO (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0))
#endif

/*
 * Linux kernel commit 5f75cfbd6bb0 ("mm/hugetlb: fix hugetlb vs. core-mm PT locking") (in v6.11).
 */
#ifndef GW_HAVE_HUGETLB_LEVEL_LOCKS
#define GW_HAVE_HUGETLB_LEVEL_LOCKS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))
#endif

/*
 * Linux kernel commit "mm/gup: disallow FOLL_FORCE|FOLL_WRITE on hugetlb mappings" (in v6.2, and in
 * 6.1's stable kernels); taken back before v7.2. Before it, get_user_pages wrote to hugetlb pages
 * that it should not have.
 */
#ifndef GW_HAVE_HUGETLB_FORCE_CHECK
#define GW_HAVE_HUGETLB_FORCE_CHECK \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0))
#endif

/* Linux kernel commit 53fbef56e07d ("mm: introduce memdesc_flags_t") (in v6.18). */
#ifndef GW_HAVE_MEMDESC_FLAGS
#define GW_HAVE_MEMDESC_FLAGS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0))
#endif

/* Linux kernel commit "mm: rename zap_vma_ptes() to zap_special_vma_range()" (in v7.1). */
#ifndef GW_HAVE_ZAP_SPECIAL_VMA_RANGE
#define GW_HAVE_ZAP_SPECIAL_VMA_RANGE (LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0))
#endif

/* Linux kernel commit f3ba3c710ac5 ("mm/highmem: Provide kmap_local*") (in v5.11). */
#ifndef GW_HAVE_KMAP_LOCAL
#define GW_HAVE_KMAP_LOCAL (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0))
#endif

/*
 * Linux kernel commit ce6d42f2e4a2 ("mm: add vma_lookup(), update find_vma_intersection()
 * comments") (in v5.14).
 */
#ifndef GW_HAVE_VMA_LOOKUP
#define GW_HAVE_VMA_LOOKUP (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0))
#endif

/*
 * Linux kernel commit d92725256b4f ("mm: avoid unnecessary page fault retires on shared memory
 * types") (in v6.0).
 */
#ifndef GW_HAVE_VM_FAULT_COMPLETED
#define GW_HAVE_VM_FAULT_COMPLETED (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 0, 0))
#endif

/* Linux kernel commits "arm64: mm: Add support for folding PUDs at runtime" and "arm64: mm: Add 5
 * level paging support" (in v6.9): pgtable_l4_enabled() and pgtable_l5_enabled() of arm64.
 */
#ifndef GW_HAVE_ARM64_RUNTIME_FOLDING
#define GW_HAVE_ARM64_RUNTIME_FOLDING (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0))
#endif

/* Linux kernel commits f0f5863a0fb0 ("arm64/mm: Remove PTE_PROT_NONE bit"), 55564814a838 and
 * 5b32510af77b (in v6.10): PROT_NONE has the bit of nG, and bit 58 became free for userfaultfd.
 */
#ifndef GW_HAVE_ARM64_PRESENT_INVALID
#define GW_HAVE_ARM64_PRESENT_INVALID (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0))
#endif

/* Linux kernel commit d0ceea662d45 ("x86/mm: Add _PAGE_NOPTISHADOW bit to avoid updating
 * userspace page tables") (in v6.13, and in stable kernels): no version tells, the macro itself
 * does.
 */
#ifndef GW_HAVE_NOPTISHADOW
#ifdef _PAGE_NOPTISHADOW
#define GW_HAVE_NOPTISHADOW 1
#else
#define GW_HAVE_NOPTISHADOW 0
#endif
#endif

/*
 * Linux kernel commit "kprobes: Remove kretprobe hash" (in v5.11): before, an instance had its
 * probe in a member.
 */
#ifndef GW_HAVE_GET_KRETPROBE
#define GW_HAVE_GET_KRETPROBE (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0))
#endif

/* Linux kernel commits 4003f107fa2e ("mm: introduce FOLL_PCI_P2PDMA to gate getting PCI P2PDMA
 * pages") (in v6.2) and 93c5c61d9e58 ("mm/gup: add FOLL_INTERRUPTIBLE") (in v6.2).
 */
#ifndef GW_HAVE_FOLL_PCI_P2PDMA
#define GW_HAVE_FOLL_PCI_P2PDMA (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))
#endif

#include "compat/pgtable.h"
#include "compat/mm.h"
#include "compat/gup.h"
#include "compat/kprobes.h"

#endif /* _GUPWALK_COMPAT_H */
