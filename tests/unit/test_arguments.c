// SPDX-License-Identifier: GPL-2.0-only
/* Words of the command line, and the module's own text files. */
#include "unit.h"

#include <getopt.h>
#include <unistd.h>

#include "about.h"
#include "command.h"
#include "number.h"

static void test_numbers(void **state)
{
	static const struct {
		const char *s;
		bool good;
		uint64_t value;
	} numbers[] = {
		{ "0", true, 0 }, { "7", true, 7 }, { "010", true, 10 }, { "0x1f", true, 31 },
		{ "18446744073709551615", true, UINT64_MAX }, { "18446744073709551616", false, 0 },
		{ "0xffffffffffffffff", true, UINT64_MAX }, { "0x10000000000000000", false, 0 },
		{ "", false, 0 }, { "-1", false, 0 }, { "+1", false, 0 }, { " 1", false, 0 },
		{ "1 ", false, 0 }, { "0x", false, 0 }, { "0x-1", false, 0 }, { "1k", false, 0 },
		{ "ff", false, 0 }, { "0x0x1", false, 0 },
	};
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		bool good = number_parse(numbers[i].s, UINT64_MAX, &value);

		if (good != numbers[i].good || (good && value != numbers[i].value))
			fail_msg("\"%s\"", numbers[i].s);
	}
	assert_false(number_parse("8", 7, &value));
	assert_true(number_hex("ff", &value) && value == 255);
	assert_true(number_hex("0xFF", &value) && value == 255);
	assert_false(number_hex("fg", &value));
	assert_false(number_hex("0x", &value));
	assert_true(number_size("2M", &value) && value == 2 << 20);
	assert_true(number_size("0x10k", &value) && value == 16 << 10);
	assert_true(number_size("1t", &value) && value == 1ULL << 40);
	assert_false(number_size("99999999T", &value));
	assert_false(number_size("1MB", &value));
	assert_false(number_size("M", &value));
}

static void test_ranges(void **state)
{
	struct range r;

	(void)state;
	assert_null(range_parse("7f00", 4096, &r));
	assert_true(r.start == 0x7000 && r.end == 0x8000);
	assert_null(range_parse("0x1000-2000", 1, &r));
	assert_true(r.start == 0x1000 && r.end == 0x2000);
	assert_null(range_parse("1000+2M", 1, &r));
	assert_true(r.start == 0x1000 && r.end == 0x201000);
	assert_null(range_parse("ff00000000000000+4096", 1, &r));
	/* outward, to whole pages */
	assert_null(range_parse("7fff0010+16", 4096, &r));
	assert_int_equal(r.start, 0x7fff0000);
	assert_int_equal(r.end, 0x7fff1000);
	assert_null(range_parse("7fff0000+4097", 4096, &r));
	assert_int_equal(r.end, 0x7fff2000);
	assert_null(range_parse("7fff0fff-7fff1001", 4096, &r));
	assert_int_equal(r.start, 0x7fff0000);
	assert_int_equal(r.end, 0x7fff2000);
	assert_null(range_parse("7fff0000-7fff1000", 4096, &r));
	assert_int_equal(r.end, 0x7fff1000);
	assert_null(range_parse("0-ffffffffffffffff", 4096, &r));
	assert_int_equal(r.end, UINT64_MAX);
	assert_non_null(range_parse("", 1, &r));
	assert_non_null(range_parse("xyz", 1, &r));
	assert_non_null(range_parse("1000-", 1, &r));
	assert_non_null(range_parse("1000-1000", 1, &r));
	assert_non_null(range_parse("2000-1000", 1, &r));
	assert_non_null(range_parse("1000+", 1, &r));
	assert_non_null(range_parse("1000+0", 1, &r));
	assert_non_null(range_parse("1000 2000", 1, &r));
	assert_non_null(range_parse("ffffffffffffffff+2", 1, &r));
	assert_non_null(range_parse("ffffffffffffffff", 4096, &r));
}

static void test_sizes(void **state)
{
	char text[24];

	(void)state;
	assert_string_equal(size_text(0, text), "0B");
	assert_string_equal(size_text(1023, text), "1023B");
	assert_string_equal(size_text(4096, text), "4K");
	assert_string_equal(size_text(1020 << 10, text), "1020K");
	assert_string_equal(size_text(100ULL << 30, text), "100G");
	assert_string_equal(size_text(1038ULL << 20, text), "1.0G");
	assert_string_equal(size_text(51198ULL << 20, text), "50.0G");
	assert_string_equal(size_text(1536ULL << 20, text), "1.5G");
	assert_string_equal(size_text((1ULL << 30) - 4096, text), "1.0G");
	assert_string_equal(size_text(UINT64_MAX, text), "16.0E");
	assert_string_equal(time_text(0, text), "0 ns");
	assert_string_equal(time_text(999, text), "999 ns");
	assert_string_equal(time_text(1000, text), "1.0 us");
	assert_string_equal(time_text(27049, text), "27.0 us");
	assert_string_equal(time_text(999999, text), "999.9 us");
	assert_string_equal(time_text(4131400, text), "4.1 ms");
	assert_string_equal(time_text(59999999999, text), "59.9 s");
	assert_string_equal(time_text(90000000000, text), "1.5 min");
	assert_string_equal(time_text(UINT64_MAX, text), "5124095.5 h");
}

static const struct option_row rows[] = {
	{ "pid", 'p', "PID", "" },
	{ "hold", OPTION_LONG, NULL, "" },
	{ NULL }
};

static const struct command command = { .name = "test", .words = "WORD", .summary = "",
					.options = rows };

/* Parses a line; what it made of the options is written as text. Complaints are not shown. */
static int scan(const char *line, struct session *s, struct strbuf *out)
{
	char *copy = must_copy(line), *rest = copy, *argv[16];
	struct parser p = { .s = s, .argc = 0, .argv = argv };
	int c, i, saved = dup(STDERR_FILENO), saved_out = dup(STDOUT_FILENO);
	const char *arg;

	*s = (struct session){ .command = &command };
	while ((argv[p.argc] = strsep(&rest, " ")))
		p.argc++;
	optind = 1;
	fflush(NULL);
	assert_non_null(freopen("/dev/null", "w", stderr));
	assert_non_null(freopen("/dev/null", "w", stdout));
	while ((c = parser_next(&p, &arg)) > 0)
		strbuf_addf(out, "%d:%s ", c, arg ? arg : "");
	for (i = 0; c == 0 && i < p.argc; i++)
		strbuf_addf(out, "%s ", p.argv[i]);
	if (c == 0 && !parser_words(&p, 1, 2))
		c = -2;
	fflush(NULL);
	dup2(saved, STDERR_FILENO);
	dup2(saved_out, STDOUT_FILENO);
	close(saved);
	close(saved_out);
	free(copy);
	return c == 0 ? STATUS_FINE : c == -2 ? STATUS_TROUBLE : p.status + 100;
}

static void test_parser(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *result;
	} lines[] = {
		{ "test a", 0, "a " },
		{ "test a b", 0, "a b " },
		{ "test", 2, "" },
		{ "test a b c", 2, "a b c " },
		{ "test -p 7 a", 0, "112:7 a " },
		{ "test a -p7", 0, "112:7 a " },
		{ "test --pid=7 --hold a", 0, "112:7 256: a " },
		{ "test --json -o f --debugfs d a", 0, "a " },
		{ "test -- -p", 0, "-p " },
		{ "test -", 0, "- " },
		{ "test -h", 100, "" },
		{ "test --help", 100, "" },
		{ "test --nonsense", 102, "" },
		{ "test -x", 102, "" },
		{ "test -p", 102, "" },
		{ "test --pid", 102, "" },
		{ "test --hold=1 a", 102, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		struct strbuf out = { 0 };
		struct session s;
		int status = scan(lines[i].line, &s, &out);

		if (status != lines[i].status || strcmp(strbuf_text(&out), lines[i].result))
			fail_msg("%s: %d %s", lines[i].line, status, strbuf_text(&out));
		strbuf_free(&out);
	}
}

static void test_version(void **state)
{
	char *text = load("saved/version"), *other;
	struct about a = { 0 };

	(void)state;
	assert_null(about_parse_version(text, &a));
	assert_int_equal(about_kernel(&a), KERNEL(6, 1));
	assert_int_equal(about_number(&a, "page_size"), 4096);
	assert_int_equal(about_covers(&a, "pte"), 4096);
	assert_int_equal(about_covers(&a, "pmd"), 2 << 20);
	assert_int_equal(about_covers(&a, "pud"), 1 << 30);
	assert_int_equal(about_covers(&a, "nonsense"), 0);
	assert_null(about_value(&a, "nonsense"));
	about_free(&a);
	other = replaced(text, "format: 1\n", "format: 2\n");
	assert_non_null(about_parse_version(other, &a));
	about_free(&a);
	free(other);
	assert_non_null(about_parse_version("", &a));
	about_free(&a);
	assert_non_null(about_parse_version("what is this\n", &a));
	about_free(&a);
	free(text);
}

static void test_ops(void **state)
{
	char *text = load("saved/ops");
	const struct op_row *op;
	struct about a = { 0 };

	(void)state;
	assert_null(about_parse_ops(text, &a));
	op = about_op(&a, "get_user_pages_remote");
	assert_non_null(op);
	assert_true(op->available && op->any_memory && op->pages > 1);
	assert_true(names_have(op->flags, "force"));
	op = about_op(&a, "walk");
	assert_non_null(op);
	assert_null(op->impl);
	assert_null(op->flags);
	assert_null(about_op(&a, "nonsense"));
	about_free(&a);
	assert_null(about_parse_ops("x unavailable - own 1 - gone since 9.9\n", &a));
	assert_false(a.ops[0].available);
	assert_string_equal(a.ops[0].note, "gone since 9.9");
	about_free(&a);
	assert_non_null(about_parse_ops("x available y own 1\n", &a));
	about_free(&a);
	free(text);
}

static void test_names(void **state)
{
	struct strbuf out = { 0 };

	(void)state;
	assert_true(names_have("a,bc,d", "bc"));
	assert_false(names_have("a,bc,d", "b"));
	assert_false(names_have("a,bc,d", "bcd"));
	assert_false(names_have("", "a"));
	assert_false(names_have(NULL, "a"));
	names_without("a,b,c,ab", "b,c", &out);
	assert_string_equal(strbuf_text(&out), "a,ab");
	strbuf_free(&out);
	put_bytes(&out, "a\x1b[1m\n\xff", 7);
	assert_string_equal(strbuf_text(&out), "a\\x1b[1m\\x0a\\xff");
	strbuf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_parser),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
