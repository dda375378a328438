// SPDX-License-Identifier: GPL-2.0-only
/* A mapping of page frames that are no ordinary pages, as drivers map their devices' memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gupwalk.h>

#include "../scenario.h"
#include "../text.h"

static const char *check_pfnmap(const struct about *about)
{
	if (!about_value(about, "target"))
		return "the module names no target device in its file version";
	return NULL;
}

static bool setup_pfnmap(struct scene *scene)
{
	const char *path = about_value(scene->about, "target");
	void *at = MAP_FAILED;

	scene->fd = open(path, O_RDWR | O_CLOEXEC);
	if (scene->fd >= 0)
		at = mmap(NULL, scene->pages * scene->page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  scene->fd, 0);
	if (at == MAP_FAILED) {
		complain("mapping the module's target device", path, strerror(errno),
			 "it has few pages; only root may open it");
		return false;
	}
	scene->spots[0] = at;
	scene_note(scene, "the program mmap()s %s, whose driver maps its page frames at once",
		   path);
	return true;
}

static bool zap(struct scene *scene)
{
	struct gupwalk_target_zap range = {
		.addr = (uintptr_t)scene->spots[0],
		.len = scene->pages * scene->page_size,
	};

	if (ioctl(scene->fd, GUPWALK_TARGET_ZAP, &range)) {
		complain("unmapping the target's pages", NULL, strerror(errno), NULL);
		return false;
	}
	scene_note(scene, "the driver takes its page frames out of the page tables again");
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
		.op = "follow_pfn", .before = zap,
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
	.check = check_pfnmap,
	.setup = setup_pfnmap,
	.steps = pfnmap_steps,
};
