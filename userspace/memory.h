/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory as the scenarios need it: so that the same set-up gives the same page tables every time.
 * All functions are for the process that a scenario runs in.
 */
#ifndef GUPWALK_MEMORY_H
#define GUPWALK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * memory_one_cpu() - stay on the CPU that this process is on now
 *
 * Per-CPU batches of the kernel hold references of pages; on one CPU they can be emptied, see
 * memory_drain().
 *
 * Return: true; or false after a complaint.
 */
bool memory_one_cpu(void);

/**
 * memory_no_hints() - keep NUMA balancing away from this process's memory
 *
 * It takes the rights from entries now and then, to see who comes by, unless there is a memory
 * policy (vma_policy_mof(), mm/mempolicy.c). A kernel without policies has no such hints.
 */
void memory_no_hints(void);

/**
 * memory_hints() - let NUMA balancing come to this process's memory again
 */
void memory_hints(void);

/**
 * memory_drain() - make this CPU's batch of fresh pages go onto the LRU lists
 *
 * A page in the batch has a reference more than its users hold, and loses it when the batch is
 * full, at any time. madvise(MADV_COLD) starts with lru_add_drain() (mm/madvise.c), on all kernels
 * since 5.4.
 */
void memory_drain(void);

/* Documentation/admin-guide/mm/pagemap.rst */
#define MEMORY_PAGEMAP_PRESENT (1ULL << 63)
#define MEMORY_PAGEMAP_SWAPPED (1ULL << 62)
#define MEMORY_PAGEMAP_FRAME ((1ULL << 55) - 1)

/**
 * memory_pagemap() - what /proc/self/pagemap says of a page
 * @at: its address
 *
 * Return: the entry; 0, as of a hole, if it cannot be read.
 */
uint64_t memory_pagemap(const void *at);

/**
 * memory_untouched() - is no page of a range there
 * @at: first byte
 * @len: bytes
 *
 * Return: true if /proc/self/pagemap says that no page of it is present or swapped out.
 */
bool memory_untouched(const void *at, size_t len);

/**
 * memory_aligned() - posix_memalign() pages that were never touched
 * @pages: how many
 * @pmd: bytes that a pmd entry covers
 *
 * The page before them was touched, by malloc itself, and lies under the same pmd entry: so their
 * PTE table is there.
 *
 * Return: the pages; or NULL after a complaint.
 */
char *memory_aligned(size_t pages, size_t pmd);

/**
 * memory_map() - map pages that were never touched, with a touched one before them
 * @pages: how many
 * @pmd: bytes that a pmd entry covers
 *
 * What it gives lies, as long as it fits, under one pmd entry, in the order of the calls, and the
 * PTE table is there. The mapping will have no huge pages, and nothing merges with it.
 *
 * Return: the pages; or NULL after a complaint.
 */
char *memory_map(size_t pages, size_t pmd);

/**
 * memory_huge() - map memory that one huge page can back
 * @size: bytes of the huge page, a power of two
 * @table: bytes that an entry one level above covers
 * @flags: flags for mmap() besides MAP_PRIVATE and MAP_ANONYMOUS, or 0
 *
 * The table that the huge page's entry belongs in is there, the entry is not.
 *
 * Return: the memory, aligned; or NULL after a complaint.
 */
char *memory_huge(size_t size, size_t table, int flags);

#endif
