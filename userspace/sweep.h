/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_SWEEP_H
#define GUPWALK_SWEEP_H

#include <sys/types.h>

#include "maps.h"
#include "number.h"
#include "record.h"

/**
 * struct sweep - a walk over all that a process has mapped in a range, one request after the other
 * @fd: descriptor for requests
 * @pid: the process
 * @range: where
 * @page_size: bytes
 * @element: gets each element of the walks, in the order of addresses: the element, its mapping,
 *and where to end at the latest
 * @context: for @element
 * @done: bytes swept so far
 * @total: bytes to sweep
 * @gone: mappings that were not there any more
 * @shown: when progress was last shown, in milliseconds
 */
struct sweep {
	int fd;
	pid_t pid;
	struct range range;
	uint64_t page_size;
	void (*element)(void *context, const struct page *page, const struct mapping *m,
			uint64_t limit);
	void *context;
	uint64_t done;
	uint64_t total;
	size_t gone;
	uint64_t shown;
};

/**
 * sweep_run() - do it
 * @w: what to do; pid, range, fd, page_size and element filled in
 * @maps: mappings of the process
 *
 * Progress goes to stderr, if that is a terminal and it takes long.
 *
 * Return: an enum status; if not STATUS_FINE, after a complaint.
 */
int sweep_run(struct sweep *w, const struct maps *maps);

#endif
