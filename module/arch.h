/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between architectures, implemented by one file each (pte_x86.c, …).
 */
#ifndef _GUPWALK_ARCH_H
#define _GUPWALK_ARCH_H

#include "names.h"
#include "snapshot.h"

/**
 * enum gw_entry_kind - how the bits of an entry are to be read
 * @GW_ENTRY_TABLE: points to the next table
 * @GW_ENTRY_LEAF: maps a page, PROT_NONE included
 * @GW_ENTRY_ABSENT: maps nothing: empty, or in the format of swap entries
 */
enum gw_entry_kind { GW_ENTRY_TABLE, GW_ENTRY_LEAF, GW_ENTRY_ABSENT };

/* The architecture's name as users write it. */
extern const char * const gw_arch_name;

/**
 * gw_arch_entry_names() - the names of the bits of an entry
 * @level: its level
 * @kind: how it is to be read
 *
 * Return: a table that ends with a row without a name.
 */
const struct gw_name *gw_arch_entry_names(enum gw_level level, enum gw_entry_kind kind);

/**
 * struct gw_right_rule - what an entry and those above it have to say for a right
 * @right: GW_RIGHT_*; 0 ends the table
 * @leaf_mask: bits of the entry that maps the page
 * @leaf_value: what they have to be
 * @table_mask: bits of each entry above it
 * @table_value: what they have to be
 */
struct gw_right_rule {
	u8 right;
	u64 leaf_mask;
	u64 leaf_value;
	u64 table_mask;
	u64 table_value;
};

/* A right is there if one of its rules is met. */
extern const struct gw_right_rule gw_arch_right_rules[];

/**
 * gw_arch_top_ignored() - bits that mean nothing to user space in an entry of the topmost table
 *
 * Return: the bits.
 */
u64 gw_arch_top_ignored(void);

/* The bits of a pte that maps a page that are no part of the page frame's number. */
extern const u64 gw_arch_attributes;

/* The bits that tell a table from a page, and this from an entry that is not present. */
extern const u64 gw_arch_kind_bits;

/* Bits of a table's entry as the kernel makes it, but for the address. */
extern const u64 gw_arch_table_bits;

/**
 * gw_arch_protnone() - does an entry that maps a page let nobody reach it
 * @value: raw value of an entry that maps a page
 *
 * The kernel's own pte_protnone() answers only where NUMA balancing is configured.
 *
 * Return: true for PROT_NONE and for NUMA hints.
 */
bool gw_arch_protnone(u64 value);

/**
 * gw_arch_contiguous_shift() - is an entry part of a block that the CPU may cache as one
 * @level: its level
 * @value: raw value of an entry that maps a page
 *
 * Return: log2 of the bytes of the block, or 0.
 */
unsigned int gw_arch_contiguous_shift(enum gw_level level, u64 value);

/**
 * gw_arch_level_folded() - does a level exist only in the source code
 * @level: the level
 *
 * Return: true if the level repeats the entry of the one above it on this machine.
 */
bool gw_arch_level_folded(enum gw_level level);

/**
 * gw_arch_level_entries() - how many entries a table has
 * @level: the level
 *
 * Return: the number; 1 if the level is folded.
 */
unsigned int gw_arch_level_entries(enum gw_level level);

/**
 * gw_arch_copy_to_user() - copy a few kilobytes of entries to user space
 * @to: where to
 * @from: where from, aligned to 8 bytes
 * @size: bytes
 *
 * Context: process context, may sleep.
 * Return: 0, or -EFAULT if not all could be copied.
 */
int gw_arch_copy_to_user(void __user *to, const void *from, size_t size);

/**
 * gw_arch_untagged() - an address as the page tables know it
 * @addr: an address of user space, with bits perhaps that mean nothing to the CPU
 *
 * Return: the address without them.
 */
unsigned long gw_arch_untagged(unsigned long addr);

/**
 * gw_arch_return_address() - where a function will return to
 * @regs: the registers at its first instruction
 *
 * Return: the return address.
 */
unsigned long gw_arch_return_address(const struct pt_regs *regs);

#endif /* _GUPWALK_ARCH_H */
