// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of x86_64 page tables as the manual describes them (Intel SDM volume 3, 4.5), read
 * without the kernel's helpers.
 */
#include "decode.h"
#include "lib.h"

#define PRESENT (1ULL << 0)
#define WRITABLE (1ULL << 1)
#define USER (1ULL << 2)
#define HUGE (1ULL << 7)
#define PROTNONE (1ULL << 8)
#define NO_EXECUTE (1ULL << 63)
#define FRAME 0x000ffffffffff000ULL

const char *const name_uffd_wp = "UFFD_WP";
const char *const name_soft_dirty = "SOFT_DIRTY";
const char *const name_pkey_bit0 = "PKEY_BIT0";

const struct entry_bit entry_bits[] = {
	{ "PRESENT", PRESENT },
	{ "RW", WRITABLE },
	{ "USER", USER },
	{ "PWT", 1ULL << 3 },
	{ "PCD", 1ULL << 4 },
	{ "ACCESSED", 1ULL << 5 },
	{ "DIRTY", 1ULL << 6 },
	{ "NX", NO_EXECUTE },
};

const size_t nr_entry_bits = NR_OF(entry_bits);

unsigned int level_shift(int level)
{
	static const unsigned int shifts[] = { 48, 39, 30, 21, 12 };

	/* With four levels the top table is what is called p4d with five. */
	return level ? shifts[level] : shifts[five_levels() ? 0 : 1];
}

struct decoded decode(int level, uint64_t value)
{
	struct decoded d = { .present = value & PRESENT };
	uint64_t frame = value;

	d.huge = level < 4 && value & HUGE;
	/*
	 * Linux keeps the frame of a page that nobody may reach inverted, so that no CPU
	 * speculates on it (L1TF).
	 */
	if (!d.present && value & PROTNONE)
		frame = ~value;
	d.frame = frame & FRAME;
	if (d.huge)
		d.frame &= ~((1ULL << level_shift(level)) - 1);
	d.writable = value & WRITABLE;
	d.user = value & USER;
	d.executable = !(value & NO_EXECUTE);
	return d;
}
