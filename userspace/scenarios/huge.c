// SPDX-License-Identifier: GPL-2.0-only
/* Scenarios on huge pages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../memory.h"
#include "../text.h"
#include "spot.h"

#define POOL "/proc/sys/vm/nr_hugepages"

/* An address in the huge page that has nothing to do with where it begins, and a second one. */
#define INSIDE(scene) (37 * (scene)->page_size + 0x45)
#define ELSEWHERE(scene) (101 * (scene)->page_size)

static void set_spots(struct scene *scene, char *huge)
{
	scene->spots[0] = huge + INSIDE(scene);
	scene->spots[1] = huge + ELSEWHERE(scene);
}

static bool setup_thp(struct scene *scene)
{
	if (!spot_huge(scene, 0))
		return false;
	set_spots(scene, scene->spots[0]);
	scene_note(scene, "the program asks for a huge page by madvise(MADV_HUGEPAGE), and does "
			  "not touch it");
	return true;
}

static const struct step thp_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.expects = ALWAYS("ret=1 cause=thp-mapped before.state=none after.state=present "
				  "after.leaf=pmd after.size={pmd} after.page=anon pfn=@after.pfn "
				  "pfn=P1+37 after.page.pincount_exact=true"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.expects = ALWAYS("ret=1 cause=unchanged before.leaf=pmd after.leaf=pmd pfn=P1+101 "
				  "before.page.gained_pins=1 before.page.gained_refs=1"),
	},
	{ 0 }
};

const struct scenario scenario_thp = {
	.name = "thp",
	.teaches = "one pin of one small piece maps a whole transparent huge page: the walk ends "
		   "at the pmd, the page frame inside follows from the address, and the folio "
		   "counts its pins exactly",
	.needs = "transparent huge pages not set to never",
	.check = spot_thp_missing,
	.setup = setup_thp,
	.steps = thp_steps,
};

static const char *check_hugetlb(const struct about *about)
{
	uint64_t n;

	(void)about;
	return file_number(POOL, &n) ? NULL : "this kernel has no hugetlb pages (" POOL ")";
}

/* One page more than there are: those that are there may be in use. */
static bool begin_hugetlb(const struct about *about, uint64_t *kept)
{
	uint64_t now;

	(void)about;
	if (!file_number(POOL, kept) || !file_put_number(POOL, *kept + 1) ||
	    !file_number(POOL, &now)) {
		complain("making a hugetlb page", POOL, strerror(errno), "be root");
		return false;
	}
	if (now > *kept)
		return true;
	spot_restore(POOL, *kept);
	complain("making a hugetlb page", POOL, "the kernel found no free memory for one",
		 "free some memory, or give the machine more (in the lab: MEM=4G)");
	return false;
}

static bool end_hugetlb(const uint64_t *kept)
{
	return spot_restore(POOL, *kept);
}

static bool setup_hugetlb(struct scene *scene)
{
	size_t pmd = scene_pmd(scene);
	char *huge = memory_huge(pmd, about_covers(scene->about, "pud"), MAP_HUGETLB);

	if (!huge)
		return false;
	set_spots(scene, huge);
	scene_note(scene,
		   "the program maps a huge page by mmap(MAP_HUGETLB), and does not touch it");
	return true;
}

static const struct step hugetlb_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.expects = ALWAYS("ret=1 cause=hugetlb-mapped vma.kind=hugetlb before.state=none "
				  "after.state=present after.leaf=pmd after.size={pmd} "
				  "pfn=@after.pfn pfn=P1+37 after.page.pincount_exact=true"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.expects = ALWAYS("ret=1 cause=unchanged before.leaf=pmd after.leaf=pmd pfn=P1+101 "
				  "before.page.gained_pins=1 before.page.gained_refs=1"),
	},
	{ 0 }
};

const struct scenario scenario_hugetlb = {
	.name = "hugetlb",
	.teaches = "a page of the hugetlb pool looks like a transparent huge page to the walk; it "
		   "comes from a pool that was set aside, and is never split",
	.needs = "memory for a page of the hugetlb pool, which the run adds and takes away again",
	.check = check_hugetlb,
	.setup = setup_hugetlb,
	.begin = begin_hugetlb,
	.end = end_hugetlb,
	.steps = hugetlb_steps,
};
