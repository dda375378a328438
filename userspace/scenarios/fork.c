// SPDX-License-Identifier: GPL-2.0-only
/* Memory that a parent and its child share after fork(). */
#include <errno.h>
#include <string.h>

#include "spot.h"

static bool setup_fork(struct scene *scene)
{
	if (!spot_touch(scene, 0) || !spot_touch(scene, 1))
		return false;
	if (scene_child() < 0)
		return scene_failed("fork");
	scene_note(scene, "the program writes \"%s\" to two pages, then forks; the child lives on",
		   WORD);
	return true;
}

static bool write_reply(struct scene *scene)
{
	spot_write(scene, 0, REPLY);
	scene_note(scene, "the program writes \"%s\" to its first page", REPLY);
	return true;
}

/*
 * Linux kernel commit a7f226604170 ("mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly
 * shared anonymous page") (in v5.19).
 */
static const struct step fork_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("ret=1 cause=unchanged before.page=anon before.page.mapcount=2 "
				  "before.rights!~write pfn=@before.pfn pfn=P1"),
	},
	{
		.op = "pin_user_pages",
		.expects = {
			{ .before = KERNEL(5, 19),
			  .terms = "ret=1 cause=unchanged pfn=P1 after.pfn=P1 "
				   "after.page.mapcount=2" },
			{ .since = KERNEL(5, 19),
			  .terms = "ret=1 cause=unshare before.pfn=P1 after.pfn=P2 pfn=P2 "
				   "after.page.mapcount=1 after.page.anon_exclusive=true "
				   "after.rights!~write" },
		},
	},
	{
		.op = "walk",
		.before = write_reply,
		.expects = ALWAYS("before.pfn=P2 before.page.mapcount=1 before.rights~write"),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 1,
		.expects = ALWAYS("ret=1 cause=cow before.page.mapcount=2 "
				  "after.pfn!=@before.pfn after.page.mapcount=1 pfn=@after.pfn "
				  "after.rights~write"),
	},
	{ 0 }
};

const struct scenario scenario_fork = {
	.name = "fork",
	.teaches = "after fork parent and child share their pages until one of them writes: a call "
		   "for writing makes a private copy. A pin for reading does so since Linux 5.19; "
		   "before, it got the shared page, and the program's next write went to another "
		   "page than the driver's",
	.setup = setup_fork,
	.steps = fork_steps,
};
