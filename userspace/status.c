// SPDX-License-Identifier: GPL-2.0-only
/* What /proc says about the memory that a process has locked, pinned or registered. */
#include "status.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

bool status_kb(uint64_t pid, const char *key, uint64_t *kb)
{
	struct strbuf path = { 0 }, text = { 0 };
	const char *at = NULL;

	strbuf_addf(&path, "/proc/%" PRIu64 "/status", pid);
	if (!slurp(path.at, &text))
		at = strstr(strbuf_text(&text), key);
	if (at)
		*kb = strtoull(at + strlen(key), NULL, 10);
	strbuf_free(&path);
	strbuf_free(&text);
	return at;
}

/* Lines "    0: 0x7f0123456000/65536" after "UserBufs: N" (fdinfo of an io_uring). */
static void add_buffers(const char *text, uint64_t *buffers, uint64_t *bytes)
{
	const char *at = strstr(text, "UserBufs:");
	uint64_t start, length;
	unsigned int index;
	int used;

	if (!at)
		return;
	for (at = strchr(at, '\n'); at; at = strchr(at, '\n')) {
		at++;
		if (sscanf(at, " %u: 0x%" SCNx64 "/%" SCNu64 "%n", &index, &start, &length,
			   &used) < 3)
			break;
		++*buffers;
		*bytes += length;
	}
}

void status_uring(uint64_t pid, struct strbuf *out)
{
	uint64_t buffers = 0, bytes = 0;
	struct strbuf path = { 0 };
	struct dirent *entry;
	char size[24];
	DIR *dir;

	strbuf_addf(&path, "/proc/%" PRIu64 "/fdinfo", pid);
	dir = opendir(path.at);
	while (dir && (entry = readdir(dir))) {
		struct strbuf file = { 0 }, text = { 0 };

		strbuf_addf(&file, "%s/%s", path.at, entry->d_name);
		if (!slurp(file.at, &text))
			add_buffers(strbuf_text(&text), &buffers, &bytes);
		strbuf_free(&file);
		strbuf_free(&text);
	}
	if (dir)
		closedir(dir);
	strbuf_free(&path);
	if (buffers)
		strbuf_addf(out, "io_uring: %" PRIu64 " registered buffer%s, %s", buffers,
			    buffers == 1 ? "" : "s", size_text(bytes, size));
}
