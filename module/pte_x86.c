// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of x86_64 page tables.
 *
 * The meaning of the bits: arch/x86/include/asm/pgtable_types.h of the kernel, and Intel SDM
 * volume 3, chapter 4.5.
 */
#include <linux/pgtable.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>

#include "arch.h"
#include "compat.h"

const char * const gw_arch_name = "x86_64";

/* Bits that mean the same in an entry of every level. */
#define GW_X86_COMMON							\
	{ "PRESENT", _PAGE_PRESENT },					\
	{ "RW", _PAGE_RW },						\
	{ "USER", _PAGE_USER },						\
	{ "PWT", _PAGE_PWT },						\
	{ "PCD", _PAGE_PCD },						\
	{ "ACCESSED", _PAGE_ACCESSED },					\
	{ "DIRTY", _PAGE_DIRTY }

/*
 * Bits of an entry that maps a page. PROTNONE has the bit of GLOBAL, and means it while PRESENT
 * is clear.
 */
#define GW_X86_LEAF							\
	{ "GLOBAL", _PAGE_PRESENT | _PAGE_GLOBAL, _PAGE_PRESENT | _PAGE_GLOBAL }, \
	{ "PROTNONE", _PAGE_PRESENT | _PAGE_PROTNONE, _PAGE_PROTNONE },	\
	{ "SPECIAL", _PAGE_SPECIAL },					\
	{ "UFFD_WP", GW_PAGE_UFFD },					\
	{ "SOFT_DIRTY", _PAGE_SOFT_DIRTY },				\
	{ "DEVMAP", GW_PAGE_DEVMAP },					\
	{ "SAVED_DIRTY", GW_PAGE_SAVED_DIRTY },				\
	{ "PKEY_BIT0", _PAGE_PKEY_BIT0 },				\
	{ "PKEY_BIT1", _PAGE_PKEY_BIT1 },				\
	{ "PKEY_BIT2", _PAGE_PKEY_BIT2 },				\
	{ "PKEY_BIT3", _PAGE_PKEY_BIT3 },				\
	{ "NX", _PAGE_NX }

static const struct gw_name table_names[] = {
	GW_X86_COMMON,
	{ "NOPTISHADOW", GW_PAGE_NOPTISHADOW },
	{ "NX", _PAGE_NX },
	{ }
};

static const struct gw_name pte_names[] = {
	GW_X86_COMMON,
	{ "PAT", _PAGE_PAT },
	GW_X86_LEAF,
	{ }
};

static const struct gw_name huge_names[] = {
	GW_X86_COMMON,
	{ "PSE", _PAGE_PSE },
	{ "PAT_LARGE", _PAGE_PAT_LARGE },
	GW_X86_LEAF,
	{ }
};

static const struct gw_name absent_names[] = {
	{ "SWP_SOFT_DIRTY", _PAGE_SWP_SOFT_DIRTY },
	{ "SWP_UFFD_WP", GW_PAGE_SWP_UFFD },
	{ "SWP_EXCLUSIVE", GW_PAGE_SWP_EXCLUSIVE },
	{ }
};

const struct gw_name *gw_arch_entry_names(enum gw_level level, enum gw_entry_kind kind)
{
	switch (kind) {
	case GW_ENTRY_TABLE:
		return table_names;
	case GW_ENTRY_LEAF:
		return level == GW_PTE ? pte_names : huge_names;
	default:
		return absent_names;
	}
}

#define GW_X86_RIGHT(right, bit, value) { right, bit, value, bit, value }

const struct gw_right_rule gw_arch_right_rules[] = {
	GW_X86_RIGHT(GW_RIGHT_READ, 0, 0),
	GW_X86_RIGHT(GW_RIGHT_WRITE, _PAGE_RW, _PAGE_RW),
	GW_X86_RIGHT(GW_RIGHT_USER, _PAGE_USER, _PAGE_USER),
	GW_X86_RIGHT(GW_RIGHT_EXEC, _PAGE_NX, 0),
	{ }
};

const u64 gw_arch_attributes = ~GENMASK_ULL(51, PAGE_SHIFT);

const u64 gw_arch_kind_bits = _PAGE_PRESENT | _PAGE_PSE | _PAGE_PROTNONE;
/* _PAGE_TABLE, which is no constant where memory may be encrypted. */
const u64 gw_arch_table_bits =
	_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY;

/*
 * Under page-table isolation the kernel's copy of a top-level entry of user space carries NX, so
 * that the kernel cannot run user code; user space runs on another copy (__pti_set_user_pgtbl(),
 * arch/x86/mm/pti.c).
 */
u64 gw_arch_top_ignored(void)
{
	return boot_cpu_has(X86_FEATURE_PTI) ? _PAGE_NX : 0;
}

bool gw_arch_protnone(u64 value)
{
	return (value & (_PAGE_PRESENT | _PAGE_PROTNONE)) == _PAGE_PROTNONE;
}

unsigned int gw_arch_contiguous_shift(enum gw_level level, u64 value)
{
	return 0;
}

bool gw_arch_level_folded(enum gw_level level)
{
	return level == GW_P4D && !pgtable_l5_enabled();
}

unsigned int gw_arch_level_entries(enum gw_level level)
{
	return gw_arch_level_folded(level) ? 1 : PTRS_PER_PTE;
}

/*
 * copy_to_user() of a CPU that says it is good at `rep movsb` is that instruction, which an
 * emulated CPU goes through byte by byte: four times what the reading of the page tables takes. A
 * store for each entry costs little anywhere.
 */
int gw_arch_copy_to_user(void __user *to, const void *from, size_t size)
{
	u64 __user *next = to;
	const u64 *word = from;
	size_t rest = size % 64, nr = size / 64;

	if (!user_access_begin(to, size))
		return -EFAULT;
	for (; nr; nr--, next += 8, word += 8) {
		unsafe_put_user(word[0], &next[0], fault);
		unsafe_put_user(word[1], &next[1], fault);
		unsafe_put_user(word[2], &next[2], fault);
		unsafe_put_user(word[3], &next[3], fault);
		unsafe_put_user(word[4], &next[4], fault);
		unsafe_put_user(word[5], &next[5], fault);
		unsafe_put_user(word[6], &next[6], fault);
		unsafe_put_user(word[7], &next[7], fault);
	}
	user_access_end();
	return copy_to_user(next, word, rest) ? -EFAULT : 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* The call has pushed it. */
unsigned long gw_arch_return_address(const struct pt_regs *regs)
{
	return *(unsigned long *)kernel_stack_pointer((struct pt_regs *)regs);
}

/* With LAM the kernel itself passes addresses to get_user_pages that have no tag any more. */
unsigned long gw_arch_untagged(unsigned long addr)
{
	return addr;
}
