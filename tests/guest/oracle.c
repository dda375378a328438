// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots held against what can be known without the module: the bits of the address, the format
 * of the entries, and what /proc says about the page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decode.h"
#include "lib.h"

static const char *const level_names[] = { "pgd", "p4d", "pud", "pmd", "pte" };

/* Names of the folio's flags as the kernel prints them, and their bits in /proc/kpageflags. */
static const struct {
	const char *name;
	int bit;
} page_flags[] = {
	{ "uptodate", KPF_UPTODATE },
	{ "dirty", KPF_DIRTY },
	{ "swapbacked", KPF_SWAPBACKED },
	{ "head", KPF_HEAD },
	{ "unevictable", KPF_UNEVICTABLE },
	{ "hwpoison", KPF_HWPOISON },
	{ "reserved", KPF_RESERVED },
	{ "mlocked", KPF_MLOCKED },
};

bool anon_exclusive(struct json_object *snap)
{
	return !jnull(snap, "page.anon_exclusive") && jbool(snap, "page.anon_exclusive");
}

static bool last_level_is_leaf(struct json_object *snap)
{
	return !jnull(snap, "leaf");
}

/* The names beside an entry against its bits. */
static void agree_flags(struct json_object *level, bool is_last, bool is_leaf)
{
	uint64_t value = jhex(level, "value");
	size_t i;

	for (i = 0; i < nr_entry_bits; i++) {
		bool named = jhas(level, "flags", entry_bits[i].name);
		/* The bits of an entry that maps nothing mean something else, or nothing. */
		bool set = (value & entry_bits[i].mask) == entry_bits[i].value &&
			   (is_last ? is_leaf && entry_bits[i].in_leaf : entry_bits[i].in_table);

		check_that(named == set, "%s %s: flag %s is %snamed", jstr(level, "name"),
			   jstr(level, "value"), entry_bits[i].name, named ? "" : "not ");
	}
}

static void agree_level(struct json_object *snap, uint64_t addr, int i)
{
	struct json_object *levels = jget(snap, "levels");
	struct json_object *level = json_object_array_get_idx(levels, i);
	struct json_object *above = i ? json_object_array_get_idx(levels, i - 1) : NULL;
	bool is_last = i + 1 == (int)jlen(snap, "levels");
	uint64_t table = jhex(level, "table"), index, size;

	check_str(jstr(level, "name"), level_names[i]);
	agree_flags(level, is_last, is_last && last_level_is_leaf(snap));
	if (jbool(level, "folded")) {
		check(level_folded(i));
		check_num(jnum(level, "index"), 0);
		check_str(jstr(level, "table"), jstr(above, "table"));
		check_str(jstr(level, "entry"), jstr(above, "entry"));
		check_str(jstr(level, "value"), jstr(above, "value"));
		return;
	}
	check(!level_folded(i));
	index = addr >> level_shift(i) & (level_entries(i) - 1);
	check_num(jnum(level, "index"), index);
	/* A table is a page, but for the topmost one, which may be smaller. */
	size = i ? PAGE : 8ULL * level_entries(i);
	check_hex(table & ((size < PAGE ? size : PAGE) - 1), 0);
	check_hex(jhex(level, "entry"), table + 8 * index);
	if (i > top_level()) {
		struct decoded to_here = decode(i - 1, jhex(above, "value"));

		check(to_here.present && !to_here.huge);
		check_hex(table, to_here.frame);
	}
}

static void agree_levels(struct json_object *snap, uint64_t addr)
{
	size_t nr = jlen(snap, "levels"), i;

	check_that(nr >= 1 && nr <= 5, "%zu levels", nr);
	for (i = 0; i < nr; i++)
		agree_level(snap, addr, i);
	check_num(jnum(snap, "size"), 1ULL << level_shift(nr - 1));
	if (last_level_is_leaf(snap))
		check_str(jstr(snap, "leaf"), level_names[nr - 1]);
}

static void check_contiguous(struct json_object *snap, int last, const struct decoded *leaf)
{
	check_num(!jnull(snap, "contiguous"), leaf->contiguous);
	if (leaf->contiguous)
		check_num(jnum(snap, "contiguous"), contiguous_size(last));
}

/* Where the last entry says that the page is. */
static void agree_frame(struct json_object *snap, uint64_t addr)
{
	int last = jlen(snap, "levels") - 1;
	struct decoded leaf = decode(last, jhex(snap, "levels.-1.value"));
	uint64_t pa = leaf.frame + (addr & ((1ULL << level_shift(last)) - 1));
	const char *state = jstr(snap, "state");

	check(last == 4 || leaf.huge);
	check_hex(jhex(snap, "pa"), pa);
	check_num(jnum(snap, "pfn"), pa / page_size());
	check_str(state, leaf.present ? "present" : "protnone");
	check_contiguous(snap, last, &leaf);
}

static void agree_rights(struct json_object *snap)
{
	bool readable = true, writable = true, user = true;
	size_t i;

	if (strcmp(jstr(snap, "state"), "present")) {
		check_num(jlen(snap, "rights"), 0);
		return;
	}
	for (i = 0; i < jlen(snap, "levels"); i++) {
		struct json_object *level = json_object_array_get_idx(jget(snap, "levels"), i);
		struct decoded entry = decode(i, jhex(level, "value"));

		readable &= entry.readable;
		writable &= entry.writable;
		user &= entry.user;
	}
	/*
	 * exec is checked against what really happens on execution, in states.c: page-table
	 * isolation lies in the entries.
	 */
	check_num(jhas(snap, "rights", "read"), readable);
	check_num(jhas(snap, "rights", "write"), writable);
	check_num(jhas(snap, "rights", "user"), user);
}

static void agree_page(struct json_object *snap, const struct sight *sight)
{
	uint64_t pfn = jnum(snap, "pfn"), head = jnum(snap, "page.head_pfn");
	uint64_t head_flags = kpageflags(head);
	const char *zone = zone_of(pfn);
	bool zero = kpf(sight->flags, KPF_ZERO);
	size_t i;

	check_hex(sight->pagemap & PM_PFN, pfn);
	check(pfn >= head && pfn < head + (1ULL << jnum(snap, "page.order")));
	check_hex(head & ((1ULL << jnum(snap, "page.order")) - 1), 0);
	check_num(jbool(snap, "page.anon"), kpf(sight->flags, KPF_ANON));
	if (kpageflags_knows_ksm())
		check_num(jbool(snap, "page.ksm"), kpf(sight->flags, KPF_KSM));
	check_num(jbool(snap, "page.zero"), zero);
	check_num(jnum(snap, "page.mapcount"), sight->count);
	check_num(jhas(snap, "page.flags", "hugetlb"), kpf(sight->flags, KPF_HUGE));
	check(jnum(snap, "page.refcount") >= 1);
	check_num(jnull(snap, "page.anon_exclusive"), !has_anon_exclusive());
	check(!anon_exclusive(snap) || jbool(snap, "page.anon"));
	if (zone)
		check_str(jstr(snap, "page.zone"), zone);
	if (!zero)
		check_num(!(sight->pagemap & PM_FILE), jbool(snap, "page.anon"));
	/*
	 * Of hugetlb the kernel also asks whether the table is shared, by a count that only tables
	 * of pmds have (hugetlb_pmd_shared(), pt_share_count, 6.12): of a pte's, for a page of some
	 * contiguous ptes, it reads what was left there.
	 */
	if (!strcmp(jstr(snap, "leaf"), "pte") && !zero && !kpf(sight->flags, KPF_HUGE))
		check_num(!!(sight->pagemap & PM_EXCLUSIVE), sight->count == 1);
	else if (sight->pagemap & PM_EXCLUSIVE)
		check(sight->count <= 1);
	for (i = 0; i < NR_OF(page_flags); i++)
		check_that(jhas(snap, "page.flags", page_flags[i].name) ==
			   kpf(head_flags, page_flags[i].bit),
			   "page flag %s: kpageflags of %#llx is %#llx, the snapshot says %s",
			   page_flags[i].name, (unsigned long long)head,
			   (unsigned long long)head_flags,
			   json_object_to_json_string(jget(snap, "page.flags")));
}

/* A mapped page: in the entry, in pagemap, in kpageflags. */
static void agree_mapped(struct json_object *snap, const struct sight *sight)
{
	/* pagemap does not look into VM_PFNMAP mappings, and nothing there has a page. */
	if (jnull(snap, "page")) {
		check_num(sight->pagemap >> 62, 0);
		return;
	}
	check(sight->pagemap & PM_PRESENT);
	agree_page(snap, sight);
	if (name_uffd_wp && pagemap_knows_uffd_wp())
		check_num(jhas(snap, "levels.-1.flags", name_uffd_wp),
			  !!(sight->pagemap & PM_UFFD_WP));
	if (name_soft_dirty && jhas(snap, "levels.-1.flags", name_soft_dirty))
		check(sight->pagemap & PM_SOFT_DIRTY);
}

/* Fields that belong to some states only. */
static void agree_nulls(struct json_object *snap, const char *state)
{
	bool mapped = !strcmp(state, "present") || !strcmp(state, "protnone");
	bool moving = !strcmp(state, "migration") || !strcmp(state, "device");
	bool swapped = !strcmp(state, "swap");

	check_num(!jnull(snap, "leaf"), mapped);
	check_num(!jnull(snap, "pfn"), mapped || moving);
	check_num(!jnull(snap, "pa"), mapped);
	check_num(!jnull(snap, "swap_type"), swapped);
	check_num(!jnull(snap, "swap_offset"), swapped);
	check_num(!jnull(snap, "marker"), !strcmp(state, "marker"));
	check_num(!jnull(snap, "size"), !!strcmp(state, "novma"));
	check(mapped || jnull(snap, "contiguous"));
	check(mapped || jnull(snap, "page"));
	check(mapped || !jlen(snap, "rights"));
}

void consistent(struct json_object *snap, const void *addr)
{
	const char *state = jstr(snap, "state");

	if (!jbool(snap, "stable"))
		return;
	agree_nulls(snap, state);
	if (!strcmp(state, "novma")) {
		check_num(jlen(snap, "levels"), 0);
		return;
	}
	agree_levels(snap, (uintptr_t)addr);
	if (!strcmp(state, "none"))
		check_hex(jhex(snap, "levels.-1.value"), 0);
	if (jnull(snap, "pa"))
		return;
	agree_frame(snap, (uintptr_t)addr);
	agree_rights(snap);
}

void agree(struct json_object *snap, const void *addr, const struct sight *sight)
{
	const char *state = jstr(snap, "state");

	check(jbool(snap, "stable"));
	consistent(snap, addr);
	if (!strcmp(state, "present") || !strcmp(state, "protnone")) {
		agree_mapped(snap, sight);
	} else if (!strcmp(state, "none") || !strcmp(state, "novma")) {
		check_num(sight->pagemap >> 62, 0);
	} else if (!strcmp(state, "swap")) {
		check_num(sight->pagemap >> 62, 1);
		check_num(jnum(snap, "swap_type"), sight->pagemap & 31);
		check_num(jnum(snap, "swap_offset"), (sight->pagemap & PM_PFN) >> 5);
	} else {
		/*
		 * migration, marker, device: pagemap shows them as swap, if at all (not for
		 * hugetlb)
		 */
		check(!(sight->pagemap & PM_PRESENT));
	}
}

static bool same_sight(const struct sight *a, const struct sight *b)
{
	return a->pagemap == b->pagemap && a->flags == b->flags && a->count == b->count;
}

/* The node of a page, as move_pages() tells it when nothing is to be moved. */
static void agree_node(struct json_object *snap, pid_t pid, const void *addr)
{
	void *pages[] = { (void *)addr };
	int node = -1;

	if (jnull(snap, "page") || jbool(snap, "page.zero"))
		return;
	if (!syscall(SYS_move_pages, pid, 1UL, pages, NULL, &node, 0) && node >= 0)
		check_num(jnum(snap, "page.nid"), node);
}

struct json_object *walk_of(pid_t pid, const void *addr)
{
	struct json_object *answer;
	struct sight before, after;
	char whose[32] = "";
	int tries = 0;

	if (pid)
		snprintf(whose, sizeof(whose), " pid=%d", pid);
	/* Somebody else may change what is seen, as the drain of the per-CPU lists does. */
	do {
		if (tries++ == 20)
			fail("/proc does not say the same thing twice about %p", addr);
		before = look(pid, addr);
		answer = record("op=walk addr=%p%s", addr, whose);
		after = look(pid, addr);
	} while (!same_sight(&before, &after));
	check_num(jnum(answer, "ret"), 1);
	check_num(jlen(answer, "pages"), 1);
	check(jnull(answer, "pages.0.after"));
	check(jnull(answer, "pages.0.cause"));
	check_hex(jhex(answer, "pages.0.addr"), (uintptr_t)addr);
	agree(jget(answer, "pages.0.before"), addr, &before);
	agree_node(jget(answer, "pages.0.before"), pid, addr);
	agree_bulk(pid, addr);
	return jget(answer, "pages.0.before");
}

struct json_object *walk(const void *addr)
{
	return walk_of(0, addr);
}

struct json_object *call(const void *addr, const char *words)
{
	struct sight before = look(0, addr), after;
	struct json_object *answer = record("addr=%p %s", addr, words);

	after = look(0, addr);
	agree(jget(answer, "pages.0.before"), addr, &before);
	agree(jget(answer, "pages.0.after"), addr, &after);
	return answer;
}
