// SPDX-License-Identifier: GPL-2.0-only
/* When a call copies a page, when it takes the one that is there, and what the driver then has. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "spot.h"

/* ---- the page of zeros ---- */

static bool setup_one_untouched(struct scene *scene)
{
	if (!spot_map(scene, 0))
		return false;
	scene_note(scene, "the program maps memory and does not touch it");
	return true;
}

static const struct step zero_page_steps[] = {
	{
		.op = "handle_mm_fault",
		.expects = ALWAYS("errno=none cause=zero-mapped before.state=none "
				  "after.state=present after.page=zero after.rights!~write"),
	},
	{
		.op = "get_user_pages",
		.expects = ALWAYS("ret=1 cause=unchanged before.page=zero pfn=@before.pfn"),
	},
	{
		.op = "handle_mm_fault", .flags = "write",
		.expects = ALWAYS("errno=none cause=cow before.page=zero after.page=anon "
				  "after.rights~write after.pfn!=@before.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_zero_page = {
	.name = "zero-page",
	.teaches = "a read of memory that was never touched maps the page of zeros that all "
		   "processes share, without the right to write; the first write copies it",
	.setup = setup_one_untouched,
	.steps = zero_page_steps,
};

/* ---- pins for reading ---- */

static bool setup_two_untouched(struct scene *scene)
{
	if (!spot_map(scene, 0) || !spot_map(scene, 1))
		return false;
	scene_note(scene, "the program maps two buffers and touches neither");
	return true;
}

static bool program_writes_both(struct scene *scene)
{
	spot_write(scene, 0, WORD);
	spot_write(scene, 1, WORD);
	scene_note(scene, "the program writes \"%s\" to both", WORD);
	return true;
}

/*
 * Linux kernel commit 84209e87c696 ("mm/gup: reliable R/O long-term pinning in COW mappings") (in
 * v6.2): FOLL_LONGTERM takes no page that a write would replace.
 */
static const struct step read_pin_steps[] = {
	{
		.op = "pin_user_pages",
		.words = "hold",
		.expects = ALWAYS("ret=1 cause=zero-mapped after.page=zero pfn=@after.pfn "
				  "held=true"),
	},
	{
		.op = "pin_user_pages", .flags = "longterm",
		.spot = 1,
		.words = "hold",
		.expects = {
			{ .before = KERNEL(6, 2),
			  .terms = "ret=1 cause=zero-mapped after.page=zero pfn=@after.pfn "
				   "held=true" },
			{ .since = KERNEL(6, 2),
			  .terms = "ret=1 cause=anon-allocated after.page=anon pfn=@after.pfn "
				   "after.rights!~write pfn=P2 held=true" },
		},
	},
	{
		.op = "walk",
		.before = program_writes_both,
		.expects = ALWAYS("before.page=anon before.pfn!=P1"),
	},
	{
		.op = "walk",
		.spot = 1,
		.expects = {
			{ .before = KERNEL(6, 2), .terms = "before.page=anon before.pfn!=P1" },
			{ .since = KERNEL(6, 2), .terms = "before.page=anon before.pfn=P2" },
		},
	},
	{ 0 }
};

const struct scenario scenario_read_pin = {
	.name = "read-pin",
	.teaches = "a pin for reading on memory that was never touched is a pin on the page of "
		   "zeros: the program's first write goes elsewhere, and the driver reads zeros "
		   "for ever. Since Linux 6.2 FOLL_LONGTERM makes a private page first",
	.setup = setup_two_untouched,
	.steps = read_pin_steps,
};

/* ---- FOLL_FORCE ---- */

/* A file of tmpfs (that of a disk gives the same), with entries for its pages. */
static char *map_read_file(struct scene *scene, int flags)
{
	char *at = spot_file(scene, spot_memory_file(), PROT_READ, flags);
	size_t i;

	for (i = 0; at && i < scene->pages; i++)
		(void)*(volatile char *)(at + i * scene->page_size);
	return at;
}

static bool setup_force(struct scene *scene)
{
	if (!spot_touch(scene, 0))
		return false;
	if (mprotect(scene->spots[0], spot_bytes(scene), PROT_READ))
		return scene_failed("mprotect");
	scene->spots[1] = map_read_file(scene, MAP_PRIVATE);
	scene->spots[2] = map_read_file(scene, MAP_SHARED);
	if (!scene->spots[1] || !scene->spots[2])
		return false;
	scene_note(scene, "the program has three mappings that it may only read: its own memory "
			  "that it wrote \"%s\" to, a file's private one, and a file's shared one",
		   WORD);
	return true;
}

static bool first_has_reply(struct scene *scene)
{
	return scene_reads(scene, scene->spots[0], REPLY "na", "the program reads");
}

/*
 * Whether a page of one's own has to be copied was told from its reference count, which the LRU
 * lists take part in; since Linux kernel commit 6c287605fd56 ("mm: remember exclusively mapped
 * anonymous pages with PG_anon_exclusive") (in v5.19) it is known.
 */
static const struct step force_steps[] = {
	{
		.op = "get_user_pages", .flags = "write",
		.expects = ALWAYS("errno=EFAULT reason=vma-not-writable cause=unchanged"),
	},
	{
		.op = "get_user_pages", .flags = "write,force",
		.words = "poke=" REPLY,
		.after = first_has_reply,
		.expects = {
			{ .before = KERNEL(5, 19),
			  .terms = "ret=1 errno=none before.page=anon after.page=anon "
				   "after.rights!~write pfn=@after.pfn" },
			{ .since = KERNEL(5, 19),
			  .terms = "ret=1 errno=none cause=unchanged before.page=anon "
				   "after.rights!~write pfn=@before.pfn" },
		},
	},
	{
		.op = "get_user_pages", .flags = "write,force",
		.spot = 1,
		.expects = ALWAYS("ret=1 errno=none cause=cow before.page=other after.page=anon "
				  "after.rights!~write after.pfn!=@before.pfn pfn=@after.pfn"),
	},
	{
		.op = "get_user_pages", .flags = "write,force",
		.spot = 2,
		.expects = ALWAYS("errno=EFAULT reason=force-needs-cow cause=unchanged "
				  "before.page=other"),
	},
	{ 0 }
};

const struct scenario scenario_force = {
	.name = "force",
	.teaches = "FOLL_FORCE writes where the program may not, as a debugger sets a breakpoint: "
		   "in memory of its own, in a private copy of a file's page, but never in a page "
		   "that others share; the entry stays without the right to write",
	.setup = setup_force,
	.steps = force_steps,
};

/* ---- the same as a debugger does it ---- */

static bool setup_ptrace(struct scene *scene)
{
	if (!spot_touch(scene, 0) || !spot_map(scene, 1))
		return false;
	if (mprotect(scene->spots[0], spot_bytes(scene), PROT_READ))
		return scene_failed("mprotect");
	scene_note(scene, "the program writes \"%s\" to a buffer, and takes away its own right to "
			  "write there; a second buffer it does not touch", WORD);
	return true;
}

static const struct step ptrace_steps[] = {
	{
		.op = "access_process_vm",
		.words = "peek=7",
		.expects = ALWAYS("ret=7 cause=unchanged peek=" WORD " mmap_lock=not-held"),
	},
	{
		.op = "access_process_vm", .flags = "write",
		.words = "poke=" REPLY,
		.expects = ALWAYS("ret=0 errno=none reason=vma-not-writable cause=unchanged"),
	},
	{
		.op = "access_process_vm", .flags = "write,force",
		.words = "poke=" REPLY,
		.after = first_has_reply,
		.expects = ALWAYS("ret=5 reason=none after.page=anon after.rights!~write"),
	},
	{
		.op = "access_process_vm",
		.words = "peek=4",
		.spot = 1,
		.expects = ALWAYS("ret=4 cause=zero-mapped after.page=zero "
				  "peek=\\x00\\x00\\x00\\x00"),
	},
	{ 0 }
};

const struct scenario scenario_ptrace = {
	.name = "ptrace",
	.teaches = "access_process_vm copies bytes for ptrace, by get_user_pages_remote a page at a "
		   "time: reading maps what was not there, writing a breakpoint needs FOLL_FORCE; "
		   "it tells how many bytes, and never why not more",
	.setup = setup_ptrace,
	.steps = ptrace_steps,
};

/* ---- what the program maps when others fork it ---- */

static bool setup_two_touched(struct scene *scene)
{
	if (!spot_touch(scene, 0) || !spot_touch(scene, 1))
		return false;
	scene_note(scene, "the program writes \"%s\" to two buffers", WORD);
	return true;
}

static bool fork_and_write(struct scene *scene)
{
	scene->fd = scene_child();
	if (scene->fd < 0)
		return scene_failed("fork");
	spot_write(scene, 0, REPLY);
	spot_write(scene, 1, REPLY);
	scene_note(scene, "the program forks, with both still held, and then writes \"%s\" to both",
		   REPLY);
	return true;
}

static bool look_at_child(struct scene *scene)
{
	scene->pid = scene->fd;
	scene_note(scene, "the same address in the child");
	return true;
}

/*
 * Linux kernel commit 70e806e4e645 ("mm: Do early cow for pinned pages during fork() for ptes") (in
 * v5.9): what is pinned stays the parent's.
 */
static const struct step fork_dma_steps[] = {
	{
		.op = "get_user_pages", .flags = "write",
		.words = "hold",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=P1 before.pfn=P1 held=true"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.words = "hold",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=P2 before.pfn=P2 held=true"),
	},
	{
		.op = "walk",
		.before = fork_and_write,
		.expects = ALWAYS("before.page=anon before.pfn!=P1 before.rights~write"),
	},
	{
		.op = "walk",
		.spot = 1,
		.expects = ALWAYS("before.page=anon before.pfn=P2 before.rights~write"),
	},
	{
		.op = "walk",
		.before = look_at_child,
		.expects = ALWAYS("before.page=anon before.pfn=P1"),
	},
	{
		.op = "walk",
		.spot = 1,
		.expects = ALWAYS("before.page=anon before.pfn!=P2"),
	},
	{ 0 }
};

const struct scenario scenario_fork_dma = {
	.name = "fork-dma",
	.teaches = "the classic corruption of O_DIRECT with fork: a page that a driver has by "
		   "get_user_pages becomes the child's when the parent writes after a fork, and "
		   "what the device writes then never reaches the parent. A page that is pinned "
		   "stays the parent's, and the child gets its copy at once",
	.setup = setup_two_touched,
	.steps = fork_dma_steps,
};
