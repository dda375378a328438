/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_SHOW_H
#define GUPWALK_SHOW_H

#include "command.h"
#include "record.h"

/**
 * show_record() - print a record for people: the call, and the page tables before and after it
 * @s: the invocation; its output is open
 * @r: the record
 * @number: its number in what is shown, from 1
 */
void show_record(struct session *s, const struct record *r, size_t number);

/**
 * show_prediction() - print a prediction for people: what the call would do, and the page tables
 * as they are
 * @s: the invocation; its output is open
 * @r: the record of the prediction
 */
void show_prediction(struct session *s, const struct record *r);

/**
 * show_call() - a call in words: its name, arguments and result
 * @r: the record
 * @out: where it is appended
 */
void show_call(const struct record *r, struct strbuf *out);

/**
 * put_thread() - a thread in words: its name and its number
 * @comm: its name, or NULL if it is not known
 * @pid: its number
 * @out: where it is appended
 */
void put_thread(const char *comm, int64_t pid, struct strbuf *out);

/**
 * show_words() - print words in lines, after a label
 * @s: the invocation; its output is open
 * @label: the label
 * @words: the words; nothing is printed if there are none
 */
void show_words(struct session *s, const char *label, const char *words);

#endif
