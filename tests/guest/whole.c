// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole processes, large ones and strange ones: the file `walk` against /proc, entry by entry, and
 * what a walk of them takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "tables.h"
#include "../../module/uapi/gupwalk.h"

/* ---- a process of many mappings ---- */

void plan_begin(struct plan *plan)
{
	plan->file = memfd_create("gupwalk-test", MFD_CLOEXEC);
	if (plan->file < 0 || ftruncate(plan->file, PLAN_PAGES * PAGE))
		_exit(1);
	plan->target = open("/dev/" GUPWALK_TARGET_NAME, O_RDWR | O_CLOEXEC);
	plan->uffds = need_missing(NEED_UFFD_WP) ? 0 : 100;
}

static void *remap(char *place, size_t size, int flags, int file)
{
	return mmap(place, size, PROT_READ | PROT_WRITE, MAP_FIXED | flags, file, 0);
}

static void plan_anon(struct plan *plan, char *place, size_t size, uint32_t kind)
{
	static const int some_prot[] = { PROT_READ, PROT_READ | PROT_EXEC, PROT_NONE };

	if (remap(place, size, MAP_PRIVATE | MAP_ANONYMOUS, -1) != place)
		_exit(1);
	if (kind == 0)
		return;
	if (kind == 1) {
		(void)*(volatile char *)place;
		return;
	}
	memset(place, kind, size);
	if (kind >= 2 && kind <= 4)
		mprotect(place, size, some_prot[kind - 2]);
	if (kind == 5)
		madvise(place + PAGE, size - PAGE, MADV_DONTNEED);
	if (kind == 6)
		madvise(place, size, MADV_PAGEOUT);
	/* not on every kernel; then it is ordinary memory */
	if (kind == 7)
		madvise(place, PAGE, MADV_GUARD_INSTALL);
	if (kind == 8 && plan->uffds > 0) {
		plan->uffds--;
		uffd_protect(uffd_register(place, size, UFFDIO_REGISTER_MODE_WP), place, PAGE,
			     true);
	}
}

void plan_mapping(struct plan *plan, char *place, size_t pages)
{
	uint32_t kind = random_of(&plan->state) % 12;
	size_t size = pages * PAGE;

	if (kind == 11 && plan->target >= 0) {
		if (size > 4 * PAGE)
			size = 4 * PAGE;
		if (remap(place, size, MAP_SHARED, plan->target) != place)
			_exit(1);
	} else if (kind == 10) {
		if (remap(place, size, MAP_PRIVATE, plan->file) != place)
			_exit(1);
		(void)*(volatile char *)place;
	} else if (kind == 9) {
		if (remap(place, size, MAP_SHARED, plan->file) != place)
			_exit(1);
		memset(place, kind, size);
	} else {
		plan_anon(plan, place, size, kind);
	}
}

/* As much as an entry of the pmd's level covers. */
static void plan_huge(struct plan *plan, char *place)
{
	uint32_t kind = random_of(&plan->state) % 4;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	int huge = flags | MAP_HUGETLB | __builtin_ctzl(pmd_size()) << 26;

	if (kind == 3 && remap(place, pmd_size(), huge, -1) == place) {
		place[0] = 1;
		return;
	}
	if (remap(place, pmd_size(), flags, -1) != place)
		_exit(1);
	madvise(place, pmd_size(), MADV_HUGEPAGE);
	if (kind)
		place[0] = kind;
	else
		(void)*(volatile char *)place;
	if (kind == 2)
		mprotect(place, pmd_size(), PROT_NONE);
}

static void make_plan(void *arg)
{
	struct plan *plan = arg;
	char *place = plan->room;
	unsigned int i;

	plan_begin(plan);
	for (i = 0; i < plan->mappings; i++) {
		size_t pages = 1 + random_of(&plan->state) % 4;

		/* sometimes far away, so that there are many tables */
		if (random_of(&plan->state) % 64 == 0) {
			place += pmd_size();
			place += -(uintptr_t)place & (pmd_size() - 1);
			if (plan->huge && random_of(&plan->state) % 8 == 0) {
				plan_huge(plan, place);
				place += pmd_size();
				continue;
			}
		}
		plan_mapping(plan, place, pages);
		place += (pages + random_of(&plan->state) % 2) * PAGE;
	}
}

pid_t plan_child(struct plan *plan, unsigned int mappings, bool huge)
{
	*plan = (struct plan){
		.size = mappings * 5UL * PAGE + (mappings / 16 + 64) * pmd_size(),
		.mappings = mappings,
		.state = seed(),
		/* where they are small */
		.huge = huge && pmd_size() <= 2 * MiB,
	};
	plan->room = reserve(plan->size);
	no_huge_pages(plan->room, plan->size);
	return spawn(make_plan, plan);
}

/* ---- page by page ---- */

/**
 * struct compared - what was compared
 * @at: an address
 * @entry: the entry that it is in
 * @class: how that is to be read
 * @flags: names of its bits
 * @word: what pagemap says
 * @states: how many pages of each state there were, by name
 */
struct compared {
	uint64_t at;
	const struct table_entry *entry;
	const struct entry_class *class;
	struct strbuf flags;
	uint64_t word;
	struct { const char *name; size_t pages; } states[16];
};

/* The seed is what one needs to see it again. */
static void same(const struct compared *c, bool is, const char *what)
{
	check_that(is, "seed %llu: %#llx: %s: entry %#llx, %s, pagemap %#llx",
		   (unsigned long long)seed(), (unsigned long long)c->at, what,
		   c->entry ? (unsigned long long)c->entry->path[c->entry->level].value : 0ULL,
		   c->class ? c->class->state : "none", (unsigned long long)c->word);
}

static bool flag(const struct compared *c, const char *name)
{
	return name && names_have(strbuf_text(&c->flags), name);
}

/* pagemap does not look into VM_PFNMAP mappings; of the zero pages it tells all the same. */
static bool hidden(const struct compared *c, uint64_t pfn)
{
	return c->entry->level == 4 && flag(c, "SPECIAL") && pfn != bulk_entries()->zero_pfn;
}

static void same_page(const struct compared *c)
{
	const struct table_entry *e = c->entry;
	uint64_t value = e->path[e->level].value, flags;
	uint64_t pfn = entry_pfn(bulk_entries(), e->level, c->class, value, c->at);

	if (hidden(c, pfn)) {
		same(c, !(c->word >> 62), "not in pagemap");
		return;
	}
	same(c, c->word & PM_PRESENT && (c->word & PM_PFN) == pfn, "page frame");
	if (name_uffd_wp && pagemap_knows_uffd_wp())
		same(c, flag(c, name_uffd_wp) == !!(c->word & PM_UFFD_WP), "uffd-wp");
	same(c, !flag(c, name_soft_dirty) || c->word & PM_SOFT_DIRTY, "soft-dirty");
	/* all pages of a huge one are alike */
	if (e->level < 4 && pfn % 32)
		return;
	flags = kpageflags(pfn);
	same(c, !kpf(flags, KPF_NOPAGE), "kpageflags: a page");
	if (e->level == 4)
		same(c, kpf(flags, KPF_ZERO) == (pfn == bulk_entries()->zero_pfn),
		     "kpageflags: zero");
	else
		same(c, kpf(flags, KPF_HUGE) || kpf(flags, KPF_THP) || kpf(flags, KPF_ZERO),
		     "kpageflags: huge");
}

static void same_entry(const struct compared *c)
{
	const char *state = c->class->state;
	uint64_t value = c->entry->path[c->entry->level].value;

	if (c->class->kind == ENTRY_LEAF) {
		same_page(c);
	} else if (!strcmp(state, "swap")) {
		same(c, c->word >> 62 == 1, "in swap");
		same(c, (c->word & 31) == gather(&c->class->type, value), "swap device");
		same(c, (c->word & PM_PFN) >> 5 == gather(&c->class->offset, value), "place in swap");
	} else if (!strcmp(state, "marker")) {
		same(c, !(c->word & PM_PRESENT), "marker");
	} else {
		same(c, false, "no such state was made");
	}
}

static void count_state(struct compared *c)
{
	const char *name = c->class ? c->class->marker ?: c->class->state : "none";
	size_t i;

	if (c->entry && c->entry->level == 3)
		name = "huge";
	for (i = 0; i < NR_OF(c->states) && c->states[i].name && strcmp(c->states[i].name, name);)
		i++;
	must(i < NR_OF(c->states));
	c->states[i].name = name;
	c->states[i].pages++;
}

static void take(struct compared *c, const struct table_entry *e)
{
	if (c->entry == e)
		return;
	strbuf_free(&c->flags);
	c->entry = e;
	c->class = NULL;
	if (!e)
		return;
	c->class = entry_class(&bulk_entries()->level[e->level], e->path[e->level].value);
	same(c, c->class, "an unknown entry");
	entry_flags(&bulk_entries()->level[e->level], c->class->kind, e->path[e->level].value,
		    &c->flags);
}

/* Page by page, all of a process of many mappings: bulk walk, pagemap, kpageflags. */
static void compare(pid_t pid, const struct plan *plan, const struct bulk *bulk,
		    struct compared *c)
{
	size_t pages = plan->size / PAGE, i, at = 0;
	uint64_t *words = malloc(pages * sizeof(*words));
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && words);
	must(pread(fd, words, pages * 8, (uintptr_t)plan->room / PAGE * 8) == (ssize_t)pages * 8);
	for (i = 0; i < pages; i++) {
		const struct table_entry *e;

		c->at = (uintptr_t)plan->room + i * PAGE;
		c->word = words[i];
		while (at < bulk->nr && bulk->entry[at].addr + bulk->entry[at].size <= c->at)
			at++;
		e = at < bulk->nr && bulk->entry[at].addr <= c->at ? &bulk->entry[at] : NULL;
		take(c, e);
		if (e)
			same_entry(c);
		else
			same(c, !(c->word >> 62), "nothing");
		if (e)
			count_state(c);
	}
	same(c, at == bulk->nr || bulk->entry[at].addr > c->at, "all entries were met");
	close(fd);
	free(words);
}

/* The states that are easily had, on every kernel, were among those compared. */
static void check_states(const struct compared *c)
{
	static const char *const states[] = { "present", "protnone", "swap" };
	size_t i, j;

	for (i = 0; i < NR_OF(states); i++) {
		for (j = 0; j < NR_OF(c->states) && c->states[j].name; j++)
			if (!strcmp(c->states[j].name, states[i]))
				break;
		check_that(j < NR_OF(c->states) && c->states[j].name, "seed %llu: no page was %s",
			   (unsigned long long)seed(), states[i]);
	}
}

static unsigned int nr_mixed(void)
{
	unsigned int mappings = (brevity() > 1 ? 5000 : 10000) / brevity() / slowness();

	return mappings < 300 ? 300 : mappings;
}

static void mixed(void)
{
	struct plan plan;
	pid_t pid = plan_child(&plan, nr_mixed(), true);
	struct bulk bulk = bulk_of(pid, plan.room, plan.size / PAGE);
	struct compared c = { 0 };
	uint64_t state = seed();
	size_t i;

	compare(pid, &plan, &bulk, &c);
	/* and snapshots, which are dearer */
	for (i = 0; i < 200 / brevity() / slowness() + 1; i++)
		walk_of(pid, (void *)bulk.entry[random_of(&state) % bulk.nr].addr);
	note("%zu entries in %llu tables", bulk.nr, (unsigned long long)bulk.tables[4]);
	for (i = 0; i < NR_OF(c.states) && c.states[i].name; i++)
		note("%zu pages: %s", c.states[i].pages, c.states[i].name);
	check_states(&c);
	strbuf_free(&c.flags);
	bulk_free(&bulk);
	kill_and_reap(pid);
}

/*
 * The kernel counts the tables below the p4d, too: VmPTE. Of a huge page it has one in reserve, for
 * the case that it is split.
 */
static void tables_counted(void)
{
	struct plan plan;
	pid_t pid = plan_child(&plan, 200, false);
	struct bulk bulk = bulk_all(pid);
	uint64_t tables = bulk.tables[4];
	char path[32];
	int level;

	for (level = 3; level >= 2; level--)
		if (!level_folded(level) && level > top_level())
			tables += bulk.tables[level];
	for (level = 0; level < 5; level++)
		if (level_folded(level))
			check_num(bulk.tables[level], 0);
	check_num(bulk.tables[0], 1);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	check_num(tables * PAGE / 1024, read_key(path, "VmPTE"));
	bulk_free(&bulk);
	kill_and_reap(pid);
}

/* ---- memory stays flat ---- */

#define SPARSE (100 * GiB)
#define SPARSE_STEP (GiB / 4)
/* with the VMAs after it */
#define LARGE (SPARSE + many() * PAGE)

/*
 * How many VMAs. Each takes its time to be made, on a kernel that watches itself much of it: there
 * it is shown that nothing breaks, and elsewhere that nothing grows.
 */
static unsigned int many(void)
{
	unsigned int vmas = 60000 / brevity() / brevity() / slowness();

	return vmas < 1600 ? 1600 : vmas;
}

/* 100 GiB of which little is there, and after it many VMAs of a page each. */
static void make_large(void *arg)
{
	char *room = arg;
	size_t i;

	must(!mprotect(room, LARGE, PROT_READ | PROT_WRITE));
	for (i = 0; i < SPARSE; i += SPARSE_STEP)
		room[i] = 1;
	room += SPARSE;
	for (i = 0; i < many(); i += 2) {
		must(!mprotect(room + i * PAGE, PAGE, PROT_READ));
		if (i % 32 == 0)
			room[(i + 1) * PAGE] = 1;
	}
}

/* Holes cost nothing, and VMAs of which nothing is there nothing either. */
static void check_bytes(pid_t pid, const char *room)
{
	struct bulk bulk = bulk_of(pid, room, LARGE / PAGE);
	size_t far = SPARSE / SPARSE_STEP;

	check_num(bulk.nr, far + (many() + 31) / 32);
	/* a pmd table and a pte table for each that is far from others; the rest is close */
	check_that(bulk.bytes < 500 * far + 8 * many() + 65536, "%llu bytes",
		   (unsigned long long)bulk.bytes);
	bulk_free(&bulk);
}

#define WALKS 32

/* Reads on, up to a part of all that is to be read. Return: false at the end. */
static bool read_up_to(int fd, uint64_t *done, uint64_t all, unsigned int percent)
{
	static char bytes[4096];
	ssize_t n = 1;

	while (*done < all * percent / 100 && n > 0) {
		n = read(fd, bytes, sizeof(bytes));
		must(n >= 0);
		*done += n;
	}
	return n > 0;
}

/*
 * What the module holds for a walk, by the kernel's own figures: of many walks at a time, in
 * which what else goes on is lost. That something is seen at all shows that the figures tell.
 */
static void module_flat(pid_t pid)
{
	long long most = 256, least = 32;
	uint64_t all, done[WALKS] = { 0 };
	struct in_use before, now;
	unsigned int percent, i;
	struct bulk bulk;
	int fd[WALKS];

	bulk = bulk_all(pid);
	all = bulk.bytes;
	bulk_free(&bulk);
	before = memory_in_use();
	for (i = 0; i < WALKS; i++)
		fd[i] = bulk_open("pid=%d", pid);
	for (percent = 1; percent < 100; percent += 49) {
		long long each;

		for (i = 0; i < WALKS; i++)
			check(read_up_to(fd[i], &done[i], all, percent));
		now = memory_in_use();
		each = (now.allocated + now.unaccounted - before.allocated - before.unaccounted) /
		       WALKS;
		note("%u %%: %lld KiB for each of %d walks, of which %lld allocated", percent, each,
		     WALKS, (now.allocated - before.allocated) / WALKS);
		check_that(each <= most && each >= least, "%lld KiB for a walk", each);
	}
	for (i = 0; i < WALKS; i++)
		close(fd[i]);
}

/* The most memory that the command ever had, in KiB: looked at when it is about to exit. */
static long long command_memory(pid_t walked, const char *from, const char *to, const char *option)
{
	char whose[16], range[40], path[32];
	const char *const words[] = { "walk", "-p", whose, range, "-o", "/dev/null", option, NULL };
	long long most;
	int status;
	pid_t pid;

	snprintf(whose, sizeof(whose), "%d", walked);
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)from, (unsigned long)to);
	pid = command_start(words, NULL);
	must(waitpid(pid, &status, 0) == pid);
	if (!WIFSTOPPED(status))
		skip("there is no gupwalk in PATH");
	must(!ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
	must(!ptrace(PTRACE_CONT, pid, 0, 0));
	must(waitpid(pid, &status, 0) == pid);
	must(status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	most = read_key(path, "VmHWM");
	must(!ptrace(PTRACE_CONT, pid, 0, 0));
	check_num(command_status(pid), 0);
	return most;
}

/*
 * All that is printed takes its time: that of some of the VMAs, which is more than what is printed
 * as one table, for which there has to be room; and the figures of all of them.
 */
static void command_flat(pid_t pid, const char *room)
{
	unsigned int vmas = many() < 16 * 1600 ? 1600 : many() / 16;
	const char *last = room + LARGE;
	long long of_few, of_some, of_all;

	of_few = command_memory(pid, room, room + 1, NULL);
	of_some = command_memory(pid, last - vmas * PAGE, last, NULL);
	of_all = command_memory(pid, room, last, "--summary");
	note("%lld KiB for the command; of %u VMAs %lld KiB; of %u, --summary, %lld KiB", of_few,
	     vmas, of_some, many(), of_all);
	check_that(of_some < of_few + 2048, "%lld KiB, %lld KiB", of_few, of_some);
	check_that(of_all < of_few + 512, "%lld KiB, %lld KiB", of_few, of_all);
}

/* One large process for all: to make it takes longer than to look at it. */
static void flat(void)
{
	char *room = map(LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	pid_t pid;

	no_huge_pages(room, LARGE);
	pid = spawn(make_large, room);
	check_bytes(pid, room);
	module_flat(pid);
	command_flat(pid, room);
	kill_and_reap(pid);
}

/* ---- entries that no kernel makes ---- */

static void spoil(int level)
{
	size_t size = level == 2 ? pud_size() : pmd_size();
	char *room = reserve(2 * size);
	uint64_t what[2] = { (uintptr_t)room, level };
	struct json_object *snap;
	const struct entry_class *class;
	struct bulk bulk;
	int fd;

	must(!mprotect(room, 2 * size, PROT_READ | PROT_WRITE));
	no_huge_pages(room, 2 * size);
	room[0] = 1;
	room[size] = 1;
	fd = open("/dev/gupwalk_spoil", O_WRONLY | O_CLOEXEC);
	must(fd >= 0);
	if (write(fd, what, sizeof(what)) != sizeof(what)) {
		must(errno == EOPNOTSUPP);
		skip("no entry of this architecture is bad, and neither a page nor not present");
	}
	/* not by walk(): pagemap would clear it */
	snap = jget(record("op=walk nokeep addr=%p", room + 5), "pages.0.before");
	bulk = bulk_of(0, room, 2 * size / PAGE);
	close(fd);
	check_str(jstr(snap, "state"), "bad");
	check_num(jlen(snap, "levels"), level + 1);
	check_num(bulk.nr, 2);
	check_num(bulk.entry[0].level, level);
	check_hex(bulk.entry[0].addr, (uintptr_t)room);
	check_hex(bulk.entry[0].path[level].value, jhex(snap, "levels.-1.value"));
	class = entry_class(&bulk_entries()->level[level], bulk.entry[0].path[level].value);
	check(class && !strcmp(class->state, "bad"));
	check_hex(bulk.entry[1].addr, (uintptr_t)room + size);
	check_num(bulk.entry[1].level, 4);
	bulk_free(&bulk);
	check_str(jstr(walk(room), "state"), "present");
}

static void bad_pmd(void)
{
	spoil(3);
}

static void bad_pud(void)
{
	spoil(2);
}

const struct test tests_whole[] = {
	{ "bulk/mixed", mixed, NEED_SWAP },
	{ "bulk/tables-counted", tables_counted },
	{ "bulk/flat", flat },
	{ "bulk/bad-pmd", bad_pmd, NEED_SPOIL },
	{ "bulk/bad-pud", bad_pud, NEED_SPOIL | NEED_PUD },
	{ }
};
