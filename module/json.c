// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ctype.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "fields.h"

static void print_object(struct seq_file *m, const struct gw_field *fields, const void *object);

/*
 * How many bytes of @s are one well-formed UTF-8 character of two bytes or more; 0 if none are
 * (RFC 3629, section 4).
 */
static unsigned int utf8_length(const u8 *s, unsigned int left)
{
	unsigned int length, i;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > left)
		return 0;
	for (i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is beyond Unicode. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

static void print_byte(struct seq_file *m, u8 byte)
{
	if (byte == '"' || byte == '\\')
		seq_printf(m, "\\%c", byte);
	else if (byte < 0x20 || byte >= 0x7f)
		seq_printf(m, "\\u%04x", byte);
	else
		seq_putc(m, byte);
}

/*
 * A string of the system: UTF-8 where it is well-formed, else byte by byte, as the names of files
 * and threads are bytes.
 */
static void print_string(struct seq_file *m, const char *string)
{
	const u8 *s = string;
	unsigned int left = strlen(string), length;

	seq_putc(m, '"');
	while (left) {
		length = utf8_length(s, left);
		if (length) {
			seq_write(m, s, length);
		} else {
			length = 1;
			print_byte(m, *s);
		}
		s += length;
		left -= length;
	}
	seq_putc(m, '"');
}

static void print_bytes(struct seq_file *m, const u8 *bytes, unsigned int length)
{
	seq_putc(m, '"');
	while (length--)
		print_byte(m, *bytes++);
	seq_putc(m, '"');
}

static void print_names(struct seq_file *m, const struct gw_name *name, u64 word)
{
	const char *comma = "";

	seq_putc(m, '[');
	for (; name->name; name++) {
		if (!gw_name_applies(name, word))
			continue;
		seq_printf(m, "%s\"%s\"", comma, name->name);
		comma = ",";
	}
	seq_putc(m, ']');
}

static void print_stack(struct seq_file *m, const struct gw_stack *stack)
{
	char text[KSYM_SYMBOL_LEN];
	unsigned int i;

	seq_putc(m, '[');
	for (i = 0; i < stack->nr; i++) {
		gw_stack_symbol(stack, i, text, sizeof(text));
		if (i)
			seq_putc(m, ',');
		print_string(m, text);
	}
	seq_putc(m, ']');
}

static void print_array(struct seq_file *m, const struct gw_field *field, const void *array)
{
	union gw_element element;
	unsigned int i;

	seq_putc(m, '[');
	for (i = 0; field->element(array, i, &element); i++) {
		if (i)
			seq_putc(m, ',');
		print_object(m, field->fields, &element);
	}
	seq_putc(m, ']');
}

static void print_value(struct seq_file *m, const struct gw_field *field,
			const struct gw_value *value)
{
	switch (field->type) {
	case GW_NUMBER:
		seq_printf(m, "%lld", value->number);
		break;
	case GW_ADDRESS:
		seq_printf(m, "\"0x%llx\"", value->address);
		break;
	case GW_BOOL:
		seq_puts(m, value->truth ? "true" : "false");
		break;
	case GW_STRING:
	case GW_TEXT:
		print_string(m, value->string);
		break;
	case GW_BYTES:
		print_bytes(m, value->bytes, value->length);
		break;
	case GW_NAMES:
		print_names(m, value->names, value->word);
		break;
	case GW_STACK:
		print_stack(m, value->stack);
		break;
	case GW_OBJECT:
		print_object(m, field->fields, value->object);
		break;
	case GW_ARRAY:
		print_array(m, field, value->object);
		break;
	}
}

static void print_fields(struct seq_file *m, const struct gw_field *field, const void *object)
{
	const char *comma = "";

	for (; field->name; field++) {
		struct gw_value value = { };

		field->get(object, &value);
		seq_printf(m, "%s\"%s\":", comma, field->name);
		comma = ",";
		if (gw_value_is_null(field, &value))
			seq_puts(m, "null");
		else
			print_value(m, field, &value);
	}
}

static void print_object(struct seq_file *m, const struct gw_field *fields, const void *object)
{
	seq_putc(m, '{');
	print_fields(m, fields, object);
	seq_putc(m, '}');
}

void gw_json_object(struct seq_file *m, const struct gw_field *fields, const void *object)
{
	print_object(m, fields, object);
}

void gw_json_record(struct seq_file *m, const struct gw_record *record, unsigned int part)
{
	struct gw_page_view view = { .record = record, .i = part - 1 };

	if (!part) {
		seq_putc(m, '{');
		print_fields(m, gw_record_fields, record);
		seq_puts(m, ",\"pages\":[");
	} else if (part <= record->nr) {
		if (part > 1)
			seq_putc(m, ',');
		print_object(m, gw_page_view_fields, &view);
	} else {
		seq_puts(m, "],");
		print_fields(m, gw_record_tail_fields, record);
		seq_puts(m, "}\n");
	}
}

static void print_error_part(struct seq_file *m, const char *key, const char *text)
{
	seq_printf(m, "\"%s\":", key);
	if (text[0])
		print_string(m, text);
	else
		seq_puts(m, "null");
}

void gw_json_error(struct seq_file *m, const struct gw_error *error)
{
	seq_putc(m, '{');
	print_error_part(m, "error", error->text);
	seq_putc(m, ',');
	print_error_part(m, "word", error->word);
	seq_putc(m, ',');
	print_error_part(m, "allowed", error->allowed);
	seq_puts(m, "}\n");
}
