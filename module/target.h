/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The target: a VM_PFNMAP mapping to try calls on, as a driver's mapping of device memory is one.
 */
#ifndef _GUPWALK_TARGET_H
#define _GUPWALK_TARGET_H

#include <linux/mm_types.h>

/**
 * gw_target_init() - create the device
 *
 * Return: 0 or a negative errno.
 */
int gw_target_init(void);

/**
 * gw_target_exit() - remove it; the module count makes sure that nothing is mapped any more
 */
void gw_target_exit(void);

/**
 * gw_target_maps() - is a VMA a mapping of the device
 * @vma: the VMA
 *
 * Context: mmap lock held.
 * Return: true if it is; then its page frames may be taken out of the page tables.
 */
bool gw_target_maps(const struct vm_area_struct *vma);

#endif /* _GUPWALK_TARGET_H */
