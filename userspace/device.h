/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_DEVICE_H
#define GUPWALK_DEVICE_H

#include <stdbool.h>

#include "text.h"

#define DEVICE_DIR "/sys/kernel/debug/gupwalk"

/**
 * device_read() - read a file of the module's directory
 * @dir: the directory, live or saved
 * @name: name of the file
 * @into: where its bytes are appended
 *
 * Return: true; or false after a complaint that says what to do.
 */
bool device_read(const char *dir, const char *name, struct strbuf *into);

/**
 * device_live() - is a directory the one of a loaded module, not a saved copy
 * @dir: the directory
 *
 * Return: true if it is.
 */
bool device_live(const char *dir);

/**
 * device_need_live() - complain if a directory is not the one of a loaded module
 * @dir: the directory, which exists
 *
 * Return: true if it is.
 */
bool device_need_live(const char *dir);

/**
 * device_is_directory() - is a path one of a directory
 * @path: the path
 *
 * Return: true if it is.
 */
bool device_is_directory(const char *path);

/**
 * device_open() - open a descriptor for requests
 * @dir: the directory; must be live
 *
 * Return: the descriptor, for close(); or -1 after a complaint that says what to do.
 */
int device_open(const char *dir);

/**
 * device_open_walk() - open a descriptor for a walk over whole tables
 * @dir: the directory; must be live
 *
 * Return: as device_open().
 */
int device_open_walk(const char *dir);

/**
 * device_open_observe() - open a descriptor for observing; reading it does not wait
 * @dir: the directory; must be live
 *
 * Return: as device_open().
 */
int device_open_observe(const char *dir);

/* What became of a request. */
enum answer {
	ANSWER_RECORD,		/* made; the answer is a record */
	ANSWER_REFUSED,		/* not made; the answer is an error object */
	ANSWER_LOST,		/* something else went wrong; complained */
};

/**
 * device_request() - send a request and read its answer
 * @fd: from device_open()
 * @request: one line, its newline not included
 * @answer: set to the answer without the newline at its end
 * @error: set to the errno of a refused request
 *
 * Return: an enum answer.
 */
enum answer device_request(int fd, const char *request, struct strbuf *answer, int *error);

/**
 * struct refusal - what the module says about a request that it did not serve
 * @errno_value: the errno
 * @error: the word's key and what is wrong with it
 * @word: the word as it was written, or NULL
 * @allowed: what would be allowed, or NULL
 */
struct refusal {
	int errno_value;
	char *error;
	char *word;
	char *allowed;
};

/**
 * refusal_read() - read an error object
 * @answer: of a request that was refused
 * @error: errno of the write
 * @refusal: filled in; @error stands in where @answer is no error object
 */
void refusal_read(const char *answer, int error, struct refusal *refusal);

/**
 * refusal_reason() - what is wrong, without the key of the word that it is about
 * @refusal: what the module said
 *
 * Return: part of @refusal->error.
 */
const char *refusal_reason(const struct refusal *refusal);

/**
 * refusal_complain() - tell the user about a refused request
 * @request: the request
 * @refusal: what the module said about it
 */
void refusal_complain(const char *request, const struct refusal *refusal);

/**
 * refusal_free() - forget a refusal
 * @refusal: what refusal_read() filled in
 */
void refusal_free(struct refusal *refusal);

#endif
