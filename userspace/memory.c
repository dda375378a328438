// SPDX-License-Identifier: GPL-2.0-only
/* Memory whose page tables are the same every time. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"

/* More of them do not help: something is wrong. */
#define TRIES 1024

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

bool memory_one_cpu(void)
{
	cpu_set_t *set = CPU_ALLOC(CPU_SETSIZE);
	int cpu = sched_getcpu();
	bool done;

	CPU_ZERO(set);
	if (cpu >= 0 && cpu < CPU_SETSIZE)
		CPU_SET(cpu, set);
	done = sched_setaffinity(0, sizeof(*set), set) == 0;
	if (!done)
		complain("staying on one CPU", NULL, strerror(errno), NULL);
	CPU_FREE(set);
	return done;
}

/* linux/mempolicy.h */
#define MPOL_DEFAULT 0
#define MPOL_LOCAL 4

void memory_no_hints(void)
{
	syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0);
}

void memory_hints(void)
{
	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
}

void memory_drain(void)
{
	static char *dummy;

	if (!dummy) {
		dummy = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (dummy == MAP_FAILED) {
			dummy = NULL;
			return;
		}
	}
	madvise(dummy, page_size(), MADV_COLD);
}

uint64_t memory_pagemap(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (uintptr_t)at / page_size() *
			    sizeof(entry)) != sizeof(entry))
		entry = 0;
	if (fd >= 0)
		close(fd);
	return entry;
}

bool memory_untouched(const void *at, size_t len)
{
	uintptr_t page = (uintptr_t)at / page_size() * page_size();

	for (; page < (uintptr_t)at + len; page += page_size())
		if (memory_pagemap((void *)page) &
		    (MEMORY_PAGEMAP_PRESENT | MEMORY_PAGEMAP_SWAPPED))
			return false;
	return true;
}

static char *no_memory(const char *doing)
{
	complain(doing, NULL, errno ? strerror(errno) : "found none that fits", NULL);
	return NULL;
}

char *memory_aligned(size_t pages, size_t pmd)
{
	size_t size = page_size();
	void *at;
	int i;

	errno = 0;
	for (i = 0; i < TRIES; i++) {
		/* what does not fit is not freed: malloc would give it back the next time */
		errno = posix_memalign(&at, size, pages * size);
		if (errno)
			break;
		if ((uintptr_t)at % pmd == 0 || !memory_untouched(at, pages * size) ||
		    memory_untouched((char *)at - size, size))
			continue;
		return at;
	}
	return no_memory("allocating memory that was never touched");
}

static char *map(size_t len, int flags)
{
	char *at =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/*
 * Where the kernel would put a mapping differs from run to run, and with it which tables two
 * mappings share. So all that memory_map() gives lies in one window that begins where a pmd entry's
 * range begins.
 */
static char *window_take(size_t len, size_t pmd)
{
	static char *next, *end;
	size_t size = (len + pmd - 1) / pmd * pmd;
	char *at;

	if (!next || len > (size_t)(end - next)) {
		at = mmap(NULL, size + pmd, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
		if (at == MAP_FAILED)
			return NULL;
		next = (char *)(((uintptr_t)at + pmd - 1) & ~(pmd - 1));
		end = next + size;
	}
	at = next;
	next += len;
	return at;
}

char *memory_map(size_t pages, size_t pmd)
{
	size_t size = page_size(), len = (pages + 1) * size;
	/* a page of the window stays as a fence: neighbours would merge */
	char *at = window_take(len + size, pmd);

	if (at &&
	    mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    at &&
	    (madvise(at, len, MADV_NOHUGEPAGE) == 0 || errno == EINVAL)) {
		*(volatile char *)at = 1;
		return at + size;
	}
	return no_memory("mapping memory");
}

char *memory_huge(size_t size, size_t table, int flags)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		char *at = map(3 * size, MAP_NORESERVE);
		char *before;

		if (!at)
			break;
		before = (char *)(((uintptr_t)at + size - 1) & ~(size - 1));
		at = before + size;
		if ((uintptr_t)before / table != (uintptr_t)at / table)
			continue;
		/* a small page under the entry before, so that the table of both is there */
		if (madvise(before, size, MADV_NOHUGEPAGE) && errno != EINVAL)
			break;
		*(volatile char *)before = 1;
		if (flags && mmap(at, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) != at)
			break;
		return at;
	}
	return no_memory("mapping memory for a huge page");
}
