// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of arm64 page tables, of pages of 4K, 16K and 64K.
 *
 * The meaning of the bits: arch/arm64/include/asm/pgtable-hwdef.h and pgtable-prot.h of the
 * kernel, and the Arm ARM, D8.3.
 */
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "compat.h"

const char * const gw_arch_name = "arm64";

/* Bits of a table's entry that limit what is below it. */
#define GW_ARM64_TABLE_PXN BIT_ULL(59)
#define GW_ARM64_TABLE_UXN BIT_ULL(60)
#define GW_ARM64_TABLE_AP_NO_EL0 BIT_ULL(61)
#define GW_ARM64_TABLE_AP_RDONLY BIT_ULL(62)
#define GW_ARM64_TABLE_NS BIT_ULL(63)

static const struct gw_name table_names[] = {
	{ "VALID", PTE_VALID },
	{ "TABLE", PTE_TYPE_MASK, PTE_TYPE_PAGE },
	{ "AF", PTE_AF },
	{ "PXNTABLE", GW_ARM64_TABLE_PXN },
	{ "UXNTABLE", GW_ARM64_TABLE_UXN },
	{ "APTABLE_NO_EL0", GW_ARM64_TABLE_AP_NO_EL0 },
	{ "APTABLE_RDONLY", GW_ARM64_TABLE_AP_RDONLY },
	{ "NSTABLE", GW_ARM64_TABLE_NS },
	{ }
};

/*
 * A bit of a leaf that means one thing while VALID is set and another while it is not has both in
 * its mask. DBM is what the kernel calls PTE_WRITE: the entry may be written to, and a clean one
 * has RDONLY set as well until the first write.
 */
static const struct gw_name leaf_names[] = {
	{ "VALID", PTE_VALID },
	{ "PROTNONE", PTE_VALID | GW_ARM64_PROTNONE, GW_ARM64_PROTNONE },
	{ "USER", PTE_USER },
	{ "RDONLY", PTE_RDONLY },
	{ "SHARED", PTE_SHARED, PTE_SHARED },
	{ "AF", PTE_AF },
	{ "NG", PTE_VALID | PTE_NG, PTE_VALID | PTE_NG },
	{ "GP", PTE_GP },
	{ "WRITE", PTE_DBM },
	{ "CONT", PTE_CONT },
	{ "PXN", PTE_PXN },
	{ "UXN", PTE_UXN },
	{ "DIRTY", PTE_DIRTY },
	{ "SPECIAL", PTE_SPECIAL },
	{ "DEVMAP", GW_PAGE_DEVMAP },
	{ "UFFD_WP", GW_PAGE_UFFD },
	{ }
};

static const struct gw_name absent_names[] = {
	{ "SWP_EXCLUSIVE", GW_PAGE_SWP_EXCLUSIVE },
	{ "SWP_UFFD_WP", GW_PAGE_SWP_UFFD },
	{ }
};

const struct gw_name *gw_arch_entry_names(enum gw_level level, enum gw_entry_kind kind)
{
	switch (kind) {
	case GW_ENTRY_TABLE:
		return table_names;
	case GW_ENTRY_LEAF:
		return leaf_names;
	default:
		return absent_names;
	}
}

#define GW_ARM64_TABLE_NO_WRITE (GW_ARM64_TABLE_AP_NO_EL0 | GW_ARM64_TABLE_AP_RDONLY)

/* Execute-only memory has no USER: user space may run it, and nothing else. */
const struct gw_right_rule gw_arch_right_rules[] = {
	{ GW_RIGHT_READ, PTE_USER, PTE_USER, GW_ARM64_TABLE_AP_NO_EL0 },
	{ GW_RIGHT_WRITE, PTE_USER | PTE_DBM, PTE_USER | PTE_DBM, GW_ARM64_TABLE_NO_WRITE },
	{ GW_RIGHT_USER, PTE_USER, PTE_USER, GW_ARM64_TABLE_AP_NO_EL0 },
	{ GW_RIGHT_EXEC, PTE_UXN, 0, GW_ARM64_TABLE_UXN },
	{ GW_RIGHT_USER, PTE_UXN, 0, GW_ARM64_TABLE_UXN },
	{ }
};

/* With LPA2 bits of the number are where the shareability is otherwise: that is no harm here. */
const u64 gw_arch_attributes = ~GENMASK_ULL(49, PAGE_SHIFT);

const u64 gw_arch_kind_bits = PTE_VALID | PTE_TYPE_MASK | GW_ARM64_PROTNONE;
const u64 gw_arch_table_bits = PMD_TYPE_TABLE;

u64 gw_arch_top_ignored(void)
{
	return 0;
}

bool gw_arch_protnone(u64 value)
{
	return (value & (PTE_VALID | GW_ARM64_PROTNONE)) == GW_ARM64_PROTNONE;
}

unsigned int gw_arch_contiguous_shift(enum gw_level level, u64 value)
{
	if (!(value & PTE_CONT))
		return 0;
	switch (level) {
	case GW_PTE:
		return CONT_PTE_SHIFT;
	case GW_PMD:
		return CONT_PMD_SHIFT;
	default:
		return 0;
	}
}

bool gw_arch_level_folded(enum gw_level level)
{
	switch (level) {
	case GW_P4D:
		return !gw_arm64_l5_enabled();
	case GW_PUD:
		return !gw_arm64_l4_enabled();
	case GW_PMD:
		return CONFIG_PGTABLE_LEVELS < 3;
	default:
		return false;
	}
}

static unsigned int entries_of(enum gw_level level)
{
	switch (level) {
	case GW_PGD:
		return PTRS_PER_PGD;
	case GW_P4D:
		return PTRS_PER_P4D;
	case GW_PUD:
		return PTRS_PER_PUD;
	case GW_PMD:
		return PTRS_PER_PMD;
	default:
		return PTRS_PER_PTE;
	}
}

/*
 * Since v6.9 a level that was built in may be folded at run time. The top table is then what the
 * kernel's code reaches under the name of the lowest folded level, with that level's size.
 */
unsigned int gw_arch_level_entries(enum gw_level level)
{
	enum gw_level real = level, below;

	if (gw_arch_level_folded(level))
		return 1;
	/* One that was never built in has a single entry, and may stand in between. */
	for (below = level + 1; below < GW_PTE && gw_arch_level_folded(below); below++)
		if (entries_of(below) > 1)
			real = below;
	return entries_of(real);
}

int gw_arch_copy_to_user(void __user *to, const void *from, size_t size)
{
	return copy_to_user(to, from, size) ? -EFAULT : 0;
}

/*
 * In the link register. A function whose return address is signed signs it at its first
 * instruction, which the probe comes before.
 */
unsigned long gw_arch_return_address(const struct pt_regs *regs)
{
	return procedure_link_pointer(regs);
}

unsigned long gw_arch_untagged(unsigned long addr)
{
	return untagged_addr(addr);
}
