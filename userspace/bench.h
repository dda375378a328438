/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_BENCH_H
#define GUPWALK_BENCH_H

#include <stdint.h>

#include "command.h"

/**
 * bench_now() - the time
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
uint64_t bench_now(void);

/**
 * bench_observe() - measure what observing adds to a call, and print it
 * @s: the invocation
 *
 * Return: an enum status.
 */
int bench_observe(struct session *s);

#endif
