// SPDX-License-Identifier: GPL-2.0-only
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "../text.h"

const char *target_missing(const struct about *about)
{
	return about_value(about, "target") ? NULL :
	       "the module names no target device in its file version";
}

char *target_map(struct scene *scene, size_t pages, size_t first)
{
	const char *path = about_value(scene->about, "target");
	void *at = MAP_FAILED;

	scene->fd = open(path, O_RDWR | O_CLOEXEC);
	if (scene->fd >= 0)
		at = mmap(NULL, pages * scene->page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  scene->fd, first * scene->page_size);
	if (at != MAP_FAILED)
		return at;
	complain("mapping the module's target device", path, strerror(errno),
		 "it has few pages; only root may open it");
	return NULL;
}
