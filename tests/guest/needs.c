// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests need of the machine: made here where that is possible, else missing for a reason.
 *
 * These functions run in the process that starts the tests, before the first test that needs them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../leaky/leaky.h"
#include "lib.h"
#include "needs.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

#define HUGETLB "/sys/kernel/mm/hugepages/hugepages-%lukB/%s"

/* Like read_file(), but of a file that may be missing: NULL then. */
static char *read_if(const char *path)
{
	return access(path, R_OK) ? NULL : read_file(path, NULL);
}

static bool file_has(const char *path, const char *text)
{
	char *content = read_if(path);
	bool has = content && strstr(content, text);

	free(content);
	return has;
}

/* Is a word among the flags of the first CPU? */
static bool cpu_has(const char *flag)
{
	char *text = read_if("/proc/cpuinfo"), *line = text ? strstr(text, "\nflags") : NULL, *word;
	bool has = false;

	line = line ? strsep(&(char *){ line + 1 }, "\n") : NULL;
	while (!has && (word = strsep(&line, " \t")))
		has = !strcmp(word, flag);
	free(text);
	return has;
}

static const char *need_thp(void)
{
	return file_has("/sys/kernel/mm/transparent_hugepage/enabled", "[never]") ||
	       access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) ?
	       "transparent huge pages are off" : NULL;
}

static const char *need_hugetlb(unsigned long size, int pages)
{
	static char why[128];
	char path[128], number[16];

	snprintf(path, sizeof(path), HUGETLB, size / 1024, "nr_hugepages");
	if (access(path, R_OK)) {
		snprintf(why, sizeof(why), "no hugetlb pages of %lu kB on this CPU", size / 1024);
		return why;
	}
	snprintf(number, sizeof(number), "%d", pages);
	if (read_number(path) < pages)
		try_write_file(path, number);
	if (read_number(path) >= pages)
		return NULL;
	snprintf(why, sizeof(why),
		 "no memory for %d hugetlb pages of %lu kB (boot with hugepagesz=)",
		 pages, size / 1024);
	return why;
}

/* As many as the tests could do with, but no more than a third of the memory. */
static const char *need_hugetlb_2m(void)
{
	unsigned long most = sysconf(_SC_PHYS_PAGES) * PAGE / 3 / pmd_size();

	return need_hugetlb(pmd_size(), most < 2 ? 2 : most > 12 ? 12 : most);
}

static const char *need_hugetlb_1g(void)
{
	return need_hugetlb(pud_size(), 1);
}

static const char *need_hugetlb_cont(void)
{
	return contiguous_size(4) ? need_hugetlb(contiguous_size(4), 4) :
	       "the CPU has no contiguous entries";
}

static const char *need_hugetlb_cont_pmd(void)
{
	return contiguous_size(3) ? need_hugetlb(contiguous_size(3), 1) :
	       "the CPU has no contiguous entries";
}

const char *thp_cont_file(void)
{
	static char path[96];

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/transparent_hugepage/hugepages-%zukB/enabled",
		 contiguous_size(4) / 1024);
	return path;
}

static const char *need_thp_cont(void)
{
	if (!contiguous_size(4))
		return "the CPU has no contiguous entries";
	if (access(thp_cont_file(), W_OK))
		return "the kernel makes no anonymous folios that are smaller than a pmd";
	return need_thp();
}

/* mkswap and swapon: zram has the only block device of a guest that needs no other program. */
static bool swap_to_zram(void)
{
	char *page = calloc(1, PAGE);
	unsigned int *header = (unsigned int *)(page + 1024);
	int fd;

	try_write_file("/sys/block/zram0/disksize", "67108864");
	fd = open("/dev/zram0", O_RDWR | O_CLOEXEC);
	if (fd < 0 || !page)
		return false;
	header[0] = 1;
	header[1] = (64 * MiB) / PAGE - 1;
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, PAGE, 0) != (ssize_t)PAGE)
		return false;
	close(fd);
	free(page);
	return !swapon("/dev/zram0", 0);
}

static const char *need_swap(void)
{
	if (file_has("/proc/swaps", "/dev/"))
		return NULL;
	if (access("/dev/zram0", R_OK))
		return "no swap, and no /dev/zram0 to make one of (load the module zram)";
	return swap_to_zram() ? NULL : "cannot swap to /dev/zram0";
}

static const char *need_two_nodes(void)
{
	return access("/sys/devices/system/node/node1", F_OK) ?
	       "one NUMA node (boot with two: lab/vm --nodes 2)" : NULL;
}

static const char *need_numa_balancing(void)
{
	return access("/proc/sys/kernel/numa_balancing", W_OK) ?
	       "the kernel does not balance memory between nodes" : NULL;
}

static const char *need_hwpoison(void)
{
	return file_has("/proc/meminfo", "HardwareCorrupted") ? NULL :
	       "the kernel does not handle memory errors";
}

static const char *need_uffd(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return "no userfaultfd";
	close(fd);
	return NULL;
}

/* Bits that the headers of the machine that compiles this may not know: linux/userfaultfd.h. */
#define FEATURE_WP (1ULL << 0)
#define FEATURE_WP_HUGETLBFS_SHMEM (1ULL << 12)
#define FEATURE_POISON (1ULL << 14)

static const char *need_uffd_wp(void)
{
	return uffd_features() & FEATURE_WP ? NULL : "userfaultfd cannot write-protect here";
}

static const char *need_uffd_wp_shmem(void)
{
	return uffd_features() & FEATURE_WP_HUGETLBFS_SHMEM ? NULL :
	       "userfaultfd cannot write-protect shared memory here";
}

static const char *need_uffd_poison(void)
{
	return uffd_features() & FEATURE_POISON ? NULL : "userfaultfd has no UFFDIO_POISON here";
}

static const char *need_guard(void)
{
	char *page = map_anon(PAGE, true);
	bool there = !madvise(page, PAGE, MADV_GUARD_INSTALL);

	munmap(page, PAGE);
	return there ? NULL : "the kernel has no guard regions (MADV_GUARD_INSTALL)";
}

static const char *need_ksm(void)
{
	return access("/sys/kernel/mm/ksm/run", W_OK) ? "no KSM" : NULL;
}

static const char *need_secretmem(void)
{
	int fd = syscall(SYS_memfd_secret, 0);

	if (fd < 0)
		return "no memfd_secret (since 5.14; before 6.5 boot with secretmem.enable=1)";
	close(fd);
	return NULL;
}

static const char *need_levels_5(void)
{
	return five_levels() ? NULL : "the page tables have fewer than five levels";
}

static const char *need_pud(void)
{
	return level_folded(2) ? "the page tables have three levels" : NULL;
}

static const char *need_ko(void)
{
	const char *ko = getenv("GUPWALK_KO");

	return ko && !access(ko, R_OK) ? NULL : "GUPWALK_KO names no module";
}

static const char *need_layout(void)
{
	const char *layout = getenv("GUPWALK_LAYOUT");

	return layout && !access(layout, R_OK) ? NULL : "GUPWALK_LAYOUT names no file";
}

const char *ext4_directory(void)
{
	return "/run/gupwalk-test-ext4";
}

/* Guests of other architectures have no mke2fs: the host made one for them. */
static bool ext4_to(const char *device)
{
	const char *image = getenv("GUPWALK_EXT4");
	char command[512];

	if (!image || access(image, R_OK))
		snprintf(command, sizeof(command), "mke2fs -q -F -t ext4 %s 8M >/dev/null 2>&1",
			 device);
	else
		snprintf(command, sizeof(command), "cp '%s' %s", image, device);
	return !system(command);
}

static const char *need_ext4(void)
{
	static bool mounted;

	if (mounted)
		return NULL;
	if (access("/dev/ram0", R_OK))
		return "no /dev/ram0 for an ext4 file system (load the module brd)";
	if (!ext4_to("/dev/ram0"))
		return "no mke2fs here, and GUPWALK_EXT4 names no ext4 file system";
	mkdir(ext4_directory(), 0700);
	if (mount("/dev/ram0", ext4_directory(), "ext4", 0, NULL))
		return "cannot mount an ext4 file system (load the module ext4)";
	mounted = true;
	return NULL;
}

static const char *need_pkeys(void)
{
	return cpu_has("ospke") ? NULL : "the CPU has no protection keys";
}

static const char *need_pti(void)
{
	return cpu_has("pti") ? NULL : "no page-table isolation (boot with pti=on)";
}

static const char *need_soft_dirty(void)
{
	char *page = map_anon(PAGE, true);
	uint64_t word;

	try_write_file("/proc/self/clear_refs", "4");
	*(volatile char *)page = 1;
	word = look(0, page).pagemap;
	munmap(page, PAGE);
	return word & PM_SOFT_DIRTY ? NULL : "the kernel does not track soft-dirty pages";
}

static const char *need_device_memory(void)
{
	return "such entries need a driver with memory of a device, and CONFIG_DEVICE_PRIVATE";
}

static const char *need_spoil(void)
{
	if (!access("/dev/gupwalk_spoil", W_OK))
		return NULL;
	return "nothing makes bad entries (in the lab: --module tests/guest/gupwalk_spoil)";
}

static const char *need_leaky(void)
{
	return access(LEAKY_DEVICE, W_OK) ? "the module tests/leaky is not loaded" : NULL;
}

static const char *need_process_vm(void)
{
	return process_vm_readv(getpid(), NULL, 0, NULL, 0, 0) && errno == ENOSYS ?
	       "this kernel has no process_vm_readv (CONFIG_CROSS_MEMORY_ATTACH)" : NULL;
}

static const char *need_movable_zone(void)
{
	char *text = read_file("/proc/zoneinfo", NULL), *zone = strstr(text, "zone  Movable");
	char *spanned = zone ? strstr(zone, "spanned") : NULL;
	bool there = false;

	for (; zone && !there; zone = strstr(zone + 1, "zone  Movable")) {
		spanned = strstr(zone, "spanned");
		there = spanned && atol(spanned + 7) > 0;
	}
	free(text);
	return there ? NULL : "no movable zone (boot with movablecore=)";
}

static const struct {
	unsigned int need;
	const char *(*missing)(void);
} needs[] = {
	{ NEED_THP, need_thp },
	{ NEED_HUGETLB_2M, need_hugetlb_2m },
	{ NEED_HUGETLB_1G, need_hugetlb_1g },
	{ NEED_SWAP, need_swap },
	{ NEED_TWO_NODES, need_two_nodes },
	{ NEED_HWPOISON, need_hwpoison },
	{ NEED_UFFD, need_uffd },
	{ NEED_KSM, need_ksm },
	{ NEED_SECRETMEM, need_secretmem },
	{ NEED_LEVELS_5, need_levels_5 },
	{ NEED_KO, need_ko },
	{ NEED_LAYOUT, need_layout },
	{ NEED_EXT4, need_ext4 },
	{ NEED_PKEYS, need_pkeys },
	{ NEED_PTI, need_pti },
	{ NEED_SOFT_DIRTY, need_soft_dirty },
	{ NEED_DEVICE_MEMORY, need_device_memory },
	{ NEED_MOVABLE_ZONE, need_movable_zone },
	{ NEED_PUD, need_pud },
	{ NEED_HUGETLB_CONT, need_hugetlb_cont },
	{ NEED_HUGETLB_CONT_PMD, need_hugetlb_cont_pmd },
	{ NEED_THP_CONT, need_thp_cont },
	{ NEED_UFFD_WP, need_uffd_wp },
	{ NEED_UFFD_WP_SHMEM, need_uffd_wp_shmem },
	{ NEED_UFFD_POISON, need_uffd_poison },
	{ NEED_GUARD, need_guard },
	{ NEED_NUMA_BALANCING, need_numa_balancing },
	{ NEED_SPOIL, need_spoil },
	{ NEED_LEAKY, need_leaky },
	{ NEED_PROCESS_VM, need_process_vm },
};

const char *need_missing(unsigned int wanted)
{
	unsigned int i;

	for (i = 0; i < NR_OF(needs); i++) {
		const char *missing = wanted & needs[i].need ? needs[i].missing() : NULL;

		if (missing)
			return missing;
	}
	return NULL;
}
