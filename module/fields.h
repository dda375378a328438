/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fields of a record as tables. The text and the JSON printer both follow them, so neither
 * can have a field that the other lacks.
 */
#ifndef _GUPWALK_FIELDS_H
#define _GUPWALK_FIELDS_H

#include "arch.h"
#include "record.h"
#include "request.h"

/**
 * enum gw_field_type - what a field is
 * @GW_NUMBER: number, gw_value.number
 * @GW_ADDRESS: address or raw entry, gw_value.address
 * @GW_BOOL: truth value, gw_value.truth
 * @GW_STRING: a word or a sentence of ours, gw_value.string; NULL prints as null
 * @GW_TEXT: bytes that others chose, a name or a path: gw_value.string; NULL prints as null
 * @GW_BYTES: bytes, gw_value.bytes and .length
 * @GW_NAMES: names of bits, gw_value.names and .word
 * @GW_STACK: a call stack, gw_value.stack
 * @GW_OBJECT: an object of its own with @fields, gw_value.object
 * @GW_ARRAY: objects with @fields; gw_value.object is where @element finds them
 */
enum gw_field_type {
	GW_NUMBER,
	GW_ADDRESS,
	GW_BOOL,
	GW_STRING,
	GW_TEXT,
	GW_BYTES,
	GW_NAMES,
	GW_STACK,
	GW_OBJECT,
	GW_ARRAY
};

/**
 * struct gw_value - value of a field; see enum gw_field_type
 * @null: there is none
 * @number: of GW_NUMBER
 * @address: of GW_ADDRESS
 * @truth: of GW_BOOL
 * @string: of GW_STRING and GW_TEXT
 * @bytes: of GW_BYTES
 * @length: of GW_BYTES
 * @names: of GW_NAMES
 * @word: of GW_NAMES
 * @stack: of GW_STACK
 * @object: of GW_OBJECT and GW_ARRAY
 */
struct gw_value {
	bool null;
	union {
		s64 number;
		u64 address;
		bool truth;
		const char *string;
		struct {
			const u8 *bytes;
			unsigned int length;
		};
		struct {
			const struct gw_name *names;
			u64 word;
		};
		const struct gw_stack *stack;
		const void *object;
	};
};

/**
 * struct gw_page_view - a page of a record, as an object to print
 * @record: the record
 * @i: which page
 */
struct gw_page_view {
	const struct gw_record *record;
	unsigned int i;
};

/**
 * struct gw_level_view - a level of a snapshot, as an object to print
 * @snap: the snapshot
 * @level: which level
 * @entry: its entry
 */
struct gw_level_view {
	const struct gw_snapshot *snap;
	enum gw_level level;
	struct gw_entry entry;
};

/**
 * gw_level_view_make() - look at a level of a snapshot
 * @snap: the snapshot
 * @level: the level, below @snap->nr_levels
 *
 * Return: the view.
 */
struct gw_level_view gw_level_view_make(const struct gw_snapshot *snap, enum gw_level level);

/* Room for any object that gw_field.element makes. */
union gw_element {
	struct gw_page_view page;
	struct gw_level_view level;
};

/**
 * struct gw_field - a field of an object
 * @name: its key
 * @type: what it is
 * @get: reads it from an object; may set @null
 * @fields: of GW_OBJECT and GW_ARRAY: the fields inside
 * @element: of GW_ARRAY: makes the element of a number. Return: false past the last one
 */
struct gw_field {
	const char *name;
	enum gw_field_type type;
	void (*get)(const void *object, struct gw_value *value);
	const struct gw_field *fields;
	bool (*element)(const void *array, unsigned int i, union gw_element *element);
};

/**
 * gw_value_is_null() - is there no value
 * @field: the field
 * @value: what its getter gave
 *
 * Return: true if it prints as null.
 */
static inline bool gw_value_is_null(const struct gw_field *field, const struct gw_value *value)
{
	if (field->type == GW_STRING || field->type == GW_TEXT)
		return value->null || !value->string;
	return value->null;
}

/* Of struct gw_record, in the order of printing: up to its pages, and after them. */
extern const struct gw_field gw_record_fields[];
extern const struct gw_field gw_record_tail_fields[];

/* Of struct gw_page_view. */
extern const struct gw_field gw_page_view_fields[];

/* Of struct gw_snapshot, struct gw_level_view, struct gw_page and struct gw_vma. */
extern const struct gw_field gw_snapshot_fields[];
extern const struct gw_field gw_level_fields[];
extern const struct gw_field gw_page_fields[];
extern const struct gw_field gw_vma_fields[];

/**
 * gw_level_name() - the name of a level
 * @level: the level
 *
 * Return: its name.
 */
const char *gw_level_name(enum gw_level level);

/**
 * gw_state_name() - the name of a state
 * @state: the state
 *
 * Return: its name.
 */
const char *gw_state_name(enum gw_state state);

/**
 * gw_marker_name() - the name of a marker
 * @marker: the marker
 *
 * Return: its name; NULL of GW_MARKER_NONE.
 */
const char *gw_marker_name(enum gw_marker marker);

/* Names of GW_RIGHT_*. */
extern const struct gw_name gw_right_names[];

/**
 * gw_record_parts() - how many parts a record is printed in
 * @record: the record
 *
 * Return: how many, see gw_json_record().
 */
static inline unsigned int gw_record_parts(const struct gw_record *record)
{
	return record->nr + 2;
}

/**
 * gw_json_record() - print a part of a record as JSON
 * @m: where to
 * @record: the record
 * @part: 0: its head; 1 to record->nr: a page; record->nr + 1: its tail and the newline
 *
 * The parts keep what has to be buffered at once small, however many pages a record has.
 */
void gw_json_record(struct seq_file *m, const struct gw_record *record, unsigned int part);

/**
 * gw_json_object() - print an object as JSON
 * @m: where to
 * @fields: its fields
 * @object: the object
 */
void gw_json_object(struct seq_file *m, const struct gw_field *fields, const void *object);

/**
 * gw_json_error() - print why a request was refused, as JSON
 * @m: where to
 * @error: why
 */
void gw_json_error(struct seq_file *m, const struct gw_error *error);

/**
 * gw_text_object() - print an object as text: words "name value"; what is null is left out
 * @m: where to
 * @title: what comes first
 * @fields: its fields
 * @object: the object
 */
void gw_text_object(struct seq_file *m, const char *title, const struct gw_field *fields,
		    const void *object);

/**
 * gw_text_record() - print a part of a record as text
 * @m: where to
 * @record: the record
 * @part: as for gw_json_record()
 */
void gw_text_record(struct seq_file *m, const struct gw_record *record, unsigned int part);

#endif /* _GUPWALK_FIELDS_H */
