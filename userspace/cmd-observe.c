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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "about.h"
#include "device.h"
#include "drivers.h"
#include "filter.h"
#include "number.h"
#include "observing.h"
#include "orphans.h"
#include "pin.h"
#include "record.h"
#include "show.h"
#include "status.h"

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
	{ "op", OPTION_OP, "OP,…", "these calls, as 'pin_*'; handle_mm_fault, each page fault, only "
	  "by its name" },
	{ "addr", OPTION_ADDR, "START[-END|+LEN]", "calls on these addresses" },
	{ "min-pages", OPTION_MIN_PAGES, "N", "calls for N pages or more" },
	{ "min-time", OPTION_MIN_TIME, "US", "calls that take US microseconds or longer" },
	{ "module", OPTION_MODULE, "NAME", "calls by this driver, as it is named in the output" },
	{ "verbose", 'v', NULL, "print the page tables before and after each call, and its stack" },
	{ NULL }
};

/* After the command has ended what it began in the background may need a moment. */
#define SETTLE_MS 200

/* How often it is looked then whether anything is held still. */
#define STEP_MS 50

/*
 * How often, before that, it is looked whether pins have outlived their owner. Of many pins that
 * takes its time, of which reading the records is to have most.
 */
#define LOOK_MS 1000
#define LOOK_PART 10

/* What exec itself does in every process: it writes the arguments into the new program's stack. */
#define EXEC_DRIVER "get_arg_page"

/* What a shell says too of a command that cannot be run. */
#define CANNOT_RUN 127

/**
 * struct observer - one run
 * @s: the invocation
 * @filter: which calls
 * @pid: process asked for by -p, or 0
 * @alone: without its children
 * @verbose: print all
 * @filtered: not all of its calls are asked for
 * @command: command to run, or NULL
 * @child: its process, or 0
 * @go: descriptor on which the child waits, and says that the command cannot be run
 * @fd: of `observe`
 * @signals: a signalfd
 * @ending: a pidfd of @pid, or -1
 * @done: it is time to end
 * @ended: the child has ended
 * @status: of the child, as by waitpid()
 * @text: what was read and is no whole line yet
 * @drivers: the summary
 * @orphans: pins whose owners are gone
 * @now: what the module says of itself
 * @look_ms: when to look again, CLOCK_MONOTONIC
 * @taken: records that were read
 * @until: at the end, how many are to be read: others may go on with their calls
 * @warned: it was said that calls are lost
 * @shown: records shown in full
 * @of_exec: records of exec's own, which are not shown
 */
struct observer {
	struct session *s;
	struct filter filter;
	uint64_t pid;
	bool alone;
	bool verbose;
	bool filtered;
	char **command;
	pid_t child;
	int go;
	int fd;
	int signals;
	int ending;
	bool done;
	bool ended;
	int status;
	struct strbuf text;
	struct drivers drivers;
	struct orphans orphans;
	struct observing now;
	uint64_t look_ms;
	uint64_t taken;
	uint64_t until;
	bool warned;
	size_t shown;
	size_t of_exec;
};

/* ---- a record ---- */

/* The causes of the pages that were looked at, each once. */
static void put_causes(const struct record *r, struct strbuf *out)
{
	struct strbuf causes = { 0 };
	size_t i, from;

	for (i = 0; i < r->nr_read; i++)
		if (r->pages[i].cause && !names_have(strbuf_text(&causes), r->pages[i].cause))
			strbuf_word(&causes, ",", r->pages[i].cause);
	if (causes.len) {
		strbuf_addf(out, "; ");
		from = out->len;
		if (r->nr_read < r->nr_pages)
			strbuf_addf(out, "first %zu: ", r->nr_read);
		strbuf_addf(out, "%s", strbuf_text(&causes));
		strbuf_tie(out, from);
	}
	strbuf_free(&causes);
}

/* A line begins with the driver, in a column of its own, and goes on below its words. */
static void print_of_driver(FILE *out, int wide, const char *driver, const char *words)
{
	struct strbuf line = { 0 };

	strbuf_addf(&line, "%-12s", driver);
	strbuf_tie(&line, 0);
	strbuf_addf(&line, " %s", words);
	put_wrapped(out, 15, 0, wide, strbuf_text(&line));
	strbuf_free(&line);
}

static void show_line(struct observer *o, const struct record *r)
{
	struct strbuf words = { 0 };
	char time[24];
	size_t from;

	put_thread(r->caller_comm, r->caller_pid.value, &words);
	strbuf_addf(&words, " ");
	from = words.len;
	show_call(r, &words);
	from = strstr(words.at + from, " =") + 1 - words.at;
	if (r->reason)
		strbuf_addf(&words, " (%s)", r->reason);
	strbuf_addf(&words, " in %s", time_text(r->duration_ns, time));
	/* what came of it, as one word */
	strbuf_tie(&words, from);
	put_causes(r, &words);
	if (r->comm && r->tgid != r->caller_tgid.value) {
		strbuf_addf(&words, "; memory of ");
		put_thread(r->comm, r->tgid, &words);
	}
	print_of_driver(o->s->out, o->s->wide, r->driver, strbuf_text(&words));
	strbuf_free(&words);
}

static bool take_line(struct observer *o, const char *line, size_t len)
{
	struct strbuf wrong = { 0 };
	struct record *r;
	bool of_exec;

	o->taken++;
	/* as it is: the faster it is taken, the less is lost */
	if (o->s->json) {
		fprintf(o->s->out, "%.*s\n", (int)len, line);
		return true;
	}
	r = record_parse(line, len, &wrong);
	if (!r || !r->driver) {
		complain("reading a record", NULL, r ? "it is none of an observed call" :
			 strbuf_text(&wrong), "use a gupwalk and a module of the same release");
		strbuf_free(&wrong);
		record_free(r);
		return false;
	}
	/* which is no driver: it is in no table unless all is shown */
	of_exec = !strcmp(r->driver, EXEC_DRIVER) && !o->verbose;
	o->of_exec += of_exec;
	if (!of_exec)
		drivers_count(&o->drivers, r);
	if (o->verbose)
		show_record(o->s, r, ++o->shown);
	else if (!of_exec)
		show_line(o, r);
	record_free(r);
	strbuf_free(&wrong);
	return true;
}

/*
 * Ctrl-C comes from the terminal, which is the kernel's: the command gets it too, and its end is
 * what counts. What somebody sends is for us.
 */
static bool is_for_command(const struct observer *o, const struct signalfd_siginfo *info)
{
	return o->child && info->ssi_signo == SIGINT && info->ssi_code == SI_KERNEL;
}

static void take_signals(struct observer *o)
{
	struct signalfd_siginfo info;
	pid_t ended;
	int status;

	while (read(o->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD) {
			o->done = o->done || !is_for_command(o, &info);
			continue;
		}
		/* others are what the command has left behind */
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
			if (ended != o->child)
				continue;
			o->status = status;
			o->ended = true;
			o->done = true;
		}
	}
}

/* What is recorded after the end is not waited for, and not shown. */
static bool has_enough(const struct observer *o)
{
	return o->done && o->taken >= o->until;
}

/* The lines that were read. Returns false after a complaint. */
static bool take_lines(struct observer *o)
{
	char *newline;
	size_t at = 0;

	while (!has_enough(o)) {
		newline = o->text.len > at ? memchr(o->text.at + at, '\n', o->text.len - at) : NULL;
		if (!newline)
			break;
		if (!take_line(o, o->text.at + at, newline - (o->text.at + at)))
			return false;
		at = newline + 1 - o->text.at;
	}
	fflush(o->s->out);
	if (at)
		memmove(o->text.at, o->text.at + at, o->text.len - at);
	o->text.len -= at;
	return true;
}

/* All that is there, or until it is time to look elsewhere. Returns false after a complaint. */
static bool take_records(struct observer *o)
{
	char bytes[65536];
	ssize_t n;

	while (take_lines(o)) {
		if (has_enough(o) || (!o->done && now_ms() >= o->look_ms))
			return true;
		n = read(o->fd, bytes, sizeof(bytes));
		if (!n || (n < 0 && errno == EAGAIN))
			return true;
		if (n > 0) {
			strbuf_add(&o->text, bytes, n);
		} else if (errno != EINTR) {
			complain("reading", "observe", strerror(errno), "was the module unloaded?");
			return false;
		}
		if (!o->done)
			take_signals(o);
	}
	return false;
}

/* ---- the command ---- */

/* The child waits until it is observed, and then becomes the command, or says that it cannot. */
static void become(struct observer *o, int other_end)
{
	sigset_t none;
	char byte;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(other_end, &byte, 1) != 1)
		_exit(STATUS_TROUBLE);
	execvp(o->command[0], o->command);
	complain("running", o->command[0], strerror(errno), "give a command that can be run");
	if (write(other_end, "", 1) != 1)
		complain("running", o->command[0], strerror(errno), NULL);
	_exit(CANNOT_RUN);
}

static bool spawn(struct observer *o)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		complain("running", o->command[0], strerror(errno), NULL);
		return false;
	}
	o->child = fork();
	if (!o->child) {
		close(ends[0]);
		become(o, ends[1]);
	}
	o->go = ends[0];
	close(ends[1]);
	if (o->child > 0)
		return true;
	complain("running", o->command[0], strerror(errno), NULL);
	return false;
}

/* Whether it could not be run the child says; one that runs has closed its end. */
static bool command_ran(const struct observer *o)
{
	char byte;

	return recv(o->go, &byte, 1, MSG_DONTWAIT) != 1;
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

/* Returns an enum status. */
static int begin(struct observer *o)
{
	uint64_t pid = pid_observed(o);

	if (pid)
		strbuf_addf(&o->filter.line, " pid=%" PRIu64 "%s", pid, o->alone ? "" : " children");
	/* what is written to a file may be pinned for that */
	strbuf_addf(&o->filter.line, " others");
	return filter_begin(o->s->debugfs, o->fd, o->filter.line.at);
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

/* ---- looking at what is held ---- */

/* With records on standard output it is said elsewhere; in words it is in the list at the end. */
static void tell_outlived(const char *driver, const char *words, void *context)
{
	struct observer *o = context;

	if (o->s->json || !o->done)
		print_of_driver(o->s->json ? stderr : o->s->out, o->s->wide, driver, words);
}

static void warn_of_losses(struct observer *o)
{
	if (!o->now.lost || o->warned)
		return;
	complain("observing", NULL, "calls are lost: they come faster than they are taken",
		 "observe fewer, by -p, --op, --comm, --module, --addr, --min-pages or --min-time; "
		 "or load the module with a larger parameter observe_records");
	o->warned = true;
}

static bool look(struct observer *o)
{
	struct pins pins = { 0 }, old = { 0 };
	uint64_t begun = now_ms();
	bool good;

	good = observing_read(o->s->debugfs, &o->now);
	if (good)
		warn_of_losses(o);
	if (good && o->now.pins)
		good = pins_read(o->s->debugfs, &pins);
	if (good)
		orphans_look(&o->orphans, &pins, begun, &old);
	pins_each_outlived(&old, tell_outlived, o);
	fflush(o->s->out);
	free(old.at);
	pins_free(&pins);
	o->look_ms = begun + LOOK_MS;
	if (now_ms() + (now_ms() - begun) * LOOK_PART > o->look_ms)
		o->look_ms = now_ms() + (now_ms() - begun) * LOOK_PART;
	return good;
}

static bool observe(struct observer *o)
{
	struct pollfd fds[] = {
		{ .fd = o->fd, .events = POLLIN },
		{ .fd = o->signals, .events = POLLIN },
		{ .fd = o->ending, .events = POLLIN },
	};

	o->look_ms = now_ms() + LOOK_MS;
	while (!o->done) {
		if (poll(fds, ARRAY_SIZE(fds), LOOK_MS) < 0 && errno != EINTR) {
			complain("observing", NULL, strerror(errno), NULL);
			return false;
		}
		take_signals(o);
		if (fds[2].revents)
			o->done = true;
		if (!take_records(o))
			return false;
		if (!o->done && now_ms() >= o->look_ms && !look(o))
			return false;
	}
	return true;
}

/* ---- the end ---- */

/* Return: how many there are to show. */
static size_t count_held(struct observer *o, const struct pins *pins)
{
	size_t i, shown = 0;

	for (i = 0; i < pins->n; i++) {
		shown += !!strcmp(pins->at[i].what, "reference");
		if (!strcmp(pins->at[i].what, "pin"))
			drivers_hold(&o->drivers, &pins->at[i]);
	}
	return shown;
}

static void put_count(uint64_t n, const char *what, struct strbuf *out)
{
	size_t from;

	if (out->len)
		strbuf_addf(out, ", ");
	from = out->len;
	strbuf_addf(out, "%" PRIu64 " %s", n, what);
	strbuf_tie(out, from);
}

/* Calls that the module passes over are not looked at: which of both it was nobody knows. */
static void put_passed_over(const struct observer *o, struct strbuf *out)
{
	put_count(o->now.filtered, "passed over", out);
	if (o->now.filtered)
		strbuf_addf(out, " (%s%s)", o->child || o->pid ? "of other processes" :
			    "gupwalk's own", o->filtered ? ", or not as the filter says" : "");
}

static void print_counts(const struct observer *o)
{
	struct strbuf words = { 0 };

	strbuf_addf(&words, "%" PRIu64 " call%s seen: %" PRIu64 " recorded", o->now.seen,
		    o->now.seen == 1 ? "" : "s", o->now.recorded);
	put_passed_over(o, &words);
	put_count(o->now.lost, "lost", &words);
	if (o->now.under_way)
		put_count(o->now.under_way, "not returned yet", &words);
	fputc('\n', o->s->out);
	put_wrapped(o->s->out, 2, 0, o->s->wide, strbuf_text(&words));
	if (o->of_exec)
		fprintf(o->s->out, "%zu of them %s exec's own (%s), and not shown: -v shows them\n",
			o->of_exec, o->of_exec == 1 ? "is" : "are", EXEC_DRIVER);
	strbuf_free(&words);
}

/* Which function of a family a driver calls nobody knows beforehand. */
static bool hint_at_ops(const struct observer *o)
{
	struct strbuf others = { 0 }, words = { 0 };
	bool good;

	if (!o->filter.ops || o->now.recorded)
		return true;
	good = filter_other_ops(&o->filter, o->s, &others);
	if (good && others.len) {
		strbuf_addf(&words, "nothing was recorded of these ops; there are also: %s",
			    spaced(others.at));
		put_wrapped(o->s->json ? stderr : o->s->out, 2, 0, o->s->wide, words.at);
	}
	strbuf_free(&others);
	strbuf_free(&words);
	return good;
}

/*
 * What a process has left behind is given back soon, or it is not: see ORPHAN_MS. With each look is
 * read what was recorded before it, so that what is counted and what is shown agree.
 */
static bool settle(struct observer *o)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	uint64_t begun = now_ms(), age;

	for (;;) {
		/* reading takes long where there is much: as old as this is what the look finds */
		age = now_ms() - begun;
		if (!look(o))
			return false;
		o->until = o->now.recorded;
		if (!take_records(o))
			return false;
		if (!o->now.pins || age > ORPHAN_MS + SETTLE_MS ||
		    (age > SETTLE_MS && !orphans_young(&o->orphans)))
			return true;
		nanosleep(&step, NULL);
	}
}

static void print_json_end(const struct observer *o)
{
	if (o->now.pins)
		fprintf(stderr, "gupwalk: observing: still pinned: %" PRIu64 " page%s\n",
			o->now.pins, o->now.pins == 1 ? "" : "s");
	if (o->now.released_wrongly)
		fprintf(stderr, "gupwalk: observing: pages that had no pin were unpinned, %" PRIu64
			" times\n", o->now.released_wrongly);
	if (o->now.lost)
		fprintf(stderr, "gupwalk: observing: %" PRIu64 " of %" PRIu64 " calls were lost\n",
			o->now.lost, o->now.seen);
}

static bool finish(struct observer *o)
{
	struct pins pins = { 0 };
	size_t shown;

	if (!settle(o))
		return false;
	if (o->s->json) {
		print_json_end(o);
		return hint_at_ops(o);
	}
	if (!pins_read(o->s->debugfs, &pins))
		return false;
	shown = count_held(o, &pins);
	drivers_print(&o->drivers, o->s);
	print_counts(o);
	if (!hint_at_ops(o))
		return false;
	if (shown)
		fputs(o->now.pins ? "\nstill held:\n" : "\n", o->s->out);
	pins_show(o->s, &pins);
	observing_doubts(o->s, &o->now);
	pins_free(&pins);
	return true;
}

static void print_end(const struct observer *o)
{
	if (!o->ended)
		fprintf(stderr, "gupwalk: observing: %s goes on, as process %d\n", o->command[0],
			o->child);
	else if (WIFSIGNALED(o->status))
		fprintf(stderr, "gupwalk: observing: %s was ended by signal %d\n", o->command[0],
			WTERMSIG(o->status));
	else if (WIFEXITED(o->status) && WEXITSTATUS(o->status))
		fprintf(stderr, "gupwalk: observing: %s ended with status %d\n", o->command[0],
			WEXITSTATUS(o->status));
}

static void print_begin(const struct observer *o)
{
	uint64_t kb;

	if (o->pid && !status_kb(o->pid, "VmSize:", &kb))
		fprintf(stderr, "gupwalk: observing: process %" PRIu64 " has no memory of its own (a "
			"kernel thread?):\n  its calls on memory of others are observed\n", o->pid);
	if (!o->command)
		fputs("gupwalk: observing; Ctrl-C ends it\n", stderr);
}

static int run(struct observer *o)
{
	int status;
	bool good;

	if (!watch_signals(o) || (o->command && !spawn(o)))
		return STATUS_TROUBLE;
	if (o->pid)
		o->ending = syscall(SYS_pidfd_open, (pid_t)o->pid, 0);
	o->fd = device_open_observe(o->s->debugfs);
	if (o->fd < 0)
		return STATUS_TROUBLE;
	status = begin(o);
	if (status != STATUS_FINE)
		return status;
	/* not before: the file may be that of whoever observes already */
	if (!session_out(o->s))
		return STATUS_TROUBLE;
	if (o->command && send(o->go, "", 1, MSG_NOSIGNAL) != 1)
		complain("running", o->command[0], strerror(errno), NULL);
	print_begin(o);
	good = observe(o);
	/* if not, the child has complained itself, and there is nothing to sum up */
	if (o->child && !command_ran(o))
		return STATUS_TROUBLE;
	good = good && finish(o);
	if (o->child)
		print_end(o);
	return good ? STATUS_FINE : STATUS_TROUBLE;
}

static void observer_free(struct observer *o)
{
	/* a child that was never let go ends when nobody holds the other end */
	if (o->go >= 0)
		close(o->go);
	if (o->fd >= 0)
		close(o->fd);
	if (o->signals >= 0)
		close(o->signals);
	if (o->ending >= 0)
		close(o->ending);
	drivers_free(&o->drivers);
	orphans_free(&o->orphans);
	strbuf_free(&o->text);
	filter_free(&o->filter);
}

/* ---- the command line ---- */

static const char *take_option(struct observer *o, int c, const char *arg)
{
	struct filter *f = &o->filter;

	switch (c) {
	case 'p':
		return number_parse(arg, INT_MAX, &o->pid) && o->pid ? NULL :
		       "is no number of a process";
	case OPTION_ALONE:
		o->alone = true;
		return NULL;
	case OPTION_COMM:
		return filter_name(f, "comm", arg);
	case OPTION_OP:
		f->ops = arg;
		return NULL;
	case OPTION_ADDR:
		return filter_range(f, arg);
	case OPTION_MIN_PAGES:
		return filter_number(f, "min_pages", arg, 1) ? NULL :
		       "--min-pages takes how many pages, as a whole number";
	case OPTION_MIN_TIME:
		return filter_number(f, "min_ns", arg, 1000) ? NULL :
		       "--min-time takes microseconds, as a whole number";
	case OPTION_MODULE:
		return filter_name(f, "module", arg);
	case 'v':
		o->verbose = true;
		return NULL;
	}
	return "is unknown";
}

/* Which process is observed, or that all are. Returns what is wrong with the words that say so. */
static const char *take_words(struct observer *o, const struct parser *p)
{
	if (p->argc && o->pid)
		return "is a command, and -p is given too";
	if (p->argc && !*p->argv[0])
		return "an empty word is no command";
	/* all would be observed, which is not what -- is written for */
	if (!p->argc && !strcmp(p->argv[-1], "--"))
		return "no command comes after --";
	if (!p->argc && !o->pid && o->alone)
		return "--alone goes with -p, or with a command";
	if (p->argc)
		o->command = p->argv;
	return NULL;
}

/* All that is to be known before anything is begun. Returns an enum status. */
static int prepare(struct observer *o)
{
	struct session *s = o->s;
	struct about about;

	/* it says best what is missing, if the module is not there */
	if (!about_read(s->debugfs, &about))
		return STATUS_TROUBLE;
	about_free(&about);
	if (!device_need_live(s->debugfs) || !filter_ops(&o->filter, s, o->command || o->pid))
		return STATUS_TROUBLE;
	o->filtered = o->filter.line.len;
	return STATUS_FINE;
}

static int do_observe(struct session *s, int argc, char **argv)
{
	struct parser p = { .s = s, .argc = argc, .argv = argv };
	struct observer o = { .s = s, .go = -1, .fd = -1, .signals = -1, .ending = -1 };
	const char *arg, *wrong = NULL;
	int c, status = STATUS_TROUBLE;

	while (!wrong && (c = parser_next(&p, &arg)) > 0)
		wrong = take_option(&o, c, arg);
	if (!wrong && c < 0) {
		status = p.status;
	} else if (wrong) {
		usage_error(s, arg, wrong);
	} else {
		wrong = take_words(&o, &p);
		if (wrong)
			usage_error(s, p.argc ? p.argv[0] : NULL, wrong);
		else if (prepare(&o) == STATUS_FINE)
			status = run(&o);
	}
	observer_free(&o);
	return status;
}

const struct command command_observe = {
	.name = "observe",
	.words = "[--] [COMMAND…]",
	.runs = true,
	.summary = "print what other kernel code does to memory, call by call, with driver and "
		   "result: of a command, of a process, or of all until Ctrl-C; and what is held "
		   "at the end",
	.options = observe_options,
	.run = do_observe,
};
