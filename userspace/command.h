/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_COMMAND_H
#define GUPWALK_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

/* What the program's exit status says. */
enum status {
	STATUS_FINE = 0,	/* fine; compare: the same */
	STATUS_DIFFERS = 1,	/* compare: differences; run: not as expected */
	STATUS_TROUBLE = 2,	/* wrong usage, or something did not work */
	STATUS_CANNOT = 4,	/* this kernel or machine cannot do it */
};

/**
 * struct option_row - an option of a command
 * @name: long form, without the dashes; NULL ends a table
 * @letter: short form; or a number from OPTION_LONG on, if it has none
 * @arg: what its argument is called in the help; NULL if it takes none
 * @help: what it does
 */
struct option_row {
	const char *name;
	int letter;
	const char *arg;
	const char *help;
};

#define OPTION_LONG 256

/* Longest line of text. */
#define WIDEST 100

/* What is wrong with words that several commands take. */
#define NO_PID "the number of a process is expected after -p"
#define NO_ADDRESS "this is not a hexadecimal address"
#define NOT_GIVEN "this option has to be given"

struct session;

/**
 * struct command - a subcommand; each defines its own at the end of its file
 * @name: its name
 * @words: the words it takes after its options, for the help
 * @summary: what it does, in one line
 * @runs: its words are another program's command line: options end at the first of them
 * @saved: it reads a saved copy of the module's directory too
 * @options: its own options; those that all commands have are not among them
 * @more: what its help has below the options: lines, each of words or of a word, a tab, and what it
 *	means; or NULL
 * @run: does it; gets the words from the command's name on. Returns an enum status
 */
struct command {
	const char *name;
	const char *words;
	const char *summary;
	bool runs;
	bool saved;
	const struct option_row *options;
	const char *more;
	int (*run)(struct session *s, int argc, char **argv);
};

/**
 * struct session - one invocation
 * @command: the command
 * @json: print JSON
 * @output: path to write to, or NULL for stdout
 * @debugfs: the module's directory, live or saved
 * @out: where output goes once session_out() opened it
 * @wide: widest line of text output
 */
struct session {
	const struct command *command;
	bool json;
	const char *output;
	const char *debugfs;
	FILE *out;
	int wide;
};

/**
 * struct parser - goes through the words of a command
 * @s: the invocation
 * @argc: how many words
 * @argv: the words, options first after the parser is done
 * @status: with what to exit when parser_next() returned a negative number
 */
struct parser {
	struct session *s;
	int argc;
	char **argv;
	int status;
};

/**
 * parser_next() - the next option that is the command's own
 * @p: the parser; session, argc and argv filled in
 * @arg: set to the option's argument, or NULL
 *
 * Options that all commands have are dealt with on the way.
 *
 * Return: the option's letter; 0 when only words are left, which are then p->argv[0] to
 * p->argv[p->argc - 1]; -1 when the command is to end with p->status.
 */
int parser_next(struct parser *p, const char **arg);

/**
 * parser_words() - check how many words are left
 * @p: the parser, done
 * @min: fewest
 * @max: most
 *
 * Return: true if it fits; else it has complained.
 */
bool parser_words(const struct parser *p, int min, int max);

/**
 * command_help() - print the help of a command
 * @c: the command
 * @out: where
 */
void command_help(const struct command *c, FILE *out);

/**
 * command_words() - print what completion and tests need: a line with all its options
 * @c: the command
 * @out: where
 */
void command_words(const struct command *c, FILE *out);

/**
 * usage_error() - complain about a word of the command line
 * @s: the invocation
 * @word: the word
 * @reason: what is wrong with it
 *
 * Return: STATUS_TROUBLE.
 */
int usage_error(const struct session *s, const char *word, const char *reason);

/**
 * session_out() - where the output goes; opened when first asked for
 * @s: the invocation
 *
 * A file given by -o is opened here and not before, so that a command may read it first and so
 * that trouble leaves it alone.
 *
 * Return: the stream, or NULL after a complaint.
 */
FILE *session_out(struct session *s);

/**
 * session_end() - flush and close the output
 * @s: the invocation
 * @status: with what the command ended
 *
 * Return: @status, or STATUS_TROUBLE after a complaint if not everything could be written.
 */
int session_end(struct session *s, int status);

/**
 * session_colors() - may the output have colours and bold
 * @s: the invocation; its output is open
 *
 * Return: true on a terminal, unless NO_COLOR is set or the terminal is dumb.
 */
bool session_colors(const struct session *s);

extern const struct command command_info;
extern const struct command command_list;
extern const struct command command_run;
extern const struct command command_compare;
extern const struct command command_walk;
extern const struct command command_translate;
extern const struct command command_explain;
extern const struct command command_observe;
extern const struct command command_pins;
extern const struct command command_bench;

#endif
