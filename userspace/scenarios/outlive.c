// SPDX-License-Identifier: GPL-2.0-only
/* What a pin keeps when the program changes its mapping under it, and what it does not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../memory.h"
#include "../text.h"
#include "spot.h"

static bool setup_touched(struct scene *scene)
{
	if (!spot_touch(scene, 0))
		return false;
	scene_note(scene, "the program writes \"%s\" to its buffer", WORD);
	return true;
}

#define PINNED "ret=1 cause=unchanged before.pfn=P1 pfn=P1 held=true"

/* ---- MADV_DONTNEED ---- */

static bool dontneed(struct scene *scene)
{
	if (madvise(scene->spots[0], spot_bytes(scene), MADV_DONTNEED))
		return scene_failed("madvise(MADV_DONTNEED)");
	scene_note(scene, "the program gives the buffer back by madvise(MADV_DONTNEED), as malloc's "
			  "free() may");
	return true;
}

static bool write_again(struct scene *scene)
{
	spot_write(scene, 0, REPLY);
	scene_note(scene, "the program writes \"%s\" to the buffer", REPLY);
	return true;
}

static const struct step dontneed_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "hold",
		.expects = ALWAYS(PINNED),
	},
	{
		.op = "walk",
		.before = dontneed,
		.expects = ALWAYS("before.state=none"),
	},
	{
		.op = "walk",
		.before = write_again,
		.expects = ALWAYS("before.state=present before.page=anon before.pfn!=P1"),
	},
	{ 0 }
};

const struct scenario scenario_dontneed = {
	.name = "dontneed",
	.teaches = "a pin keeps a page, not a mapping: after MADV_DONTNEED the device still writes "
		   "to the old page, and the program reads a new one. Nothing tells either",
	.setup = setup_touched,
	.steps = dontneed_steps,
};

/* ---- munmap ---- */

static bool map_anew(struct scene *scene)
{
	size_t size = spot_bytes(scene);

	if (munmap(scene->spots[0], size))
		return scene_failed("munmap");
	if (mmap(scene->spots[0], size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != scene->spots[0])
		return scene_failed("mmap");
	spot_write(scene, 0, REPLY);
	scene_note(scene, "the program unmaps the buffer, gets other memory at the same address, and "
			  "writes \"%s\" to it", REPLY);
	return true;
}

static const struct step munmap_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "hold",
		.expects = ALWAYS(PINNED),
	},
	{
		.op = "walk",
		.before = map_anew,
		.expects = ALWAYS("before.state=present before.page=anon before.pfn!=P1"),
	},
	{ 0 }
};

const struct scenario scenario_munmap = {
	.name = "munmap",
	.teaches = "munmap takes the mapping away, and the pin keeps the page: what is mapped at "
		   "that address next has nothing to do with what the device has. Drivers that "
		   "cache registrations by address need an MMU notifier for this",
	.setup = setup_touched,
	.steps = munmap_steps,
};

/* ---- mremap ---- */

static bool move(struct scene *scene)
{
	size_t size = spot_bytes(scene);

	if (!spot_map(scene, 1))
		return false;
	if (mremap(scene->spots[0], size, size, MREMAP_MAYMOVE | MREMAP_FIXED, scene->spots[1]) !=
	    scene->spots[1])
		return scene_failed("mremap");
	scene_note(scene, "the program moves its buffer to another address by mremap()");
	return true;
}

static bool moved_is_same(struct scene *scene)
{
	return scene_reads(scene, scene->spots[1], WORD, "the program reads there");
}

static const struct step mremap_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "hold",
		.expects = ALWAYS(PINNED),
	},
	{
		.op = "walk",
		.spot = 1,
		.before = move,
		.after = moved_is_same,
		.expects = ALWAYS("before.state=present before.pfn=P1"),
	},
	{ 0 }
};

const struct scenario scenario_mremap = {
	.name = "mremap",
	.teaches = "mremap moves entries, not pages: the pinned page is at another address now, and "
		   "program and device still share it",
	.setup = setup_touched,
	.steps = mremap_steps,
};

/* ---- a part of a huge page ---- */

/* An address in the huge page that has nothing to do with where it begins. */
#define INSIDE 37

static bool setup_huge(struct scene *scene)
{
	char *end;

	if (!spot_huge(scene, 0))
		return false;
	end = scene->spots[0] + scene_pmd(scene);
	scene->spots[0] += INSIDE * scene->page_size;
	spot_write(scene, 0, WORD);
	/* a huge page is there as a whole */
	if (memory_untouched(end - scene->page_size, scene->page_size))
		return scene_cannot(scene, "the kernel found no memory for a huge page");
	scene_note(scene, "the program writes \"%s\" into a transparent huge page", WORD);
	return true;
}

static bool protect_part(struct scene *scene)
{
	if (mprotect(scene->spots[0] + 8 * scene->page_size, scene->page_size, PROT_READ))
		return scene_failed("mprotect");
	scene_note(scene, "the program takes the right to write from one small page of the huge one");
	return true;
}

static const struct step thp_split_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "hold",
		.expects = ALWAYS("ret=1 cause=unchanged before.leaf=pmd pfn=P1+37 "
				  "before.page.gained_pins=1 held=true"),
	},
	{
		.op = "walk",
		.before = protect_part,
		.expects = ALWAYS("before.state=present before.leaf=pte before.pfn=P1+37 "
				  "before.page.pincount_exact=true"),
	},
	{ 0 }
};

const struct scenario scenario_thp_split = {
	.name = "thp-split",
	.teaches = "what the program does to a part of a huge page splits its entry into a table of "
		   "small ones; the folio itself stays whole, and could not be split while it is "
		   "pinned; the pin stays on it",
	.needs = "transparent huge pages not set to never",
	.check = spot_thp_missing,
	.setup = setup_huge,
	.steps = thp_split_steps,
};

/* ---- a huge page that was only read ---- */

static bool setup_huge_untouched(struct scene *scene)
{
	if (!spot_huge(scene, 0))
		return false;
	scene->spots[0] += INSIDE * scene->page_size;
	scene_note(scene, "the program asks for a huge page, and does not touch it");
	return true;
}

#define USE_ZERO_PAGE "/sys/kernel/mm/transparent_hugepage/use_zero_page"

static const char *check_thp_read(const struct about *about)
{
	uint64_t on;

	if (file_number(USE_ZERO_PAGE, &on) && !on)
		return "the huge page of zeros is off: " USE_ZERO_PAGE " says 0";
	return spot_thp_missing(about);
}

static const struct step thp_read_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("ret=1 cause=zero-mapped before.state=none after.leaf=pmd "
				  "after.page=zero after.rights!~write"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.expects = ALWAYS("ret=1 before.page=zero after.page=anon after.rights~write "
				  "after.pfn!=@before.pfn pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_thp_read = {
	.name = "thp-read",
	.teaches = "there is a huge page of zeros too: a read maps it by one pmd entry, a write "
		   "replaces it: by one small page of many (6.12 and older), or by a huge one",
	.needs = "transparent huge pages not set to never",
	.check = check_thp_read,
	.setup = setup_huge_untouched,
	.steps = thp_read_steps,
};

/* ---- small pages made one huge one ---- */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Does the kernel know madvise(MADV_COLLAPSE)? A length of nothing asks, and does nothing. */
static const char *check_collapse(const struct about *about)
{
	const char *missing = spot_thp_missing(about);
	struct sysinfo machine;

	if (missing)
		return missing;
	/* two ranges of small pages, a huge page, and what the kernel likes to have free */
	if (sysinfo(&machine) ||
	    machine.freeram * machine.mem_unit / 5 < about_covers(about, "pmd"))
		return "too little free memory: five times what a huge page has";
	return madvise(NULL, 0, MADV_COLLAPSE) ?
	       "only khugepaged makes huge pages of small ones here, in its own time: "
	       "madvise(MADV_COLLAPSE) came with Linux 6.1" : NULL;
}

static bool setup_small(struct scene *scene)
{
	size_t pmd = scene_pmd(scene), i, size = scene->page_size;
	char *at;
	int spot;

	for (spot = 0; spot < 2; spot++) {
		if (!spot_huge(scene, spot))
			return false;
		at = scene->spots[spot];
		if (madvise(at, pmd, MADV_NOHUGEPAGE))
			return scene_failed("madvise(MADV_NOHUGEPAGE)");
		for (i = 0; i < pmd; i += size)
			at[i] = 1;
		scene->spots[spot] += INSIDE * size;
	}
	scene_note(scene, "the program writes to all small pages of two ranges that one huge page "
			  "could back each");
	return true;
}

static bool collapse(struct scene *scene, int spot)
{
	char *at = scene->spots[spot] - INSIDE * scene->page_size;
	int ret;

	/* not before: khugepaged would come by itself */
	if (madvise(at, scene_pmd(scene), MADV_HUGEPAGE))
		return scene_failed("madvise(MADV_HUGEPAGE)");
	ret = madvise(at, scene_pmd(scene), MADV_COLLAPSE);
	if (ret && errno == ENOMEM)
		return scene_cannot(scene, "the kernel found no memory for a huge page");
	scene_note(scene, "the program asks for one huge page by madvise(MADV_COLLAPSE): %s",
		   ret ? strerror(errno) : "done");
	return true;
}

static bool collapse_first(struct scene *scene)
{
	return collapse(scene, 0);
}

static bool collapse_second(struct scene *scene)
{
	return collapse(scene, 1);
}

static const struct step collapse_steps[] = {
	{
		.op = "walk",
		.before = collapse_first,
		.expects = ALWAYS("before.leaf=pmd before.page=anon"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.words = "hold",
		.expects = ALWAYS("ret=1 cause=unchanged before.leaf=pte pfn=@before.pfn pfn=P2 "
				  "held=true"),
	},
	{
		.op = "walk",
		.spot = 1,
		.before = collapse_second,
		.expects = ALWAYS("before.leaf=pte before.pfn=P2"),
	},
	{ 0 }
};

const struct scenario scenario_collapse = {
	.name = "collapse",
	.teaches = "small pages can be made one huge page (khugepaged, MADV_COLLAPSE) by copying "
		   "them: one pinned page among them forbids it for the whole range",
	.needs = "transparent huge pages not set to never, and madvise(MADV_COLLAPSE)",
	.check = check_collapse,
	.setup = setup_small,
	.steps = collapse_steps,
};

/* ---- swap ---- */

static const char *check_swap(const struct about *about)
{
	struct strbuf swaps = { 0 };
	bool some;

	(void)about;
	some = !slurp("/proc/swaps", &swaps) && strstr(strbuf_text(&swaps), "/");
	strbuf_free(&swaps);
	return some ? NULL : "there is no swap (in the lab: lab/vm --swap 64M)";
}

static bool setup_swap(struct scene *scene)
{
	if (!spot_touch(scene, 0) || !spot_touch(scene, 1))
		return false;
	scene_note(scene, "the program writes \"%s\" to two buffers", WORD);
	return true;
}

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* Documentation/admin-guide/mm/pagemap.rst */
static bool swapped_out(const char *at)
{
	return memory_pagemap(at) & MEMORY_PAGEMAP_SWAPPED;
}

static bool page_out(struct scene *scene)
{
	int i;

	memory_drain();
	for (i = 0; i < 2; i++)
		if (madvise(scene->spots[i], spot_bytes(scene), MADV_PAGEOUT))
			return scene_failed("madvise(MADV_PAGEOUT)");
	if (!swapped_out(scene->spots[0]))
		return scene_cannot(scene, "the kernel did not swap the page out: swap space is full, "
				    "or the memory group may have none");
	scene_note(scene, "the program asks the kernel to swap both out, by madvise(MADV_PAGEOUT)");
	return true;
}

static bool first_is_back(struct scene *scene)
{
	return scene_reads(scene, scene->spots[0], WORD, "the program reads");
}

static const struct step swap_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.words = "hold",
		.expects = ALWAYS(PINNED),
	},
	{
		.op = "walk",
		.before = page_out,
		.expects = ALWAYS("before.state=swap before.pfn=none"),
	},
	{
		.op = "walk",
		.spot = 1,
		.expects = ALWAYS("before.state=present before.pfn=P1"),
	},
	{
		.op = "get_user_pages", .flags = "write",
		.after = first_is_back,
		.expects = ALWAYS("ret=1 cause=swap-in before.state=swap after.state=present "
				  "after.page=anon pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_swap = {
	.name = "swap",
	.teaches = "memory that is swapped out has an entry that names its place in swap: a call "
		   "brings the page back in. A pinned page is not swapped out at all",
	.needs = "swap space",
	.check = check_swap,
	.setup = setup_swap,
	.steps = swap_steps,
};

/* ---- from one node to another ---- */

/* Both to both nodes in turn: one of them is not where they are. */
static bool to_other_node(struct scene *scene)
{
	void *pages[2] = { scene->spots[0], scene->spots[1] };
	int nodes[2] = { -1, -1 }, status[2] = { 0 }, i;

	memory_drain();
	if (syscall(SYS_move_pages, 0, 2, pages, NULL, nodes, 0))
		return scene_failed("move_pages");
	for (i = 0; i < 2; i++)
		nodes[i] = nodes[i] < 0 ? 0 : !nodes[i];
	if (syscall(SYS_move_pages, 0, 2, pages, nodes, status, 2 /* MPOL_MF_MOVE */) < 0)
		return scene_failed("move_pages");
	for (i = 0; i < 2; i++)
		scene_note(scene, "the program asks for its %s buffer to be moved to node %d: %s",
			   i ? "second" : "first", nodes[i],
			   status[i] < 0 ? strerror(-status[i]) : "done");
	return true;
}

static const struct step migrate_steps[] = {
	{
		.op = "walk",
		.expects = ALWAYS("before.state=present before.pfn=P1"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.words = "hold",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=@before.pfn pfn=P2 held=true"),
	},
	{
		.op = "walk",
		.before = to_other_node,
		.expects = ALWAYS("before.state=present before.page=anon before.pfn!=P1"),
	},
	{
		.op = "walk",
		.spot = 1,
		.expects = ALWAYS("before.state=present before.pfn=P2"),
	},
	{ 0 }
};

const struct scenario scenario_migrate = {
	.name = "migrate",
	.teaches = "the kernel moves pages between nodes, and out of places that it wants to have "
		   "free; never one that is pinned: somebody has its address",
	.needs = "two memory nodes",
	.check = spot_nodes_missing,
	.setup = setup_swap,
	.steps = migrate_steps,
};
