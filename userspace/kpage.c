// SPDX-License-Identifier: GPL-2.0-only
#include "kpage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text.h"

/* include/uapi/linux/kernel-page-flags.h of the kernel */
#define KPF_ANON 12
#define KPF_HUGE 17
#define KPF_NOPAGE 20
#define KPF_KSM 21
#define KPF_THP 22
#define KPF_ZERO_PAGE 24

#define NODES_MAX 1024

static bool has(uint64_t flags, int bit)
{
	return flags >> bit & 1;
}

/*
 * Some kernels (6.12) say KSM of every anonymous page. Of one that was just written to, and that
 * nobody was told to merge, it is wrong.
 */
static bool knows_ksm(int fd)
{
	long size = sysconf(_SC_PAGESIZE);
	uint64_t word = 0, flags = ~0ULL;
	char *page;
	int pagemap;

	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	*(volatile char *)page = 1;
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap >= 0) {
		if (pread(pagemap, &word, 8, (uintptr_t)page / size * 8) == 8 &&
		    pread(fd, &flags, 8, (word & ((1ULL << 55) - 1)) * 8) != 8)
			flags = ~0ULL;
		close(pagemap);
	}
	munmap(page, size);
	return !has(flags, KPF_KSM);
}

void kpage_open(struct kpage *k)
{
	k->fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	k->knows_ksm = k->fd >= 0 && knows_ksm(k->fd);
}

void kpage_close(struct kpage *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

static const char *what(const struct kpage *k, uint64_t flags)
{
	if (has(flags, KPF_ZERO_PAGE))
		return "zero";
	if (k->knows_ksm && has(flags, KPF_KSM))
		return "ksm";
	return has(flags, KPF_ANON) ? "anon" : "other";
}

static struct kpage_kind kind(const struct kpage *k, uint64_t flags)
{
	struct kpage_kind kind = { 0 };

	if (has(flags, KPF_NOPAGE))
		return kind;
	kind.what = what(k, flags);
	if (has(flags, KPF_HUGE))
		kind.huge = "hugetlb";
	else if (has(flags, KPF_THP))
		kind.huge = "thp";
	return kind;
}

void kpage_kinds(const struct kpage *k, uint64_t pfn, size_t n, struct kpage_kind *kinds)
{
	uint64_t flags[KPAGE_BATCH];
	ssize_t got = -1;
	size_t i;

	if (k->fd >= 0)
		got = pread(k->fd, flags, n * sizeof(*flags), pfn * sizeof(*flags));
	for (i = 0; i < n; i++)
		kinds[i] = got >= (ssize_t)((i + 1) * sizeof(*flags)) ? kind(k, flags[i]) :
			   (struct kpage_kind){ 0 };
}

/**
 * struct node_block - a block of memory that can be taken away as one
 * @number: which
 * @node: where
 */
struct node_block {
	uint64_t number;
	int node;
};

static struct node_block *blocks;
static size_t nr_blocks;
static uint64_t block_size;

static void read_node(int node)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", node);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		unsigned long long number;

		if (sscanf(d->d_name, "memory%llu", &number) != 1)
			continue;
		blocks = must_grow(blocks, nr_blocks, sizeof(*blocks));
		blocks[nr_blocks++] = (struct node_block){ number, node };
	}
	if (dir)
		closedir(dir);
}

static int compare_blocks(const void *a, const void *b)
{
	const struct node_block *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void read_nodes(void)
{
	struct strbuf text = { 0 };
	int node;

	block_size = 1;
	if (slurp("/sys/devices/system/memory/block_size_bytes", &text) == 0)
		block_size = strtoull(strbuf_text(&text), NULL, 16);
	strbuf_free(&text);
	for (node = 0; block_size > 1 && node < NODES_MAX; node++)
		read_node(node);
	qsort(blocks, nr_blocks, sizeof(*blocks), compare_blocks);
}

/* A border between two nodes may lie within a block: which of them a page is on cannot be told. */
static bool is_shared(const struct node_block *b)
{
	return (b > blocks && b[-1].number == b->number) ||
	       (b + 1 < blocks + nr_blocks && b[1].number == b->number);
}

int node_of(uint64_t pfn, uint64_t page_size)
{
	struct node_block wanted = { 0 }, *found;
	static struct node_block last = { UINT64_MAX, -1 };

	if (!block_size)
		read_nodes();
	if (!nr_blocks)
		return -1;
	wanted.number = pfn * page_size / block_size;
	if (wanted.number != last.number) {
		found = bsearch(&wanted, blocks, nr_blocks, sizeof(*blocks), compare_blocks);
		wanted.node = found && !is_shared(found) ? found->node : -1;
		last = wanted;
	}
	return last.node;
}
