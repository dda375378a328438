// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target device: a VM_PFNMAP mapping of one's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "../../module/uapi/gupwalk.h"

#define PATH "/dev/" GUPWALK_TARGET_NAME

static int open_target(void)
{
	int fd = open(PATH, O_RDWR | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

static void mapping(void)
{
	char *pages = map_target(GUPWALK_TARGET_PAGES), *again = map_target(GUPWALK_TARGET_PAGES);
	struct json_object *answer;
	long long pfns[GUPWALK_TARGET_PAGES];
	struct stat st;
	int i, j;

	must(!stat(PATH, &st));
	check_num(st.st_mode & 07777, 0600);
	for (i = 0; i < GUPWALK_TARGET_PAGES; i++) {
		answer = record("op=follow_pfn addr=%p", pages + i * PAGE);
		check_num(jnum(answer, "ret"), 0);
		pfns[i] = jnum(answer, "pages.0.pfn");
		check_num(pfns[i], jnum(walk(pages + i * PAGE), "pfn"));
		for (j = 0; j < i; j++)
			check(pfns[i] != pfns[j]);
		/* Reserved pages that nothing else uses. */
		check(kpf(kpageflags(pfns[i]), KPF_RESERVED));
		sprintf(pages + i * PAGE, "page %d", i);
		check_num(jnum(walk(again + i * PAGE), "pfn"), pfns[i]);
		check(!strcmp(again + i * PAGE, pages + i * PAGE));
	}
	check_str(jstr(answer, "vma.kind"), "pfnmap");
	check(jhas(answer, "vma.flags", "pfnmap") && jhas(answer, "vma.flags", "io"));
	check_str(jstr(answer, "vma.file"), PATH);
	memset(pages, 0, GUPWALK_TARGET_PAGES * PAGE);
}

/* Zapped pages come back with the next access, or fault, and are the same ones. */
static void zapped(void)
{
	char *pages = map_target(4);
	long long pfn = jnum(walk(pages + PAGE), "pfn");
	struct json_object *answer;

	pages[PAGE] = 'z';
	must(!target_zap(pages + PAGE, 2 * PAGE));
	check_str(jstr(walk(pages), "state"), "present");
	check_str(jstr(walk(pages + PAGE), "state"), "none");
	check_str(jstr(walk(pages + 2 * PAGE), "state"), "none");
	check_str(jstr(walk(pages + 3 * PAGE), "state"), "present");
	check_num(pages[PAGE], 'z');
	check_num(jnum(walk(pages + PAGE), "pfn"), pfn);
	check_str(jstr(walk(pages + 2 * PAGE), "state"), "none");
	answer = record("op=handle_mm_fault flags=write addr=%p", pages + 2 * PAGE);
	check_str(jstr(answer, "pages.0.cause"), "pfn-mapped");
	check(jnull(answer, "errno"));
	for (pfn = 0; pfn < 100; pfn++) {
		must(!target_zap(pages, 4 * PAGE));
		pages[3 * PAGE] = 'y';
		check_num(pages[3 * PAGE], 'y');
	}
}

/* Nothing is left that the kernel would miss when it copies or removes such a mapping. */
static void zapped_then_copied(void)
{
	size_t pages, zapped;

	for (pages = 1; pages <= GUPWALK_TARGET_PAGES; pages++) {
		for (zapped = 1; zapped <= pages; zapped++) {
			char *mapping = map_target(pages);
			int status;
			pid_t pid;

			must(!target_zap(mapping, zapped * PAGE));
			pid = fork();
			if (!pid) {
				munmap(mapping, pages * PAGE);
				_exit(0);
			}
			must(waitpid(pid, &status, 0) == pid);
			check_num(status, 0);
			check_str(jstr(walk(mapping), "state"), "none");
			must(!munmap(mapping, pages * PAGE));
		}
	}
}

static void zaps_own_mappings_only(void)
{
	char *other = map_anon(4 * PAGE, true), *pages = map_target(2);
	const long page = PAGE;
	const struct {
		long start;
		long length;
	} bad[] = {
		{ 0, 0 }, { 0, 1 }, { 1, page }, { 0, 3 * page }, { page, 2 * page },
		{ 0, -page }, { page, -page },
	};
	size_t i;

	for (i = 0; i < NR_OF(bad); i++) {
		check_num(target_zap(pages + bad[i].start, bad[i].length), -1);
		check_num(errno, EINVAL);
	}
	check_num(target_zap(other, PAGE), -1);
	check_num(errno, EINVAL);
	check_num(other[0], 'a');
	check_num(target_zap(NULL, PAGE), -1);
	check_num(errno, EINVAL);
	check_num(target_zap((void *)-PAGE, PAGE), -1);
	check_num(errno, EINVAL);
	check_str(jstr(walk(pages), "state"), "present");
}

static void refused_mappings(void)
{
	int fd = open_target();

	check(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
	check(mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 4 * PAGE) == MAP_FAILED &&
	      errno == EINVAL);
	check(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 3 * PAGE) == MAP_FAILED &&
	      errno == EINVAL);
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1L << 50) == MAP_FAILED);
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 3 * PAGE) != MAP_FAILED);
}

static void refused_ioctls(void)
{
	int fd = open_target();
	char byte;

	check(ioctl(fd, 0, 0) == -1 && errno == ENOTTY);
	check(ioctl(fd, GUPWALK_TARGET_ZAP + 1, 0) == -1 && errno == ENOTTY);
	check(ioctl(fd, GUPWALK_TARGET_ZAP, 0) == -1 && errno == EFAULT);
	check(ioctl(fd, GUPWALK_TARGET_ZAP, -1L) == -1 && errno == EFAULT);
	check(read(fd, &byte, 1) == -1 && errno == EINVAL);
	check(write(fd, "x", 1) == -1 && errno == EINVAL);
}

/* It must not grow over other memory by mremap(), nor go to a child that has no right to it. */
static void remapped(void)
{
	char *pages = map_target(2), *moved;

	check(mremap(pages, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	moved = mremap(pages + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       map_anon(PAGE, false));
	check(moved != MAP_FAILED);
	check_str(jstr(walk(moved), "state"), "present");
	must(!target_zap(moved, PAGE));
	moved[0] = 1;
	check_str(jstr(walk(moved), "state"), "present");
}

const struct test tests_target[] = {
	{ "target/mapping", mapping },
	{ "target/zapped", zapped },
	{ "target/zapped-then-copied", zapped_then_copied },
	{ "target/zaps-own-mappings-only", zaps_own_mappings_only },
	{ "target/refused-mappings", refused_mappings },
	{ "target/refused-ioctls", refused_ioctls },
	{ "target/remapped", remapped },
	{ }
};
