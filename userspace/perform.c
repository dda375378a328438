// SPDX-License-Identifier: GPL-2.0-only
/* The process that a scenario runs in: its memory is what the requests are about. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "drive.h"
#include "memory.h"

struct performance {
	const struct scenario *sc;
	const struct drive_options *options;
	struct scene scene;
};

/* What a recipe cannot do here it tells, and goes on. */
static void pass_over(struct performance *p, const struct step *step, const char *why)
{
	struct strbuf text = { 0 };

	strbuf_addf(&text, "%s%s%s is not called here: %s", step->op, step->flags ? " with " : "",
		    step->flags ? step->flags : "", why);
	scene_tell(&p->scene, 'p', strbuf_text(&text));
	strbuf_free(&text);
}

static int check_op(struct scene *scene, const char *name)
{
	const struct op_row *op = about_op(scene->about, name);
	struct strbuf why = { 0 };

	if (!op) {
		complain("looking up an op", name, "the module has no such op",
			 "gupwalk list tells all");
		return STATUS_TROUBLE;
	}
	if (op->available)
		return STATUS_FINE;
	strbuf_addf(&why, "this kernel has no %s: %s", name, op->note);
	scene_cannot(scene, strbuf_text(&why));
	strbuf_free(&why);
	return STATUS_CANNOT;
}

/* What is asked for at a time: all pages at once, or one of them if the op takes one only. */
struct piece {
	const struct step *step;
	size_t offset;
	size_t pages;
	bool hold;
};

static void put_request(const struct performance *p, const struct piece *piece, struct strbuf *line)
{
	const struct step *step = piece->step;
	const char *flags = p->options->flags ? p->options->flags : step->flags;

	strbuf_addf(line, "op=%s addr=0x%" PRIxPTR " nr_pages=%zu run=%s", step->op,
		    (uintptr_t)p->scene.spots[step->spot] + piece->offset, piece->pages,
		    p->sc->name);
	if (flags && *flags)
		strbuf_addf(line, " flags=%s", flags);
	if (p->scene.pid)
		strbuf_addf(line, " pid=%d", p->scene.pid);
	if (step->words)
		strbuf_addf(line, " %s", step->words);
	if (piece->hold)
		strbuf_addf(line, " hold");
}

static enum answer request(struct performance *p, const struct piece *piece,
			   struct refusal *refusal, struct strbuf *line)
{
	struct strbuf answer = { 0 };
	enum answer kind;
	int error;

	strbuf_free(line);
	put_request(p, piece, line);
	memory_drain();
	kind = device_request(p->scene.requests, line->at, &answer, &error);
	if (kind == ANSWER_REFUSED)
		refusal_read(strbuf_text(&answer), error, refusal);
	if (kind == ANSWER_RECORD)
		scene_tell(&p->scene, 'r', strbuf_text(&answer));
	strbuf_free(&answer);
	return kind;
}

/* What the call would do: it is no part of the scenario where the module has nothing to tell. */
static void ask_first(struct performance *p, const struct piece *piece)
{
	struct strbuf line = { 0 }, answer = { 0 };
	int error;

	put_request(p, piece, &line);
	strbuf_addf(&line, " predict");
	memory_drain();
	if (device_request(p->scene.requests, line.at, &answer, &error) == ANSWER_RECORD)
		scene_tell(&p->scene, 'r', strbuf_text(&answer));
	strbuf_free(&line);
	strbuf_free(&answer);
}

/* Which ops can hold is the module's knowledge: ask it, and do without where it says no. */
static int make_request(struct performance *p, struct piece *piece)
{
	struct refusal refusal = { 0 };
	struct strbuf line = { 0 };
	enum answer kind;
	int status;

	if (p->options->explain)
		ask_first(p, piece);
	kind = request(p, piece, &refusal, &line);
	if (kind == ANSWER_REFUSED && piece->hold && refusal.errno_value == EINVAL &&
	    !strncmp(refusal.error, "hold:", strlen("hold:"))) {
		refusal_free(&refusal);
		piece->hold = false;
		kind = request(p, piece, &refusal, &line);
	}
	status = kind == ANSWER_RECORD ? STATUS_FINE : STATUS_TROUBLE;
	if (kind == ANSWER_REFUSED && piece->step->maybe) {
		pass_over(p, piece->step, refusal.error);
		status = STATUS_CANNOT;
	} else if (kind == ANSWER_REFUSED) {
		refusal_complain(strbuf_text(&line), &refusal);
	}
	refusal_free(&refusal);
	strbuf_free(&line);
	return status;
}

static int make_requests(struct performance *p, const struct step *step)
{
	struct piece piece = { .step = step, .pages = p->scene.pages };
	int status = STATUS_FINE;
	size_t i, n = 1;

	if (about_op(p->scene.about, step->op)->pages == 1) {
		piece.pages = 1;
		n = p->scene.pages;
	}
	for (i = 0; !status && i < n; i++) {
		piece.offset = i * p->scene.page_size;
		piece.hold = p->options->hold;
		status = make_request(p, &piece);
	}
	return status;
}

static int perform_step(struct performance *p, const struct step *step)
{
	const struct op_row *op = about_op(p->scene.about, step->op);
	int status;

	if (step->maybe && op && !op->available) {
		pass_over(p, step, op->note);
		return STATUS_FINE;
	}
	status = check_op(&p->scene, step->op);
	if (status)
		return status;
	if (step->before && !step->before(&p->scene))
		return p->scene.cannot ? STATUS_CANNOT : STATUS_TROUBLE;
	status = make_requests(p, step);
	if (status == STATUS_CANNOT && step->maybe)
		return STATUS_FINE;
	if (status)
		return status;
	/* what the driver does with the page comes before what the program finds there */
	if (step->says)
		scene_note(&p->scene, "the driver: %s", step->says);
	return !step->after || step->after(&p->scene) ? STATUS_FINE : STATUS_TROUBLE;
}

static int perform_ops(struct performance *p)
{
	char *copy = must_copy(p->options->ops), *rest = copy;
	struct step step = { 0 };
	int status = STATUS_FINE;

	while (!status && (step.op = strsep(&rest, ",")))
		status = perform_step(p, &step);
	free(copy);
	return status;
}

static int perform_steps(struct performance *p)
{
	int status = STATUS_FINE;
	char number[24];
	size_t i;

	for (i = 0; !status && p->sc->steps[i].op; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		scene_tell(&p->scene, 's', number);
		status = perform_step(p, &p->sc->steps[i]);
	}
	return status;
}

int perform(const char *dir, const struct about *about, const struct scenario *sc,
	    const struct drive_options *options, int notes)
{
	struct performance p = {
		.sc = sc,
		.options = options,
		.scene = {
			.about = about,
			.pages = options->pages ? options->pages : 1,
			.page_size = sysconf(_SC_PAGESIZE),
			.fd = -1,
			.dir = dir,
			.notes = notes,
		},
	};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || !memory_one_cpu())
		return STATUS_TROUBLE;
	memory_no_hints();
	p.scene.requests = device_open(dir);
	if (p.scene.requests < 0)
		return STATUS_TROUBLE;
	if (!sc->setup(&p.scene))
		return p.scene.cannot ? STATUS_CANNOT : STATUS_TROUBLE;
	/* the descriptor stays open until the process ends, and with it what it holds */
	return options->ops ? perform_ops(&p) : perform_steps(&p);
}
