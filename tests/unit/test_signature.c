// SPDX-License-Identifier: GPL-2.0-only
/* Signatures, their differences, and expectations. */
#include "unit.h"

#include "diff.h"
#include "expect.h"
#include "scenario.h"

static void make(const char *text, struct signature *sig)
{
	struct records records;

	parse(text, &records);
	signature_make(&records, sig);
	records_free(&records);
}

/* How many differences two texts have; the first of them is copied. */
static size_t count(const char *a, const char *b, char *first, size_t size)
{
	struct signature sig[2];
	struct differences d;
	size_t n;

	make(a, &sig[0]);
	make(b, &sig[1]);
	diff(&sig[0], &sig[1], &d);
	n = d.n;
	if (first)
		snprintf(first, size, "%s", n && d.at[0].path ? d.at[0].path : "");
	differences_free(&d);
	signature_free(&sig[0]);
	signature_free(&sig[1]);
	return n;
}

static void test_two_runs(void **state)
{
	const struct scenario *sc;
	size_t i, runs = 0;

	(void)state;
	for (i = 0; (sc = scenario_nth(i)); i++) {
		char *a = load_run(sc, 1), *b = load_run(sc, 2), first[64];

		if (!a)
			continue;
		runs++;
		assert_non_null(b);
		assert_string_not_equal(a, b);
		if (count(a, b, first, sizeof(first)))
			fail_msg("two runs of %s differ, first in %s", sc->name, first);
		free(a);
		free(b);
	}
	assert_true(runs >= RUNS_MIN);
}

static void test_prefault(void **state)
{
	char *a = load("no-prefault.1.jsonl"), *b = load("prefault.1.jsonl");
	struct signature sig[2];
	struct differences d;
	bool cause = false;
	size_t i;

	(void)state;
	make(a, &sig[0]);
	make(b, &sig[1]);
	diff(&sig[0], &sig[1], &d);
	assert_int_equal(d.steps, 3);
	assert_int_equal(d.steps_differ, 2);
	assert_string_equal(d.at[0].op, "follow_pfn");
	assert_string_equal(d.at[0].path, "before.state");
	assert_string_equal(d.at[0].a, "none");
	assert_string_equal(d.at[0].b, "present");
	for (i = 0; i < d.n; i++) {
		assert_string_not_equal(d.at[i].op, "get_user_pages_remote");
		if (!strcmp(d.at[i].path, "cause")) {
			cause = true;
			assert_string_equal(d.at[i].a, "anon-allocated");
			assert_string_equal(d.at[i].b, "unchanged");
		}
	}
	assert_true(cause);
	differences_free(&d);
	signature_free(&sig[0]);
	signature_free(&sig[1]);
	free(a);
	free(b);
}

static void test_renaming(void **state)
{
	char *a = load("prefault.1.jsonl"), *all, *one, *at;
	struct records records;
	char old[40], new[40];

	(void)state;
	parse(a, &records);
	snprintf(old, sizeof(old), "\"pfn\":%lld",
		 (long long)records.at[0]->pages[0].before->pfn.value);
	snprintf(new, sizeof(new), "\"pfn\":%lld", 7654321LL);
	records_free(&records);
	/* a page frame that has another number everywhere is the same page frame */
	all = replaced(a, old, new);
	assert_int_equal(count(a, all, NULL, 0), 0);
	/* one that has it in a single place is another one */
	at = strstr(a, old);
	one = replaced(at, old, old);
	free(one);
	one = must_copy(a);
	at = strstr(one, old) + strlen("\"pfn\":");
	*at = *at == '9' ? '8' : '9';
	assert_true(count(a, one, NULL, 0) > 0);
	free(one);
	free(all);
	free(a);
}

/* A page that the LRU batch still has a reference of, and one that is on its list already. */
static void test_lru_batch(void **state)
{
	char *a = load("prefault.1.jsonl"), *b, *c, *d;

	(void)state;
	b = replaced(a, "\"lru\",", "");
	assert_int_equal(count(a, b, NULL, 0), 0);
	c = replaced(a, "\"uptodate\",", "\"uptodate\",\"active\",\"referenced\",\"workingset\",");
	assert_int_equal(count(a, c, NULL, 0), 0);
	free(b);
	d = load("hugetlb.1.jsonl");
	b = replaced(d, "\"head\",", "\"dirty\",\"head\",");
	assert_int_equal(count(d, b, NULL, 0), 0);
	assert_string_not_equal(d, b);
	free(d);
	d = replaced(a, "\"refcount_delta\":1", "\"refcount_delta\":2");
	assert_int_equal(count(a, d, NULL, 0), 1);
	free(a);
	free(b);
	free(c);
	free(d);
}

static void test_facts_that_count(void **state)
{
	static const char *const changes[][3] = {
		{ "\"cause\":\"unchanged\"", "\"cause\":\"migrated\"", "cause" },
		{ "\"op\":\"handle_mm_fault\"", "\"op\":\"fixup_user_fault\"", "" },
		{ "\"errno\":\"EINVAL\"", "\"errno\":\"EFAULT\"", "errno" },
		{ "\"leaf\":\"pte\"", "\"leaf\":\"pmd\"", "before.leaf" },
		{ "\"anon_exclusive\":true", "\"anon_exclusive\":false",
		  "before.page.anon_exclusive" },
		{ "\"mapcount\":1", "\"mapcount\":2", "before.page.mapcount" },
		{ "\"stable\":true", "\"stable\":false", "before.stable" },
		{ "\"NX\"", "\"PAT\"", "before.levels.pte.flags" },
		{ "\"hugepage\"", "\"nohugepage\"", "vma.flags" },
	};
	char *a = load("prefault.1.jsonl"), *thp = load("thp.1.jsonl");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		const char *from = strstr(changes[i][0], "hugepage") ? thp : a;
		char *b = replaced(from, changes[i][0], changes[i][1]), first[64];

		assert_true(count(from, b, first, sizeof(first)) > 0);
		assert_string_equal(first, changes[i][2]);
		free(b);
	}
	free(thp);
	free(a);
}

static void test_facts_that_do_not(void **state)
{
	static const char *const changes[][2] = {
		{ "\"duration_ns\":", "\"duration_ns\":1" },
		{ "\"total_ns\":", "\"total_ns\":1" },
		{ "\"time_ns\":", "\"time_ns\":1" },
		{ "\"seq\":", "\"seq\":1" },
		{ "\"pid\":", "\"pid\":1" },
		{ "\"comm\":\"gupwalk\"", "\"comm\":\"other\"" },
		{ "\"run\":\"prefault\"", "\"run\":null" },
		{ "\"index\":", "\"index\":1" },
		{ "\"value\":\"0x", "\"value\":\"0xf\",\"other\":\"0x" },
		{ "\"retries\":0", "\"retries\":3" },
		{ "\"zone\":\"", "\"zone\":\"X" },
		{ "\"refcount\":", "\"refcount\":1" },
	};
	char *a = load("prefault.1.jsonl");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		char *b = replaced(a, changes[i][0], changes[i][1]), first[64];

		if (count(a, b, first, sizeof(first)))
			fail_msg("%s makes a difference in %s", changes[i][0], first);
		free(b);
	}
	free(a);
}

static void test_alignment(void **state)
{
	char *a = load("pfnmap.1.jsonl"), *b = must_copy(a), *second, *third;
	struct signature sig[2];
	struct differences d;

	(void)state;
	/* without its second record, get_user_pages */
	second = strchr(b, '\n') + 1;
	third = strchr(second, '\n') + 1;
	memmove(second, third, strlen(third) + 1);
	make(a, &sig[0]);
	make(b, &sig[1]);
	diff(&sig[0], &sig[1], &d);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.steps, 6);
	assert_int_equal(d.steps_differ, 1);
	assert_int_equal(d.at[0].step_a, 2);
	assert_int_equal(d.at[0].step_b, 0);
	assert_null(d.at[0].path);
	assert_string_equal(d.at[0].op, "get_user_pages");
	differences_free(&d);
	diff(&sig[1], &sig[0], &d);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.at[0].step_a, 0);
	assert_int_equal(d.at[0].step_b, 2);
	differences_free(&d);
	signature_free(&sig[0]);
	signature_free(&sig[1]);
	free(a);
	free(b);
}

static void test_nothing_to_compare(void **state)
{
	struct signature none = { 0 }, sig;
	char *a = load("thp.1.jsonl");
	struct differences d;

	(void)state;
	make(a, &sig);
	diff(&none, &none, &d);
	assert_int_equal(d.n, 0);
	differences_free(&d);
	diff(&none, &sig, &d);
	assert_int_equal(d.n, 2);
	differences_free(&d);
	signature_free(&sig);
	free(a);
}

static void test_recorded_as_expected(void **state)
{
	const struct scenario *sc;
	size_t i, j;

	(void)state;
	for (i = 0; (sc = scenario_nth(i)); i++) {
		char *text = load_run(sc, 1);
		const struct step *step;
		struct signature sig;

		if (!text)
			continue;
		make(text, &sig);
		for (j = 0, step = sc->steps; j < sig.n; j++, step++) {
			struct strbuf wrong = { 0 };
			const char *terms;
			char *here;

			step = step_made(step, sig.steps[j].op);
			terms = expect_pick(step->expects, KERNEL(6, 1));
			assert_non_null(terms);
			here = strstr(terms, "{pmd}") ? replaced(terms, "{pmd}", "2097152") :
			       must_copy(terms);
			if (expect_unmet(&sig.steps[j], here, &wrong))
				fail_msg("%s, step %zu: %s", sc->name, j + 1, wrong.at);
			free(here);
		}
		signature_free(&sig);
		free(text);
	}
}

static void test_terms(void **state)
{
	static const struct {
		const char *term;
		bool met;
	} terms[] = {
		{ "ret=1", true }, { "ret=2", false }, { "ret!=2", true }, { "ret!=1", false },
		{ "flags=write", true }, { "flags~write", true }, { "flags~rite", false },
		{ "flags!~force", true }, { "flags!~write", false },
		{ "after.rights~user", true }, { "after.rights~exec", false },
		{ "pfn=@after.pfn", true }, { "pfn!=@after.pfn", false }, { "pfn=@ret", false },
		{ "nothing=1", false }, { "nothing!=1", false }, { "pfn=@nothing", false },
		{ "peek=krishna", true }, { " ret=1  ret=1 ", true }, { "", true },
	};
	char *text = load("unaligned.1.jsonl");
	struct signature sig;
	size_t i;

	(void)state;
	make(text, &sig);
	for (i = 0; i < ARRAY_SIZE(terms); i++) {
		struct strbuf wrong = { 0 };
		bool met = !expect_unmet(&sig.steps[0], terms[i].term, &wrong);

		if (met != terms[i].met)
			fail_msg("%s: %s", terms[i].term, strbuf_text(&wrong));
		assert_int_equal(met, wrong.len == 0);
		strbuf_free(&wrong);
	}
	signature_free(&sig);
	free(text);
}

/*
 * What has changed between the oldest and the newest kernel, a step each, in the order of the
 * scenarios; and nothing else has: no fact that one of them does not know, no number of a page that
 * was used before, no other place for the same bit, no name of a thing that a call has used up
 * which the other did not make.
 */
static const struct changed {
	const char *label;
	size_t number;
	const char *path;	/* of one of the facts that differ; NULL: the step is there once */
	const char *a;
	const char *b;
} changed[] = {
	{ "fork", 2, "cause", "unchanged", "unshare" },
	{ "zero-page", 3, "fault", "VM_FAULT_WRITE", "none" },
	{ "read-pin", 2, "after.page", "zero", "anon" },
	{ "ptrace", 3, "before.page.gained_refs", "1", "0" },
	{ "file-private", 2, "after.page", "other", "anon" },
	{ "file-shared", 3, "after.levels.pte.flags", NULL, NULL },
	{ "file-longterm", 2, "reason", "none", "longterm-file-write" },
	{ "thp-read", 1, "after.levels.pmd.flags", NULL, NULL },
	{ "thp-read", 2, "after.leaf", "pte", "pmd" },
	{ "thp-split", 2, "before.levels.pte.flags", NULL, NULL },
	{ "swap", 2, "before.levels.pte.flags", "SWP_SOFT_DIRTY", "SWP_SOFT_DIRTY,SWP_EXCLUSIVE" },
	{ "swap", 3, "before.levels.pte.flags", NULL, NULL },
	{ "swap", 4, "before.levels.pte.flags", NULL, NULL },
	{ "migrate", 3, "before.levels.pte.flags", NULL, NULL },
	{ "migrate", 4, "before.levels.pte.flags", NULL, NULL },
	{ "migration", 2, "after.levels.pmd.flags", NULL, NULL },
	{ "numa-hint", 1, "cause", "protnone-restored", "unchanged" },
	{ "numa-hint", 2, "before.levels.pte.flags", NULL, NULL },
	{ "numa-hint", 3, "before.levels.pte.flags", NULL, NULL },
	{ "numa-hint", 4, "before.levels.pte.flags", NULL, NULL },
	{ "ksm", 1, "before.page.gained_refs", "2", "1" },
	{ "ksm", 2, "cause", "unchanged", "unshare" },
	{ "ksm", 3, "before.page.mapcount", "2", "1" },
	{ "gup-locked", 1, NULL, NULL, NULL },
	{ "nvidia-p2p", 1, NULL, NULL, NULL },
};

static bool is_change(const struct difference *d, const struct changed *c)
{
	return !strcmp(d->label, c->label) && d->number_a == c->number &&
	       (c->path ? d->path && !strcmp(d->path, c->path) : !d->path) &&
	       (!c->a || (!strcmp(d->a, c->a) && !strcmp(d->b, c->b)));
}

static void test_across_kernels(void **state)
{
	static const char *const newer[] = {
		"memfd-pin", "collapse", "uffd-rwp", "secretmem", "guard"
	};
	char *old = load("kernels/5.10.jsonl"), *new = load("kernels/7.3.jsonl");
	struct signature sig[2];
	struct differences d;
	size_t i, j;

	(void)state;
	make(old, &sig[0]);
	make(new, &sig[1]);
	diff(&sig[0], &sig[1], &d);
	assert_int_equal(d.steps_differ, ARRAY_SIZE(changed));
	for (i = 0; i < ARRAY_SIZE(changed); i++) {
		for (j = 0; j < d.n && !is_change(&d.at[j], &changed[i]); j++)
			;
		if (j == d.n)
			fail_msg("%s %zu. is not among the differences", changed[i].label,
				 changed[i].number);
	}
	assert_int_equal(d.nr_unknown, 1);
	assert_string_equal(d.unknown[0], "page.anon_exclusive");
	assert_int_equal(d.nr_only_a, 0);
	assert_int_equal(d.nr_only_b, ARRAY_SIZE(newer));
	for (i = 0; i < ARRAY_SIZE(newer); i++)
		assert_string_equal(d.only_b[i], newer[i]);
	differences_free(&d);
	signature_free(&sig[0]);
	signature_free(&sig[1]);
	free(old);
	free(new);
}

/* A page that one run has left is another page when the next one gets it. */
static void test_names_of_a_run(void **state)
{
	char *a = load("prefault.1.jsonl"), *b = load("read-prefault.1.jsonl");
	struct strbuf both = { 0 };
	struct signature sig[2];
	size_t i;

	(void)state;
	strbuf_addf(&both, "%s%s", a, b);
	make(strbuf_text(&both), &sig[0]);
	make(b, &sig[1]);
	assert_true(sig[0].n > sig[1].n);
	for (i = 0; i < sig[1].n; i++)
		assert_string_equal(sig_step_value(&sig[0].steps[sig[0].n - sig[1].n + i],
						   "before.pfn"),
				    sig_step_value(&sig[1].steps[i], "before.pfn"));
	signature_free(&sig[0]);
	signature_free(&sig[1]);
	strbuf_free(&both);
	free(a);
	free(b);
}

static void test_kernels(void **state)
{
	static const struct expect expects[EXPECT_MAX] = {
		{ .before = KERNEL(5, 10), .terms = "old" },
		{ .since = KERNEL(5, 10), .before = KERNEL(6, 12), .terms = "middle" },
		{ .since = KERNEL(6, 13), .terms = "new" },
	};

	(void)state;
	assert_string_equal(expect_pick(expects, KERNEL(4, 19)), "old");
	assert_string_equal(expect_pick(expects, KERNEL(5, 10)), "middle");
	assert_string_equal(expect_pick(expects, KERNEL(6, 1)), "middle");
	assert_null(expect_pick(expects, KERNEL(6, 12)));
	assert_string_equal(expect_pick(expects, KERNEL(7, 3)), "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_runs),
		cmocka_unit_test(test_prefault),
		cmocka_unit_test(test_renaming),
		cmocka_unit_test(test_lru_batch),
		cmocka_unit_test(test_facts_that_count),
		cmocka_unit_test(test_facts_that_do_not),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_nothing_to_compare),
		cmocka_unit_test(test_recorded_as_expected),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_across_kernels),
		cmocka_unit_test(test_names_of_a_run),
		cmocka_unit_test(test_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
