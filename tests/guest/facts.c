// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call does to the counters of a page, who holds pages for how long, and what else a record
 * says.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"

/* References that a pin of a small folio costs: GUP_PIN_COUNTING_BIAS of the kernel. */
#define PIN_BIAS 1024

/* A page with no reference but its mapping's. */
static char *quiet_page(void)
{
	char *page = map_anon(PAGE, true);

	drain();
	check_num(jnum(walk(page), "page.refcount"), 1);
	check_num(jnum(walk(page), "page.pincount"), 0);
	return page;
}

static void check_deltas(const char *words, long long references, long long pins)
{
	char *page = quiet_page();
	struct json_object *answer = call(page, words);

	check_num(jnum(answer, "pages.0.refcount_delta"), references);
	check_num(jnum(answer, "pages.0.pincount_delta"), pins);
	check_num(jnum(answer, "pages.0.after.page.refcount"), 1 + references);
	/* Without hold nothing is left when the answer comes. */
	check(!jbool(answer, "held"));
	check_num(jnum(walk(page), "page.refcount"), 1);
}

static void deltas(void)
{
	check_deltas("op=follow_pfn", 0, 0);
	check_deltas("op=handle_mm_fault", 0, 0);
	check_deltas("op=handle_mm_fault flags=write", 0, 0);
	check_deltas("op=get_user_pages", 1, 0);
	check_deltas("op=get_user_pages flags=write", 1, 0);
	check_deltas("op=get_user_pages_remote flags=write", 1, 0);
	check_deltas("op=pin_user_pages", PIN_BIAS, 1);
	check_deltas("op=pin_user_pages flags=write", PIN_BIAS, 1);
	check_deltas("op=pin_user_pages flags=write,longterm", PIN_BIAS, 1);
	check_deltas("op=fixup_user_fault flags=write", 0, 0);
	check_deltas("op=get_user_pages_unlocked flags=write", 1, 0);
	check_deltas("op=get_user_pages_fast flags=write", 1, 0);
	check_deltas("op=get_user_pages_fast_only flags=write", 1, 0);
	check_deltas("op=pin_user_pages_remote flags=write,longterm", PIN_BIAS, 1);
	check_deltas("op=pin_user_pages_unlocked flags=write", PIN_BIAS, 1);
	check_deltas("op=pin_user_pages_fast flags=write,longterm", PIN_BIAS, 1);
}

static void check_counts(char *page, long long refcount, long long pincount)
{
	struct json_object *snap = walk(page);

	check_num(jnum(snap, "page.refcount"), refcount);
	check_num(jnum(snap, "page.pincount"), pincount);
}

/* Pages belong to the descriptor that asked for them, and go with it. */
static void hold(void)
{
	char *page = quiet_page();
	int first = run_open(), second = run_open();

	check_num(version_number("pins_held"), 0);
	check(jbool(record_on(first, "op=pin_user_pages addr=%p flags=write hold", page), "held"));
	check_counts(page, 1 + PIN_BIAS, 1);
	check(jbool(record_on(first, "op=pin_user_pages addr=%p hold", page), "held"));
	check_counts(page, 1 + 2 * PIN_BIAS, 2);
	check(jbool(record_on(second, "op=get_user_pages addr=%p hold", page), "held"));
	check_counts(page, 2 + 2 * PIN_BIAS, 2);
	check_num(version_number("pins_held"), 3);
	/* Neither another request nor a refused one gives anything back. */
	record_on(first, "op=walk addr=%p", page);
	check_num(ask(first, "op=nonsense").error, 22);
	check_counts(page, 2 + 2 * PIN_BIAS, 2);
	close(first);
	check_counts(page, 2, 0);
	check_num(version_number("pins_held"), 1);
	close(second);
	check_counts(page, 1, 0);
	check_num(version_number("pins_held"), 0);
}

/* A copied descriptor keeps them. */
static void hold_dup(void)
{
	char *page = quiet_page();
	int fd = run_open(), copy;

	record_on(fd, "op=pin_user_pages addr=%p flags=write hold", page);
	copy = dup(fd);
	close(fd);
	check_counts(page, 1 + PIN_BIAS, 1);
	close(copy);
	check_counts(page, 1, 0);
}

/* Asked for more than there is: only what was obtained counts as held. */
static void hold_partial(void)
{
	char *pages = map_anon(4 * PAGE, true);
	struct json_object *answer;
	int fd = run_open();

	must(!munmap(pages + 2 * PAGE, 2 * PAGE));
	drain();
	answer = record_on(fd, "op=pin_user_pages addr=%p nr_pages=4 hold", pages);
	check_num(jnum(answer, "ret"), 2);
	check(jbool(answer, "held"));
	check_num(version_number("pins_held"), 2);
	check_counts(pages + PAGE, 1 + PIN_BIAS, 1);
	answer = record_on(fd, "op=pin_user_pages addr=%p nr_pages=1 flags=write hold", pages);
	check_num(version_number("pins_held"), 3);
	close(fd);
	check_counts(pages, 1, 0);
	check_num(version_number("pins_held"), 0);
}

/* A failed call holds nothing. */
static void hold_nothing(void)
{
	char *page = map(PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int fd = run_open();
	struct json_object *answer = record_on(fd, "op=pin_user_pages addr=%p hold", page);

	check_str(jstr(answer, "errno"), "EFAULT");
	check(!jbool(answer, "held"));
	check_num(version_number("pins_held"), 0);
	close(fd);
}

/* The page lives on in the holder's hands when its mapping has gone, and what is in it. */
static void held_page_outlives_mapping(void)
{
	char *page = quiet_page();
	int fd = run_open();
	long long pfn = jnum(record_on(fd, "op=pin_user_pages addr=%p flags=write hold", page),
			     "pages.0.pfn");

	must(!madvise(page, PAGE, MADV_DONTNEED));
	check_str(jstr(walk(page), "state"), "none");
	page[0] = 'n';
	check(jnum(walk(page), "pfn") != pfn);
	check(!kpf(kpageflags(pfn), KPF_NOPAGE));
	close(fd);
}

static void huge_counts(char *page, size_t pages, size_t size)
{
	struct json_object *answer;
	long long refcount;
	int fd = run_open();

	drain();
	refcount = jnum(walk(page), "page.refcount");
	answer = record_on(fd, "op=pin_user_pages addr=%p nr_pages=%zu flags=write hold", page,
			   pages);
	check_num(jnum(answer, "ret"), pages);
	check(jbool(answer, "pages.0.after.page.pincount_exact"));
	check_num(jnum(answer, "pages.0.refcount_delta"), pages);
	check_num(jnum(answer, "pages.0.pincount_delta"), pages);
	check_num(jnum(answer, "pages.-1.pfn"), jnum(answer, "pages.0.pfn") + pages - 1);
	check_counts(page + size - PAGE, refcount + pages, pages);
	close(fd);
	check_counts(page, refcount, 0);
}

static void thp_counts(void)
{
	char *page = map_thp();

	drain();
	check_num(jnum(walk(page), "page.refcount"), 1);
	huge_counts(page, 1, pmd_size());
	huge_counts(page, version_number("pages_max"), pmd_size());
	huge_counts(page + 7 * PAGE, 3, pmd_size() - 7 * PAGE);
}

static void hugetlb_counts(void)
{
	char *page = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[0] = 1;
	huge_counts(page, 1, pmd_size());
	huge_counts(page, 100, pmd_size());
}

/*
 * Since c8070b787519 ("mm: Don't pin ZERO_PAGE in pin_user_pages()") (in v6.5, and in 6.1's stable
 * releases) the page of zeros cannot be pinned: nothing is counted.
 */
static void zero_counts(void)
{
	char *page = map_anon(PAGE, false);
	struct json_object *answer;
	bool counted = !kernel_since(6, 1);

	must(*(volatile char *)page == 0);
	answer = call(page, "op=pin_user_pages");
	check(jbool(answer, "pages.0.after.page.zero"));
	check_num(jnum(answer, "pages.0.refcount_delta"), counted ? PIN_BIAS : 0);
	check_num(jnum(answer, "pages.0.pincount_delta"), counted);
	check_str(jstr(answer, "pages.0.cause"), "unchanged");
}

/* ---- sharing ---- */

static char *family_page;

static void check_sharing(char *page, long long mapcount, bool exclusive)
{
	struct json_object *snap = walk(page);

	check_num(jnum(snap, "page.mapcount"), mapcount);
	check_num(anon_exclusive(snap), exclusive && has_anon_exclusive());
}

static void forked(void)
{
	struct json_object *answer;
	long long pfn;
	pid_t pid;

	family_page = map_anon(PAGE, true);
	pfn = jnum(walk(family_page), "pfn");
	check_sharing(family_page, 1, true);
	pid = spawn(NULL, NULL);
	check_sharing(family_page, 2, false);
	check(!jhas(walk(family_page), "rights", "write"));
	check_num(jnum(walk_of(pid, family_page), "pfn"), pfn);

	/*
	 * A reference for reading leaves all as it is; a pin for reading needs a page of our own.
	 */
	answer = call(family_page, "op=get_user_pages");
	check_str(jstr(answer, "pages.0.cause"), "unchanged");
	answer = call(family_page, "op=pin_user_pages");
	if (!unshares_for_pin()) {
		check_str(jstr(answer, "pages.0.cause"), "unchanged");
		kill_and_reap(pid);
		return;
	}
	check_str(jstr(answer, "pages.0.cause"), "unshare");
	check(jnum(answer, "pages.0.after.pfn") != pfn);
	check(jnull(answer, "pages.0.refcount_delta"));
	check_sharing(family_page, 1, true);
	check_num(jnum(walk_of(pid, family_page), "pfn"), pfn);
	check_num(jnum(walk_of(pid, family_page), "page.mapcount"), 1);
	kill_and_reap(pid);
}

static void forked_write(void)
{
	struct json_object *answer;
	pid_t pid;

	family_page = map_anon(PAGE, true);
	pid = spawn(NULL, NULL);
	answer = call(family_page, "op=get_user_pages flags=write");
	check_str(jstr(answer, "pages.0.cause"), "cow");
	check_sharing(family_page, 1, true);
	/* The child's page is its own now: a write need not copy it, and it becomes exclusive. */
	answer = record("op=get_user_pages_remote pid=%d addr=%p flags=write", pid, family_page);
	check_num(jnum(answer, "ret"), 1);
	check_num(jnum(answer, "pid"), pid);
	check_num(anon_exclusive(jget(answer, "pages.0.after")), has_anon_exclusive());
	kill_and_reap(pid);
}

/* What is pinned stays with the parent: the child gets its copy at once. */
static void pinned_then_forked(void)
{
	long long pfn;
	pid_t pid;
	int fd;

	family_page = quiet_page();
	fd = run_open();
	pfn = jnum(record_on(fd, "op=pin_user_pages addr=%p flags=write hold", family_page),
		   "pages.0.pfn");
	pid = spawn(NULL, NULL);
	check_num(jnum(walk(family_page), "pfn"), pfn);
	check_sharing(family_page, 1, true);
	check(jnum(walk_of(pid, family_page), "pfn") != pfn);
	/* The child has the descriptor too. */
	close(fd);
	check_counts(family_page, 1 + PIN_BIAS, 1);
	kill_and_reap(pid);
	check_counts(family_page, 1, 0);
}

static void forked_thp(void)
{
	char *page = map_thp();
	pid_t pid = spawn(NULL, NULL);

	check_str(jstr(walk(page + 3 * PAGE), "leaf"), "pmd");
	check_sharing(page + 3 * PAGE, 2, false);
	kill_and_reap(pid);
	check_sharing(page + 3 * PAGE, 1, false);
}

/* ---- causes ---- */

static void check_cause(const void *addr, const char *words, const char *cause)
{
	struct json_object *answer = call(addr, words);

	check_that(!strcmp(jstr(answer, "pages.0.cause"), cause), "%s: expected %s, got %s", words,
		   cause, jstr(answer, "pages.0.cause"));
}

static void causes(void)
{
	char *pages = map_anon(8 * PAGE, false), *target = map_target(1);
	int fd = file_shmem(4 * PAGE);
	char *private = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	char *shared = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);

	check_cause(pages, "op=handle_mm_fault", "zero-mapped");
	check_cause(pages, "op=handle_mm_fault", "unchanged");
	check_cause(pages, "op=handle_mm_fault flags=write", "cow");
	check_cause(pages, "op=handle_mm_fault flags=write", "unchanged");
	check_cause(pages + PAGE, "op=handle_mm_fault flags=write", "anon-allocated");
	check_cause(pages + 2 * PAGE, "op=get_user_pages", "zero-mapped");
	check_cause(pages + 2 * PAGE, "op=pin_user_pages flags=write", "cow");
	check_cause(pages + 3 * PAGE, "op=pin_user_pages flags=write", "anon-allocated");
	check_cause(pages + 4 * PAGE, "op=follow_pfn", "unchanged");
	check_cause(shared, "op=get_user_pages", "file-mapped");
	/* A read maps the file's next pages too. */
	check_cause(private + 2 * PAGE, "op=get_user_pages flags=write", "anon-allocated");
	check_cause(private + PAGE, "op=get_user_pages", "file-mapped");
	check_cause(private + PAGE, "op=get_user_pages flags=write", "cow");
	must(!target_zap(target, PAGE));
	check_cause(target, "op=handle_mm_fault", "pfn-mapped");
}

/* The fault gets as far as a table, and then finds that it would have to wait for the monitor. */
static void cause_table(void)
{
	char *hole = reserve(pmd_size());

	must(!mprotect(hole, pmd_size(), PROT_READ | PROT_WRITE));
	no_huge_pages(hole, pmd_size());
	uffd_register(hole, pmd_size(), UFFDIO_REGISTER_MODE_MISSING);
	check_cause(hole, "op=handle_mm_fault", "table-allocated");
	check_cause(hole, "op=handle_mm_fault", "unchanged");
}

static void causes_huge(void)
{
	char *thp = reserve(pmd_size());
	char *huge = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	must(!mprotect(thp, pmd_size(), PROT_READ | PROT_WRITE));
	must(!madvise(thp, pmd_size(), MADV_HUGEPAGE));
	check_cause(thp + 5 * PAGE, "op=get_user_pages flags=write", "thp-mapped");
	check_cause(huge + 5 * PAGE, "op=get_user_pages flags=write", "hugetlb-mapped");
}

/* ---- peek and poke ---- */

static void peek_and_poke(void)
{
	char *page = map_anon(2 * PAGE, true);
	struct json_object *answer;

	strcpy(page + 1000, "krishna");
	answer = record("op=get_user_pages_remote addr=%p flags=write peek=7 poke=Mohan",
			page + 1000);
	check_str(jstr(answer, "peek"), "krishna");
	check_str(page + 1000, "Mohanna");
	answer = record("op=get_user_pages addr=%p peek=%zu", page, PAGE);
	check_num(json_object_get_string_len(jget(answer, "peek")), PAGE);
	answer = record("op=pin_user_pages addr=%p flags=write poke=Z", page + 2 * PAGE - 1);
	check_num(page[2 * PAGE - 1], 'Z');
	check(jnull(answer, "peek"));
	/* Only the first page. */
	check_num(page[PAGE], 'a');
	/* What is not obtained is not touched. */
	must(!mprotect(page, PAGE, PROT_READ));
	answer = record("op=get_user_pages addr=%p flags=write poke=no peek=2", page);
	check_str(jstr(answer, "errno"), "EFAULT");
	check(jnull(answer, "peek"));
	check_num(page[0], 'a');
}

/* Every byte comes back as one character. */
static void peek_bytes(void)
{
	unsigned char *page = (unsigned char *)map_anon(PAGE, true);
	const unsigned char *text;
	struct json_object *answer;
	int i;

	for (i = 0; i < 256; i++)
		page[i] = i;
	answer = record("op=get_user_pages addr=%p peek=256", page);
	text = (const unsigned char *)json_object_get_string(jget(answer, "peek"));
	check_num(json_object_get_string_len(jget(answer, "peek")), 128 + 2 * 128);
	for (i = 0; i < 128; i++)
		check_num(text[i], i);
	for (i = 128; i < 256; i++) {
		check_num(text[128 + 2 * (i - 128)], 0xc0 | i >> 6);
		check_num(text[129 + 2 * (i - 128)], 0x80 | (i & 0x3f));
	}
}

/* ---- the record itself ---- */

static void header(void)
{
	char *page = map_anon(PAGE, true);
	struct timespec now;
	struct json_object *answer;
	uint64_t before, after;

	clock_gettime(CLOCK_MONOTONIC, &now);
	before = now.tv_sec * 1000000000ULL + now.tv_nsec;
	answer = record("run=0123456789012345678901234567890 op=get_user_pages flags=write,force "
			"addr=%p", page + 3);
	clock_gettime(CLOCK_MONOTONIC, &now);
	after = now.tv_sec * 1000000000ULL + now.tv_nsec;
	check_that((uint64_t)jnum(answer, "time_ns") >= before &&
		   (uint64_t)jnum(answer, "time_ns") + jnum(answer, "duration_ns") <= after,
		   "time %lld + %lld is not between %llu and %llu", jnum(answer, "time_ns"),
		   jnum(answer, "duration_ns"), (unsigned long long)before,
		   (unsigned long long)after);
	check(jnum(answer, "duration_ns") > 0);
	/* Each clock of the two is read before and after what it times. */
	check_that(jnum(answer, "total_ns") > jnum(answer, "duration_ns") &&
		   (uint64_t)jnum(answer, "total_ns") <= after - before,
		   "%lld of %lld in %llu", jnum(answer, "duration_ns"), jnum(answer, "total_ns"),
		   (unsigned long long)(after - before));
	check_str(jstr(answer, "run"), "0123456789012345678901234567890");
	check_str(jstr(answer, "source"), "request");
	check_str(jstr(answer, "op"), "get_user_pages");
	check_str(jstr(answer, "impl"), "get_user_pages");
	check_num(jnum(answer, "pid"), getpid());
	check_num(jnum(answer, "tgid"), getpid());
	check_str(jstr(answer, "comm"), "gupwalk-test");
	check_hex(jhex(answer, "addr"), (uintptr_t)page + 3);
	check_num(jlen(answer, "flags"), 2);
	check(jhas(answer, "flags", "write") && jhas(answer, "flags", "force"));
	check(jnull(answer, "fault") && jnull(answer, "stack") && jnull(answer, "driver"));
	answer = record("op=handle_mm_fault addr=%p", page);
	check(jnull(answer, "run"));
	check_num(jlen(answer, "fault"), 0);
}

/* Names that /proc/PID/smaps abbreviates. */
static const struct {
	const char *abbreviation;
	const char *name;
} vma_flags[] = {
	{ "rd", "read" }, { "wr", "write" }, { "ex", "exec" }, { "sh", "shared" },
	{ "mr", "mayread" }, { "mw", "maywrite" }, { "me", "mayexec" }, { "ms", "mayshare" },
	{ "gd", "growsdown" },
	{ "pf", "pfnmap" }, { "io", "io" }, { "lo", "locked" }, { "sr", "seq_read" },
	{ "rr", "rand_read" }, { "dc", "dontcopy" }, { "de", "dontexpand" }, { "ac", "account" },
	{ "nr", "noreserve" }, { "ht", "hugetlb" }, { "wf", "wipeonfork" }, { "dd", "dontdump" },
	{ "sd", "softdirty" }, { "mm", "mixedmap" }, { "hg", "hugepage" }, { "nh", "nohugepage" },
	{ "mg", "mergeable" }, { "um", "uffd_missing" }, { "uw", "uffd_wp" },
};

/* Every VMA of this process, against smaps. */
static void vmas(void)
{
	char *text, *rest, *line, *special[5];
	struct json_object *answer = NULL;
	unsigned int seen = 0;
	size_t i;

	special[0] = map_target(2);
	special[1] = map_anon(2 * PAGE, true);
	special[2] = map(3 * PAGE, PROT_READ, MAP_SHARED, file_shmem(3 * PAGE));
	special[3] = map_anon(2 * PAGE, true);
	special[4] = map_anon(2 * PAGE, true);
	must(!madvise(special[1], 2 * PAGE, MADV_DONTFORK) && !mlock(special[3], PAGE));
	must(!madvise(special[3], PAGE, MADV_SEQUENTIAL));
	must(!madvise(special[4], 2 * PAGE, MADV_MERGEABLE));
	must(!munmap(special[2], PAGE));
	text = read_file("/proc/self/smaps", NULL);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		unsigned long start, end, offset;
		int path = 0;

		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %n", &start, &end, &offset, &path) == 3) {
			if (start > 1UL << 56)
				break;
			answer = record("op=walk addr=0x%lx nokeep", start);
			/* The heap may have grown meanwhile, for json-c. */
			if (strstr(line, "[heap]") || jhex(answer, "vma.end") != end)
				answer = NULL;
			if (!answer)
				continue;
			check_hex(jhex(answer, "vma.start"), start);
			if (!jnull(answer, "vma.file")) {
				check_num(jnum(answer, "vma.pgoff"), offset / PAGE);
				check(!strncmp(line + path, jstr(answer, "vma.file"),
					       strcspn(line + path, " ")));
			}
		} else if (answer && !strncmp(line, "VmFlags:", 8)) {
			for (i = 0; i < NR_OF(vma_flags); i++)
				check_that(jhas(answer, "vma.flags", vma_flags[i].name) ==
					   !!strstr(line + 8, vma_flags[i].abbreviation),
					   "flag %s of %s: smaps says %s", vma_flags[i].name,
					   json_object_to_json_string(jget(answer, "vma")), line);
			seen++;
		}
	}
	check(seen > 10);
}

/* ---- the kept records ---- */

static char *last_line(char *text)
{
	char *end = text + strlen(text), *start;

	check(end > text && end[-1] == '\n');
	for (start = end - 1; start > text && start[-1] != '\n'; start--)
		;
	return start;
}

static void kept(void)
{
	char *page = map_anon(PAGE, true);
	struct answer answer;
	long long kept, seq;
	int fd = run_open();

	write_file(module_file("clear"), "1");
	check_num(version_number("records_kept"), 0);
	check_num(strlen(read_file(module_file("records.jsonl"), NULL)), 0);
	answer = ask(fd, "op=get_user_pages addr=%p", page);
	check_num(answer.error, 0);
	seq = jnum(answer.json, "seq");
	check_num(version_number("records_kept"), 1);
	/* The very bytes. */
	check_str(last_line(read_file(module_file("records.jsonl"), NULL)), answer.text);
	kept = version_number("records_kept");
	record("op=walk addr=%p nokeep", page);
	check_num(version_number("records_kept"), kept);
	check(jnum(record("op=walk addr=%p", page), "seq") > seq);
	check_num(version_number("records_kept"), kept + 1);
	write_file(module_file("clear"), "anything at all");
	check_num(version_number("records_kept"), 0);
	check_num(strlen(read_file(module_file("records"), NULL)), 0);
	/* What a descriptor answers is its own. */
	check_that(lseek(fd, 0, SEEK_SET) == 0 && read(fd, answer.text, answer.length) > 0,
		   "the answer is gone with the kept records");
}

/* The text has what the JSON has: every entry and every value. */
static void text(void)
{
	char *page = map_anon(PAGE, false), *printed;
	struct json_object *answer, *levels;
	size_t i;

	write_file(module_file("clear"), "1");
	answer = record("op=handle_mm_fault flags=write addr=%p run=printed", page + 0x123);
	printed = read_file(module_file("records"), NULL);
	levels = jget(answer, "pages.0.after.levels");
	check_num(json_object_array_length(levels), 5);
	for (i = 0; i < 5; i++) {
		struct json_object *level = json_object_array_get_idx(levels, i);

		check_that(strstr(printed, jstr(level, "name")), "no %s in %s", jstr(level, "name"),
			   printed);
		/* Of hex numbers the digits: the text may pad them. */
		check_that(strstr(printed, jstr(level, "value") + 2), "no value %s in %s",
			   jstr(level, "value"), printed);
		check_that(strstr(printed, jstr(level, "entry") + 2), "no entry %s in %s",
			   jstr(level, "entry"), printed);
	}
	check(strstr(printed, jstr(answer, "pages.0.after.pa") + 2));
	check(strstr(printed, "handle_mm_fault") && strstr(printed, "printed") &&
	      strstr(printed, "anon-allocated"));
}

/* As many pages as one request may name. */
static void most_pages(void)
{
	long long most = version_number("pages_max");
	char *pages = map_anon(most * PAGE, false);
	struct json_object *answer;

	answer = record("op=get_user_pages addr=%p nr_pages=%lld flags=write", pages, most);
	check_num(jnum(answer, "ret"), most);
	check_num(jlen(answer, "pages"), most);
	check_str(jstr(answer, "pages.-1.cause"), "anon-allocated");
	check_num(jnum(answer, "pages.-1.pfn"), jnum(walk(pages + (most - 1) * PAGE), "pfn"));
}

const struct test tests_facts[] = {
	{ "facts/deltas", deltas },
	{ "facts/hold", hold },
	{ "facts/hold-dup", hold_dup },
	{ "facts/hold-partial", hold_partial },
	{ "facts/hold-nothing", hold_nothing },
	{ "facts/held-page-outlives-mapping", held_page_outlives_mapping },
	{ "facts/thp-counts", thp_counts, NEED_THP },
	{ "facts/hugetlb-counts", hugetlb_counts, NEED_HUGETLB_2M },
	{ "facts/zero-counts", zero_counts },
	{ "facts/forked", forked },
	{ "facts/forked-write", forked_write },
	{ "facts/pinned-then-forked", pinned_then_forked },
	{ "facts/forked-thp", forked_thp, NEED_THP },
	{ "facts/causes", causes },
	{ "facts/cause-table", cause_table, NEED_UFFD },
	{ "facts/causes-huge", causes_huge, NEED_THP | NEED_HUGETLB_2M },
	{ "facts/peek-and-poke", peek_and_poke },
	{ "facts/peek-bytes", peek_bytes },
	{ "facts/header", header },
	{ "facts/vmas", vmas },
	{ "facts/kept", kept },
	{ "facts/text", text },
	{ "facts/most-pages", most_pages },
	{ }
};
