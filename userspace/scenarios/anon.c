// SPDX-License-Identifier: GPL-2.0-only
/* Scenarios on small pages of anonymous memory. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../memory.h"
#include "spot.h"

/* The three calls of the notes, in their order; what differs is what the memory was like before. */
static bool setup_untouched(struct scene *scene)
{
	scene->spots[0] = memory_aligned(scene->pages, scene_pmd(scene));
	return scene->spots[0];
}

static bool setup_touched(struct scene *scene)
{
	if (!setup_untouched(scene))
		return false;
	spot_write(scene, 0, WORD);
	scene_note(scene, "the program writes \"%s\" to its page", WORD);
	return true;
}

static const struct step no_prefault_steps[] = {
	{
		.op = "follow_pfn",
		.expects = ALWAYS("errno=EINVAL reason=vma-not-pfnmap cause=unchanged "
				  "before.state=none after.state=none"),
	},
	{
		.op = "handle_mm_fault", .flags = "write",
		.expects = ALWAYS("errno=none cause=anon-allocated before.state=none "
				  "after.state=present after.leaf=pte after.page=anon "
				  "after.rights~write"),
	},
	{
		.op = "get_user_pages_remote", .flags = "write",
		.expects = ALWAYS("ret=1 errno=none cause=unchanged before.state=present "
				  "after.pfn=@before.pfn pfn=@after.pfn before.page.gained_refs=1"),
	},
	{ 0 }
};

const struct scenario scenario_no_prefault = {
	.name = "no-prefault",
	.teaches = "memory that was never touched has no page: handle_mm_fault makes one, and "
		   "get_user_pages_remote takes that one; follow_pfn's -EINVAL says nothing about "
		   "it",
	.setup = setup_untouched,
	.steps = no_prefault_steps,
};

static const struct step prefault_steps[] = {
	{
		.op = "follow_pfn",
		.expects = ALWAYS("errno=EINVAL reason=vma-not-pfnmap cause=unchanged "
				  "before.state=present after.state=present after.pfn=@before.pfn"),
	},
	{
		.op = "handle_mm_fault", .flags = "write",
		.expects = ALWAYS("errno=none cause=unchanged before.state=present "
				  "after.pfn=@before.pfn"),
	},
	{
		.op = "get_user_pages_remote", .flags = "write",
		.expects = ALWAYS("ret=1 errno=none cause=unchanged before.state=present "
				  "after.pfn=@before.pfn pfn=@after.pfn before.page.gained_refs=1"),
	},
	{ 0 }
};

const struct scenario scenario_prefault = {
	.name = "prefault",
	.teaches = "memory that was written to has its page already, and none of the three calls "
		   "changes that; follow_pfn fails with the same -EINVAL as on memory without a "
		   "page",
	.setup = setup_touched,
	.steps = prefault_steps,
};

static bool setup_read(struct scene *scene)
{
	size_t i;

	if (!spot_map(scene, 0))
		return false;
	for (i = 0; i < scene->pages; i++)
		(void)*(volatile char *)(scene->spots[0] + i * scene->page_size);
	scene_note(scene, "the program reads its page, and never writes to it");
	return true;
}

static const struct step read_prefault_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("ret=1 cause=unchanged before.page=zero after.page=zero "
				  "pfn=@before.pfn before.rights!~write"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.expects = ALWAYS("ret=1 cause=cow before.page=zero after.page=anon "
				  "after.rights~write after.pfn!=@before.pfn pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_read_prefault = {
	.name = "read-prefault",
	.teaches = "memory that was only read maps the one page of zeros that all share: a call "
		   "that does not write gets that page, a pin for writing first makes a private "
		   "one",
	.setup = setup_read,
	.steps = read_prefault_steps,
};

/* Where in its page the word goes: aligned to nothing, and clear of both ends of the page. */
#define ODD 0x9e3

static bool setup_unaligned(struct scene *scene)
{
	int i;

	for (i = 0; i < 2; i++) {
		char *page = memory_map(scene->pages, scene_pmd(scene));

		if (!page)
			return false;
		scene->spots[i] = page + ODD;
		scene->spots[i][-1] = '<';
		strcpy(scene->spots[i], WORD ">");
	}
	scene_note(scene,
		   "the program writes \"<" WORD ">\" to two pages, the word %d bytes into each",
		   ODD);
	return true;
}

static bool reads_reply(struct scene *scene, const char *spot)
{
	static const char expected[] = "<" REPLY "na>";
	struct strbuf seen = { 0 };

	put_bytes(&seen, spot - 1, strlen(expected));
	scene_check(scene, !strcmp(strbuf_text(&seen), expected),
		    "the program reads \"%s\": " REPLY " is where " WORD
		    " was, what is around it is %s",
		    strbuf_text(&seen),
		    strcmp(strbuf_text(&seen), expected) ? "changed" : "untouched");
	strbuf_free(&seen);
	return true;
}

static bool reads_first_reply(struct scene *scene)
{
	return reads_reply(scene, scene->spots[0]);
}

static bool reads_second_reply(struct scene *scene)
{
	return reads_reply(scene, scene->spots[1]);
}

static const struct step unaligned_steps[] = {
	{
		.op = "get_user_pages", .flags = "write",
		.words = "peek=7 poke=" REPLY,
		.after = reads_first_reply,
		.expects = ALWAYS("ret=1 cause=unchanged peek=" WORD " addr=V1+0x9e3 "
				  "pfn=@before.pfn after.pfn=@before.pfn "
				  "before.page.gained_refs=1"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "peek=7 poke=" REPLY,
		.spot = 1,
		.after = reads_second_reply,
		.expects = ALWAYS("ret=1 cause=unchanged peek=" WORD " addr=V2+0x9e3 "
				  "pfn=@before.pfn after.pfn=@before.pfn "
				  "before.page.gained_refs=1024"),
	},
	{ 0 }
};

const struct scenario scenario_unaligned = {
	.name = "unaligned",
	.teaches = "a call gives whole pages: a driver that was given an address inside a page "
		   "adds the offset itself; then it finds the program's bytes there, and the "
		   "program finds the driver's",
	.setup = setup_unaligned,
	.steps = unaligned_steps,
};

static bool setup_prot_none(struct scene *scene)
{
	if (!spot_touch(scene, 0))
		return false;
	if (mprotect(scene->spots[0], spot_bytes(scene), PROT_NONE))
		return scene_failed("mprotect");
	scene_note(scene, "the program writes \"%s\" to its page, then mprotect(PROT_NONE)s it",
		   WORD);
	return true;
}

static const struct step prot_none_steps[] = {
	{
		.op = "walk",
		.expects = ALWAYS("before.state=protnone before.leaf=pte before.page=anon"),
	},
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=vma-prot-none cause=unchanged "
				  "before.state=protnone after.state=protnone"),
	},
	{
		.op = "get_user_pages_remote", .flags = "force",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=unchanged before.state=protnone "
				  "after.state=protnone pfn=@before.pfn peek=" WORD),
	},
	{ 0 }
};

const struct scenario scenario_prot_none = {
	.name = "prot-none",
	.teaches = "PROT_NONE takes the rights away and not the page: its entry keeps the page "
		   "frame (inverted on x86), get_user_pages refuses it, and force gets the very "
		   "same page",
	.setup = setup_prot_none,
	.steps = prot_none_steps,
};
