// SPDX-License-Identifier: GPL-2.0-only
#include "drivers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "number.h"
#include "print.h"

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

static struct driver *driver_of(struct drivers *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->at[i].name, name))
			return &all->at[i];
	all->at = must_grow(all->at, all->n, sizeof(*all->at));
	all->at[all->n] = (struct driver){ .name = must_copy(name) };
	return &all->at[all->n++];
}

/* Only what obtains pages returns how many. */
static uint64_t pages_of(const struct record *r)
{
	if (r->ret <= 0 || r->fault || (strncmp(r->op, "get_", 4) && strncmp(r->op, "pin_", 4) &&
					strncmp(r->op, "memfd_", 6)))
		return 0;
	return r->ret;
}

void drivers_count(struct drivers *all, const struct record *r)
{
	struct driver *d = driver_of(all, r->driver);

	d->calls++;
	d->failed += !!r->errno_name;
	d->pages += pages_of(r);
	d->ns += r->duration_ns;
	d->pins = d->pins || !strncmp(r->op, "pin_", 4) || !strncmp(r->op, "memfd_", 6);
}

void drivers_hold(struct drivers *all, const struct pin *pin)
{
	driver_of(all, pin->driver)->held += pin->pages_left.value;
}

static void number(uint64_t value, char text[24])
{
	snprintf(text, 24, "%" PRIu64, value);
}

static int by_time(const void *a, const void *b)
{
	const struct driver *one = a, *other = b;

	return one->ns < other->ns ? 1 : one->ns > other->ns ? -1 : 0;
}

void drivers_print(struct drivers *all, struct session *s)
{
	static const struct column columns[] = {
		{ .name = "driver", .flex = true }, { .name = "calls", .right = true },
		{ .name = "failed", .right = true }, { .name = "pages", .right = true },
		{ .name = "bytes", .right = true }, { .name = "time", .right = true },
		{ .name = "held now", .right = true },
	};
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct table *t;
	size_t i;

	if (!all->n)
		return;
	qsort(all->at, all->n, sizeof(*all->at), by_time);
	t = table_new(s, columns, ARRAY_SIZE(columns));
	for (i = 0; i < all->n; i++) {
		const struct driver *d = &all->at[i];
		char calls[24], failed[24], pages[24], bytes[24], held[24], time[24];

		number(d->calls, calls);
		number(d->failed, failed);
		number(d->pages, pages);
		if (d->pins)
			number(d->held, held);
		else
			snprintf(held, sizeof(held), "-");
		table_row(t, (const char *[]){
			d->name, calls, failed, pages, size_text(d->pages * page, bytes),
			time_text(d->ns, time), held,
		}, false);
	}
	fputc('\n', s->out);
	table_print(t);
}

void drivers_free(struct drivers *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		free(all->at[i].name);
	free(all->at);
	*all = (struct drivers){ 0 };
}
