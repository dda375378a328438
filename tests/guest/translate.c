// SPDX-License-Identifier: GPL-2.0-only
/*
 * `gupwalk translate`, of memory whose physical address is known here: its verdicts, and its exit
 * status: 0 all agree, 1 not all do, 4 there is none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define AGREE 0
#define DISAGREE 1
#define NOT_APPLICABLE 4

static struct json_object *translate_of(pid_t pid, const void *addr, const char *option, int wanted)
{
	return json_object_array_get_idx(command_prints(wanted, "translate --json %s -p %d %lx",
							option, pid,
							(unsigned long)(uintptr_t)addr), 0);
}

/* Runs it on memory of this process. Return: what it prints. */
static struct json_object *translate(const void *addr, int wanted)
{
	return translate_of(getpid(), addr, "", wanted);
}

static struct json_object *method(struct json_object *answer, const char *name)
{
	size_t i;

	for (i = 0; i < jlen(answer, "methods"); i++) {
		struct json_object *m = json_object_array_get_idx(jget(answer, "methods"), i);

		if (!strcmp(jstr(m, "by"), name))
			return m;
	}
	fail("no method %s", name);
}

static void check_method(struct json_object *answer, const char *name, const char *verdict)
{
	struct json_object *m = method(answer, name);

	check_that(!strcmp(jstr(m, "verdict"), verdict), "%s: %s", name,
		   json_object_to_json_string(m));
	if (!strcmp(verdict, "agree"))
		check_str(jstr(m, "pa"), jstr(answer, "pa"));
	if (strcmp(verdict, "agree"))
		check(jstr(m, "why"));
}

static void check_address(struct json_object *answer, const void *addr)
{
	uint64_t pfn = look(0, addr).pagemap & PM_PFN;

	check_hex(jhex(answer, "pa"), pfn * PAGE + (uintptr_t)addr % PAGE);
}

static void anon(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer = translate(page + 77, AGREE);

	check_str(jstr(answer, "verdict"), "agree");
	check_address(answer, page + 77);
	check(jnull(method(answer, "page tables"), "verdict"));
	check_str(jstr(answer, "state"), "present");
	check_str(jstr(answer, "level"), "pte");
	check_str(jstr(answer, "page"), "anon");
	check_num(jnum(answer, "size"), PAGE);
	check_method(answer, "get_user_pages_remote", "agree");
	check_method(answer, "pagemap", "agree");
	check_method(answer, "follow_pfn", "not applicable");
	check_method(answer, "vm_pgoff", "not applicable");
	check(!strstr(jstr(method(answer, "vm_pgoff"), "why"), "file"));
}

/* It is not this memory's own: its first write goes elsewhere. */
static void zeros(void)
{
	char *page = map_anon(PAGE, false);
	struct json_object *answer;

	must(!*(volatile char *)page);
	answer = translate(page, AGREE);
	check_str(jstr(answer, "page"), "zero");
	check(strstr(jstr(answer, "text"), "the first write"));
}

static void no_vma(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;

	must(!munmap(page, PAGE));
	answer = translate(page, NOT_APPLICABLE);
	check(jnull(answer, "pa"));
	check(jnull(answer, "state"));
	check_str(jstr(answer, "verdict"), "not applicable");
	check(strstr(jstr(answer, "text"), "no VMA"));
	check_method(answer, "pagemap", "not applicable");
}

static void huge(void)
{
	char *page = map_thp(), *addr = page + pmd_size() - 5;
	struct json_object *answer = translate(addr, AGREE);

	check_address(answer, addr);
	check_method(answer, "get_user_pages_remote", "agree");
	check_method(answer, "pagemap", "agree");
}

/* Its first write goes elsewhere too. */
static void huge_zeros(void)
{
	char *page = map_huge_zero(), *addr = page + 3 * PAGE + 5;
	struct json_object *answer = translate(addr, AGREE);

	check_address(answer, addr);
	check_str(jstr(answer, "page"), "zero");
	check_num(jnum(answer, "size"), pmd_size());
	check(strstr(jstr(answer, "text"), "the shared page of zeros"));
	check(strstr(jstr(answer, "text"), "the first write"));
	check_method(answer, "pagemap", "agree");
}

/* A page of a mapping that has that name where nothing is mapped; NULL: there is none. */
static char *hole_of(pid_t pid, const char *name)
{
	char path[32], *maps, *rest, *line, *hole = NULL;
	unsigned long addr, end;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = read_file(path, NULL);
	rest = maps;
	while (!hole && (line = strsep(&rest, "\n"))) {
		if (!strstr(line, name) || sscanf(line, "%lx-%lx", &addr, &end) != 2)
			continue;
		for (; !hole && addr < end; addr += PAGE)
			if (!strcmp(jstr(walk_of(pid, (void *)addr), "state"), "none"))
				hole = (char *)addr;
	}
	free(maps);
	return hole;
}

/*
 * What the kernel has put into another process, and lets nobody fault in for it: VM_PFNMAP, or on
 * Linux 7.3 a handler that refuses.
 */
static void vvar(void)
{
	pid_t pid = spawn(NULL, NULL);
	char *page = hole_of(pid, "[vvar]");
	struct json_object *answer, *call;

	if (!page)
		skip("there is no [vvar], or all of it is mapped");
	answer = translate_of(pid, page, "--fault", NOT_APPLICABLE);
	call = method(answer, "get_user_pages_remote");
	check(jnull(call, "pa"));
	check_that(strstr(jstr(call, "why"), "VM_IO and VM_PFNMAP") ||
		   strstr(jstr(call, "why"), "fault handler"), "%s", jstr(call, "why"));
	kill_and_reap(pid);
}

/* get_user_pages() fails, and the page is there all the same. */
static void protnone(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;

	must(!mprotect(page, PAGE, PROT_NONE));
	answer = translate(page, AGREE);
	check_address(answer, page);
	check_method(answer, "get_user_pages_remote", "not applicable");
	check_method(answer, "pagemap", "agree");
}

static void hole(void)
{
	char *page = map_anon(PAGE, false);
	struct json_object *answer = translate(page, NOT_APPLICABLE);

	check(jnull(answer, "pa"));
	check_str(jstr(answer, "verdict"), "not applicable");
	check_method(answer, "get_user_pages_remote", "not applicable");
	check(strstr(jstr(method(answer, "get_user_pages_remote"), "why"), "it would map the"));
	check_method(answer, "pagemap", "not applicable");
	check_str(jstr(answer, "state"), "none");
	/* it was asked, and nothing was faulted in */
	check_str(jstr(walk(page), "state"), "none");
}

static void swap(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;

	must(swap_out(page));
	answer = translate(page, NOT_APPLICABLE);
	check(jnull(answer, "pa"));
	check_str(jstr(walk(page), "state"), "swap");
}

/* The target's vm_pgoff is the number of its page: it is no page frame, and disagrees. */
static void pfnmap(void)
{
	char *pages = map_target(2);
	struct json_object *answer = translate(pages + PAGE + 3, DISAGREE);

	check_str(jstr(answer, "verdict"), "disagree");
	check_hex(jhex(answer, "pa"),
		  jnum(walk(pages + PAGE), "pfn") * PAGE + 3);
	check_method(answer, "follow_pfn", "agree");
	check_method(answer, "vm_pgoff", "disagree");
	check_hex(jhex(method(answer, "vm_pgoff"), "pa"), PAGE + 3);
	check(strstr(jstr(method(answer, "vm_pgoff"), "why"), "the page tables are right"));
	check_method(answer, "get_user_pages_remote", "not applicable");
	check_method(answer, "pagemap", "not applicable");
	check(strstr(jstr(answer, "text"), "wrong here is what else was asked (vm_pgoff)"));
	must(!target_zap(pages, 2 * PAGE));
	answer = translate(pages, NOT_APPLICABLE);
	check_method(answer, "vm_pgoff", "not applicable");
}

/* Of /dev/mem it is one. What is not memory may be mapped: the BIOS of x86, a device elsewhere. */
static void dev_mem(void)
{
	char *iomem = read_file("/proc/iomem", NULL), *rest = iomem, *line, *page = MAP_FAILED;
	unsigned long long start = 0;
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	struct json_object *answer;

	if (fd < 0)
		skip("there is no /dev/mem");
	while (page == MAP_FAILED && (line = strsep(&rest, "\n"))) {
		if (strstr(line, "System RAM") || sscanf(line, "%llx-", &start) != 1 ||
		    start % PAGE || !start)
			continue;
		page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, start);
	}
	if (page == MAP_FAILED)
		skip("/dev/mem gives nothing to map");
	answer = translate(page + 9, AGREE);
	note("mapped: %s", line);
	check_hex(jhex(answer, "pa"), start + 9);
	check_method(answer, "vm_pgoff", "agree");
	check_method(answer, "follow_pfn", "agree");
	free(iomem);
}

const struct test tests_translate[] = {
	{ "translate/anon", anon },
	{ "translate/zeros", zeros },
	{ "translate/no-vma", no_vma },
	{ "translate/huge", huge, NEED_THP },
	{ "translate/huge-zeros", huge_zeros, NEED_THP },
	{ "translate/vvar", vvar },
	{ "translate/protnone", protnone },
	{ "translate/hole", hole },
	{ "translate/swap", swap, NEED_SWAP },
	{ "translate/pfnmap", pfnmap },
	{ "translate/dev-mem", dev_mem },
	{ }
};
