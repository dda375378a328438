// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/maps: where a process has memory, and what it is called. */
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Documentation/filesystems/proc.rst: start-end perms offset dev inode, blanks, name */
bool maps_line(const char *line, struct mapping *m)
{
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s%n", &m->start, &m->end, m->perms,
		   &name) != 3 ||
	    !name || m->end <= m->start)
		return false;
	line += name;
	m->name = must_copy(line + strspn(line, " "));
	return true;
}

bool maps_next(struct maps *maps)
{
	free(maps->now.name);
	maps->now = (struct mapping){ 0 };
	if (getline(&maps->line, &maps->room, maps->f) < 0)
		return false;
	maps->line[strcspn(maps->line, "\n")] = '\0';
	return maps_line(maps->line, &maps->now);
}

bool maps_open(pid_t pid, struct maps *maps)
{
	char path[32];

	*maps = (struct maps){ .pagemap = -1 };
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps->f = fopen(path, "re");
	if (!maps->f) {
		complain("reading", path, errno == ENOENT ? "no such process" : strerror(errno),
			 "give -p the number of a running process");
		return false;
	}
	if (maps_next(maps)) {
		char pagemap[32];

		snprintf(pagemap, sizeof(pagemap), "/proc/%d/pagemap", pid);
		maps->pagemap = open(pagemap, O_RDONLY | O_CLOEXEC);
		return true;
	}
	if (ferror(maps->f))
		complain("reading", path, strerror(errno), NULL);
	else
		complain("reading", path, "the process has no memory of its own",
			 "kernel threads and zombies have none");
	maps_close(maps);
	return false;
}

bool maps_gone(const struct maps *maps)
{
	uint64_t word;

	return maps->pagemap >= 0 && pread(maps->pagemap, &word, sizeof(word), 0) == 0;
}

void maps_close(struct maps *maps)
{
	free(maps->now.name);
	free(maps->line);
	if (maps->f)
		fclose(maps->f);
	if (maps->pagemap >= 0)
		close(maps->pagemap);
	*maps = (struct maps){ .pagemap = -1 };
}
