// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

/* The value at a path; *found tells null from nothing. */
static struct json_object *at(struct json_object *object, const char *path, bool *found)
{
	char part[64];

	*found = true;
	while (*path) {
		size_t length = strcspn(path, ".");

		must(length < sizeof(part));
		memcpy(part, path, length);
		part[length] = '\0';
		path += length + (path[length] == '.');
		if (json_object_is_type(object, json_type_array)) {
			long i = atol(part), nr = json_object_array_length(object);

			if (i < 0)
				i += nr;
			*found = i >= 0 && i < nr;
			object = *found ? json_object_array_get_idx(object, i) : NULL;
		} else {
			*found = json_object_object_get_ex(object, part, &object);
		}
		if (!*found)
			return NULL;
	}
	return object;
}

static struct json_object *typed(struct json_object *object, const char *path, json_type type)
{
	bool found;
	struct json_object *value = at(object, path, &found);

	if (!found)
		fail("%s: there is no such key in %s", path, json_object_to_json_string(object));
	if (!json_object_is_type(value, type))
		fail("%s: expected %s, got %s", path, json_type_to_name(type),
		     json_object_to_json_string(value));
	return value;
}

struct json_object *jget(struct json_object *object, const char *path)
{
	bool found;
	struct json_object *value = at(object, path, &found);

	if (!found)
		fail("%s: there is no such key in %s", path, json_object_to_json_string(object));
	return value;
}

long long jnum(struct json_object *object, const char *path)
{
	return json_object_get_int64(typed(object, path, json_type_int));
}

uint64_t jhex(struct json_object *object, const char *path)
{
	const char *text = json_object_get_string(typed(object, path, json_type_string));
	char *end;
	uint64_t number = strtoull(text, &end, 16);

	if (strncmp(text, "0x", 2) || *end || !text[2])
		fail("%s: expected hex with 0x, got %s", path, text);
	return number;
}

const char *jstr(struct json_object *object, const char *path)
{
	if (jnull(object, path))
		return NULL;
	return json_object_get_string(typed(object, path, json_type_string));
}

bool jbool(struct json_object *object, const char *path)
{
	return json_object_get_boolean(typed(object, path, json_type_boolean));
}

bool jnull(struct json_object *object, const char *path)
{
	return !jget(object, path);
}

bool jkey(struct json_object *object, const char *key)
{
	return json_object_object_get_ex(object, key, NULL);
}

size_t jlen(struct json_object *object, const char *path)
{
	return json_object_array_length(typed(object, path, json_type_array));
}

bool jhas(struct json_object *object, const char *path, const char *token)
{
	struct json_object *array = typed(object, path, json_type_array);
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(array, i)), token))
			return true;
	return false;
}
