// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/maps: where a process has memory, and what it is called. */
#include "maps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Documentation/filesystems/proc.rst: start-end perms offset dev inode, blanks, name */
static bool parse_line(const char *line, struct mapping *m)
{
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s%n", &m->start, &m->end, &name) !=
		    2 ||
	    !name || m->end <= m->start)
		return false;
	line += name;
	m->name = must_copy(line + strspn(line, " "));
	return true;
}

bool maps_parse(const char *text, struct maps *maps)
{
	char *copy = must_copy(text), *rest = copy, *line;
	bool good = true;

	*maps = (struct maps){ 0 };
	while (good && (line = strsep(&rest, "\n")) && *line) {
		maps->at = must_grow(maps->at, maps->n, sizeof(*maps->at));
		good = parse_line(line, &maps->at[maps->n]);
		maps->n += good;
	}
	free(copy);
	if (!good)
		maps_free(maps);
	return good;
}

void maps_free(struct maps *maps)
{
	size_t i;

	for (i = 0; i < maps->n; i++)
		free(maps->at[i].name);
	free(maps->at);
	*maps = (struct maps){ 0 };
}
