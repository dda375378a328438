/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_JSON_H
#define GUPWALK_JSON_H

#include <json-c/json.h>
#include <stdio.h>

#include "about.h"

/**
 * json_print() - print an object as one line, and forget it
 * @object: the object
 * @out: where
 */
void json_print(struct json_object *object, FILE *out);

/**
 * json_put() - add a string to an object
 * @object: the object
 * @key: the key
 * @value: the string, or NULL for null
 */
void json_put(struct json_object *object, const char *key, const char *value);

/**
 * json_names() - an array of strings
 * @names: names with commas between them, or NULL for none
 *
 * Return: the array.
 */
struct json_object *json_names(const char *names);

/**
 * json_op() - a row of the module's `ops`
 * @op: the row
 *
 * Return: an object.
 */
struct json_object *json_op(const struct op_row *op);

#endif
