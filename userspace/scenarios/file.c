// SPDX-License-Identifier: GPL-2.0-only
/* Files mapped into memory: the page cache is what is taken. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "../text.h"
#include "spot.h"

/* ---- private mappings ---- */

static bool setup_private(struct scene *scene)
{
	int i;

	for (i = 0; i < 3; i++) {
		scene->spots[i] = spot_file(scene, spot_memory_file(), PROT_READ | PROT_WRITE,
					    MAP_PRIVATE);
		if (!scene->spots[i])
			return false;
	}
	scene_note(scene, "the program maps three files of memory (memfd), each with \"%s\" in it, "
			  "private, and touches none", WORD);
	return true;
}

/*
 * Linux kernel commit 84209e87c696 ("mm/gup: reliable R/O long-term pinning in COW mappings") (in
 * v6.2).
 */
static const struct step file_private_steps[] = {
	{
		.op = "pin_user_pages",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=file-mapped after.page=other after.rights!~write "
				  "pfn=@after.pfn peek=" WORD),
	},
	{
		.op = "pin_user_pages", .flags = "longterm",
		.spot = 1,
		.words = "peek=7",
		.expects = {
			{ .before = KERNEL(6, 2),
			  .terms = "ret=1 cause=file-mapped after.page=other pfn=@after.pfn peek="
				   WORD },
			{ .since = KERNEL(6, 2),
			  .terms = "ret=1 cause=anon-allocated after.page=anon after.rights!~write "
				   "pfn=@after.pfn peek=" WORD },
		},
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.spot = 2,
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=anon-allocated after.page=anon after.rights~write "
				  "pfn=@after.pfn peek=" WORD),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=cow before.page=other after.page=anon "
				  "after.pfn!=@before.pfn pfn=@after.pfn peek=" WORD),
	},
	{ 0 }
};

const struct scenario scenario_file_private = {
	.name = "file-private",
	.teaches = "a private mapping shows the file's own page until somebody writes: a pin for "
		   "writing makes a copy. So does one for reading with FOLL_LONGTERM since Linux "
		   "6.2; before, the driver kept the file's page, and missed what the program "
		   "wrote later",
	.setup = setup_private,
	.steps = file_private_steps,
};

/* ---- shared mappings ---- */

static bool setup_shared(struct scene *scene)
{
	scene->spots[0] = spot_file(scene, spot_memory_file(), PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!scene->spots[0])
		return false;
	scene_note(scene, "the program maps a file of memory (memfd) with \"%s\" in it, shared, and "
			  "does not touch it", WORD);
	return true;
}

static bool reads_reply(struct scene *scene)
{
	return scene_reads(scene, scene->spots[0], REPLY "na", "the program reads");
}

static bool drop_mapping(struct scene *scene)
{
	if (madvise(scene->spots[0], spot_bytes(scene), MADV_DONTNEED))
		return scene_failed("madvise(MADV_DONTNEED)");
	scene_note(scene, "the program drops its mapping of the pages, by madvise(MADV_DONTNEED)");
	return true;
}

static const struct step file_shared_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.words = "hold peek=7 poke=" REPLY,
		.after = reads_reply,
		.expects = ALWAYS("ret=1 errno=none cause=file-mapped after.page=other "
				  "after.rights~write pfn=@after.pfn pfn=P1 peek=" WORD),
	},
	{
		.op = "walk",
		.before = drop_mapping,
		.expects = ALWAYS("before.state=none"),
	},
	{
		.op = "get_user_pages",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 cause=file-mapped after.page=other pfn=P1 peek=" REPLY
				  "na"),
	},
	{ 0 }
};

const struct scenario scenario_file_shared = {
	.name = "file-shared",
	.teaches = "the pages of a shared mapping are the file's: there is nothing to copy, and "
		   "whoever maps the file next finds the page that the driver has",
	.setup = setup_shared,
	.steps = file_shared_steps,
};

/* ---- the file's pages, without a mapping ---- */

static bool setup_memfd_pin(struct scene *scene)
{
	scene->fd = spot_memory_file();
	scene->spots[0] = spot_file(scene, dup(scene->fd), PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!scene->spots[0])
		return false;
	scene_note(scene, "the program maps a memfd with \"%s\" in it, shared, and does not touch it",
		   WORD);
	return true;
}

static bool cut_file(struct scene *scene)
{
	size_t size = spot_bytes(scene);

	if (ftruncate(scene->fd, 0) || ftruncate(scene->fd, size))
		return scene_failed("ftruncate");
	spot_write(scene, 0, REPLY);
	scene_note(scene, "the program cuts the file to nothing, makes it as long as before, and "
			  "writes \"%s\" to it", REPLY);
	return true;
}

static const struct step memfd_pin_steps[] = {
	{
		.op = "memfd_pin_folios",
		.words = "hold peek=7",
		.expects = ALWAYS("ret=1 errno=none cause=unchanged before.state=none "
				  "after.state=none pfn=P1 peek=" WORD " held=true"),
	},
	{
		.op = "handle_mm_fault",
		.expects = ALWAYS("errno=none cause=file-mapped after.page=other after.pfn=P1"),
	},
	{
		.op = "walk",
		.before = cut_file,
		.expects = ALWAYS("before.state=present before.page=other before.pfn!=P1"),
	},
	{ 0 }
};

const struct scenario scenario_memfd_pin = {
	.name = "memfd-pin",
	.teaches = "memfd_pin_folios takes a file and an offset, no address: it pins the page cache, "
		   "and the page tables do not change. What is mapped later is the pinned page, "
		   "until the file is cut: then pin and file part, as pin and mapping do elsewhere",
	.setup = setup_memfd_pin,
	.steps = memfd_pin_steps,
};

/* ---- files on a disk's file system ---- */

/* Directories on a file system that writes to a disk, the first that serves. */
static const char *const directories[] = { "/var/tmp", "/tmp", "/root", "." };

/* linux/magic.h: of those that keep files in memory, or elsewhere, the mappings are other ones. */
static bool on_disk(const char *dir)
{
	static const unsigned long magics[] = {
		0xef53 /* ext2, ext3, ext4 */, 0x58465342 /* xfs */, 0x9123683e /* btrfs */,
		0xf2f52010 /* f2fs */,
	};
	struct statfs fs;
	size_t i;

	if (access(dir, W_OK) || statfs(dir, &fs))
		return false;
	for (i = 0; i < ARRAY_SIZE(magics); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return true;
	return false;
}

static const char *disk_directory(void)
{
	const char *dir = getenv("GUPWALK_FILES");
	size_t i;

	if (dir)
		return on_disk(dir) ? dir : NULL;
	for (i = 0; i < ARRAY_SIZE(directories); i++)
		if (on_disk(directories[i]))
			return directories[i];
	return NULL;
}

static const char *check_disk(const struct about *about)
{
	(void)about;
	return disk_directory() ? NULL :
	       "no directory on ext4, xfs, btrfs or f2fs to make a file in: name one in "
	       "GUPWALK_FILES";
}

/* A file without a name. */
static int file_in(const char *directory)
{
	struct strbuf path = { 0 };
	int fd;

	strbuf_addf(&path, "%s/gupwalk.XXXXXX", directory);
	fd = mkostemp(path.at, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.at);
	strbuf_free(&path);
	return fd;
}

static bool setup_disk(struct scene *scene)
{
	scene->spots[0] = spot_file(scene, file_in(disk_directory()), PROT_READ | PROT_WRITE,
				    MAP_SHARED);
	if (!scene->spots[0])
		return false;
	spot_write(scene, 0, REPLY);
	scene_note(scene, "the program maps a file in %s, shared, and writes \"%s\" to it",
		   disk_directory(), REPLY);
	return true;
}

/*
 * Linux kernel commit 8ac268436e6d ("mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to
 * file-backed mappings") (in v6.5).
 */
static const struct step file_longterm_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.before = spot_leaves_movable,
		.expects = ALWAYS("ret=1 errno=none before.page=other pfn=@before.pfn"),
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.expects = {
			{ .before = KERNEL(6, 5),
			  .terms = "ret=1 errno=none pfn=@after.pfn" },
			{ .since = KERNEL(6, 5),
			  .terms = "errno=EFAULT reason=longterm-file-write cause=unchanged" },
		},
	},
	{
		.op = "pin_user_pages", .flags = "longterm",
		.expects = ALWAYS("ret=1 errno=none pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario scenario_file_longterm = {
	.name = "file-longterm",
	.teaches = "a file system must know of each write to a page before it happens, and a device "
		   "does not tell: since Linux 6.5 FOLL_LONGTERM for writing is refused on a shared "
		   "mapping of a file on a disk (ext4, xfs); memfd and hugetlb are for that",
	.needs = "a directory on ext4, xfs, btrfs or f2fs (GUPWALK_FILES, or /var/tmp)",
	.check = check_disk,
	.setup = setup_disk,
	.steps = file_longterm_steps,
};

/* ---- files that are memory themselves ---- */

/* "dax", or "dax=always"; with "dax=inode" each file has it or not. */
static bool is_dax(const struct mntent *mount)
{
	const char *option = hasmntopt(mount, "dax");

	return option && strncmp(option, "dax=inode", 9) && strncmp(option, "dax=never", 9);
}

/* The first file system with DAX that a file can be made on; NULL if there is none. */
static const char *dax_directory(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	static char *directory;
	struct mntent *mount;

	free(directory);
	directory = NULL;
	while (mounts && !directory && (mount = getmntent(mounts)))
		if (is_dax(mount) && !access(mount->mnt_dir, W_OK))
			directory = must_copy(mount->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return directory;
}

static const char *check_dax(const struct about *about)
{
	(void)about;
	return dax_directory() ? NULL :
	       "no file system is mounted with -o dax: it takes persistent memory, and CONFIG_FS_DAX "
	       "(in the lab: lab/vm --pmem 32M)";
}

static bool setup_dax(struct scene *scene)
{
	const char *directory = dax_directory();

	scene->spots[0] = spot_file(scene, file_in(directory), PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!scene->spots[0])
		return false;
	scene_note(scene, "the program maps a file in %s with \"%s\" in it, shared, and does not "
			  "touch it: what it will map is the persistent memory itself",
		   directory, WORD);
	return true;
}

static const struct step dax_steps[] = {
	{
		.op = "get_user_pages",
		.words = "peek=7",
		.expects = ALWAYS("ret=1 errno=none cause=file-mapped before.state=none "
				  "after.state=present after.page=other pfn=@after.pfn peek=" WORD),
	},
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "peek=7 poke=" REPLY,
		.after = reads_reply,
		.expects = ALWAYS("ret=1 errno=none after.page=other after.rights~write "
				  "after.pfn=@before.pfn pfn=@after.pfn peek=" WORD),
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.expects = ALWAYS("errno=EOPNOTSUPP reason=longterm-fsdax cause=unchanged "
				  "before.state=present"),
	},
	{
		.op = "pin_user_pages", .flags = "longterm",
		.expects = ALWAYS("errno=EOPNOTSUPP reason=longterm-fsdax cause=unchanged"),
	},
	{ 0 }
};

const struct scenario scenario_dax = {
	.name = "dax",
	.teaches = "with DAX a mapped file is the storage itself, and no page cache is between: who "
		   "pins a page pins a block of the file system. FOLL_LONGTERM is refused, as a "
		   "block may have to be freed at any time; a short pin is waited for",
	.needs = "a file system on persistent memory, mounted with -o dax",
	.check = check_dax,
	.setup = setup_dax,
	.steps = dax_steps,
};
