/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GUPWALK_DEBUGFS_H
#define _GUPWALK_DEBUGFS_H

#include <linux/fs.h>

/* The file `run`, see run.c. */
extern const struct file_operations gw_run_fops;

/* The file `walk`, see walkfile.c. */
extern const struct file_operations gw_walk_fops;

/* The file `observe`, see observefile.c. */
extern const struct file_operations gw_observe_fops;

/**
 * gw_check_opener() - may the caller open a file of gupwalk
 *
 * Beyond the file's mode: a descriptor must not be had by who merely owns a user namespace or a
 * copied mode.
 *
 * Return: 0 or -EPERM.
 */
int gw_check_opener(void);

/**
 * gw_debugfs_init() - create the files of debugfs-layout.md
 *
 * Return: 0 or a negative errno.
 */
int gw_debugfs_init(void);

/**
 * gw_debugfs_exit() - remove them
 */
void gw_debugfs_exit(void);

#endif /* _GUPWALK_DEBUGFS_H */
