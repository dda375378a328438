// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is not as other memory is. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../memory.h"
#include "../text.h"
#include "spot.h"

/* ---- secretmem ---- */

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static const char *check_secretmem(const struct about *about)
{
	int fd = syscall(SYS_memfd_secret, O_CLOEXEC);

	(void)about;
	if (fd < 0)
		return "this kernel has no secret memory, or it is off (boot with "
		       "secretmem.enable=1, since Linux 5.14)";
	close(fd);
	return NULL;
}

static bool setup_secretmem(struct scene *scene)
{
	size_t size = spot_bytes(scene);

	scene->fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	if (scene->fd < 0 || ftruncate(scene->fd, size))
		return scene_failed("memfd_secret");
	scene->spots[0] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, scene->fd, 0);
	if (scene->spots[0] == MAP_FAILED)
		return scene_failed("mmap of secret memory");
	spot_write(scene, 0, WORD);
	scene_note(scene, "the program writes \"%s\" to secret memory", WORD);
	return true;
}

static const struct step secretmem_steps[] = {
	{
		.op = "walk",
		.expects = ALWAYS("before.state=present before.leaf=pte"),
	},
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=secretmem cause=unchanged "
				  "before.state=present"),
	},
	{
		.op = "pin_user_pages_fast", .flags = "write",
		.expects = ALWAYS("errno=EFAULT reason=secretmem cause=unchanged"),
	},
	{ 0 }
};

const struct scenario scenario_secretmem = {
	.name = "secretmem",
	.teaches = "memory of memfd_secret() is mapped in its process and nowhere else, the kernel "
		   "included: the page tables have it, and no call gives its page",
	.needs = "memfd_secret()",
	.check = check_secretmem,
	.setup = setup_secretmem,
	.steps = secretmem_steps,
};

/* ---- guard regions ---- */

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* A length of nothing asks whether the kernel knows the word, and does nothing. */
static const char *check_guard(const struct about *about)
{
	(void)about;
	return madvise(NULL, 0, MADV_GUARD_INSTALL) ?
	       "this kernel has no guard regions: they came with Linux 6.13" : NULL;
}

static bool setup_guard(struct scene *scene)
{
	if (!spot_touch(scene, 0))
		return false;
	if (madvise(scene->spots[0], spot_bytes(scene), MADV_GUARD_INSTALL))
		return scene_failed("madvise(MADV_GUARD_INSTALL)");
	scene_note(scene, "the program makes a guard region by madvise(MADV_GUARD_INSTALL): whoever "
			  "touches it gets SIGSEGV");
	return true;
}

static bool remove_guard(struct scene *scene)
{
	if (madvise(scene->spots[0], spot_bytes(scene), MADV_GUARD_REMOVE))
		return scene_failed("madvise(MADV_GUARD_REMOVE)");
	scene_note(scene, "the program removes the guard");
	return true;
}

static const struct step guard_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=guard cause=unchanged before.state=marker "
				  "before.marker=guard"),
	},
	{
		.op = "handle_mm_fault",
		.expects = ALWAYS("fault=VM_FAULT_SIGSEGV reason=guard cause=unchanged"),
	},
	{
		.op = "get_user_pages", .flags = "write",
		.before = remove_guard,
		.expects = ALWAYS("ret=1 errno=none cause=anon-allocated before.state=none"),
	},
	{ 0 }
};

const struct scenario scenario_guard = {
	.name = "guard",
	.teaches = "a guard region is a marker in the page table, in a VMA that looks as usual: "
		   "calls fail with -EFAULT, and only the walk tells why",
	.needs = "madvise(MADV_GUARD_INSTALL)",
	.check = check_guard,
	.setup = setup_guard,
	.steps = guard_steps,
};

/* ---- userfaultfd ---- */

static int open_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

static const char *check_uffd(const struct about *about)
{
	int fd = open_uffd();

	(void)about;
	if (fd < 0)
		return "this kernel has no userfaultfd";
	close(fd);
	return NULL;
}

static bool setup_uffd(struct scene *scene)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (!spot_map(scene, 0))
		return false;
	range.range.start = (uintptr_t)scene->spots[0];
	range.range.len = spot_bytes(scene);
	scene->fd = open_uffd();
	if (scene->fd < 0 || ioctl(scene->fd, UFFDIO_REGISTER, &range))
		return scene_failed("userfaultfd");
	scene_note(scene, "the program has registered its buffer with userfaultfd: it answers "
			  "faults there itself, as for a virtual machine that is on its way");
	return true;
}

static bool answer_faults(struct scene *scene)
{
	char *page = aligned_alloc(scene->page_size, scene->page_size);
	struct uffdio_copy copy = { 0 };
	bool done = page;
	size_t i;

	if (done)
		strcpy(page, WORD);
	for (i = 0; done && i < scene->pages; i++) {
		copy.src = (uintptr_t)page;
		copy.dst = (uintptr_t)scene->spots[0] + i * scene->page_size;
		copy.len = scene->page_size;
		done = !ioctl(scene->fd, UFFDIO_COPY, &copy);
	}
	free(page);
	if (!done)
		return scene_failed("UFFDIO_COPY");
	scene_note(scene, "the program puts pages there by UFFDIO_COPY");
	return true;
}

static const struct step userfaultfd_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=userfaultfd cause=unchanged "
				  "before.state=none after.state=none"),
	},
	{
		.op = "get_user_pages_fast_only",
		.expects = ALWAYS("ret=0 cause=unchanged before.state=none"),
	},
	{
		.op = "get_user_pages",
		.words = "peek=7",
		.before = answer_faults,
		.expects = ALWAYS("ret=1 errno=none cause=unchanged before.state=present "
				  "pfn=@before.pfn peek=" WORD),
	},
	{ 0 }
};

const struct scenario scenario_userfaultfd = {
	.name = "userfaultfd",
	.teaches = "what is missing in a userfaultfd range, another program has to bring: a call "
		   "that keeps the mmap lock cannot wait for that, and fails with -EFAULT; one "
		   "that may give it up (get_user_pages_unlocked) sleeps until it is there",
	.needs = "userfaultfd",
	.check = check_uffd,
	.setup = setup_uffd,
	.steps = userfaultfd_steps,
};

/* ---- KSM ---- */

#define KSM_RUN "/sys/kernel/mm/ksm/run"
#define KSM_SECONDS 60

static const char *check_ksm(const struct about *about)
{
	(void)about;
	return access(KSM_RUN, W_OK) ? "this kernel does not merge equal pages (KSM)" : NULL;
}

static bool begin_ksm(const struct about *about, uint64_t *kept)
{
	(void)about;
	if (file_number(KSM_RUN, kept) && file_put_number(KSM_RUN, 1))
		return true;
	complain("turning on the merging of equal pages", KSM_RUN, strerror(errno), "be root");
	return false;
}

static bool end_ksm(uint64_t kept)
{
	return spot_restore(KSM_RUN, kept);
}

static uint64_t frame_of(const char *at)
{
	return memory_pagemap(at) & MEMORY_PAGEMAP_FRAME;
}

static bool merged(const struct scene *scene)
{
	size_t i;

	for (i = 0; i < scene->pages; i++)
		if (frame_of(scene->spots[0] + i * scene->page_size) !=
		    frame_of(scene->spots[1] + i * scene->page_size))
			return false;
	return true;
}

static bool setup_ksm(struct scene *scene)
{
	time_t end = time(NULL) + KSM_SECONDS;
	int i;

	for (i = 0; i < 2; i++) {
		if (!spot_touch(scene, i))
			return false;
		if (madvise(scene->spots[i], spot_bytes(scene), MADV_MERGEABLE))
			return scene_failed("madvise(MADV_MERGEABLE)");
	}
	while (!merged(scene)) {
		if (time(NULL) > end)
			return scene_cannot(scene, "the kernel has not merged the pages within a "
					    "minute");
		usleep(20000);
	}
	/* what is merged stays so, and what a call makes of it is not merged again under it */
	if (!file_put_number(KSM_RUN, 0))
		return scene_failed(KSM_RUN);
	scene_note(scene, "the program writes \"%s\" to two pages and lets the kernel merge what is "
			  "equal, by madvise(MADV_MERGEABLE): both are one page now", WORD);
	return true;
}

/*
 * Linux kernel commit a7f226604170 ("mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly
 * shared anonymous page") (in v5.19).
 */
static const struct step ksm_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("ret=1 cause=unchanged before.page=ksm before.rights!~write "
				  "pfn=@before.pfn pfn=P1"),
	},
	{
		.op = "pin_user_pages",
		.expects = {
			{ .before = KERNEL(5, 19),
			  .terms = "ret=1 cause=unchanged before.page=ksm pfn=P1" },
			{ .since = KERNEL(5, 19),
			  .terms = "ret=1 cause=unshare before.page=ksm after.page=anon "
				   "after.pfn!=P1 pfn=@after.pfn after.rights!~write" },
		},
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.expects = ALWAYS("ret=1 cause=cow before.page=ksm after.page=anon after.pfn!=P1 "
				  "pfn=@after.pfn after.rights~write"),
	},
	{ 0 }
};

const struct scenario scenario_ksm = {
	.name = "ksm",
	.teaches = "KSM makes one page of equal ones, which nobody may write to: a call for writing "
		   "copies it; so does a pin for reading since Linux 5.19, as a pinned page must "
		   "not be replaced",
	.needs = "KSM, which the run turns on and back",
	.check = check_ksm,
	.setup = setup_ksm,
	.begin = begin_ksm,
	.end = end_ksm,
	.steps = ksm_steps,
};

/* ---- ZONE_MOVABLE ---- */

/* "Node 1, zone  Movable ... managed 131072": which node; -1 if none has memory there. */
static int movable_node(void)
{
	struct strbuf zones = { 0 };
	const char *zone = NULL, *managed;
	int node, found = -1;

	if (!slurp("/proc/zoneinfo", &zones))
		zone = strstr(strbuf_text(&zones), "Node ");
	for (; zone && found < 0; zone = strstr(zone + 1, "Node ")) {
		char name[16];

		managed = strstr(zone, "managed");
		if (managed && sscanf(zone, "Node %d, zone %15s", &node, name) == 2 &&
		    !strcmp(name, "Movable") &&
		    strtoull(managed + strlen("managed"), NULL, 10))
			found = node;
	}
	strbuf_free(&zones);
	return found;
}

static const char *check_movable(const struct about *about)
{
	(void)about;
	return movable_node() < 0 ?
	       "there is no movable zone (boot with movablecore=512M; in the lab: make vm ALL=1)" :
	       NULL;
}

#define MPOL_BIND 2

/* From the node that has such a zone; a node with none gives ordinary memory. */
static bool setup_movable(struct scene *scene)
{
	unsigned long nodes = 1UL << movable_node();

	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes)) && errno != ENOSYS)
		return scene_failed("set_mempolicy");
	if (!spot_touch(scene, 0) || !spot_map(scene, 1))
		return false;
	scene_note(scene, "the program writes \"%s\" to its first buffer: the kernel took the page "
			  "from the movable zone. It does not touch the second", WORD);
	return true;
}

/*
 * Linux kernel commit d1e153fea2a8 ("mm/gup: migrate pinned pages out of movable zone") (in v5.13).
 */
static const struct step movable_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=@before.pfn pfn=P1"),
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.words = "peek=7",
		.expects = {
			{ .before = KERNEL(5, 13),
			  .terms = "ret=1 cause=unchanged pfn=P1 peek=" WORD },
			{ .since = KERNEL(5, 13),
			  .terms = "ret=1 cause=migrated before.pfn=P1 after.pfn!=P1 "
				   "pfn=@after.pfn after.page=anon peek=" WORD },
		},
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.spot = 1,
		.expects = ALWAYS("ret=1 cause=anon-allocated before.state=none pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_movable = {
	.name = "movable",
	.teaches = "memory that is to be unplugged, or handed out in one piece, must stay movable: "
		   "since Linux 5.13 a pin with FOLL_LONGTERM first moves the page out of the "
		   "movable zone; a page that the call itself makes comes from elsewhere at once",
	.needs = "a movable zone (movablecore=)",
	.check = check_movable,
	.setup = setup_movable,
	.steps = movable_steps,
};
