// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of arm64 page tables as the manual describes them (Arm ARM, D8.3: translation table
 * descriptors), read without the kernel's helpers; and what Linux keeps in the bits that are for
 * software (55 to 58), and in entries that are not valid.
 */
#include "decode.h"
#include "lib.h"

#define VALID (1ULL << 0)
#define TABLE_OR_PAGE (1ULL << 1)
#define EL0 (1ULL << 6)
#define READ_ONLY (1ULL << 7)
#define SHAREABLE (3ULL << 8)
#define ACCESSED (1ULL << 10)
#define NOT_GLOBAL (1ULL << 11)
#define GUARDED (1ULL << 50)
/*
 * Of a leaf: the hardware may clear READ_ONLY by itself. Linux has it set in all that may be
 * written to.
 */
#define MODIFIER (1ULL << 51)
#define CONTIGUOUS (1ULL << 52)
#define NO_EXECUTE_EL1 (1ULL << 53)
#define NO_EXECUTE_EL0 (1ULL << 54)
/* Of a table: limits for all that is below it. */
#define TABLE_NO_EXECUTE_EL1 (1ULL << 59)
#define TABLE_NO_EXECUTE_EL0 (1ULL << 60)
#define TABLE_NO_EL0 (1ULL << 61)
#define TABLE_READ_ONLY (1ULL << 62)
#define TABLE_NOT_SECURE (1ULL << 63)

#define BITS(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))

const char *const name_uffd_wp = "UFFD_WP";
const char *const name_soft_dirty;
const char *const name_pkey_bit0;

#define IN_TABLE(name, mask) { name, mask, mask, .in_table = true }
#define IN_LEAF(name, mask) { name, mask, mask, .in_leaf = true }

const struct entry_bit entry_bits[] = {
	{ "VALID", VALID, VALID, true, true },
	{ "AF", ACCESSED, ACCESSED, true, true },
	IN_TABLE("TABLE", VALID | TABLE_OR_PAGE),
	IN_TABLE("PXNTABLE", TABLE_NO_EXECUTE_EL1),
	IN_TABLE("UXNTABLE", TABLE_NO_EXECUTE_EL0),
	IN_TABLE("APTABLE_NO_EL0", TABLE_NO_EL0),
	IN_TABLE("APTABLE_RDONLY", TABLE_READ_ONLY),
	IN_TABLE("NSTABLE", TABLE_NOT_SECURE),
	IN_LEAF("USER", EL0),
	IN_LEAF("RDONLY", READ_ONLY),
	IN_LEAF("NG", VALID | NOT_GLOBAL),
	IN_LEAF("WRITE", MODIFIER),
	IN_LEAF("CONT", CONTIGUOUS),
	IN_LEAF("PXN", NO_EXECUTE_EL1),
	IN_LEAF("UXN", NO_EXECUTE_EL0),
	IN_LEAF("DIRTY", 1ULL << 55),
	IN_LEAF("SPECIAL", 1ULL << 56),
};

const size_t nr_entry_bits = NR_OF(entry_bits);

/*
 * Physical addresses of 52 bits: with pages of 64K (FEAT_LPA) in bits that such a page's address
 * does not need. With smaller ones (FEAT_LPA2) the upper bits are where the shareability was, in a
 * mode that changes virtual addresses as well, so that these tell.
 */
static uint64_t frame_of(uint64_t value)
{
	uint64_t low = value & BITS(47, 12) & ~(PAGE - 1);

	if (PAGE == 65536)
		return low | (value & BITS(15, 12)) << 36;
	if (user_bits() > 48)
		return low | (value & BITS(49, 48)) | (value & BITS(9, 8)) << 42;
	return low;
}

/* Arm ARM, D8.6.1 (the Contiguous bit): how many entries of a level it is about. */
size_t contiguous_size(int level)
{
	if (level == 4)
		return PAGE == 4096 ? 16 * PAGE : PAGE == 16384 ? 128 * PAGE : 32 * PAGE;
	if (level == 3)
		return PAGE == 4096 ? 16 * pmd_size() : 32 * pmd_size();
	return 0;
}

static void decode_table(struct decoded *d, uint64_t value)
{
	d->readable = !(value & TABLE_NO_EL0);
	d->user = true;
	d->writable = !(value & TABLE_READ_ONLY);
	d->executable = !(value & TABLE_NO_EXECUTE_EL0);
}

/* What may be executed only is user space's, though it lacks the bit for EL0's reading. */
static void decode_leaf(struct decoded *d, uint64_t value)
{
	d->readable = value & EL0;
	d->executable = !(value & NO_EXECUTE_EL0);
	d->user = d->readable || d->executable;
	d->writable = value & EL0 && value & MODIFIER;
	d->contiguous = value & CONTIGUOUS;
}

struct decoded decode(int level, uint64_t value)
{
	struct decoded d = { .present = value & VALID };

	d.frame = frame_of(value);
	d.huge = level < 4 && !(value & TABLE_OR_PAGE);
	if (d.huge)
		d.frame &= ~((1ULL << level_shift(level)) - 1);
	if (level < 4 && !d.huge)
		decode_table(&d, value);
	else
		decode_leaf(&d, value);
	return d;
}
