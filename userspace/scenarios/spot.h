/* SPDX-License-Identifier: GPL-2.0-only */
/* What most scenarios do with their memory: write a word, read what a call has left there. */
#ifndef GUPWALK_SPOT_H
#define GUPWALK_SPOT_H

#include "../scenario.h"

/* The words of the notes: what the program writes, and what the driver leaves there. */
#define WORD "krishna"
#define REPLY "Mohan"

/**
 * spot_map() - map small pages, not touched
 * @scene: the scene
 * @spot: where they go
 *
 * Return: true; or false after a complaint.
 */
bool spot_map(struct scene *scene, unsigned int spot);

/**
 * spot_write() - write a word to each page of a spot
 * @scene: the scene
 * @spot: which
 * @word: the word
 */
void spot_write(const struct scene *scene, unsigned int spot, const char *word);

/**
 * spot_touch() - map small pages and write WORD to each
 * @scene: the scene
 * @spot: where they go
 *
 * Return: true; or false after a complaint.
 */
bool spot_touch(struct scene *scene, unsigned int spot);

/**
 * spot_huge() - map memory for a transparent huge page, not touched
 * @scene: the scene
 * @spot: where it goes
 *
 * Return: true; or false after a complaint.
 */
bool spot_huge(struct scene *scene, unsigned int spot);

/**
 * spot_thp_missing() - can the kernel not make a huge page
 * @about: what the module says about itself
 *
 * Return: NULL, or what is missing.
 */
const char *spot_thp_missing(const struct about *about);

/**
 * spot_nodes_missing() - are there not two memory nodes
 * @about: what the module says about itself
 *
 * Return: NULL if nodes 0 and 1 have memory, or what is missing.
 */
const char *spot_nodes_missing(const struct about *about);

/**
 * spot_bytes() - bytes of all pages of a spot
 * @scene: the scene
 *
 * Return: the bytes.
 */
size_t spot_bytes(const struct scene *scene);

/**
 * scene_reads() - check what the program reads
 * @scene: the scene
 * @at: from where
 * @expected: what it should read there
 * @who: who reads, e.g. "the program reads"
 *
 * Return: true, whatever it reads: what it reads is told.
 */
bool scene_reads(struct scene *scene, const char *at, const char *expected, const char *who);

/**
 * scene_failed() - complain about a system call of a set-up
 * @call: the call
 *
 * errno tells why.
 *
 * Return: false.
 */
bool scene_failed(const char *call);

/**
 * file_number() - read a number from a file, as the kernel's settings are
 * @path: the file
 * @value: set to the number
 *
 * Return: true; or false, without a complaint.
 */
bool file_number(const char *path, uint64_t *value);

/**
 * file_put_number() - write a number to a file
 * @path: the file
 * @value: the number
 *
 * Return: true; or false with errno set, without a complaint.
 */
bool file_put_number(const char *path, uint64_t value);

/**
 * spot_restore() - write back what a setting of the machine was before a scenario
 * @path: its file
 * @value: what it was
 *
 * Return: true; or false after a complaint.
 */
bool spot_restore(const char *path, uint64_t value);

/**
 * spot_is() - is a spot now as it is to be
 * @scene: the scene
 * @spot: which; its first page is walked, which is kept nowhere
 * @terms: terms about `before`, as in struct expect
 *
 * Return: true if they are met; false if not, or, if the module cannot be asked, after
 * scene_cannot().
 */
bool spot_is(struct scene *scene, unsigned int spot, const char *terms);

/**
 * spot_leaves_movable() - have the pages of the first spot where a pin for good leaves them
 * @scene: the scene
 *
 * Such a pin moves a page out of the movable zone. Whether the first touch took it from there is
 * chance: a scenario that is about something else makes one beforehand.
 *
 * Return: true; or false after a complaint.
 */
bool spot_leaves_movable(struct scene *scene);

/**
 * scene_child() - fork a child that only lives: as long as it does, it has its share of the pages
 *
 * It ends with this process.
 *
 * Return: its pid, or -1 with errno set.
 */
pid_t scene_child(void);

/**
 * spot_memory_file() - make an empty file of tmpfs
 *
 * Return: a descriptor, the caller's; or -1 with errno set.
 */
int spot_memory_file(void);

/**
 * spot_file() - map a file with WORD in each of its pages; the mapping is not touched
 * @scene: the scene
 * @fd: an empty file, or -1 where it could not be made; closed here
 * @prot: PROT_* of the mapping
 * @flags: MAP_PRIVATE or MAP_SHARED
 *
 * Return: where it is; or NULL after a complaint.
 */
char *spot_file(struct scene *scene, int fd, int prot, int flags);

#endif
