/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files `pins` and `pins.jsonl`: what the ledger knows, held against the pages, the processes
 * and their page tables as they are now.
 */
#ifndef _GUPWALK_PINS_H
#define _GUPWALK_PINS_H

#include <linux/fs.h>

/* The files, see pins.c. */
extern const struct file_operations gw_pins_fops;
extern const struct file_operations gw_pins_json_fops;

#endif /* _GUPWALK_PINS_H */
