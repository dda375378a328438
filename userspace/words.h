/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_WORDS_H
#define GUPWALK_WORDS_H

#include <stdbool.h>

#include "record.h"

/**
 * cause_words() - a cause in a sentence
 * @cause: token of the cause, or NULL
 * @would: of a call that is not made
 *
 * Return: what the call did, to follow "the call", or what it would do, to follow "the call would";
 * or NULL if the token is not known here.
 */
const char *cause_words(const char *cause, bool would);

/**
 * put_meaning() - say in words what a record shows for one of its pages
 * @r: the record
 * @page: the page
 * @out: where it is appended: sentences
 */
void put_meaning(const struct record *r, const struct page *page, struct strbuf *out);

#endif
