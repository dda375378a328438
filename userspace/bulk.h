/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_BULK_H
#define GUPWALK_BULK_H

#include <sys/types.h>

#include "command.h"
#include "number.h"
#include "tables.h"

/**
 * entries_read() - read `entries` of a module
 * @dir: its directory, live or saved
 * @e: filled in
 *
 * Return: true; or false after a complaint.
 */
bool entries_read(const char *dir, struct entries *e);

/**
 * struct bulk - a walk over all page tables of a process in a range
 * @dir: the module's directory
 * @pid: the process
 * @range: where; the end may be UINT64_MAX
 * @total: bytes that are to be walked, about; for progress
 * @tables: how to read entries, and who gets them
 * @at: address of the last entry that came, kept by the caller for progress; NULL: no progress
 */
struct bulk {
	const char *dir;
	pid_t pid;
	struct range range;
	uint64_t total;
	struct tables tables;
	const uint64_t *at;
};

/**
 * bulk_run() - do it
 * @b: what to do
 *
 * Progress goes to stderr, if that is a terminal and it takes long; in the end it is erased.
 *
 * Return: an enum status; if not STATUS_FINE, after a complaint: that the process ended meanwhile
 * is one.
 */
enum status bulk_run(struct bulk *b);

#endif
