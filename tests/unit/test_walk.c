// SPDX-License-Identifier: GPL-2.0-only
/* What is read from the file `walk`, extents, and the list of mappings that they are found in. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extent.h"
#include "maps.h"
#include "tables.h"

/* ---- a walk recorded beside snapshots of the same pages ---- */

struct seen {
	struct entries entries;
	struct table_entry at[512];
	size_t n;
	uint64_t tables[GUPWALK_LEVELS];
};

static void see(void *context, const struct table_entry *e)
{
	struct seen *seen = context;

	assert_true(seen->n < ARRAY_SIZE(seen->at));
	if (seen->n)
		assert_true(e->addr >= seen->at[seen->n - 1].addr + seen->at[seen->n - 1].size);
	seen->at[seen->n++] = *e;
}

static void see_table(void *context, int level, uint64_t table, uint64_t size)
{
	struct seen *seen = context;

	(void)table;
	assert_true(size && size <= 4096);
	seen->tables[level]++;
}

static const char *feed(struct tables *t, const char *bytes, size_t n, size_t chunk)
{
	const char *wrong = NULL;
	size_t at;

	tables_begin(t);
	for (at = 0; !wrong && at < n; at += chunk)
		wrong = tables_feed(t, bytes + at, n - at < chunk ? n - at : chunk);
	return wrong;
}

static const struct table_entry *entry_at(const struct seen *seen, uint64_t addr)
{
	size_t i;

	for (i = 0; i < seen->n; i++)
		if (addr - seen->at[i].addr < seen->at[i].size)
			return &seen->at[i];
	return NULL;
}

static void agree(const struct seen *seen, const struct snapshot *s, uint64_t addr)
{
	const struct table_entry *e = entry_at(seen, addr);
	const struct entry_class *c;
	struct strbuf names = { 0 };
	size_t i;

	if (!e) {
		assert_string_equal(s->state, "none");
		return;
	}
	c = entry_class(&seen->entries.level[e->level], e->path[e->level].value);
	assert_non_null(c);
	assert_string_equal(c->state, s->state);
	assert_int_equal(e->level + 1, s->nr_levels);
	for (i = 0; i < s->nr_levels; i++) {
		assert_int_equal(s->levels[i].entry, e->path[i].entry);
		assert_int_equal(s->levels[i].value, e->path[i].value);
	}
	entry_rights(&seen->entries, e->level, e->path, &names);
	assert_string_equal(strbuf_text(&names), s->rights);
	strbuf_free(&names);
	entry_flags(&seen->entries.level[e->level], c->kind, e->path[e->level].value, &names);
	assert_string_equal(strbuf_text(&names), s->levels[e->level].flags);
	strbuf_free(&names);
	assert_int_equal(entry_pfn(&seen->entries, e->level, c, e->path[e->level].value, addr),
			 strtoull(s->pa, NULL, 16) >> 12);
}

static void test_recorded(void **state)
{
	static const size_t chunks[] = { 1 << 20, 4096, 13 };
	char *text = load("walk.jsonl"), *entries = load("saved/entries"), *bytes;
	struct seen seen = { 0 };
	struct records records;
	size_t i, j, n;

	(void)state;
	bytes = load_bytes("walk.bin", &n);
	parse(text, &records);
	assert_null(entries_parse(entries, &seen.entries));
	for (i = 0; i < ARRAY_SIZE(chunks); i++) {
		struct tables t = { .entries = &seen.entries, .entry = see, .table = see_table,
				    .context = &seen };

		seen.n = 0;
		assert_null(feed(&t, bytes, n, chunks[i]));
		assert_int_equal(t.end.how, GUPWALK_WALK_DONE);
		tables_free(&t);
	}
	assert_int_equal(seen.tables[0], ARRAY_SIZE(chunks));
	assert_int_equal(seen.tables[1], 0);
	for (i = 0; i < records.n; i++)
		for (j = 0; j < records.at[i]->nr_read; j++)
			agree(&seen, records.at[i]->pages[j].before, records.at[i]->pages[j].addr);
	entries_free(&seen.entries);
	records_free(&records);
	free(entries);
	free(bytes);
	free(text);
}

static void see_nothing(void *context, const struct table_entry *e)
{
	(void)context;
	(void)e;
}

/* A file that is cut off or broken anywhere is refused, or is at least not complete. */
static void test_broken(void **state)
{
	char *entries = load("saved/entries"), *bytes;
	struct entries entries_of = { 0 };
	size_t i, n;

	(void)state;
	bytes = load_bytes("walk.bin", &n);
	assert_null(entries_parse(entries, &entries_of));
	for (i = 0; i < n; i += 8) {
		struct tables t = { .entries = &entries_of, .entry = see_nothing };

		assert_null(feed(&t, bytes, i, 1 << 20));
		assert_int_equal(t.end.head.size, 0);
		tables_free(&t);
	}
	/* sizes and indexes that lead out of a block */
	for (i = 0; i < n && i < 2000; i += 4) {
		struct tables t = { .entries = &entries_of, .entry = see_nothing };
		uint32_t was, huge = 0xfffffff0;

		memcpy(&was, bytes + i, 4);
		memcpy(bytes + i, &huge, 4);
		feed(&t, bytes, n, 1 << 20);
		memcpy(bytes + i, &was, 4);
		tables_free(&t);
	}
	entries_free(&entries_of);
	free(entries);
	free(bytes);
}

static void test_entries(void **state)
{
	static const char *const wrong[] = {
		"", "class pte 0x1 0x1 leaf present -\n", "level pgd 39 512 -\nlevel pgd\n",
		"level pte 12 512 -\nclass pte 0x1 0x1 nonsense present -\n",
		"level pte 12 512 -\nclass pte 0x1 0x1 leaf present - pfn=0x0,60:0:10\n",
		"level pte 12 512 -\nflag pte leaf X 1\n", "right read 0 0 0\n",
	};
	struct gather g = { .flip = 0xf0, .nr = 2, .run = { { 12, 0, 8 }, { 4, 8, 4 } } };
	struct entries e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(entries_parse(wrong[i], &e));
	assert_int_equal(gather(&g, 0x0ab5c0), 0xcab ^ 0xf0);
}

/* ---- blocks made here ---- */

static const char levels[] =
	"level pgd 39 512 -\nlevel p4d 39 1 folded\nlevel pud 30 512 -\nlevel pmd 21 512 -\n"
	"level pte 12 512 -\n"
#define CLASS(level, bits, kind, state) "class " level " " bits " " bits " " kind " " state " -"
	CLASS("pgd", "0x1", "table", "table") "\n" CLASS("pud", "0x1", "table", "table") "\n"
	CLASS("pmd", "0x7", "table", "table") "\n" CLASS("pmd", "0x1", "table", "bad") "\n"
	CLASS("pte", "0x1", "leaf", "present") " pfn=0x0,12:0:40\n";
#undef CLASS

static void put_start(struct strbuf *out)
{
	static const uint8_t shifts[] = { 39, 39, 30, 21, 12 };
	struct gupwalk_walk_start start = {
		.head = { .size = sizeof(start), .type = GUPWALK_WALK_START },
		.version = GUPWALK_WALK_VERSION, .page_size = 4096, .end = 1ULL << 47,
	};
	int i;

	for (i = 0; i < GUPWALK_LEVELS; i++)
		start.level[i] = (struct gupwalk_walk_level){
			.entries = i == 1 ? 1 : 512, .shift = shifts[i], .folded = i == 1,
		};
	strbuf_add(out, (const char *)&start, sizeof(start));
}

static void put_table(struct strbuf *out, int level, uint64_t addr, unsigned int shift,
		      uint32_t first, const uint64_t *values, uint32_t nr)
{
	struct gupwalk_walk_table table = {
		.head = { .size = sizeof(table) + 8 * nr, .type = GUPWALK_WALK_TABLE },
		.level = level, .flags = GUPWALK_WALK_STABLE, .first = first, .nr = nr,
		.addr = addr, .from = addr, .to = addr + (512ULL << shift),
	};

	strbuf_add(out, (const char *)&table, sizeof(table));
	strbuf_add(out, (const char *)values, 8 * nr);
}

/* An entry that no table of the kernel has is no hole, and what comes after it is found. */
static void test_bad(void **state)
{
	static const uint64_t one_table = 1, pmds[] = { 0x1, 0x7 }, pte = 0x5001;
	struct gupwalk_walk_end end = {
		.head = { .size = sizeof(end), .type = GUPWALK_WALK_END },
	};
	struct seen seen = { 0 };
	struct tables t = { .entries = &seen.entries, .entry = see, .context = &seen };
	struct strbuf out = { 0 };

	(void)state;
	assert_null(entries_parse(levels, &seen.entries));
	put_start(&out);
	put_table(&out, 0, 0, 39, 0, &one_table, 1);
	put_table(&out, 2, 0, 30, 0, &one_table, 1);
	put_table(&out, 3, 0, 21, 0, pmds, 2);
	put_table(&out, 4, 0x200000, 12, 3, &pte, 1);
	strbuf_add(&out, (const char *)&end, sizeof(end));
	assert_null(feed(&t, out.at, out.len, 1 << 20));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.at[0].level, 3);
	assert_int_equal(seen.at[0].addr, 0);
	assert_string_equal(entry_class(&seen.entries.level[3], 0x1)->state, "bad");
	assert_int_equal(seen.at[1].level, 4);
	assert_int_equal(seen.at[1].addr, 0x203000);
	tables_free(&t);
	strbuf_free(&out);
	entries_free(&seen.entries);
}

/* ---- extents ---- */

static const struct extent one = {
	.start = 0x10000, .end = 0x11000, .state = "present", .leaf = "pte", .page_size = 0x1000,
	.rights = "read,user", .mapped = true, .pa = 0x70000, .what = "anon", .name = "[heap]",
	.perms = "rw-p",
};

static void test_joining(void **state)
{
	struct extent next = one, other;

	(void)state;
	next.start = one.end;
	next.end = one.end + 0x1000;
	next.pa = one.pa + 0x1000;
	assert_int_equal(extent_fit(&one, &next, 0x1000), EXTENT_FOLLOWS);
#define WITH(member, value)							\
	(other = next, other.member = value, extent_fit(&one, &other, 0x1000))
	assert_int_equal(WITH(pa, 0x70000), EXTENT_ALIKE);
	assert_int_equal(WITH(pa, 0x6f000), EXTENT_ALIKE);
	assert_int_equal(WITH(start, one.end + 0x1000), EXTENT_DIFFERS);
	assert_int_equal(WITH(state, "protnone"), EXTENT_DIFFERS);
	assert_int_equal(WITH(leaf, "pmd"), EXTENT_DIFFERS);
	assert_int_equal(WITH(page_size, 0x200000), EXTENT_DIFFERS);
	assert_int_equal(WITH(contiguous, 0x10000), EXTENT_DIFFERS);
	assert_int_equal(WITH(rights, "read,write,user"), EXTENT_DIFFERS);
	assert_int_equal(WITH(mapped, false), EXTENT_DIFFERS);
	assert_int_equal(WITH(swapped, true), EXTENT_DIFFERS);
	assert_int_equal(WITH(what, "file"), EXTENT_DIFFERS);
	assert_int_equal(WITH(what, NULL), EXTENT_DIFFERS);
	assert_int_equal(WITH(huge, "thp"), EXTENT_DIFFERS);
	assert_int_equal(WITH(name, ""), EXTENT_DIFFERS);
	assert_int_equal(WITH(perms, "r--p"), EXTENT_DIFFERS);
#undef WITH
}

/* Pages in swap have places too, which are counted in pages. */
static void test_swapped(void **state)
{
	struct extent e = {
		.start = 0, .end = 0x3000, .state = "swap", .rights = "", .name = "",
		.swapped = true, .swap_type = 1, .swap_offset = 7,
	};
	struct extent next = e;

	(void)state;
	next.start = 0x3000;
	next.end = 0x4000;
	next.swap_offset = 10;
	assert_int_equal(extent_fit(&e, &next, 0x1000), EXTENT_FOLLOWS);
	next.swap_offset = 8;
	assert_int_equal(extent_fit(&e, &next, 0x1000), EXTENT_ALIKE);
	next.swap_type = 0;
	assert_int_equal(extent_fit(&e, &next, 0x1000), EXTENT_DIFFERS);
}

static void test_zero_pages(void **state)
{
	struct extent e = one, next = one;

	(void)state;
	e.what = "zero";
	next.what = "zero";
	next.start = one.end;
	next.end = one.end + 0x1000;
	assert_int_equal(extent_fit(&e, &next, 0x1000), EXTENT_FOLLOWS);
}

static void test_holes(void **state)
{
	struct extent e = { .start = 0, .end = 0x1000, .state = "none", .rights = "", .name = "" };
	struct extent next = { .start = 0x1000, .end = 0x40000000, .state = "none", .rights = "",
			       .name = "" };

	(void)state;
	/* a hole is a hole, whatever table is missing */
	assert_int_equal(extent_fit(&e, &next, 0x1000), EXTENT_FOLLOWS);
}

/* ---- rows of extents ---- */

struct got {
	struct extent at[8];
	size_t n;
};

static void get(void *context, const struct extent *e)
{
	struct got *got = context;

	assert_true(got->n < ARRAY_SIZE(got->at));
	got->at[got->n++] = *e;
}

/* Pages with these page frames, at addresses one after the other. */
static struct got rows_of(const uint64_t *frames, size_t n, bool any_place)
{
	struct got got = { 0 };
	struct extents x = { .page = 0x1000, .any_place = any_place, .put = get, .context = &got };
	size_t i;

	for (i = 0; i < n; i++) {
		struct extent e = one;

		e.start += i * 0x1000;
		e.end += i * 0x1000;
		e.pa = frames[i] * 0x1000;
		extents_add(&x, &e);
	}
	extents_end(&x);
	extents_end(&x);
	return got;
}

static void test_runs(void **state)
{
	static const uint64_t frames[] = { 0x70, 0x71, 0x90, 0x91, 0x92, 0x60, 0x73 };
	struct got got = rows_of(frames, ARRAY_SIZE(frames), false);

	(void)state;
	assert_int_equal(got.n, 4);
	assert_int_equal(got.at[1].pa, 0x90000);
	assert_int_equal(got.at[1].end - got.at[1].start, 0x3000);
	assert_int_equal(got.at[1].runs, 1);
	got = rows_of(frames, ARRAY_SIZE(frames), true);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.at[0].runs, 4);
	assert_int_equal(got.at[0].pa, 0x70000);
	assert_int_equal(got.at[0].end - got.at[0].start, 0x7000);
}

static void test_page_size(void **state)
{
	struct extent e = one;
	struct strbuf text = { 0 };

	(void)state;
	put_page_size(&e, &text);
	assert_string_equal(strbuf_text(&text), "4K");
	strbuf_free(&text);
	e.contiguous = 0x10000;
	put_page_size(&e, &text);
	assert_string_equal(strbuf_text(&text), "4K/64K");
	strbuf_free(&text);
}

static void test_maps(void **state)
{
	struct mapping m;

	(void)state;
	assert_true(maps_line("100000000000000-1ffffffffffffff rw-p 00000000 00:00 0", &m));
	assert_int_equal(m.start, 0x100000000000000);
	assert_int_equal(m.end, 0x1ffffffffffffff);
	assert_string_equal(m.name, "");
	assert_string_equal(m.perms, "rw-p");
	free(m.name);
	assert_true(maps_line("7f0-7f1 r--p 00001000 fe:01 77    /a b/c (deleted)", &m));
	assert_string_equal(m.name, "/a b/c (deleted)");
	free(m.name);
	assert_false(maps_line("what is this", &m));
	assert_false(maps_line("2000-1000 rw-p 0 00:00 0", &m));
}

/* Whoever has gone has no pages whose kind could be looked up. */
static void test_gone(void **state)
{
	struct maps maps;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		pause();
		_exit(0);
	}
	assert_true(maps_open(child, &maps));
	assert_true(maps.pagemap >= 0);
	assert_false(maps_gone(&maps));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(maps_gone(&maps));
	maps_close(&maps);
	assert_int_equal(maps.pagemap, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_zero_pages),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_page_size),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
