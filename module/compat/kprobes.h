/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes. The facts are in ../compat.h, which includes this.
 */
#ifndef _GUPWALK_COMPAT_KPROBES_H
#define _GUPWALK_COMPAT_KPROBES_H

#include <linux/kprobes.h>
#include <linux/preempt.h>

static inline struct kretprobe *gw_kretprobe_of(struct kretprobe_instance *instance)
{
#if GW_HAVE_GET_KRETPROBE
	return get_kretprobe(instance);
#else
	return instance->rp;
#endif
}

/* in_irq() until v5.11, by another name since. */
static inline bool gw_in_hardirq(void)
{
	return hardirq_count();
}

#endif /* _GUPWALK_COMPAT_KPROBES_H */
