// SPDX-License-Identifier: GPL-2.0-only
/*
 * Predictions: they change nothing, and what they say comes true when the call is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib.h"

static void changes_nothing(void)
{
	char *page = map_anon(PAGE, false);
	long long kept = version_number("records_kept");
	struct json_object *answer;
	int fd = run_open();

	answer = record_on(fd, "op=pin_user_pages addr=%p flags=write hold predict", page);
	check_str(jstr(answer, "predicted"), "works");
	check_num(jnum(answer, "ret"), 1);
	check(jnull(answer, "pages.0.after") && jnull(answer, "pages.0.cause"));
	check(jhas(answer, "pages.0.predicted", "anon-allocated"));
	check(!jbool(answer, "held"));
	check_num(version_number("pins_held"), 0);
	check_num(version_number("records_kept"), kept);
	check_str(jstr(walk(page), "state"), "none");
}

static void refused(const char *words)
{
	char *page = map_anon(PAGE, true);
	struct answer answer = ask(run_open(), "addr=%p predict %s", page, words);

	check_num(answer.error, EINVAL);
	check(!strncmp(jstr(answer.json, "error"), "predict:", 8));
}

static void nothing_to_tell(void)
{
	refused("op=walk");
	refused("op=put_page");
	refused("op=zap_vma_ptes");
}

/* What is for one's own memory only can be asked about that of others. */
static void of_another(void)
{
	char *page = map_anon(PAGE, true);
	pid_t pid = spawn(NULL, NULL);
	struct json_object *answer;

	answer = record("op=pin_user_pages addr=%p pid=%d predict", page, pid);
	check_str(jstr(answer, "predicted"), "works");
	check_num(jnum(answer, "tgid"), pid);
	check(ask(run_open(), "op=pin_user_pages addr=%p pid=%d", page, pid).error == EINVAL);
	kill_and_reap(pid);
}

static void several_pages(void)
{
	char *pages = map_anon(4 * PAGE, true);
	struct json_object *answer;

	must(!mprotect(pages + 2 * PAGE, PAGE, PROT_READ));
	answer = record("op=get_user_pages addr=%p nr_pages=4 flags=write predict", pages);
	check_str(jstr(answer, "predicted"), "fails");
	check_num(jnum(answer, "ret"), 2);
	check(jnull(answer, "errno"));
	check_str(jstr(answer, "reason"), "vma-not-writable");
	check(!jnull(answer, "advice"));
	must(!munmap(pages + PAGE, PAGE));
	answer = record("op=get_user_pages addr=%p nr_pages=4 predict", pages);
	check_num(jnum(answer, "ret"), 1);
	check_str(jstr(answer, "reason"), "no-vma");
}

/* ---- memory of all kinds ---- */

static char *hole(void)
{
	return map_anon(PAGE, false);
}

static char *touched(void)
{
	return map_anon(PAGE, true);
}

static char *read_only(void)
{
	char *page = map_anon(PAGE, true);

	must(!mprotect(page, PAGE, PROT_READ));
	return page;
}

static char *read_only_hole(void)
{
	char *page = map_anon(PAGE, false);

	must(!mprotect(page, PAGE, PROT_READ));
	return page;
}

static char *prot_none(void)
{
	char *page = map_anon(PAGE, true);

	must(!mprotect(page, PAGE, PROT_NONE));
	return page;
}

static char *write_only(void)
{
	char *page = map_anon(PAGE, true);

	must(!mprotect(page, PAGE, PROT_WRITE));
	return page;
}

static char *zero_page(void)
{
	char *page = map_anon(PAGE, false);

	(void)*(volatile char *)page;
	return page;
}

static char *forked(void)
{
	char *page = map_anon(PAGE, true);

	spawn(NULL, NULL);
	return page;
}

/* Its own page again, and the entry has not got the right to write back yet. */
static char *was_forked(void)
{
	char *page = map_anon(PAGE, true);

	kill_and_reap(spawn(NULL, NULL));
	return page;
}

/* The right to write was taken and given back: the entry gets it with the next write. */
static char *protected_and_back(void)
{
	char *page = read_only();

	must(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	return page;
}

static char *shared_hole(void)
{
	return map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_shmem(PAGE));
}

static char *shared_touched(void)
{
	char *page = shared_hole();

	page[0] = 1;
	return page;
}

static char *shared_read(void)
{
	char *page = shared_hole();

	(void)*(volatile char *)page;
	return page;
}

static char *shared_read_only(void)
{
	return map(PAGE, PROT_READ, MAP_SHARED, file_shmem(PAGE));
}

static char *private_hole(void)
{
	return map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_shmem(PAGE));
}

static char *private_read(void)
{
	char *page = private_hole();

	(void)*(volatile char *)page;
	return page;
}

static char *private_read_only(void)
{
	char *page = map(PAGE, PROT_READ, MAP_PRIVATE, file_shmem(PAGE));

	(void)*(volatile char *)page;
	return page;
}

static char *beyond_end(void)
{
	return (char *)map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_shmem(PAGE)) + PAGE;
}

static char *target(void)
{
	return map_target(1);
}

static char *target_empty(void)
{
	char *page = map_target(1);

	must(!target_zap(page, PAGE));
	return page;
}

static const struct memory {
	const char *name;
	char *(*make)(void);
} memories[] = {
	{ "hole", hole },
	{ "touched", touched },
	{ "read-only", read_only },
	{ "read-only hole", read_only_hole },
	{ "prot-none", prot_none },
	{ "write-only", write_only },
	{ "zero page", zero_page },
	{ "forked", forked },
	{ "was forked", was_forked },
	{ "protected and back", protected_and_back },
	{ "shared hole", shared_hole },
	{ "shared touched", shared_touched },
	{ "shared read", shared_read },
	{ "shared read-only", shared_read_only },
	{ "private hole", private_hole },
	{ "private read", private_read },
	{ "private read-only", private_read_only },
	{ "beyond the end", beyond_end },
	{ "target", target },
	{ "target, empty", target_empty },
};

static const char *const ops[] = {
	"follow_pfn", "handle_mm_fault", "fixup_user_fault", "get_user_pages",
	"get_user_pages_unlocked", "get_user_pages_fast", "get_user_pages_fast_only",
	"get_user_pages_remote", "pin_user_pages", "pin_user_pages_unlocked",
	"pin_user_pages_fast", "pin_user_pages_remote", "memfd_pin_folios", "access_process_vm",
};

static const char *const flags[] = {
	"", "flags=write", "flags=force", "flags=write,force", "flags=longterm",
	"flags=write,longterm", "flags=write,force,longterm", "flags=nofault",
	"flags=write,nofault", "flags=unshare",
};

static const char *text_or(struct json_object *object, const char *path)
{
	return jnull(object, path) ? "none" : jstr(object, path);
}

/* Return: could it be told. */
static bool came_true(const char *what, struct json_object *told, struct json_object *is)
{
	const char *predicted = jstr(told, "predicted");

	if (!strcmp(predicted, "cannot-tell"))
		return false;
	check_that(!strcmp(text_or(told, "errno"), text_or(is, "errno")), "%s: errno %s, told %s",
		   what, text_or(is, "errno"), text_or(told, "errno"));
	check_that(!strcmp(text_or(told, "reason"), text_or(is, "reason")), "%s: reason %s, told %s",
		   what, text_or(is, "reason"), text_or(told, "reason"));
	if (jnull(is, "fault"))
		check_that(jnum(told, "ret") == jnum(is, "ret"), "%s: ret %lld, told %lld", what,
			   jnum(is, "ret"), jnum(told, "ret"));
	check_that(jhas(told, "pages.0.predicted", jstr(is, "pages.0.cause")), "%s: %s, told %s",
		   what, jstr(is, "pages.0.cause"),
		   json_object_to_json_string(jget(told, "pages.0.predicted")));
	return true;
}

/* Its descriptor is opened once, and must not be among those that are closed after each case. */
static void keep_target(void)
{
	map_target(1);
}

/* One kind of memory, one op, one set of flags. Return: 1 told, 0 not told, -1 nothing to ask. */
static int one(const struct memory *memory, const char *op, const char *with)
{
	bool write = strstr(with, "write"), copies = !strcmp(op, "access_process_vm");
	const char *bytes = !copies ? "" : write ? "poke=x" : "peek=1";
	struct answer told, is;
	char what[160], *page;
	int fd = run_open(), result = -1;

	page = memory->make();

	drain();
	told = ask(fd, "op=%s addr=%p %s %s nokeep predict", op, page, with, bytes);
	is = ask(fd, "op=%s addr=%p %s %s nokeep", op, page, with, bytes);
	snprintf(what, sizeof(what), "%s %s on %s", op, with, memory->name);
	check_that(told.error == is.error, "%s: refused with %d, prediction with %d", what,
		   is.error, told.error);
	if (!told.error)
		result = came_true(what, told.json, is.json);
	answer_free(&told);
	answer_free(&is);
	/* those of the memory too */
	closefrom(fd);
	return result;
}

static void comes_true(void)
{
	unsigned int tries = 600 / brevity() / slowness() + 60, told = 0, untold = 0;
	uint64_t state = seed();

	keep_target();
	while (tries--) {
		const struct memory *memory = &memories[random_of(&state) % NR_OF(memories)];
		const char *op = ops[random_of(&state) % NR_OF(ops)];
		int result = one(memory, op, flags[random_of(&state) % NR_OF(flags)]);

		told += result > 0;
		untold += result == 0;
	}
	note("%u calls as predicted, %u that could not be told", told, untold);
	check(told > 10 * untold);
}

/* All that the random test draws from, once. */
static void comes_true_for_all(void)
{
	unsigned int memory, op, with, told = 0, untold = 0;

	if (brevity() > 1)
		skip("a part of it, at random, is in predict/comes-true");
	keep_target();
	for (memory = 0; memory < NR_OF(memories); memory++)
		for (op = 0; op < NR_OF(ops); op++)
			for (with = 0; with < NR_OF(flags); with++) {
				int result = one(&memories[memory], ops[op], flags[with]);

				told += result > 0;
				untold += result == 0;
			}
	note("%u calls as predicted, %u that could not be told", told, untold);
}

/* ---- what would make a call pass ---- */

/* What is told of a call that fails. */
static struct json_object *advised(const char *page, const char *words, const char *advice)
{
	struct json_object *answer = record("%s addr=%p predict", words, page);

	check_str(jstr(answer, "predicted"), "fails");
	check_that(!strcmp(jstr(answer, "advice"), advice), "%s: advice \"%s\", not \"%s\"", words,
		   jstr(answer, "advice"), advice);
	return answer;
}

static void passes(const char *page, const char *words)
{
	check_str(jstr(record("%s addr=%p predict", words, page), "predicted"), "works");
	check_num(jnum(call(page, words), "ret"), 1);
}

#define FAST_ONLY "op=get_user_pages_fast_only "
#define GUP "op=get_user_pages "
#define FIXUP "op=fixup_user_fault "

/* The calls that take no force are not told to. */
static void advice_of_rights(void)
{
	char *page = read_only();

	advised(page, GUP "flags=write", "mprotect() it writable, or force");
	passes(page, GUP "flags=write,force");
	page = read_only();
	advised(page, FIXUP "flags=write", "mprotect() it writable");
	advised(page, FAST_ONLY "flags=write", "mprotect() it writable, and write to it first");
	must(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	page[0] = 1;
	passes(page, FAST_ONLY "flags=write");
	page = prot_none();
	advised(page, GUP, "mprotect() it readable, or force");
	advised(page, FIXUP, "mprotect() it readable");
	advised(page, FAST_ONLY, "mprotect() it readable");
	must(!mprotect(page, PAGE, PROT_READ));
	passes(page, FAST_ONLY);
}

static void advice_of_shared(void)
{
	static const char anew[] = "mprotect() cannot make it writable: map it anew, private, or of a "
				   "file that is opened for writing";
	int fd = file_shmem(PAGE), read_only;
	char path[32], *page = map(PAGE, PROT_READ, MAP_SHARED, fd);

	advised(page, GUP "flags=write", "mprotect() it writable");
	advised(page, GUP "flags=write,force", "mprotect() it writable, or a private mapping");
	must(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	passes(page, GUP "flags=write");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	must(read_only >= 0);
	page = map(PAGE, PROT_READ, MAP_SHARED, read_only);
	advised(page, GUP "flags=write", anew);
	advised(page, GUP "flags=write,force", anew);
	advised(page, FAST_ONLY "flags=write", anew);
	check(mprotect(page, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
}

/* Reading what nobody touched maps the page of zeros, which the fast way leaves to the others. */
static void advice_of_nofault(void)
{
	static const char writing[] = "write to the address first, or a call that may fault";
	char *page = hole();

	advised(page, FAST_ONLY, writing);
	(void)*(volatile char *)page;
	advised(page, FAST_ONLY, writing);
	advised(page, FAST_ONLY "flags=write", writing);
	page[0] = 1;
	passes(page, FAST_ONLY);
	passes(page, FAST_ONLY "flags=write");
	advised(read_only_hole(), FAST_ONLY, "a call that may fault");
	page = shared_hole();
	advised(page, FAST_ONLY, "touch the address first, or a call that may fault");
	(void)*(volatile char *)page;
	passes(page, FAST_ONLY);
}

/* By the name that the kernel's own call has today. */
static void advice_of_pfnmap(void)
{
	/* "mm: new follow_pfnmap API" (in v6.12) */
	advised(target(), GUP, kernel_since(6, 12) ?
		"follow_pfnmap_start is for such mappings" : "follow_pfn is for such mappings");
}

/* A call that can wait for the monitor may well work. */
static void advice_of_userfaultfd(void)
{
	char *page = hole();

	uffd_register(page, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	advised(page, GUP,
		"a call that may drop the mmap lock (_unlocked, _fast), or the page put there first");
	advised(page, "op=get_user_pages_remote",
		"with the argument locked it may wait; or the page put there first");
	advised(page, "op=handle_mm_fault",
		"fixup_user_fault, which may wait; or the page put there first");
	check_str(jstr(record(FIXUP "addr=%p predict", page), "predicted"), "cannot-tell");
	check_str(jstr(record("op=get_user_pages_unlocked addr=%p predict", page), "predicted"),
		  "cannot-tell");
}

/* ---- how much, and where ---- */

/* It returns bytes, of a page at most; as many as there are, if nobody says how many. */
static void bytes_copied(void)
{
	char *page = touched();

	check_num(jnum(record("op=access_process_vm addr=%p predict", page + 100), "ret"),
		  PAGE - 100);
	check_num(jnum(record("op=access_process_vm addr=%p peek=7 predict", page), "ret"), 7);
	must(!mprotect(page, PAGE, PROT_NONE));
	check_num(jnum(record("op=access_process_vm addr=%p predict", page), "ret"), 0);
	check(jnull(record("op=access_process_vm addr=%p predict", page), "errno"));
}

static void doubts_cma(const char *words, const char *page, bool wanted)
{
	struct json_object *answer = record("%s addr=%p predict", words, page);

	check_str(jstr(answer, "predicted"), "works");
	check_that(!jnull(answer, "doubt") == wanted, "%s: doubt %s", words,
		   json_object_to_json_string(jget(answer, "doubt")));
}

/* Only what lies in such memory, or in the movable zone, and is taken as it is, is moved. */
static void maybe_cma(void)
{
	char *page = touched();
	struct json_object *snap = walk(page);
	bool has = jhas(snap, "page.flags", "cma");

	/* "mm/gup: migrate pinned pages out of movable zone" (in v5.13) */
	if (kernel_since(5, 13) && !strcmp(jstr(snap, "page.zone"), "Movable"))
		has = true;
	note("the page %s", has ? "has to be moved" : "can stay where it is");
	doubts_cma("op=pin_user_pages flags=write,longterm", page, has);
	doubts_cma("op=pin_user_pages flags=longterm", page, has);
	doubts_cma("op=pin_user_pages flags=write", page, false);
	doubts_cma("op=pin_user_pages flags=write,longterm", hole(), false);
	doubts_cma("op=pin_user_pages flags=write,longterm", zero_page(), false);
	doubts_cma("op=pin_user_pages flags=longterm", zero_page(), false);
	doubts_cma("op=pin_user_pages flags=write,longterm", private_read(), false);
}

const struct test tests_predict[] = {
	{ "predict/changes-nothing", changes_nothing },
	{ "predict/nothing-to-tell", nothing_to_tell },
	{ "predict/of-another", of_another },
	{ "predict/several-pages", several_pages },
	{ "predict/advice-of-rights", advice_of_rights },
	{ "predict/advice-of-shared", advice_of_shared },
	{ "predict/advice-of-nofault", advice_of_nofault },
	{ "predict/advice-of-pfnmap", advice_of_pfnmap },
	{ "predict/advice-of-userfaultfd", advice_of_userfaultfd, NEED_UFFD },
	{ "predict/bytes-copied", bytes_copied },
	{ "predict/maybe-cma", maybe_cma },
	{ "predict/comes-true", comes_true, 0, 240 },
	{ "predict/comes-true-for-all", comes_true_for_all, 0, 240 },
	{ }
};
