// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk observe: what other kernel code does to memory, call by call, while a command runs. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "about.h"
#include "device.h"
#include "number.h"
#include "observing.h"
#include "pin.h"
#include "print.h"
#include "record.h"
#include "show.h"

enum {
	OPTION_COMM = OPTION_LONG,
	OPTION_OP,
	OPTION_ADDR,
	OPTION_MIN_PAGES,
	OPTION_MIN_TIME,
	OPTION_MODULE,
	OPTION_ALONE,
};

static const struct option_row observe_options[] = {
	{ "pid", 'p', "PID", "a process and its children, or their memory; until it ends" },
	{ "alone", OPTION_ALONE, NULL, "without its children" },
	{ "comm", OPTION_COMM, "NAME", "calls by threads of this name" },
	{ "op", OPTION_OP, "OP,…", "these calls; handle_mm_fault, each page fault, only so" },
	{ "addr", OPTION_ADDR, "START[-END|+LEN]", "calls on these addresses" },
	{ "min-pages", OPTION_MIN_PAGES, "N", "calls for N pages or more" },
	{ "min-time", OPTION_MIN_TIME, "US", "calls that take US microseconds or longer" },
	{ "module", OPTION_MODULE, "NAME", "calls by this driver, as it is named in the output" },
	{ "verbose", 'v', NULL, "print the page tables before and after each call, and its stack" },
	{ NULL }
};

/* For so long, at the end, is read what was recorded before; others may go on with their calls. */
#define DRAIN_MS 2000

/* After the command has ended what it began in the background may need a moment. */
#define SETTLE_MS 200

/*
 * How often it is looked whether pins have outlived their owner. What is found so has to be so the
 * next time as well: what a process has open is closed after its memory is gone.
 */
#define LOOK_MS 1000

/* What exec itself does in every process: it writes the arguments into the new program's stack. */
#define EXEC_DRIVER "get_arg_page"

/* What a shell says too of a command that cannot be run. */
#define CANNOT_RUN 127

/**
 * struct driver - a line of the summary
 * @name: its name
 * @calls: its calls
 * @failed: of them, those that failed
 * @pages: pages that it obtained
 * @ns: how long the calls took
 * @pins: it took pages as pins, of which it is known whether they were given back
 * @held: pages that it holds still
 */
struct driver {
	char *name;
	uint64_t calls;
	uint64_t failed;
	uint64_t pages;
	uint64_t ns;
	bool pins;
	uint64_t held;
};

/**
 * struct orphan - a pin whose owner is gone
 * @seq: number of the record of the call
 * @looks: how often it was found so
 * @look: the last time
 */
struct orphan {
	int64_t seq;
	unsigned int looks;
	uint64_t look;
};

/**
 * struct observer - one run
 * @s: the invocation
 * @filter: line for the module
 * @pid: process asked for by -p, or 0
 * @alone: without its children
 * @verbose: print all
 * @command: command to run, or NULL
 * @child: its process, or 0
 * @go: descriptor on which the child waits
 * @fd: of `observe`
 * @signals: a signalfd
 * @ending: a pidfd of @pid, or -1
 * @done: it is time to end
 * @status: of the child, as by waitpid()
 * @text: what was read and is no whole line yet
 * @drivers: the summary
 * @nr_drivers: how many
 * @orphans: pins whose owners are gone
 * @nr_orphans: how many
 * @look: how often they were looked for
 * @looked_ms: when the last time, CLOCK_MONOTONIC
 * @done_ms: when it was time to end
 * @warned: it was said that calls are lost
 * @shown: records shown
 * @of_exec: records of exec's own, which are not shown
 */
struct observer {
	struct session *s;
	struct strbuf filter;
	uint64_t pid;
	bool alone;
	bool verbose;
	char **command;
	pid_t child;
	int go;
	int fd;
	int signals;
	int ending;
	bool done;
	int status;
	struct strbuf text;
	struct driver *drivers;
	size_t nr_drivers;
	struct orphan *orphans;
	size_t nr_orphans;
	uint64_t look;
	uint64_t looked_ms;
	uint64_t done_ms;
	bool warned;
	size_t shown;
	size_t of_exec;
};

static struct driver *driver_of(struct observer *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->nr_drivers; i++)
		if (!strcmp(o->drivers[i].name, name))
			return &o->drivers[i];
	o->drivers = must_grow(o->drivers, o->nr_drivers, sizeof(*o->drivers));
	o->drivers[o->nr_drivers] = (struct driver){ .name = must_copy(name) };
	return &o->drivers[o->nr_drivers++];
}

/* ---- a record ---- */

/* Only what obtains pages returns how many. */
static uint64_t pages_of(const struct record *r)
{
	if (r->ret <= 0 || r->fault || (strncmp(r->op, "get_", 4) && strncmp(r->op, "pin_", 4) &&
					strncmp(r->op, "memfd_", 6)))
		return 0;
	return r->ret;
}

static void count(struct observer *o, const struct record *r)
{
	struct driver *d = driver_of(o, r->driver);

	d->calls++;
	d->failed += !!r->errno_name;
	d->pages += pages_of(r);
	d->ns += r->duration_ns;
	d->pins = d->pins || !strncmp(r->op, "pin_", 4) || !strncmp(r->op, "memfd_", 6);
}

/* The causes of the pages that were looked at, each once. */
static void put_causes(const struct record *r, struct strbuf *out)
{
	struct strbuf causes = { 0 };
	size_t i;

	for (i = 0; i < r->nr_read; i++)
		if (r->pages[i].cause && !names_have(strbuf_text(&causes), r->pages[i].cause))
			strbuf_word(&causes, ",", r->pages[i].cause);
	if (causes.len)
		strbuf_addf(out, "; %s", strbuf_text(&causes));
	strbuf_free(&causes);
}

static void put_time(uint64_t ns, struct strbuf *out)
{
	if (ns < 10000000)
		strbuf_addf(out, "%" PRIu64 ".%" PRIu64 " us", ns / 1000, ns / 100 % 10);
	else
		strbuf_addf(out, "%" PRIu64 " ms", ns / 1000000);
}

static void show_line(struct observer *o, const struct record *r)
{
	struct strbuf line = { 0 };
	int column;

	column = fprintf(o->s->out, "%-12s ", r->driver);
	strbuf_addf(&line, "%s[%" PRId64 "] ", r->caller_comm ? r->caller_comm : "?",
		    r->caller_pid.value);
	show_call(r, &line);
	if (r->reason)
		strbuf_addf(&line, " (%s)", r->reason);
	strbuf_addf(&line, " in ");
	put_time(r->duration_ns, &line);
	put_causes(r, &line);
	if (r->comm && r->tgid != r->caller_tgid.value)
		strbuf_addf(&line, "; memory of %s[%" PRId64 "]", r->comm, r->tgid);
	put_wrapped(o->s->out, 15, column, o->s->wide, strbuf_text(&line));
	strbuf_free(&line);
}

static bool take_line(struct observer *o, const char *line, size_t len)
{
	struct strbuf wrong = { 0 };
	struct record *r = record_parse(line, len, &wrong);

	if (!r || !r->driver) {
		complain("reading a record", NULL, r ? "it is none of an observed call" :
			 strbuf_text(&wrong), "use a gupwalk and a module of the same release");
		strbuf_free(&wrong);
		record_free(r);
		return false;
	}
	count(o, r);
	if (o->s->json)
		fprintf(o->s->out, "%.*s\n", (int)len, line);
	else if (o->verbose)
		show_record(o->s, r, ++o->shown);
	else if (!strcmp(r->driver, EXEC_DRIVER))
		o->of_exec++;
	else
		show_line(o, r);
	fflush(o->s->out);
	record_free(r);
	strbuf_free(&wrong);
	return true;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* The command itself gets Ctrl-C too, from its terminal, and its end is what counts. */
static void take_signals(struct observer *o)
{
	struct signalfd_siginfo info;
	pid_t ended;
	int status;

	while (read(o->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD) {
			o->done = o->done || !o->child || info.ssi_signo != SIGINT;
			continue;
		}
		/* others are what the command has left behind */
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
			if (ended != o->child)
				continue;
			o->status = status;
			o->done = true;
		}
	}
}

/* All that is there. Returns false after a complaint. */
static bool take_records(struct observer *o)
{
	char bytes[65536], *newline;
	size_t at;
	ssize_t n;

	for (;;) {
		if (o->done && !o->done_ms)
			o->done_ms = now_ms();
		if (o->done && now_ms() - o->done_ms > DRAIN_MS)
			return true;
		n = read(o->fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		strbuf_add(&o->text, bytes, n);
		for (at = 0; (newline = memchr(o->text.at + at, '\n', o->text.len - at));) {
			if (!take_line(o, o->text.at + at, newline - (o->text.at + at)))
				return false;
			at = newline + 1 - o->text.at;
		}
		memmove(o->text.at, o->text.at + at, o->text.len - at);
		o->text.len -= at;
		if (!o->done)
			take_signals(o);
	}
	if (!n || errno == EAGAIN)
		return true;
	complain("reading", "observe", strerror(errno), "was the module unloaded?");
	return false;
}

/* ---- the command ---- */

/* The child waits until it is observed, and then becomes the command. */
static void become(struct observer *o, int ready)
{
	sigset_t none;
	char byte;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(ready, &byte, 1) != 1)
		_exit(STATUS_TROUBLE);
	close(ready);
	execvp(o->command[0], o->command);
	complain("running", o->command[0], strerror(errno), "give a command that can be run");
	_exit(CANNOT_RUN);
}

static bool spawn(struct observer *o)
{
	int ends[2];

	if (pipe(ends)) {
		complain("running", o->command[0], strerror(errno), NULL);
		return false;
	}
	o->child = fork();
	if (!o->child) {
		close(ends[1]);
		become(o, ends[0]);
	}
	close(ends[0]);
	o->go = ends[1];
	if (o->child > 0)
		return true;
	complain("running", o->command[0], strerror(errno), NULL);
	return false;
}

/*
 * Whatever the command begins stays below this process, also what its parent does not wait for: see
 * PR_SET_CHILD_SUBREAPER.
 */
static uint64_t pid_observed(struct observer *o)
{
	if (!o->child)
		return o->pid;
	if (o->alone)
		return o->child;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return getpid();
}

static bool begin(struct observer *o)
{
	struct strbuf answer = { 0 };
	struct refusal refusal;
	uint64_t pid = pid_observed(o);
	int error;

	if (pid)
		strbuf_addf(&o->filter, " pid=%" PRIu64 "%s", pid, o->alone ? "" : " children");
	/* what is written to a file may be pinned for that */
	strbuf_addf(&o->filter, " others");
	/* one write is one line, and nothing is a line too */
	strbuf_addf(&o->filter, "\n");
	if (write(o->fd, o->filter.at, o->filter.len) == (ssize_t)o->filter.len)
		return true;
	error = errno;
	slurp_fd(o->fd, &answer);
	refusal_read(strbuf_text(&answer), error, &refusal);
	o->filter.at[--o->filter.len] = '\0';
	refusal_complain(o->filter.at + (*o->filter.at == ' '), &refusal);
	refusal_free(&refusal);
	strbuf_free(&answer);
	return false;
}

static bool watch_signals(struct observer *o)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	o->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (o->signals >= 0)
		return true;
	complain("observing", NULL, strerror(errno), NULL);
	return false;
}

/* ---- pins that outlive their owners ---- */

static struct orphan *orphan_of(struct observer *o, int64_t seq)
{
	size_t i;

	for (i = 0; i < o->nr_orphans; i++)
		if (o->orphans[i].seq == seq)
			return &o->orphans[i];
	o->orphans = must_grow(o->orphans, o->nr_orphans, sizeof(*o->orphans));
	o->orphans[o->nr_orphans] = (struct orphan){ .seq = seq };
	return &o->orphans[o->nr_orphans++];
}

static void look_at_pin(struct observer *o, const struct pin *pin)
{
	struct strbuf words = { 0 };
	struct orphan *orphan;
	int column;

	if (strcmp(pin->what, "pin") || !pin_outlived_owner(pin))
		return;
	orphan = orphan_of(o, pin->seq.value);
	orphan->look = o->look;
	if (++orphan->looks != 2)
		return;
	column = fprintf(o->s->out, "%-12s ", pin->driver);
	pin_words_outlived(pin, &words);
	put_wrapped(o->s->out, 15, column, o->s->wide, strbuf_text(&words));
	fflush(o->s->out);
	strbuf_free(&words);
}

/* What was given back meanwhile is forgotten. */
static void forget_orphans(struct observer *o)
{
	size_t i, kept = 0;

	for (i = 0; i < o->nr_orphans; i++)
		if (o->orphans[i].look == o->look)
			o->orphans[kept++] = o->orphans[i];
	o->nr_orphans = kept;
}

static bool look_for_orphans(struct observer *o)
{
	struct pins pins = { 0 };
	struct observing now;
	bool good;
	size_t i;

	o->looked_ms = now_ms();
	o->look++;
	good = observing_read(o->s->debugfs, &now);
	if (good && now.lost && !o->warned) {
		fputs("gupwalk: observing: calls are lost, as they come faster than they are printed: "
		      "a filter, or a\n  larger parameter observe_records of the module, helps\n",
		      stderr);
		o->warned = true;
	}
	if (good && now.pins)
		good = pins_read(o->s->debugfs, &pins);
	for (i = 0; good && i < pins.n; i++)
		look_at_pin(o, &pins.at[i]);
	forget_orphans(o);
	pins_free(&pins);
	return good;
}

static bool observe(struct observer *o)
{
	struct pollfd fds[] = {
		{ .fd = o->fd, .events = POLLIN },
		{ .fd = o->signals, .events = POLLIN },
		{ .fd = o->ending, .events = POLLIN },
	};

	o->looked_ms = now_ms();
	while (!o->done) {
		if (poll(fds, ARRAY_SIZE(fds), o->s->json ? -1 : LOOK_MS) < 0 && errno != EINTR) {
			complain("observing", NULL, strerror(errno), NULL);
			return false;
		}
		take_signals(o);
		if (fds[2].revents)
			o->done = true;
		if (!take_records(o))
			return false;
		if (!o->s->json && now_ms() - o->looked_ms >= LOOK_MS && !look_for_orphans(o))
			return false;
	}
	return true;
}

/* ---- the end ---- */

static void number(uint64_t value, char text[24])
{
	snprintf(text, 24, "%" PRIu64, value);
}

static int by_time(const void *a, const void *b)
{
	const struct driver *one = a, *other = b;

	return one->ns < other->ns ? 1 : one->ns > other->ns ? -1 : 0;
}

static void print_drivers(struct observer *o)
{
	static const struct column columns[] = {
		{ .name = "driver" }, { .name = "calls", .right = true },
		{ .name = "failed", .right = true }, { .name = "pages", .right = true },
		{ .name = "bytes", .right = true }, { .name = "time", .right = true },
		{ .name = "held now", .right = true },
	};
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct table *t;
	size_t i;

	if (!o->nr_drivers)
		return;
	qsort(o->drivers, o->nr_drivers, sizeof(*o->drivers), by_time);
	t = table_new(o->s, columns, ARRAY_SIZE(columns));
	for (i = 0; i < o->nr_drivers; i++) {
		const struct driver *d = &o->drivers[i];
		char calls[24], failed[24], pages[24], bytes[24], held[24];
		struct strbuf time = { 0 };

		number(d->calls, calls);
		number(d->failed, failed);
		number(d->pages, pages);
		if (d->pins)
			number(d->held, held);
		else
			snprintf(held, sizeof(held), "-");
		put_time(d->ns, &time);
		table_row(t, (const char *[]){
			d->name, calls, failed, pages, size_text(d->pages * page, bytes),
			strbuf_text(&time), held,
		}, false);
		strbuf_free(&time);
	}
	fputc('\n', o->s->out);
	table_print(t);
}

/* Return: how many there are to show. */
static size_t count_held(struct observer *o, const struct pins *pins)
{
	size_t i, shown = 0;

	for (i = 0; i < pins->n; i++) {
		shown += !!strcmp(pins->at[i].what, "reference");
		if (!strcmp(pins->at[i].what, "pin"))
			driver_of(o, pins->at[i].driver)->held += pins->at[i].pages_left.value;
	}
	return shown;
}

static void print_counts(struct observer *o, const struct observing *now)
{
	fprintf(o->s->out, "\n%" PRIu64 " calls seen: %" PRIu64 " recorded, %" PRIu64
		" filtered out, %" PRIu64 " lost", now->seen, now->recorded, now->filtered,
		now->lost);
	if (now->under_way)
		fprintf(o->s->out, ", %" PRIu64 " not returned yet", now->under_way);
	fputc('\n', o->s->out);
	if (o->of_exec)
		fprintf(o->s->out, "%zu of them are exec's own (%s), and not shown: -v shows them\n",
			o->of_exec, EXEC_DRIVER);
}

static bool finish(struct observer *o)
{
	const struct timespec moment = { .tv_nsec = SETTLE_MS * 1000000L };
	struct observing now;
	struct pins pins = { 0 };
	size_t shown;

	if (!observing_read(o->s->debugfs, &now))
		return false;
	if (now.pins) {
		nanosleep(&moment, NULL);
		if (!take_records(o) || !observing_read(o->s->debugfs, &now))
			return false;
	}
	if (o->s->json) {
		if (now.lost)
			fprintf(stderr, "gupwalk: observing: %" PRIu64 " of %" PRIu64 " calls were "
				"lost\n", now.lost, now.seen);
		return true;
	}
	if (!pins_read(o->s->debugfs, &pins))
		return false;
	shown = count_held(o, &pins);
	print_drivers(o);
	print_counts(o, &now);
	if (shown)
		fputs(now.pins ? "\nstill held:\n" : "\n", o->s->out);
	pins_show(o->s, &pins);
	observing_doubts(o->s, &now);
	pins_free(&pins);
	return true;
}

static void print_end(const struct observer *o)
{
	if (!o->child || !o->done)
		return;
	if (WIFSIGNALED(o->status))
		fprintf(stderr, "gupwalk: observing: %s was ended by signal %d\n", o->command[0],
			WTERMSIG(o->status));
	else if (WIFEXITED(o->status) && WEXITSTATUS(o->status))
		fprintf(stderr, "gupwalk: observing: %s ended with status %d\n", o->command[0],
			WEXITSTATUS(o->status));
}

static int run(struct observer *o)
{
	bool good;

	if (!watch_signals(o) || (o->command && !spawn(o)))
		return STATUS_TROUBLE;
	if (o->pid)
		o->ending = syscall(SYS_pidfd_open, (pid_t)o->pid, 0);
	o->fd = device_open_observe(o->s->debugfs);
	if (o->fd < 0 || !begin(o) || !session_out(o->s))
		return STATUS_TROUBLE;
	if (o->command && write(o->go, "", 1) != 1)
		complain("running", o->command[0], strerror(errno), NULL);
	if (!o->command)
		fputs("gupwalk: observing; Ctrl-C ends it\n", stderr);
	good = observe(o) && take_records(o) && finish(o);
	print_end(o);
	/* the child has complained itself */
	if (o->child && WIFEXITED(o->status) && WEXITSTATUS(o->status) == CANNOT_RUN)
		good = false;
	return good ? STATUS_FINE : STATUS_TROUBLE;
}

static void observer_free(struct observer *o)
{
	size_t i;

	/* a child that was never let go ends when nobody holds the other end */
	if (o->go >= 0)
		close(o->go);
	if (o->fd >= 0)
		close(o->fd);
	if (o->signals >= 0)
		close(o->signals);
	if (o->ending >= 0)
		close(o->ending);
	for (i = 0; i < o->nr_drivers; i++)
		free(o->drivers[i].name);
	free(o->drivers);
	free(o->orphans);
	strbuf_free(&o->text);
	strbuf_free(&o->filter);
}

/* ---- the command line ---- */

static const char *add_number(struct observer *o, const char *key, const char *arg, uint64_t factor)
{
	uint64_t value;

	if (!number_parse(arg, UINT64_MAX / factor, &value))
		return "is no number";
	strbuf_addf(&o->filter, " %s=%" PRIu64, key, value * factor);
	return NULL;
}

static const char *add_range(struct observer *o, const char *arg)
{
	struct range range;
	const char *wrong = range_parse(arg, sysconf(_SC_PAGESIZE), &range);

	if (!wrong)
		strbuf_addf(&o->filter, " addr=0x%" PRIx64 "-0x%" PRIx64, range.start, range.end);
	return wrong;
}

static const char *add_word(struct observer *o, const char *key, const char *arg)
{
	if (!*arg || strpbrk(arg, " \t\n"))
		return "is empty, or has blanks in it";
	strbuf_addf(&o->filter, " %s=%s", key, arg);
	return NULL;
}

static const char *take_option(struct observer *o, int c, const char *arg)
{
	switch (c) {
	case 'p':
		return number_parse(arg, INT_MAX, &o->pid) && o->pid ? NULL :
		       "is no number of a process";
	case OPTION_ALONE:
		o->alone = true;
		return NULL;
	case OPTION_COMM:
		return add_word(o, "comm", arg);
	case OPTION_OP:
		return add_word(o, "op", arg);
	case OPTION_ADDR:
		return add_range(o, arg);
	case OPTION_MIN_PAGES:
		return add_number(o, "min_pages", arg, 1);
	case OPTION_MIN_TIME:
		return add_number(o, "min_ns", arg, 1000);
	case OPTION_MODULE:
		return add_word(o, "module", arg);
	case 'v':
		o->verbose = true;
		return NULL;
	}
	return "is unknown";
}

static int do_observe(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct observer o = { .s = s, .go = -1, .fd = -1, .signals = -1, .ending = -1 };
	const char *arg, *wrong;
	struct about about;
	int c, status;

	while ((c = parser_next(&p, &arg)) > 0) {
		wrong = take_option(&o, c, arg);
		if (wrong) {
			strbuf_free(&o.filter);
			return usage_error(s, arg, wrong);
		}
	}
	if (c < 0)
		return p.status;
	if (p.argc && o.pid)
		return usage_error(s, p.argv[0], "is a command, and -p is given too");
	if (p.argc)
		o.command = p.argv;
	/* it says best what is missing, if the module is not there */
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	about_free(&about);
	if (!device_need_live(s->debugfs))
		return STATUS_TROUBLE;
	status = run(&o);
	observer_free(&o);
	return status;
}

const struct command command_observe = {
	.name = "observe",
	.words = "[-- COMMAND…]",
	.summary = "print what other kernel code does to memory, call by call, with driver and "
		   "result: of a command, of a process, or of all until Ctrl-C; and what is held "
		   "at the end",
	.options = observe_options,
	.run = do_observe,
};
