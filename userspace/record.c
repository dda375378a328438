// SPDX-License-Identifier: GPL-2.0-only
/* The only reader of records: what debugfs-layout.md says a record has, as tables. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include <gupwalk.h>

#include "field.h"

/* Far deeper than a record goes, and no deeper than the reader's stack likes. */
#define DEPTH_MAX 16

#define FIELD(type, key, kind) { #key, kind, offsetof(struct type, key), false }
#define NULLABLE(type, key, kind) { #key, kind, offsetof(struct type, key), true }

static const struct field record_fields[] = {
	FIELD(record, seq, UNSIGNED),
	FIELD(record, time_ns, UNSIGNED),
	NULLABLE(record, run, STRING),
	FIELD(record, source, STRING),
	FIELD(record, op, STRING),
	NULLABLE(record, impl, STRING),
	NULLABLE(record, pid, SIGNED),
	NULLABLE(record, tgid, SIGNED),
	NULLABLE(record, comm, STRING),
	FIELD(record, addr, HEX),
	FIELD(record, nr_pages, UNSIGNED),
	FIELD(record, flags, NAMES),
	NULLABLE(record, ret, SIGNED),
	{ "errno", STRING, offsetof(struct record, errno_name), true },
	NULLABLE(record, fault, NAMES),
	NULLABLE(record, reason, STRING),
	NULLABLE(record, reason_text, STRING),
	NULLABLE(record, predicted, STRING),
	NULLABLE(record, doubt, STRING),
	NULLABLE(record, advice, STRING),
	FIELD(record, duration_ns, UNSIGNED),
	FIELD(record, total_ns, UNSIGNED),
	NULLABLE(record, mmap_lock, STRING),
	FIELD(record, held, BOOLEAN),
	NULLABLE(record, stack, NAMES),
	NULLABLE(record, driver, STRING),
	FIELD(record, caller_pid, MAYBE),
	FIELD(record, caller_tgid, MAYBE),
	NULLABLE(record, caller_comm, STRING),
	FIELD(record, pages_left, MAYBE),
};

static const struct field vma_fields[] = {
	FIELD(vma, start, HEX),
	FIELD(vma, end, HEX),
	FIELD(vma, flags, NAMES),
	FIELD(vma, pgoff, UNSIGNED),
	FIELD(vma, kind, STRING),
	NULLABLE(vma, file, STRING),
};

static const struct field page_fields[] = {
	FIELD(page, addr, HEX),
	NULLABLE(page, cause, STRING),
	NULLABLE(page, predicted, NAMES),
	FIELD(page, pfn, MAYBE),
	FIELD(page, refcount_delta, MAYBE),
	FIELD(page, pincount_delta, MAYBE),
};

static const struct field snapshot_fields[] = {
	FIELD(snapshot, state, STRING),
	NULLABLE(snapshot, leaf, STRING),
	NULLABLE(snapshot, size, UNSIGNED),
	FIELD(snapshot, pfn, MAYBE),
	NULLABLE(snapshot, pa, HEX_STRING),
	FIELD(snapshot, rights, NAMES),
	FIELD(snapshot, swap_type, MAYBE),
	FIELD(snapshot, swap_offset, MAYBE),
	NULLABLE(snapshot, marker, STRING),
	FIELD(snapshot, stable, BOOLEAN),
	FIELD(snapshot, retries, UNSIGNED),
};

static const struct field level_fields[] = {
	FIELD(level, name, STRING),
	FIELD(level, folded, BOOLEAN),
	FIELD(level, index, UNSIGNED),
	FIELD(level, table, HEX),
	FIELD(level, entry, HEX),
	FIELD(level, value, HEX),
	FIELD(level, flags, NAMES),
};

static const struct field facts_fields[] = {
	FIELD(page_facts, flags, NAMES),
	FIELD(page_facts, refcount, SIGNED),
	FIELD(page_facts, mapcount, SIGNED),
	FIELD(page_facts, pincount, SIGNED),
	FIELD(page_facts, pincount_exact, BOOLEAN),
	FIELD(page_facts, anon, BOOLEAN),
	FIELD(page_facts, anon_exclusive, MAYBE_BOOLEAN),
	FIELD(page_facts, zero, BOOLEAN),
	FIELD(page_facts, ksm, BOOLEAN),
	FIELD(page_facts, head_pfn, UNSIGNED),
	FIELD(page_facts, order, UNSIGNED),
	FIELD(page_facts, nid, SIGNED),
	FIELD(page_facts, zone, STRING),
};

static bool read_levels(const struct place *up, struct json_object *array, struct snapshot *s)
{
	struct place p = place_in(up, "levels");
	char key[32];
	size_t i, n;

	if (!json_object_is_type(array, json_type_array))
		return field_fail(&p, NULL, "is no array");
	n = json_object_array_length(array);
	if (n > LEVELS_MAX)
		return field_fail(&p, NULL, "has more levels than there are");
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "levels[%zu]", i);
		p.key = key;
		if (!fields_read(&p, level_fields, ARRAY_SIZE(level_fields),
				 json_object_array_get_idx(array, i), &s->levels[i]))
			return false;
	}
	s->nr_levels = n;
	return true;
}

static bool read_snapshot(const struct place *up, const char *key, struct json_object *page,
			  struct snapshot **to)
{
	struct place p = place_in(up, key);
	struct place in_page = place_in(&p, "page");
	struct json_object *object, *value;
	struct snapshot *s;

	if (!json_object_object_get_ex(page, key, &object) || !object)
		return true;
	s = *to = field_keep(&p, sizeof(*s));
	if (!fields_read(&p, snapshot_fields, ARRAY_SIZE(snapshot_fields), object, s))
		return false;
	/* only where there is no VMA, or the lock was not to be had, nothing was read */
	if ((!json_object_object_get_ex(object, "size", &value) || !value) &&
	    strcmp(s->state, "novma") && strcmp(s->state, "unread"))
		return field_fail(&p, "size", "is missing or null");
	if (!json_object_object_get_ex(object, "levels", &value))
		value = NULL;
	if (!read_levels(&p, value, s))
		return false;
	if (!json_object_object_get_ex(object, "page", &value) || !value)
		return true;
	s->page = field_keep(&p, sizeof(*s->page));
	return fields_read(&in_page, facts_fields, ARRAY_SIZE(facts_fields), value, s->page);
}

static bool read_page(const struct place *up, size_t i, struct json_object *object,
		      struct page *page)
{
	char key[32];
	struct place p = place_in(up, key);

	snprintf(key, sizeof(key), "pages[%zu]", i);
	if (!fields_read(&p, page_fields, ARRAY_SIZE(page_fields), object, page) ||
	    !read_snapshot(&p, "before", object, &page->before) ||
	    !read_snapshot(&p, "after", object, &page->after))
		return false;
	return page->before ? true : field_fail(&p, "before", "is missing or null");
}

static bool read_pages(const struct place *p, struct json_object *object, struct record *r)
{
	struct json_object *pages;
	size_t i;

	if (!json_object_object_get_ex(object, "pages", &pages) ||
	    !json_object_is_type(pages, json_type_array))
		return field_fail(p, "pages", "is no array");
	r->nr_read = json_object_array_length(pages);
	r->pages = field_keep(p, r->nr_read * sizeof(*r->pages));
	for (i = 0; i < r->nr_read; i++)
		if (!read_page(p, i, json_object_array_get_idx(pages, i), &r->pages[i]))
			return false;
	return true;
}

static bool is_pfnmap(const struct vma *vma, uint64_t addr)
{
	return vma && addr >= vma->start && addr < vma->end && !strcmp(vma->kind, "pfnmap");
}

/*
 * An observed call is not held up: facts of a page are missing also where a lock was taken, unless
 * the VMA maps no ordinary pages at all.
 */
static void mark_unread(struct record *r)
{
	size_t i;

	for (i = 0; i < r->nr_read; i++) {
		struct page *page = &r->pages[i];
		struct snapshot *s[] = { page->before, page->after };
		size_t side;

		for (side = 0; side < ARRAY_SIZE(s); side++)
			if (s[side])
				s[side]->page_unread = s[side]->leaf && !s[side]->page &&
						       !is_pfnmap(r->vma, page->addr);
	}
}

/* A character from U+0000 to U+00FF stands for a byte, and UTF-8 has it in one or two of them. */
static bool read_peek(const struct place *p, struct json_object *object, struct record *r)
{
	struct json_object *peek;
	const unsigned char *s;
	size_t i, len;
	char *bytes;

	if (!json_object_object_get_ex(object, "peek", &peek) || !peek)
		return true;
	s = (const unsigned char *)json_object_get_string(peek);
	if (!json_object_is_type(peek, json_type_string))
		return field_fail(p, "peek", "is no string");
	len = json_object_get_string_len(peek);
	bytes = field_keep(p, len + 1);
	for (i = 0; i < len; i++) {
		unsigned int c = s[i];

		if ((c & 0xfc) == 0xc0 && i + 1 < len)
			c = (c & 0x3) << 6 | (s[++i] & 0x3f);
		else if (c >= 0x80)
			return field_fail(p, "peek", "has a character above U+00FF");
		bytes[r->peek_len++] = c;
	}
	r->peek = bytes;
	return true;
}

static bool read_record(const struct place *p, struct json_object *object, struct record *r)
{
	static const char *const of_request[] = { "pid", "tgid", "comm", "mmap_lock" };
	struct place in_vma = place_in(p, "vma");
	struct json_object *value = NULL;
	uint64_t format;
	size_t i;

	if (!json_object_is_type(object, json_type_object))
		return field_fail(p, NULL, "is no JSON object");
	json_object_object_get_ex(object, "format", &value);
	if (!value || !field_unsigned(value, &format))
		return field_fail(p, NULL, "is no record: it has no \"format\"");
	if (format != GUPWALK_FORMAT)
		return field_fail(p, "format", "is another one than this gupwalk reads");
	if (!fields_read(p, record_fields, ARRAY_SIZE(record_fields), object, r) ||
	    !read_peek(p, object, r))
		return false;
	/* only of an observed call it may not be known */
	for (i = 0; i < ARRAY_SIZE(of_request) && strcmp(r->source, "observe"); i++)
		if (!json_object_object_get_ex(object, of_request[i], &value) || !value)
			return field_fail(p, of_request[i], "is missing or null");
	/* only a prediction may not know it */
	if (!json_object_object_get_ex(object, "ret", &value) || (!value && !r->predicted))
		return field_fail(p, "ret", "is missing or null");
	if (json_object_object_get_ex(object, "vma", &value) && value) {
		r->vma = field_keep(p, sizeof(*r->vma));
		if (!fields_read(&in_vma, vma_fields, ARRAY_SIZE(vma_fields), value, r->vma))
			return false;
	}
	if (!read_pages(p, object, r))
		return false;
	if (r->driver)
		mark_unread(r);
	return true;
}

struct record *record_parse(const char *line, size_t len, struct strbuf *wrong)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct record *r = must_alloc(1, sizeof(*r));
	struct place p = { .memory = &r->memory, .wrong = wrong };
	enum json_tokener_error error;
	struct json_object *object;
	char *text;
	bool read;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	text = field_keep(&p, len + 1);
	r->text = memcpy(text, line, len);
	r->text_len = len;
	/* the NUL after it ends a number or word at the very end */
	object = json_tokener_parse_ex(tokener, r->text, len + 1);
	error = json_tokener_get_error(tokener);
	if (error != json_tokener_success)
		read = field_fail(&p, NULL, json_tokener_error_desc(error));
	else if (json_tokener_get_parse_end(tokener) < len)
		read = field_fail(&p, NULL, "has something after its end");
	else
		read = read_record(&p, object, r);
	json_object_put(object);
	json_tokener_free(tokener);
	if (read)
		return r;
	record_free(r);
	return NULL;
}

void record_free(struct record *r)
{
	if (r)
		memory_free(r->memory);
	free(r);
}
