// SPDX-License-Identifier: GPL-2.0-only
/* What drivers do, call by call: those of the notes that this project grew from. */
#include <string.h>

#include "spot.h"
#include "target.h"

/* ---- memory ---- */

/* A touched range, and one that is not. */
static bool setup_two(struct scene *scene)
{
	if (!spot_touch(scene, 0) || !spot_map(scene, 1))
		return false;
	scene_note(scene, "the program writes \"%s\" to its first buffer, nothing to its second",
		   WORD);
	return true;
}

static bool setup_range(struct scene *scene)
{
	if (scene->pages == 1)
		scene->pages = 4;
	return setup_two(scene);
}

/* The target device from its second page on: with an offset, as a device's registers have one. */
static bool setup_device(struct scene *scene)
{
	scene->spots[1] = target_map(scene, 1, 1);
	if (!scene->spots[1])
		return false;
	if (!spot_touch(scene, 0))
		return false;
	scene_note(scene, "the program has a buffer, and maps a device's memory (%s)",
		   about_value(scene->about, "target"));
	return true;
}

/* ---- the notes' own driver, /dev/Sample ---- */

static bool reads_first(struct scene *scene)
{
	return scene_reads(scene, scene->spots[0], REPLY "na", "the program reads");
}

static bool reads_second(struct scene *scene)
{
	return scene_reads(scene, scene->spots[1], REPLY, "the program reads");
}

static const struct step sample_steps[] = {
	{
		.op = "get_user_pages", .flags = "write",
		.words = "peek=7 poke=" REPLY,
		.after = reads_first,
		.says = "prints krishna, writes Mohan, marks the page dirty, puts it",
		.expects = ALWAYS("ret=1 cause=unchanged peek=" WORD " pfn=@before.pfn "
				  "before.page.gained_refs=1"),
	},
	{
		.op = "get_user_pages", .flags = "write",
		.words = "peek=7 poke=" REPLY,
		.spot = 1,
		.after = reads_second,
		.says = "prints nothing: the page was made by this call, and is full of zeros",
		.expects = ALWAYS("ret=1 cause=anon-allocated before.state=none after.page=anon "
				  "pfn=@after.pfn peek=\\x00\\x00\\x00\\x00\\x00\\x00\\x00"),
	},
	{ 0 }
};

const struct scenario recipe_sample = {
	.name = "sample",
	.recipe = true,
	.teaches = "the driver of the notes: write() takes the user's page, reads a word from it "
		   "and leaves another there. It works on memory that was never touched too: then "
		   "it is the call that makes the page",
	.setup = setup_two,
	.steps = sample_steps,
};

/* ---- get_user_pages_locked with FOLL_LONGTERM ---- */

static const struct step gup_locked_steps[] = {
	{
		.op = "get_user_pages_locked", .flags = "write,longterm",
		.maybe = true,
	},
	{
		.op = "get_user_pages_locked", .flags = "write",
		.maybe = true,
		.says = "without FOLL_LONGTERM it has its page",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=@before.pfn"),
	},
	{
		.op = "pin_user_pages", .flags = "write,longterm",
		.before = spot_leaves_movable,
		.says = "with pin_user_pages it has its page, for as long as it likes",
		.expects = ALWAYS("ret=1 errno=none after.page=anon pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario recipe_gup_locked = {
	.name = "gup-locked",
	.recipe = true,
	.teaches = "the -22 of the notes: get_user_pages_locked warned about FOLL_LONGTERM and gave "
		   "-EINVAL, as it could drop the mmap lock and then not check for filesystem DAX. "
		   "FOLL_LONGTERM belongs to pin_user_pages. Only kernels to 5.17 have the call "
		   "(make vm KERNEL=5.10), and gupwalk refuses what makes the kernel warn",
	.setup = setup_two,
	.steps = gup_locked_steps,
};

/* ---- nvidia_p2p_get_pages() ---- */

static const struct step nvidia_p2p_steps[] = {
	{
		.op = "get_user_pages_locked", .flags = "write,force",
		.maybe = true,
		.spot = 1,
		.words = "hold",
		.says = "user_pages == nr_pages: it fills the page table for the GPU's peer",
		.expects = ALWAYS("ret=4 nr_pages=4 cause=anon-allocated pages.4.cause=anon-allocated "
				  "held=true"),
	},
	{
		.op = "get_user_pages", .flags = "write,force",
		.words = "hold",
		.says = "all four. With fewer it would put those that it got, and give "
			"-ENOMEM to its caller",
		.expects = ALWAYS("ret=4 nr_pages=4 cause=unchanged pages.4.cause=unchanged "
				  "pages.4.pfn=@pages.4.before.pfn held=true"),
	},
	{
		.op = "walk",
		.before = scene_release,
		.says = "nvidia_p2p_put_pages() has put them: nothing holds the pages any more",
		.expects = ALWAYS("before.state=present before.page.mapcount=1"),
	},
	{ 0 }
};

const struct scenario recipe_nvidia_p2p = {
	.name = "nvidia-p2p",
	.recipe = true,
	.teaches = "nvidia_p2p_get_pages() of the notes: write and force over a whole range, all "
		   "pages or none. A FOLL_GET reference does not keep a fork from leaving the GPU "
		   "with the child's page: for DMA that lasts there is pin_user_pages with "
		   "FOLL_LONGTERM today",
	.setup = setup_range,
	.steps = nvidia_p2p_steps,
};

/* ---- vaddr_get_pfn() of vfio_iommu_type1 ---- */

static const struct step vfio_steps[] = {
	{
		.op = "pin_user_pages_remote", .flags = "write,longterm",
		.before = spot_leaves_movable,
		.says = "ordinary memory: it has its page frame, *pfn = page_to_pfn()",
		.expects = ALWAYS("ret=1 errno=none after.page=anon pfn=@after.pfn"),
	},
	{
		.op = "zap_vma_ptes",
		.spot = 1,
		.says = "of the device, not vfio: takes its mapping away, as vfio-pci does for a reset",
		.expects = ALWAYS("ret=0 errno=none cause=unmapped before.state=present"),
	},
	{
		.op = "pin_user_pages_remote", .flags = "write,longterm",
		.spot = 1,
		.says = "no page to pin; the VMA is VM_PFNMAP, so follow_fault_pfn() is next",
		.expects = ALWAYS("errno=EFAULT reason=vma-io-pfnmap cause=unchanged "
				  "vma.flags~pfnmap before.state=none"),
	},
	{
		.op = "follow_pfn",
		.spot = 1,
		.says = "not populated: it has to be faulted in first",
		.expects = ALWAYS("errno=EINVAL reason=pfnmap-not-populated cause=unchanged"),
	},
	{
		.op = "fixup_user_fault", .flags = "write",
		.spot = 1,
		.says = "0: had the lock been dropped, -EAGAIN would make it look up the VMA again",
		.expects = ALWAYS("ret=0 errno=none cause=pfn-mapped after.state=present "
				  "after.page=none"),
	},
	{
		.op = "follow_pfn",
		.spot = 1,
		.says = "0: the page frame; is_invalid_reserved_pfn() lets it pass, as it is no "
			"memory that others have",
		.expects = ALWAYS("ret=0 errno=none cause=unchanged pfn=@before.pfn"),
	},
	{ 0 }
};

const struct scenario recipe_vfio = {
	.name = "vfio",
	.recipe = true,
	.teaches = "vaddr_get_pfn() of vfio: pin what has pages; where the VMA is VM_PFNMAP, ask "
		   "for the page frame, fault it in if it is not there, ask again. FOLL_LONGTERM "
		   "refuses fs-dax by itself since 5.6; the code of the notes had to look at the "
		   "VMA, and put the page",
	.check = target_missing,
	.setup = setup_device,
	.steps = vfio_steps,
};

/* ---- omap_vout_uservirt_to_phys() ---- */

/* The device is mapped from its second page on, and the address is where the mapping begins. */
static bool offset_and_physical(struct scene *scene)
{
	scene_note(scene,
		   "vm_pgoff is 1 (pgoff of the line vma), the second page of the device: "
		   "(vm_pgoff << PAGE_SHIFT) + offset is 0x%zx, and the line physical has the physical "
		   "address", scene->page_size);
	return true;
}

static const struct step omap_vout_steps[] = {
	{
		.op = "follow_pfn",
		.spot = 1,
		.after = offset_and_physical,
		.says = "second branch, no call at all: VM_IO, so (vm_pgoff << PAGE_SHIFT) + offset. "
			"The call is gupwalk's, to see what is mapped. It is right only for drivers "
			"whose offsets are physical addresses, as /dev/mem's",
		.expects = ALWAYS("ret=0 errno=none vma.flags~io pfn=@before.pfn"),
	},
	{
		.op = "get_user_pages", .flags = "write",
		.says = "third branch: __pa(page_address(page)) + offset in the page; right for as "
			"long as the reference is held, and it never puts it: a leak a call",
		.expects = ALWAYS("ret=1 errno=none pfn=@before.pfn before.page.gained_refs=1"),
	},
	{ 0 }
};

static bool setup_omap_vout(struct scene *scene)
{
	if (!setup_device(scene))
		return false;
	scene_note(scene, "first branch, virtp >= PAGE_OFFSET: a user program cannot pass such an "
			  "address to gupwalk; the driver takes it, and virt_to_phys() of it");
	return true;
}

const struct scenario recipe_omap_vout = {
	.name = "omap-vout",
	.recipe = true,
	.teaches = "omap_vout_uservirt_to_phys() of the notes has three ways to a physical address: "
		   "one for kernel addresses, one that trusts the offset of a VM_IO mapping, one "
		   "by get_user_pages. Only the last is right for all that it is for; since 4.3 the "
		   "driver leaves it to others",
	.check = target_missing,
	.setup = setup_omap_vout,
	.steps = omap_vout_steps,
};

/* ---- set_bit_to_user() of vhost ---- */

/* The byte of the log that has the bit. */
#define LOG_BYTE 0x123

static bool setup_log(struct scene *scene)
{
	size_t i;

	if (!setup_two(scene))
		return false;
	for (i = 0; i < 2; i++)
		scene->spots[i] += LOG_BYTE;
	return true;
}

static bool first_bit_set(struct scene *scene)
{
	return scene_reads(scene, scene->spots[0], "@", "the program reads");
}

static bool second_bit_set(struct scene *scene)
{
	return scene_reads(scene, scene->spots[1], "@", "the program reads");
}

static const struct step vhost_log_steps[] = {
	{
		.op = "get_user_pages_fast", .flags = "write",
		.words = "poke=@",
		.after = first_bit_set,
		.says = "bit 6 of the byte is set through the kernel's mapping of the page, the page "
			"dirty and put",
		.expects = ALWAYS("ret=1 cause=unchanged pfn=@before.pfn mmap_lock=not-held "
				  "before.page.gained_refs=1"),
	},
	{
		.op = "get_user_pages_fast", .flags = "write",
		.words = "poke=@",
		.spot = 1,
		.after = second_bit_set,
		.says = "the log was never touched here: the fast way finds nothing, and the call "
			"takes the slow one, with a fault",
		.expects = ALWAYS("ret=1 cause=anon-allocated before.state=none pfn=@after.pfn"),
	},
	{ 0 }
};

const struct scenario recipe_vhost_log = {
	.name = "vhost-log",
	.recipe = true,
	.teaches = "set_bit_to_user() of vhost marks a page of the guest as written in a log that "
		   "is user memory: get_user_pages_fast, one bit, dirty, put. Since 5.8 it is "
		   "pin_user_pages_fast, as for all who write to pages of files",
	.setup = setup_log,
	.steps = vhost_log_steps,
};

/* ---- the mistake of the notes: a pin that is put ---- */

static const struct step put_page_steps[] = {
	{
		.op = "pin_user_pages", .flags = "write",
		.words = "hold",
		.says = "has its page: 1024 references, which stand for one pin",
		.expects = ALWAYS("ret=1 cause=unchanged before.page.gained_refs=1024 "
				  "before.page.gained_pins=1 pfn=@before.pfn held=true"),
	},
	{
		.op = "put_page",
		.says = "thinks that it is done: it gave back 1 of 1024 references, and the pin is "
			"still there. unpin_user_page() would have given back all",
		.expects = ALWAYS("ret=0 cause=unchanged before.page.gained_refs=-1 before.pfn=P1"),
	},
	{
		.op = "walk",
		.before = scene_release,
		.says = "gupwalk has taken the lost reference again and unpinned the page as it has "
			"to be: no pin is left. In the driver of the notes 1023 references were: the "
			"page would never be free again",
		.expects = ALWAYS("before.state=present before.pfn=P1 before.page.mapcount=1"),
	},
	{ 0 }
};

const struct scenario recipe_put_page = {
	.name = "put-page",
	.recipe = true,
	.teaches = "the mistake in the notes: a page that pin_user_pages gave was released by "
		   "put_page. That gives back one reference of 1024: the pin stays behind, and with "
		   "it the page",
	.setup = setup_two,
	.steps = put_page_steps,
};
