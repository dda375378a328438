// SPDX-License-Identifier: GPL-2.0-only
/* The memory of another process. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../memory.h"
#include "../text.h"
#include "spot.h"

/* The other process: touches one page, leaves one alone, and shows on demand what is in the second.
 */
static void other_process(struct scene *scene, int fd)
{
	char *spots[2], seen[sizeof(REPLY)] = { 0 }, asked;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	spots[0] = memory_map(scene->pages, scene_pmd(scene));
	spots[1] = memory_map(scene->pages, scene_pmd(scene));
	if (!spots[0] || !spots[1])
		_exit(2);
	strcpy(spots[0], WORD);
	if (write(fd, spots, sizeof(spots)) != sizeof(spots))
		_exit(2);
	while (read(fd, &asked, 1) == 1) {
		memcpy(seen, spots[1], strlen(REPLY));
		if (write(fd, seen, sizeof(seen)) != sizeof(seen))
			break;
	}
	_exit(0);
}

static bool setup_remote(struct scene *scene)
{
	int fds[2] = { -1, -1 };
	char *spots[2];

	scene->pid = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ? -1 : fork();
	if (scene->pid < 0) {
		complain("starting another process", NULL, strerror(errno), NULL);
		return false;
	}
	if (!scene->pid) {
		close(fds[0]);
		other_process(scene, fds[1]);
	}
	close(fds[1]);
	scene->fd = fds[0];
	if (read(scene->fd, spots, sizeof(spots)) != sizeof(spots)) {
		complain("starting another process", NULL, "it ended early", NULL);
		return false;
	}
	memcpy(scene->spots, spots, sizeof(spots));
	scene_note(scene, "another process, pid %d, writes \"%s\" to one page, not to a second",
		   scene->pid, WORD);
	return true;
}

static bool other_reads_reply(struct scene *scene)
{
	char text[sizeof(REPLY)] = { 0 };

	if (write(scene->fd, "?", 1) != 1 || read(scene->fd, text, sizeof(text)) != sizeof(text)) {
		complain("asking the other process", NULL, "it is gone", NULL);
		return false;
	}
	return scene_reads(scene, text, REPLY, "the other process reads from its second page");
}

static const struct step remote_steps[] = {
	{
		.op = "get_user_pages_remote",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=unchanged before.state=present peek=" WORD " "
				  "pfn=@before.pfn after.pfn=@before.pfn "
				  "before.page.gained_refs=1"),
	},
	{
		.op = "get_user_pages_remote", .flags = "write",
		.words = "poke=" REPLY,
		.spot = 1,
		.after = other_reads_reply,
		.expects = ALWAYS("ret=1 cause=anon-allocated before.state=none "
				  "after.state=present after.page=anon pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_remote = {
	.name = "remote",
	.teaches = "get_user_pages_remote works on another process as on one's own: it reads what "
		   "is there, and makes a page in the other's memory where there was none",
	.setup = setup_remote,
	.steps = remote_steps,
};
