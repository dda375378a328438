// SPDX-License-Identifier: GPL-2.0-only
/* Expectations of scenarios, checked on signatures. Pure. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

const char *expect_pick(const struct expect *expects, unsigned int kernel)
{
	size_t i;

	for (i = 0; i < EXPECT_MAX && expects[i].terms; i++)
		if (kernel >= expects[i].since &&
		    (!expects[i].before || kernel < expects[i].before))
			return expects[i].terms;
	return NULL;
}

static void put_unmet(struct strbuf *wrong, const char *path, const char *actual,
		      const char *wanted, const char *value)
{
	strbuf_addf(wrong, "%s%s is %s, %s %s", wrong->len ? "; " : "", path,
		    actual ? actual : "not there", wanted, value);
}

/* @term is cut in pieces. */
static bool check_term(const struct sig_step *step, char *term, struct strbuf *wrong)
{
	char *op = strpbrk(term, "=~!");
	const char *actual, *value, *wanted;
	bool not, list, met;

	if (!op)
		abort();
	not = *op == '!';
	list = op[not] == '~';
	value = op + not + 1;
	*op = '\0';
	if (*value == '@')
		value = sig_step_value(step, value + 1);
	actual = sig_step_value(step, term);
	if (!actual || !value)
		met = false;
	else if (list)
		met = names_have(actual, value) != not;
	else
		met = !strcmp(actual, value) != not;
	if (met)
		return true;
	wanted = list ? (not ? "expected without" : "expected with") :
		 (not ? "expected not to be" : "expected");
	put_unmet(wrong, term, actual, wanted, value ? value : "to equal a fact that is not there");
	return false;
}

unsigned int expect_unmet(const struct sig_step *step, const char *terms, struct strbuf *wrong)
{
	char *copy = must_copy(terms), *rest = copy, *term;
	unsigned int unmet = 0;

	while ((term = strsep(&rest, " ")))
		if (*term && !check_term(step, term, wrong))
			unmet++;
	free(copy);
	return unmet;
}
