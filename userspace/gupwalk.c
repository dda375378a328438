// SPDX-License-Identifier: GPL-2.0-only
/* gupwalk: what get_user_pages and its like do to page tables. This file: which commands there are.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <gupwalk.h>

#include "command.h"
#include "device.h"
#include "scenario.h"
#include "text.h"

static const struct command *const commands[] = {
	&command_info,
	&command_list,
	&command_run,
	&command_compare,
	&command_walk,
	&command_translate,
	&command_explain,
	&command_observe,
	&command_pins,
	&command_bench,
};

static void help(FILE *out)
{
	size_t i;

	fputs("Usage: gupwalk COMMAND [OPTION…] [WORD…]\n\n"
	      "Shows page tables before and after get_user_pages and calls like it.\n\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		int column = fprintf(out, "  %s %s", commands[i]->name, commands[i]->words);

		if (column < 32)
			column += fprintf(out, "%*s", 32 - column, "");
		put_wrapped(out, 32, column, 100, commands[i]->summary);
	}
	fputs("\n  --version                     print the version\n"
	      "  -h, --help                    print this help; after a COMMAND: about that "
	      "command\n\n"
	      "Exit status: 0 fine, or the same; 1 differences, not as expected, or would not "
	      "work;\n"
	      "2 wrong usage or trouble; 4 not possible on this kernel or machine.\n",
	      out);
}

/* For completion and tests, so that nothing else needs to know the tables. */
static void words(FILE *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		command_words(commands[i], out);
	for (i = 0; scenario_nth(i); i++)
		fprintf(out, "%s %s\n", scenario_kind(scenario_nth(i)), scenario_nth(i)->name);
}

static int no_command(const char *word)
{
	complain("reading the command line", word,
		 word ? "no such command" : "a command is missing",
		 "gupwalk -h tells which there are");
	return STATUS_TROUBLE;
}

int main(int argc, char **argv)
{
	struct session s = { .debugfs = DEVICE_DIR };
	const char *word = argv[1];
	size_t i;

	setlocale(LC_CTYPE, "");
	if (!word)
		return no_command(NULL);
	if (!strcmp(word, "-h") || !strcmp(word, "--help")) {
		help(stdout);
		return STATUS_FINE;
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		puts("gupwalk " GUPWALK_VERSION);
		return STATUS_FINE;
	}
	if (!strcmp(word, "--words")) {
		words(stdout);
		return STATUS_FINE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		s.command = commands[i];
		if (!strcmp(word, s.command->name))
			return session_end(&s, s.command->run(&s, argc - 1, argv + 1));
	}
	return no_command(word);
}
