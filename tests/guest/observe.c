// SPDX-License-Identifier: GPL-2.0-only
/*
 * Observing: what real drivers of this kernel do to real memory, and who still holds it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../callers/ask.h"
#include "../leaky/leaky.h"
#include "lib.h"
#include "needs.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define PAGES 4

/* ---- what is observed ---- */

static int open_observe(void)
{
	int fd = open(module_file("observe"), O_RDWR | O_CLOEXEC | O_NONBLOCK);

	must(fd >= 0);
	return fd;
}

/* From now on, until the descriptor is closed. */
__attribute__((format(printf, 1, 2))) static int observe(const char *fmt, ...)
{
	int fd = open_observe();
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		fail("filter '%s': %m", line);
	return fd;
}

static long long probes_number(const char *key)
{
	return read_key(module_file("probes"), key);
}

static bool active(void)
{
	char *text = read_file(module_file("probes"), NULL);
	bool is = strncmp(text, "observer: none", strlen("observer: none"));

	free(text);
	return is;
}

/* All records that are there, as an array. */
static struct json_object *observed(int fd)
{
	struct json_object *records = json_object_new_array();
	size_t room = 1 << 20, used = 0;
	char *text = malloc(room), *line, *rest;
	ssize_t n;

	must(text);
	for (;;) {
		n = read(fd, text + used, room - used - 1);
		if (n < 0 && errno == EAGAIN)
			break;
		must(n > 0);
		used += n;
		if (room - used < 1 << 16) {
			room *= 2;
			text = realloc(text, room);
			must(text);
		}
	}
	text[used] = '\0';
	for (rest = text; (line = strsep(&rest, "\n")) && *line;) {
		struct json_object *record = json_tokener_parse(line);

		check_that(record, "not JSON: %.300s", line);
		check_str(jstr(record, "source"), "observe");
		check(jlen(record, "stack") > 0);
		rest[-1] = '\n';
		collect_line(line, rest - line);
		json_object_array_add(records, record);
	}
	free(text);
	return records;
}

/* The one of an op, or of the other, on an address; the first one, if there are several. */
static struct json_object *find_either(struct json_object *records, const char *op,
				       const char *other, const void *addr)
{
	char ops[1000] = "";
	size_t i;

	for (i = 0; i < json_object_array_length(records); i++) {
		struct json_object *record = json_object_array_get_idx(records, i);
		const char *is = jstr(record, "op");
		size_t used = strlen(ops);

		if ((!strcmp(is, op) || !strcmp(is, other)) &&
		    jhex(record, "addr") == (uintptr_t)addr) {
			asserted();
			return record;
		}
		snprintf(ops + used, sizeof(ops) - used, " %s(%#lx) by %s", is,
			 (unsigned long)jhex(record, "addr"), jstr(record, "driver"));
	}
	fail("no %s(%p) among%s", op, addr, ops);
}

static struct json_object *find(struct json_object *records, const char *op, const void *addr)
{
	return find_either(records, op, op, addr);
}

/* Names of builtin functions are the kernel's, and change a little. */
static void check_driver(struct json_object *record, const char *name, const char *other)
{
	const char *driver = jstr(record, "driver");

	check_that(strstr(driver, name) || (other && strstr(driver, other)),
		   "the driver is %s, and not %s", driver, name);
}

/* After the call each page looked at is the one that /proc shows, and that the call gave. */
static void check_pages(struct json_object *record, pid_t pid, const char *addr, bool there)
{
	size_t i, nr = jlen(record, "pages");
	char path[64];

	check_num(nr, jnum(record, "nr_pages") < PAGES ? jnum(record, "nr_pages") : PAGES);
	for (i = 0; i < nr; i++) {
		struct sight sight = look(pid, addr + i * PAGE);

		snprintf(path, sizeof(path), "pages.%zu.before.state", i);
		check_str(jstr(record, path), there ? "present" : "none");
		snprintf(path, sizeof(path), "pages.%zu.after.pfn", i);
		check_num(jnum(record, path), sight.pagemap & PM_PFN);
		snprintf(path, sizeof(path), "pages.%zu.pfn", i);
		check_num(jnum(record, path), sight.pagemap & PM_PFN);
		snprintf(path, sizeof(path), "pages.%zu.cause", i);
		check_str(jstr(record, path), there ? "unchanged" : "anon-allocated");
	}
}

/* From one reading: reading it may be a call too. */
static void check_adds_up(void)
{
	static const char *const parts[] = { "recorded: ", "filtered: ", "lost: ", "under_way: " };
	char *text = read_file(module_file("probes"), NULL), *line = strstr(text, "\nseen: ");
	long long sum = 0;
	size_t i;

	must(line);
	for (i = 0; i < NR_OF(parts); i++) {
		char *part = strstr(line, parts[i]);

		must(part);
		sum += atoll(part + strlen(parts[i]));
	}
	check_num(atoll(line + strlen("\nseen: ")), sum);
	free(text);
}

/* What a driver gives back in the background may take a moment. */
static void check_pins(long long wanted)
{
	uint64_t start = now_ms();

	while (probes_number("pins") != wanted && now_ms() - start < 3000)
		sleep_ms(5);
	check_num(probes_number("pins"), wanted);
	check_num(probes_number("pins_unknown"), 0);
}

/* The lines of pins.jsonl about one thing. */
static struct json_object *pins(const char *what)
{
	struct json_object *list = json_object_new_array(), *pin;
	char *text = read_file(module_file("pins.jsonl"), NULL), *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		pin = json_tokener_parse(line);
		check_that(pin, "not JSON: %.300s", line);
		if (!strcmp(jstr(pin, "what"), what))
			json_object_array_add(list, pin);
		else
			json_object_put(pin);
	}
	free(text);
	return list;
}

/* ---- direct I/O ---- */

/* Since "iov_iter_extract_pages" took the place of get_user_pages_fast() there (by v6.5). */
static const char *direct_io_op(void)
{
	return kernel_since(6, 5) ? "pin_user_pages_fast" : "get_user_pages_fast";
}

static int open_direct(void)
{
	char path[256], *pages = map_anon(PAGES * PAGE, true);
	int fd;

	snprintf(path, sizeof(path), "%s/direct-XXXXXX", ext4_directory());
	fd = mkostemp(path, O_CLOEXEC | O_DIRECT);
	must(fd >= 0 && !unlink(path));
	must(pwrite(fd, pages, PAGES * PAGE, 0) == (ssize_t)(PAGES * PAGE));
	munmap(pages, PAGES * PAGE);
	return fd;
}

static void check_direct_io(int fd, int file, bool write)
{
	char *pages = map_anon(PAGES * PAGE, write);
	struct json_object *record;
	ssize_t done;

	done = write ? pwrite(file, pages, PAGES * PAGE, 0) : pread(file, pages, PAGES * PAGE, 0);
	check_num(done, PAGES * PAGE);
	record = find(observed(fd), direct_io_op(), pages);
	check_driver(record, "ext4", NULL);
	check_num(jnum(record, "ret"), PAGES);
	check_num(jnum(record, "caller_pid"), getpid());
	check_num(jnum(record, "tgid"), getpid());
	/* what is read from a file is written to memory */
	check_num(jhas(record, "flags", "write"), !write);
	check(!jhas(record, "flags", "longterm"));
	check_pages(record, 0, pages, write);
	check_pins(0);
	check_adds_up();
}

static void direct_io(void)
{
	int file = open_direct(), fd = observe("pid=%d op=%s", getpid(), direct_io_op());

	check_direct_io(fd, file, true);
	check_direct_io(fd, file, false);
}

/* ---- memory of another process ---- */

static char *shared_buffer;

static void touch_buffer(void *arg)
{
	memset(shared_buffer, 'c', PAGES * PAGE);
}

static pid_t spawn_owner(void)
{
	shared_buffer = map_anon(PAGES * PAGE, true);
	return spawn(touch_buffer, NULL);
}

/* A call that fails says by which rule, as gupwalk's own do. */
static void check_failing(int fd)
{
	char bytes[8];
	struct iovec local = { bytes, 8 }, remote = { map_target(1), 8 };
	struct json_object *record;

	check_num(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), -1);
	check_num(errno, EFAULT);
	record = find(observed(fd), "pin_user_pages_remote", remote.iov_base);
	check_num(jnum(record, "ret"), -EFAULT);
	check_str(jstr(record, "errno"), "EFAULT");
	check_str(jstr(record, "reason"), "vma-io-pfnmap");
	check_str(jstr(record, "vma.kind"), "pfnmap");
	check_pins(0);
}

static void process_vm(void)
{
	pid_t child = spawn_owner();
	char bytes[2 * 64 * 1024];
	struct iovec local = { bytes, 2 * PAGE }, remote = { shared_buffer, 2 * PAGE };
	struct json_object *records, *record;
	int fd;

	must(2 * PAGE <= sizeof(bytes));
	fd = observe("pid=%d op=pin_user_pages_remote", getpid());
	check_num(process_vm_readv(child, &local, 1, &remote, 1, 0), 2 * PAGE);
	check_num(bytes[0], 'c');
	remote.iov_base = shared_buffer + 2 * PAGE;
	check_num(process_vm_writev(child, &local, 1, &remote, 1, 0), 2 * PAGE);
	records = observed(fd);
	record = find(records, "pin_user_pages_remote", shared_buffer);
	check_driver(record, "process_vm", NULL);
	check_num(jnum(record, "ret"), 2);
	check_num(jnum(record, "tgid"), child);
	check_num(jnum(record, "caller_tgid"), getpid());
	check_num(jlen(record, "flags"), 0);
	check_pages(record, child, shared_buffer, true);
	record = find(records, "pin_user_pages_remote", shared_buffer + 2 * PAGE);
	check(jhas(record, "flags", "write"));
	check_pages(record, child, shared_buffer + 2 * PAGE, true);
	check_pins(0);
	check_failing(fd);
	check_adds_up();
}

static void check_proc_mem(pid_t child, int fd)
{
	struct json_object *records, *record;
	int mem = ask_mem(child);
	char byte = 'x';

	must(mem >= 0);
	check_num(pread(mem, &byte, 1, (off_t)(uintptr_t)shared_buffer), 1);
	check_num(pwrite(mem, &byte, 1, (off_t)(uintptr_t)shared_buffer + PAGE), 1);
	records = observed(fd);
	record = find(records, "get_user_pages_remote", shared_buffer);
	check_driver(record, "mem_rw", "mem_read");
	check_num(jnum(record, "tgid"), child);
	check_num(jnum(record, "caller_tgid"), getpid());
	check(!jhas(record, "flags", "write"));
	check_pages(record, child, shared_buffer, true);
	record = find(records, "get_user_pages_remote", shared_buffer + PAGE);
	check(jhas(record, "flags", "write"));
	close(mem);
}

static void check_ptrace(pid_t child, int fd)
{
	struct json_object *records, *record;

	must(!ptrace(PTRACE_ATTACH, child, NULL, NULL) && waitpid(child, NULL, 0) == child);
	errno = 0;
	check_num(ptrace(PTRACE_PEEKDATA, child, shared_buffer, NULL) & 0xff, 'c');
	check_num(ptrace(PTRACE_POKEDATA, child, shared_buffer + PAGE, 0L), 0);
	records = observed(fd);
	record = find(records, "get_user_pages_remote", shared_buffer);
	check_driver(record, "ptrace", NULL);
	check(jhas(record, "flags", "force") && !jhas(record, "flags", "write"));
	check_pages(record, child, shared_buffer, true);
	record = find(records, "get_user_pages_remote", shared_buffer + PAGE);
	check(jhas(record, "flags", "force") && jhas(record, "flags", "write"));
}

static void proc_mem_ptrace(void)
{
	pid_t child = spawn_owner();
	int fd = observe("pid=%d op=get_user_pages_remote", child);

	check_proc_mem(child, fd);
	check_ptrace(child, fd);
	check_adds_up();
}

/* ---- pipes, and buffers for good ---- */

static void vmspliced(void)
{
	char *page = map_anon(PAGE, true);
	struct iovec vec = { page, PAGE };
	struct json_object *record, *references;
	int ends[2], fd;

	must(!pipe(ends));
	fd = observe("pid=%d op=get_user_pages_fast", getpid());
	check_num(vmsplice(ends[1], &vec, 1, 0), PAGE);
	record = find(observed(fd), "get_user_pages_fast", page);
	check_driver(record, "vmsplice", "iter_to_pipe");
	check_num(jlen(record, "pages"), 1);
	check_num(jnum(record, "pages.0.pfn"), look(0, page).pagemap & PM_PFN);
	/* a reference: nobody tells when it is dropped */
	check(jnull(record, "pages_left"));
	check_pins(0);
	references = pins("reference");
	check_num(json_object_array_length(references), 1);
	record = json_object_array_get_idx(references, 0);
	check_num(jnum(record, "nr_pages"), 1);
	check(jnull(record, "pages_left"));
	check_str(jstr(record, "owner"), "alive");
}

static void uring_buffers(void)
{
	char *pages = map_anon(PAGES * PAGE, true);
	struct json_object *records, *record, *pin, *held;
	int fd = observe("pid=%d op=pin_user_pages,pin_user_pages_fast", getpid());
	int ring = ask_uring_register(pages, PAGES * PAGE);

	if (ring < 0 && errno == ENOSYS)
		skip("this kernel has no io_uring");
	must(ring >= 0);
	/* which of the two, with the mmap lock or without, has changed more than once */
	records = observed(fd);
	record = find_either(records, "pin_user_pages", "pin_user_pages_fast", pages);
	check_driver(record, "io_", NULL);
	check_num(jnum(record, "ret"), PAGES);
	check(jhas(record, "flags", "write") && jhas(record, "flags", "longterm"));
	check_pages(record, 0, pages, true);
	check(jbool(record, "held"));
	check_pins(PAGES);
	held = pins("pin");
	check_num(json_object_array_length(held), 1);
	pin = json_object_array_get_idx(held, 0);
	check_driver(pin, "io_", NULL);
	check_num(jnum(pin, "pages_left"), PAGES);
	check_num(jnum(pin, "mapped"), PAGES);
	check_num(jnum(pin, "put_wrongly"), 0);
	must(!ask_uring_unregister(ring));
	check_pins(0);
	check_adds_up();
}

/* ---- vfio: a device given to a program ---- */

/* Registers of the device: no ordinary pages, so that vfio takes their page frames. */
static void map_registers(const struct ask_vfio *vfio, int fd)
{
	struct json_object *records, *record;
	char *bar = ask_vfio_registers(vfio, PAGE);

	must(bar != MAP_FAILED);
	json_object_put(observed(fd));
	check_num(ask_vfio_map(vfio, bar, PAGE, 64 * MiB), 0);
	records = observed(fd);
	record = find(records, "pin_user_pages_remote", bar);
	check_num(jnum(record, "ret"), -EFAULT);
	check_str(jstr(record, "reason"), "vma-io-pfnmap");
	check_driver(record, "vfio_iommu_type1", NULL);
	record = find(records, "follow_pfn", bar);
	check_driver(record, "vfio_iommu_type1", NULL);
	must(!ask_vfio_unmap(vfio, PAGE, 64 * MiB));
}

static void vfio_type1(void)
{
	char *pages = map_anon(16 * PAGE, true);
	struct ask_vfio vfio;
	const char *missing = ask_vfio_open(&vfio);
	struct json_object *record, *held;
	long long locked, left = 0;
	size_t i;
	int fd;

	if (missing)
		skip("%s", missing);
	locked = read_key("/proc/self/status", "VmLck");
	fd = observe("pid=%d op=pin_user_pages_remote,follow_pfn", getpid());
	must(!ask_vfio_map(&vfio, pages, 16 * PAGE, 16 * MiB));
	record = find(observed(fd), "pin_user_pages_remote", pages);
	check_str(jstr(record, "driver"), "vfio_iommu_type1");
	check(jhas(record, "flags", "write") && jhas(record, "flags", "longterm"));
	check_str(jstr(record, "pages.0.cause"), "unchanged");
	check_num(jnum(record, "pages.0.pfn"), look(0, pages).pagemap & PM_PFN);
	/* as many as the system counts, however many calls it took */
	check_pins(16);
	check_num(read_key("/proc/self/status", "VmLck") - locked, 16 * PAGE / 1024);
	held = pins("pin");
	for (i = 0; i < json_object_array_length(held); i++) {
		record = json_object_array_get_idx(held, i);
		check_str(jstr(record, "driver"), "vfio_iommu_type1");
		left += jnum(record, "mapped");
	}
	check_num(left, 16);
	must(!ask_vfio_unmap(&vfio, 16 * PAGE, 16 * MiB));
	check_pins(0);
	map_registers(&vfio, fd);
	check_adds_up();
}

/* ---- drivers with mistakes ---- */

static int leaky_fd = -1;

static int leaky(void)
{
	if (leaky_fd < 0)
		leaky_fd = open(LEAKY_DEVICE, O_RDWR | O_CLOEXEC);
	must(leaky_fd >= 0);
	return leaky_fd;
}

static int ask_leaky(unsigned int cmd, void *addr, size_t nr_pages)
{
	struct leaky_range range = { .addr = (uintptr_t)addr, .nr_pages = nr_pages };

	return ioctl(leaky(), cmd, &range);
}

/* What tests have pinned goes before the next one. */
static void unpin_leaky(void *arg)
{
	while (!ioctl(leaky(), LEAKY_UNPIN))
		;
}

static struct json_object *only_pin(void)
{
	struct json_object *held = pins("pin"), *pin;

	check_num(json_object_array_length(held), 1);
	pin = json_object_array_get_idx(held, 0);
	check_str(jstr(pin, "driver"), "leaky");
	check_str(jstr(pin, "op"), "pin_user_pages_fast");
	check(jhas(pin, "flags", "longterm") && jhas(pin, "flags", "write"));
	check_that(strstr(jstr(pin, "stack.0"), "leaky_pin"), "the stack begins with %s",
		   jstr(pin, "stack.0"));
	return pin;
}

static void pin_buffer(void *arg)
{
	must(ask_leaky(LEAKY_PIN, shared_buffer, PAGES) == PAGES);
}

/* Pages that are pinned when their process is gone, and nobody gives back. */
static void check_leak(int fd)
{
	struct json_object *pin, *record;
	pid_t child;

	shared_buffer = map_anon(PAGES * PAGE, true);
	child = spawn(pin_buffer, NULL);
	record = find(observed(fd), "pin_user_pages_fast", shared_buffer);
	check_str(jstr(record, "driver"), "leaky");
	check_num(jnum(record, "pages_left"), PAGES);
	pin = only_pin();
	check_num(jnum(pin, "tgid"), child);
	check_str(jstr(pin, "owner"), "alive");
	check_num(jnum(pin, "mapped"), PAGES);
	kill_and_reap(child);
	pin = only_pin();
	check_str(jstr(pin, "owner"), "gone");
	check_num(jnum(pin, "pages_left"), PAGES);
	check(jnull(pin, "mapped"));
	check(jnum(pin, "age_ns") > 0);
	/* it is found out too when another process gives them back */
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
	check_num(json_object_array_length(pins("pin")), 0);
}

/* The page that the driver has, and the one that the program sees. */
static void check_diverged(void)
{
	char *pages = map_anon(PAGES * PAGE, true);
	struct json_object *pin;

	must(ask_leaky(LEAKY_PIN, pages, PAGES) == PAGES);
	must(!madvise(pages, PAGE, MADV_DONTNEED));
	pages[0] = 'n';
	must(!munmap(pages + PAGE, PAGE));
	pin = only_pin();
	check_num(jnum(pin, "replaced"), 1);
	check_num(jnum(pin, "unmapped"), 1);
	check_num(jnum(pin, "mapped"), PAGES - 2);
	check_num(jnum(pin, "put_wrongly"), 0);
	must(!ioctl(leaky(), LEAKY_UNPIN));
}

/* A pin that is dropped as a reference leaves the page with 1023 references of nobody. */
static void check_wrong_put(char *pages)
{
	struct json_object *pin;

	drain();
	must(ask_leaky(LEAKY_PIN, pages, PAGES) == PAGES);
	check_num(jnum(only_pin(), "put_wrongly"), 0);
	must(!ioctl(leaky(), LEAKY_PUT));
	drain();
	pin = only_pin();
	check_num(jnum(pin, "put_wrongly"), 1);
	check_num(jnum(pin, "unpinned_unseen"), 0);
	check_num(jnum(pin, "pages_left"), PAGES);
	must(!ioctl(leaky(), LEAKY_UNPIN));
}

static char *map_memory(int fd)
{
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			   fd, 0);

	must(pages != MAP_FAILED);
	return pages;
}

/* As many as the driver pins at once, each in a folio of its own; and pins more of one of them. */
static void check_many(void)
{
	char *pages = map_anon(LEAKY_PAGES_MAX * PAGE, true);
	struct json_object *pin;
	long more = 0;

	must(ask_leaky(LEAKY_PIN, pages, LEAKY_PAGES_MAX) == LEAKY_PAGES_MAX);
	check_pins(LEAKY_PAGES_MAX);
	pin = only_pin();
	check_num(jnum(pin, "nr_pages"), LEAKY_PAGES_MAX);
	check_num(jnum(pin, "mapped"), jnum(pin, "looked_at"));
	if (!ioctl(leaky(), LEAKY_PIN_MORE))
		more = LEAKY_MORE;
	else
		check_num(errno, EOPNOTSUPP);
	check_num(more > 0, kernel_since(7, 2));
	check_pins(LEAKY_PAGES_MAX + more);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
	munmap(pages, LEAKY_PAGES_MAX * PAGE);
}

/* A reference that is given back as a pin takes 1023 references of others with it. */
static void check_wrong_unpin_of_get(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *wrong;

	must(!ask_leaky(LEAKY_UNPIN_OF_GET, page, 1));
	wrong = pins("wrong-unpin");
	check_num(json_object_array_length(wrong), 1);
	wrong = json_object_array_get_idx(wrong, 0);
	check_str(jstr(wrong, "driver"), "leaky");
	check_num(jnum(wrong, "pfn"), look(0, page).pagemap & PM_PFN);
	check_str(jstr(wrong, "taken_by"), "get_user_pages_fast");
	check(strstr(jstr(wrong, "stack.0"), "leaky_unpin_of_get"));
	check(strstr(jstr(wrong, "taken_stack.0"), "leaky_unpin_of_get"));
	check_num(probes_number("released_wrongly"), 1);
}

static void check_wrong_unpin(void)
{
	char *page = map_anon(PAGE, true);

	check_wrong_unpin_of_get();
	/* one that is right is none */
	must(ask_leaky(LEAKY_PIN, page, 1) == 1);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_num(probes_number("released_wrongly"), 1);
}

/*
 * A page frame that has no struct page, in a mapping that has pages too: kernels before v5.18 count
 * it as pinned, and write nothing where its page is to be.
 */
static void hole(void)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, leaky(), 0);
	int got = kernel_since(5, 18) ? 1 : 2, fd, run;
	struct json_object *record;

	if (pages == MAP_FAILED && errno == ENXIO)
		skip("this machine has a struct page for each page frame");
	must(pages != MAP_FAILED);
	at_end(unpin_leaky, NULL);
	fd = observe("pid=%d op=pin_user_pages_fast,pin_user_pages", getpid());
	check_num(ask_leaky(LEAKY_PIN, pages, 2), got);
	record = find(observed(fd), "pin_user_pages_fast", pages);
	check_num(jnum(record, "ret"), got);
	check(jnum(record, "pages.0.pfn") > 0);
	check_num(jnum(record, "pages.0.pfn"), jnum(record, "pages.0.after.pfn"));
	check(jnull(record, "pages.1.pfn"));
	check_str(jstr(record, "pages.1.before.state"), "present");
	if (got == 1)
		check_str(jstr(record, "reason"), "no-struct-page");
	check_pins(1);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
	check_num(probes_number("released_wrongly"), 0);
	run = run_open();
	record = record_on(run, "op=pin_user_pages addr=%p nr_pages=2 flags=write hold", pages);
	check_num(jnum(record, "ret"), got);
	check(jnum(record, "pages.0.pfn") > 0);
	check(jnull(record, "pages.1.pfn"));
	/* alone: nothing that could be held, read or written */
	record = record_on(run, "op=pin_user_pages addr=%p flags=write hold peek=4", pages + PAGE);
	check_num(jnum(record, "ret"), got == 1 ? -EEXIST : 1);
	check(jnull(record, "pages.0.pfn"));
	/* a reference is never a hole; it is foreseen */
	record = record_on(run, "op=get_user_pages addr=%p", pages + PAGE);
	check_num(jnum(record, "ret"), got == 1 ? -EEXIST : -EFAULT);
	check_str(jstr(record, "reason"), "no-struct-page");
	record = record_on(run, "op=get_user_pages addr=%p predict", pages + PAGE);
	check_str(jstr(record, "predicted"), "fails");
	check_str(jstr(record, "reason"), "no-struct-page");
	check_num(jnum(record, "ret"), got == 1 ? -EEXIST : -EFAULT);
	close(run);
	munmap(pages, 2 * PAGE);
}

/* ---- whose pin it was that was given back ---- */

static void copy_own(char *page)
{
	char bytes[8];
	struct iovec local = { bytes, 8 }, remote = { page, 8 };

	check_num(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), 8);
}

/*
 * A page that is pinned for good is pinned and unpinned once more. That one is seen, or not: in
 * both cases it is not the first that goes.
 */
static void overlapping(void)
{
	char *page = map_anon(PAGE, true), *many;
	int fd;

	at_end(unpin_leaky, NULL);
	fd = observe("pid=%d op=pin_user_pages_fast", getpid());
	must(ask_leaky(LEAKY_PIN, page, 1) == 1);
	copy_own(page);
	check_num(jnum(only_pin(), "pages_left"), 1);
	check_num(probes_number("released_ambiguous"), 1);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
	close(fd);
	fd = observe("pid=%d op=pin_user_pages_fast,pin_user_pages_remote", getpid());
	must(ask_leaky(LEAKY_PIN, page, 1) == 1);
	copy_own(page);
	check_num(jnum(only_pin(), "pages_left"), 1);
	check_num(probes_number("released"), 1);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
	check_num(probes_number("released"), 2);
	close(fd);
	/* an array that has the same page twice */
	fd = observe("pid=%d op=pin_user_pages_fast", getpid());
	check_num(ask_leaky(LEAKY_PIN_TWICE, page, 1), 2);
	check_pins(2);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
	check_num(probes_number("released"), 2);
	/* so many that it is not known any more, when they come again: their counts tell */
	many = map_anon(64 * PAGE, true);
	check_num(ask_leaky(LEAKY_PIN_TWICE, many, 64), 128);
	check_pins(128);
	check_num(json_object_array_length(pins("pin")), 2);
	check_num(probes_number("released_unseen"), 0);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_num(json_object_array_length(pins("pin")), 0);
	check_pins(0);
	check_num(probes_number("released_wrongly"), 0);
}

static void end_thread(int signal)
{
	syscall(SYS_exit, 0);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

/* Its first thread goes when it gets the signal, the other one stays. */
static void pin_with_two_threads(void *arg)
{
	pthread_t thread;
	sigset_t set;

	pin_buffer(NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(!sigprocmask(SIG_BLOCK, &set, NULL) && signal(SIGUSR1, end_thread) != SIG_ERR);
	must(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	must(!sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static bool is_zombie(pid_t pid)
{
	char path[64], *text, *state;
	bool is;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_file(path, NULL);
	state = strrchr(text, ')');
	is = state && state[2] == 'Z';
	free(text);
	return is;
}

/* A process lives as long as one of its threads does. */
static void first_thread_ends(void)
{
	uint64_t start = now_ms();
	struct json_object *pin;
	pid_t child;

	at_end(unpin_leaky, NULL);
	shared_buffer = map_anon(PAGES * PAGE, true);
	must(observe("pid=%d children op=pin_user_pages_fast", getpid()) >= 0);
	child = spawn(pin_with_two_threads, NULL);
	must(!kill(child, SIGUSR1));
	while (!is_zombie(child) && now_ms() - start < 3000)
		sleep_ms(5);
	must(is_zombie(child));
	pin = only_pin();
	check_str(jstr(pin, "owner"), "alive");
	check_num(jnum(pin, "mapped"), PAGES);
	kill_and_reap(child);
	check_str(jstr(only_pin(), "owner"), "gone");
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
}

/* ---- a driver that is gone ---- */

static void load_leaky(void *arg)
{
	char *list = strdup(getenv("GUPWALK_KOS") ?: ""), *rest = list, *ko;
	int fd = -1;

	while (fd < 0 && (ko = strsep(&rest, " ")))
		if (strstr(ko, "/leaky.ko"))
			fd = open(ko, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		skip("GUPWALK_KOS does not name leaky.ko");
	must(!syscall(SYS_finit_module, fd, "", 0) || errno == EEXIST);
	close(fd);
	free(list);
}

static void unload_leaky(void)
{
	close(leaky_fd);
	leaky_fd = -1;
	must(!syscall(SYS_delete_module, "leaky", O_NONBLOCK));
}

/* What it has done is its own still, by name, when it is no longer there. */
static void driver_unloaded(void)
{
	char *page = map_anon(PAGE, true);
	struct json_object *wrong, *pin;

	load_leaky(NULL);
	at_end(load_leaky, NULL);
	must(observe("pid=%d op=pin_user_pages_fast", getpid()) >= 0);
	must(ask_leaky(LEAKY_PIN, page, 1) == 1);
	must(!ioctl(leaky(), LEAKY_LEAVE));
	if (access("/sys/kernel/debug/kmemleak", F_OK))
		must(!ask_leaky(LEAKY_UNPIN_OF_GET, map_anon(PAGE, true), 1));
	unload_leaky();
	pin = only_pin();
	check_num(jnum(pin, "pages_left"), 1);
	if (access("/sys/kernel/debug/kmemleak", F_OK)) {
		wrong = json_object_array_get_idx(pins("wrong-unpin"), 0);
		check_str(jstr(wrong, "driver"), "leaky");
		check(strstr(jstr(wrong, "stack.0"), "leaky_unpin_of_get"));
	}
	load_leaky(NULL);
	/* another may be where it was */
	check_str(jstr(only_pin(), "driver"), "leaky");
	must(ask_leaky(LEAKY_TAKE_OVER, page, 1) == 0);
	must(!ioctl(leaky(), LEAKY_UNPIN));
	check_pins(0);
}

static void mistakes(void)
{
	int fd;

	at_end(unpin_leaky, NULL);
	fd = observe("pid=%d children op=pin_user_pages_fast,get_user_pages_fast", getpid());
	check_leak(fd);
	check_diverged();
	check_wrong_put(map_anon(PAGES * PAGE, true));
	/* the cache of a file has a reference of its own */
	check_wrong_put(map_memory(file_shmem(PAGES * PAGE)));
	check_many();
	check_num(probes_number("released_wrongly"), 0);
	/* the kernel ends itself when a driver does that */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		note("CONFIG_DEBUG_VM: no reference is given back as a pin");
	else
		check_wrong_unpin();
	close(fd);
	/* who observes references alone is told as well */
	if (access("/sys/kernel/debug/kmemleak", F_OK)) {
		fd = observe("pid=%d op=get_user_pages_fast", getpid());
		check_wrong_unpin_of_get();
		close(fd);
	}
}

/* ---- filters ---- */

static void read_mem(int mem, char *addr, size_t size)
{
	static char bytes[4 * 64 * 1024];

	must(mem >= 0 && size <= sizeof(bytes));
	must(pread(mem, bytes, size, (off_t)(uintptr_t)addr) == (ssize_t)size);
}

/* A call of get_user_pages_remote() for each page. */
static void read_own(char *addr, size_t size)
{
	static int mem = -1;

	if (mem < 0)
		mem = ask_mem(getpid());
	read_mem(mem, addr, size);
}

static void copy_from_parent(void *arg)
{
	read_mem(ask_mem(getppid()), arg, PAGE);
}

/* How many calls become records if there is this filter, of @nr here and one by a child. */
static size_t recorded_with(const char *filter, char *pages, size_t nr)
{
	int fd = observe("op=get_user_pages_remote %s", filter);
	size_t recorded;
	pid_t child;

	read_own(pages, nr * PAGE);
	child = spawn(copy_from_parent, pages);
	kill_and_reap(child);
	recorded = json_object_array_length(observed(fd));
	check_num(probes_number("recorded"), recorded);
	check(probes_number("seen") >= 2);
	check_adds_up();
	close(fd);
	return recorded;
}

/* What was found out once to be another driver's needs no room any more. */
static void other_drivers(char *pages)
{
	int fd = observe("op=get_user_pages_remote pid=%d module=nobody", getpid()), i;

	read_own(pages, PAGE);
	check_num(json_object_array_length(observed(fd)), 0);
	for (i = 0; i < 3000; i++)
		read_own(pages, PAGE);
	check_num(json_object_array_length(observed(fd)), 0);
	check_num(probes_number("filtered"), 3001);
	check_num(probes_number("lost"), 0);
	check_num(probes_number("recorded"), 0);
	close(fd);
}

static void filters(void)
{
	char *pages = map_anon(PAGES * PAGE, true), line[128];

	snprintf(line, sizeof(line), "pid=%d children", getpid());
	check_num(recorded_with(line, pages, 1), 2);
	/* the child's call is on the parent's memory */
	snprintf(line, sizeof(line), "pid=%d", getpid());
	check_num(recorded_with(line, pages, 1), 2);
	check_num(recorded_with("pid=1 children comm=nobody", pages, 1), 0);
	check_num(recorded_with("comm=nobody", pages, 1), 0);
	snprintf(line, sizeof(line), "pid=%d others", getpid());
	/* the child's call is left */
	check_num(recorded_with(line, pages, 1), 1);
	snprintf(line, sizeof(line), "pid=%d min_pages=1", getpid());
	check_num(recorded_with(line, pages, 1), 2);
	snprintf(line, sizeof(line), "pid=%d min_pages=2", getpid());
	check_num(recorded_with(line, pages, 1), 0);
	snprintf(line, sizeof(line), "pid=%d addr=%p-%p", getpid(), pages + PAGE, pages + 2 * PAGE);
	check_num(recorded_with(line, pages, 2), 1);
	snprintf(line, sizeof(line), "pid=%d min_ns=100000000000", getpid());
	check_num(recorded_with(line, pages, 1), 0);
	other_drivers(pages);
}

/* Refused: the errno, what is said about it, and nothing else happens. */
static void refused(const char *line, int error, const char *text)
{
	int fd = open_observe();
	char answer[2048] = "";
	ssize_t n;

	check_num(write(fd, line, strlen(line)), -1);
	check_num(errno, error);
	n = read(fd, answer, sizeof(answer) - 1);
	check_that(n > 0 && strstr(answer, text), "'%s' is answered with '%s'", line, answer);
	check_num(read(fd, answer, sizeof(answer)), 0);
	check(!active());
	close(fd);
}

static void bad_filters(void)
{
	char line[5000];

	refused("nonsense", EINVAL, "no such word");
	refused("pid=99999999", ESRCH, "no such process");
	refused("pid=x", EINVAL, "not a number");
	refused("op=walk", EINVAL, "none that is observed");
	refused("op=handle_mm_fault", EINVAL, "needs pid=");
	refused("children", EINVAL, "needs pid=");
	refused("addr=0x2000-0x1000", EINVAL, "ends before");
	refused("comm=", EINVAL, "no name");
	refused("comm=a comm=b", EINVAL, "given twice");
	refused("comm=a-name-that-is-too-long", E2BIG, "longer");
	refused("comm=a\ncomm=b\n", EINVAL, "more than one line");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	refused(line, E2BIG, "longer than");
}

/* ---- the probes come and go ---- */

static void start_observer(void *arg)
{
	observe("comm=nobody op=get_user_pages_remote");
}

static void one_at_a_time(void)
{
	int fd = observe("comm=nobody op=get_user_pages_remote"), other = open_observe();
	char answer[512] = "", line[64];
	int i;

	check(active());
	snprintf(line, sizeof(line), "pid=%d others op=get_user_pages_remote\n", getpid());
	/* so often that a reference given back twice would be found out */
	for (i = 0; i < 32; i++) {
		check_num(write(other, line, strlen(line)), -1);
		check_num(errno, EBUSY);
	}
	check(read(other, answer, sizeof(answer) - 1) > 0 && strstr(answer, "already"));
	check_num(write(fd, "\n", 1), -1);
	check_num(errno, EBUSY);
	close(fd);
	check(!active());
	check_num(write(other, "op=get_user_pages_remote\n", 25), 25);
	check(active());
	close(other);
	check(!active());
}

static void killed(void)
{
	pid_t child = spawn(start_observer, NULL);

	check(active());
	/* nobody takes the module away meanwhile */
	check_num(syscall(SYS_delete_module, "gupwalk", O_NONBLOCK), -1);
	check(errno == EAGAIN || errno == EBUSY || errno == EWOULDBLOCK);
	kill_and_reap(child);
	check(!active());
	check_num(json_object_array_length(pins("pin")), 0);
}

static void own_calls(void)
{
	char *page = map_anon(PAGE, true);
	int fd = observe("pid=%d op=pin_user_pages,get_user_pages_remote", getpid()),
	    run = run_open();

	record_on(run, "op=pin_user_pages addr=%p flags=write hold", page);
	record_on(run, "op=get_user_pages_remote addr=%p", page);
	close(run);
	check_num(json_object_array_length(observed(fd)), 0);
	check_num(probes_number("pins"), 0);
	check_num(probes_number("released_wrongly"), 0);
}

static void page_faults(void)
{
	char *page = map_anon(PAGE, false);
	int fd = observe("op=handle_mm_fault pid=%d", getpid());
	struct json_object *record;

	*(volatile char *)page = 1;
	record = find(observed(fd), "handle_mm_fault", page);
	check_str(jstr(record, "pages.0.before.state"), "none");
	check_num(jnum(record, "pages.0.after.pfn"), look(0, page).pagemap & PM_PFN);
	check_str(jstr(record, "pages.0.cause"), "anon-allocated");
	check(jhas(record, "flags", "write"));
	check_adds_up();
}

/* ---- more than there is room for ---- */

static void lost(void)
{
	char *page = map_anon(PAGE, true);
	int fd = observe("op=get_user_pages_remote pid=%d", getpid()), i;
	long long records;

	collect(false);
	for (i = 0; i < 3000; i++)
		read_own(page, PAGE);
	records = json_object_array_length(observed(fd));
	check_num(probes_number("seen"), 3000);
	check_num(probes_number("recorded"), records);
	check(probes_number("lost") > 0);
	check_adds_up();
	/* there is room again */
	read_own(page, PAGE);
	check_num(json_object_array_length(observed(fd)), 1);
}

/* ---- all at once ---- */

/* Earlier tests have mounted it, where there can be one. */
static bool has_ext4(void)
{
	struct statfs fs;

	return !statfs(ext4_directory(), &fs) && fs.f_type == EXT4_SUPER_MAGIC;
}

static void work_direct(void *arg)
{
	char *pages = map_anon(PAGES * PAGE, true);
	int file = open_direct();

	for (;;) {
		must(pread(file, pages, PAGES * PAGE, 0) > 0);
		madvise(pages, PAGES * PAGE, MADV_DONTNEED);
		must(pwrite(file, pages, PAGES * PAGE, 0) > 0);
	}
}

static void work_copy(void *arg)
{
	char *pages = map_anon(PAGES * PAGE, true);

	for (;;) {
		read_own(pages, PAGES * PAGE);
		if (!fork())
			_exit(0);
		wait(NULL);
	}
}

static void work_pin(void *arg)
{
	for (;;) {
		char *pages = map_anon(PAGES * PAGE, true);

		if (ask_leaky(LEAKY_PIN, pages, PAGES) == PAGES) {
			munmap(pages, PAGES * PAGE);
			ioctl(leaky(), LEAKY_UNPIN);
		}
	}
}

static void work_collapse(void *arg)
{
	size_t size = pmd_size() <= 4 * MiB ? pmd_size() : 16 * PAGE;
	char *pages = reserve(size);

	must(!mprotect(pages, size, PROT_READ | PROT_WRITE));
	for (;;) {
		memset(pages, 1, size);
		madvise(pages, size, MADV_COLLAPSE);
		read_own(pages, PAGES * PAGE);
		madvise(pages, size, MADV_DONTNEED);
	}
}

static void work_unload(void *arg)
{
	for (;;) {
		syscall(SYS_delete_module, "gupwalk", O_NONBLOCK);
		sleep_ms(3);
	}
}

/* The family of which all calls are observed; the test itself is no part of it. */
static void work_all(void *arg)
{
	void (*const works[])(void *arg) = {
		work_direct, work_copy, work_pin, work_collapse, work_unload,
	};
	const int *ready = arg;
	char byte;
	size_t i;

	if (read(ready[0], &byte, 1) != 1)
		_exit(1);
	/* who reads what they do comes first */
	must(nice(10) >= 0);
	for (i = 0; i < NR_OF(works); i++) {
		if ((works[i] == work_direct && !has_ext4()) || fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		works[i](NULL);
	}
	for (;;)
		pause();
}

/* Reads for a while, while others make more: each line is a record. */
static long long count_records(int fd)
{
	static char bytes[1 << 16];
	long long records = 0;
	int reads = 0;
	ssize_t n, i;

	while (reads++ < 8 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		for (i = 0; i < n; i++)
			records += bytes[i] == '\n';
	return records;
}

static void storm(void)
{
	/* a minute, or two seconds and a half where many kernels have their turn */
	unsigned int ms = brevity() == 1 ? 60000 : 2500 * brevity();
	uint64_t start = now_ms();
	long long records = 0;
	int ready[2], fd, rounds = 0;
	pid_t family;

	collect(false);
	at_end(unpin_leaky, NULL);
	must(!pipe(ready) && !prctl(PR_SET_CHILD_SUBREAPER, 1));
	family = fork();
	must(family >= 0);
	if (!family) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work_all(ready);
	}
	fd = observe("pid=%d children op=%s", family,
		     "handle_mm_fault,pin_user_pages_remote,pin_user_pages_fast,"
		     "get_user_pages_fast,get_user_pages_remote,pin_user_pages");
	must(write(ready[1], "", 1) == 1);
	/* For a while nobody reads: there is no room for what comes then. */
	while (going_on(start, ms, records > 50)) {
		if (probes_number("lost")) {
			records += count_records(fd);
			if (!(rounds++ % 16))
				json_object_put(pins("pin"));
		}
		sleep_ms(5);
	}
	kill(family, SIGKILL);
	while (wait(NULL) > 0)
		;
	unpin_leaky(NULL);
	note("%lld calls, %lld recorded, %lld of them read, %lld lost, %lld nested",
	     probes_number("seen"), probes_number("recorded"), records, probes_number("lost"),
	     probes_number("nested"));
	check(records > 50 && probes_number("recorded") >= records);
	check(probes_number("lost") > 0);
	check_num(probes_number("under_way"), 0);
	check_adds_up();
	check_num(probes_number("released_wrongly"), 0);
	/* of a call that was lost nothing is known, of a release that was missed neither */
	if (!probes_number("releases_lost"))
		check_pins(0);
}

const struct test tests_observe[] = {
	{ "observe/direct-io", direct_io, NEED_EXT4 },
	{ "observe/process-vm", process_vm, NEED_PROCESS_VM },
	{ "observe/proc-mem-ptrace", proc_mem_ptrace },
	{ "observe/vmsplice", vmspliced },
	{ "observe/io-uring-buffers", uring_buffers },
	{ "observe/vfio-type1", vfio_type1 },
	{ "observe/mistakes", mistakes, NEED_LEAKY },
	{ "observe/hole", hole, NEED_LEAKY },
	{ "observe/overlapping", overlapping, NEED_LEAKY | NEED_PROCESS_VM },
	{ "observe/first-thread-ends", first_thread_ends, NEED_LEAKY },
	{ "observe/driver-unloaded", driver_unloaded, NEED_LEAKY },
	{ "observe/filters", filters },
	{ "observe/bad-filters", bad_filters },
	{ "observe/one-at-a-time", one_at_a_time },
	{ "observe/killed", killed },
	{ "observe/own-calls", own_calls },
	{ "observe/page-faults", page_faults },
	{ "observe/lost", lost },
	{ "observe/storm", storm, NEED_LEAKY, 240 },
	{ }
};
