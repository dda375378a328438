// SPDX-License-Identifier: GPL-2.0-only
/* Scenarios on huge pages. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "../memory.h"
#include "../number.h"
#include "../scenario.h"
#include "../text.h"

#define THP_MODE "/sys/kernel/mm/transparent_hugepage/enabled"
#define POOL "/proc/sys/vm/nr_hugepages"

/* An address in the huge page that has nothing to do with where it begins, and a second one. */
#define INSIDE(scene) (37 * (scene)->page_size + 0x45)
#define ELSEWHERE(scene) (101 * (scene)->page_size)

static void set_spots(struct scene *scene, char *huge)
{
	scene->spots[0] = huge + INSIDE(scene);
	scene->spots[1] = huge + ELSEWHERE(scene);
}

static bool read_number(const char *path, uint64_t *value)
{
	struct strbuf text = { 0 };
	bool read = slurp(path, &text) == 0 && text.len;

	if (read) {
		text.at[strcspn(text.at, "\n")] = '\0';
		read = number_parse(text.at, UINT64_MAX, value);
	}
	strbuf_free(&text);
	return read;
}

static bool write_number(const char *path, uint64_t value)
{
	FILE *f = fopen(path, "we");
	bool written;

	if (!f)
		return false;
	fprintf(f, "%" PRIu64 "\n", value);
	written = fclose(f) == 0;
	return written;
}

static const char *check_thp(const struct about *about)
{
	struct strbuf mode = { 0 };
	const char *missing = NULL;
	struct sysinfo machine;

	if (slurp(THP_MODE, &mode))
		missing = "this kernel has no transparent huge pages";
	else if (strstr(strbuf_text(&mode), "[never]"))
		missing = "transparent huge pages are off: " THP_MODE " says never";
	else if (sysinfo(&machine) ||
		 machine.freeram / 2 * machine.mem_unit < about_covers(about, "pmd"))
		missing = "too little free memory for the kernel to make a huge page of: in a "
			  "virtual machine of the lab give it more, MEM=4G";
	strbuf_free(&mode);
	return missing;
}

static bool setup_thp(struct scene *scene)
{
	size_t pmd = scene_pmd(scene);
	char *huge = memory_huge(pmd, about_covers(scene->about, "pud"), 0);

	if (!huge)
		return false;
	if (madvise(huge, pmd, MADV_HUGEPAGE)) {
		complain("setting up the scenario", "madvise(MADV_HUGEPAGE)", strerror(errno),
			 NULL);
		return false;
	}
	set_spots(scene, huge);
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
	.check = check_thp,
	.setup = setup_thp,
	.steps = thp_steps,
};

static const char *check_hugetlb(const struct about *about)
{
	uint64_t n;

	(void)about;
	return read_number(POOL, &n) ? NULL : "this kernel has no hugetlb pages (" POOL ")";
}

/* One page more than there are: those that are there may be in use. */
static bool begin_hugetlb(const struct about *about, uint64_t *kept)
{
	uint64_t now;

	(void)about;
	if (!read_number(POOL, kept) || !write_number(POOL, *kept + 1) ||
	    !read_number(POOL, &now)) {
		complain("making a hugetlb page", POOL, strerror(errno), "be root");
		return false;
	}
	if (now > *kept)
		return true;
	write_number(POOL, *kept);
	complain("making a hugetlb page", POOL, "the kernel found no free memory for one",
		 "free some memory, or give the machine more (in the lab: MEM=4G)");
	return false;
}

static void end_hugetlb(uint64_t kept)
{
	if (!write_number(POOL, kept))
		complain("restoring", POOL, strerror(errno), "write the old number back by hand");
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
