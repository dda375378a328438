// SPDX-License-Identifier: GPL-2.0-only
/* The relatives of get_user_pages: with which lock they are made, and what they refuse to do. */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib.h"

static bool has_locked(void)
{
	/* "mm/gup: remove unused get_user_pages_locked()" (in v5.18) */
	return !kernel_since(5, 18);
}

static void check_lock(const char *words, const char *lock)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer = call(page, words);

	check_str(jstr(answer, "mmap_lock"), lock);
	check(jnull(answer, "errno"));
	check_str(jstr(answer, "pages.0.cause"), "unchanged");
	if (strstr(words, "_user_pages"))
		check_num(jnum(answer, "pages.0.pfn"), jnum(walk(page), "pfn"));
}

static void locks(void)
{
	check_lock("op=handle_mm_fault", "kept");
	check_lock("op=fixup_user_fault", "kept");
	check_lock("op=get_user_pages", "kept");
	check_lock("op=get_user_pages_remote", "kept");
	check_lock("op=pin_user_pages", "kept");
	check_lock("op=pin_user_pages_remote", "kept");
	if (has_locked())
		check_lock("op=get_user_pages_locked", "kept");
	check_lock("op=get_user_pages_unlocked", "not-held");
	check_lock("op=get_user_pages_fast", "not-held");
	check_lock("op=get_user_pages_fast_only", "not-held");
	check_lock("op=pin_user_pages_unlocked", "not-held");
	check_lock("op=pin_user_pages_fast", "not-held");
}

/* A walk makes no call, and so no change: the helper above would ask for too much of it. */
static void walk_lock(void)
{
	char *page = map_anon(PAGE, true);

	check_str(jstr(record("op=walk addr=%p", page), "mmap_lock"), "kept");
}

/* What a kernel does not have is refused, with the reason that `ops` has. */
static void locked_where_it_is(void)
{
	char *page = map_anon(PAGE, true);
	struct answer answer = ask(run_open(), "op=get_user_pages_locked addr=%p", page);

	if (has_locked()) {
		check_num(answer.error, 0);
		check_num(jnum(answer.json, "ret"), 1);
		return;
	}
	check_num(answer.error, EOPNOTSUPP);
	check(strstr(jstr(answer.json, "error"), "5.18"));
	check(strstr(read_file(module_file("ops"), NULL), "\nget_user_pages_locked   unavailable"));
}

/* ---- calls that must not fault ---- */

static void check_short(const char *page, const char *words, long long ret, const char *reason)
{
	struct json_object *answer = call(page, words);

	check_num(jnum(answer, "ret"), ret);
	check_str(jstr(answer, "reason"), reason);
	check(ret < 0 ? !strcmp(jstr(answer, "errno"), "EFAULT") : jnull(answer, "errno"));
	/* It may come as far as a table. */
	check(!strcmp(jstr(answer, "pages.0.cause"), "unchanged") ||
	      !strcmp(jstr(answer, "pages.0.cause"), "table-allocated"));
	check(jnull(answer, "pages.0.pfn"));
}

static void fast_only(void)
{
	char *pages = map_anon(2 * PAGE, false);
	struct json_object *answer;

	pages[0] = 1;
	answer = record("op=get_user_pages_fast_only addr=%p nr_pages=2", pages);
	check_num(jnum(answer, "ret"), 1);
	check_str(jstr(answer, "reason"), "nofault");
	check_num(jnum(answer, "pages.0.pfn"), jnum(walk(pages), "pfn"));
	check(jnull(answer, "pages.1.pfn"));
	check_short(pages + PAGE, "op=get_user_pages_fast_only", 0, "nofault");
	/* It is only told from what is there that this needs a fault. */
	must(!mprotect(pages, PAGE, PROT_READ));
	check_num(jnum(call(pages, "op=get_user_pages_fast_only"), "ret"), 1);
	check_num(jnum(call(pages, "op=get_user_pages_fast_only flags=write"), "ret"), 0);
}

/* "gup: Introduce FOLL_NOFAULT flag to disable page faults" (in v5.16) */
static void nofault(void)
{
	char *page = map_anon(PAGE, false);

	if (!kernel_since(5, 16)) {
		check_num(ask(run_open(), "op=get_user_pages addr=%p flags=nofault", page).error,
			  EINVAL);
		return;
	}
	check_short(page, "op=get_user_pages flags=write,nofault", -14, "nofault");
	check_short(page, "op=get_user_pages_fast flags=write,nofault", -14, "nofault");
	check_short(page, "op=pin_user_pages_unlocked flags=write,nofault", -14, "nofault");
	page[0] = 1;
	check_num(jnum(call(page, "op=get_user_pages flags=write,nofault"), "ret"), 1);
	check_num(jnum(call(page, "op=pin_user_pages_fast flags=write,nofault"), "ret"), 1);
}

/* A page that only a monitor can bring: whoever must not wait for it goes without. */
static void nowait(void)
{
	char *page = map_anon(PAGE, false);
	int uffd = uffd_register(page, PAGE, UFFDIO_REGISTER_MODE_MISSING);

	check_short(page, "op=get_user_pages flags=nowait", 0, "nowait");
	check_short(page, "op=get_user_pages_unlocked flags=nowait", 0, "nowait");
	check_short(page, "op=pin_user_pages_remote flags=nowait", 0, "nowait");
	close(uffd);
	check_num(jnum(call(page, "op=get_user_pages flags=nowait"), "ret"), 1);
}

/* ---- calls that wait ---- */

struct monitor {
	pthread_t thread;
	int fd;
	char *pages;
	unsigned int asked;
};

/* Answers each fault with a page of zeros. */
static void *answer_faults(void *arg)
{
	struct monitor *monitor = arg;
	struct pollfd poll_fd = { .fd = monitor->fd, .events = POLLIN };
	struct uffd_msg message;

	while (poll(&poll_fd, 1, -1) == 1 &&
	       read(monitor->fd, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_zeropage zero = {
			.range = {
				.start = message.arg.pagefault.address & ~(PAGE - 1),
				.len = PAGE,
			},
		};

		/* Not at once: who asked shall sleep. */
		sleep_ms(20);
		monitor->asked++;
		ioctl(monitor->fd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static void check_waits(struct monitor *monitor, unsigned int page, const char *words,
			const char *lock)
{
	struct json_object *answer = call(monitor->pages + page * PAGE, words);
	unsigned int asked = monitor->asked;

	check(jnull(answer, "errno"));
	check_str(jstr(answer, "pages.0.before.state"), "none");
	check_str(jstr(answer, "pages.0.cause"), "zero-mapped");
	check_str(jstr(answer, "mmap_lock"), lock);
	check_num(asked, page + 1);
}

static void monitored(void)
{
	struct monitor monitor = { .pages = map_anon(8 * PAGE, false) };

	no_huge_pages(monitor.pages, 8 * PAGE);
	monitor.fd = uffd_register(monitor.pages, 8 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	must(!pthread_create(&monitor.thread, NULL, answer_faults, &monitor));
	check_waits(&monitor, 0, "op=fixup_user_fault", "dropped");
	check_waits(&monitor, 1, "op=get_user_pages_unlocked", "not-held");
	check_waits(&monitor, 2, "op=get_user_pages_fast", "not-held");
	check_waits(&monitor, 3, "op=pin_user_pages_unlocked", "not-held");
	check_waits(&monitor, 4, "op=pin_user_pages_fast", "not-held");
	if (has_locked())
		check_waits(&monitor, 5, "op=get_user_pages_locked", "dropped");
}

/* ---- faults ---- */

/* "mm: support GUP-triggered unsharing of anonymous pages" (in v5.19) */
static void unshared(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;
	pid_t pid;

	if (!kernel_since(5, 19)) {
		check_num(ask(run_open(), "op=handle_mm_fault addr=%p flags=unshare", page).error,
			  EINVAL);
		return;
	}
	pid = spawn(NULL, NULL);
	check_num(ask(run_open(), "op=handle_mm_fault addr=%p flags=write,unshare", page).error,
		  EINVAL);
	check_num(jnum(walk(page), "page.mapcount"), 2);
	answer = call(page, "op=handle_mm_fault flags=unshare");
	check_str(jstr(answer, "pages.0.cause"), "unshare");
	check_num(jnum(walk(page), "page.mapcount"), 1);
	check(!jhas(walk(page), "rights", "write"));
	kill_and_reap(pid);
}

/* It looks at the rights of the VMA, where handle_mm_fault leaves that to its callers. */
static void fixup_rights(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;

	check_num(jnum(call(page, "op=fixup_user_fault flags=write"), "ret"), 0);
	must(!mprotect(page, PAGE, PROT_READ));
	check_num(jnum(call(page, "op=fixup_user_fault"), "ret"), 0);
	answer = call(page, "op=fixup_user_fault flags=write");
	check_num(jnum(answer, "ret"), -14);
	check_str(jstr(answer, "reason"), "vma-not-writable");
	check(jnull(answer, "fault"));
	must(!mprotect(page, PAGE, PROT_NONE));
	check_str(jstr(call(page, "op=fixup_user_fault"), "reason"), "vma-prot-none");
}

static char *remote_page;

static void touch_remote(void *arg)
{
	remote_page[0] = 'r';
}

/* Of another process: what is unlocked or fast is for one's own memory. */
static void remote(void)
{
	static const char *const own[] = { "get_user_pages_unlocked", "get_user_pages_fast",
		"get_user_pages_fast_only", "pin_user_pages_unlocked", "pin_user_pages_fast" };
	struct json_object *answer;
	size_t i;
	pid_t pid;

	remote_page = map_anon(PAGE, false);
	pid = spawn(touch_remote, NULL);
	answer = record("op=pin_user_pages_remote pid=%d addr=%p flags=write,longterm peek=1", pid,
			remote_page);
	check_num(jnum(answer, "ret"), 1);
	check_str(jstr(answer, "peek"), "r");
	answer = record("op=fixup_user_fault pid=%d addr=%p flags=write", pid, remote_page);
	check_num(jnum(answer, "ret"), 0);
	for (i = 0; i < NR_OF(own); i++)
		check_num(ask(run_open(), "op=%s pid=%d addr=%p", own[i], pid, remote_page).error,
			  EINVAL);
	kill_and_reap(pid);
}

/* A pin that is put: one reference of 1024 goes, the pin stays, and goes with the descriptor. */
static void put_by_mistake(void)
{
	char *page = map_anon(PAGE, true), *other = map_anon(PAGE, true);
	int fd = run_open(), i;

	drain();
	check_num(jnum(walk(page), "page.refcount"), 1);
	/* not pinned, pinned by somebody else, obtained by get_user_pages */
	check_num(ask(fd, "op=put_page addr=%p", page).error, EINVAL);
	record_on(run_open(), "op=pin_user_pages addr=%p hold", page);
	check_num(ask(fd, "op=put_page addr=%p", page).error, EINVAL);
	record_on(fd, "op=get_user_pages addr=%p hold", other);
	check_num(ask(fd, "op=put_page addr=%p", other).error, EINVAL);
	for (i = 0; i < 2; i++) {
		record_on(fd, "op=pin_user_pages addr=%p flags=write hold", page);
		check_num(jnum(record_on(fd, "op=put_page addr=%p", page),
			       "pages.0.refcount_delta"), -1);
	}
	check_num(ask(fd, "op=put_page addr=%p", page).error, EINVAL);
	check_num(jnum(walk(page), "page.refcount"), 1 + 3 * 1024 - 2);
	/* The page outlives its mapping, and is free when its holders have gone. */
	must(!madvise(page, PAGE, MADV_DONTNEED));
	close(fd);
}

static void put_by_mistake_counts(void)
{
	char *page = map_anon(PAGE, true), *thp = map_thp();
	int fd = run_open();

	drain();
	record_on(fd, "op=pin_user_pages addr=%p flags=write hold", page);
	record_on(fd, "op=put_page addr=%p", page);
	record_on(fd, "op=pin_user_pages addr=%p flags=write hold", thp);
	check_num(ask(fd, "op=put_page addr=%p", thp).error, EINVAL);
	close(fd);
	check_num(jnum(walk(page), "page.refcount"), 1);
	check_num(jnum(walk(page), "page.pincount"), 0);
}

/* ---- the page cache, without page tables ---- */

static bool has_memfd_pin(void)
{
	/* "mm/gup: introduce memfd_pin_folios() for pinning memfd folios" (in v6.11) */
	return kernel_since(6, 11);
}

static void memfd_refused(const char *addr, const char *reason)
{
	struct json_object *answer = call(addr, "op=memfd_pin_folios");

	check_num(jnum(answer, "ret"), -EINVAL);
	check_str(jstr(answer, "errno"), "EINVAL");
	check_str(jstr(answer, "reason"), reason);
}

static void memfd_pinned(void)
{
	char *pages = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_shmem(2 * PAGE));
	struct json_object *answer;
	int fd = run_open();

	if (!has_memfd_pin()) {
		check_num(ask(fd, "op=memfd_pin_folios addr=%p", pages).error, EOPNOTSUPP);
		skip("memfd_pin_folios came with Linux 6.11");
	}
	answer = record_on(fd, "op=memfd_pin_folios addr=%p hold", pages + PAGE + 5);
	check_num(jnum(answer, "ret"), 1);
	check(jnull(answer, "errno"));
	check_str(jstr(answer, "mmap_lock"), "not-held");
	check_str(jstr(answer, "pages.0.before.state"), "none");
	check_str(jstr(answer, "pages.0.after.state"), "none");
	check(jbool(answer, "held"));
	pages[PAGE] = 1;
	check_num(jnum(walk(pages + PAGE), "pfn"), jnum(answer, "pages.0.pfn"));
	check(jnum(walk(pages + PAGE), "page.refcount") > 1024);
	close(fd);
	drain();
	check(jnum(walk(pages + PAGE), "page.refcount") < 1024);
	memfd_refused(pages + 2 * PAGE, "beyond-file-end");
	memfd_refused(map_anon(PAGE, true), "not-memfd");
}

static void memfd_pinned_hugetlb(void)
{
	char *page = map_hugetlb(pmd_size(), PROT_READ | PROT_WRITE, MAP_SHARED);
	struct json_object *answer;

	if (!has_memfd_pin())
		skip("memfd_pin_folios came with Linux 6.11");
	/* not there yet: an older kernel would take it from the reservations of others */
	check_num(ask(run_open(), "op=memfd_pin_folios addr=%p", page).error,
		  kernel_since(7, 3) ? 0 : EINVAL);
	page[0] = 1;
	answer = call(page + 3 * PAGE + 7, "op=memfd_pin_folios");
	check_num(jnum(answer, "ret"), 1);
	check_num(jnum(answer, "pages.0.pfn"), jnum(walk(page), "pfn") + 3);
}

/* ---- bytes ---- */

static void copy_refused(const char *words, const char *key)
{
	char *page = map_anon(PAGE, true);
	struct answer answer = ask(run_open(), "op=access_process_vm addr=%p %s", page, words);

	check_num(answer.error, EINVAL);
	check(!strncmp(jstr(answer.json, "error"), key, strlen(key)));
}

static void copied(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;

	strcpy(page + 100, "krishna");
	answer = call(page + 100, "op=access_process_vm peek=7");
	check_num(jnum(answer, "ret"), 7);
	check_str(jstr(answer, "peek"), "krishna");
	check_str(jstr(answer, "mmap_lock"), "not-held");
	check(jnull(answer, "pages.0.pfn"));
	/* not call(): the page is dirty afterwards, before and after are not alike in that */
	answer = record("op=access_process_vm addr=%p flags=write poke=Mohan", page + 100);
	check_num(jnum(answer, "ret"), 5);
	check(!strcmp(page + 100, "Mohanna"));

	must(!mprotect(page, PAGE, PROT_NONE));
	answer = call(page + 100, "op=access_process_vm peek=7");
	check_num(jnum(answer, "ret"), 0);
	check(jnull(answer, "errno") && jnull(answer, "peek"));
	check_str(jstr(answer, "reason"), "vma-prot-none");
	answer = call(page + 100, "op=access_process_vm flags=force peek=5");
	check_str(jstr(answer, "peek"), "Mohan");

	copy_refused("", "peek:");
	copy_refused("flags=write", "poke:");
	copy_refused("poke=x", "poke:");
	copy_refused("flags=write peek=1 poke=x", "peek:");
	copy_refused("peek=1 hold", "hold:");
}

static void copied_of_another(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;
	pid_t pid;

	strcpy(page, "krishna");
	pid = spawn(NULL, NULL);
	strcpy(page, "not this");
	answer = record("op=access_process_vm addr=%p pid=%d peek=7", page, pid);
	check_str(jstr(answer, "peek"), "krishna");
	check_num(jnum(answer, "tgid"), pid);
	kill_and_reap(pid);
}

/* ---- what a driver takes away ---- */

static void zap_refused(const char *addr, int nr)
{
	check_num(ask(run_open(), "op=zap_vma_ptes addr=%p nr_pages=%d", addr, nr).error, EINVAL);
}

static void zapped(void)
{
	char *pages = map_target(4), *anon = map_anon(PAGE, true);
	struct json_object *answer;

	answer = record("op=zap_vma_ptes addr=%p nr_pages=2", pages + PAGE);
	check_num(jnum(answer, "ret"), 0);
	check_str(jstr(answer, "pages.0.cause"), "unmapped");
	check_str(jstr(answer, "pages.1.cause"), "unmapped");
	check_str(jstr(walk(pages), "state"), "present");
	check_str(jstr(walk(pages + 3 * PAGE), "state"), "present");
	zap_refused(pages + 2 * PAGE, 3);
	zap_refused(anon, 1);
	check_str(jstr(walk(anon), "state"), "present");
}

const struct test tests_family[] = {
	{ "family/locks", locks },
	{ "family/walk-lock", walk_lock },
	{ "family/locked-where-it-is", locked_where_it_is },
	{ "family/fast-only", fast_only },
	{ "family/nofault", nofault },
	{ "family/nowait", nowait, NEED_UFFD },
	{ "family/monitored", monitored, NEED_UFFD },
	{ "family/unshare", unshared },
	{ "family/fixup-rights", fixup_rights },
	{ "family/remote", remote },
	{ "family/memfd-pinned", memfd_pinned },
	{ "family/memfd-pinned-hugetlb", memfd_pinned_hugetlb, NEED_HUGETLB_2M },
	{ "family/copied", copied },
	{ "family/copied-of-another", copied_of_another },
	{ "family/zapped", zapped },
	{ "family/put-by-mistake", put_by_mistake },
	{ "family/put-by-mistake-counts", put_by_mistake_counts, NEED_THP },
	{ }
};
