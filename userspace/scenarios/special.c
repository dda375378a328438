// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is not as other memory is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static bool end_ksm(const uint64_t *kept)
{
	return spot_restore(KSM_RUN, *kept);
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

/* Memory of that node, and of no other. */
static bool from_node(int node)
{
	unsigned long nodes = 1UL << node;

	return !syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes)) ||
	       errno == ENOSYS;
}

/* From the node that has such a zone; a node with none gives ordinary memory. */
static bool setup_movable(struct scene *scene)
{
	if (!from_node(movable_node()))
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

/* ---- CMA ---- */

static const char *check_cma(const struct about *about)
{
	static const char words[] = "CmaTotal:";
	struct strbuf memory = { 0 };
	const char *total = NULL, *missing = NULL;

	(void)about;
	if (!slurp("/proc/meminfo", &memory))
		total = strstr(strbuf_text(&memory), words);
	if (!total)
		missing = "this kernel can set no memory aside for CMA (CONFIG_CMA)";
	else if (!strtoull(total + strlen(words), NULL, 10))
		missing = "no memory is set aside for CMA (boot with cma=; in the lab: make vm "
			  "ALL=1)";
	strbuf_free(&memory);
	return missing;
}

/* Where only half of the pages come from there, one of so many does. */
#define CMA_TRIES 32

/* The kernel says of no address whether it lies there: the module looks. */
static bool find_cma(struct scene *scene)
{
	char *at = memory_map(CMA_TRIES + scene->pages, scene_pmd(scene));
	size_t i;

	for (i = 0; at && i < CMA_TRIES; i++) {
		scene->spots[0] = at + i * scene->page_size;
		spot_write(scene, 0, WORD);
		if (spot_is(scene, 0, "before.page.flags~cma"))
			return true;
	}
	return false;
}

#define NODES_MAX 64

static bool setup_cma(struct scene *scene)
{
	bool found = false;
	int node;

	for (node = 0; !found && node < NODES_MAX; node++)
		found = from_node(node) && find_cma(scene);
	if (!found)
		return scene_cannot(scene, "no node gave a page of CMA: the kernel gives them to "
				    "programs where more than half of what is free is set aside so");
	if (!spot_map(scene, 1))
		return false;
	scene_note(scene, "the program writes \"%s\" to its first buffer: the kernel took the page "
			  "from memory set aside for CMA. It does not touch the second", WORD);
	return true;
}

static const struct step cma_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.expects = ALWAYS("ret=1 cause=unchanged before.page.flags~cma pfn=@before.pfn "
				  "pfn=P1"),
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=migrated before.pfn=P1 after.pfn!=P1 pfn=@after.pfn "
				  "after.page=anon after.page.flags!~cma peek=" WORD),
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.spot = 1,
		.expects = ALWAYS("ret=1 cause=anon-allocated before.state=none pfn=@after.pfn "
				  "after.page.flags!~cma"),
	},
	{ 0 }
};

const struct scenario scenario_cma = {
	.name = "cma",
	.teaches = "memory set aside for devices that need it in one piece (CMA) is lent to programs "
		   "meanwhile, and must come back: a pin with FOLL_LONGTERM moves the page out of "
		   "it, a short one leaves it there",
	.needs = "memory set aside for CMA (cma=), more than half of what is free in its zone",
	.check = check_cma,
	.setup = setup_cma,
	.steps = cma_steps,
};
