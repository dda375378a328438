// SPDX-License-Identifier: GPL-2.0-only
/* Numbers, sizes and ranges of addresses as they are typed; sizes and times as they are printed. */
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_0x(const char *s)
{
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

/* strtoull() takes blanks, signs, a second 0x; an address or a count may have none of them. */
static bool digits(const char *s, int base, uint64_t *value, char **end)
{
	if (has_0x(s) || !(base == 16 ? isxdigit((unsigned char)*s) : isdigit((unsigned char)*s)))
		return false;
	errno = 0;
	*value = strtoull(s, end, base);
	return errno == 0;
}

static bool number_start(const char *s, uint64_t *value, char **end)
{
	if (has_0x(s))
		return digits(s + 2, 16, value, end);
	return digits(s, 10, value, end);
}

bool number_parse(const char *s, uint64_t max, uint64_t *value)
{
	char *end;

	return number_start(s, value, &end) && !*end && *value <= max;
}

static bool hex_start(const char *s, uint64_t *value, char **end)
{
	return digits(has_0x(s) ? s + 2 : s, 16, value, end);
}

bool number_hex(const char *s, uint64_t *value)
{
	char *end;

	return hex_start(s, value, &end) && !*end;
}

bool number_size(const char *s, uint64_t *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned int shift;
	char *end;

	if (!number_start(s, value, &end))
		return false;
	if (!*end)
		return true;
	unit = strchr(units, toupper((unsigned char)*end));
	if (!unit || end[1])
		return false;
	shift = 10 * (unit - units + 1);
	if (*value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

/* Page tables are of whole pages: a page that is only partly in the range is in it. */
static void round_outward(struct range *range, uint64_t unit)
{
	range->start -= range->start % unit;
	if (range->end > UINT64_MAX - (unit - 1))
		range->end = UINT64_MAX;
	else
		range->end = (range->end + unit - 1) / unit * unit;
}

const char *range_parse(const char *s, uint64_t one, struct range *range)
{
	uint64_t len = one;
	char *end;

	if (!hex_start(s, &range->start, &end))
		return "START is not a hexadecimal address";
	if (*end == '-') {
		if (!number_hex(end + 1, &range->end))
			return "END is not a hexadecimal address";
		if (range->end <= range->start)
			return "END is not above START";
		round_outward(range, one);
		return NULL;
	}
	if (*end && *end != '+')
		return "START is followed by something that is neither -END nor +LEN";
	if (!*end)
		range->start -= range->start % one;
	else if (!number_size(end + 1, &len) || !len)
		return "LEN is not a size in bytes: decimal, or with K, M, G or T after it";
	if (len > UINT64_MAX - range->start)
		return "the range goes beyond the last address";
	range->end = range->start + len;
	round_outward(range, one);
	return NULL;
}

char *size_text(uint64_t bytes, char *text)
{
	uint64_t whole, rest, tenths;
	unsigned int unit = 0;

	while (bytes >> 10 * unit >= 1024)
		unit++;
	whole = bytes >> 10 * unit;
	rest = bytes - (whole << 10 * unit);
	if (!rest) {
		snprintf(text, 24, "%" PRIu64 "%c", whole, "BKMGTPE"[unit]);
		return text;
	}
	/* of an exabyte tenths would not fit into 64 bits: bits that no tenth sees are dropped */
	tenths = whole * 10 + (((rest >> (10 * unit - 10)) * 10 + 512) >> 10);
	if (tenths >= 10240 && unit < 6) {
		unit++;
		tenths = 10;
	}
	snprintf(text, 24, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10, "BKMGTPE"[unit]);
	return text;
}

char *time_text(uint64_t ns, char *text)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
		{ 3600000000000, "h" }, { 60000000000, "min" }, { 1000000000, "s" },
		{ 1000000, "ms" }, { 1000, "us" },
	};
	unsigned int tenth;
	size_t i = 0;

	if (ns < 1000) {
		snprintf(text, 24, "%" PRIu64 " ns", ns);
		return text;
	}
	while (ns < units[i].ns)
		i++;
	tenth = ns % units[i].ns * 10 / units[i].ns % 10;
	snprintf(text, 24, "%" PRIu64 ".%u %s", ns / units[i].ns, tenth, units[i].name);
	return text;
}
