/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario sets up some memory and then makes requests for it, step by step, with what is
 * expected of each step beside it. It runs in a process of its own.
 */
#ifndef GUPWALK_SCENARIO_H
#define GUPWALK_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "about.h"
#include "expect.h"

#define SCENE_SPOTS 4
#define SCENARIO_KEPT 4

/**
 * struct scene - the memory of a scenario, for its set-up and its actions
 * @about: what the module says about itself
 * @pages: pages that the steps are about, from each spot on
 * @page_size: bytes
 * @spots: the addresses that the steps are for
 * @pid: process whose memory it is; 0: the scenario's own process
 * @fd: of the scenario's own, -1 if it has none
 * @dir: the module's directory
 * @requests: descriptor that the requests are made on; what they hold goes with it
 * @notes: descriptor for scene_note() and scene_check()
 * @cannot: scene_cannot() was called
 */
struct scene {
	const struct about *about;
	size_t pages;
	size_t page_size;
	char *spots[SCENE_SPOTS];
	pid_t pid;
	int fd;
	const char *dir;
	int requests;
	int notes;
	bool cannot;
};

/**
 * struct step - a request of a scenario
 * @op: the op
 * @flags: its flags, or NULL
 * @words: more words for the request, or NULL
 * @spot: which of the scene's spots it is for
 * @maybe: a kernel may not have the op, or the module may refuse the request: then that is told,
 * and the next step made
 * @before: what the process does before the request, or NULL; returns false after a complaint
 * @after: what it does after it, or NULL; likewise
 * @says: of a recipe: what the driver has got now, or NULL
 * @expects: what is expected, for some kernels each
 */
struct step {
	const char *op;
	const char *flags;
	const char *words;
	unsigned int spot;
	bool maybe;
	bool (*before)(struct scene *scene);
	bool (*after)(struct scene *scene);
	const char *says;
	struct expect expects[EXPECT_MAX];
};

/* The same is expected on all kernels. */
#define ALWAYS(terms_) { { .terms = terms_ } }

/**
 * struct scenario - a set-up and its steps
 * @name: its name
 * @recipe: it replays the calls of a driver that exists or did
 * @teaches: what one learns from it
 * @needs: what it needs besides the module, for people; or NULL
 * @check: NULL, or returns what is missing on this machine (then it is not run), or NULL
 * @setup: makes the memory; returns false after a complaint
 * @begin: NULL, or changes the machine for the scenario, in the parent, and keeps up to
 * SCENARIO_KEPT numbers of how it was; returns false after a complaint
 * @end: NULL, or undoes @begin; returns false after a complaint
 * @steps: the steps; an op of NULL ends them
 */
struct scenario {
	const char *name;
	bool recipe;
	const char *teaches;
	const char *needs;
	const char *(*check)(const struct about *about);
	bool (*setup)(struct scene *scene);
	bool (*begin)(const struct about *about, uint64_t *kept);
	bool (*end)(const uint64_t *kept);
	const struct step *steps;
};

extern const struct scenario scenario_no_prefault;
extern const struct scenario scenario_prefault;
extern const struct scenario scenario_read_prefault;
extern const struct scenario scenario_unaligned;
extern const struct scenario scenario_pfnmap;
extern const struct scenario scenario_thp;
extern const struct scenario scenario_hugetlb;
extern const struct scenario scenario_prot_none;
extern const struct scenario scenario_remote;
extern const struct scenario scenario_fork;
extern const struct scenario scenario_zero_page;
extern const struct scenario scenario_read_pin;
extern const struct scenario scenario_force;
extern const struct scenario scenario_fork_dma;
extern const struct scenario scenario_ptrace;
extern const struct scenario scenario_memfd_pin;
extern const struct scenario scenario_dontneed;
extern const struct scenario scenario_munmap;
extern const struct scenario scenario_mremap;
extern const struct scenario scenario_thp_read;
extern const struct scenario scenario_thp_split;
extern const struct scenario scenario_collapse;
extern const struct scenario scenario_swap;
extern const struct scenario scenario_migrate;
extern const struct scenario scenario_migration;
extern const struct scenario scenario_numa_hint;
extern const struct scenario scenario_movable;
extern const struct scenario scenario_cma;
extern const struct scenario scenario_ksm;
extern const struct scenario scenario_userfaultfd;
extern const struct scenario scenario_uffd_rwp;
extern const struct scenario scenario_secretmem;
extern const struct scenario scenario_guard;
extern const struct scenario scenario_file_private;
extern const struct scenario scenario_file_shared;
extern const struct scenario scenario_file_longterm;
extern const struct scenario scenario_dax;
extern const struct scenario scenario_populate;
extern const struct scenario scenario_accessed;
extern const struct scenario scenario_fast_only;
extern const struct scenario recipe_sample;
extern const struct scenario recipe_gup_locked;
extern const struct scenario recipe_nvidia_p2p;
extern const struct scenario recipe_vfio;
extern const struct scenario recipe_omap_vout;
extern const struct scenario recipe_vhost_log;
extern const struct scenario recipe_put_page;

/**
 * scenario_kind() - what people call it
 * @sc: a scenario
 *
 * Return: "scenario" or "recipe".
 */
const char *scenario_kind(const struct scenario *sc);

/**
 * scenario_nth() - go through all scenarios
 * @i: from 0 on
 *
 * Return: a scenario, or NULL when there are no more.
 */
const struct scenario *scenario_nth(size_t i);

/**
 * scenario_find() - find a scenario
 * @name: its name
 *
 * Return: the scenario, or NULL.
 */
const struct scenario *scenario_find(const char *name);

/**
 * scenario_steps() - how many steps a scenario has
 * @sc: the scenario
 *
 * Return: the number.
 */
size_t scenario_steps(const struct scenario *sc);

/**
 * scene_pmd() - bytes that a pmd entry covers here
 * @scene: the scene
 *
 * Return: the bytes.
 */
size_t scene_pmd(const struct scene *scene);

/**
 * scene_release() - give back all that the requests hold
 * @scene: the scene
 *
 * Return: true, or false after a complaint.
 */
bool scene_release(struct scene *scene);

/**
 * scene_cannot() - tell that the scenario is not possible on this machine, or not now
 * @scene: the scene
 * @why: why not
 *
 * Return: false, for a set-up to return.
 */
bool scene_cannot(struct scene *scene, const char *why);

/**
 * scene_tell() - tell the parent process something
 * @scene: the scene
 * @kind: what it is: n, y, x as by the functions below, c as by scene_cannot(), s for the number
 * of a step, r for a record of it, p for why it was passed over
 * @text: a line, without its newline
 */
void scene_tell(const struct scene *scene, char kind, const char *text);

/**
 * scene_note() - tell what the scenario's program did or saw
 * @scene: the scene
 * @fmt: format of one line
 */
void scene_note(const struct scene *scene, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * scene_check() - tell what the scenario's program saw, and whether it is what was expected
 * @scene: the scene
 * @as_expected: is it
 * @fmt: format of one line
 */
void scene_check(const struct scene *scene, bool as_expected, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
