// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/swap.h>

#include "arch.h"
#include "compat.h"
#include "descent.h"
#include "entries.h"
#include "fields.h"

#define GW_SWAP_TYPES BIT(MAX_SWAPFILES_SHIFT)

/* An offset for entries of which only the type matters; 0 could make them empty. */
#define GW_ANY_OFFSET BIT(10)

/* Bits of the offset of a marker that may say which one it is. */
#define GW_MARKER_BITS 8

/**
 * struct gw_gather - how a number is gathered from the bits of an entry
 * @name: the number
 * @flip: what is inverted in the end
 * @to: by bit of the entry: 1 + bit of the number that it becomes, 0: none
 */
struct gw_gather {
	const char *name;
	u64 flip;
	u8 to[64];
};

static void show_level(struct seq_file *m, enum gw_level level)
{
	struct gw_geometry g = gw_level_geometry(level);

	seq_printf(m, "level %s %u %u %s\n", gw_level_name(level), g.shift, g.entries,
		   g.folded ? "folded" : "-");
}

static void show_flags(struct seq_file *m, enum gw_level level)
{
	static const char * const kinds[] = { "table", "leaf", "absent" };
	const struct gw_name *name;
	enum gw_entry_kind kind;

	for (kind = GW_ENTRY_TABLE; kind <= GW_ENTRY_ABSENT; kind++) {
		if (kind == GW_ENTRY_TABLE ? level == GW_PTE : level < GW_PUD)
			continue;
		for (name = gw_arch_entry_names(level, kind); name->name; name++)
			if (name->mask)
				seq_printf(m, "flag %s %s %s 0x%llx 0x%llx\n", gw_level_name(level),
					   kinds[kind], name->name, name->mask, name->value);
	}
}

static void show_contiguous(struct seq_file *m, enum gw_level level)
{
	unsigned int bit, shift;

	for (bit = 0; bit < 64; bit++) {
		shift = gw_arch_contiguous_shift(level, BIT_ULL(bit));
		if (shift)
			seq_printf(m, "contiguous %s 0x%llx %u\n", gw_level_name(level),
				   BIT_ULL(bit), shift);
	}
}

static void show_rights(struct seq_file *m)
{
	const struct gw_right_rule *rule;
	const struct gw_name *name;

	seq_printf(m, "top-ignored 0x%llx\n", gw_arch_top_ignored());
	for (rule = gw_arch_right_rules; rule->right; rule++)
		for (name = gw_right_names; name->name; name++)
			if (name->mask == rule->right)
				seq_printf(m, "right %s 0x%llx 0x%llx 0x%llx 0x%llx\n", name->name,
					   rule->leaf_mask, rule->leaf_value, rule->table_mask,
					   rule->table_value);
}

static void show_gather(struct seq_file *m, const struct gw_gather *gather)
{
	unsigned int from = 0, n;

	seq_printf(m, " %s=0x%llx", gather->name, gather->flip);
	while (from < 64) {
		if (!gather->to[from]) {
			from++;
			continue;
		}
		for (n = 1; from + n < 64 && gather->to[from + n] == gather->to[from] + n; n++)
			;
		seq_printf(m, ",%u:%u:%u", from, gather->to[from] - 1, n);
		from += n;
	}
}

/* ---- entries that map a page, or point to a table ---- */

/* Bits that no entry needs to be other than empty: on x86 a CPU may set them by mistake. */
static u64 ignored_bits(enum gw_level kind)
{
	unsigned int bit;
	u64 ignored = 0;

	for (bit = 0; bit < 64; bit++)
		if (gw_entry_is_empty(kind, BIT_ULL(bit)))
			ignored |= BIT_ULL(bit);
	return ignored;
}

static void find_pfn(enum gw_level kind, u64 base, u64 fixed, struct gw_gather *gather)
{
	u64 zero = gw_entry_pfn_of(kind, base);
	unsigned int bit;

	*gather = (struct gw_gather){ .name = "pfn" };
	for (bit = 0; bit < 64; bit++) {
		u64 delta;

		if (fixed & BIT_ULL(bit))
			continue;
		delta = gw_entry_pfn_of(kind, base | BIT_ULL(bit)) ^ zero;
		if (!delta)
			continue;
		gather->to[bit] = 1 + __ffs64(delta);
	}
	gather->flip = zero;
}

/* Bits that an entry which points to a table must have, or must not: with another it is bad. */
static u64 table_mask(enum gw_level kind, u64 value)
{
	unsigned int bit;
	u64 mask = 0;

	for (bit = 0; bit < 64; bit++)
		if (!(gw_arch_kind_bits & BIT_ULL(bit)) &&
		    !gw_entry_is_table(kind, value ^ BIT_ULL(bit)))
			mask |= BIT_ULL(bit);
	return mask;
}

static void show_table_class(struct seq_file *m, enum gw_level level, u64 mask, u64 value,
			     const char *state)
{
	seq_printf(m, "class %s 0x%llx 0x%llx table %s -\n", gw_level_name(level), mask,
		   value & mask, state);
}

static void show_table(struct seq_file *m, enum gw_level level, enum gw_level kind, u64 base)
{
	u64 value = base | (gw_arch_table_bits & ~gw_arch_kind_bits), mask;

	if (gw_entry_is_table(kind, value)) {
		mask = gw_arch_kind_bits | table_mask(kind, value);
		show_table_class(m, level, mask, value, "table");
		if (mask == gw_arch_kind_bits)
			return;
	}
	show_table_class(m, level, gw_arch_kind_bits, base, gw_state_name(GW_BAD));
}

/* A page, for entries of which these bits are as in @base. */
static void show_leaf(struct seq_file *m, enum gw_level level, enum gw_level kind, u64 base)
{
	struct gw_gather gather;

	seq_printf(m, "class %s 0x%llx 0x%llx leaf %s -", gw_level_name(level), gw_arch_kind_bits,
		   base, gw_arch_protnone(base) ? "protnone" : "present");
	find_pfn(kind, base, gw_arch_kind_bits, &gather);
	show_gather(m, &gather);
	seq_putc(m, '\n');
}

/* The bits that say what an entry is, in all combinations. */
static void show_present(struct seq_file *m, enum gw_level level)
{
	enum gw_level kind = gw_level_geometry(level).kind;
	u64 all = gw_arch_kind_bits, base = 0;

	do {
		switch (gw_entry_kind_of(kind, base)) {
		case GW_ENTRY_TABLE:
			show_table(m, level, kind, base);
			break;
		case GW_ENTRY_LEAF:
			show_leaf(m, level, kind, base);
			break;
		case GW_ENTRY_ABSENT:
			break;
		}
		/* the next subset of all */
		base = (base - all) & all;
	} while (base);
}

/* ---- entries that are neither empty nor present: the same on all levels ---- */

static u64 swap_value(unsigned int type, u64 offset)
{
	return pte_val(swp_entry_to_pte(swp_entry(type, offset)));
}

static u64 type_bits(void)
{
	unsigned int type;
	u64 bits = 0;

	for (type = 1; type < GW_SWAP_TYPES; type++)
		bits |= swap_value(type, GW_ANY_OFFSET) ^ swap_value(0, GW_ANY_OFFSET);
	return bits;
}

static void find_offset(unsigned int type, const char *name, struct gw_gather *gather)
{
	u64 base = swap_value(type, GW_ANY_OFFSET), zero, bits = 0, gathered = 0;
	unsigned int bit;

	*gather = (struct gw_gather){ .name = name };
	zero = gw_softleaf_from_pte(__pte(base)).offset;
	for (bit = 0; bit < 64; bit++) {
		u64 changed = swap_value(type, GW_ANY_OFFSET ^ BIT_ULL(bit)) ^ base;
		u64 delta;

		if (!changed)
			continue;
		delta = gw_softleaf_from_pte(__pte(base ^ changed)).offset ^ zero;
		if (!delta)
			continue;
		gather->to[__ffs64(changed)] = 1 + __ffs64(delta);
		bits |= changed;
	}
	for (bit = 0; bit < 64; bit++)
		if (gather->to[bit] && base & BIT_ULL(bit))
			gathered |= BIT_ULL(gather->to[bit] - 1);
	gather->flip = gathered ^ zero;
}

static void show_markers(struct seq_file *m, enum gw_level level, unsigned int type, u64 mask)
{
	u64 base = swap_value(type, 0), value;
	unsigned int bit;
	u8 last = gw_softleaf_from_pte(__pte(base)).marker;

	for (bit = 0; bit < GW_MARKER_BITS; bit++) {
		struct gw_softleaf leaf;

		value = swap_value(type, BIT(bit));
		leaf = gw_softleaf_from_pte(__pte(value));
		if (leaf.marker == last)
			continue;
		seq_printf(m, "class %s 0x%llx 0x%llx absent %s %s\n", gw_level_name(level),
			   mask | (value ^ base), value & (mask | (value ^ base)),
			   gw_state_name(leaf.state), gw_marker_name(leaf.marker));
	}
	seq_printf(m, "class %s 0x%llx 0x%llx absent marker %s\n", gw_level_name(level), mask,
		   base & mask, gw_marker_name(last));
}

static void show_type(struct seq_file *m, enum gw_level level, unsigned int type, u64 mask)
{
	u64 value = swap_value(type, GW_ANY_OFFSET);
	struct gw_softleaf leaf = gw_softleaf_from_pte(__pte(value));
	struct gw_gather gather = { };

	if (leaf.state == GW_MARKER) {
		show_markers(m, level, type, mask);
		return;
	}
	seq_printf(m, "class %s 0x%llx 0x%llx absent %s -", gw_level_name(level), mask,
		   value & mask, gw_state_name(leaf.state));
	if (leaf.state == GW_SWAP) {
		gather.name = "type";
		gather.flip = type;
		show_gather(m, &gather);
		find_offset(type, "offset", &gather);
		show_gather(m, &gather);
	} else if (leaf.state == GW_MIGRATION || leaf.state == GW_DEVICE) {
		find_offset(type, "pfn", &gather);
		show_gather(m, &gather);
	}
	seq_putc(m, '\n');
}

static void show_classes(struct seq_file *m, enum gw_level level)
{
	u64 mask = type_bits() | gw_arch_kind_bits;
	unsigned int type;

	seq_printf(m, "class %s 0x%llx 0x0 absent none -\n", gw_level_name(level),
		   ~ignored_bits(gw_level_geometry(level).kind));
	show_present(m, level);
	/* Above the pud nothing can be absent and say something. */
	for (type = 0; level >= GW_PUD && type < GW_SWAP_TYPES; type++)
		show_type(m, level, type, mask);
}

void gw_entries_show(struct seq_file *m)
{
	enum gw_level level;

	for (level = GW_PGD; level < GW_NR_LEVELS; level++)
		show_level(m, level);
	seq_printf(m, "zero-pfn %lu\n", page_to_pfn(ZERO_PAGE(0)));
	show_rights(m);
	for (level = GW_PGD; level < GW_NR_LEVELS; level++) {
		if (gw_arch_level_folded(level))
			continue;
		show_contiguous(m, level);
		show_classes(m, level);
		show_flags(m, level);
	}
}
