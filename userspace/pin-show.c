// SPDX-License-Identifier: GPL-2.0-only
/* Pins for people: what differs only in addresses is said once. */
#include "pin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "about.h"
#include "device.h"
#include "number.h"
#include "show.h"
#include "status.h"

void stack_words(const char *stack, struct strbuf *out)
{
	char *copy = must_copy(stack ? stack : ""), *rest = copy, *frame;

	while ((frame = strsep(&rest, ","))) {
		size_t from;

		if (!*frame)
			continue;
		if (out->len)
			strbuf_addf(out, " < ");
		/* a module's name is part of the frame */
		from = out->len;
		strbuf_addf(out, "%s", frame);
		strbuf_tie(out, from);
	}
	free(copy);
}

static void show_stack(struct session *s, const char *label, const char *stack)
{
	struct strbuf words = { 0 };

	stack_words(stack, &words);
	show_words(s, label, strbuf_text(&words));
	strbuf_free(&words);
}

/* How long ago, as one word. */
static void put_ago(int64_t oldest, int64_t newest, struct strbuf *out)
{
	char first[24], last[24];
	size_t from = out->len;

	strbuf_addf(out, "%s", time_text(oldest, first));
	if (strcmp(first, time_text(newest, last)))
		strbuf_addf(out, " to %s", last);
	strbuf_addf(out, " ago");
	strbuf_tie(out, from);
}

static void put_count(uint64_t n, const char *what, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 " %s%s", n, what, n == 1 ? "" : "s");
}

static void put_outlived(const struct pin *pin, struct strbuf *out)
{
	strbuf_addf(out, "of pid %" PRId64 ", which %s: the pin outlived its owner",
		    pin->tgid.value, same_text(pin->owner, "gone") ? "is gone" :
		    "runs another program now");
}

static void show_owner(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	if (!pin->owner)
		strbuf_addf(&words, "of a process that this kernel does not tell");
	else if (pin_outlived_owner(pin))
		put_outlived(pin, &words);
	else
		strbuf_addf(&words, "of pid %" PRId64, pin->tgid.value);
	show_words(s, "memory", strbuf_text(&words));
	strbuf_free(&words);
}

static void put_part(struct strbuf *out, struct maybe pages, const char *what)
{
	if (pages.known && pages.value)
		strbuf_addf(out, "%s%" PRId64 " %s", out->len ? ", " : "", pages.value, what);
}

static void show_mapping(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	put_part(&words, pin->mapped, "mapped where they were");
	put_part(&words, pin->replaced, "diverged: another page is mapped there now");
	put_part(&words, pin->unmapped, "no longer mapped there");
	if (words.len && pin->looked_at.known && pin->looked_at.value < pin->nr_pages.value)
		strbuf_addf(&words, "; of %" PRId64 " pages that were looked at",
			    pin->looked_at.value);
	show_words(s, "mapping", strbuf_text(&words));
	strbuf_free(&words);
}

static void show_wrong(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	put_part(&words, pin->put_wrongly, "wrongly released: a pin (FOLL_PIN) was dropped as a "
		 "reference (put_page)");
	put_part(&words, pin->unpinned_unseen, "have no pin any more: given back without a call "
		 "that is seen");
	show_words(s, "counts", strbuf_text(&words));
	strbuf_free(&words);
}

/* Whoever counts pinned memory counts it in one of these. */
static void show_system(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };
	uint64_t kb;

	if (!same_text(pin->owner, "alive") || !device_live(s->debugfs))
		return;
	if (status_kb(pin->tgid.value, "VmPin:", &kb))
		strbuf_addf(&words, "VmPin %" PRIu64 " kB", kb);
	if (status_kb(pin->tgid.value, "VmLck:", &kb))
		strbuf_addf(&words, "%sVmLck %" PRIu64 " kB", words.len ? ", " : "", kb);
	if (words.len)
		strbuf_addf(&words, "; ");
	status_uring(pin->tgid.value, &words);
	while (words.len && strchr("; ", words.at[words.len - 1]))
		words.at[--words.len] = '\0';
	show_words(s, "system", strbuf_text(&words));
	strbuf_free(&words);
}

static void show_wrong_unpin(struct session *s, const struct pin *pin)
{
	struct strbuf words = { 0 };

	strbuf_addf(&words, "%s gave back a pin that there was not, of page frame 0x%" PRIx64,
		    pin->driver, pin->pfn.value);
	if (pin->nr_pages.value > 1)
		strbuf_addf(&words, " and %" PRId64 " more", pin->nr_pages.value - 1);
	strbuf_addf(&words, ", by ");
	put_thread(pin->caller_comm, pin->caller_pid, &words);
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
	if (pin->taken_by)
		strbuf_addf(&words, "the page was taken by %s: a reference (FOLL_GET), which "
			    "put_page gives back", pin->taken_by);
	else
		strbuf_addf(&words, "its counts say that nobody had pinned it");
	show_words(s, "wrong", strbuf_text(&words));
	strbuf_free(&words);
	show_stack(s, "stack", pin->stack);
	show_stack(s, "taken", pin->taken_stack);
}

/* ---- calls that differ only in their addresses ---- */

/* Of a group so many ranges of addresses are named. */
#define RANGES_SHOWN 4

/**
 * struct keyed - a pin that is to be put with others
 * @key: all that a group has in common
 * @pin: the pin
 */
struct keyed {
	struct strbuf key;
	const struct pin *pin;
};

/**
 * struct group - pins of which the same is to be said
 * @at: the pins, the oldest first
 * @n: how many
 */
struct group {
	const struct keyed *at;
	size_t n;
};

/* What was given back wrongly is said one by one. */
static void put_key(const struct pin *pin, struct strbuf *key)
{
	if (strcmp(pin->what, "pin"))
		strbuf_addf(key, "%p", (const void *)pin);
	else
		strbuf_addf(key, "%s %s %s %s %" PRId64 " %" PRId64 " %s %s", pin->driver, pin->op,
			    pin->flags ? pin->flags : "-", pin->owner ? pin->owner : "-",
			    pin->tgid.value, pin->caller_pid, pin->stack, pin->caller_comm);
}

static int by_time(const struct pin *a, const struct pin *b)
{
	return a->time_ns.value < b->time_ns.value ? -1 : a->time_ns.value > b->time_ns.value;
}

static int by_key(const void *a, const void *b)
{
	const struct keyed *one = a, *other = b;
	int order = strcmp(one->key.at, other->key.at);

	return order ? order : by_time(one->pin, other->pin);
}

static int by_first(const void *a, const void *b)
{
	const struct group *one = a, *other = b;

	return by_time(one->at->pin, other->at->pin);
}

static int by_start(const void *a, const void *b)
{
	const struct range *one = a, *other = b;

	return one->start < other->start ? -1 : one->start > other->start;
}

/* Of a saved copy it is that of the machine it was made on; 0: not known. */
static uint64_t page_size(const struct session *s)
{
	struct about about;
	uint64_t size;

	if (device_live(s->debugfs))
		return sysconf(_SC_PAGESIZE);
	if (!about_read(s->debugfs, &about))
		return 0;
	size = about_number(&about, "page_size");
	about_free(&about);
	return size;
}

/* Puts ranges that touch each other into one. Returns how many are left. */
static size_t join(struct range *ranges, size_t n)
{
	size_t i, last = 0;

	qsort(ranges, n, sizeof(*ranges), by_start);
	for (i = 1; i < n; i++) {
		if (ranges[i].start > ranges[last].end)
			ranges[++last] = ranges[i];
		else if (ranges[i].end > ranges[last].end)
			ranges[last].end = ranges[i].end;
	}
	return last + 1;
}

/* What memfd_pin_folios() takes has no addresses. */
static void show_addresses(struct session *s, const struct group *g)
{
	struct range *ranges = must_alloc(g->n, sizeof(*ranges));
	uint64_t page = page_size(s);
	struct strbuf words = { 0 };
	size_t i, n;

	for (i = 0; i < g->n; i++) {
		const struct pin *pin = g->at[i].pin;

		ranges[i].start = pin->addr;
		ranges[i].end = pin->addr + pin->nr_pages.value * page;
	}
	n = join(ranges, g->n);
	for (i = 0; i < n && i < RANGES_SHOWN && ranges[i].end; i++)
		strbuf_addf(&words, "%s0x%" PRIx64 "-0x%" PRIx64, i ? ", " : "", ranges[i].start,
			    ranges[i].end);
	if (words.len && i < n)
		strbuf_addf(&words, ", and %zu more", n - i);
	show_words(s, "address", strbuf_text(&words));
	strbuf_free(&words);
	free(ranges);
}

static void add(struct maybe *to, struct maybe more)
{
	to->known = to->known && more.known;
	to->value += more.value;
}

static struct pin sum_of(const struct group *g)
{
	struct pin sum = *g->at->pin;
	size_t i;

	for (i = 1; i < g->n; i++) {
		const struct pin *pin = g->at[i].pin;

		add(&sum.nr_pages, pin->nr_pages);
		add(&sum.pages_left, pin->pages_left);
		add(&sum.looked_at, pin->looked_at);
		add(&sum.mapped, pin->mapped);
		add(&sum.replaced, pin->replaced);
		add(&sum.unmapped, pin->unmapped);
		add(&sum.put_wrongly, pin->put_wrongly);
		add(&sum.unpinned_unseen, pin->unpinned_unseen);
	}
	return sum;
}

static void put_ages(const struct group *g, struct strbuf *out)
{
	int64_t oldest = g->at->pin->age_ns.value, newest = oldest;
	size_t i;

	for (i = 1; i < g->n; i++) {
		int64_t age = g->at[i].pin->age_ns.value;

		if (age > oldest)
			oldest = age;
		if (age < newest)
			newest = age;
	}
	put_ago(oldest, newest, out);
}

static void show_held(struct session *s, const struct group *g)
{
	const struct pin sum = sum_of(g);
	struct strbuf words = { 0 };

	strbuf_addf(&words, "%s holds %" PRId64 " of ", sum.driver, sum.pages_left.value);
	put_count(sum.nr_pages.value, "page", &words);
	if (g->n > 1)
		strbuf_addf(&words, " of %zu calls", g->n);
	strbuf_addf(&words, ": %s(%s) by ", sum.op, sum.flags ? sum.flags : "");
	put_thread(sum.caller_comm, sum.caller_pid, &words);
	strbuf_addf(&words, ", ");
	put_ages(g, &words);
	put_wrapped(s->out, 2, 0, s->wide, strbuf_text(&words));
	strbuf_free(&words);
	show_owner(s, &sum);
	show_addresses(s, g);
	show_mapping(s, &sum);
	show_wrong(s, &sum);
	show_system(s, &sum);
	show_stack(s, "stack", sum.stack);
}

/**
 * struct grouping - pins, put into groups
 * @keyed: the pins
 * @nr_keyed: how many
 * @groups: the groups, the one with the oldest pin first
 * @n: how many
 */
struct grouping {
	struct keyed *keyed;
	size_t nr_keyed;
	struct group *groups;
	size_t n;
};

static void grouping_make(struct grouping *g, const struct pins *pins)
{
	size_t i;

	*g = (struct grouping){
		.keyed = must_alloc(pins->n, sizeof(*g->keyed)),
		.groups = must_alloc(pins->n, sizeof(*g->groups)),
	};
	for (i = 0; i < pins->n; i++) {
		if (!strcmp(pins->at[i].what, "reference"))
			continue;
		g->keyed[g->nr_keyed].pin = &pins->at[i];
		put_key(&pins->at[i], &g->keyed[g->nr_keyed++].key);
	}
	qsort(g->keyed, g->nr_keyed, sizeof(*g->keyed), by_key);
	for (i = 0; i < g->nr_keyed; i++) {
		if (i && !strcmp(g->keyed[i].key.at, g->keyed[i - 1].key.at))
			g->groups[g->n - 1].n++;
		else
			g->groups[g->n++] = (struct group){ .at = &g->keyed[i], .n = 1 };
	}
	qsort(g->groups, g->n, sizeof(*g->groups), by_first);
}

static void grouping_free(struct grouping *g)
{
	size_t i;

	for (i = 0; i < g->nr_keyed; i++)
		strbuf_free(&g->keyed[i].key);
	free(g->groups);
	free(g->keyed);
}

size_t pins_show(struct session *s, const struct pins *pins)
{
	struct grouping g;
	size_t i;

	grouping_make(&g, pins);
	for (i = 0; i < g.n; i++) {
		if (i)
			fputc('\n', s->out);
		if (!strcmp(g.groups[i].at->pin->what, "wrong-unpin"))
			show_wrong_unpin(s, g.groups[i].at->pin);
		else
			show_held(s, &g.groups[i]);
	}
	grouping_free(&g);
	return i;
}

static void put_outlived_line(const struct group *g, struct strbuf *out)
{
	const struct pin sum = sum_of(g);

	put_count(sum.pages_left.value, "page", out);
	strbuf_addf(out, " ");
	put_outlived(&sum, out);
	strbuf_addf(out, "; %s(0x%" PRIx64, sum.op, sum.addr);
	if (g->n > 1)
		strbuf_addf(out, ", and %zu call%s more", g->n - 1, g->n == 2 ? "" : "s");
	strbuf_addf(out, ") by ");
	put_thread(sum.caller_comm, sum.caller_pid, out);
	strbuf_addf(out, ", ");
	put_ages(g, out);
}

void pins_each_outlived(const struct pins *pins,
			void (*line)(const char *driver, const char *words, void *context),
			void *context)
{
	struct grouping g;
	size_t i;

	grouping_make(&g, pins);
	for (i = 0; i < g.n; i++) {
		struct strbuf words = { 0 };

		put_outlived_line(&g.groups[i], &words);
		line(g.groups[i].at->pin->driver, strbuf_text(&words), context);
		strbuf_free(&words);
	}
	grouping_free(&g);
}
