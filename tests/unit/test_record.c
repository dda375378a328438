// SPDX-License-Identifier: GPL-2.0-only
/* The reader of records: what a kernel wrote is read, all else is refused, and nothing crashes. */
#include "unit.h"

#include "scenario.h"

static struct record *try_line(const char *line, size_t len)
{
	struct strbuf wrong = { 0 };
	struct record *r = record_parse(line, len, &wrong);

	if (!r)
		assert_true(wrong.len > 0);
	strbuf_free(&wrong);
	return r;
}

/* The line is refused, and what is said about it has @about in it. */
static void assert_refused(const char *line, const char *about)
{
	struct strbuf wrong = { 0 };
	struct record *r = record_parse(line, strlen(line), &wrong);

	if (r)
		fail_msg("taken for a record: %.200s", line);
	if (!strstr(strbuf_text(&wrong), about))
		fail_msg("\"%s\" does not tell about \"%s\"", wrong.at, about);
	strbuf_free(&wrong);
}

static char *first_line(const char *name)
{
	char *text = load(name);

	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* What has an owner, a driver and a stack, and was made by nobody's request. */
static void test_observed(void **state)
{
	char *text = load("observed.jsonl");
	struct records records;
	size_t i, direct = 0;

	(void)state;
	parse(text, &records);
	for (i = 0; i < records.n; i++) {
		const struct record *r = records.at[i];

		assert_string_equal(r->source, "observe");
		assert_true(r->driver && *r->driver && r->stack && *r->stack);
		assert_true(r->caller_pid.known && r->caller_tgid.known);
		assert_null(r->run);
		direct += !strncmp(r->driver, "ext4", strlen("ext4"));
	}
	assert_int_equal(direct, 1);
	records_free(&records);
	free(text);
}

/* Of an observed call a page without facts is sure to be no ordinary one in VM_PFNMAP only. */
static void assert_page_unread(const char *line, bool unread)
{
	struct record *r = try_line(line, strlen(line));
	const struct snapshot *after;

	assert_non_null(r);
	after = r->pages[0].after;
	assert_true(after->leaf && !after->page);
	assert_int_equal(after->page_unread, unread);
	record_free(r);
}

static void test_page_unread(void **state)
{
	char *line = first_line("observed.jsonl"), *after = strstr(line, "\"after\":");
	char *page = strstr(after, "\"page\":{"), *end = strchr(page, '}') + 1;
	char *without = NULL, *other;

	(void)state;
	assert_true(asprintf(&without, "%.*s\"page\":null%s", (int)(page - line), line, end) > 0);
	assert_page_unread(without, true);
	other = replaced(without, "\"kind\":\"anon\"", "\"kind\":\"pfnmap\"");
	assert_page_unread(other, false);
	free(other);
	free(without);
	free(line);
}

static void test_all_recorded(void **state)
{
	const struct scenario *sc;
	size_t i, j, runs = 0;

	(void)state;
	for (i = 0; (sc = scenario_nth(i)); i++) {
		char *text = load_run(sc, 1), *at = text;
		const struct step *step = sc->steps;
		struct records records;

		if (!text)
			continue;
		runs++;
		parse(text, &records);
		for (j = 0; j < records.n; j++, step++) {
			const struct record *r = records.at[j];

			step = step_made(step, r->op);
			assert_string_equal(r->op, step->op);
			assert_string_equal(r->run, sc->name);
			assert_memory_equal(r->text, at, r->text_len);
			at += r->text_len;
			assert_int_equal(*at++, '\n');
		}
		assert_null(step->op);
		records_free(&records);
		free(text);
	}
	assert_true(runs >= RUNS_MIN);
}

static void test_values(void **state)
{
	char *text = load("no-prefault.1.jsonl");
	const struct snapshot *s;
	const struct level *pte;
	struct records records;
	const struct record *r;

	(void)state;
	parse(text, &records);
	r = records.at[0];
	assert_int_equal(r->ret, -22);
	assert_string_equal(r->errno_name, "EINVAL");
	assert_string_equal(r->reason, "vma-not-pfnmap");
	assert_string_equal(r->flags, "");
	assert_string_equal(r->vma->kind, "anon");
	assert_true(names_have(r->vma->flags, "write"));
	assert_null(r->peek);
	r = records.at[1];
	assert_null(r->errno_name);
	assert_string_equal(r->flags, "write");
	assert_int_equal(r->nr_read, 1);
	s = r->pages[0].before;
	assert_string_equal(s->state, "none");
	assert_null(s->page);
	assert_false(s->pfn.known);
	s = r->pages[0].after;
	pte = snapshot_level(s, "pte");
	assert_non_null(pte);
	assert_int_equal(pte->entry, pte->table + 8 * pte->index);
	assert_true(names_have(pte->flags, "PRESENT"));
	assert_true(s->pfn.known && s->page);
	assert_int_equal(s->pfn.value, s->page->head_pfn);
	assert_true(s->page->anon && s->stable);
	records_free(&records);
	free(text);
}

static void test_cut_off(void **state)
{
	char *line = first_line("unaligned.1.jsonl");
	size_t len;

	(void)state;
	for (len = 0; len < strlen(line); len++)
		assert_null(try_line(line, len));
	free(line);
}

static void test_keys_missing(void **state)
{
	static const char *const needed[] = {
		"format", "seq", "op", "pid", "addr", "nr_pages", "flags", "ret", "held", "pages",
		"start", "kind", "before", "state", "size", "rights", "stable", "levels", "name",
		"folded", "index", "table", "entry", "value", "refcount", "mapcount", "pincount",
		"anon", "zero", "head_pfn", "order",
	};
	char *line = first_line("prefault.1.jsonl");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		char key[32], other[32], *changed;

		snprintf(key, sizeof(key), "\"%s\":", needed[i]);
		snprintf(other, sizeof(other), "\"x%s\":", needed[i]);
		changed = replaced(line, key, other);
		assert_refused(changed, needed[i]);
		free(changed);
	}
	free(line);
}

static void test_wrong_values(void **state)
{
	static const char *const changes[][3] = {
		{ "\"format\":1,", "\"format\":2,", "format" },
		{ "\"format\":1,", "\"format\":\"1\",", "format" },
		{ "\"nr_pages\":1,", "\"nr_pages\":-1,", "nr_pages" },
		{ "\"nr_pages\":1,", "\"nr_pages\":1.5,", "nr_pages" },
		{ "\"held\":false", "\"held\":0", "held" },
		{ "\"flags\":[]", "\"flags\":[1]", "flags" },
		{ "\"flags\":[]", "\"flags\":\"write\"", "flags" },
		{ "\"op\":\"follow_pfn\"", "\"op\":null", "op" },
		{ "\"addr\":\"0x", "\"addr\":\"", "addr" },
		{ "\"addr\":\"0x", "\"addr\":\"0x11111111111111111", "addr" },
		{ "\"addr\":\"0x", "\"addr\":\"0x-", "addr" },
		{ "\"pages\":[", "\"pages\":[null,", "pages[0]" },
		{ "\"levels\":[", "\"levels\":[{},{},{},{},{},{},", "levels" },
		{ "\"name\":\"pgd\"", "\"name\":7", "before.levels[0].name" },
	};
	char *line = first_line("prefault.1.jsonl");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		char *changed = replaced(line, changes[i][0], changes[i][1]);

		assert_refused(changed, changes[i][2]);
		free(changed);
	}
	free(line);
}

static void test_no_records(void **state)
{
	(void)state;
	assert_refused("", "");
	assert_refused("null", "object");
	assert_refused("[]", "object");
	assert_refused("7", "object");
	assert_refused("{}", "format");
	assert_refused("{\"error\":\"op: no such op\",\"word\":null,\"allowed\":null}", "format");
	assert_refused("{\"format\":1}", "missing");
	assert_refused("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "");
	assert_refused("\xff\xfe{}", "");
	assert_null(try_line("{\"format\":1\0}", 13));
}

static void test_something_after_it(void **state)
{
	char *line = first_line("prefault.1.jsonl");
	struct strbuf twice = { 0 };

	(void)state;
	strbuf_addf(&twice, "%s{}", line);
	assert_refused(twice.at, "");
	strbuf_free(&twice);
	strbuf_addf(&twice, "%s  ", line);
	record_free(try_line(twice.at, twice.len));
	strbuf_free(&twice);
	free(line);
}

static void test_peek(void **state)
{
	char *line = first_line("unaligned.1.jsonl");
	char *changed = replaced(line, "\"peek\":\"krishna\"",
				 "\"peek\":\"a\\u0000\\u007f\\u0080\\u00ff\xc3\xbf\\n\"");
	struct record *r = try_line(changed, strlen(changed));

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->peek_len, 7);
	assert_memory_equal(r->peek, "a\0\x7f\x80\xff\xff\n", 7);
	record_free(r);
	free(changed);
	changed = replaced(line, "krishna", "\\u0100");
	assert_refused(changed, "peek");
	free(changed);
	free(line);
}

static void test_number_of_line(void **state)
{
	char *line = first_line("prefault.1.jsonl");
	struct strbuf text = { 0 }, wrong = { 0 };
	struct records records = { 0 };

	(void)state;
	strbuf_addf(&text, "%s\n\n%s\n{}\n", line, line);
	assert_false(records_parse(text.at, text.len, &records, &wrong));
	assert_int_equal(records.n, 2);
	assert_non_null(strstr(wrong.at, "line 4:"));
	records_free(&records);
	strbuf_free(&wrong);
	strbuf_free(&text);
	free(line);
}

/* Bytes changed at random: taken or not, but nothing else happens. The sanitizers watch. */
static void test_garbled(void **state)
{
	char *line = first_line("thp.1.jsonl");
	size_t len = strlen(line);
	unsigned int i, j;

	(void)state;
	srand(1);
	for (i = 0; i < 4000; i++) {
		char *garbled = must_copy(line);

		for (j = 0; j < 1 + i % 4; j++)
			garbled[rand() % len] = i % 2 ? rand() : "{}[]\",:0-nt\\"[rand() % 12];
		record_free(try_line(garbled, len));
		free(garbled);
	}
	free(line);
}

static void test_last_run(void **state)
{
	char *text = load("saved/records.jsonl");
	struct records records;
	size_t i;

	(void)state;
	parse(text, &records);
	assert_int_equal(records.n, 3 + 3 + 3 + 6);
	records_keep_run(&records, "no-prefault");
	assert_int_equal(records.n, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(records.at[i]->seq, records.at[0]->seq + i);
	records_keep_run(&records, "prefault");
	assert_int_equal(records.n, 0);
	records_free(&records);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_recorded),
		cmocka_unit_test(test_observed),
		cmocka_unit_test(test_page_unread),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_keys_missing),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_no_records),
		cmocka_unit_test(test_something_after_it),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_number_of_line),
		cmocka_unit_test(test_garbled),
		cmocka_unit_test(test_last_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
