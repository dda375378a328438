/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_WORDS_H
#define GUPWALK_WORDS_H

#include "record.h"

/**
 * cause_words() - a cause in a sentence
 * @cause: token of the cause, or NULL
 *
 * Return: what the call did, to follow "the call"; or NULL if the token is not known here.
 */
const char *cause_words(const char *cause);

/**
 * put_meaning() - say in words what a record shows for one of its pages
 * @r: the record
 * @page: the page
 * @out: where it is appended: sentences
 */
void put_meaning(const struct record *r, const struct page *page, struct strbuf *out);

#endif
