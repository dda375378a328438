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

/* They mean the same in every entry. */
#define BIT_OF(name, mask) { name, mask, mask, true, true }

const struct entry_bit entry_bits[] = {
	BIT_OF("PRESENT", PRESENT),
	BIT_OF("RW", WRITABLE),
	BIT_OF("USER", USER),
	BIT_OF("PWT", 1ULL << 3),
	BIT_OF("PCD", 1ULL << 4),
	BIT_OF("ACCESSED", 1ULL << 5),
	BIT_OF("DIRTY", 1ULL << 6),
	BIT_OF("NX", NO_EXECUTE),
};

const size_t nr_entry_bits = NR_OF(entry_bits);

size_t contiguous_size(int level)
{
	return 0;
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
	d.readable = d.present;
	d.writable = value & WRITABLE;
	d.user = value & USER;
	d.executable = !(value & NO_EXECUTE);
	return d;
}
