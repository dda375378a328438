// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of every kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"
#include "needs.h"
#include "../../module/uapi/gupwalk.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

void *map(size_t size, int prot, int flags, int fd)
{
	void *addr = mmap(NULL, size, prot, flags, fd, 0);

	if (addr == MAP_FAILED)
		fail("mmap of %zu bytes, prot %#x, flags %#x: %m", size, prot, flags);
	return addr;
}

void no_huge_pages(void *addr, size_t size)
{
	must(!madvise(addr, size, MADV_NOHUGEPAGE) || errno == EINVAL);
}

char *map_anon(size_t size, bool touch)
{
	char *addr = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	no_huge_pages(addr, size);
	if (touch)
		memset(addr, 'a', size);
	return addr;
}

char *reserve(size_t size)
{
	char *addr = map(2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	char *aligned = (char *)(((uintptr_t)addr + size - 1) & ~(size - 1));

	if (aligned > addr)
		must(!munmap(addr, aligned - addr));
	if (aligned - addr < (ptrdiff_t)size)
		must(!munmap(aligned + size, addr + size - aligned));
	return aligned;
}

char *map_thp(void)
{
	char *addr = reserve(pmd_size());
	struct sight sight;

	must(!mprotect(addr, pmd_size(), PROT_READ | PROT_WRITE));
	must(!madvise(addr, pmd_size(), MADV_HUGEPAGE));
	memset(addr, 't', pmd_size());
	sight = look(0, addr);
	if (!kpf(sight.flags, KPF_THP))
		skip("the kernel gave no transparent huge page");
	return addr;
}

static void thp_cont_off(void *arg)
{
	try_write_file(thp_cont_file(), "inherit");
}

char *map_thp_cont(void)
{
	size_t size = contiguous_size(4);
	char *pages = reserve(size);
	struct json_object *snap;

	at_end(thp_cont_off, NULL);
	write_file(thp_cont_file(), "always");
	must(!mprotect(pages, size, PROT_READ | PROT_WRITE));
	must(!madvise(pages, size, MADV_HUGEPAGE));
	pages[0] = 1;
	snap = walk(pages + size - 1);
	if (jnull(snap, "leaf") || jnum(snap, "page.order") == 0)
		skip("the kernel gave no folio of %zu bytes", size);
	return pages;
}

char *map_huge_zero(void)
{
	char *addr = reserve(pmd_size());

	must(!mprotect(addr, pmd_size(), PROT_READ | PROT_WRITE));
	must(!madvise(addr, pmd_size(), MADV_HUGEPAGE));
	must(*(volatile char *)addr == 0);
	if (!kpf(look(0, addr).flags, KPF_THP))
		skip("the kernel mapped no huge zero page");
	return addr;
}

char *map_hugetlb(size_t size, int prot, int flags)
{
	return map(size, prot, flags | MAP_ANONYMOUS | MAP_HUGETLB |
		   __builtin_ctzl(size) << MAP_HUGE_SHIFT, -1);
}

static int filled(int fd, size_t size)
{
	char *bytes = malloc(size);

	must(fd >= 0 && bytes);
	memset(bytes, 'f', size);
	must(write(fd, bytes, size) == (ssize_t)size);
	free(bytes);
	return fd;
}

int file_shmem(size_t size)
{
	return filled(memfd_create("gupwalk-test", MFD_CLOEXEC), size);
}

int file_ext4(size_t size)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/XXXXXX", ext4_directory());
	fd = mkostemp(path, O_CLOEXEC);
	filled(fd, size);
	must(!fsync(fd));
	unlink(path);
	return fd;
}

int file_secret(size_t size)
{
	int fd = syscall(SYS_memfd_secret, 0);

	must(fd >= 0 && !ftruncate(fd, size));
	return fd;
}

static int target_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/" GUPWALK_TARGET_NAME, O_RDWR | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

char *map_target(size_t pages)
{
	return map(pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, target_fd());
}

int target_zap(void *addr, size_t length)
{
	struct gupwalk_target_zap zap = { .addr = (uintptr_t)addr, .len = length };

	return ioctl(target_fd(), GUPWALK_TARGET_ZAP, &zap);
}

/* move_pages() turns the lists off on all CPUs for as long as it works. */
void drain(void)
{
	char *page = map_anon(PAGE, true);
	int node = 0, status;
	void *pages[] = { page };

	if (syscall(SYS_move_pages, 0, 1UL, pages, &node, &status, 2))
		skip("move_pages(): %m");
	must(!munmap(page, PAGE));
}

bool swap_out(void *addr)
{
	int tries;

	for (tries = 0; tries < 50; tries++) {
		must(!madvise(addr, PAGE, MADV_PAGEOUT));
		if (!(look(0, addr).pagemap & PM_PRESENT))
			return true;
		sleep_ms(10);
	}
	return false;
}

static void survive(int signal)
{
}

/* Some kernels tell who has asked for it, with a SIGBUS, as if it had just read the page. */
void poison(void *addr, size_t length)
{
	struct sigaction action = { .sa_handler = survive };

	must(!sigaction(SIGBUS, &action, NULL));
	must(!madvise(addr, length, MADV_HWPOISON));
}

uint64_t uffd_features(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	bool known = fd >= 0 && !ioctl(fd, UFFDIO_API, &api);

	close(fd);
	return known ? api.features : 0;
}

int uffd_register(void *addr, size_t length, uint64_t mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)addr, .len = length },
		.mode = mode,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	must(fd >= 0);
	if (mode & UFFDIO_REGISTER_MODE_WP)
		api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP;
	must(!ioctl(fd, UFFDIO_API, &api));
	must(!ioctl(fd, UFFDIO_REGISTER, &reg));
	return fd;
}

/* Linux 6.6; the headers of the machine that compiles this may be older. */
#ifndef UFFDIO_POISON
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};

#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

void uffd_poison(int uffd, void *addr, size_t length)
{
	struct uffdio_poison poisoned = {
		.range = { .start = (uintptr_t)addr, .len = length },
	};

	must(!ioctl(uffd, UFFDIO_POISON, &poisoned));
}

void uffd_protect(int uffd, void *addr, size_t length, bool on)
{
	struct uffdio_writeprotect protect = {
		.range = { .start = (uintptr_t)addr, .len = length },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	must(!ioctl(uffd, UFFDIO_WRITEPROTECT, &protect));
}
