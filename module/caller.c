// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "arch.h"
#include "caller.h"

/* Frames of the probe's own machinery, which come first. */
#define FRAMES_OF_PROBE 24

/*
 * The unwinder begins with the frames of the probe's handler and its trampoline, whose number
 * differs between kernels. Where it comes to the function's caller is found by the return address;
 * not every unwinder sees that one before the function has made its frame (arm64: it is in a
 * register), then it goes on with the caller's caller, after the function itself.
 */
void gw_stack_take(struct gw_stack *stack, struct pt_regs *regs)
{
	unsigned long frames[FRAMES_OF_PROBE + GW_STACK_MAX];
	unsigned long caller = gw_arch_return_address(regs);
	unsigned long function = instruction_pointer(regs);
	unsigned int nr, i, after = 0;

	nr = stack_trace_save(frames, ARRAY_SIZE(frames), 0);
	for (i = 0; i < nr && !after; i++)
		if (frames[i] == caller)
			after = i + 1;
	for (i = 0; i < nr && !after; i++)
		if (frames[i] - function < 2 * sizeof(long))
			after = i + 1;
	stack->time_ns = ktime_get_mono_fast_ns();
	stack->nr = 0;
	stack->entries[stack->nr++] = caller;
	for (i = after; after && i < nr && stack->nr < GW_STACK_MAX; i++)
		stack->entries[stack->nr++] = frames[i];
}

/*
 * Names looked up before. To look for one takes the kernel some microseconds, and the same few
 * come again and again.
 */
#define KNOWN_NAMES 512

static struct {
	unsigned long address;
	char text[88];
} known[KNOWN_NAMES];

/* Names of modules that are gone, of stacks from before; the newest of them. */
#define GONE_NAMES 256

static struct {
	unsigned long address;
	u64 until_ns;
	char text[128];
} gone[GONE_NAMES];

static unsigned int nr_gone;

static DEFINE_MUTEX(known_lock);

/* How often modules have come or gone. */
static u32 changes;

static void look_up(unsigned long address, char *text, size_t size)
{
	/* %pB: of the call, not of what comes after it, which may be another function. */
	snprintf(text, size, "%pB", (void *)address);
	if (!strncmp(text, "0x", 2))
		strscpy(text, "?", size);
}

/* The first to go, of those that were there when the stack was taken. */
static const char *find_gone(unsigned long address, u64 time_ns)
{
	unsigned int i, nr = min_t(unsigned int, nr_gone, GONE_NAMES);
	const char *found = NULL;
	u64 until_ns = U64_MAX;

	for (i = 0; i < nr; i++) {
		if (gone[i].address != address || gone[i].until_ns < time_ns ||
		    gone[i].until_ns >= until_ns)
			continue;
		until_ns = gone[i].until_ns;
		found = gone[i].text;
	}
	return found;
}

void gw_stack_keep(const struct gw_stack *stack, const struct module *module)
{
	u64 now = ktime_get_mono_fast_ns();
	unsigned int i, at;

	mutex_lock(&known_lock);
	for (i = 0; i < stack->nr; i++) {
		if (!within_module(stack->entries[i], module) ||
		    find_gone(stack->entries[i], stack->time_ns))
			continue;
		at = nr_gone++ % GONE_NAMES;
		gone[at].address = stack->entries[i];
		gone[at].until_ns = now;
		look_up(stack->entries[i], gone[at].text, sizeof(gone[at].text));
		/* one that is cut would be without its module */
		if (strlen(gone[at].text) == sizeof(gone[at].text) - 1)
			snprintf(gone[at].text, sizeof(gone[at].text), "? [%s]", module->name);
	}
	mutex_unlock(&known_lock);
}

void gw_stack_symbol(const struct gw_stack *stack, unsigned int frame, char *text, size_t size)
{
	unsigned long address = stack->entries[frame];
	unsigned int i = hash_long(address, ilog2(KNOWN_NAMES));
	const char *name;

	mutex_lock(&known_lock);
	name = find_gone(address, stack->time_ns);
	if (name) {
		strscpy(text, name, size);
	} else if (known[i].address == address && address) {
		strscpy(text, known[i].text, size);
	} else {
		look_up(address, text, size);
		/* one that is cut would be another */
		known[i].address = strlen(text) < sizeof(known[i].text) ? address : 0;
		strscpy(known[i].text, text, sizeof(known[i].text));
	}
	mutex_unlock(&known_lock);
}

/* Where a module was, another may come. */
static int forget_names(struct notifier_block *block, unsigned long state, void *module)
{
	mutex_lock(&known_lock);
	memset(known, 0, sizeof(known));
	WRITE_ONCE(changes, changes + 1);
	mutex_unlock(&known_lock);
	return NOTIFY_DONE;
}

static struct notifier_block modules_change = { .notifier_call = forget_names };

u64 gw_stack_hash(const struct gw_stack *stack)
{
	const u32 *words = (const u32 *)stack->entries;
	u32 length = stack->nr * (sizeof(stack->entries[0]) / sizeof(u32));
	u32 seed = READ_ONCE(changes);

	return (u64)jhash2(words, length, seed) << 32 | jhash2(words, length, ~seed) | 1;
}

int gw_callers_init(void)
{
	return register_module_notifier(&modules_change);
}

void gw_callers_exit(void)
{
	unregister_module_notifier(&modules_change);
}

/*
 * What is between the observed functions and those who want the memory: the beginnings of names.
 * Callers in mm/ that are the ones who want it (process_vm_rw_core, ksm) are not among them.
 */
static const char * const passing_on[] = {
	"get_user_page", "pin_user_page", "unpin_user_page", "unpin_folio", "unpin_user_folio",
	"__get_user_page", "__gup_longterm", "internal_get_user_pages", "gup_fast", "get_dump_page",
	"__access_remote_vm", "access_remote_vm", "access_process_vm", "fault_in_", "faultin_",
	"populate_vma_page_range", "__mm_populate", "memfd_pin_folios", "follow_pf", "follow_pte",
	"follow_phys", "fixup_user_fault", "handle_mm_fault",
	"iov_iter_", "__iov_iter_", "extract_user_to_sg", "bio_iov_iter_", "__bio_iov_iter_",
	"bio_release_page", "__bio_release_page", "bio_iov_add", "bvec_", "iomap_", "__iomap_",
	"netfs_",
	"arch_rethook_trampoline", "kretprobe_trampoline", "__kretprobe_trampoline",
};

static bool passes_on(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(passing_on); i++)
		if (!strncmp(name, passing_on[i], strlen(passing_on[i])))
			return true;
	return false;
}

/* "[name]" at the end of a frame's text. */
static bool take_module(char *text, char driver[GW_DRIVER_MAX])
{
	char *module = strrchr(text, '['), *end;

	if (!module)
		return false;
	end = strpbrk(++module, " ]");
	if (end)
		*end = '\0';
	strscpy(driver, module, GW_DRIVER_MAX);
	return true;
}

/* The text of a frame, too long for the stack. */
static char frame[KSYM_SYMBOL_LEN];
static DEFINE_MUTEX(frame_lock);

void gw_stack_driver(const struct gw_stack *stack, char driver[GW_DRIVER_MAX])
{
	char second[GW_DRIVER_MAX] = "";
	unsigned int i;

	strscpy(driver, "?", GW_DRIVER_MAX);
	mutex_lock(&frame_lock);
	for (i = 0; i < stack->nr; i++) {
		gw_stack_symbol(stack, i, frame, sizeof(frame));
		/* of a module that is gone: what comes after it is not the driver */
		if (!strcmp(frame, "?"))
			break;
		if (passes_on(frame)) {
			/* a module that others use, as netfs: better than what calls it */
			if (!second[0])
				take_module(frame, second);
			continue;
		}
		if (take_module(frame, driver))
			break;
		/* without the offset, and without what the compiler has added */
		frame[strcspn(frame, "+.")] = '\0';
		if (!strcmp(driver, "?"))
			strscpy(driver, frame, GW_DRIVER_MAX);
	}
	mutex_unlock(&frame_lock);
	if (i == stack->nr && second[0])
		strscpy(driver, second, GW_DRIVER_MAX);
}
