/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How to read the entries of this kernel's page tables, told so that a program can do it: the file
 * `entries`. What is told is found out by asking the functions that the module itself reads
 * entries with; there is no second description that could differ from them.
 */
#ifndef _GUPWALK_ENTRIES_H
#define _GUPWALK_ENTRIES_H

#include <linux/seq_file.h>

/**
 * gw_entries_show() - print the file `entries`
 * @m: where to
 */
void gw_entries_show(struct seq_file *m);

#endif /* _GUPWALK_ENTRIES_H */
