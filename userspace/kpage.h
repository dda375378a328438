/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc and /sys say of page frames. */
#ifndef GUPWALK_KPAGE_H
#define GUPWALK_KPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most page frames asked about at once. */
#define KPAGE_BATCH 512

/**
 * struct kpage - where to ask
 * @fd: of /proc/kpageflags, -1: it cannot be read
 * @knows_ksm: its bit for KSM is right
 */
struct kpage {
	int fd;
	bool knows_ksm;
};

/**
 * struct kpage_kind - what kind of page a page frame has
 * @what: "zero", "ksm", "anon" or "other", NULL where there is no page or nothing is known
 * @huge: "hugetlb" or "thp", of which the kernel makes every page of a folio that has more than
 *	one; else NULL
 */
struct kpage_kind {
	const char *what;
	const char *huge;
};

/**
 * kpage_open() - get ready
 * @k: filled in; without a /proc/kpageflags nothing will be known of any page frame
 */
void kpage_open(struct kpage *k);

/**
 * kpage_close() - ask no more
 * @k: where
 */
void kpage_close(struct kpage *k);

/**
 * kpage_kinds() - what kind of pages page frames have
 * @k: where to ask
 * @pfn: the first
 * @n: how many, at most KPAGE_BATCH
 * @kinds: filled in
 */
void kpage_kinds(const struct kpage *k, uint64_t pfn, size_t n, struct kpage_kind *kinds);

/**
 * node_of() - the memory node of a page frame
 * @pfn: the page frame
 * @page_size: bytes
 *
 * Return: its number; -1: not known.
 */
int node_of(uint64_t pfn, uint64_t page_size);

#endif
