/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_ABOUT_H
#define GUPWALK_ABOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct about_key - a line of the module's `version`
 * @key: what
 * @value: its value
 */
struct about_key {
	char *key;
	char *value;
};

/**
 * struct op_row - a line of the module's `ops`
 * @name: of the op
 * @available: this kernel can do it
 * @impl: kernel function that serves it, or NULL
 * @any_memory: it works on the memory of any process
 * @pages: most pages a call
 * @flags: that it takes, with commas between them; or NULL
 * @note: what it does; if not available, why not
 */
struct op_row {
	char *name;
	bool available;
	char *impl;
	bool any_memory;
	uint64_t pages;
	char *flags;
	char *note;
};

/**
 * struct about - what a module says about itself and its kernel
 * @keys: lines of `version`, in their order
 * @nr_keys: how many
 * @ops: lines of `ops`, in their order
 * @nr_ops: how many
 */
struct about {
	struct about_key *keys;
	size_t nr_keys;
	struct op_row *ops;
	size_t nr_ops;
};

/* A kernel release as a number that can be compared. */
#define KERNEL(major, minor) ((major) * 1000 + (minor))

/**
 * about_parse_version() - read the text of `version`
 * @text: the text
 * @a: filled in
 *
 * Return: NULL, or what is wrong with it.
 */
const char *about_parse_version(const char *text, struct about *a);

/**
 * about_parse_ops() - read the text of `ops`
 * @text: the text
 * @a: filled in
 *
 * Return: NULL, or what is wrong with it.
 */
const char *about_parse_ops(const char *text, struct about *a);

/**
 * about_read() - read `version` and `ops` of a module
 * @dir: its directory, live or saved
 * @a: filled in
 *
 * Return: true; or false after a complaint.
 */
bool about_read(const char *dir, struct about *a);

/**
 * about_free() - forget what was read
 * @a: what
 */
void about_free(struct about *a);

/**
 * about_value() - a value of `version`
 * @a: what was read
 * @key: which
 *
 * Return: the value, or NULL.
 */
const char *about_value(const struct about *a, const char *key);

/**
 * about_number() - a value of `version` that is a number
 * @a: what was read
 * @key: which
 *
 * Return: the number, 0 if there is none.
 */
uint64_t about_number(const struct about *a, const char *key);

/**
 * about_op() - a row of `ops`
 * @a: what was read
 * @name: of the op
 *
 * Return: the row, or NULL.
 */
const struct op_row *about_op(const struct about *a, const char *name);

/**
 * about_kernel() - which kernel the module runs on
 * @a: what was read
 *
 * The one place where a kernel's number is looked at. Ask it only for what a kernel does, never
 * for what it has: that is what `ops` says.
 *
 * Return: the release as by KERNEL(), 0 if unknown.
 */
unsigned int about_kernel(const struct about *a);

/**
 * about_covers() - bytes that one entry of a level covers
 * @a: what was read
 * @level: name of the level
 *
 * Return: the bytes, 0 if unknown.
 */
uint64_t about_covers(const struct about *a, const char *level);

#endif
