// SPDX-License-Identifier: GPL-2.0-only
/* Tables, by libsmartcols: the only code that uses it. */
#include "print.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define BOLD "\033[1m"

struct row {
	char *cells[TABLE_COLUMNS];
	bool bold;
};

struct table {
	struct libscols_table *scols;
	const struct column *columns;
	size_t n;
	int wide;
	FILE *out;
	struct row *rows;
	size_t nr_rows;
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
	int flags = (c->right ? SCOLS_FL_RIGHT : 0) | (c->width || c->flex ? SCOLS_FL_WRAP : 0) |
		    (c->fixed ? SCOLS_FL_STRICTWIDTH : 0);
	struct libscols_column *column;

	column = scols_table_new_column(t->scols, c->name, c->fixed ? c->width : 0.1, flags);
	must_scols(column);
	if (!c->width && !c->flex)
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
	t->wide = s->wide;
	t->out = s->out;
	scols_table_enable_colors(t->scols, session_colors(s));
	/* as on a terminal of that width, so that a file gets the same lines */
	scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t->scols, s->wide);
	for (i = 0; i < n; i++)
		add_column(t, &columns[i]);
	return t;
}

/* How much of a word goes on a line of its own: one that is too long is cut after a separator. */
static int word_part(const char *word, int width)
{
	int len = strcspn(word, "\n "), cut;

	if (len <= width)
		return len;
	for (cut = width; cut > 1; cut--)
		if (strchr(",|/._-", word[cut - 1]))
			return cut;
	return width;
}

/* Break at blanks where a line becomes too long, and at newlines. */
static void put_lines(const char *words, int width, struct strbuf *out)
{
	bool cut = false;
	int column = 0;

	while (*words) {
		int len = word_part(words, width);

		if (cut || (column && column + 1 + len > width)) {
			strbuf_add(out, "\n", 1);
			column = 0;
		} else if (column) {
			strbuf_add(out, " ", 1);
			column++;
		}
		strbuf_add(out, words, len);
		column += len;
		words += len;
		cut = *words && *words != ' ' && *words != '\n';
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
	struct row *row;
	size_t i;

	t->rows = must_grow(t->rows, t->nr_rows, sizeof(*t->rows));
	row = &t->rows[t->nr_rows++];
	*row = (struct row){ .bold = bold };
	for (i = 0; i < t->n; i++)
		if (cells[i])
			row->cells[i] = must_copy(cells[i]);
}

/* What a column takes if nothing is wrapped. */
static int natural_width(const struct table *t, size_t column)
{
	int widest = strlen(t->columns[column].name);
	size_t i;

	for (i = 0; i < t->nr_rows; i++) {
		const char *cell = t->rows[i].cells[column];
		int len = cell ? strlen(cell) : 0;

		if (len > widest)
			widest = len;
	}
	return widest;
}

/* Each flexible column gets what it needs, or as much as the others that need too much. */
static void share_widths(const struct table *t, int *widths)
{
	int left = t->wide - (int)(t->n - 1), open = 0, given;
	bool done[TABLE_COLUMNS] = { false };
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct column *c = &t->columns[i];

		widths[i] = c->flex ? natural_width(t, i) : c->width;
		if (c->flex)
			open++;
		else
			left -= c->fixed ? c->width : natural_width(t, i);
	}
	do {
		given = 0;
		for (i = 0; i < t->n; i++) {
			if (!t->columns[i].flex || done[i] || widths[i] > left / open)
				continue;
			done[i] = true;
			left -= widths[i];
			open--;
			given++;
		}
	} while (given && open);
	for (i = 0; i < t->n; i++)
		if (t->columns[i].flex && !done[i])
			widths[i] = left / open > 6 ? left / open : 6;
}

static void pad(struct strbuf *text, int width, bool right)
{
	struct strbuf padded = { 0 };

	strbuf_addf(&padded, "%*s", right ? width : -width, strbuf_text(text));
	strbuf_free(text);
	*text = padded;
}

static void add_line(struct table *t, const struct row *row, const int *widths)
{
	struct libscols_line *line = scols_table_new_line(t->scols, NULL);
	size_t i;

	must_scols(line);
	for (i = 0; i < t->n; i++) {
		struct strbuf lines = { 0 };

		if (!row->cells[i])
			continue;
		if (widths[i])
			put_lines(row->cells[i], widths[i], &lines);
		else
			strbuf_add(&lines, row->cells[i], strlen(row->cells[i]));
		/* a fixed width is not kept by libsmartcols where no cell is as wide */
		if (t->columns[i].fixed && !strchr(strbuf_text(&lines), '\n'))
			pad(&lines, t->columns[i].width, t->columns[i].right);
		must_scols(scols_line_set_data(line, i, strbuf_text(&lines)) == 0);
		strbuf_free(&lines);
	}
	if (row->bold)
		scols_line_set_color(line, BOLD);
}

void table_headings(struct table *t, bool wanted)
{
	scols_table_enable_noheadings(t->scols, !wanted);
}

/* Lines end where their last word does: libsmartcols fills up cells of rows of several lines. */
static void put_trimmed(const char *text, FILE *out)
{
	while (*text) {
		size_t line = strcspn(text, "\n"), len = line;

		while (len && text[len - 1] == ' ')
			len--;
		fprintf(out, "%.*s\n", (int)len, text);
		text += line + (text[line] == '\n');
	}
}

void table_print(struct table *t)
{
	int widths[TABLE_COLUMNS];
	char *text = NULL;
	size_t i, j;

	share_widths(t, widths);
	for (i = 0; i < t->nr_rows; i++) {
		add_line(t, &t->rows[i], widths);
		for (j = 0; j < t->n; j++)
			free(t->rows[i].cells[j]);
	}
	free(t->rows);
	must_scols(scols_print_table_to_string(t->scols, &text) == 0);
	put_trimmed(text, t->out);
	free(text);
	scols_unref_table(t->scols);
	free(t);
}
