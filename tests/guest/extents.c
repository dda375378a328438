// SPDX-License-Identifier: GPL-2.0-only
/*
 * `gupwalk walk`, of memory whose state is known here: what it says of extents, in JSON, and which
 * of them it joins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define PAGES 64

/* What it prints of this process's memory. */
static struct json_object *extents(const void *addr, size_t size, const char *options)
{
	return command_prints(0, "walk --json %s -p %d %lx+%zu", options, getpid(),
			      (unsigned long)(uintptr_t)addr, size);
}

static struct json_object *extent(struct json_object *all, size_t i)
{
	must(i < json_object_array_length(all));
	return json_object_array_get_idx(all, i);
}

static struct json_object *only(const void *addr, size_t size, const char *options)
{
	struct json_object *all = extents(addr, size, options);

	check_num(json_object_array_length(all), 1);
	check_hex(jhex(extent(all, 0), "start"), (uintptr_t)addr);
	check_num(jnum(extent(all, 0), "length"), size);
	return extent(all, 0);
}

/* Pages that are touched from the end on, and every other one before the rest. */
static void touch_in_disorder(char *pages)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		pages[(PAGES - 1 - (2 * i % PAGES + 2 * i / PAGES)) * PAGE] = 1;
}

static void joined(void)
{
	char *pages = map_anon(PAGES * PAGE, false);
	struct json_object *all, *one;
	size_t i, nr;

	touch_in_disorder(pages);
	all = extents(pages, PAGES * PAGE, "");
	nr = json_object_array_length(all);
	check_that(nr > 1, "all %u pages are one run", PAGES);
	for (i = 0; i < nr; i++) {
		check_num(jnum(extent(all, i), "runs"), 1);
		check_hex(jhex(extent(all, i), "pa") / PAGE,
			  jnum(walk((void *)(uintptr_t)jhex(extent(all, i), "start")), "pfn"));
	}
	one = only(pages, PAGES * PAGE, "--virtual");
	check_num(jnum(one, "runs"), nr);
	check_hex(jhex(one, "pa"), jhex(extent(all, 0), "pa"));
	/* what differs in more than the place stays apart */
	must(!mprotect(pages + PAGE, PAGE, PROT_READ));
	check_num(json_object_array_length(extents(pages, PAGES * PAGE, "--virtual")), 3);
}

/* The mapping may allow what the entry does not. */
static void rights(void)
{
	char *page = map_anon(PAGE, false);
	struct json_object *e;

	must(!*(volatile char *)page);
	e = only(page, PAGE, "");
	check_str(jstr(e, "what"), "zero");
	check_str(jstr(e, "perms"), "rw-p");
	check(jhas(e, "rights", "read") && !jhas(e, "rights", "write"));
	check(jnull(e, "contiguous") && jnull(e, "huge") && jnull(e, "swap_type"));
	must(!mprotect(page, PAGE, PROT_NONE));
	e = only(page, PAGE, "");
	check_str(jstr(e, "perms"), "---p");
	check_num(jlen(e, "rights"), 0);
}

static void swapped(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *e, *snap;

	must(swap_out(page));
	snap = walk(page);
	e = only(page, PAGE, "");
	check_str(jstr(e, "state"), "swap");
	check(jnull(e, "pa") && jnull(e, "page_size"));
	check_num(jnum(e, "swap_type"), jnum(snap, "swap_type"));
	check_num(jnum(e, "swap_offset"), jnum(snap, "swap_offset"));
	check_num(jnum(e, "runs"), 1);
}

static void check_huge(const char *page, size_t size, size_t entry, const char *huge)
{
	struct json_object *e = only(page, size, "");

	check_num(jnum(e, "page_size"), entry);
	check_str(jstr(e, "huge"), huge);
	if (entry == size)
		check(jnull(e, "contiguous"));
	else
		check_num(jnum(e, "contiguous"), size);
}

static void thp(void)
{
	char *page = map_thp();

	check_huge(page, pmd_size(), pmd_size(), "thp");
	check_str(jstr(only(page, pmd_size(), ""), "what"), "anon");
	/* parts of it that entries of single pages map look like any others */
	must(!mprotect(page, PAGE, PROT_READ));
	check(jnull(extent(extents(page, pmd_size(), "--virtual"), 1), "huge"));
}

static void hugetlb(void)
{
	char *page = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[0] = 1;
	check_huge(page, pmd_size(), pmd_size(), "hugetlb");
}

static void hugetlb_cont(void)
{
	char *page = map_hugetlb(contiguous_size(4), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[0] = 1;
	check_huge(page, contiguous_size(4), PAGE, "hugetlb");
}

/* Multi-size THP: the entries are those of single pages, and say that they are one block. */
static void thp_cont(void)
{
	check_huge(map_thp_cont(), contiguous_size(4), PAGE, "thp");
}

/* Each level says what its entry is, and how much that stands for. */
static void levels(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *e = only(page, PAGE, "--levels");
	size_t i, nr = jlen(e, "levels");

	check_num(nr, 5);
	for (i = 0; i < nr; i++) {
		struct json_object *level = json_object_array_get_idx(jget(e, "levels"), i);

		if (jbool(level, "folded")) {
			check(jnull(level, "kind") && jnull(level, "size"));
			continue;
		}
		check_str(jstr(level, "kind"), i + 1 == nr ? "leaf" : "table");
		check_num(jnum(level, "size"), 1ULL << level_shift(i));
	}
	must(swap_out(page));
	e = only(page, PAGE, "--levels");
	check_str(jstr(e, "levels.-1.kind"), "absent");
}

const struct test tests_extents[] = {
	{ "bulk/extents-joined", joined },
	{ "bulk/extents-rights", rights },
	{ "bulk/extents-swap", swapped, NEED_SWAP },
	{ "bulk/extents-thp", thp, NEED_THP },
	{ "bulk/extents-hugetlb", hugetlb, NEED_HUGETLB_2M },
	{ "bulk/extents-hugetlb-cont", hugetlb_cont, NEED_HUGETLB_CONT },
	{ "bulk/extents-thp-cont", thp_cont, NEED_THP_CONT },
	{ "bulk/extents-levels", levels, NEED_SWAP },
	{ }
};
