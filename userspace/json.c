// SPDX-License-Identifier: GPL-2.0-only
/* What the commands have in common when they print JSON. */
#include "json.h"

#include <string.h>

void json_print(struct json_object *object, FILE *out)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

void json_put(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

struct json_object *json_names(const char *names)
{
	struct json_object *array = json_object_new_array();

	while (names && *names) {
		size_t len = strcspn(names, ",");

		json_object_array_add(array, json_object_new_string_len(names, len));
		names += len;
		names += *names == ',';
	}
	return array;
}

struct json_object *json_op(const struct op_row *op)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "kind", "op");
	json_put(o, "name", op->name);
	json_put(o, "summary", op->note);
	json_object_object_add(o, "available", json_object_new_boolean(op->available));
	json_put(o, "impl", op->impl);
	json_put(o, "memory", op->any_memory ? "any" : "own");
	json_object_object_add(o, "pages", json_object_new_uint64(op->pages));
	json_object_object_add(o, "flags", json_names(op->flags));
	return o;
}
