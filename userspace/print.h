/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_PRINT_H
#define GUPWALK_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

#define TABLE_COLUMNS 10

/**
 * struct column - a column of a table
 * @name: its heading
 * @width: longest line of a cell before it is wrapped at a blank; 0: never wrapped
 * @fixed: it is @width wide whatever is in it; @width is to be more than its heading has, or
 * libsmartcols makes it as narrow as what is in it
 * @flex: wrapped only where the line has no room for it; such columns share what the others leave
 * @right: cells are aligned to the right
 */
struct column {
	const char *name;
	int width;
	bool fixed;
	bool flex;
	bool right;
};

struct table;

/**
 * table_new() - begin a table
 * @s: the invocation; its output is open
 * @columns: its columns
 * @n: how many, at most TABLE_COLUMNS
 *
 * Return: the table, for table_print().
 */
struct table *table_new(struct session *s, const struct column *columns, size_t n);

/**
 * table_row() - add a row
 * @t: the table
 * @cells: texts, NULL for an empty cell; one more than the table has columns is not looked at.
 * They are copied
 * @bold: the row stands out, where the output is a terminal
 */
void table_row(struct table *t, const char *const *cells, bool bold);

/**
 * table_headings() - choose whether headings are printed
 * @t: the table
 * @wanted: they are
 */
void table_headings(struct table *t, bool wanted);

/**
 * table_print() - print a table and forget it
 * @t: the table
 */
void table_print(struct table *t);

#endif
