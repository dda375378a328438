// SPDX-License-Identifier: GPL-2.0-only
/* Lists of records. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

void records_add(struct records *list, struct record *r)
{
	list->at = must_grow(list->at, list->n, sizeof(struct record *));
	list->at[list->n++] = r;
}

bool records_parse(const char *text, size_t len, struct records *list, struct strbuf *wrong)
{
	const char *end = text + len;
	size_t number;

	for (number = 1; text < end; number++) {
		const char *eol = memchr(text, '\n', end - text);
		size_t line = (eol ? eol : end) - text;
		struct strbuf why = { 0 };
		struct record *r;

		if (line) {
			r = record_parse(text, line, &why);
			if (!r) {
				strbuf_addf(wrong, "line %zu: %s", number, strbuf_text(&why));
				strbuf_free(&why);
				return false;
			}
			records_add(list, r);
		}
		text += line + 1;
	}
	return true;
}

void records_keep_run(struct records *list, const char *run)
{
	size_t i, end = list->n, start;

#define IS_RUN(r) ((r)->run && !strcmp((r)->run, run))
	while (end && !IS_RUN(list->at[end - 1]))
		end--;
	for (start = end; start; start--) {
		const struct record *r = list->at[start - 1];

		if (!IS_RUN(r) || r->tgid != list->at[end - 1]->tgid)
			break;
	}
#undef IS_RUN
	for (i = 0; i < list->n; i++)
		if (i < start || i >= end)
			record_free(list->at[i]);
	if (start < end)
		memmove(list->at, list->at + start, (end - start) * sizeof(*list->at));
	list->n = end - start;
}

void records_free(struct records *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		record_free(list->at[i]);
	free(list->at);
	*list = (struct records){ 0 };
}

const struct level *snapshot_level(const struct snapshot *s, const char *name)
{
	size_t i;

	for (i = 0; s && i < s->nr_levels; i++)
		if (!strcmp(s->levels[i].name, name))
			return &s->levels[i];
	return NULL;
}

const char *page_kind(const struct page_facts *page)
{
	if (!page)
		return "none";
	if (page->zero)
		return "zero";
	if (page->ksm)
		return "ksm";
	return page->anon ? "anon" : "other";
}
