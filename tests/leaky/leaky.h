/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests ask of the driver that makes mistakes.
 */
#ifndef GUPWALK_TESTS_LEAKY_H
#define GUPWALK_TESTS_LEAKY_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Two pages of it can be mapped: of the second there is a page frame, but no struct page. */
#define LEAKY_DEVICE "/dev/leaky"

/**
 * struct leaky_range - memory of the caller
 * @addr: first address
 * @nr_pages: pages
 */
struct leaky_range {
	__u64 addr;
	__u64 nr_pages;
};

/* Most pages of one pin. */
#define LEAKY_PAGES_MAX 1024
/* Pins pages for good, and forgets them: only the end of the module gives them back. */
#define LEAKY_PIN _IOW('l', 1, struct leaky_range)
/* Drops a pin of the first page pinned last as if it were a reference. */
#define LEAKY_PUT _IO('l', 2)
/* Takes a reference on a page, and gives it back as if it were a pin. */
#define LEAKY_UNPIN_OF_GET _IOW('l', 3, struct leaky_range)
/* Gives back what was pinned last, as it should. */
#define LEAKY_UNPIN _IO('l', 4)
/* Pins the first page pinned last so often more, where the kernel has folio_add_pins(). */
#define LEAKY_PIN_MORE _IO('l', 5)
#define LEAKY_MORE 2
/* Pins a page twice, by two calls, and keeps both in one array. */
#define LEAKY_PIN_TWICE _IOW('l', 6, struct leaky_range)
/* Forgets for good what was pinned last: the end of the module does not give it back. */
#define LEAKY_LEAVE _IO('l', 7)
/* Remembers a page that was left so. */
#define LEAKY_TAKE_OVER _IOW('l', 8, struct leaky_range)

#endif
