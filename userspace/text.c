// SPDX-License-Identifier: GPL-2.0-only
/* Strings, lists of names, memory, and the one way to complain. */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static void *must(void *memory)
{
	if (!memory) {
		fputs("gupwalk: getting memory: out of memory\n", stderr);
		exit(STATUS_TROUBLE);
	}
	return memory;
}

void *must_alloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size));
}

void *must_grow(void *array, size_t used, size_t size)
{
	if (used & (used - 1))
		return array;
	return must(reallocarray(array, used ? used * 2 : 1, size));
}

char *must_copy(const char *s)
{
	return must(strdup(s));
}

static void strbuf_room(struct strbuf *b, size_t more)
{
	size_t room = b->room ? b->room : 64;

	while (room - b->len <= more)
		room *= 2;
	if (room == b->room)
		return;
	b->at = must(realloc(b->at, room));
	b->room = room;
}

void strbuf_add(struct strbuf *b, const char *s, size_t len)
{
	strbuf_room(b, len);
	memcpy(b->at + b->len, s, len);
	b->len += len;
	b->at[b->len] = '\0';
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list args;
	char *s;
	int len;

	va_start(args, fmt);
	len = vasprintf(&s, fmt, args);
	va_end(args);
	if (len < 0)
		must(NULL);
	strbuf_add(b, s, len);
	free(s);
}

void strbuf_word(struct strbuf *b, const char *sep, const char *word)
{
	if (b->len)
		strbuf_add(b, sep, strlen(sep));
	strbuf_add(b, word, strlen(word));
}

/* No text that is printed has it: what comes from elsewhere goes through put_bytes(). */
#define TIE '\x1f'

void strbuf_tie(struct strbuf *b, size_t from)
{
	for (; from < b->len; from++)
		if (b->at[from] == ' ')
			b->at[from] = TIE;
}

const char *strbuf_text(const struct strbuf *b)
{
	return b->at ? b->at : "";
}

void strbuf_free(struct strbuf *b)
{
	free(b->at);
	*b = (struct strbuf){ 0 };
}

bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool names_have(const char *names, const char *name)
{
	size_t len = strlen(name);

	while (names && *names) {
		size_t here = strcspn(names, ",");

		if (here == len && !memcmp(names, name, len))
			return true;
		names += here;
		names += *names == ',';
	}
	return false;
}

void names_without(const char *names, const char *drop, struct strbuf *out)
{
	while (names && *names) {
		size_t here = strcspn(names, ",");
		char *name = must(strndup(names, here));

		if (!names_have(drop, name))
			strbuf_word(out, ",", name);
		free(name);
		names += here;
		names += *names == ',';
	}
}

char *spaced(char *names)
{
	char *c;

	for (c = names; *c; c++)
		if (*c == ',')
			*c = ' ';
	return names;
}

void put_bytes(struct strbuf *b, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (c >= ' ' && c <= '~')
			strbuf_add(b, bytes + i, 1);
		else
			strbuf_addf(b, "\\x%02x", c);
	}
}

static void put_word(FILE *out, const char *word, int len)
{
	for (; len; len--, word++)
		fputc(*word == TIE ? ' ' : *word, out);
}

void put_wrapped(FILE *out, int indent, int column, int width, const char *words)
{
	bool first = true;

	while (*words) {
		int len = strcspn(words, " ");

		if (!first && column + 1 + len > width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		put_word(out, words, len);
		column += len;
		first = false;
		words += len;
		words += strspn(words, " ");
	}
	fputc('\n', out);
}

void complain(const char *doing, const char *what, const char *reason, const char *advice)
{
	fprintf(stderr, "gupwalk: %s: %s%s%s\n", doing, what ? what : "", what ? ": " : "", reason);
	if (advice)
		put_wrapped(stderr, 2, fprintf(stderr, "  "), WIDEST, advice);
}

int slurp_fd(int fd, struct strbuf *into)
{
	char bytes[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n;
		strbuf_add(into, bytes, n);
	}
}

int slurp(const char *path, struct strbuf *into)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret, why;

	if (fd < 0)
		return -1;
	ret = slurp_fd(fd, into);
	why = errno;
	close(fd);
	errno = why;
	return ret;
}
