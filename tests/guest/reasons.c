// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which call fails on which memory, with which errno, and by which rule.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"

#define GUP "op=get_user_pages "
#define REMOTE "op=get_user_pages_remote "
#define PIN "op=pin_user_pages "
#define PIN_REMOTE "op=pin_user_pages_remote "
#define GUP_FAST "op=get_user_pages_fast "
#define FOLLOW "op=follow_pfn "
#define FAULT "op=handle_mm_fault "
#define WRITE "flags=write "
#define FORCE "flags=force "
#define WRITE_FORCE "flags=write,force "
#define LONGTERM "flags=longterm "
#define WRITE_LONGTERM "flags=write,longterm "

/*
 * Every call that takes references, each with the flags in @words: the rules are the same for all
 * of them.
 */
static const char *const gup_ops[] = {
	GUP, REMOTE, PIN, PIN_REMOTE, "op=get_user_pages_unlocked ", "op=pin_user_pages_unlocked ",
	GUP_FAST, "op=pin_user_pages_fast ",
};

/* Those of them, the first ones, that keep the mmap lock: the others would wait for a monitor. */
#define NR_KEEPING 4
/* Those that look at the VMA before they look at the page. */
#define NR_SLOW 6

struct outcome_of {
	const char *words;
	long ret;
	const char *error;
	const char *reason;
};

static void expect_one(const void *addr, const char *op, const struct outcome_of *want)
{
	struct json_object *answer = record("%s%s addr=%p", op, want->words, addr);
	const char *error = jstr(answer, "errno"), *reason = jstr(answer, "reason");

	check_that(jnum(answer, "ret") == want->ret && !error == !want->error &&
		   (!error || !strcmp(error, want->error)) && !reason == !want->reason &&
		   (!reason || !strcmp(reason, want->reason)),
		   "%s%s: expected %ld %s %s, got %lld %s %s", op, want->words, want->ret,
		   want->error ? want->error : "-", want->reason ? want->reason : "-",
		   jnum(answer, "ret"), error ? error : "-", reason ? reason : "-");
	check_num(jnull(answer, "reason"), jnull(answer, "reason_text"));
	/* What failed at its first page has changed nothing, or only made tables on the way. */
	if (want->ret < 0)
		check(!strcmp(jstr(answer, "pages.0.cause"), "unchanged") ||
		      !strcmp(jstr(answer, "pages.0.cause"), "table-allocated"));
}

/* @words without an op: for all calls that take references, or the first @nr_ops of them. */
static void expect(const void *addr, size_t nr_ops, const struct outcome_of *wants)
{
	size_t i;

	for (; wants->words; wants++)
		if (strstr(wants->words, "op="))
			expect_one(addr, "", wants);
		else
			for (i = 0; i < nr_ops; i++)
				expect_one(addr, gup_ops[i], wants);
}

#define EXPECT(addr, ...) \
	expect(addr, NR_OF(gup_ops), (const struct outcome_of[]){ __VA_ARGS__, { } })
#define EXPECT_SLOW(addr, ...) \
	expect(addr, NR_SLOW, (const struct outcome_of[]){ __VA_ARGS__, { } })
#define EXPECT_KEEPING(addr, ...) \
	expect(addr, NR_KEEPING, (const struct outcome_of[]){ __VA_ARGS__, { } })

#define EFAULT_BY(rule) -14, "EFAULT", rule
#define EINVAL_BY(rule) -22, "EINVAL", rule
#define WORKS 1, NULL, NULL

static void anon(void)
{
	EXPECT(map_anon(PAGE, true),
	       { "", WORKS }, { WRITE, WORKS }, { WRITE_FORCE, WORKS }, { PIN LONGTERM, WORKS },
	       { PIN WRITE_LONGTERM, WORKS }, { FOLLOW, EINVAL_BY("vma-not-pfnmap") },
	       { FAULT, 0, NULL, NULL }, { FAULT WRITE, 0, NULL, NULL });
	/* The same of a page that is not there: that says nothing about it. */
	EXPECT(map_anon(PAGE, false), { FOLLOW, EINVAL_BY("vma-not-pfnmap") }, { "", WORKS });
}

static void prot_none(void)
{
	char *page = map_anon(PAGE, true);

	must(!mprotect(page, PAGE, PROT_NONE));
	EXPECT(page,
	       { "", EFAULT_BY("vma-prot-none") }, { WRITE, EFAULT_BY("vma-prot-none") },
	       { PIN LONGTERM, EFAULT_BY("vma-prot-none") },
	       { FORCE, WORKS }, { WRITE_FORCE, WORKS }, { FOLLOW, EINVAL_BY("vma-not-pfnmap") });
	page = map(PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	EXPECT(page, { "", EFAULT_BY("vma-prot-none") }, { FORCE, WORKS }, { WRITE_FORCE, WORKS });
}

static void prot_none_thp(void)
{
	char *page = map_thp();

	must(!mprotect(page, pmd_size(), PROT_NONE));
	EXPECT(page + 7 * PAGE, { "", EFAULT_BY("vma-prot-none") }, { FORCE, WORKS });
}

static void read_only(void)
{
	char *page = map_anon(PAGE, true);

	must(!mprotect(page, PAGE, PROT_READ));
	EXPECT(page, { "", WORKS }, { WRITE, EFAULT_BY("vma-not-writable") },
	       { WRITE_FORCE, WORKS });
	/* A private mapping of a file is copied. */
	page = map(PAGE, PROT_READ, MAP_PRIVATE, file_shmem(PAGE));
	EXPECT(page, { "", WORKS }, { WRITE, EFAULT_BY("vma-not-writable") },
	       { WRITE_FORCE, WORKS });
	check(jbool(walk(page), "page.anon"));
}

static void read_only_shared(void)
{
	int fd = file_shmem(PAGE), read_only;
	char *page = map(PAGE, PROT_READ, MAP_SHARED, fd), path[32];

	EXPECT(page, { "", WORKS }, { WRITE, EFAULT_BY("vma-not-writable") },
	       { WRITE_FORCE, EFAULT_BY("force-needs-cow") });
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	must(read_only >= 0);
	EXPECT(map(PAGE, PROT_READ, MAP_SHARED, read_only),
	       { "", WORKS }, { WRITE, EFAULT_BY("vma-not-writable") },
	       { WRITE_FORCE, EFAULT_BY("force-needs-cow") });
}

/*
 * From f347454d0341 ("mm/gup: disallow FOLL_FORCE|FOLL_WRITE on hugetlb mappings") (in v6.2, and in
 * 6.1's stable releases) until it was taken back (between 6.12 and 7.2).
 */
static bool hugetlb_refuses_force(void)
{
	return kernel_since(6, 1) && !kernel_since(6, 14);
}

static void read_only_hugetlb(void)
{
	char *page = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE);

	page[0] = 1;
	must(!mprotect(page, pmd_size(), PROT_READ));
	EXPECT(page, { "", WORKS }, { WRITE, EFAULT_BY("vma-not-writable") });
	if (hugetlb_refuses_force())
		EXPECT(page, { WRITE_FORCE, EFAULT_BY("force-needs-cow") });
	else
		EXPECT(page, { WRITE_FORCE, WORKS });
}

static void write_only(void)
{
	char *page = map_anon(PAGE, true);

	must(!mprotect(page, PAGE, PROT_WRITE));
	EXPECT_SLOW(page, { "", EFAULT_BY("vma-not-readable") });
	EXPECT(page, { WRITE, WORKS }, { FORCE, WORKS });
	/* The entry allows reading where it allows writing, and the fast way asks nothing else. */
	EXPECT(page, { GUP_FAST, WORKS });
	must(!mprotect(page, PAGE, PROT_EXEC));
	/*
	 * No force here: on CPUs with protection keys they stand behind this one, and the force
	 * is not for them.
	 */
	EXPECT_SLOW(page, { "", EFAULT_BY("vma-not-readable") });
	EXPECT(page, { WRITE, EFAULT_BY("vma-not-writable") });
}

static void pfnmap(void)
{
	char *pages = map_target(2);

	EXPECT(pages + 5,
	       { "", EFAULT_BY("vma-io-pfnmap") }, { WRITE, EFAULT_BY("vma-io-pfnmap") },
	       { FORCE, EFAULT_BY("vma-io-pfnmap") }, { WRITE_FORCE, EFAULT_BY("vma-io-pfnmap") },
	       { PIN LONGTERM, EFAULT_BY("vma-io-pfnmap") }, { FOLLOW, 0, NULL, NULL },
	       { FAULT, 0, NULL, NULL });
	must(!target_zap(pages, 2 * PAGE));
	EXPECT(pages,
	       { FOLLOW, EINVAL_BY("pfnmap-not-populated") }, { "", EFAULT_BY("vma-io-pfnmap") });
	check_str(jstr(call(pages, FAULT), "pages.0.cause"), "pfn-mapped");
	EXPECT(pages, { FOLLOW, 0, NULL, NULL });
	EXPECT(pages + PAGE, { FOLLOW, EINVAL_BY("pfnmap-not-populated") });
	/* One that allows nothing: GUP looks at VM_IO first. */
	must(!mprotect(pages, PAGE, PROT_NONE));
	EXPECT(pages, { "", EFAULT_BY("vma-io-pfnmap") });
}

static void beyond_file_end(void)
{
	int fd = file_shmem(2 * PAGE);
	char *pages = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);

	EXPECT(pages + 2 * PAGE,
	       { "", EFAULT_BY("beyond-file-end") }, { WRITE, EFAULT_BY("beyond-file-end") },
	       { FAULT, 2, "EFAULT", "beyond-file-end" }, { FOLLOW, EINVAL_BY("vma-not-pfnmap") });
	check(jhas(record(FAULT "addr=%p", pages + 3 * PAGE), "fault", "VM_FAULT_SIGBUS"));
	EXPECT(pages, { "nr_pages=4", 2, NULL, "beyond-file-end" });
}

static void beyond_ext4_end(void)
{
	char *pages = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_ext4(PAGE + 1));

	/* The rest of the last page is there, and zero. */
	EXPECT(pages + PAGE, { "", WORKS });
	EXPECT(pages + 2 * PAGE, { "", EFAULT_BY("beyond-file-end") },
	       { FAULT WRITE, 2, "EFAULT", "beyond-file-end" });
	EXPECT(pages + PAGE, { "nr_pages=3", 1, NULL, "beyond-file-end" });
}

/*
 * Refused since 8ac268436e6d ("mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to file-backed
 * mappings") (in v6.5), as the filesystem would not learn of the writes.
 */
static void longterm_file(void)
{
	char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_ext4(PAGE));

	EXPECT(shared, { "", WORKS }, { WRITE, WORKS }, { PIN LONGTERM, WORKS });
	if (kernel_since(6, 5))
		EXPECT(shared, { PIN WRITE_LONGTERM, EFAULT_BY("longterm-file-write") });
	else
		EXPECT(shared, { PIN WRITE_LONGTERM, WORKS });
	EXPECT(map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_shmem(PAGE)),
	       { PIN WRITE_LONGTERM, WORKS });
}

/* A call gets as far as it can, and the rule of the page where it stopped is the reason. */
static void partial(void)
{
	char *pages = map_anon(6 * PAGE, true);

	must(!munmap(pages + 4 * PAGE, PAGE));
	EXPECT(pages, { "nr_pages=6", 4, NULL, "no-vma" }, { "nr_pages=4", 4, NULL, NULL });
	must(!mprotect(pages + 2 * PAGE, PAGE, PROT_READ));
	EXPECT(pages, { WRITE "nr_pages=6", 2, NULL, "vma-not-writable" },
	       { "nr_pages=6", 4, NULL, "no-vma" });
	must(!mprotect(pages + PAGE, PAGE, PROT_NONE));
	EXPECT(pages, { "nr_pages=6", 1, NULL, "vma-prot-none" },
	       { FORCE "nr_pages=6", 4, NULL, "no-vma" });
	/* Not from an address in the middle of a page either. */
	EXPECT(pages + 3 * PAGE + 99, { "nr_pages=2", 1, NULL, "no-vma" });
}

static void hwpoison(void)
{
	char *pages = map_anon(2 * PAGE, true);

	poison(pages + PAGE, PAGE);
	EXPECT(pages + PAGE,
	       { "", EFAULT_BY("hwpoison") }, { WRITE, EFAULT_BY("hwpoison") },
	       { FAULT, 16, "EHWPOISON", "hwpoison" });
	check(jhas(record(FAULT "addr=%p", pages + PAGE), "fault", "VM_FAULT_HWPOISON"));
	EXPECT(pages, { "nr_pages=2", 1, NULL, "hwpoison" });
}

/* Marked as broken by userfaultfd. */
static void uffd_poisoned(void)
{
	char *pages = map_anon(2 * PAGE, false);
	int uffd = uffd_register(pages, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);

	pages = pages + PAGE;
	uffd_poison(uffd, pages, PAGE);
	EXPECT(pages, { "", EFAULT_BY("hwpoison") }, { WRITE, EFAULT_BY("hwpoison") },
	       { FAULT, 16, "EHWPOISON", "hwpoison" });
}

static void userfaultfd(void)
{
	char *pages = map_anon(2 * PAGE, false);
	int uffd;

	pages[0] = 1;
	uffd = uffd_register(pages, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	EXPECT(pages, { "", WORKS });
	EXPECT_KEEPING(pages + PAGE,
		       { "", EFAULT_BY("userfaultfd") }, { WRITE, EFAULT_BY("userfaultfd") },
		       { FAULT, 2, "EFAULT", "userfaultfd" });
	EXPECT_KEEPING(pages, { "nr_pages=2", 1, NULL, "userfaultfd" });
	close(uffd);
	EXPECT(pages + PAGE, { "", WORKS });
}

static void guard(void)
{
	char *pages = map_anon(3 * PAGE, true);

	must(!madvise(pages + PAGE, PAGE, MADV_GUARD_INSTALL));
	EXPECT(pages + PAGE,
	       { "", EFAULT_BY("guard") }, { WRITE, EFAULT_BY("guard") },
	       { WRITE_FORCE, EFAULT_BY("guard") }, { FAULT, 64, "EFAULT", "guard" });
	check(jhas(record(FAULT "addr=%p", pages + PAGE), "fault", "VM_FAULT_SIGSEGV"));
	EXPECT(pages, { "nr_pages=3", 1, NULL, "guard" });
}

static void secretmem(void)
{
	char *page = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_secret(PAGE));
	struct json_object *answer;

	page[0] = 's';
	EXPECT(page,
	       { "", EFAULT_BY("secretmem") }, { WRITE, EFAULT_BY("secretmem") },
	       { FORCE, EFAULT_BY("secretmem") }, { FAULT, 0, NULL, NULL });
	/* The kernel's own mapping of it is gone, so nobody may peek. */
	answer = record(GUP "peek=1 addr=%p", page);
	check(jnull(answer, "peek"));
	check_str(jstr(walk(page), "state"), "present");
}

static char *remote_pages;

static void be_remote(void *arg)
{
	mprotect(remote_pages, PAGE, PROT_NONE);
	mprotect(remote_pages + PAGE, PAGE, PROT_READ);
	munmap(remote_pages + 3 * PAGE, PAGE);
}

/* By the other process's mappings, not by ours. */
static void remote(void)
{
	char words[64];
	pid_t pid;

	remote_pages = map_anon(4 * PAGE, true);
	pid = spawn(be_remote, NULL);
	snprintf(words, sizeof(words), REMOTE "pid=%d ", pid);
	expect_one(remote_pages, words, &(struct outcome_of){ "", EFAULT_BY("vma-prot-none") });
	expect_one(remote_pages, words, &(struct outcome_of){ FORCE, WORKS });
	expect_one(remote_pages + PAGE, words,
		   &(struct outcome_of){ WRITE, EFAULT_BY("vma-not-writable") });
	expect_one(remote_pages + PAGE, words, &(struct outcome_of){ WRITE_FORCE, WORKS });
	expect_one(remote_pages + 2 * PAGE, words,
		   &(struct outcome_of){ "nr_pages=2", 1, NULL, "no-vma" });
	snprintf(words, sizeof(words), FOLLOW "pid=%d ", pid);
	expect_one(remote_pages + 2 * PAGE, words,
		   &(struct outcome_of){ "", EINVAL_BY("vma-not-pfnmap") });
	EXPECT(remote_pages, { WRITE, WORKS });
	kill_and_reap(pid);
}

/*
 * A page that this thread's protection keys close: refused by arch_vma_access_permitted(), which
 * looks at more than the VMA. The entry would let it through, and so would the same call from
 * elsewhere.
 */
static void pkey(void)
{
	char *page = map_anon(PAGE, true);
	int key = syscall(SYS_pkey_alloc, 0, 1 /* PKEY_DISABLE_ACCESS */);
	struct json_object *answer;

	must(key > 0);
	must(!syscall(SYS_pkey_mprotect, page, PAGE, PROT_READ | PROT_WRITE, key));
	answer = record(GUP "addr=%p", page);
	check_num(jnum(answer, "ret"), -14);
	check_str(jstr(answer, "errno"), "EFAULT");
	/* No rule that is known: better none than a wrong one. */
	check(jnull(answer, "reason") || !strcmp(jstr(answer, "reason"), "pkey"));
}

const struct test tests_reasons[] = {
	{ "reasons/anon", anon },
	{ "reasons/prot-none", prot_none },
	{ "reasons/prot-none-thp", prot_none_thp, NEED_THP },
	{ "reasons/read-only", read_only },
	{ "reasons/read-only-shared", read_only_shared },
	{ "reasons/read-only-hugetlb", read_only_hugetlb, NEED_HUGETLB_2M },
	{ "reasons/write-only", write_only },
	{ "reasons/pfnmap", pfnmap },
	{ "reasons/beyond-file-end", beyond_file_end },
	{ "reasons/beyond-ext4-end", beyond_ext4_end, NEED_EXT4 },
	{ "reasons/longterm-file", longterm_file, NEED_EXT4 },
	{ "reasons/partial", partial },
	{ "reasons/hwpoison", hwpoison, NEED_HWPOISON },
	{ "reasons/uffd-poison", uffd_poisoned, NEED_UFFD_POISON },
	{ "reasons/userfaultfd", userfaultfd, NEED_UFFD },
	{ "reasons/guard", guard, NEED_GUARD },
	{ "reasons/secretmem", secretmem, NEED_SECRETMEM },
	{ "reasons/remote", remote },
	{ "reasons/pkey", pkey, NEED_PKEYS },
	{ }
};
