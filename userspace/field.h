/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of JSON objects into members of structs, by tables. For record.c only. */
#ifndef GUPWALK_FIELD_H
#define GUPWALK_FIELD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* What a member is in JSON, and in the struct. */
enum kind {
	STRING,		/* const char * */
	HEX_STRING,	/* const char *, a number in hex */
	HEX,		/* uint64_t, from a string in hex */
	UNSIGNED,	/* uint64_t */
	SIGNED,		/* int64_t */
	MAYBE,		/* struct maybe, may always be null */
	BOOLEAN,	/* bool */
	MAYBE_BOOLEAN,	/* struct maybe with 0 or 1, may always be null */
	NAMES,		/* const char *, from an array of strings */
};

/**
 * struct field - a member
 * @key: its key in JSON
 * @kind: what it is
 * @at: where it goes in the struct
 * @null: it may be null, or not there
 */
struct field {
	const char *key;
	enum kind kind;
	size_t at;
	bool null;
};

/* What a record points to, freed with it. */
struct memory;

/**
 * struct place - where in a record the reader is
 * @memory: what the record points to
 * @up: the place around this one, or NULL
 * @key: key of this one in that, or NULL
 * @wrong: where it is written what is wrong
 */
struct place {
	struct memory **memory;
	const struct place *up;
	const char *key;
	struct strbuf *wrong;
};

/**
 * place_in() - a place inside another
 * @up: the outer place
 * @key: key of the inner one
 *
 * Return: the inner place.
 */
struct place place_in(const struct place *up, const char *key);

/**
 * field_keep() - memory that lives as long as the record
 * @p: a place in the record
 * @size: bytes
 *
 * Return: zeroed memory.
 */
void *field_keep(const struct place *p, size_t size);

/**
 * field_fail() - write down what is wrong
 * @p: where
 * @key: of which member, or NULL for the place itself
 * @reason: what
 *
 * Return: false.
 */
bool field_fail(const struct place *p, const char *key, const char *reason);

/**
 * fields_read() - read members of an object
 * @p: where the object is
 * @fields: which
 * @n: how many
 * @object: the object, or whatever stands in its place
 * @to: the struct
 *
 * Return: true; or false, and it is written down what is wrong.
 */
bool fields_read(const struct place *p, const struct field *fields, size_t n,
		 struct json_object *object, void *to);

/**
 * field_unsigned() - read a number
 * @value: the value
 * @number: set to the number
 *
 * Return: true if it is a number from 0 on.
 */
bool field_unsigned(struct json_object *value, uint64_t *number);

/**
 * memory_free() - free what a record points to
 * @m: it
 */
void memory_free(struct memory *m);

#endif
