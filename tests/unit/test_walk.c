// SPDX-License-Identifier: GPL-2.0-only
/* Extents, and the list of mappings that they are found in. */
#include "unit.h"

#include "extent.h"
#include "maps.h"

struct seen {
	struct extent at[256];
	size_t n;
};

/* Keeps numbers only: the strings do not outlive the call. */
static void see(void *context, const struct extent *e)
{
	struct seen *seen = context;

	assert_true(seen->n < ARRAY_SIZE(seen->at));
	seen->at[seen->n] = *e;
	seen->at[seen->n].state = strcmp(e->state, "none") ? "mapped" : "none";
	seen->n++;
}

static void test_recorded(void **state)
{
	char *text = load("walk.jsonl"), *lines = load("maps");
	struct records records;
	struct maps maps;
	size_t i, j;

	(void)state;
	parse(text, &records);
	assert_true(maps_parse(lines, &maps));
	assert_int_equal(records.n, maps.n);
	for (i = 0; i < maps.n; i++) {
		const struct mapping *m = &maps.at[i];
		struct seen seen = { 0 };
		struct extents x = { .put = see, .context = &seen };

		for (j = 0; j < records.at[i]->nr_read; j++) {
			struct extent e;

			extent_of(&records.at[i]->pages[j], m->end, m->name, &e);
			extents_add(&x, &e);
		}
		extents_end(&x);
		/* the extents cover the mapping, without a gap, and are as few as they can be */
		assert_true(seen.n > 0 && seen.n <= records.at[i]->nr_read);
		assert_int_equal(seen.at[0].start, m->start);
		assert_int_equal(seen.at[seen.n - 1].end, m->end);
		for (j = 1; j < seen.n; j++) {
			assert_int_equal(seen.at[j].start, seen.at[j - 1].end);
			assert_false(!seen.at[j].mapped && !seen.at[j - 1].mapped);
		}
	}
	maps_free(&maps);
	records_free(&records);
	free(lines);
	free(text);
}

static const struct extent one = {
	.start = 0x10000, .end = 0x11000, .state = "present", .leaf = "pte", .page_size = 0x1000,
	.rights = "read,user", .mapped = true, .pa = 0x70000, .what = "anon", .name = "[heap]",
};

static bool joins(struct extent next)
{
	struct extent e = one;
	bool joined = extent_join(&e, &next);

	assert_int_equal(e.start, one.start);
	assert_int_equal(e.end, joined ? next.end : one.end);
	assert_int_equal(e.pa, one.pa);
	return joined;
}

static void test_joining(void **state)
{
	struct extent next = one, other;

	(void)state;
	next.start = one.end;
	next.end = one.end + 0x1000;
	next.pa = one.pa + 0x1000;
	assert_true(joins(next));
#define WITH(member, value) (other = next, other.member = value, other)
	assert_false(joins(WITH(pa, 0x70000)));
	assert_false(joins(WITH(pa, 0x6f000)));
	assert_false(joins(WITH(start, one.end + 0x1000)));
	assert_false(joins(WITH(state, "protnone")));
	assert_false(joins(WITH(leaf, "pmd")));
	assert_false(joins(WITH(page_size, 0x200000)));
	assert_false(joins(WITH(rights, "read,write,user")));
	assert_false(joins(WITH(mapped, false)));
	assert_false(joins(WITH(what, "file")));
	assert_false(joins(WITH(what, NULL)));
	assert_false(joins(WITH(name, "")));
#undef WITH
}

static void test_zero_pages(void **state)
{
	struct extent e = one, next = one;

	(void)state;
	e.what = "zero";
	next.what = "zero";
	next.start = one.end;
	next.end = one.end + 0x1000;
	assert_true(extent_join(&e, &next));
	assert_int_equal(e.end, next.end);
}

static void test_holes(void **state)
{
	struct extent e = { .start = 0, .end = 0x1000, .state = "none", .rights = "", .name = "" };
	struct extent next = { .start = 0x1000, .end = 0x40000000, .state = "none", .rights = "",
			       .name = "" };

	(void)state;
	/* a hole is a hole, whatever table is missing */
	assert_true(extent_join(&e, &next));
	assert_int_equal(e.end, 0x40000000);
}

static void test_part_of_an_entry(void **state)
{
	struct snapshot s = { .state = "present", .leaf = "pmd", .size = 0x200000, .pa = "0x345678",
			      .rights = "read" };
	struct page page = { .addr = 0x7f0000123678, .before = &s };
	struct extent e;

	(void)state;
	extent_of(&page, UINT64_MAX, "", &e);
	assert_int_equal(e.start, 0x7f0000123678);
	assert_int_equal(e.end, 0x7f0000200000);
	assert_int_equal(e.pa, 0x345678);
	assert_int_equal(e.page_size, 0x200000);
	extent_of(&page, 0x7f0000124000, "", &e);
	assert_int_equal(e.end, 0x7f0000124000);
	/* the top of the addresses, where the end does not fit in 64 bits */
	page.addr = UINT64_MAX - 5;
	extent_of(&page, UINT64_MAX, "", &e);
	assert_int_equal(e.end, UINT64_MAX);
}

static void test_maps(void **state)
{
	struct maps maps;

	(void)state;
	assert_true(maps_parse("", &maps));
	assert_int_equal(maps.n, 0);
	assert_true(maps_parse("100000000000000-1ffffffffffffff rw-p 00000000 00:00 0\n"
			       "7f0-7f1 r--p 00001000 fe:01 77    /a b/c (deleted)\n", &maps));
	assert_int_equal(maps.n, 2);
	assert_int_equal(maps.at[0].start, 0x100000000000000);
	assert_int_equal(maps.at[0].end, 0x1ffffffffffffff);
	assert_string_equal(maps.at[0].name, "");
	assert_string_equal(maps.at[1].name, "/a b/c (deleted)");
	maps_free(&maps);
	assert_false(maps_parse("what is this\n", &maps));
	assert_false(maps_parse("2000-1000 rw-p 0 00:00 0\n", &maps));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_zero_pages),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_part_of_an_entry),
		cmocka_unit_test(test_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
