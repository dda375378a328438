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
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

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

bool five_levels(void)
{
	static int five = -1;

	/* The kernel takes the flag away when it does not use them. */
	if (five < 0)
		five = cpu_has("la57");
	return five;
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

static const char *need_hugetlb_2m(void)
{
	return need_hugetlb(pmd_size(), 12);
}

static const char *need_hugetlb_1g(void)
{
	return need_hugetlb(pud_size(), 1);
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
	       "one NUMA node (boot with numa=fake=2)" : NULL;
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

static const char *need_ksm(void)
{
	return access("/sys/kernel/mm/ksm/run", W_OK) ? "no KSM" : NULL;
}

static const char *need_secretmem(void)
{
	int fd = syscall(SYS_memfd_secret, 0);

	if (fd < 0)
		return "no memfd_secret (boot with secretmem.enable=1)";
	close(fd);
	return NULL;
}

static const char *need_levels_5(void)
{
	return five_levels() ? NULL : "the page tables have four levels";
}

static const char *need_levels_4(void)
{
	return five_levels() ? "the page tables have five levels" : NULL;
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

static const char *need_ext4(void)
{
	static bool mounted;

	if (mounted)
		return NULL;
	if (access("/dev/ram0", R_OK))
		return "no /dev/ram0 for an ext4 file system (load the module brd)";
	if (system("mke2fs -q -F -t ext4 /dev/ram0 8M >/dev/null 2>&1"))
		return "no mke2fs here to make an ext4 file system";
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
	{ NEED_LEVELS_4, need_levels_4 },
	{ NEED_KO, need_ko },
	{ NEED_LAYOUT, need_layout },
	{ NEED_EXT4, need_ext4 },
	{ NEED_PKEYS, need_pkeys },
	{ NEED_PTI, need_pti },
	{ NEED_SOFT_DIRTY, need_soft_dirty },
	{ NEED_DEVICE_MEMORY, need_device_memory },
	{ NEED_MOVABLE_ZONE, need_movable_zone },
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
