/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the guest share: the outcome of a test, requests and their answers, what /proc
 * says about memory, and memory of every kind.
 *
 * A test is a function. It returns when it passed; fail() and skip() end it. Each runs in a
 * process of its own, so what it maps, opens and starts is gone after it.
 */
#ifndef GUPWALK_TESTS_LIB_H
#define GUPWALK_TESTS_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <json-c/json.h>

/* Linux 6.13; the headers of the machine that compiles this may be older. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* ---- a test ---- */

/* What a test needs of the machine; each has a row in needs[] of needs.c. */
#define NEED_THP 0x1u
#define NEED_HUGETLB_2M 0x2u
#define NEED_HUGETLB_1G 0x4u
#define NEED_SWAP 0x8u
#define NEED_TWO_NODES 0x10u
#define NEED_HWPOISON 0x20u
#define NEED_UFFD 0x40u
#define NEED_KSM 0x80u
#define NEED_SECRETMEM 0x100u
#define NEED_LEVELS_5 0x200u
#define NEED_KO 0x800u
#define NEED_LAYOUT 0x1000u
#define NEED_EXT4 0x2000u
#define NEED_PKEYS 0x4000u
#define NEED_PTI 0x8000u
#define NEED_SOFT_DIRTY 0x10000u
#define NEED_DEVICE_MEMORY 0x20000u
#define NEED_MOVABLE_ZONE 0x40000u
#define NEED_PUD 0x80000u
#define NEED_HUGETLB_CONT 0x100000u
#define NEED_HUGETLB_CONT_PMD 0x8000000u
#define NEED_THP_CONT 0x200000u
#define NEED_UFFD_WP 0x400000u
#define NEED_UFFD_WP_SHMEM 0x800000u
#define NEED_UFFD_POISON 0x1000000u
#define NEED_GUARD 0x2000000u
#define NEED_NUMA_BALANCING 0x4000000u
#define NEED_SPOIL 0x10000000u
#define NEED_LEAKY 0x20000000u
#define NEED_PROCESS_VM 0x40000000u

/**
 * struct test - a test
 * @name: its name, AREA/WHAT
 * @run: the test
 * @needs: NEED_* bits
 * @seconds: how long it may take, times slowness(); 0: 120
 */
struct test {
	const char *name;
	void (*run)(void);
	unsigned int needs;
	unsigned int seconds;
};

/* Each area, ended by a test without a name. */
extern const struct test tests_states[], tests_moving[], tests_facts[], tests_reasons[];
extern const struct test tests_family[], tests_observe[];
extern const struct test tests_predict[], tests_bulk[], tests_whole[], tests_translate[];
extern const struct test tests_extents[];
extern const struct test tests_bad[], tests_races[], tests_load[], tests_layout[], tests_target[];

/**
 * need_missing() - is something missing that a test needs
 * @needs: NEED_* bits
 *
 * Return: NULL, or what is missing.
 */
const char *need_missing(unsigned int needs);

/**
 * failed() - end the test: it failed; see fail() and the check macros
 * @file: where
 * @line: where
 * @fmt: why
 */
__attribute__((noreturn, format(printf, 3, 4)))
void failed(const char *file, int line, const char *fmt, ...);

/* The test ends: it cannot be done here. */
__attribute__((noreturn, format(printf, 1, 2))) void skip(const char *fmt, ...);

/* A line of explanation under the test's line. */
__attribute__((format(printf, 1, 2))) void note(const char *fmt, ...);

/* Something was asserted; a test that passes without it has failed. */
void asserted(void);

#define NR_OF(array) (sizeof(array) / sizeof((array)[0]))

#define fail(...) failed(__FILE__, __LINE__, __VA_ARGS__)

#define check(condition)						\
	do {								\
		asserted();						\
		if (!(condition))					\
			fail("not true: %s", #condition);		\
	} while (0)

/* A condition that the lib or the machine has to meet, with errno in the message. */
#define must(condition)							\
	do {								\
		if (!(condition))					\
			fail("could not: %s: %m", #condition);		\
	} while (0)

#define check_that(condition, ...)					\
	do {								\
		asserted();						\
		if (!(condition))					\
			fail(__VA_ARGS__);				\
	} while (0)

#define check_num(got, want)						\
	check_num_at(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define check_hex(got, want)						\
	check_hex_at(__FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(want))
#define check_str(got, want) check_str_at(__FILE__, __LINE__, #got, (got), (want))

void check_num_at(const char *file, int line, const char *what, long long got, long long want);
void check_hex_at(const char *file, int line, const char *what, uint64_t got, uint64_t want);
/* NULL is a value like any other: JSON's null. */
void check_str_at(const char *file, int line, const char *what, const char *got, const char *want);

/* Called with @arg when the test ends, however it ends; last one first. */
void at_end(void (*undo)(void *arg), void *arg);

/* ---- JSON ---- */

/*
 * @path: keys and numbers of elements, with dots between: pages.0.before.levels.-1.value; -1
 *	is the last element. A path that does not lead to a value of the type that is asked for
 *	fails the test.
 */
struct json_object *jget(struct json_object *object, const char *path);
long long jnum(struct json_object *object, const char *path);
uint64_t jhex(struct json_object *object, const char *path);
const char *jstr(struct json_object *object, const char *path);
bool jbool(struct json_object *object, const char *path);
bool jnull(struct json_object *object, const char *path);
size_t jlen(struct json_object *object, const char *path);
/* Has an object such a key? */
bool jkey(struct json_object *object, const char *key);
/* Is @token in an array of strings? */
bool jhas(struct json_object *object, const char *path, const char *token);

/* ---- the module ---- */

/* Path of a file of the module's directory. Valid until the fourth call after this one. */
const char *module_file(const char *name);

/*
 * A file as a whole, with a NUL at its end; @length may be NULL. Fails the test if it cannot be
 * read.
 */
char *read_file(const char *path, size_t *length);
void write_file(const char *path, const char *text);
bool try_write_file(const char *path, const char *text);
/* A number that a file holds. */
long long read_number(const char *path);
/*
 * The number after @key in a file of lines "key number" or "key: number", as /proc/vmstat. -1:
 * there is none.
 */
long long read_key(const char *path, const char *key);

/* A number of the file `version`. */
long long version_number(const char *key);

/* A new descriptor of `run`. */
int run_open(void);

/**
 * struct answer - what came of a request
 * @error: errno of the write, 0 if it succeeded
 * @json: what the descriptor answers, parsed; NULL if it answers nothing
 * @text: the same as it was read
 * @length: bytes of it
 */
struct answer {
	int error;
	struct json_object *json;
	char *text;
	size_t length;
};

/* One write of @length bytes, and all that can be read afterwards. */
struct answer ask_bytes(int fd, const void *line, size_t length);
__attribute__((format(printf, 2, 3))) struct answer ask(int fd, const char *fmt, ...);
void answer_free(struct answer *answer);

/* A request that has to be served: on a descriptor of its own, resp. on @fd. Return: the record. */
__attribute__((format(printf, 1, 2))) struct json_object *record(const char *fmt, ...);
__attribute__((format(printf, 2, 3))) struct json_object *record_on(int fd, const char *fmt, ...);

/* Stress tests do not want each of their thousands of records among the collected ones. */
void collect(bool on);
/* Collects a record, a line with its newline, that was not got by a request. */
void collect_line(const char *line, size_t length);

/* ---- what /proc says ---- */

#define PM_SOFT_DIRTY (1ULL << 55)
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_UFFD_WP (1ULL << 57)
#define PM_FILE (1ULL << 61)
#define PM_SWAP (1ULL << 62)
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)

#define KPF_UPTODATE 3
#define KPF_DIRTY 4
#define KPF_ANON 12
#define KPF_SWAPBACKED 14
#define KPF_HEAD 15
#define KPF_HUGE 17
#define KPF_UNEVICTABLE 18
#define KPF_HWPOISON 19
#define KPF_NOPAGE 20
#define KPF_KSM 21
#define KPF_THP 22
#define KPF_ZERO 24
#define KPF_RESERVED 32
#define KPF_MLOCKED 33

/**
 * struct sight - what /proc says about an address
 * @pagemap: its word in /proc/PID/pagemap
 * @flags: /proc/kpageflags of its page frame, 0 if it has none
 * @count: /proc/kpagecount likewise
 */
struct sight {
	uint64_t pagemap;
	uint64_t flags;
	uint64_t count;
};

/* @pid: 0 for one's own. */
struct sight look(pid_t pid, const void *addr);
uint64_t kpageflags(uint64_t pfn);
static inline bool kpf(uint64_t flags, int bit) { return flags >> bit & 1; }

/* The name of the zone that a page frame is in, from /proc/zoneinfo. */
const char *zone_of(uint64_t pfn);

/* ---- the oracle: snapshots held against /proc and against the address ---- */

/*
 * Fails the test if @snap, a snapshot of @addr, contradicts itself, the address, or what /proc
 * said in the same moment.
 */
void agree(struct json_object *snap, const void *addr, const struct sight *sight);

/*
 * The same without /proc: for memory that somebody else is changing. What is not stable may say
 * anything.
 */
void consistent(struct json_object *snap, const void *addr);

/* Does a snapshot of a mapped page say that it is exclusive? */
bool anon_exclusive(struct json_object *snap);

/* A walk of one page; it has to agree with /proc. Return: the snapshot. */
struct json_object *walk(const void *addr);
struct json_object *walk_of(pid_t pid, const void *addr);

/*
 * A call on one page of one's own, `op=… flags=…`; before and after have to agree with /proc.
 * Return: the record.
 */
struct json_object *call(const void *addr, const char *words);

/* ---- whole tables, read from the file `walk`: bulk.c ---- */

struct entries;
struct table_entry;

/*
 * What the module says of entries, parsed by the command's own code: once for all tests, by the
 * program that runs them, if the module is there.
 */
void bulk_prepare(void);
const struct entries *bulk_entries(void);

/* A new descriptor of `walk`, with a request written to it. */
__attribute__((format(printf, 1, 2))) int bulk_open(const char *fmt, ...);

/**
 * struct bulk - a walk that was read to its end
 * @entry: entries that say something, in the order of addresses
 * @nr: how many
 * @tables: how many tables of each level
 * @bytes: bytes read
 * @how: GUPWALK_WALK_DONE or GUPWALK_WALK_GONE
 * @unstable: blocks that were not stable
 */
struct bulk {
	struct table_entry *entry;
	size_t nr;
	uint64_t tables[5];
	uint64_t bytes;
	uint32_t how;
	uint64_t unstable;
};

/* Reads it all, @chunk bytes at a time; 0: any number of bytes, by @state. */
struct bulk bulk_read(int fd, size_t chunk, uint64_t *state);
void bulk_free(struct bulk *bulk);

/* A walk of a range in one go, or of all of a process. */
struct bulk bulk_of(pid_t pid, const void *addr, size_t nr_pages);
struct bulk bulk_all(pid_t pid);

/*
 * Fails the test unless `walk`, read by the command's code, says of an address what a snapshot
 * says.
 */
void agree_bulk(pid_t pid, const void *addr);

/* ---- a process of many mappings of all kinds: whole.c ---- */

/**
 * struct plan - memory that a child makes for itself
 * @room: where
 * @size: bytes
 * @mappings: how many
 * @state: of the random numbers
 * @file: of shared memory, PLAN_PAGES pages
 * @target: the target device
 * @uffds: descriptors of userfaultfd that are left
 * @huge: some are huge pages
 */
struct plan {
	char *room;
	size_t size;
	unsigned int mappings;
	uint64_t state;
	int file;
	int target;
	int uffds;
	bool huge;
};

/* Most pages of a mapping. */
#define PLAN_PAGES 8

/* Opens what the mappings are of. */
void plan_begin(struct plan *plan);
/* Makes one, in the calling process. */
void plan_mapping(struct plan *plan, char *place, size_t pages);
/* A child that has so many, in a room that is reserved here as well. */
pid_t plan_child(struct plan *plan, unsigned int mappings, bool huge);

/* ---- entries, read without the module's help; decode_x86.c and its siblings ---- */

/* What an entry says, as far as hardware and the kernel's own rules tell. */
struct decoded {
	bool present;
	bool huge;
	uint64_t frame;		/* physical address: of the next table, or of the page mapped */
	bool contiguous;	/* one of several that hardware may keep as one */
	bool readable;
	bool writable;
	bool user;
	bool executable;
};

struct decoded decode(int level, uint64_t value);
/*
 * The names of bits that the kernel has in entries that userfaultfd write-protects, …; NULL: this
 * architecture has no such bit.
 */
extern const char *const name_uffd_wp, *const name_soft_dirty, *const name_pkey_bit0;
/* Which entries of a level the hardware may keep as one: bytes; 0: there is no such thing. */
size_t contiguous_size(int level);

/* ---- the machine and the kernel: machine.c ---- */

#define PAGE ((size_t)page_size())
#define MiB (1UL << 20)
#define GiB (1UL << 30)

size_t page_size(void);
/* Bits of an address of user space. */
unsigned int user_bits(void);
/* Levels of page tables in use. In all that follows they are numbered by name: 0 pgd … 4 pte. */
int nr_levels(void);
bool five_levels(void);
/* Does a level only repeat the one above it? */
bool level_folded(int level);
/* The lowest level that is or repeats the topmost table. */
int top_level(void);
/* Bit of an address at which the index of a level begins. */
unsigned int level_shift(int level);
unsigned int level_entries(int level);
/* What an entry of the pmd level covers, and of the pud level. */
size_t pmd_size(void);
size_t pud_size(void);

/* For facts that depend on the kernel's version; each use says which commit made it one. */
bool kernel_since(int major, int minor);
/*
 * How many times longer than usual all may take: GUPWALK_TEST_SLOW, for kernels that watch
 * themselves.
 */
unsigned int slowness(void);
/*
 * By how much what is only repeated is repeated less: GUPWALK_TEST_BRIEF, where the same tests run
 * on many kernels.
 */
unsigned int brevity(void);
/*
 * stable_page_flags() of 6.12 says KPF_KSM of each anonymous page: it tests `mapping &
 * PAGE_MAPPING_KSM`, a mask of two bits of which anonymous memory has one.
 */
bool kpageflags_knows_ksm(void);
bool pagemap_knows_uffd_wp(void);
/* Does the kernel note which anonymous pages are mapped by one process only? */
bool has_anon_exclusive(void);
/* Does a pin for reading get a page of its own from a shared one? */
bool unshares_for_pin(void);

/**
 * struct in_use - kernel memory, in KiB
 * @allocated: what its allocators have given away
 * @unaccounted: pages that nobody accounts for, as a driver's
 */
struct in_use {
	long long allocated;
	long long unaccounted;
};

/* Drops caches first, and drains the lists of pages. */
struct in_use memory_in_use(void);

/* ---- memory ---- */

/* mmap() that fails the test instead of returning MAP_FAILED. */
void *map(size_t size, int prot, int flags, int fd);
/* A kernel without huge pages refuses even that. */
void no_huge_pages(void *addr, size_t size);
/* Anonymous, private, no huge pages; @touch: written to. */
char *map_anon(size_t size, bool touch);
/* As much address space as @size, at a multiple of it, mapped PROT_NONE: room for MAP_FIXED. */
char *reserve(size_t size);
/* A transparent huge page that is there. Skips the test if the kernel gives none. */
char *map_thp(void);
/* A folio of contiguous_size(4), mapped by entries of single pages. Skips likewise. */
char *map_thp_cont(void);
/* The huge page of zeros, in memory that may be written to. Skips likewise. */
char *map_huge_zero(void);
char *map_hugetlb(size_t size, int prot, int flags);
/* A file's descriptor: in shared memory, on ext4. @size bytes of 'f'. */
int file_shmem(size_t size);
int file_ext4(size_t size);
int file_secret(size_t size);
/* The target device, @pages of it. */
char *map_target(size_t pages);
int target_zap(void *addr, size_t length);

/*
 * Empties the per-CPU lists of pages that are on their way to the LRU: each entry there is a
 * reference.
 */
void drain(void);
/* Moves a page out to swap; false if it would not go. */
bool swap_out(void *addr);
/* Makes the kernel believe that the memory is broken. */
void poison(void *addr, size_t length);
/* What a userfaultfd can do here: UFFD_FEATURE_* bits. */
uint64_t uffd_features(void);
/* A userfaultfd, with the range registered; @mode: UFFDIO_REGISTER_MODE_*. */
int uffd_register(void *addr, size_t length, uint64_t mode);
/* Says of memory that is missing that it is lost. */
void uffd_poison(int uffd, void *addr, size_t length);
void uffd_protect(int uffd, void *addr, size_t length, bool on);

/* ---- other processes and time ---- */

/*
 * A child that does @run with @arg, if it is not NULL, and then waits to be killed; it is there
 * and does nothing any more when this returns, and dies with the test.
 */
pid_t spawn(void (*run)(void *arg), void *arg);
void kill_and_reap(pid_t pid);
/*
 * Runs the command with these words, and checks its exit status. Skips the test if there is none.
 * Return: an array of the objects that it prints, a line each.
 */
__attribute__((format(printf, 2, 3))) struct json_object *command_prints(int status,
									 const char *fmt, ...);
/*
 * Starts the command `gupwalk` with such words, NULL after the last. What it prints comes out of
 * @out, with nothing in between that could hold more than a page of it; NULL: it stops before
 * it begins, to be traced.
 */
pid_t command_start(const char *const *words, int *out);
/* Its exit status, when it has one. Skips the test if there is no such command in PATH. */
int command_status(pid_t pid);
uint64_t now_ms(void);
/*
 * For tests that go on for a while: is it time to go on? They take @ms since @start, or less by
 * brevity(), and on a slow machine as long as it takes until @enough, but no longer than 80 s,
 * times slowness().
 */
bool going_on(uint64_t start, unsigned int ms, bool enough);
void sleep_ms(unsigned int ms);

/* Deterministic numbers; the seed is the test program's. */
uint64_t seed(void);
uint32_t random_of(uint64_t *state);

#endif /* GUPWALK_TESTS_LIB_H */
