// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every state that an entry can be in, made for real. walk() and call() hold each snapshot against
 * the address, the format of the entries, and /proc; a test says what else has to be true.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"

static void check_state(struct json_object *snap, const char *state, const char *leaf)
{
	check_str(jstr(snap, "state"), state);
	check_str(jstr(snap, "leaf"), leaf);
}

/* ---- nothing there, level by level ---- */

static void check_hole(struct json_object *snap, size_t levels, size_t size)
{
	check_state(snap, "none", NULL);
	check_num(jlen(snap, "levels"), levels);
	check_num(jnum(snap, "size"), size);
}

/* Room as large as an entry of @level covers, with nothing in it. */
static char *hole_at(size_t size, bool touch_other)
{
	char *room = reserve(size);

	must(!mprotect(room, size, PROT_READ | PROT_WRITE));
	no_huge_pages(room, size);
	if (touch_other)
		room[0] = 1;
	return room;
}

/*
 * The page is alone in what an entry of the topmost table covers. With fewer levels that entry is
 * looked at through the folded ones, which repeat it.
 */
static void unmapped_top(void)
{
	char *room = (char *)(1UL << (user_bits() - 2));
	int top = top_level();

	must(mmap(room, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_FIXED_NOREPLACE, -1, 0) == room);
	check_hole(walk(room + 5), top + 1, 1UL << level_shift(top));
	room[1] = 1;
	check_state(walk(room + 5), "present", "pte");
	check_num(jnum(walk(room), "levels.0.index"),
		  1UL << (user_bits() - 2 - level_shift(0)));
}

static void unmapped_p4d(void)
{
	char *room = hole_at(1UL << level_shift(1), false);

	check_hole(walk(room + 12345), 2, 1UL << level_shift(1));
}

static void unmapped_pud(void)
{
	char *room = hole_at(8 * pud_size(), true);

	check_hole(walk(room + 7 * pud_size() + 77), 3, pud_size());
}

static void unmapped_pmd(void)
{
	char *room = hole_at(8 * pmd_size(), true);

	check_hole(walk(room + 3 * pmd_size() + 77), 4, pmd_size());
}

static void unmapped_pte(void)
{
	char *room = hole_at(pmd_size(), true);

	check_hole(walk(room + 5 * PAGE + 77), 5, PAGE);
	check_state(walk(room), "present", "pte");
}

/*
 * A walk of a range gives an element for each entry, holes included, and they join without gap or
 * overlap.
 */
static void range(void)
{
	char *room = hole_at(8 * pmd_size(), true);
	long long most = version_number("pages_max");
	struct json_object *answer, *pages;
	uint64_t next = (uintptr_t)room;
	size_t i;

	room[4 * PAGE] = 1;
	room[2 * pmd_size() + PAGE] = 1;
	/* No table has fewer entries than an answer elements. */
	must(pmd_size() / PAGE >= (size_t)most);
	answer = record("op=walk addr=%p nr_pages=%zu nokeep", room, 2 * pmd_size() / PAGE);
	pages = jget(answer, "pages");
	check_num(json_object_array_length(pages), most);
	check_num(jnum(answer, "ret"), most);
	for (i = 0; i < json_object_array_length(pages); i++) {
		struct json_object *page = json_object_array_get_idx(pages, i);

		check_hex(jhex(page, "addr"), next);
		check_str(jstr(page, "before.state"), i == 0 || i == 4 ? "present" : "none");
		next = (next | (jnum(page, "before.size") - 1)) + 1;
	}
	answer = record("op=walk addr=%p nr_pages=%zu nokeep", room + pmd_size(),
			3 * pmd_size() / PAGE);
	check_num(jlen(answer, "pages"), most);
	check_num(jnum(answer, "pages.0.before.size"), pmd_size());
	check_hex(jhex(answer, "pages.1.addr"), (uintptr_t)room + 2 * pmd_size());
	check_num(jnum(answer, "ret"), pmd_size() / PAGE + most - 1);
}

/* A range ends with its VMA. */
static void range_ends(void)
{
	char *room = map_anon(8 * PAGE, true);
	struct json_object *answer;

	must(!munmap(room + 3 * PAGE, PAGE));
	answer = record("op=walk addr=%p nr_pages=8 nokeep", room + 100);
	check_num(jnum(answer, "ret"), 3);
	check_num(jlen(answer, "pages"), 3);
	check_hex(jhex(answer, "pages.0.addr"), (uintptr_t)room + 100);
	check_hex(jhex(answer, "pages.2.addr"), (uintptr_t)room + 2 * PAGE);
}

static void no_vma(void)
{
	char *room = map_anon(4 * PAGE, true);
	struct json_object *answer;
	struct sight sight;

	must(!munmap(room + 2 * PAGE, 2 * PAGE));
	sight = look(0, room + 2 * PAGE);
	answer = record("op=get_user_pages addr=%p nr_pages=3", room);
	check_str(jstr(answer, "pages.2.before.state"), "novma");
	agree(jget(answer, "pages.2.before"), room + 2 * PAGE, &sight);
	agree(jget(answer, "pages.2.after"), room + 2 * PAGE, &sight);
}

/* ---- small pages ---- */

static void anon(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *snap = walk(page + 1234);

	check_state(snap, "present", "pte");
	check_num(jnum(snap, "size"), PAGE);
	check_num(jhex(snap, "pa") % PAGE, 1234);
	check(jbool(snap, "page.anon"));
	check_num(anon_exclusive(snap), has_anon_exclusive());
	check(jhas(snap, "rights", "write") && !jhas(snap, "rights", "exec"));
	check_num(jnum(snap, "page.order"), 0);
	check(!jbool(snap, "page.pincount_exact"));
}

static void zero_page(void)
{
	char *page = map_anon(PAGE, false);
	struct json_object *snap;

	must(*(volatile char *)page == 0);
	snap = walk(page);
	check_state(snap, "present", "pte");
	check(jbool(snap, "page.zero") && !jbool(snap, "page.anon"));
	check(!jhas(snap, "rights", "write"));
	page[0] = 1;
	check(!jbool(walk(page), "page.zero"));
}

static void check_file_page(int fd, bool shared)
{
	char *page = map(2 * PAGE, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, fd);
	struct json_object *snap;

	must(*(volatile char *)page == 'f');
	snap = walk(page + 99);
	check_state(snap, "present", "pte");
	check(!jbool(snap, "page.anon") && !jbool(snap, "page.zero"));
	if (!shared) {
		page[0] = 'w';
		snap = walk(page);
		check(jbool(snap, "page.anon"));
	}
}

static void shmem(void)
{
	int fd = file_shmem(2 * PAGE);

	check_file_page(fd, true);
	check_file_page(fd, false);
}

static void ext4(void)
{
	int fd = file_ext4(2 * PAGE);

	check_file_page(fd, true);
	check_file_page(fd, false);
}

/* The program itself: a file on whatever file system the tests came from. */
static void own_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *page = map(PAGE, PROT_READ, MAP_PRIVATE, fd);
	struct json_object *answer;

	must(page[1] == 'E');
	check_state(walk(page), "present", "pte");
	answer = record("op=walk addr=%p nokeep", page);
	check_str(jstr(answer, "vma.kind"), "file");
	check(strstr(jstr(answer, "vma.file"), "gupwalk-test"));
}

/*
 * Memory that the kernel itself has put into each process. What it tells of the time was mapped
 * with VM_PFNMAP, by later kernels with ordinary pages: smaps says so.
 */
static void kernel_pages(const char *name)
{
	char *maps = read_file("/proc/self/smaps", NULL), *rest = maps, *line, *flags = NULL;
	struct json_object *answer;
	unsigned long start = 0;
	bool pfnmap, io;

	while (!flags && (line = strsep(&rest, "\n"))) {
		if (strstr(line, name))
			start = strtoul(line, NULL, 16);
		else if (start && !strncmp(line, "VmFlags:", 8))
			flags = line;
	}
	if (!start)
		skip("this process has no %s", name);
	must(flags);
	pfnmap = strstr(flags, " pf");
	io = strstr(flags, " io");
	answer = record("op=handle_mm_fault addr=0x%lx", start);
	check_num(jnull(answer, "errno"), true);
	check_str(jstr(answer, "vma.kind"), pfnmap || io ? "pfnmap" : "special");
	check_state(walk((void *)start), "present", "pte");
	check_num(!jnull(walk((void *)start), "page"), !pfnmap);
}

static void vdso(void)
{
	kernel_pages("[vdso]");
}

static void vvar(void)
{
	kernel_pages("[vvar]");
}

static void pfnmap(void)
{
	char *pages = map_target(2);
	struct json_object *answer, *snap = walk(pages + PAGE + 7);

	check_state(snap, "present", "pte");
	check(jnull(snap, "page"));
	answer = record("op=follow_pfn addr=%p", pages + PAGE + 7);
	check_num(jnum(answer, "ret"), 0);
	check_num(jnum(answer, "pages.0.pfn"), jnum(snap, "pfn"));
	check(jnum(snap, "pfn") != jnum(walk(pages), "pfn"));
	must(!target_zap(pages, PAGE));
	check_state(walk(pages), "none", NULL);
}

static void ksm_off(void *arg)
{
	try_write_file("/sys/kernel/mm/ksm/run", "2");
	try_write_file("/sys/kernel/mm/ksm/run", "0");
}

static void ksm(void)
{
	char *pages = map_anon(4 * PAGE, true);
	uint64_t end = now_ms() + 60000 * slowness();
	struct json_object *answer;

	at_end(ksm_off, NULL);
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	must(!madvise(pages, 4 * PAGE, MADV_MERGEABLE));
	write_file("/sys/kernel/mm/ksm/run", "1");
	while (read_number("/sys/kernel/mm/ksm/pages_sharing") < 3)
		if (now_ms() > end)
			fail("nothing was merged in 60 s");
	write_file("/sys/kernel/mm/ksm/run", "0");
	check_num(look(0, pages).pagemap & PM_PFN, look(0, pages + PAGE).pagemap & PM_PFN);
	check(jbool(walk(pages), "page.ksm"));
	check_num(jnum(walk(pages), "pfn"), jnum(walk(pages + PAGE), "pfn"));
	check(!anon_exclusive(walk(pages)));
	check(jnum(walk(pages), "page.mapcount") >= 2);
	/* A pin must not stay on a page that a write would leave. */
	answer = call(pages, "op=pin_user_pages");
	check_str(jstr(answer, "pages.0.cause"), unshares_for_pin() ? "unshare" : "unchanged");
	check_num(jbool(answer, "pages.0.after.page.ksm"), !unshares_for_pin());
}

static void mlocked(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;

	must(!mlock(page, PAGE));
	check(jhas(walk(page), "page.flags", "mlocked"));
	answer = record("op=walk addr=%p nokeep", page);
	check(jhas(answer, "vma.flags", "locked"));
	must(!munlock(page, PAGE));
	check(!jhas(walk(page), "page.flags", "mlocked"));
}

static void soft_dirty(void)
{
	char *page = map_anon(PAGE, true);

	write_file("/proc/self/clear_refs", "4");
	check(!jhas(walk(page), "levels.-1.flags", name_soft_dirty));
	check(!(look(0, page).pagemap & PM_SOFT_DIRTY));
	page[0] = 2;
	check(jhas(walk(page), "levels.-1.flags", name_soft_dirty));
	check(look(0, page).pagemap & PM_SOFT_DIRTY);
}

static void pkeys(void)
{
	char *page = map_anon(PAGE, true);
	int key = syscall(SYS_pkey_alloc, 0, 0);

	must(key == 1);
	check(!jhas(walk(page), "levels.-1.flags", name_pkey_bit0));
	must(!syscall(SYS_pkey_mprotect, page, PAGE, PROT_READ | PROT_WRITE, key));
	check(jhas(walk(page), "levels.-1.flags", name_pkey_bit0));
}

/* ---- rights, against what the CPU does ---- */

static sigjmp_buf out_of_fault;

static void on_fault(int signal)
{
	siglongjmp(out_of_fault, 1);
}

static bool survives(void (*act)(char *page), char *page)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	must(!sigaction(SIGSEGV, &action, NULL));
	if (sigsetjmp(out_of_fault, 1))
		return false;
	act(page);
	return true;
}

static void do_read(char *page)
{
	(void)*(volatile char *)page;
}

static void do_write(char *page)
{
	*(volatile char *)page = *(volatile char *)page;
}

static void do_exec(char *page)
{
	((void (*)(void))page)();
}

static void put_return(char *page)
{
#ifdef __x86_64__
	static const unsigned char code[] = { 0xc3 };
#else
	static const unsigned char code[] = { 0xc0, 0x03, 0x5f, 0xd6 };	/* arm64 */
#endif
	memcpy(page, code, sizeof(code));
	__builtin___clear_cache(page, page + sizeof(code));
}

static void check_rights(char *page, int prot)
{
	struct json_object *snap;
	bool can_write, can_exec;

	must(!mprotect(page, PAGE, prot));
	/*
	 * A first write or execution may only have to make the entry right; the rights are of the
	 * entry as it is after it.
	 */
	can_write = survives(do_write, page);
	can_exec = survives(do_exec, page);
	snap = walk(page);
	check_that(can_write == jhas(snap, "rights", "write"),
		   "prot %#x: writing works: %d, rights: %s",
		   prot, can_write, json_object_to_json_string(jget(snap, "rights")));
	check_that(can_exec == jhas(snap, "rights", "exec"),
		   "prot %#x: executing works: %d, rights: %s",
		   prot, can_exec, json_object_to_json_string(jget(snap, "rights")));
	check_num(can_write, !!(prot & PROT_WRITE));
	check_num(can_exec, !!(prot & PROT_EXEC));
	check(jhas(snap, "rights", "user"));
}

static void rights_of(char *page)
{
	put_return(page);
	check_rights(page, PROT_READ);
	check_rights(page, PROT_READ | PROT_WRITE);
	check_rights(page, PROT_READ | PROT_EXEC);
	check_rights(page, PROT_READ | PROT_WRITE | PROT_EXEC);
	must(survives(do_read, page));
}

static void rights(void)
{
	rights_of(map_anon(PAGE, true));
}

static void rights_thp(void)
{
	char *page = map_thp();

	put_return(page);
	must(!mprotect(page, pmd_size(), PROT_READ | PROT_EXEC));
	check(survives(do_exec, page));
	check(jhas(walk(page), "rights", "exec") && !jhas(walk(page), "rights", "write"));
	check_str(jstr(walk(page), "leaf"), "pmd");
}

/*
 * On CPUs with protection keys PROT_EXEC alone is execute-only: the entry itself would allow to
 * read.
 */
static void execute_only(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *snap;

	put_return(page);
	must(!mprotect(page, PAGE, PROT_EXEC));
	check(survives(do_exec, page));
	snap = walk(page);
	check(jhas(snap, "rights", "exec") && !jhas(snap, "rights", "write"));
}

/* ---- PROT_NONE: on x86 the page frame is kept inverted ---- */

/* @entry: how much the entry at the end of the walk maps. */
static void check_protnone(char *page, size_t size, size_t entry, const char *leaf)
{
	long long pfn = jnum(walk(page + 4242), "pfn");
	struct json_object *snap;

	must(!mprotect(page, size, PROT_NONE));
	snap = walk(page + 4242);
	check_state(snap, "protnone", leaf);
	check_num(jnum(snap, "pfn"), pfn);
	check_num(jnum(snap, "size"), entry);
	check(!jnull(snap, "page"));
	must(!mprotect(page, size, PROT_READ | PROT_WRITE));
	check_state(walk(page + 4242), "present", leaf);
}

static void protnone(void)
{
	char *pages = map_anon(2 * PAGE, true);
	long long pfn = jnum(walk(pages + PAGE), "pfn");

	must(!mprotect(pages, 2 * PAGE, PROT_NONE));
	check_state(walk(pages + PAGE), "protnone", "pte");
	check_num(jnum(walk(pages + PAGE), "pfn"), pfn);
	check(jhas(walk(pages + PAGE), "levels.-1.flags", "PROTNONE"));
	must(!mprotect(pages, 2 * PAGE, PROT_READ));
	check_state(walk(pages + PAGE), "present", "pte");
}

static void protnone_thp(void)
{
	check_protnone(map_thp(), pmd_size(), pmd_size(), "pmd");
}

/* ---- huge pages ---- */

static void thp(void)
{
	char *page = map_thp();
	struct json_object *snap = walk(page + 1000 * PAGE % pmd_size() + 17);
	long long head = jnum(walk(page), "pfn");

	check_state(snap, "present", "pmd");
	check_num(jnum(snap, "size"), pmd_size());
	check_num(jnum(snap, "pfn"), head + 1000 * PAGE % pmd_size() / PAGE);
	check_num(jnum(snap, "page.head_pfn"), head);
	check_num(jnum(snap, "page.order"), level_shift(3) - level_shift(4));
	check(jbool(snap, "page.pincount_exact"));
	check_num(jnum(snap, "page.mapcount"), 1);
	check_state(walk(page + pmd_size() - 1), "present", "pmd");
}

/* Small entries that map a huge folio. */
static void thp_split_mapping(void)
{
	char *page = map_thp();
	long long head = jnum(walk(page), "pfn");
	struct json_object *snap;

	must(!mprotect(page + 5 * PAGE, PAGE, PROT_READ));
	snap = walk(page + 7 * PAGE + 3);
	check_state(snap, "present", "pte");
	check_num(jnum(snap, "pfn"), head + 7);
	check_num(jnum(snap, "page.head_pfn"), head);
	check_num(jnum(snap, "page.order"), level_shift(3) - level_shift(4));
	check(!jhas(walk(page + 5 * PAGE), "rights", "write"));
	check(jhas(walk(page + 6 * PAGE), "rights", "write"));
}

static void huge_zero_page(void)
{
	char *page = map_huge_zero();
	struct json_object *snap = walk(page + 3 * PAGE + 1);

	check_state(snap, "present", "pmd");
	check(jbool(snap, "page.zero") && !jbool(snap, "page.anon"));
	page[0] = 1;
	check(!jbool(walk(page), "page.zero"));
}

static void shmem_huge_off(void *arg)
{
	try_write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never");
}

static void thp_shmem(void)
{
	char *page = reserve(pmd_size());
	int fd = memfd_create("gupwalk-test", MFD_CLOEXEC);
	struct json_object *snap;

	at_end(shmem_huge_off, NULL);
	write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "force");
	must(!ftruncate(fd, pmd_size()));
	must(mmap(page, pmd_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == page);
	must(!madvise(page, pmd_size(), MADV_HUGEPAGE));
	page[0] = 1;
	if (!kpf(look(0, page).flags, KPF_THP))
		skip("the kernel gave no huge page of shared memory");
	snap = walk(page + 9 * PAGE);
	check_state(snap, "present", "pmd");
	check(!jbool(snap, "page.anon") && !jbool(snap, "page.zero"));
}

/*
 * Up to 6.12 at least arm64's pte_mkcont() makes an entry valid, whatever its rights
 * (arch/arm64/include/asm/pgtable.h): then the contiguous entries of a PROT_NONE mapping are
 * present, and give no right to anybody.
 */
static void check_contiguous_protnone(char *page, size_t size)
{
	long long pfn = jnum(walk(page + 4242), "pfn");
	struct json_object *snap;

	must(!mprotect(page, size, PROT_NONE));
	snap = walk(page + 4242);
	check_num(jnum(snap, "pfn"), pfn);
	check(!jhas(snap, "rights", "read") && !jhas(snap, "rights", "write"));
	if (strcmp(jstr(snap, "state"), "protnone"))
		check_state(snap, "present", "pte");
	must(!mprotect(page, size, PROT_READ | PROT_WRITE));
	check(jhas(walk(page + 4242), "rights", "read"));
}

static void check_hugetlb(size_t size, size_t entry, const char *leaf, int flags)
{
	char *page = map_hugetlb(size, PROT_READ | PROT_WRITE, flags);
	struct json_object *snap = walk(page + 5);

	check_state(snap, "none", NULL);
	page[0] = 1;
	snap = walk(page + size - PAGE - 1);
	check_state(snap, "present", leaf);
	check_num(jnum(snap, "size"), entry);
	if (entry < size)
		check_num(jnum(snap, "contiguous"), size);
	else
		check(jnull(snap, "contiguous"));
	check_num(jnum(snap, "pfn"), jnum(walk(page), "pfn") + (size - PAGE - 1) / PAGE);
	check(jhas(snap, "page.flags", "hugetlb"));
	check_num(jbool(snap, "page.anon"), flags == MAP_PRIVATE);
	check_num(1UL << jnum(snap, "page.order"), size / PAGE);
	check_num(jnum(snap, "page.mapcount"), 1);
	check_str(jstr(record("op=walk addr=%p nokeep", page), "vma.kind"), "hugetlb");
	if (entry == PAGE)
		check_contiguous_protnone(page, size);
	else
		check_protnone(page, size, entry, leaf);
	must(!munmap(page, size));
}

static void hugetlb(void)
{
	check_hugetlb(pmd_size(), pmd_size(), "pmd", MAP_PRIVATE);
	check_hugetlb(pmd_size(), pmd_size(), "pmd", MAP_SHARED);
}

static void hugetlb_1g(void)
{
	check_hugetlb(pud_size(), pud_size(), "pud", MAP_PRIVATE);
	/* to clear a GiB takes seconds */
	if (brevity() == 1)
		check_hugetlb(pud_size(), pud_size(), "pud", MAP_SHARED);
}

/* Pages of hugetlb that are several entries, with arm64's contiguous bit in each. */
static void hugetlb_cont(void)
{
	check_hugetlb(contiguous_size(4), PAGE, "pte", MAP_PRIVATE);
	check_hugetlb(contiguous_size(4), PAGE, "pte", MAP_SHARED);
}

static void hugetlb_cont_pmd(void)
{
	check_hugetlb(contiguous_size(3), pmd_size(), "pmd", MAP_PRIVATE);
	check_hugetlb(contiguous_size(3), pmd_size(), "pmd", MAP_SHARED);
}

/*
 * The same of a large folio (contpte, arch/arm64/mm/contpte.c, since v6.9), and no more when a part
 * of it is another's.
 */
static void thp_cont(void)
{
	size_t size = contiguous_size(4);
	char *pages = map_thp_cont();
	struct json_object *snap = walk(pages + size - 1);

	check_state(snap, "present", "pte");
	check_num(jnum(snap, "size"), PAGE);
	check_num(jnum(snap, "contiguous"), size);
	check_num(jnum(snap, "pfn"), jnum(walk(pages), "pfn") + size / PAGE - 1);
	check_num(PAGE << jnum(snap, "page.order"), size);
	check(jhas(snap, "levels.-1.flags", "CONT"));
	/* One entry that differs: none of them has the bit. */
	must(!mprotect(pages + 3 * PAGE, PAGE, PROT_READ));
	check(jnull(walk(pages), "contiguous") && jnull(walk(pages + 3 * PAGE), "contiguous"));
	check_num(PAGE << jnum(walk(pages), "page.order"), size);
}

/* ---- entries that map nothing and yet say something ---- */

static void swap(void)
{
	char *pages = map_anon(8 * PAGE, true);
	struct json_object *snap, *answer;
	int i;

	for (i = 0; i < 8; i++)
		must(swap_out(pages + i * PAGE));
	for (i = 0; i < 8; i++) {
		snap = walk(pages + i * PAGE + 11);
		check_state(snap, "swap", NULL);
	}
	check(jnum(walk(pages), "swap_offset") != jnum(walk(pages + PAGE), "swap_offset"));
	answer = call(pages, "op=handle_mm_fault");
	check_str(jstr(answer, "pages.0.cause"), "swap-in");
	check_str(jstr(answer, "pages.0.after.state"), "present");
	answer = call(pages + PAGE, "op=pin_user_pages flags=write");
	check_str(jstr(answer, "pages.0.cause"), "swap-in");
	check_num(pages[PAGE], 'a');
}

static void hwpoison(void)
{
	char *pages = map_anon(2 * PAGE, true);
	struct json_object *snap;

	poison(pages + PAGE, PAGE);
	snap = walk(pages + PAGE + 5);
	check_state(snap, "marker", NULL);
	check_str(jstr(snap, "marker"), "hwpoison");
	check_state(walk(pages), "present", "pte");
}

static void hwpoison_hugetlb(void)
{
	char *page = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct json_object *snap;

	page[0] = 1;
	poison(page, pmd_size());
	snap = walk(page + 5);
	check_state(snap, "marker", NULL);
	check_str(jstr(snap, "marker"), "hwpoison");
	check_num(jnum(snap, "size"), pmd_size());
}

static void uffd_wp(void)
{
	char *pages = map_anon(2 * PAGE, true);
	int uffd = uffd_register(pages, 2 * PAGE, UFFDIO_REGISTER_MODE_WP);
	struct json_object *snap;

	uffd_protect(uffd, pages, PAGE, true);
	snap = walk(pages + 3);
	check_state(snap, "present", "pte");
	check(jhas(snap, "levels.-1.flags", name_uffd_wp));
	check(!jhas(snap, "rights", "write"));
	check(!jhas(walk(pages + PAGE), "levels.-1.flags", name_uffd_wp));
	uffd_protect(uffd, pages, PAGE, false);
	check(!jhas(walk(pages), "levels.-1.flags", name_uffd_wp));
}

/* A page of shared memory that is write-protected and then dropped leaves a marker. */
static void uffd_wp_marker(void)
{
	int fd = file_shmem(2 * PAGE), uffd;
	char *pages = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	struct json_object *snap;

	pages[0] = 1;
	pages[PAGE] = 1;
	uffd = uffd_register(pages, 2 * PAGE, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, pages, PAGE, true);
	check(jhas(walk(pages), "levels.-1.flags", name_uffd_wp));
	must(!madvise(pages, 2 * PAGE, MADV_DONTNEED));
	check(look(0, pages).pagemap & PM_UFFD_WP);
	snap = walk(pages + 77);
	check_state(snap, "marker", NULL);
	check_str(jstr(snap, "marker"), "uffd-wp");
	check_state(walk(pages + PAGE), "none", NULL);
}

static void uffd_wp_swapped(void)
{
	char *page = map_anon(PAGE, true);
	int uffd = uffd_register(page, PAGE, UFFDIO_REGISTER_MODE_WP);

	uffd_protect(uffd, page, PAGE, true);
	must(swap_out(page));
	check_state(walk(page), "swap", NULL);
	check(!pagemap_knows_uffd_wp() || look(0, page).pagemap & PM_UFFD_WP);
	check(jhas(walk(page), "levels.-1.flags", "SWP_UFFD_WP"));
}

/* What userfaultfd says of memory that was lost on the way, as that of a virtual machine. */
static void uffd_poisoned(void)
{
	char *pages = map_anon(2 * PAGE, false);
	int uffd = uffd_register(pages, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	struct json_object *snap;

	uffd_poison(uffd, pages, PAGE);
	snap = walk(pages + 9);
	check_state(snap, "marker", NULL);
	check_str(jstr(snap, "marker"), "poisoned");
	check_state(walk(pages + PAGE), "none", NULL);
}

static void guard(void)
{
	char *pages = map_anon(3 * PAGE, true);
	struct json_object *snap;

	must(!madvise(pages + PAGE, PAGE, MADV_GUARD_INSTALL));
	snap = walk(pages + PAGE + 9);
	check_state(snap, "marker", NULL);
	check_str(jstr(snap, "marker"), "guard");
	check_state(walk(pages), "present", "pte");
	check_state(walk(pages + 2 * PAGE), "present", "pte");
	must(!madvise(pages + PAGE, PAGE, MADV_GUARD_REMOVE));
	check_state(walk(pages + PAGE), "none", NULL);
}

/*
 * MADV_DONTNEED of all that a table maps: since 6375e95f381e ("mm: pgtable: reclaim empty PTE page
 * in madvise(MADV_DONTNEED)") (in v6.14) the table goes as well, where CONFIG_PT_RECLAIM is.
 */
static void dontneed(void)
{
	char *room = hole_at(pmd_size(), true);
	struct json_object *snap;

	must(!madvise(room, pmd_size(), MADV_DONTNEED));
	snap = walk(room + 5);
	check_state(snap, "none", NULL);
	if (!kernel_since(6, 14))
		check_num(jlen(snap, "levels"), 5);
	check(jlen(snap, "levels") >= 4);
	note("the table is %s", jlen(snap, "levels") == 4 ? "gone" : "still there");
	room[5] = 1;
	check_state(walk(room + 5), "present", "pte");
}

static void device(void)
{
	fail("no way to make one is known");
}

/* ---- another process ---- */

static char *shared_plan;

static void be_looked_at(void *arg)
{
	char *pages = mmap(shared_plan, 4 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	pages[0] = 'r';
	(void)*(volatile char *)(pages + PAGE);
	pages[2 * PAGE] = 'r';
	mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
}

static void remote(void)
{
	pid_t pid;

	shared_plan = map_anon(4 * PAGE, false);
	pid = spawn(be_looked_at, NULL);
	check_state(walk_of(pid, shared_plan + 5), "present", "pte");
	check(jbool(walk_of(pid, shared_plan), "page.anon"));
	check(jbool(walk_of(pid, shared_plan + PAGE), "page.zero"));
	check_state(walk_of(pid, shared_plan + 2 * PAGE), "protnone", "pte");
	check_state(walk_of(pid, shared_plan + 3 * PAGE), "none", NULL);
	/* Our own are not touched. */
	check_state(walk(shared_plan), "none", NULL);
	kill_and_reap(pid);
}

const struct test tests_states[] = {
	{ "states/unmapped-top", unmapped_top },
	{ "states/unmapped-p4d", unmapped_p4d, NEED_LEVELS_5 },
	{ "states/unmapped-pud", unmapped_pud, NEED_PUD },
	{ "states/unmapped-pmd", unmapped_pmd },
	{ "states/unmapped-pte", unmapped_pte },
	{ "states/range", range },
	{ "states/range-ends", range_ends },
	{ "states/no-vma", no_vma },
	{ "states/anon", anon },
	{ "states/zero-page", zero_page },
	{ "states/shmem", shmem },
	{ "states/ext4", ext4, NEED_EXT4 },
	{ "states/own-program", own_program },
	{ "states/vdso", vdso },
	{ "states/vvar", vvar },
	{ "states/pfnmap", pfnmap },
	{ "states/ksm", ksm, NEED_KSM },
	{ "states/mlocked", mlocked },
	{ "states/soft-dirty", soft_dirty, NEED_SOFT_DIRTY },
	{ "states/pkeys", pkeys, NEED_PKEYS },
	{ "states/rights", rights },
	{ "states/rights-thp", rights_thp, NEED_THP },
	{ "states/rights-pti", rights, NEED_PTI },
	{ "states/execute-only", execute_only, NEED_PKEYS },
	{ "states/protnone", protnone },
	{ "states/protnone-thp", protnone_thp, NEED_THP },
	{ "states/thp", thp, NEED_THP },
	{ "states/thp-split-mapping", thp_split_mapping, NEED_THP },
	{ "states/thp-shmem", thp_shmem, NEED_THP },
	{ "states/huge-zero-page", huge_zero_page, NEED_THP },
	{ "states/hugetlb", hugetlb, NEED_HUGETLB_2M },
	{ "states/hugetlb-1g", hugetlb_1g, NEED_HUGETLB_1G },
	{ "states/hugetlb-cont", hugetlb_cont, NEED_HUGETLB_CONT },
	{ "states/hugetlb-cont-pmd", hugetlb_cont_pmd, NEED_HUGETLB_CONT_PMD },
	{ "states/thp-cont", thp_cont, NEED_THP_CONT },
	{ "states/dontneed", dontneed },
	{ "states/swap", swap, NEED_SWAP },
	{ "states/hwpoison", hwpoison, NEED_HWPOISON },
	{ "states/hwpoison-hugetlb", hwpoison_hugetlb, NEED_HWPOISON | NEED_HUGETLB_2M },
	{ "states/uffd-wp", uffd_wp, NEED_UFFD_WP },
	{ "states/uffd-wp-marker", uffd_wp_marker, NEED_UFFD_WP_SHMEM },
	{ "states/uffd-wp-swapped", uffd_wp_swapped, NEED_UFFD_WP | NEED_SWAP },
	{ "states/uffd-poison", uffd_poisoned, NEED_UFFD_POISON },
	{ "states/guard", guard, NEED_GUARD },
	{ "states/device", device, NEED_DEVICE_MEMORY },
	{ "states/remote", remote },
	{ }
};
