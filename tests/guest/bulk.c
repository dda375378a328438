// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file `walk`, read and decoded by the command's own code, against snapshots and /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "tables.h"

static struct entries entries;
static bool entries_are_read;

/* Return: what is wrong with them, or NULL. */
static const char *read_entries(char *text)
{
	const char *wrong = entries_parse(text, &entries);

	entries_are_read = !wrong;
	return wrong;
}

void bulk_prepare(void)
{
	char *text;

	if (access(module_file("entries"), R_OK))
		return;
	text = read_file(module_file("entries"), NULL);
	read_entries(text);
	free(text);
}

const struct entries *bulk_entries(void)
{
	if (!entries_are_read) {
		char *text = read_file(module_file("entries"), NULL);
		const char *wrong = read_entries(text);

		if (wrong)
			fail("entries: a line is not as expected: %.*s", (int)strcspn(wrong, "\n"),
			     wrong);
		free(text);
	}
	return &entries;
}

int bulk_open(const char *fmt, ...)
{
	int fd = open(module_file("walk"), O_RDWR | O_CLOEXEC);
	char line[256];
	va_list args;
	int length;

	must(fd >= 0);
	va_start(args, fmt);
	length = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	must(write(fd, line, length) == length);
	return fd;
}

static void take_entry(void *context, const struct table_entry *e)
{
	struct bulk *bulk = context;

	if (!bulk->nr || !(bulk->nr & (bulk->nr - 1)))
		must(bulk->entry = reallocarray(bulk->entry, bulk->nr ? 2 * bulk->nr : 1,
						sizeof(*e)));
	if (bulk->nr)
		check(bulk->entry[bulk->nr - 1].addr + bulk->entry[bulk->nr - 1].size <= e->addr);
	bulk->entry[bulk->nr++] = *e;
}

static void take_table(void *context, int level, uint64_t table, uint64_t size)
{
	struct bulk *bulk = context;

	bulk->tables[level]++;
}

struct bulk bulk_read(int fd, size_t chunk, uint64_t *state)
{
	static char bytes[1 << 18];
	struct bulk bulk = { 0 };
	struct tables t = { .entries = bulk_entries(), .entry = take_entry, .table = take_table,
			    .context = &bulk };
	const char *wrong = NULL;
	ssize_t n;

	tables_begin(&t);
	do {
		size_t ask_for = chunk ? chunk : 1 + random_of(state) % 5000;

		n = read(fd, bytes, ask_for);
		must(n >= 0);
		wrong = tables_feed(&t, bytes, n);
		bulk.bytes += n;
	} while (n && !wrong);
	check_that(!wrong, "walk: %s, after %llu bytes", wrong, (unsigned long long)bulk.bytes);
	check_that(t.end.head.size && !t.part.len, "walk: it does not end with the last block");
	bulk.how = t.end.how;
	bulk.unstable = t.unstable;
	tables_free(&t);
	return bulk;
}

void bulk_free(struct bulk *bulk)
{
	free(bulk->entry);
	*bulk = (struct bulk){ 0 };
}

struct bulk bulk_of(pid_t pid, const void *addr, size_t nr_pages)
{
	int fd = bulk_open("pid=%d addr=%p nr_pages=%zu", pid ? pid : getpid(), addr, nr_pages);
	struct bulk bulk = bulk_read(fd, 1 << 18, NULL);

	close(fd);
	check_num(bulk.how, GUPWALK_WALK_DONE);
	check_num(bulk.unstable, 0);
	return bulk;
}

struct bulk bulk_all(pid_t pid)
{
	int fd = bulk_open("pid=%d", pid);
	struct bulk bulk = bulk_read(fd, 1 << 18, NULL);

	close(fd);
	check_num(bulk.how, GUPWALK_WALK_DONE);
	check_num(bulk.unstable, 0);
	return bulk;
}

/* ---- one address: the command's decoding against a snapshot ---- */

static bool same_path(struct json_object *snap, const struct table_entry *e)
{
	int i;

	if (e->level + 1 != (int)jlen(snap, "levels"))
		return false;
	for (i = 0; i <= e->level; i++) {
		struct json_object *level = json_object_array_get_idx(jget(snap, "levels"), i);

		if (jhex(level, "entry") != e->path[i].entry ||
		    jhex(level, "value") != e->path[i].value)
			return false;
	}
	return true;
}

/* Names with commas between against an array of them. */
static void check_names(struct json_object *snap, const char *path, const char *names)
{
	char copy[256], *rest = copy, *name;
	size_t nr = 0;

	must(strlen(names) < sizeof(copy));
	strcpy(copy, names);
	while (*names && (name = strsep(&rest, ","))) {
		check_that(jhas(snap, path, name), "%s: only the command has %s", path, name);
		nr++;
	}
	check_num(jlen(snap, path), nr);
}

static void agree_decoded(struct json_object *snap, const struct table_entry *e,
			  uint64_t addr)
{
	const struct entries *all = bulk_entries();
	const struct entry_level *l = &all->level[e->level];
	uint64_t value = e->path[e->level].value;
	const struct entry_class *c = entry_class(l, value);
	struct strbuf names = { 0 };

	check_that(c, "the command knows no such entry: %#llx", (unsigned long long)value);
	check_str(c->state, jstr(snap, "state"));
	check_str(c->marker, jstr(snap, "marker"));
	check_num(c->kind == ENTRY_LEAF, !jnull(snap, "leaf"));
	check_num(e->size, jnum(snap, "size"));
	check_num(c->pfn.there, !jnull(snap, "pfn"));
	check_num(c->offset.there, !jnull(snap, "swap_offset"));
	if (c->pfn.there)
		check_num(entry_pfn(all, e->level, c, value, addr), jnum(snap, "pfn"));
	if (c->offset.there) {
		check_num(gather(&c->type, value), jnum(snap, "swap_type"));
		check_num(gather(&c->offset, value), jnum(snap, "swap_offset"));
	}
	if (!strcmp(c->state, "present"))
		entry_rights(all, e->level, e->path, &names);
	check_names(snap, "rights", strbuf_text(&names));
	strbuf_free(&names);
	entry_flags(l, c->kind, value, &names);
	check_names(snap, "levels.-1.flags", strbuf_text(&names));
	strbuf_free(&names);
	if (c->kind == ENTRY_LEAF)
		check_num(value & l->contiguous_mask ? 1ULL << l->contiguous_shift : 0,
			  jnull(snap, "contiguous") ? 0 : jnum(snap, "contiguous"));
	if (!jnull(snap, "page") && e->level == 4)
		check_num(jnum(snap, "pfn") == (long long)all->zero_pfn, jbool(snap, "page.zero"));
}

void agree_bulk(pid_t pid, const void *addr)
{
	struct json_object *snap;
	struct bulk bulk;
	int tries = 0;
	bool same;

	/* The CPU sets bits by itself, and the kernel moves pages. */
	do {
		char whose[32] = "";

		if (tries++ == 20)
			fail("`walk` and a snapshot say different things of %p again and again",
			     addr);
		if (pid)
			snprintf(whose, sizeof(whose), " pid=%d", pid);
		snap = jget(record("op=walk nokeep addr=%p%s", addr, whose), "pages.0.before");
		bulk = bulk_of(pid, addr, 1);
		check(bulk.nr <= 1);
		if (!strcmp(jstr(snap, "state"), "none") || !strcmp(jstr(snap, "state"), "novma"))
			same = !bulk.nr;
		else
			same = bulk.nr && same_path(snap, bulk.entry);
		if (same && bulk.nr)
			agree_decoded(snap, bulk.entry, (uintptr_t)addr);
		bulk_free(&bulk);
	} while (!same);
}

/* ---- reading ---- */

/* Fails with the first entry that differs. */
static void check_same_bulk(const struct bulk *a, const struct bulk *b)
{
	size_t i;

	for (i = 0; i < a->nr && i < b->nr; i++) {
		const struct table_entry *e = &a->entry[i], *f = &b->entry[i];

		/* not as bytes: there are some that belong to no field */
		check_that(e->addr == f->addr && e->size == f->size && e->level == f->level &&
			   !memcmp(e->path, f->path, (e->level + 1) * sizeof(*e->path)),
			   "%#llx, level %d: %#llx; later %#llx, level %d: %#llx",
			   (unsigned long long)e->addr, e->level,
			   (unsigned long long)e->path[e->level].value,
			   (unsigned long long)f->addr, f->level,
			   (unsigned long long)f->path[f->level].value);
	}
	check_num(b->nr, a->nr);
	check_num(b->bytes, a->bytes);
}

/* However much is read at once, it is the same. */
static void any_size(void)
{
	static const size_t sizes[] = { 1 << 18, 4096, 1000, 7 };
	struct plan plan;
	pid_t pid = plan_child(&plan, 300, true);
	uint64_t state = seed();
	struct bulk first = { 0 };
	size_t i;

	for (i = 0; i <= NR_OF(sizes); i++) {
		int fd = bulk_open("pid=%d", pid);
		struct bulk bulk = bulk_read(fd, i < NR_OF(sizes) ? sizes[i] : 0, &state);

		check_num(bulk.how, GUPWALK_WALK_DONE);
		check(bulk.nr > 100);
		if (i)
			check_same_bulk(&first, &bulk);
		else
			first = bulk;
		close(fd);
	}
	kill_and_reap(pid);
}

/* As it is read, byte for byte, from what is in @bytes on. */
static size_t read_rest(int fd, char *bytes, size_t done, size_t room)
{
	ssize_t n;

	do {
		n = read(fd, bytes + done, room - done);
		must(n >= 0);
		done += n;
	} while (n && done < room);
	must(done < room);
	return done;
}

static void read_often(pid_t pid, const struct bulk *alone)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct bulk bulk = bulk_all(pid);

		check_same_bulk(alone, &bulk);
		bulk_free(&bulk);
	}
	_exit(0);
}

/*
 * Each descriptor has a walk of its own, which goes on where it was, whatever others read
 * meanwhile; and one that is left half-way holds nothing up.
 */
static void readers(void)
{
	static char whole[1 << 20], part[1 << 20];
	struct plan plan;
	pid_t pid = plan_child(&plan, 300, true), reader[4];
	struct bulk alone = bulk_all(pid);
	int fd[8], i, status;
	size_t size, begun;

	fd[0] = bulk_open("pid=%d", pid);
	size = read_rest(fd[0], whole, 0, sizeof(whole));
	check_num(size, alone.bytes);
	close(fd[0]);
	for (i = 0; i < 8; i++) {
		fd[i] = bulk_open("pid=%d", pid);
		must(read(fd[i], part, 100 * (i + 1)) == 100 * (i + 1));
	}
	for (i = 0; i < 4; i++) {
		reader[i] = fork();
		if (!reader[i])
			read_often(pid, &alone);
	}
	for (i = 0; i < 4; i++) {
		must(waitpid(reader[i], &status, 0) == reader[i]);
		check_num(status, 0);
	}
	/* half of them stay as they are */
	for (i = 0; i < 4; i++) {
		begun = 100 * (i + 1);
		memcpy(part, whole, begun);
		check_num(read_rest(fd[i], part, begun, sizeof(part)), size);
		check(!memcmp(part, whole, size));
	}
	kill_and_reap(pid);
	for (i = 0; i < 8; i++)
		close(fd[i]);
}

/* More tables than the module reads at once. */
#define MANY_TABLES 400

static void make_much(void *arg)
{
	size_t size = MANY_TABLES * pmd_size(), i;
	char *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(room != MAP_FAILED);
	no_huge_pages(room, size);
	for (i = 0; i < size; i += pmd_size())
		room[i] = 1;
}

static void read_to_gone(int fd)
{
	char bytes[4096];
	struct gupwalk_walk_end end;
	ssize_t n, before = 0;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		before = n;
	check_num(n, 0);
	must(before >= (ssize_t)sizeof(end));
	memcpy(&end, bytes + before - sizeof(end), sizeof(end));
	check_num(end.head.type, GUPWALK_WALK_END);
	check_num(end.how, GUPWALK_WALK_GONE);
}

/* A walk does not keep the memory of a process that ends; and it ends as well. */
static void exits(void)
{
	pid_t pid = spawn(make_much, NULL);
	int fd = bulk_open("pid=%d", pid);
	long long before, freed;
	char bytes[200];

	must(read(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	before = read_key("/proc/meminfo", "AnonPages");
	kill_and_reap(pid);
	freed = before - read_key("/proc/meminfo", "AnonPages");
	check_that(freed > MANY_TABLES / 2 * (long long)PAGE / 1024,
		   "%lld kB were freed when the process ended", freed);
	read_to_gone(fd);
	close(fd);
}

static void become_another(int signal)
{
	execl("/proc/self/exe", "gupwalk-test", "-l", "no/such", NULL);
	_exit(1);
}

static void be_ready(void *arg)
{
	make_much(NULL);
	must(freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr));
	signal(SIGUSR1, become_another);
}

static void execs(void)
{
	pid_t pid = spawn(be_ready, NULL);
	int fd = bulk_open("pid=%d", pid), status;
	char bytes[100];

	must(read(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	kill(pid, SIGUSR1);
	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	read_to_gone(fd);
	close(fd);
}

/*
 * What the command prints is much more than the pipe holds, so it still walks when the process
 * ends; and says so, in the way in which it says all else.
 */
static void command_gone(void)
{
	static const struct { const char *form, *said; } forms[] = {
		{ NULL, "\nincomplete: the process has gone\n" },
		{ "--json", "{\"complete\":false}" },
	};
	static char text[NR_OF(forms)][1 << 20];
	pid_t walked = spawn(make_much, NULL), pid[NR_OF(forms)];
	char whose[16];
	const char *words[] = { "walk", "-p", whose, "--levels", NULL, NULL };
	int out[NR_OF(forms)];
	size_t i;

	snprintf(whose, sizeof(whose), "%d", walked);
	for (i = 0; i < NR_OF(forms); i++) {
		words[4] = forms[i].form;
		pid[i] = command_start(words, &out[i]);
		if (read(out[i], text[i], 1) != 1) {
			check_num(command_status(pid[i]), 2);
			fail("nothing was printed");
		}
	}
	kill_and_reap(walked);
	for (i = 0; i < NR_OF(forms); i++) {
		size_t length = read_rest(out[i], text[i], 1, sizeof(text[i]) - 1);

		text[i][length] = '\0';
		check_num(command_status(pid[i]), 2);
		check_that(strstr(text[i], forms[i].said), "it is not said to be incomplete: %s",
			   text[i] + (length > 300 ? length - 300 : 0));
		close(out[i]);
	}
}

static char *battlefield;

static void change_all_the_time(void)
{
	struct plan plan = { .state = seed() };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	plan_begin(&plan);
	for (;;) {
		char *place = battlefield + random_of(&plan.state) % 3000 * PAGE;

		if (random_of(&plan.state) % 8)
			plan_mapping(&plan, place, 1 + random_of(&plan.state) % 8);
		else
			munmap(place, random_of(&plan.state) % 700 * PAGE + PAGE);
	}
}

/* Whatever the process does meanwhile, what is read is in order, and made of known entries. */
static void changes(void)
{
	uint64_t start = now_ms(), state = seed();
	unsigned int walks = 0, unknown = 0;
	pid_t pid;
	size_t i;

	battlefield = reserve(4096 * PAGE);
	pid = fork();
	must(pid >= 0);
	if (!pid)
		change_all_the_time();
	while (going_on(start, 1500, walks > 20)) {
		int fd = bulk_open("pid=%d", pid);
		struct bulk bulk = bulk_read(fd, 0, &state);

		check_num(bulk.how, GUPWALK_WALK_DONE);
		for (i = 0; i < bulk.nr; i++)
			unknown += !entry_class(&bulk_entries()->level[bulk.entry[i].level],
						bulk.entry[i].path[bulk.entry[i].level].value);
		check_num(unknown, 0);
		bulk_free(&bulk);
		close(fd);
		walks++;
	}
	note("%u walks", walks);
	kill_and_reap(pid);
}

/* ---- requests that are refused ---- */

static void refuses(int fd, const char *line, int error, const char *said)
{
	char answer[1024];
	ssize_t n;

	errno = 0;
	n = write(fd, line, strlen(line));
	check_that(n < 0 && errno == error, "%s: %zd, %m", line, n);
	n = read(fd, answer, sizeof(answer) - 1);
	must(n > 0);
	answer[n] = '\0';
	check_that(!strncmp(answer, "{\"error\":\"", 10) && strstr(answer, said), "%s: %s", line,
		   answer);
	check_num(read(fd, answer, sizeof(answer)), 0);
}

static void refused(void)
{
	int fd = bulk_open("addr=%p nr_pages=1", map_anon(PAGE, true));
	char byte, line[64];

	refuses(fd, "op=walk", EINVAL, "addr= pid= nr_pages=");
	refuses(fd, "run=x pid=1", EINVAL, "no such word");
	refuses(fd, "pid=0", EINVAL, "pid: must be positive");
	refuses(fd, "pid=x", EINVAL, "pid: not a number");
	refuses(fd, "pid=4194303999", ESRCH, "pid");
	refuses(fd, "pid=2", EINVAL, "kernel thread");
	refuses(fd, "pid=1 pid=1", EINVAL, "given twice");
	refuses(fd, "nr_pages=1", EINVAL, "addr: missing");
	refuses(fd, "addr=0 nr_pages=0", EINVAL, "at least 1");
	refuses(fd, "addr=0xffffffff80000000", EFAULT, "not in user space");
	snprintf(line, sizeof(line), "addr=0 nr_pages=%llu", 1ULL << 52);
	refuses(fd, line, E2BIG, "nr_pages");
	snprintf(line, sizeof(line), "addr=0 nr_pages=%lu", 1UL << (user_bits() - 11));
	refuses(fd, line, EFAULT, "beyond user space");
	refuses(fd, "a\nb", EINVAL, "one line");
	/* and it goes on serving */
	must(write(fd, "addr=0x1000", 11) == 11);
	bulk_read(fd, 64, NULL);
	close(fd);
	fd = open(module_file("walk"), O_RDWR | O_CLOEXEC);
	check_num(read(fd, &byte, 1), 0);
	close(fd);
}

const struct test tests_bulk[] = {
	{ "bulk/refused", refused },
	{ "bulk/any-size", any_size },
	{ "bulk/readers", readers },
	{ "bulk/exits", exits },
	{ "bulk/execs", execs },
	{ "bulk/command-gone", command_gone },
	{ "bulk/changes", changes },
	{ }
};
