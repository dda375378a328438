// SPDX-License-Identifier: GPL-2.0-only
/* A mapping of page frames that are no ordinary pages, as drivers map their devices' memory. */
#include "target.h"

static bool setup_pfnmap(struct scene *scene)
{
	scene->spots[0] = target_map(scene, scene->pages, 0);
	if (!scene->spots[0])
		return false;
	scene_note(scene, "the program mmap()s %s, whose driver maps its page frames at once",
		   about_value(scene->about, "target"));
	return true;
}

static const struct step pfnmap_steps[] = {
	{
		.op = "follow_pfn",
		.expects = ALWAYS("ret=0 errno=none cause=unchanged vma.kind=pfnmap "
				  "vma.flags~pfnmap before.state=present before.page=none "
				  "pfn=@before.pfn"),
	},
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=vma-io-pfnmap cause=unchanged "
				  "before.state=present"),
	},
	{
		.op = "zap_vma_ptes",
		.expects = ALWAYS("ret=0 errno=none cause=unmapped before.state=present "
				  "after.state=none"),
	},
	{
		.op = "follow_pfn",
		.expects = ALWAYS("errno=EINVAL reason=pfnmap-not-populated cause=unchanged "
				  "before.state=none after.state=none"),
	},
	{
		.op = "handle_mm_fault", .flags = "write",
		.expects = ALWAYS("errno=none cause=pfn-mapped before.state=none "
				  "after.state=present after.page=none after.pfn=P1"),
	},
	{
		.op = "follow_pfn",
		.expects = ALWAYS("ret=0 errno=none cause=unchanged pfn=P1 pfn=@before.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_pfnmap = {
	.name = "pfnmap",
	.teaches = "what a driver maps with remap_pfn_range has no pages to take: get_user_pages "
		   "refuses it, follow_pfn is made for it, as long as it is mapped at that moment",
	.check = target_missing,
	.setup = setup_pfnmap,
	.steps = pfnmap_steps,
};
