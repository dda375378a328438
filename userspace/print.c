// SPDX-License-Identifier: GPL-2.0-only
/* Tables, by libsmartcols: the only code that uses it. */
#include "print.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define BOLD "\033[1m"

struct table {
	struct libscols_table *scols;
	const struct column *columns;
	size_t n;
};

static void must_scols(bool done)
{
	if (done)
		return;
	complain("printing a table", NULL, "out of memory", NULL);
	exit(STATUS_TROUBLE);
}

static void add_column(struct table *t, const struct column *c)
{
	/* wrapped columns take the lines that we make: libsmartcols breaks within words */
	int flags = (c->right ? SCOLS_FL_RIGHT : 0) | (c->width ? SCOLS_FL_WRAP : 0) |
		    (c->fixed ? SCOLS_FL_STRICTWIDTH : 0);
	struct libscols_column *column;

	column = scols_table_new_column(t->scols, c->name, c->fixed ? c->width : 0.1, flags);
	must_scols(column);
	if (!c->width)
		return;
	scols_column_set_safechars(column, "\n");
	scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
}

struct table *table_new(struct session *s, const struct column *columns, size_t n)
{
	struct table *t = must_alloc(1, sizeof(*t));
	size_t i;

	t->scols = scols_new_table();
	must_scols(t->scols);
	t->columns = columns;
	t->n = n;
	scols_table_set_stream(t->scols, s->out);
	scols_table_enable_colors(t->scols, session_colors(s));
	/* as on a terminal of that width, so that a file gets the same lines */
	scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t->scols, s->wide);
	for (i = 0; i < n; i++)
		add_column(t, &columns[i]);
	return t;
}

/* Break at blanks where a line becomes too long, and at newlines. */
static void put_lines(const char *words, int width, struct strbuf *out)
{
	int column = 0;

	while (*words) {
		int len = strcspn(words, "\n ");

		if (column && column + 1 + len > width) {
			strbuf_add(out, "\n", 1);
			column = 0;
		} else if (column) {
			strbuf_add(out, " ", 1);
			column++;
		}
		strbuf_add(out, words, len);
		column += len;
		words += len;
		if (*words == '\n') {
			strbuf_add(out, "\n", 1);
			column = 0;
			words++;
		}
		words += strspn(words, " ");
	}
}

void table_row(struct table *t, const char *const *cells, bool bold)
{
	struct libscols_line *line = scols_table_new_line(t->scols, NULL);
	size_t i;

	must_scols(line);
	for (i = 0; i < t->n; i++) {
		struct strbuf lines = { 0 };

		if (!cells[i])
			continue;
		if (t->columns[i].width)
			put_lines(cells[i], t->columns[i].width, &lines);
		else
			strbuf_add(&lines, cells[i], strlen(cells[i]));
		must_scols(scols_line_set_data(line, i, strbuf_text(&lines)) == 0);
		strbuf_free(&lines);
	}
	if (bold)
		scols_line_set_color(line, BOLD);
}

void table_headings(struct table *t, bool wanted)
{
	scols_table_enable_noheadings(t->scols, !wanted);
}

void table_print(struct table *t)
{
	scols_print_table(t->scols);
	scols_unref_table(t->scols);
	free(t);
}
