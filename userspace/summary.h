/* SPDX-License-Identifier: GPL-2.0-only */
/* A process's page tables in a few numbers. */
#ifndef GUPWALK_SUMMARY_H
#define GUPWALK_SUMMARY_H

#include "command.h"
#include "extent.h"
#include "tables.h"

struct summary;

/**
 * summary_new() - begin to count
 * @entries: how to read entries
 *
 * Return: the summary, for summary_print().
 */
struct summary *summary_new(const struct entries *entries);

/**
 * summary_table() - count a table
 * @y: the summary
 * @level: its level
 * @size: its bytes
 */
void summary_table(struct summary *y, int level, uint64_t size);

/**
 * summary_extent() - count an extent
 * @y: the summary
 * @e: the extent; they come in the order of addresses
 */
void summary_extent(struct summary *y, const struct extent *e);

/**
 * summary_print() - print it and forget it
 * @y: the summary
 * @s: the invocation; its output is open
 * @complete: all that was to be walked was counted
 */
void summary_print(struct summary *y, struct session *s, bool complete);

#endif
