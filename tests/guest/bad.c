// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that cannot be served: each is refused with the errno that debugfs-layout.md promises
 * and a word of explanation, changes nothing, and the module goes on serving.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define LINE_MAX_BYTES 4095

/* What a refused request must not change. */
struct standing {
	long long seq;
	long long kept;
	long long dropped;
	long long pins;
};

static char *good_page;

/* The number of the next record: that of one which is not kept, plus one. */
static struct standing standing(void)
{
	struct standing now;

	if (!good_page)
		good_page = map_anon(PAGE, true);
	now.seq = jnum(record("op=walk addr=%p nokeep", good_page), "seq");
	now.kept = version_number("records_kept");
	now.dropped = version_number("records_dropped");
	now.pins = version_number("pins_held");
	return now;
}

static void check_standing(const struct standing *before)
{
	struct standing now = standing();

	check_num(now.seq, before->seq + 1);
	check_num(now.kept, before->kept);
	check_num(now.dropped, before->dropped);
	check_num(now.pins, before->pins);
}

/* The last word of a line that has a key: NULL if there is none. Cut as the module cuts it. */
static char *word_of(const char *line, const char *key)
{
	char *copy = strdup(line), *rest = copy, *word, *found = NULL;
	size_t length = strlen(key);

	copy[strcspn(copy, "\n")] = '\0';
	while ((word = strsep(&rest, " \t")))
		if (!strncmp(word, key, length) && (word[length] == '=' || !word[length]))
			found = word;
	found = found ? strndup(found, 63) : NULL;
	free(copy);
	return found;
}

/*
 * @line: the request. @key: what the explanation begins with. @word: the word at fault, NULL: none.
 */
static void check_refused_word(struct answer answer, const char *line, int error, const char *key,
			       const char *word)
{
	size_t length = strlen(key);
	const char *what = line, *text;

	check_that(answer.error == error, "%.200s: expected %s, got %s: %s", what, strerror(error),
		   strerror(answer.error), answer.text);
	check_that(answer.json, "%.200s: no answer", what);
	check_num(json_object_object_length(answer.json), 3);
	text = jstr(answer.json, "error");
	check_that(!strncmp(text, key, length) && !strncmp(text + length, ": ", 2) &&
		   strlen(text) > length + 4,
		   "%.200s: expected an explanation that begins with %s:, got %s", what, key, text);
	check_that(!word == jnull(answer.json, "word") &&
		   (!word || !strcmp(word, jstr(answer.json, "word"))),
		   "%.200s: expected the word %s, got %s", what, word ? word : "null", answer.text);
	jget(answer.json, "allowed");
	answer_free(&answer);
}

/* A line with an address in it, sent and refused. */
__attribute__((format(printf, 4, 5)))
static void refuse(int fd, int error, const char *key, const char *fmt, ...)
{
	char line[256], *word;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	word = word_of(line, key);
	check_refused_word(ask(fd, "%s", line), line, error, key, word);
	free(word);
}

struct bad {
	const char *line;
	int error;
	const char *key;
	const char *word;
};

/*
 * A @ in a line stands for an address that is good, a $ for a byte more than a page has, a # for
 * the most pages of which 64 bits can tell the size.
 */
static const struct bad lines[] = {
	{ "", EINVAL, "op" },
	{ "\n", EINVAL, "op" },
	{ "   \t ", EINVAL, "op" },
	{ "addr=@", EINVAL, "op" },
	{ "op=walk", EINVAL, "addr" },
	{ "op=nonsense", EINVAL, "op" },
	{ "op=nonsense addr=@", EINVAL, "op" },
	{ "op= addr=@", EINVAL, "op" },
	{ "op=WALK addr=@", EINVAL, "op" },
	{ "op=walkx addr=@", EINVAL, "op" },
	{ "op=walk,follow_pfn addr=@", EINVAL, "op" },
	{ "nonsense", EINVAL, "request", "nonsense" },
	{ "op=walk addr=@ nonsense=1", EINVAL, "request", "nonsense=1" },
	{ "=", EINVAL, "request", "=" },
	{ "op", EINVAL, "request", "op" },
	{ "op=walk addr", EINVAL, "request", "addr" },
	{ "op=get_user_pages addr=@ hold=1", EINVAL, "request", "hold=1" },
	{ "op=get_user_pages addr=@ nokeep=", EINVAL, "request", "nokeep=" },
	{ "OP=walk addr=@", EINVAL, "request", "OP=walk" },
	{ "op=walk addr=@\r\n", EINVAL, "addr" },

	{ "op=walk op=walk addr=@", EINVAL, "op" },
	{ "op=walk addr=@ addr=@", EINVAL, "addr" },
	{ "op=walk addr=@ pid=1 pid=1", EINVAL, "pid" },
	{ "op=walk addr=@ nr_pages=1 nr_pages=2", EINVAL, "nr_pages" },
	{ "op=get_user_pages addr=@ flags=write flags=force", EINVAL, "flags" },
	{ "op=walk addr=@ run=a run=b", EINVAL, "run" },
	{ "op=get_user_pages addr=@ peek=1 peek=1", EINVAL, "peek" },
	{ "op=get_user_pages addr=@ flags=write poke=a poke=b", EINVAL, "poke" },
	{ "op=get_user_pages addr=@ hold hold", EINVAL, "hold" },
	{ "op=walk addr=@ nokeep nokeep", EINVAL, "nokeep" },

	{ "op=walk addr=", EINVAL, "addr" },
	{ "op=walk addr=0x", EINVAL, "addr" },
	{ "op=walk addr=x", EINVAL, "addr" },
	{ "op=walk addr=-1", EINVAL, "addr" },
	{ "op=walk addr=+1", EINVAL, "addr" },
	{ "op=walk addr=0x-1", EINVAL, "addr" },
	{ "op=walk addr=1e3", EINVAL, "addr" },
	{ "op=walk addr=0b1", EINVAL, "addr" },
	{ "op=walk addr=1.0", EINVAL, "addr" },
	{ "op=walk addr=10g", EINVAL, "addr" },
	{ "op=walk addr=0x0x1", EINVAL, "addr" },
	{ "op=walk addr=@ nr_pages=", EINVAL, "nr_pages" },
	{ "op=walk addr=@ nr_pages=0", EINVAL, "nr_pages" },
	{ "op=walk addr=@ nr_pages=-1", EINVAL, "nr_pages" },
	{ "op=walk addr=@ nr_pages=many", EINVAL, "nr_pages" },
	{ "op=walk addr=@ pid=", EINVAL, "pid" },
	{ "op=walk addr=@ pid=0", EINVAL, "pid" },
	{ "op=walk addr=@ pid=-1", EINVAL, "pid" },
	{ "op=walk addr=@ pid=self", EINVAL, "pid" },
	{ "op=get_user_pages addr=@ peek=0", EINVAL, "peek" },
	{ "op=get_user_pages addr=@ peek=-1", EINVAL, "peek" },
	{ "op=get_user_pages addr=@ peek=", EINVAL, "peek" },

	{ "op=walk addr=0", EFAULT, "addr" },
	{ "op=walk addr=0x0", EFAULT, "addr" },
	{ "op=walk addr=4096", EFAULT, "addr" },
	{ "op=walk addr=0x8000000000000000", EFAULT, "addr" },
	{ "op=walk addr=0x0100000000000000", EFAULT, "addr" },
	{ "op=walk addr=0xffff888000000000", EFAULT, "addr" },
	{ "op=walk addr=0xffffffff81000000", EFAULT, "addr" },
	{ "op=walk addr=0xffffffffff600000", EFAULT, "addr" },
	{ "op=walk addr=0xfffffffffffff000", EFAULT, "addr" },
	{ "op=walk addr=0xffffffffffffffff", EFAULT, "addr" },
	{ "op=get_user_pages addr=0xffff888000000000 flags=write,force", EFAULT, "addr" },
	{ "op=follow_pfn addr=0xffffffffff600000", EFAULT, "addr" },
	{ "op=handle_mm_fault addr=0xffffffff81000000 flags=write", EFAULT, "addr" },
	{ "op=walk addr=0x10000000000000000", EFAULT, "addr" },
	{ "op=walk addr=18446744073709551616", EFAULT, "addr" },
	{ "op=walk addr=99999999999999999999999999999999999999", EFAULT, "addr" },
	{ "op=walk addr=@ nr_pages=#", EFAULT, "nr_pages" },
	{ "op=walk addr=@ nr_pages=0x7fffffff0000", EFAULT, "nr_pages" },

	{ "op=walk addr=@ nr_pages=18446744073709551615", E2BIG, "nr_pages" },
	{ "op=walk addr=@ nr_pages=99999999999999999999", E2BIG, "nr_pages" },
	{ "op=get_user_pages addr=@ nr_pages=100000", E2BIG, "nr_pages" },
	{ "op=pin_user_pages addr=@ nr_pages=0xfffffffffffff hold", E2BIG, "nr_pages" },
	{ "op=get_user_pages addr=@ peek=$", E2BIG, "peek" },
	{ "op=get_user_pages addr=@ peek=99999999999999999999", E2BIG, "peek" },
	{ "op=walk addr=@ run=01234567890123456789012345678901", E2BIG, "run" },

	{ "op=walk addr=@ pid=4294967296", ESRCH, "pid" },
	{ "op=walk addr=@ pid=99999999999999999999", ESRCH, "pid" },
	{ "op=walk addr=@ pid=2147483647", ESRCH, "pid" },
	{ "op=walk addr=@ pid=2", EINVAL, "pid" },
	{ "op=get_user_pages_remote addr=@ pid=2 flags=write,force", EINVAL, "pid" },
	{ "op=get_user_pages addr=@ pid=1", EINVAL, "pid" },
	{ "op=pin_user_pages addr=@ pid=1 flags=write hold", EINVAL, "pid" },

	{ "op=get_user_pages addr=@ flags=", EINVAL, "flags" },
	{ "op=get_user_pages addr=@ flags=writ", EINVAL, "flags" },
	{ "op=get_user_pages addr=@ flags=write,", EINVAL, "flags" },
	{ "op=get_user_pages addr=@ flags=,write", EINVAL, "flags" },
	{ "op=get_user_pages addr=@ flags=1", EINVAL, "flags" },
	{ "op=get_user_pages addr=@ flags=FOLL_WRITE", EINVAL, "flags" },
	{ "op=get_user_pages addr=@ flags=longterm", EINVAL, "flags" },
	{ "op=get_user_pages_remote addr=@ flags=write,longterm", EINVAL, "flags" },
	{ "op=handle_mm_fault addr=@ flags=force", EINVAL, "flags" },
	{ "op=handle_mm_fault addr=@ flags=longterm", EINVAL, "flags" },
	{ "op=follow_pfn addr=@ flags=write", EINVAL, "flags" },
	{ "op=walk addr=@ flags=write", EINVAL, "flags" },

	{ "op=walk addr=@ hold", EINVAL, "hold" },
	{ "op=follow_pfn addr=@ hold", EINVAL, "hold" },
	{ "op=handle_mm_fault addr=@ peek=1", EINVAL, "peek" },
	{ "op=handle_mm_fault addr=@ flags=write poke=x", EINVAL, "poke" },
	{ "op=get_user_pages addr=@ poke=x", EINVAL, "poke" },
	{ "op=get_user_pages addr=@ flags=force poke=x", EINVAL, "poke" },
	{ "op=get_user_pages addr=@ flags=write poke=", EINVAL, "poke" },
	{ "op=follow_pfn addr=@ nr_pages=2", EINVAL, "nr_pages" },
	{ "op=handle_mm_fault addr=@ nr_pages=2", EINVAL, "nr_pages" },

	{ "op=walk addr=@\nop=walk addr=@", EINVAL, "request", NULL },
	{ "op=walk addr=@\n\n", EINVAL, "request", NULL },
};

/* @text with an address for each @, and for each $ a number. */
static char *with_address(const char *text)
{
	char *line = calloc(1, strlen(text) + 64), *end = line;

	for (; *text; text++)
		if (*text == '@')
			end += sprintf(end, "%p", good_page);
		else if (*text == '$')
			end += sprintf(end, "%zu", PAGE + 1);
		else if (*text == '#')
			end += sprintf(end, "%#lx", ~0UL / PAGE);
		else
			*end++ = *text;
	return line;
}

static void bad_lines(void)
{
	struct standing before = standing();
	int fd = run_open();
	size_t i;

	for (i = 0; i < NR_OF(lines); i++) {
		char *line = with_address(lines[i].line);
		char *word = lines[i].word ? strdup(lines[i].word) : word_of(line, lines[i].key);

		check_refused_word(ask_bytes(fd, line, strlen(line)), line, lines[i].error,
				   lines[i].key, word);
		free(line);
		free(word);
	}
	check_standing(&before);
	/* It still works, on the same descriptor. */
	check_num(jnum(record_on(fd, "op=walk addr=%p", good_page), "ret"), 1);
}

/* Bytes that are no text: refused, and the answer is still valid JSON in UTF-8. */
static void garbage(void)
{
	static const char *const words[] = { "\x01\x02\xff\xfe\x80", "op=\xc3\x28", "\xf0\x9f\x98",
		"\"\\\x7f", "op=\x1b[2J" };
	struct standing before = standing();
	int fd = run_open();
	size_t i;

	for (i = 0; i < NR_OF(words); i++) {
		struct answer answer = ask_bytes(fd, words[i], strlen(words[i]));

		check_num(answer.error, EINVAL);
		check(jstr(answer.json, "word") && jstr(answer.json, "error"));
	}
	check_standing(&before);
}

static void zero_bytes(void)
{
	static const char *const parts[] = { "op=walk\0 addr=@", "\0", "op=walk addr=0\0\n" };
	static const size_t lengths[] = { 15, 1, 16 };
	struct standing before = standing();
	int fd = run_open();
	size_t i;

	for (i = 0; i < 3; i++)
		check_refused_word(ask_bytes(fd, parts[i], lengths[i]), "bytes 0", EINVAL,
				   "request", NULL);
	check_standing(&before);
}

/* A line of @length bytes that would be served if it were short enough: a good one with blanks. */
static void long_line(int fd, size_t length, bool served)
{
	char *line = malloc(length);
	struct answer answer;

	memset(line, ' ', length);
	line[sprintf(line, "op=walk nokeep addr=%p", good_page)] = ' ';
	answer = ask_bytes(fd, line, length);
	if (served)
		check_num(answer.error, 0);
	else
		check_refused_word(answer, "long line", E2BIG, "request", NULL);
	free(line);
}

static void long_lines(void)
{
	struct standing before = standing();
	int fd = run_open();

	long_line(fd, LINE_MAX_BYTES + 1, false);
	long_line(fd, 2 * LINE_MAX_BYTES, false);
	long_line(fd, 65536, false);
	long_line(fd, MiB, false);
	check_standing(&before);
	long_line(fd, LINE_MAX_BYTES, true);
	long_line(fd, LINE_MAX_BYTES - 1, true);
}

/* A word is named, cut to 63 bytes. */
static void long_word(void)
{
	struct standing before = standing();
	int fd = run_open();
	struct answer answer;
	char word[3001];

	memset(word, 'w', 3000);
	word[3000] = '\0';
	answer = ask(fd, "op=walk addr=%p %s", good_page, word);
	check_num(answer.error, EINVAL);
	check_num(strlen(jstr(answer.json, "word")), 63);
	answer = ask(fd, "op=%s", word);
	check_num(answer.error, EINVAL);
	check_num(strlen(jstr(answer.json, "word")), 63);
	check_standing(&before);
}

/* Each write is a request of its own. */
static void pieces(void)
{
	struct standing before = standing();
	int fd = run_open();
	char line[64];

	refuse(fd, EINVAL, "addr", "op=walk ");
	sprintf(line, "addr=%p", good_page);
	refuse(fd, EINVAL, "op", "%s", line);
	check_standing(&before);
}

/* What is allowed is said. */
static void allowed(void)
{
	struct answer answer = ask(run_open(), "op=nonsense");
	const char *list = jstr(answer.json, "allowed");

	check(strstr(list, "walk") && strstr(list, "pin_user_pages") && strstr(list, "follow_pfn"));
	answer = ask(run_open(), "op=walk addr=1 nonsense=2");
	list = jstr(answer.json, "allowed");
	check(strstr(list, "op=") && strstr(list, "nr_pages=") && strstr(list, "hold"));
	answer = ask(run_open(), "op=fixup_user_fault addr=1 flags=force");
	check_str(jstr(answer.json, "allowed"), "write");
	answer = ask(run_open(), "op=follow_pfn addr=1 flags=write");
	check_str(jstr(answer.json, "allowed"), "none");
}

static void page_ends(void)
{
	struct standing before = standing();
	char *pages = map_anon(2 * PAGE, true);
	int fd = run_open();

	refuse(fd, E2BIG, "peek", "op=get_user_pages addr=%p peek=2", pages + PAGE - 1);
	refuse(fd, E2BIG, "poke", "op=get_user_pages addr=%p flags=write poke=xy",
	       pages + PAGE - 1);
	check_num(pages[PAGE - 1], 'a');
	check_standing(&before);
	check_str(jstr(record("op=get_user_pages addr=%p peek=1", pages + PAGE - 1), "peek"), "a");
}

/*
 * The last page of user space, and what lies beyond. On x86 the very last one is for nobody: a
 * sysret to the address behind it would fault in the kernel.
 */
static void last_page(void)
{
#ifdef __x86_64__
	uintptr_t end = (1UL << user_bits()) - PAGE;
#else
	uintptr_t end = 1UL << user_bits();
#endif
	char *last = (char *)end - PAGE;
	struct standing before = standing();
	int fd = run_open();

	refuse(fd, EFAULT, "addr", "op=walk addr=%p", last);
	refuse(fd, EFAULT, "addr", "op=walk addr=%p", (char *)end);
	check_standing(&before);
	must(mmap(last, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_FIXED_NOREPLACE, -1, 0) == last);
	check_str(jstr(call(last, "op=get_user_pages flags=write"), "pages.0.cause"),
		  "anon-allocated");
	check_str(jstr(walk(last + PAGE - 1), "state"), "present");
	before = standing();
	refuse(fd, EFAULT, "nr_pages", "op=walk addr=%p nr_pages=2", last);
	refuse(fd, EFAULT, "nr_pages", "op=get_user_pages addr=%p nr_pages=2", last);
	check_standing(&before);
}

static void too_many_pages(void)
{
	long long most = version_number("pages_max");
	char *pages = map_anon((most + 1) * PAGE, false);
	struct standing before = standing();

	refuse(run_open(), E2BIG, "nr_pages", "op=get_user_pages addr=%p nr_pages=%lld", pages,
	       most + 1);
	refuse(run_open(), E2BIG, "nr_pages", "op=pin_user_pages addr=%p nr_pages=%lld hold", pages,
	       4 * most);
	check_standing(&before);
	check_str(jstr(walk(pages), "state"), "none");
}

/* A mapping that may not be written to: who calls handle_mm_fault must not ask for it. */
static void fault_needs_right(void)
{
	char *page = map_anon(PAGE, true);
	struct standing before;

	must(!mprotect(page, PAGE, PROT_READ));
	before = standing();
	refuse(run_open(), EINVAL, "flags", "op=handle_mm_fault addr=%p flags=write", page);
	check_standing(&before);
}

static char *firmware;

/*
 * A private VM_PFNMAP mapping would be copied from the memory of who asks: for its own process
 * only.
 */
static void fault_on_private_pfnmap(void)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	struct json_object *answer;
	pid_t pid;

	if (fd < 0)
		skip("no /dev/mem to map");
	firmware = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0xf0000);
	if (firmware == MAP_FAILED)
		skip("/dev/mem cannot be mapped: %m");
	pid = spawn(NULL, NULL);
	refuse(run_open(), EINVAL, "flags", "op=handle_mm_fault addr=%p flags=write pid=%d",
	       firmware,
	       pid);
	refuse(run_open(), EINVAL, "flags", "op=fixup_user_fault addr=%p flags=write pid=%d",
	       firmware,
	       pid);
	/* "mm: support GUP-triggered unsharing of anonymous pages" (in v5.19) */
	if (kernel_since(5, 19))
		refuse(run_open(), EINVAL, "flags",
		       "op=handle_mm_fault addr=%p flags=unshare pid=%d", firmware, pid);
	check_num(jnum(record("op=handle_mm_fault addr=%p pid=%d", firmware, pid), "pid"), pid);
	answer = record("op=handle_mm_fault addr=%p flags=write", firmware);
	check(jnull(answer, "errno"));
	check(jbool(answer, "pages.0.after.page.anon"));
	kill_and_reap(pid);
}

static void no_mapping(void)
{
	char *page = reserve(pmd_size());
	struct standing before;
	static const char *const ops[] = { "walk", "follow_pfn", "handle_mm_fault",
		"get_user_pages", "get_user_pages_remote", "pin_user_pages" };
	size_t i;

	/*
	 * In the middle of a hole that is too small for whoever might map something else
	 * meanwhile.
	 */
	before = standing();
	must(!munmap(page + PAGE, PAGE));
	page += PAGE;
	for (i = 0; i < NR_OF(ops); i++)
		refuse(run_open(), EFAULT, "addr", "op=%s addr=%p", ops[i], page);
	check_standing(&before);
}

static void dead_process(void)
{
	struct standing before = standing();
	int fd = run_open();
	siginfo_t info;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	/* A zombie has given up its memory; one that was waited for is not there at all. */
	must(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	refuse(fd, ESRCH, "pid", "op=walk addr=%p pid=%d", good_page, pid);
	must(waitpid(pid, NULL, 0) == pid);
	refuse(fd, ESRCH, "pid", "op=walk addr=%p pid=%d", good_page, pid);
	check_standing(&before);
}

static void *be_a_thread(void *tid)
{
	*(volatile pid_t *)tid = syscall(SYS_gettid);
	pause();
	return NULL;
}

/* A thread's id is as good as a process's. */
static void thread_id(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *answer;
	volatile pid_t tid = 0;
	pthread_t thread;

	must(!pthread_create(&thread, NULL, be_a_thread, (void *)&tid));
	while (!tid)
		sleep_ms(1);
	answer = record("op=get_user_pages addr=%p pid=%d", page, tid);
	check_num(jnum(answer, "pid"), tid);
	check_num(jnum(answer, "tgid"), getpid());
	check_num(jnum(answer, "ret"), 1);
}

static void spin(long rounds)
{
	for (volatile long i = 0; i < rounds; i++)
		;
}

/*
 * Children that exit at once: the request finds them alive, dying, or gone. Whoever was too early
 * the last time waits a little longer now; and much longer who was it many times.
 */
static void exiting_process(void)
{
	char *page = map_anon(64 * PAGE, true);
	unsigned int served = 0, refused = 0;
	uint64_t start = now_ms();
	long child_first = 0, step = 0;
	bool was_refused = false;
	int fd = run_open();

	collect(false);
	while (going_on(start, 4000, served && refused)) {
		struct answer answer;
		pid_t pid = fork();

		must(pid >= 0);
		if (!pid) {
			spin(-child_first);
			_exit(0);
		}
		spin(child_first);
		answer = ask(fd, "op=%s addr=%p pid=%d nr_pages=%d", served & 1 ? "walk" :
			     "get_user_pages_remote", page, pid, 64);
		if (!step || was_refused != !!answer.error)
			step = 997;
		else if (step < 1000000)
			step *= 2;
		was_refused = answer.error;
		child_first += was_refused ? -step : step;
		if (answer.error) {
			refused++;
			check_that(answer.error == ESRCH || answer.error == EFAULT, "%s",
				   strerror(answer.error));
		} else {
			served++;
			check_num(jnum(answer.json, "pid"), pid);
		}
		answer_free(&answer);
		waitpid(pid, NULL, 0);
	}
	note("%u served, %u refused", served, refused);
	check(served && refused);
}

/* ---- reading the answer ---- */

static void nothing_asked(void)
{
	int fd = run_open();
	char byte;

	check_num(read(fd, &byte, 1), 0);
	check_num(pread(fd, &byte, 1, 100), 0);
	check_num(ask(fd, "op=walk addr=%p", map_anon(PAGE, true)).error, 0);
}

static void ways_of_reading(void)
{
	char *pages = map_anon(40 * PAGE, true), *text;
	int fd = run_open();
	struct answer answer = ask(fd, "op=get_user_pages addr=%p nr_pages=40", pages);
	size_t i, length = answer.length;

	text = malloc(length + 1);
	check_num(answer.error, 0);
	/* Byte by byte. */
	check_num(lseek(fd, 0, SEEK_SET), 0);
	for (i = 0; i < 9000; i++)
		check_num(read(fd, text + i, 1), 1);
	check(!memcmp(text, answer.text, 9000));
	/* From any place, in any order. */
	for (i = 7; i < length; i += 4093) {
		size_t want = length - i < 100 ? length - i : 100;

		check_num(pread(fd, text, 100, i), want);
		check(!memcmp(text, answer.text + i, want));
	}
	check_num(pread(fd, text, 100, 3), 100);
	check(!memcmp(text, answer.text + 3, 100));
	check_num(pread(fd, text, 100, length), 0);
	check_num(pread(fd, text, 100, length + 12345), 0);
	check_num(lseek(fd, 5, SEEK_SET), 5);
	check_num(read(fd, text, 10), 10);
	check(!memcmp(text, answer.text + 5, 10));
	check(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
	/* The next request starts from the beginning. */
	check_num(write(fd, "op=x", 4), -1);
	check_num(read(fd, text, 10), 10);
	check(!memcmp(text, "{\"error\":\"", 10));
}

static void modes_of_opening(void)
{
	char *nowhere = map_anon(PAGE, false);
	int fd = open(module_file("run"), O_RDONLY);
	char byte;

	check(fd >= 0);
	check(write(fd, "op=walk", 7) == -1 && errno == EBADF);
	fd = open(module_file("run"), O_WRONLY);
	check(fd >= 0);
	check(read(fd, &byte, 1) == -1 && errno == EBADF);
	check(write(fd, "op=nonsense", 11) == -1 && errno == EINVAL);
	fd = open(module_file("version"), O_RDONLY);
	check(write(fd, "x", 1) == -1);
	/* Memory that is not there. */
	must(!munmap(nowhere, PAGE));
	fd = run_open();
	check(write(fd, nowhere, 10) == -1 && errno == EFAULT);
	check(write(fd, "op=nonsense", 11) == -1);
	check(read(fd, nowhere, 10) == -1 && errno == EFAULT);
}

static void no_right(void)
{
	pid_t pid = fork();
	int status;

	must(pid >= 0);
	if (!pid) {
		must(!setresuid(65534, 65534, 65534));
		check(open(module_file("run"), O_RDWR) == -1 && errno == EACCES);
		check(open(module_file("version"), O_RDONLY) == -1 && errno == EACCES);
		check(open("/dev/gupwalk_target", O_RDWR) == -1 && errno == EACCES);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	check_num(status, 0);
}

/* ---- two writers ---- */

static int shared_fd;
static volatile bool done;
static volatile unsigned int answers;

static void *write_and_read(void *op)
{
	while (!done) {
		char line[128], text[65536];
		struct json_object *json;
		ssize_t length;

		length = sprintf(line, "op=%s addr=%p nokeep", (char *)op, good_page);
		if (write(shared_fd, line, length) < 0)
			check_num(errno, EINVAL);
		/* The other one's answer or ours, but a whole one. */
		length = pread(shared_fd, text, sizeof(text) - 1, 0);
		check(length > 0);
		text[length] = '\0';
		json = json_tokener_parse(text);
		check_that(json && text[length - 1] == '\n', "not a whole answer: %s", text);
		json_object_put(json);
		answers++;
	}
	return NULL;
}

static void two_writers(void)
{
	static char *const ops[] = { "walk", "get_user_pages", "nonsense" };
	pthread_t threads[3];
	uint64_t start;
	int i;

	good_page = map_anon(PAGE, true);
	shared_fd = run_open();
	for (i = 0; i < 3; i++)
		must(!pthread_create(&threads[i], NULL, write_and_read, ops[i]));
	start = now_ms();
	while (going_on(start, 3000, answers > 100))
		sleep_ms(50);
	done = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	note("%u answers", answers);
	check(answers > 100);
	check_num(jnum(record_on(shared_fd, "op=walk addr=%p", good_page), "ret"), 1);
}

/* ---- chance ---- */

static const char *const vocabulary[] = {
	"op=", "walk", "follow_pfn", "handle_mm_fault", "get_user_pages", "get_user_pages_remote",
	"pin_user_pages", "addr=", "pid=", "nr_pages=", "flags=", "write", "force", "longterm",
	"run=", "hold", "peek=", "poke=", "nokeep", " ", " ", " ", "  ", "\t", ",", "=", "\n", "0",
	"1", "2", "0x", "-", "7", "4095", "4096", "18446744073709551615",
	"0xffff888000000000", "ffffffff",
	"x",	"\xff", "\"", "\\", "\x01", "99999", "%s%n", "../..", "op=walk ",
	"op=pin_user_pages ",
	"op=get_user_pages ", "op=get_user_pages_remote ",
};

static const char *const good_begins[] = {
	"op=walk", "op=follow_pfn", "op=get_user_pages", "op=get_user_pages_remote flags=write",
	"op=pin_user_pages hold",
};

/* Addresses whose pages may be written to: the test's own. */
static void append_word(char *line, size_t room, uint64_t *state, char *pages)
{
	size_t used = strlen(line);
	uint32_t which = random_of(state) % 100;

	if (which < 25)
		snprintf(line + used, room - used, " addr=0x%lx",
			 (uintptr_t)pages + random_of(state) % (12 * PAGE));
	else if (which < 30)
		snprintf(line + used, room - used, " nr_pages=%u", random_of(state) % 600);
	else if (which < 33)
		snprintf(line + used, room - used, " pid=%d", getpid());
	else
		snprintf(line + used, room - used, "%s",
			 vocabulary[random_of(state) % NR_OF(vocabulary)]);
}

static void fuzz(void)
{
	char *pages = map_anon(8 * PAGE, true), line[600];
	uint64_t state = seed(), start = now_ms();
	unsigned int lines_served = 0, lines_refused = 0;
	int fd = run_open();

	collect(false);
	while (going_on(start, 5000, lines_served > 10 && lines_refused > 10)) {
		unsigned int words = 1 + random_of(&state) % 14;
		struct answer answer;

		line[0] = '\0';
		/* Half of them begin well, or hardly any would be served. */
		if (random_of(&state) & 1)
			sprintf(line, "%s addr=%p ", good_begins[random_of(&state) % 5],
				pages + random_of(&state) % (8 * PAGE));
		words /= line[0] ? 3 : 1;
		while (words--)
			append_word(line, sizeof(line), &state, pages);
		answer = ask_bytes(fd, line, strlen(line));
		check(answer.json);
		if (answer.error) {
			lines_refused++;
			check(jstr(answer.json, "error"));
			check_that(answer.error == EINVAL || answer.error == E2BIG ||
				   answer.error == EFAULT || answer.error == ESRCH ||
				   answer.error == ENOSPC || answer.error == EOPNOTSUPP,
				   "%s: %s", line, strerror(answer.error));
		} else {
			lines_served++;
			check_num(jnum(answer.json, "format"), 1);
		}
		answer_free(&answer);
	}
	close(fd);
	note("%u lines served, %u refused", lines_served, lines_refused);
	check(lines_served > 10 && lines_refused > 10);
	check_num(version_number("pins_held"), 0);
	check_num(jnum(record("op=walk addr=%p", pages), "ret"), 1);
}

/* Bytes of any value. */
static void fuzz_bytes(void)
{
	uint64_t state = seed(), end = now_ms() + 2000;
	struct standing before = standing();
	unsigned char line[300];
	int fd = run_open();

	collect(false);
	while (now_ms() < end) {
		size_t length = random_of(&state) % sizeof(line), i;
		struct answer answer;

		for (i = 0; i < length; i++)
			line[i] = random_of(&state);
		answer = ask_bytes(fd, line, length);
		check_num(answer.error, EINVAL);
		check(jstr(answer.json, "error"));
		answer_free(&answer);
	}
	check_standing(&before);
}

/* Which flag it is, and no other. */
static void flags_named(void)
{
	char *page = map_anon(PAGE, true);
	struct answer answer;

	answer = ask(run_open(), "op=get_user_pages_fast_only addr=%p flags=write,force", page);
	check_num(answer.error, EINVAL);
	check_str(jstr(answer.json, "error"),
		  "flags: get_user_pages_fast_only does not take force on this kernel");
	check_str(jstr(answer.json, "allowed"), "write");
	answer = ask(run_open(), "op=walk addr=%p flags=write,nowait", page);
	check_str(jstr(answer.json, "error"),
		  "flags: walk does not take write,nowait on this kernel");
	answer = ask(run_open(), "op=get_user_pages addr=%p flags=write,wrote", page);
	check_str(jstr(answer.json, "error"), "flags: no such flag: 'wrote'");
	answer = ask(run_open(), "op=get_user_pages addr=%p flags=write,longterm", page);
	check_num(answer.error, EINVAL);
	check(strstr(jstr(answer.json, "error"), "longterm is for pins"));
}

const struct test tests_bad[] = {
	{ "bad/flags-named", flags_named },
	{ "bad/lines", bad_lines },
	{ "bad/garbage", garbage },
	{ "bad/zero-bytes", zero_bytes },
	{ "bad/long-lines", long_lines },
	{ "bad/long-word", long_word },
	{ "bad/pieces", pieces },
	{ "bad/allowed", allowed },
	{ "bad/page-ends", page_ends },
	{ "bad/last-page", last_page },
	{ "bad/too-many-pages", too_many_pages },
	{ "bad/fault-needs-right", fault_needs_right },
	{ "bad/fault-on-private-pfnmap", fault_on_private_pfnmap },
	{ "bad/no-mapping", no_mapping },
	{ "bad/dead-process", dead_process },
	{ "bad/thread-id", thread_id },
	{ "bad/exiting-process", exiting_process },
	{ "bad/nothing-asked", nothing_asked },
	{ "bad/ways-of-reading", ways_of_reading },
	{ "bad/modes-of-opening", modes_of_opening },
	{ "bad/no-right", no_right },
	{ "bad/two-writers", two_writers },
	{ "bad/fuzz", fuzz },
	{ "bad/fuzz-bytes", fuzz_bytes },
	{ }
};
