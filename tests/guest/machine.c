// SPDX-License-Identifier: GPL-2.0-only
/*
 * What differs between machines and between kernels: found out here, without the module's help.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib.h"

size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

static unsigned int page_shift(void)
{
	return __builtin_ctzl(page_size());
}

/* Can anything be mapped there? */
static bool mappable(uintptr_t addr)
{
	void *place = mmap((void *)addr, PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (place == MAP_FAILED)
		return errno == EEXIST;
	munmap(place, PAGE);
	return place == (void *)addr;
}

unsigned int user_bits(void)
{
	static unsigned int bits;

	if (!bits)
		for (bits = 56; !mappable(1UL << (bits - 1)); bits--)
			must(bits > 30);
	return bits;
}

/* On x86 one tree of tables has user space in its lower half, on arm64 user space has a tree. */
static unsigned int table_bits(void)
{
#ifdef __x86_64__
	return user_bits() + 1;
#else
	return user_bits();
#endif
}

/* A table is a page full of entries of 8 bytes. */
static unsigned int bits_of_level(void)
{
	return page_shift() - 3;
}

int nr_levels(void)
{
	return (table_bits() - page_shift() + bits_of_level() - 1) / bits_of_level();
}

bool five_levels(void)
{
	return nr_levels() == 5;
}

/* Four levels: pgd pud pmd pte, three: pgd pmd pte. */
bool level_folded(int level)
{
	return level > 0 && level <= 5 - nr_levels();
}

int top_level(void)
{
	return 5 - nr_levels();
}

unsigned int level_shift(int level)
{
	if (level < top_level())
		level = top_level();
	return page_shift() + (4 - level) * bits_of_level();
}

unsigned int level_entries(int level)
{
	if (level_folded(level))
		return 1;
	return 1U << (level ? bits_of_level() : table_bits() - level_shift(0));
}

size_t pmd_size(void)
{
	return 1UL << level_shift(3);
}

size_t pud_size(void)
{
	return 1UL << level_shift(2);
}

bool kernel_since(int major, int minor)
{
	struct utsname name;
	int its_major, its_minor;

	must(!uname(&name) && sscanf(name.release, "%d.%d", &its_major, &its_minor) == 2);
	return its_major > major || (its_major == major && its_minor >= minor);
}

unsigned int slowness(void)
{
	const char *slow = getenv("GUPWALK_TEST_SLOW");

	return slow && atoi(slow) > 0 ? atoi(slow) : 1;
}

unsigned int brevity(void)
{
	const char *brief = getenv("GUPWALK_TEST_BRIEF");

	return brief && atoi(brief) > 0 ? atoi(brief) : 1;
}

bool kpageflags_knows_ksm(void)
{
	static int knows = -1;

	if (knows < 0) {
		char *page = map_anon(PAGE, true);

		knows = !kpf(look(0, page).flags, KPF_KSM);
		munmap(page, PAGE);
	}
	return knows;
}

/* Since fb8e37f35a2f ("mm/pagemap: export uffd-wp protection information") (in v5.14). */
bool pagemap_knows_uffd_wp(void)
{
	return kernel_since(5, 14);
}

/*
 * Since a7f226604170 ("mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly shared
 * anonymous page") (in v5.19).
 */
bool unshares_for_pin(void)
{
	return kernel_since(5, 19);
}

/*
 * Since 6c287605fd56 ("mm: remember exclusively mapped anonymous pages with PG_anon_exclusive")
 * (in v5.19).
 */
bool has_anon_exclusive(void)
{
	return kernel_since(5, 19);
}
