/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_MACHINE_H
#define GUPWALK_MACHINE_H

#include "text.h"

/**
 * machine_fact() - go through what this machine has that matters to page tables
 * @i: from 0 on
 * @key: set to what it is about
 * @value: where it is written what the machine says
 *
 * Reads /proc and /sys.
 *
 * Return: true; false when there are no more.
 */
bool machine_fact(size_t i, const char **key, struct strbuf *value);

#endif
