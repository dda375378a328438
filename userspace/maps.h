/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_MAPS_H
#define GUPWALK_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "text.h"

/**
 * struct mapping - a line of /proc/PID/maps
 * @start: first address
 * @end: first address after it
 * @perms: rights, as "rw-p"
 * @name: file or name in brackets, "" if it has none
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	char perms[5];
	char *name;
};

/**
 * maps_line() - read a line of a /proc/PID/maps
 * @line: the line, without its newline
 * @m: filled in; its name is for free()
 *
 * Return: true if it is as expected.
 */
bool maps_line(const char *line, struct mapping *m);

/**
 * struct maps - a /proc/PID/maps being read
 * @f: the file
 * @line: buffer for getline()
 * @room: its size
 * @now: the mapping last read; nothing before the first and after the last
 * @pagemap: /proc/PID/pagemap, which can be read for as long as the process has this memory; or -1
 */
struct maps {
	FILE *f;
	char *line;
	size_t room;
	struct mapping now;
	int pagemap;
};

/**
 * maps_open() - begin to read the mappings of a process
 * @pid: the process
 * @maps: filled in
 *
 * A process may have very many: they are read as they are needed.
 *
 * Return: true, the first one was read; or false after a complaint.
 */
bool maps_open(pid_t pid, struct maps *maps);

/**
 * maps_next() - go to the next mapping
 * @maps: the mappings
 *
 * Return: true if there is one; then it is @maps->now.
 */
bool maps_next(struct maps *maps);

/**
 * maps_gone() - has the process ended, or become another by exec
 * @maps: the mappings
 *
 * What was looked up before this says no was looked up while the process had its memory.
 * fs/proc/task_mmu.c: pagemap_read() reads nothing of an mm that has no users.
 *
 * Return: true if it has; false too where that cannot be told.
 */
bool maps_gone(const struct maps *maps);

/**
 * maps_close() - read no more
 * @maps: the mappings
 */
void maps_close(struct maps *maps);

#endif
