/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GUPWALK_DEBUGFS_H
#define _GUPWALK_DEBUGFS_H

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
