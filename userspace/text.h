/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_TEXT_H
#define GUPWALK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * struct strbuf - a string that grows
 * @at: the characters, always ended by a NUL once something was added; or NULL
 * @len: how many there are
 * @room: how many bytes @at has
 *
 * Starts as { 0 }.
 */
struct strbuf {
	char *at;
	size_t len;
	size_t room;
};

/**
 * must_alloc() - zeroed memory, or the end of the program
 * @n: how many
 * @size: bytes each
 *
 * Return: the memory; never NULL.
 */
void *must_alloc(size_t n, size_t size);

/**
 * must_grow() - make room for one more element of an array
 * @array: the array, or NULL
 * @used: elements in use
 * @size: bytes an element
 *
 * The room doubles whenever @used reaches a power of two, so the caller need not keep it.
 *
 * Return: the array, moved perhaps, with room for element @used.
 */
void *must_grow(void *array, size_t used, size_t size);

/**
 * must_copy() - a copy of a string, or the end of the program
 * @s: the string
 *
 * Return: the copy, for free().
 */
char *must_copy(const char *s);

/**
 * strbuf_add() - append bytes
 * @b: to what
 * @s: what
 * @len: how many bytes
 */
void strbuf_add(struct strbuf *b, const char *s, size_t len);

/**
 * strbuf_addf() - append like printf()
 * @b: to what
 * @fmt: format
 */
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * strbuf_word() - append a word, after a separator if something is there already
 * @b: to what
 * @sep: the separator
 * @word: the word
 */
void strbuf_word(struct strbuf *b, const char *sep, const char *word);

/**
 * strbuf_text() - what was appended
 * @b: of what
 *
 * Return: a string, "" if nothing was appended; valid until @b changes.
 */
const char *strbuf_text(const struct strbuf *b);

/**
 * strbuf_free() - forget everything
 * @b: what
 */
void strbuf_free(struct strbuf *b);

/**
 * strbuf_tie() - let put_wrapped() not break a line between some words
 * @b: of what
 * @from: where the words begin, which go to its end
 *
 * Blanks become ties, which put_wrapped() prints as blanks.
 */
void strbuf_tie(struct strbuf *b, size_t from);

/**
 * same_text() - are two strings the same
 * @a: the one, or NULL
 * @b: the other, or NULL
 *
 * Return: true if they are, or if both are NULL.
 */
bool same_text(const char *a, const char *b);

/**
 * names_have() - is a name in a list of names
 * @names: names with commas between them, or NULL
 * @name: the name
 *
 * Return: true if it is.
 */
bool names_have(const char *names, const char *name);

/**
 * names_without() - a list of names without some of them
 * @names: names with commas between them, or NULL
 * @drop: names to leave out, likewise
 * @out: where the rest is appended
 */
void names_without(const char *names, const char *drop, struct strbuf *out);

/**
 * spaced() - put blanks where a list of names has commas
 * @names: the list; changed
 *
 * Return: @names.
 */
char *spaced(char *names);

/**
 * put_bytes() - append bytes so that they can be read and cannot harm a terminal
 * @b: to what
 * @bytes: the bytes
 * @len: how many
 *
 * What is not printable ASCII appears as \xNN.
 */
void put_bytes(struct strbuf *b, const char *bytes, size_t len);

/**
 * put_wrapped() - print words in lines of a given width
 * @out: where
 * @indent: blanks before every line but the first
 * @column: where on its line the first word comes
 * @width: longest line
 * @words: the words; a newline at the end is added. What strbuf_tie() has tied is one word
 */
void put_wrapped(FILE *out, int indent, int column, int width, const char *words);

/**
 * complain() - say on stderr what went wrong and what to do about it
 * @doing: what was being done
 * @what: on what, or NULL
 * @reason: why it did not work
 * @advice: what to do, or NULL; in lines that fit
 */
void complain(const char *doing, const char *what, const char *reason, const char *advice);

/**
 * slurp_fd() - read a descriptor to its end
 * @fd: the descriptor
 * @into: where the bytes are appended
 *
 * Return: 0, or -1 with errno.
 */
int slurp_fd(int fd, struct strbuf *into);

/**
 * slurp() - read a file to its end
 * @path: its path
 * @into: where the bytes are appended
 *
 * Return: 0, or -1 with errno.
 */
int slurp(const char *path, struct strbuf *into);

#endif
