// SPDX-License-Identifier: GPL-2.0-only
#include "spot.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../device.h"
#include "../memory.h"
#include "../number.h"
#include "../record.h"
#include "../signature.h"
#include "../text.h"

#define THP "/sys/kernel/mm/transparent_hugepage/"

bool spot_map(struct scene *scene, unsigned int spot)
{
	scene->spots[spot] = memory_map(scene->pages, scene_pmd(scene));
	return scene->spots[spot];
}

void spot_write(const struct scene *scene, unsigned int spot, const char *word)
{
	size_t i;

	for (i = 0; i < scene->pages; i++)
		memcpy(scene->spots[spot] + i * scene->page_size, word, strlen(word));
}

bool spot_touch(struct scene *scene, unsigned int spot)
{
	if (!spot_map(scene, spot))
		return false;
	spot_write(scene, spot, WORD);
	return true;
}

bool spot_huge(struct scene *scene, unsigned int spot)
{
	size_t pmd = scene_pmd(scene);

	scene->spots[spot] = memory_huge(pmd, about_covers(scene->about, "pud"), 0);
	if (!scene->spots[spot])
		return false;
	return !madvise(scene->spots[spot], pmd, MADV_HUGEPAGE) ||
	       scene_failed("madvise(MADV_HUGEPAGE)");
}

/*
 * Linux kernel commit "mm: thp: introduce multi-size THP sysfs interface" (in v6.8):
 * each size has a setting of its own, which may be to inherit the one of all.
 */
static const char *thp_off(const struct about *about)
{
	struct strbuf path = { 0 }, mode = { 0 }, own = { 0 };
	const char *off = NULL;

	strbuf_addf(&path, THP "hugepages-%" PRIu64 "kB/enabled",
		    about_covers(about, "pmd") / 1024);
	if (slurp(THP "enabled", &mode))
		off = "this kernel has no transparent huge pages";
	else if (!slurp(path.at, &own) && !strstr(strbuf_text(&own), "[inherit]"))
		off = strstr(strbuf_text(&own), "[never]") ?
		      "transparent huge pages of this size are off: " THP "hugepages-*kB/enabled says "
		      "never" : NULL;
	else if (strstr(strbuf_text(&mode), "[never]"))
		off = "transparent huge pages are off: " THP "enabled says never";
	strbuf_free(&path);
	strbuf_free(&mode);
	strbuf_free(&own);
	return off;
}

const char *spot_thp_missing(const struct about *about)
{
	const char *missing = thp_off(about);
	struct sysinfo machine;

	if (!missing && (sysinfo(&machine) ||
			 machine.freeram / 2 * machine.mem_unit < about_covers(about, "pmd")))
		missing = "too little free memory for the kernel to make a huge page of: in a "
			  "virtual machine of the lab give it more, MEM=4G";
	return missing;
}

const char *spot_nodes_missing(const struct about *about)
{
	struct strbuf nodes = { 0 };
	bool both;

	(void)about;
	both = !slurp("/sys/devices/system/node/has_memory", &nodes) &&
	       !strncmp(strbuf_text(&nodes), "0-", 2);
	strbuf_free(&nodes);
	return both ? NULL : "nodes 0 and 1 do not both have memory (in the lab: lab/vm --nodes 2)";
}

size_t spot_bytes(const struct scene *scene)
{
	return scene->pages * scene->page_size;
}

bool scene_reads(struct scene *scene, const char *at, const char *expected, const char *who)
{
	struct strbuf seen = { 0 };

	put_bytes(&seen, at, strlen(expected));
	scene_check(scene, !strcmp(strbuf_text(&seen), expected), "%s \"%s\"", who,
		    strbuf_text(&seen));
	strbuf_free(&seen);
	return true;
}

bool scene_failed(const char *call)
{
	complain("setting up the scenario", call, strerror(errno), NULL);
	return false;
}

bool file_number(const char *path, uint64_t *value)
{
	struct strbuf text = { 0 };
	bool read = slurp(path, &text) == 0 && text.len;

	if (read) {
		text.at[strcspn(text.at, "\n")] = '\0';
		read = number_parse(text.at, UINT64_MAX, value);
	}
	strbuf_free(&text);
	return read;
}

bool file_put_number(const char *path, uint64_t value)
{
	FILE *f = fopen(path, "we");
	bool written;

	if (!f)
		return false;
	fprintf(f, "%" PRIu64 "\n", value);
	written = fclose(f) == 0;
	return written;
}

bool spot_restore(const char *path, uint64_t value)
{
	if (file_put_number(path, value))
		return true;
	complain("restoring", path, strerror(errno), "write the old number back by hand");
	return false;
}

bool spot_is(struct scene *scene, unsigned int spot, const char *terms)
{
	struct strbuf line = { 0 }, answer = { 0 }, wrong = { 0 };
	struct records records = { 0 };
	struct signature sig = { 0 };
	bool is = false;
	int error;

	strbuf_addf(&line, "op=walk nokeep addr=0x%" PRIxPTR, (uintptr_t)scene->spots[spot]);
	if (device_request(scene->requests, line.at, &answer, &error) != ANSWER_RECORD ||
	    !records_parse(answer.at, answer.len, &records, &wrong)) {
		scene_cannot(scene, "the module could not be asked how its memory is mapped");
	} else {
		signature_make(&records, &sig);
		is = records.n == 1 && !expect_unmet(&sig.steps[0], terms, &wrong);
		signature_free(&sig);
	}
	records_free(&records);
	strbuf_free(&line);
	strbuf_free(&answer);
	strbuf_free(&wrong);
	return is;
}

bool spot_leaves_movable(struct scene *scene)
{
	struct strbuf line = { 0 }, answer = { 0 };
	bool done = true;
	int error;

	strbuf_addf(&line, "op=pin_user_pages flags=longterm nokeep addr=0x%" PRIxPTR
		    " nr_pages=%zu", (uintptr_t)scene->spots[0], scene->pages);
	if (spot_is(scene, 0, "before.page.zone=Movable"))
		done = device_request(scene->requests, line.at, &answer, &error) == ANSWER_RECORD ||
		       scene_failed("a pin for good");
	strbuf_free(&line);
	strbuf_free(&answer);
	return done;
}

pid_t scene_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		pause();
	_exit(0);
}

int spot_memory_file(void)
{
	return memfd_create("gupwalk", MFD_CLOEXEC);
}

char *spot_file(struct scene *scene, int fd, int prot, int flags)
{
	size_t size = spot_bytes(scene), i;
	char *at = MAP_FAILED;
	bool filled = fd >= 0 && !ftruncate(fd, size);

	for (i = 0; filled && i < scene->pages; i++)
		filled = pwrite(fd, WORD, strlen(WORD), i * scene->page_size) > 0;
	if (filled)
		at = mmap(NULL, size, prot, flags, fd, 0);
	if (fd >= 0)
		close(fd);
	if (at != MAP_FAILED)
		return at;
	scene_failed("mmap of a file");
	return NULL;
}
