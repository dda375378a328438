// SPDX-License-Identifier: GPL-2.0-only
/* Members of JSON objects into members of structs. */
#include "field.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "record.h"

/* What a record points to, freed with it. */
struct memory {
	struct memory *next;
	char bytes[] __attribute__((aligned(16)));
};

void *field_keep(const struct place *p, size_t size)
{
	struct memory *m = must_alloc(1, sizeof(*m) + size);

	m->next = *p->memory;
	*p->memory = m;
	return m->bytes;
}

void memory_free(struct memory *m)
{
	struct memory *next;

	for (; m; m = next) {
		next = m->next;
		free(m);
	}
}

struct place place_in(const struct place *up, const char *key)
{
	return (struct place){ up->memory, up, key, up->wrong };
}

static const char *keep_bytes(const struct place *p, const char *s, size_t len)
{
	char *copy = field_keep(p, len + 1);

	memcpy(copy, s, len);
	return copy;
}

static void put_place(const struct place *p)
{
	if (!p)
		return;
	put_place(p->up);
	if (p->key)
		strbuf_word(p->wrong, ".", p->key);
}

bool field_fail(const struct place *p, const char *key, const char *reason)
{
	struct place last = place_in(p, key);

	put_place(&last);
	strbuf_addf(p->wrong, "%s%s", p->wrong->len ? ": " : "", reason);
	return false;
}

static const char *read_string(const struct place *p, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return NULL;
	return keep_bytes(p, json_object_get_string(value),
			  json_object_get_string_len(value));
}

static const char *read_names(const struct place *p, struct json_object *value)
{
	struct strbuf names = { 0 };
	const char *kept;
	size_t i;

	if (!json_object_is_type(value, json_type_array))
		return NULL;
	for (i = 0; i < json_object_array_length(value); i++) {
		struct json_object *name = json_object_array_get_idx(value, i);

		if (!json_object_is_type(name, json_type_string)) {
			strbuf_free(&names);
			return NULL;
		}
		strbuf_word(&names, ",", json_object_get_string(name));
	}
	kept = keep_bytes(p, strbuf_text(&names), names.len);
	strbuf_free(&names);
	return kept;
}

/* json-c gives the nearest number for one that is out of range: then it is not the same again. */
static bool read_signed(struct json_object *value, int64_t *number)
{
	if (!json_object_is_type(value, json_type_int))
		return false;
	*number = json_object_get_int64(value);
	return *number < 0 || json_object_get_uint64(value) == (uint64_t)*number;
}

bool field_unsigned(struct json_object *value, uint64_t *number)
{
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return false;
	*number = json_object_get_uint64(value);
	return true;
}

static bool read_hex(struct json_object *value, uint64_t *number)
{
	const char *s = json_object_get_string(value);

	return json_object_is_type(value, json_type_string) && s[0] == '0' && s[1] == 'x' &&
	       number_hex(s, number);
}

static const char *read_value(const struct place *p, enum kind what,
			      struct json_object *value, void *to)
{
	struct maybe *maybe = to;
	uint64_t number;

	switch (what) {
	case STRING:
		return (*(const char **)to = read_string(p, value)) ? NULL : "is no string";
	case HEX_STRING:
		if (!read_hex(value, &number))
			return "is no number in hex";
		*(const char **)to = read_string(p, value);
		return NULL;
	case HEX:
		return read_hex(value, to) ? NULL : "is no number in hex";
	case UNSIGNED:
		return field_unsigned(value, to) ? NULL : "is no number from 0 on";
	case SIGNED:
		return read_signed(value, to) ? NULL : "is no number";
	case MAYBE:
		maybe->known = read_signed(value, &maybe->value);
		return maybe->known ? NULL : "is no number";
	case BOOLEAN:
		*(bool *)to = json_object_get_boolean(value);
		return json_object_is_type(value, json_type_boolean) ? NULL
								     : "is neither true nor false";
	case MAYBE_BOOLEAN:
		maybe->known = json_object_is_type(value, json_type_boolean);
		maybe->value = json_object_get_boolean(value);
		return maybe->known ? NULL : "is neither true nor false";
	case NAMES:
		return (*(const char **)to = read_names(p, value)) ? NULL
								   : "is no array of strings";
	}
	return "is of an unknown kind";
}

bool fields_read(const struct place *p, const struct field *fields, size_t n,
		 struct json_object *object, void *to)
{
	size_t i;

	if (!json_object_is_type(object, json_type_object))
		return field_fail(p, NULL, "is no object");
	for (i = 0; i < n; i++) {
		const struct field *f = &fields[i];
		struct json_object *value = NULL;
		const char *reason;

		json_object_object_get_ex(object, f->key, &value);
		if (!value && (f->null || f->kind == MAYBE || f->kind == MAYBE_BOOLEAN))
			continue;
		if (!value)
			return field_fail(p, f->key, "is missing or null");
		reason = read_value(p, f->kind, value, (char *)to + f->at);
		if (reason)
			return field_fail(p, f->key, reason);
	}
	return true;
}

