// SPDX-License-Identifier: GPL-2.0-only
/*
 * gupwalk-callers: makes drivers of the kernel call get_user_pages and its relatives, one way after
 * the other, to be observed:
 *	gupwalk observe -- gupwalk-callers io-uring
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"

#define PAGES 4
#define IOVA 0x1000000

static size_t page;

/* Return: false, as what is returned where something does not work. */
static bool trouble(const char *what)
{
	fprintf(stderr, "gupwalk-callers: %s: %s\n", what, strerror(errno));
	return false;
}

static char *map_pages(void)
{
	char *pages = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (pages == MAP_FAILED) {
		trouble("memory");
		exit(2);
	}
	return pages;
}

/* ---- devices ---- */

static bool io_uring(const char *file)
{
	int ring = ask_uring_register(map_pages(), PAGES * page);

	return (ring >= 0 && !ask_uring_unregister(ring)) || trouble("io_uring");
}

/* Nobody unregisters: the kernel does, some time after the process is gone. */
static bool io_uring_exit(const char *file)
{
	return ask_uring_register(map_pages(), PAGES * page) >= 0 || trouble("io_uring");
}

static bool direct(const char *name, bool out)
{
	int file = open(name, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	char *pages = map_pages();
	ssize_t done;

	if (file < 0)
		return trouble(name);
	if (out)
		done = pwrite(file, pages, PAGES * page, 0);
	else
		done = pread(file, pages, PAGES * page, 0);
	return done >= 0 || trouble(name);
}

static bool direct_write(const char *file)
{
	return direct(file, true);
}

static bool direct_read(const char *file)
{
	return direct(file, false);
}

static bool vfio(const char *file)
{
	struct ask_vfio vfio;
	const char *missing = ask_vfio_open(&vfio);
	char *pages = map_pages();
	void *registers;

	if (missing) {
		fprintf(stderr, "gupwalk-callers: %s\n", missing);
		return false;
	}
	if (ask_vfio_map(&vfio, pages, PAGES * page, IOVA) ||
	    ask_vfio_unmap(&vfio, PAGES * page, IOVA))
		return trouble("vfio");
	/* registers are no ordinary pages: GUP fails, and vfio asks follow_pfn */
	registers = ask_vfio_registers(&vfio, page);
	if (registers == MAP_FAILED || ask_vfio_map(&vfio, registers, page, IOVA))
		return trouble("registers of the device");
	return !ask_vfio_unmap(&vfio, page, IOVA) || trouble("vfio");
}

/* ---- other processes ---- */

static pid_t begin_child(void)
{
	pid_t parent = getpid(), child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	return child;
}

static void end_child(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static bool process_vm(const char *file)
{
	char *pages = map_pages(), *bytes = map_pages();
	struct iovec local = { bytes, PAGES * page }, remote = { pages, PAGES * page };
	pid_t child = begin_child();
	bool good = child > 0 &&
		    process_vm_readv(child, &local, 1, &remote, 1, 0) == (ssize_t)local.iov_len &&
		    process_vm_writev(child, &local, 1, &remote, 1, 0) == (ssize_t)local.iov_len;

	if (!good)
		trouble("process_vm");
	end_child(child);
	return good;
}

static bool proc_mem(const char *file)
{
	char *pages = map_pages(), byte = 0;
	pid_t child = begin_child();
	int mem = child > 0 ? ask_mem(child) : -1;
	bool good = mem >= 0 && pread(mem, &byte, 1, (off_t)(uintptr_t)pages) == 1 &&
		    pwrite(mem, &byte, 1, (off_t)(uintptr_t)pages) == 1;

	if (!good)
		trouble("/proc/PID/mem");
	end_child(child);
	return good;
}

static bool traced(const char *file)
{
	char *pages = map_pages();
	pid_t child = begin_child();
	bool good = child > 0 && !ptrace(PTRACE_ATTACH, child, NULL, NULL) &&
		    waitpid(child, NULL, 0) == child;

	errno = 0;
	good = good && (ptrace(PTRACE_PEEKDATA, child, pages, NULL) != -1 || !errno) &&
	       !ptrace(PTRACE_POKEDATA, child, pages, NULL);
	if (!good)
		trouble("ptrace");
	end_child(child);
	return good;
}

/* ---- pipes ---- */

static bool spliced(const char *file)
{
	struct iovec vec = { map_pages(), PAGES * page };
	int ends[2];

	if (pipe(ends))
		return trouble("pipe");
	return vmsplice(ends[1], &vec, 1, 0) == (ssize_t)vec.iov_len || trouble("vmsplice");
}

static const struct caller {
	const char *name;
	const char *what;
	bool wants_file;
	bool (*run)(const char *file);
} callers[] = {
	{ "io-uring", "registers a buffer, and unregisters it", false, io_uring },
	{ "io-uring-exit", "registers a buffer, and leaves it to the kernel to unregister it",
	  false, io_uring_exit },
	{ "direct-write", "writes to FILE, on a disk (lab/vm --disk 16M), with O_DIRECT", true,
	  direct_write },
	{ "direct-read", "reads FILE, on a disk, with O_DIRECT", true, direct_read },
	{ "process-vm", "process_vm_readv and process_vm_writev on a child", false, process_vm },
	{ "proc-mem", "reads and writes /proc/PID/mem of a child", false, proc_mem },
	{ "ptrace", "PTRACE_PEEKDATA and PTRACE_POKEDATA on a child", false, traced },
	{ "vmsplice", "gives pages to a pipe", false, spliced },
	{ "vfio", "lets a device reach memory, and its own registers (lab/vm --iommu)", false,
	  vfio },
};

#define NR_CALLERS (sizeof(callers) / sizeof(callers[0]))

static int usage(FILE *out)
{
	size_t i;

	fprintf(out, "usage: gupwalk-callers NAME [FILE]\n");
	for (i = 0; i < NR_CALLERS; i++)
		fprintf(out, "  %-15s%s\n", callers[i].name, callers[i].what);
	return out == stderr ? 2 : 0;
}

int main(int argc, char **argv)
{
	size_t i;

	page = sysconf(_SC_PAGESIZE);
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")))
		return usage(stdout);
	for (i = 0; argc > 1 && i < NR_CALLERS; i++)
		if (!strcmp(callers[i].name, argv[1]) && argc == 2 + callers[i].wants_file)
			return callers[i].run(argv[2]) ? 0 : 1;
	return usage(stderr);
}
