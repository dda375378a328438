/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * gupwalk: what the module and user space agree on beyond the text files of debugfs-layout.md.
 *
 * Everything here has a fixed width and no padding, so that a program built once works with every
 * kernel and architecture that the module runs on.
 */
#ifndef _UAPI_GUPWALK_H
#define _UAPI_GUPWALK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The number of debugfs-layout.md; grows when something there changes its meaning. */
#define GUPWALK_FORMAT 1

#define GUPWALK_VERSION "0.1.0"

/* Longest request line, its newline included. */
#define GUPWALK_LINE_MAX 4095

/* Longest label of a request (run=). */
#define GUPWALK_LABEL_MAX 31

/*
 * The target: a device whose mmap(MAP_SHARED) gives a VM_PFNMAP mapping of a few reserved pages,
 * all of them mapped at once. GUPWALK_TARGET_ZAP takes them out of the page tables of the caller
 * again; the next access or fault maps them anew.
 */
#define GUPWALK_TARGET_NAME "gupwalk_target"
#define GUPWALK_TARGET_PAGES 4

/**
 * struct gupwalk_target_zap - argument of GUPWALK_TARGET_ZAP
 * @addr: (in) page-aligned address in a mapping of the target by the calling process
 * @len: (in) bytes, a multiple of the page size, not beyond the end of that mapping
 */
struct gupwalk_target_zap {
	__u64 addr;
	__u64 len;
};

#define GUPWALK_TARGET_ZAP _IOW('g', 0x01, struct gupwalk_target_zap)

#endif /* _UAPI_GUPWALK_H */
