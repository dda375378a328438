/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUPWALK_PIN_H
#define GUPWALK_PIN_H

#include "command.h"
#include "record.h"

/**
 * struct pin - a line of `pins.jsonl`, see debugfs-layout.md
 * @text: the line itself
 * @what: "pin", "reference" or "wrong-unpin"
 * @seq: number of the call's record
 * @time_ns: when the call was made, or a pin given back wrongly
 * @age_ns: how long ago
 * @op: the call
 * @flags: its flags
 * @driver: who made it
 * @caller_pid: thread that made it
 * @caller_comm: its name
 * @tgid: process whose memory it is
 * @owner: "alive", "exec", "gone", or NULL
 * @addr: address
 * @nr_pages: pages taken
 * @pages_left: pages not given back
 * @looked_at: pages that were looked at
 * @mapped: of them, mapped at their addresses still
 * @replaced: of them, others are mapped there
 * @unmapped: of them, nothing is mapped there
 * @put_wrongly: of them, a pin was dropped as a reference
 * @unpinned_unseen: of them, without a pin
 * @stack: frames with commas between them
 * @pfn: of a wrong unpin, the page frame
 * @taken_by: of a wrong unpin, the call that took it, or NULL
 * @taken_stack: and from where
 * @memory: everything above that is pointed to
 */
struct pin {
	const char *text;
	const char *what;
	struct maybe seq;
	struct maybe time_ns;
	struct maybe age_ns;
	const char *op;
	const char *flags;
	const char *driver;
	int64_t caller_pid;
	const char *caller_comm;
	struct maybe tgid;
	const char *owner;
	uint64_t addr;
	struct maybe nr_pages;
	struct maybe pages_left;
	struct maybe looked_at;
	struct maybe mapped;
	struct maybe replaced;
	struct maybe unmapped;
	struct maybe put_wrongly;
	struct maybe unpinned_unseen;
	const char *stack;
	struct maybe pfn;
	const char *taken_by;
	const char *taken_stack;
	struct memory *memory;
};

/**
 * struct pins - lines of `pins.jsonl`
 * @at: the lines
 * @n: how many
 */
struct pins {
	struct pin *at;
	size_t n;
};

/**
 * pins_read() - read `pins.jsonl`
 * @dir: the module's directory, live or saved
 * @pins: filled in
 *
 * Return: true; or false after a complaint.
 */
bool pins_read(const char *dir, struct pins *pins);

/**
 * pins_free() - forget what was read
 * @pins: what
 */
void pins_free(struct pins *pins);

/**
 * pin_outlived_owner() - has the process whose memory is pinned gone
 * @pin: the pin
 *
 * Return: true if so, or if it runs another program now.
 */
bool pin_outlived_owner(const struct pin *pin);

/**
 * pins_each_outlived() - say in a line each that pins have outlived their owners
 * @pins: the pins; of those that differ only in their addresses and ages it is said together
 * @line: called with the driver and the words of each line
 * @context: handed to @line
 */
void pins_each_outlived(const struct pins *pins,
			void (*line)(const char *driver, const char *words, void *context),
			void *context);

/**
 * pins_show() - print pins for people, and those unpinned by mistake
 * @s: the invocation; its output is open
 * @pins: the pins
 *
 * References (get_*) are left out: nobody can tell which of them are held. Pins that differ only in
 * their addresses and ages are one block.
 *
 * Return: how many blocks were printed.
 */
size_t pins_show(struct session *s, const struct pins *pins);

/**
 * stack_words() - a call stack as words
 * @stack: frames with commas between them
 * @out: where it is appended
 */
void stack_words(const char *stack, struct strbuf *out);

#endif
