/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request: one line that asks for one op, parsed and checked. Nothing has happened yet when it
 * is refused.
 */
#ifndef _GUPWALK_REQUEST_H
#define _GUPWALK_REQUEST_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/sched.h>

#include "ops.h"
#include "uapi/gupwalk.h"

/* Room for the keys of a request line. */
#define GW_KEYS_MAX 16

/* Longest list of what would be allowed. */
#define GW_ALLOWED_MAX 512

/**
 * struct gw_error - why a request was refused
 * @text: the key at fault, a colon, what is wrong; empty if nothing is
 * @word: the word at fault, cut if long; empty if there is none
 * @allowed: what would be allowed, or empty
 */
struct gw_error {
	char text[192];
	char word[64];
	char allowed[GW_ALLOWED_MAX];
};

/**
 * gw_error_set() - say why a request is refused
 * @error: filled in
 * @ret: negative errno
 * @fmt: text, in the form "key: what is wrong"
 *
 * Return: @ret.
 */
__printf(3, 4) int gw_error_set(struct gw_error *error, int ret, const char *fmt, ...);

/**
 * gw_error_name() - say why a request failed that no word of it is to blame for
 * @error: filled in, if nothing is said yet
 * @ret: with what it failed, or 0
 */
void gw_error_name(struct gw_error *error, int ret);

/**
 * gw_request_copy() - take a request line over from user space
 * @buffer: the line
 * @count: its bytes
 * @line: set to the line without its newline, for gw_request_parse() and kfree()
 * @error: filled in if it is not one line of text
 *
 * Return: 0, or a negative errno; nothing is held then.
 */
int gw_request_copy(const char __user *buffer, size_t count, char **line, struct gw_error *error);

/**
 * gw_error_allow() - add a word to what would be allowed
 * @error: the error
 * @word: the word
 */
void gw_error_allow(struct gw_error *error, const char *word);

/**
 * gw_parse_bounded() - read a number of a line
 * @error: filled in if it is none
 * @key: what it is the value of
 * @text: decimal, or hex with 0x
 * @max: largest one
 * @too_many: negative errno of a larger one
 * @number: set to it
 *
 * Return: 0, or a negative errno.
 */
int gw_parse_bounded(struct gw_error *error, const char *key, const char *text, u64 max,
		     int too_many, u64 *number);

/**
 * struct gw_request - a request
 * @op: the op
 * @task: thread whose memory; a reference is held
 * @mm: its memory; a reference on its users is held
 * @pid: the thread's, in the initial namespace
 * @tgid: its process
 * @comm: its name
 * @addr: address
 * @nr_pages: pages from the one that holds @addr
 * @flags: GW_FLAG_*
 * @label: label, may be empty
 * @hold: keep the obtained pages
 * @keep: put the record among the kept ones
 * @predict: tell what the call would do, and do not make it
 * @peek: bytes to read from the page
 * @poke: text to write to the page, in the line that was parsed, or NULL
 * @given: bits of the keys that were given
 * @words: their values, in the line that was parsed; "" for a bare word
 */
struct gw_request {
	const struct gw_op *op;
	struct task_struct *task;
	struct mm_struct *mm;
	pid_t pid;
	pid_t tgid;
	char comm[TASK_COMM_LEN];
	unsigned long addr;
	unsigned long nr_pages;
	u32 flags;
	char label[GUPWALK_LABEL_MAX + 1];
	bool hold;
	bool keep;
	bool predict;
	unsigned int peek;
	const char *poke;
	u32 given;
	const char *words[GW_KEYS_MAX];
};

/**
 * gw_request_parse() - parse and check a request line
 * @line: the line, without newline, with a NUL at its end; it is taken apart, and @request
 *	points into it
 * @request: filled in; gw_request_release() gives back what it holds
 * @error: filled in if the request is refused
 *
 * Context: process context of the requester, may sleep.
 * Return: 0, or a negative errno; nothing is held then.
 */
int gw_request_parse(char *line, struct gw_request *request, struct gw_error *error);

/**
 * gw_request_parse_walk() - parse and check a request of the file `walk`
 * @line: as for gw_request_parse()
 * @request: filled in: of what `walk` takes; without an address all of user space is the range
 * @error: filled in if the request is refused
 *
 * Context: process context of the requester, may sleep.
 * Return: 0, or a negative errno; nothing is held then.
 */
int gw_request_parse_walk(char *line, struct gw_request *request, struct gw_error *error);

/**
 * gw_request_refuse() - refuse a request for what one of its words asks
 * @request: the request
 * @error: filled in, with the word as it was given
 * @key: the key of the word
 * @ret: negative errno
 * @fmt: what is wrong with it
 *
 * Return: @ret.
 */
__printf(5, 6) int gw_request_refuse(const struct gw_request *request, struct gw_error *error,
				     const char *key, int ret, const char *fmt, ...);

/**
 * gw_request_release() - give back what a parsed request holds
 * @request: the request
 *
 * Context: may sleep.
 */
void gw_request_release(struct gw_request *request);

#endif /* _GUPWALK_REQUEST_H */
