// SPDX-License-Identifier: GPL-2.0-only
/* Memory that a userfaultfd watches: what happens there another program has a say in. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spot.h"

/* ---- what is missing ---- */

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

static struct uffdio_range range_of(const struct scene *scene, unsigned int spot)
{
	return (struct uffdio_range){
		.start = (uintptr_t)scene->spots[spot], .len = spot_bytes(scene)
	};
}

static bool watch(struct scene *scene, unsigned int spot, uint64_t mode)
{
	struct uffdio_register request = { .range = range_of(scene, spot), .mode = mode };

	return !ioctl(scene->fd, UFFDIO_REGISTER, &request);
}

static const char *check_uffd(const struct about *about)
{
	int fd = open_uffd(0);

	(void)about;
	if (fd < 0)
		return "this kernel has no userfaultfd";
	close(fd);
	return NULL;
}

static bool setup_uffd(struct scene *scene)
{
	if (!spot_map(scene, 0))
		return false;
	scene->fd = open_uffd(0);
	if (scene->fd < 0 || !watch(scene, 0, UFFDIO_REGISTER_MODE_MISSING))
		return scene_failed("userfaultfd");
	scene_note(scene, "the program has registered its buffer with userfaultfd: it answers "
			  "faults there itself, as for a virtual machine that is on its way");
	return true;
}

static bool answer_faults(struct scene *scene)
{
	char *page = aligned_alloc(scene->page_size, scene->page_size);
	struct uffdio_copy copy = { 0 };
	bool done = page;
	size_t i;

	if (done)
		strcpy(page, WORD);
	for (i = 0; done && i < scene->pages; i++) {
		copy.src = (uintptr_t)page;
		copy.dst = (uintptr_t)scene->spots[0] + i * scene->page_size;
		copy.len = scene->page_size;
		done = !ioctl(scene->fd, UFFDIO_COPY, &copy);
	}
	free(page);
	if (!done)
		return scene_failed("UFFDIO_COPY");
	scene_note(scene, "the program puts pages there by UFFDIO_COPY");
	return true;
}

static const struct step userfaultfd_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=userfaultfd cause=unchanged "
				  "before.state=none after.state=none"),
	},
	{
		.op = "get_user_pages_fast_only",
		.expects = ALWAYS("ret=0 cause=unchanged before.state=none"),
	},
	{
		.op = "get_user_pages",
		.words = "peek=7",
		.before = answer_faults,
		.expects = ALWAYS("ret=1 errno=none cause=unchanged before.state=present "
				  "pfn=@before.pfn peek=" WORD),
	},
	{ 0 }
};

const struct scenario scenario_userfaultfd = {
	.name = "userfaultfd",
	.teaches = "what is missing in a userfaultfd range, another program has to bring: a call "
		   "that keeps the mmap lock cannot wait for that, and fails with -EFAULT; one "
		   "that may give it up (get_user_pages_unlocked) sleeps until it is there",
	.needs = "userfaultfd",
	.check = check_uffd,
	.setup = setup_uffd,
	.steps = userfaultfd_steps,
};

/* ---- read-write protection ---- */

/* linux/userfaultfd.h of Linux 7.3 */
#ifndef UFFD_FEATURE_RWP
#define UFFD_FEATURE_RWP (1 << 17)
#define UFFD_FEATURE_RWP_ASYNC (1 << 18)
#define UFFDIO_REGISTER_MODE_RWP (1ULL << 3)
#define UFFDIO_RWPROTECT_MODE_RWP (1ULL << 0)

struct uffdio_rwprotect {
	struct uffdio_range range;
	uint64_t mode;
};

struct uffdio_set_mode {
	uint64_t enable;
	uint64_t disable;
};

#define UFFDIO_RWPROTECT _IOWR(UFFDIO, 0x09, struct uffdio_rwprotect)
#define UFFDIO_SET_MODE _IOW(UFFDIO, 0x0a, struct uffdio_set_mode)
#endif

static const char *check_rwp(const struct about *about)
{
	int fd = open_uffd(UFFD_FEATURE_RWP);

	(void)about;
	if (fd < 0)
		return "userfaultfd cannot take away the right to read here: that came with Linux "
		       "7.3 (CONFIG_USERFAULTFD_RWP)";
	close(fd);
	return NULL;
}

static bool rw_protect(struct scene *scene, unsigned int spot, uint64_t mode)
{
	struct uffdio_rwprotect request = { .range = range_of(scene, spot), .mode = mode };

	return !ioctl(scene->fd, UFFDIO_RWPROTECT, &request) || scene_failed("UFFDIO_RWPROTECT");
}

static bool setup_rwp(struct scene *scene)
{
	int i;

	scene->fd = open_uffd(UFFD_FEATURE_RWP);
	if (scene->fd < 0)
		return scene_failed("userfaultfd");
	for (i = 0; i < 2; i++) {
		if (!spot_touch(scene, i))
			return false;
		if (!watch(scene, i, UFFDIO_REGISTER_MODE_RWP))
			return scene_failed("UFFDIO_REGISTER");
		if (!rw_protect(scene, i, UFFDIO_RWPROTECT_MODE_RWP))
			return false;
	}
	scene_note(scene, "the program writes \"%s\" to two buffers, then takes the right to read and "
			  "write them away by userfaultfd, to be told of the next access", WORD);
	return true;
}

static bool give_back(struct scene *scene)
{
	if (!rw_protect(scene, 0, 0))
		return false;
	scene_note(scene, "the program gives the right to its first buffer back");
	return true;
}

static bool let_kernel_answer(struct scene *scene)
{
	struct uffdio_set_mode request = { .enable = UFFD_FEATURE_RWP_ASYNC };

	if (ioctl(scene->fd, UFFDIO_SET_MODE, &request))
		return scene_failed("UFFDIO_SET_MODE");
	scene_note(scene, "the program lets the kernel give it back by itself from now on, and only "
			  "looks later which pages were accessed (UFFD_FEATURE_RWP_ASYNC)");
	return true;
}

static const struct step uffd_rwp_steps[] = {
	{
		.op = "get_user_pages",
		.expects = ALWAYS("errno=EFAULT reason=userfaultfd-rwp cause=unchanged "
				  "before.state=protnone before.page=anon after.state=protnone "
				  "vma.flags~uffd_rwp"),
	},
	{
		.op = "get_user_pages_remote", .flags = "force",
		.expects = ALWAYS("errno=EFAULT reason=userfaultfd-rwp cause=unchanged "
				  "after.state=protnone"),
	},
	{
		.op = "get_user_pages_fast_only",
		.expects = ALWAYS("ret=0 reason=nofault cause=unchanged before.state=protnone"),
	},
	{
		.op = "get_user_pages",
		.words = "peek=7",
		.before = give_back,
		.expects = ALWAYS("ret=1 cause=unchanged before.state=present pfn=@before.pfn "
				  "peek=" WORD),
	},
	{
		.op = "get_user_pages",
		.spot = 1,
		.words = "peek=7",
		.before = let_kernel_answer,
		.expects = ALWAYS("ret=1 cause=protnone-restored before.state=protnone "
				  "after.state=present pfn=@before.pfn after.rights~write "
				  "peek=" WORD),
	},
	{ 0 }
};

const struct scenario scenario_uffd_rwp = {
	.name = "uffd-rwp",
	.teaches = "userfaultfd can take away the access to pages that are there, to see which are "
		   "used: PROT_NONE entries in a VMA that allows access, as NUMA hints are. But no "
		   "call passes over these, not with force either: its access counts as one",
	.needs = "userfaultfd with read-write protection",
	.check = check_rwp,
	.setup = setup_rwp,
	.steps = uffd_rwp_steps,
};
