// SPDX-License-Identifier: GPL-2.0-only
/* The parent's side of a scenario: starts the process it runs in, and collects what that one tells.
 */
#include "drive.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "device.h"

static void add_event(struct drive *d, enum event_kind kind, const char *text)
{
	d->events = must_grow(d->events, d->nr_events, sizeof(*d->events));
	d->events[d->nr_events++] = (struct event){ kind, must_copy(text) };
}

static void drive_cannot(struct drive *d, const char *why)
{
	free(d->cannot);
	d->cannot = must_copy(why);
}

static bool take_record(struct drive *d, size_t step, const char *line)
{
	struct strbuf wrong = { 0 };
	struct record *r = record_parse(line, strlen(line), &wrong);

	if (r && r->predicted) {
		record_free(d->predicted);
		d->predicted = r;
	} else if (r) {
		d->steps = must_grow(d->steps, d->records.n, sizeof(*d->steps));
		d->steps[d->records.n] = step;
		d->predictions = must_grow(d->predictions, d->records.n, sizeof(*d->predictions));
		d->predictions[d->records.n] = d->predicted;
		d->predicted = NULL;
		records_add(&d->records, r);
		add_event(d, EVENT_RECORD, "");
	} else {
		complain("reading a record", d->scenario->name, strbuf_text(&wrong),
			 "use a gupwalk and a module of the same release");
	}
	strbuf_free(&wrong);
	return r;
}

static bool take_events(struct drive *d, struct strbuf *told)
{
	char *rest = told->at, *line;
	size_t step = 0;

	/* a line without an end is one that the process did not come to finish */
	while (rest && strchr(rest, '\n')) {
		line = strsep(&rest, "\n");
		switch (*line) {
		case 'n':
			add_event(d, EVENT_NOTE, line + 1);
			break;
		case 'y':
			add_event(d, EVENT_MET, line + 1);
			break;
		case 'x':
			add_event(d, EVENT_UNMET, line + 1);
			break;
		case 'p':
			add_event(d, EVENT_PASSED, line + 1);
			d->passed++;
			break;
		case 'c':
			drive_cannot(d, line + 1);
			break;
		case 's':
			step = strtoul(line + 1, NULL, 10);
			break;
		case 'r':
			if (!take_record(d, step, line + 1))
				return false;
		}
	}
	return true;
}

/* Read what the child tells until it ends; a signal to end us ends it first. Returns that signal or
 * 0. */
static int listen_to(int fd, int signals, pid_t child, struct strbuf *told)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	char bytes[16384];
	int caught = 0;
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents && read(signals, &info, sizeof(info)) == sizeof(info)) {
			caught = info.ssi_signo;
			kill(child, SIGKILL);
		}
		if (!fds[0].revents)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return caught;
		strbuf_add(told, bytes, n);
	}
}

static int child_status(const char *name, pid_t child, bool killed)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_TROUBLE;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (killed)
		return STATUS_TROUBLE;
	complain("running a scenario", name, strsignal(WTERMSIG(status)),
		 "its process was killed; the kernel log may tell why");
	return STATUS_TROUBLE;
}

/* Signals that end a program, and what was blocked before they were. */
struct masks {
	sigset_t ends;
	sigset_t before;
};

/* A signal that is ignored ends nobody, and stays ignored. */
static void block_ends(struct masks *masks)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action;
	size_t i;

	sigemptyset(&masks->ends);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&masks->ends, ends[i]);
	sigprocmask(SIG_BLOCK, &masks->ends, &masks->before);
}

static int run_child(const char *dir, const struct about *about,
		     const struct drive_options *options, const struct masks *masks,
		     struct drive *d)
{
	struct strbuf told = { 0 };
	int status, caught, signals, fds[2];
	pid_t child;

	signals = signalfd(-1, &masks->ends, SFD_CLOEXEC);
	fflush(NULL);
	child = signals < 0 || pipe(fds) ? -1 : fork();
	if (child < 0) {
		complain("starting a process", d->scenario->name, strerror(errno), NULL);
		return STATUS_TROUBLE;
	}
	if (!child) {
		close(fds[0]);
		sigprocmask(SIG_SETMASK, &masks->before, NULL);
		_exit(perform(dir, about, d->scenario, options, fds[1]));
	}
	close(fds[1]);
	caught = listen_to(fds[0], signals, child, &told);
	close(fds[0]);
	close(signals);
	status = child_status(d->scenario->name, child, caught);
	if (!take_events(d, &told))
		status = STATUS_TROUBLE;
	strbuf_free(&told);
	if (caught)
		raise(caught);
	return status;
}

static bool fits(const struct about *about, const struct drive_options *options)
{
	uint64_t max = about_number(about, "pages_max");
	struct strbuf reason = { 0 };

	if (options->pages <= max)
		return true;
	strbuf_addf(&reason, "%" PRIu64 ", and the module takes %" PRIu64 " in one request",
		    options->pages, max);
	complain("running a scenario", "--pages", strbuf_text(&reason),
		 "name no more; or load the module with a larger pages_max");
	strbuf_free(&reason);
	return false;
}

int drive(const char *dir, const struct about *about, const struct scenario *sc,
	  const struct drive_options *options, struct drive *d)
{
	const char *missing = sc->check ? sc->check(about) : NULL;
	int status = STATUS_CANNOT;
	struct masks masks;
	uint64_t kept[SCENARIO_KEPT];

	*d = (struct drive){
		.scenario = sc,
		.changed = options->ops || options->flags || options->pages,
		.kernel = about_kernel(about),
		.pmd = about_covers(about, "pmd"),
	};
	if (missing) {
		drive_cannot(d, missing);
		return STATUS_CANNOT;
	}
	if (!fits(about, options))
		return STATUS_TROUBLE;
	/* what begin() changes is to be changed back before a signal ends us */
	block_ends(&masks);
	if (!sc->begin || sc->begin(about, kept)) {
		status = run_child(dir, about, options, &masks, d);
		if (sc->end && !sc->end(kept))
			status = STATUS_TROUBLE;
	}
	sigprocmask(SIG_SETMASK, &masks.before, NULL);
	return status;
}

void drive_complain(const struct drive *d)
{
	if (d->cannot)
		complain("running a scenario", d->scenario->name, d->cannot,
			 "gupwalk info tells what is there; in the lab `make vm ALL=1` gives what a boot can "
			 "give, and KERNEL= another kernel");
}

void drive_free(struct drive *d)
{
	size_t i;

	for (i = 0; i < d->nr_events; i++)
		free(d->events[i].text);
	free(d->events);
	free(d->steps);
	for (i = 0; i < d->records.n; i++)
		record_free(d->predictions[i]);
	free(d->predictions);
	record_free(d->predicted);
	free(d->cannot);
	records_free(&d->records);
	*d = (struct drive){ 0 };
}

/* {pmd} -> bytes */
static void put_terms(const struct drive *d, const char *terms, struct strbuf *out)
{
	static const char brace[] = "{pmd}";
	const char *at;

	while ((at = strstr(terms, brace))) {
		strbuf_add(out, terms, at - terms);
		strbuf_addf(out, "%llu", (unsigned long long)d->pmd);
		terms = at + strlen(brace);
	}
	strbuf_add(out, terms, strlen(terms));
}

unsigned int drive_judge(const struct drive *d, struct verdict **verdicts)
{
	struct signature sig;
	unsigned int unmet = 0;
	size_t i;

	*verdicts = must_alloc(d->records.n, sizeof(**verdicts));
	for (i = 0; i < d->nr_events; i++)
		unmet += d->events[i].kind == EVENT_UNMET;
	signature_make(&d->records, &sig);
	for (i = 0; i < d->records.n && !d->changed; i++) {
		const struct step *step = &d->scenario->steps[d->steps[i]];
		const char *terms = expect_pick(step->expects, d->kernel);
		struct verdict *v = &(*verdicts)[i];

		if (!terms)
			continue;
		put_terms(d, terms, &v->terms);
		v->known = true;
		v->met = !expect_unmet(&sig.steps[i], strbuf_text(&v->terms), &v->wrong);
		unmet += !v->met;
	}
	signature_free(&sig);
	return unmet;
}

static void put_other(struct strbuf *wrong, const char *what, const char *told, const char *is)
{
	strbuf_addf(wrong, "%s%s was to be %s, and is %s", wrong->len ? "; " : "", what,
		    told ? told : "none", is ? is : "none");
}

static void put_other_number(struct strbuf *wrong, const char *what, int64_t told, int64_t is)
{
	char a[24], b[24];

	if (told == is)
		return;
	snprintf(a, sizeof(a), "%" PRId64, told);
	snprintf(b, sizeof(b), "%" PRId64, is);
	put_other(wrong, what, a, b);
}

bool drive_foretold(const struct drive *d, size_t i, struct strbuf *wrong)
{
	const struct record *told = d->predictions[i], *is = d->records.at[i];
	size_t page, before = wrong->len;

	if (!told || !strcmp(told->predicted, "cannot-tell"))
		return true;
	if (!same_text(told->errno_name, is->errno_name))
		put_other(wrong, "the error", told->errno_name, is->errno_name);
	if (!same_text(told->reason, is->reason))
		put_other(wrong, "the rule", told->reason, is->reason);
	/* of handle_mm_fault these are bits of which some are a matter of luck */
	if (!is->fault)
		put_other_number(wrong, "what it returns", told->ret, is->ret);
	for (page = 0; page < is->nr_read && page < told->nr_read; page++) {
		const char *causes = told->pages[page].predicted;

		/* of the pages after the one where it stops nothing was told */
		if (causes && *causes && !names_have(causes, is->pages[page].cause))
			put_other(wrong, "what it does", causes, is->pages[page].cause);
	}
	return wrong->len == before;
}

void verdicts_free(struct verdict *verdicts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		strbuf_free(&verdicts[i].terms);
		strbuf_free(&verdicts[i].wrong);
	}
	free(verdicts);
}
