// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classic printout: what people used to get from a driver of their own and printk.
 */
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/seq_file.h>

#include "fields.h"

static void print_names(struct seq_file *m, const struct gw_name *name, u64 word)
{
	const char *bar = "";
	bool none = true;

	for (; name->name; name++) {
		if (!gw_name_applies(name, word))
			continue;
		seq_printf(m, "%s%s", bar, name->name);
		bar = "|";
		none = false;
	}
	if (none)
		seq_putc(m, '-');
}

static void print_bytes(struct seq_file *m, const u8 *bytes, unsigned int length)
{
	seq_putc(m, '"');
	for (; length--; bytes++) {
		if (*bytes >= 0x20 && *bytes < 0x7f && *bytes != '"' && *bytes != '\\')
			seq_putc(m, *bytes);
		else
			seq_printf(m, "\\x%02x", *bytes);
	}
	seq_putc(m, '"');
}

static void print_value(struct seq_file *m, const struct gw_field *field,
			const struct gw_value *value)
{
	switch (field->type) {
	case GW_NUMBER:
		seq_printf(m, "%lld", value->number);
		break;
	case GW_ADDRESS:
		seq_printf(m, "0x%llx", value->address);
		break;
	case GW_BOOL:
		seq_puts(m, value->truth ? "yes" : "no");
		break;
	case GW_STRING:
		seq_puts(m, value->string);
		break;
	case GW_TEXT:
		print_bytes(m, value->string, strlen(value->string));
		break;
	case GW_BYTES:
		print_bytes(m, value->bytes, value->length);
		break;
	case GW_NAMES:
		print_names(m, value->names, value->word);
		break;
	default:
		break;
	}
}

/* A line of words is continued on the next before it gets longer. */
#define LINE_WIDTH 98

/* How much a value takes at most; what is not named here is a number. */
static size_t value_width(const struct gw_field *field, const struct gw_value *value)
{
	const struct gw_name *name;
	size_t width = 0;

	switch (field->type) {
	case GW_STRING:
	case GW_TEXT:
		return strlen(value->string) + 2;
	case GW_BYTES:
		return value->length + 2;
	case GW_NAMES:
		for (name = value->names; name->name; name++)
			if (gw_name_applies(name, value->word))
				width += strlen(name->name) + 1;
		return width;
	default:
		return 20;
	}
}

static void print_stacks(struct seq_file *m, const struct gw_field *field, const void *object)
{
	char text[KSYM_SYMBOL_LEN];
	unsigned int i;

	for (; field->name; field++) {
		struct gw_value value = { };

		if (field->type != GW_STACK)
			continue;
		field->get(object, &value);
		if (value.null)
			continue;
		seq_printf(m, "        %s\n", field->name);
		for (i = 0; i < value.stack->nr; i++) {
			gw_stack_symbol(value.stack, i, text, sizeof(text));
			seq_printf(m, "          %s\n", text);
		}
	}
}

/* Words "name value" with all plain fields of an object; what is null is left out. */
static void print_line(struct seq_file *m, const char *title, const struct gw_field *field,
		       const void *object)
{
	size_t line = m->count;

	seq_puts(m, title);
	for (; field->name; field++) {
		struct gw_value value = { };
		size_t width;

		field->get(object, &value);
		if (gw_value_is_null(field, &value) || field->type == GW_OBJECT ||
		    field->type == GW_ARRAY || field->type == GW_STACK)
			continue;
		width = strlen(field->name) + 2 + value_width(field, &value);
		if (m->count - line + width > LINE_WIDTH) {
			seq_puts(m, "\n       ");
			line = m->count - 7;
		}
		seq_printf(m, " %s ", field->name);
		print_value(m, field, &value);
	}
	seq_putc(m, '\n');
}

void gw_text_object(struct seq_file *m, const char *title, const struct gw_field *fields,
		    const void *object)
{
	print_line(m, title, fields, object);
	print_stacks(m, fields, object);
}

static const struct gw_field *find_field(const struct gw_field *field, const char *name)
{
	while (field->name && strcmp(field->name, name))
		field++;
	return field;
}

static void get_field(const struct gw_field *fields, const char *name, const void *object,
		      struct gw_value *value)
{
	*value = (struct gw_value){ };
	find_field(fields, name)->get(object, value);
}

static void print_level(struct seq_file *m, const struct gw_level_view *view)
{
	struct gw_value name, entry, content, flags, folded;

	get_field(gw_level_fields, "name", view, &name);
	get_field(gw_level_fields, "entry", view, &entry);
	get_field(gw_level_fields, "value", view, &content);
	get_field(gw_level_fields, "flags", view, &flags);
	get_field(gw_level_fields, "folded", view, &folded);
	seq_printf(m, "  %s: %016llx (%016llx) ", name.string, entry.address, content.address);
	print_names(m, flags.names, flags.word);
	seq_puts(m, folded.truth ? " (folded)\n" : "\n");
}

/* The page of each level's table: that of pgd_page is what holds the pgd entry, and so on. */
static void print_tables(struct seq_file *m, const struct gw_snapshot *snap)
{
	struct gw_value name, table, folded;
	enum gw_level level;

	for (level = 0; level < snap->nr_levels; level++) {
		struct gw_level_view view = gw_level_view_make(snap, level);

		get_field(gw_level_fields, "name", &view, &name);
		get_field(gw_level_fields, "table", &view, &table);
		get_field(gw_level_fields, "folded", &view, &folded);
		if (!folded.truth)
			seq_printf(m, "  %s_table: %016llx pfn %llu\n", name.string, table.address,
				   (u64)PHYS_PFN(table.address));
	}
}

static void print_snapshot(struct seq_file *m, const char *when, unsigned long addr,
			   const struct gw_snapshot *snap)
{
	enum gw_level level;

	seq_printf(m, "  ------------------------------ %s\n", when);
	seq_printf(m, "  virtual user addr: %016lx\n", addr);
	for (level = 0; level < snap->nr_levels; level++) {
		struct gw_level_view view = gw_level_view_make(snap, level);

		print_level(m, &view);
	}
	print_tables(m, snap);
	if (gw_snapshot_maps_page(snap))
		seq_printf(m, "  physical addr: %016llx\n", gw_snapshot_pa(snap));
	else
		seq_puts(m, "  physical addr: none\n");
	print_line(m, "  entry:", gw_snapshot_fields, snap);
	if (snap->page.valid)
		print_line(m, "  page:", gw_page_fields, &snap->page);
}

void gw_text_record(struct seq_file *m, const struct gw_record *record, unsigned int part)
{
	struct gw_page_view view = { .record = record, .i = part - 1 };
	unsigned long addr;

	if (!part) {
		seq_printf(m, "######### %llu: %s #########\n", record->seq, record->op->name);
		print_line(m, "  call:", gw_record_fields, record);
		print_line(m, "  vma:", gw_vma_fields, &record->vma);
	} else if (part <= record->nr) {
		addr = record->results[view.i].addr;
		print_snapshot(m, "before", addr, &record->before[view.i]);
		if (record->after)
			print_snapshot(m, "after", addr, &record->after[view.i]);
		print_line(m, "  result:", gw_page_view_fields, &view);
	} else {
		seq_puts(m, "  ------------------------------\n\n");
	}
}
