// SPDX-License-Identifier: GPL-2.0-only
/* What is in the entries beside the page frame, and who sets it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "spot.h"

/* ---- MAP_POPULATE and mlock ---- */

/* In the place of a mapping that is not touched, so that the tables are as they were. */
static bool populate(struct scene *scene, unsigned int spot, int prot)
{
	if (!spot_map(scene, spot))
		return false;
	return mmap(scene->spots[spot], spot_bytes(scene), prot,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0) ==
		       scene->spots[spot] ||
	       scene_failed("mmap(MAP_POPULATE)");
}

static bool setup_populate(struct scene *scene)
{
	if (!populate(scene, 0, PROT_READ | PROT_WRITE) || !populate(scene, 1, PROT_READ) ||
	    !spot_map(scene, 2))
		return false;
	if (mlock(scene->spots[2], spot_bytes(scene)))
		return scene_failed("mlock");
	scene_note(scene, "the program maps memory with MAP_POPULATE, some to write and some only to "
			  "read, and mlock()s a third mapping; it touches none");
	return true;
}

static const struct step populate_steps[] = {
	{
		.op = "walk",
		.expects = ALWAYS("before.state=present before.page=anon before.rights~write"),
	},
	{
		.op = "walk",
		.spot = 1,
		.expects = ALWAYS("before.state=present before.page=zero before.rights!~write"),
	},
	{
		.op = "walk",
		.spot = 2,
		.expects = ALWAYS("before.state=present before.page=anon before.rights~write "
				  "vma.flags~locked"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 2,
		.expects = ALWAYS("ret=1 cause=unchanged pfn=@before.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_populate = {
	.name = "populate",
	.teaches = "MAP_POPULATE and mlock fault in what is mapped, a private mapping for writing "
		   "where that is allowed, with the very code of get_user_pages: a call finds the "
		   "page there",
	.setup = setup_populate,
	.steps = populate_steps,
};

/* ---- the accessed bit ---- */

static bool setup_accessed(struct scene *scene)
{
	FILE *f;
	bool cleared;

	if (!spot_touch(scene, 0))
		return false;
	f = fopen("/proc/self/clear_refs", "we");
	cleared = f && fputs("1\n", f) >= 0;
	if (f)
		cleared = !fclose(f) && cleared;
	if (!cleared)
		return scene_cannot(scene, "/proc/self/clear_refs cannot be written to");
	scene_note(scene, "the program writes \"%s\" to its page, then clears the accessed bits of "
			  "all its entries, by /proc/self/clear_refs", WORD);
	return true;
}

/*
 * A fault for reading would do on most architectures; x86 leaves the accessed bit to the CPU then
 * (ptep_set_access_flags(), arch/x86/mm/pgtable.c).
 */
static const struct step accessed_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("ret=1 cause=unchanged before.state=present pfn=@before.pfn"),
	},
	{
		.op = "fixup_user_fault", .flags = "write",
		.expects = ALWAYS("ret=0 cause=flags-only after.pfn=@before.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_accessed = {
	.name = "accessed",
	.teaches = "get_user_pages takes the page and leaves the entry alone: it notes the access in "
		   "the page, not in the table. fixup_user_fault is for code that will access the "
		   "address itself, and makes the entry as that access would",
	.setup = setup_accessed,
	.steps = accessed_steps,
};

/* ---- get_user_pages_fast ---- */

static bool setup_fast(struct scene *scene)
{
	if (!spot_touch(scene, 0) || !spot_map(scene, 1) || !spot_touch(scene, 2))
		return false;
	if (mprotect(scene->spots[2], spot_bytes(scene), PROT_READ))
		return scene_failed("mprotect");
	scene_note(scene, "the program has three pages: one that it wrote to, one not touched, one "
			  "that it may not write to any more");
	return true;
}

static const struct step fast_only_steps[] = {
	{
		.op = "get_user_pages_fast_only", .flags = "write",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=@before.pfn mmap_lock=not-held"),
	},
	{
		.op = "get_user_pages_fast_only", .flags = "write",
		.spot = 1,
		.expects = ALWAYS("ret=0 reason=nofault cause=unchanged before.state=none"),
	},
	{
		.op = "get_user_pages_fast", .flags = "write",
		.spot = 1,
		.expects = ALWAYS("ret=1 errno=none cause=anon-allocated pfn=@after.pfn"),
	},
	{
		.op = "get_user_pages_fast_only",
		.spot = 2,
		.expects = ALWAYS("ret=1 cause=unchanged before.rights!~write pfn=@before.pfn"),
	},
	{
		.op = "get_user_pages_fast", .flags = "write",
		.spot = 2,
		.expects = ALWAYS("errno=EFAULT reason=vma-not-writable cause=unchanged"),
	},
	{ 0 }
};

const struct scenario scenario_fast_only = {
	.name = "fast-only",
	.teaches = "get_user_pages_fast reads the page tables without any lock and takes what they "
		   "allow; only then does it look at VMAs and fault. get_user_pages_fast_only stops "
		   "there, for callers that may not sleep",
	.setup = setup_fast,
	.steps = fast_only_steps,
};
