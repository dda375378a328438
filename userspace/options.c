// SPDX-License-Identifier: GPL-2.0-only
/* Options and output, the same way for all commands: parsing and help come from the same tables. */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

#define NARROWEST 80

enum {
	OPTION_JSON = OPTION_LONG + 1000,
	OPTION_DEBUGFS,
};

static const struct option_row common_options[] = {
	{ "json",	OPTION_JSON,	NULL,	"print JSON" },
	{ "output",	'o',		"FILE",	"write to FILE, not to standard output" },
	{ "debugfs",	OPTION_DEBUGFS,	"DIR",
	  "the module's directory, or a saved copy of it [/sys/kernel/debug/gupwalk]" },
	{ "help",	'h',		NULL,	"print this help" },
	{ NULL }
};

/* Where a saved copy does not do. */
#define DEBUGFS_LIVE "the module's directory [/sys/kernel/debug/gupwalk]"

struct getopt_tables {
	struct option longs[32];
	char shorts[64];
	size_t nr;
};

static void getopt_add(struct getopt_tables *t, const struct option_row *rows)
{
	char *end = t->shorts + strlen(t->shorts);

	for (; rows && rows->name; rows++) {
		if (t->nr + 1 == ARRAY_SIZE(t->longs))
			abort();
		t->longs[t->nr++] = (struct option){
			rows->name, rows->arg ? required_argument : no_argument, NULL, rows->letter
		};
		if (rows->letter >= OPTION_LONG)
			continue;
		*end++ = rows->letter;
		if (rows->arg)
			*end++ = ':';
	}
}

int usage_error(const struct session *s, const char *word, const char *reason)
{
	struct strbuf advice = { 0 };

	strbuf_addf(&advice, "gupwalk %s -h tells what it takes", s->command->name);
	complain(s->command->name, word, reason, strbuf_text(&advice));
	strbuf_free(&advice);
	return STATUS_TROUBLE;
}

static int bad_option(struct parser *p, int c)
{
	const char *word = p->argv[optind - 1];
	char letter[3] = { '-', optopt, '\0' };

	/* getopt has gone past the word only if the option was its last letter */
	if (optopt && optopt < OPTION_LONG)
		word = letter;
	p->status = usage_error(p->s, word, c == ':' ? "needs an argument" :
				optopt >= OPTION_LONG ? "takes no argument" : "no such option");
	return -1;
}

static int common_option(struct parser *p, int c)
{
	switch (c) {
	case OPTION_JSON:
		p->s->json = true;
		return 1;
	case 'o':
		p->s->output = optarg;
		return 1;
	case OPTION_DEBUGFS:
		p->s->debugfs = optarg;
		return 1;
	case 'h':
		command_help(p->s->command, stdout);
		p->status = STATUS_FINE;
		return -1;
	case '?':
	case ':':
		return bad_option(p, c);
	}
	return 0;
}

int parser_next(struct parser *p, const char **arg)
{
	struct getopt_tables t = { };
	int c, ret;

	strcpy(t.shorts, p->s->command->runs ? "+:" : ":");
	getopt_add(&t, p->s->command->options);
	getopt_add(&t, common_options);
	for (;;) {
		optopt = 0;
		c = getopt_long(p->argc, p->argv, t.shorts, t.longs, NULL);
		if (c == -1) {
			p->argc -= optind;
			p->argv += optind;
			return 0;
		}
		ret = common_option(p, c);
		if (ret < 0)
			return -1;
		if (ret == 0)
			break;
	}
	*arg = optarg;
	return c;
}

bool parser_words(const struct parser *p, int min, int max)
{
	if (p->argc < min) {
		usage_error(p->s, p->s->command->words, "a word is missing");
		return false;
	}
	if (p->argc > max) {
		usage_error(p->s, p->argv[max], "one word too many");
		return false;
	}
	return true;
}

/* Characters, not bytes: one that goes on for more bytes begins with a byte that says so. */
static int characters(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void help_rows(const struct command *c, const struct option_row *rows, FILE *out)
{
	for (; rows && rows->name; rows++) {
		bool live = rows->letter == OPTION_DEBUGFS && !c->saved;
		int column;

		if (rows->letter < OPTION_LONG)
			column = fprintf(out, "  -%c, ", rows->letter);
		else
			column = fprintf(out, "      ");
		column += fprintf(out, "--%s", rows->name);
		if (rows->arg && fprintf(out, " %s", rows->arg) > 0)
			column += 1 + characters(rows->arg);
		if (column >= 26) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%*s", 26 - column, "");
		put_wrapped(out, 26, column, WIDEST, live ? DEBUGFS_LIVE : rows->help);
	}
}

static void help_more(const char *more, FILE *out)
{
	char *copy = must_copy(more), *rest = copy, *line;

	fputc('\n', out);
	while ((line = strsep(&rest, "\n"))) {
		char *word = strsep(&line, "\t");
		int column;

		if (!*word)
			continue;
		if (!line) {
			put_wrapped(out, 0, 0, WIDEST, word);
			continue;
		}
		column = fprintf(out, "  %-24s", word);
		put_wrapped(out, 26, column, WIDEST, line);
	}
	free(copy);
}

void command_help(const struct command *c, FILE *out)
{
	fprintf(out, "Usage: gupwalk %s [OPTION…]%s%s\n\n", c->name, *c->words ? " " : "",
		c->words);
	put_wrapped(out, 0, 0, WIDEST, c->summary);
	fputc('\n', out);
	help_rows(c, c->options, out);
	help_rows(c, common_options, out);
	if (c->more)
		help_more(c->more, out);
}

static void words_rows(const struct option_row *rows, FILE *out)
{
	for (; rows && rows->name; rows++) {
		fprintf(out, " --%s%s", rows->name, rows->arg ? "=" : "");
		if (rows->letter < OPTION_LONG)
			fprintf(out, " -%c", rows->letter);
	}
}

void command_words(const struct command *c, FILE *out)
{
	fprintf(out, "command %s", c->name);
	words_rows(c->options, out);
	words_rows(common_options, out);
	fputc('\n', out);
}

static int terminal_width(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col || size.ws_col > WIDEST)
		return WIDEST;
	return size.ws_col < NARROWEST ? NARROWEST : size.ws_col;
}

FILE *session_out(struct session *s)
{
	if (s->out)
		return s->out;
	if (!s->output)
		s->out = stdout;
	else
		s->out = fopen(s->output, "we");
	if (!s->out) {
		complain("writing", s->output, strerror(errno),
			 "give -o a file that can be written");
		return NULL;
	}
	s->wide = terminal_width(fileno(s->out));
	return s->out;
}

int session_end(struct session *s, int status)
{
	bool bad;

	if (!s->out)
		return status;
	bad = ferror(s->out);
	errno = 0;
	bad |= fclose(s->out) != 0;
	if (!bad || errno == EPIPE)
		return status;
	complain("writing", s->output ? s->output : "standard output",
		 errno ? strerror(errno) : "an earlier write failed",
		 "what was written is not complete");
	return STATUS_TROUBLE;
}

bool session_colors(const struct session *s)
{
	const char *term = getenv("TERM");
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(s->out)) && !(no && *no) && term && strcmp(term, "dumb");
}
