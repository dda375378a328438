/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who called: a call stack, and the driver that it names.
 */
#ifndef _GUPWALK_CALLER_H
#define _GUPWALK_CALLER_H

#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/types.h>

/* Frames of a stack that are kept. */
#define GW_STACK_MAX 20

/* Room for the name of a driver: that of a module, or of a function. */
#define GW_DRIVER_MAX 64

/**
 * struct gw_stack - return addresses, the caller of the observed function first
 * @time_ns: when it was taken, CLOCK_MONOTONIC: modules come and go
 * @nr: how many
 * @entries: the addresses
 */
struct gw_stack {
	u64 time_ns;
	unsigned int nr;
	unsigned long entries[GW_STACK_MAX];
};

/**
 * gw_stack_take() - the stack of who calls an observed function
 * @stack: filled in
 * @regs: the registers at the function's first instruction
 *
 * Context: any; called from the handler of a probe.
 */
void gw_stack_take(struct gw_stack *stack, struct pt_regs *regs);

/**
 * gw_stack_keep() - remember the names of a stack's frames in a module that goes
 * @stack: the stack
 * @module: the module, whose names are known still
 *
 * Context: may sleep.
 */
void gw_stack_keep(const struct gw_stack *stack, const struct module *module);

/**
 * gw_stack_symbol() - a frame in words
 * @stack: the stack
 * @i: which frame
 * @text: filled in: name+offset/size, and [module] after it; "?" if no name is known
 * @size: bytes of @text
 *
 * An address without a name is not shown: kptr_restrict would hide it too.
 *
 * Context: may sleep.
 */
void gw_stack_symbol(const struct gw_stack *stack, unsigned int i, char *text, size_t size);

/**
 * gw_stack_driver() - who is behind a call
 * @stack: the stack
 * @driver: filled in: name of the module that is nearest in the stack; without one that of the
 *	first function outside what merely passes such calls on; "?" if a frame before that has no
 *	name that is known
 *
 * Context: may sleep.
 */
void gw_stack_driver(const struct gw_stack *stack, char driver[GW_DRIVER_MAX]);

/**
 * gw_stack_hash() - tell stacks apart
 * @stack: the stack
 *
 * Context: any.
 * Return: a number that is the same for the same stack, as long as no module comes or goes; not 0.
 */
u64 gw_stack_hash(const struct gw_stack *stack);

/**
 * gw_callers_init() - begin to look at which modules there are
 *
 * Return: 0 or a negative errno.
 */
int gw_callers_init(void);

/**
 * gw_callers_exit() - and no longer
 */
void gw_callers_exit(void);

#endif /* _GUPWALK_CALLER_H */
