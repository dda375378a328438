/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_STATUS_H
#define GUPWALK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/**
 * status_kb() - a line of /proc/PID/status in kB: "VmLck:       0 kB"
 * @pid: the process
 * @key: the line, its colon included
 * @kb: set to the number
 *
 * Return: true if there is such a line.
 */
bool status_kb(uint64_t pid, const char *key, uint64_t *kb);

/**
 * status_uring() - what the io_uring instances of a process say of their registered buffers
 * @pid: the process
 * @out: where it is appended: how many buffers and how much memory; nothing if there are none
 */
void status_uring(uint64_t pid, struct strbuf *out);

#endif
