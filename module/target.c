// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "target.h"
#include "uapi/gupwalk.h"

/*
 * One page each, so that neighbours need not be neighbours in memory: whoever expects that shall
 * notice.
 */
static struct page *target_pages[GUPWALK_TARGET_PAGES];

/*
 * Maps one page again after GUPWALK_TARGET_ZAP, as drivers do that take their mappings away for a
 * reset (vfio-pci).
 */
static vm_fault_t target_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff >= GUPWALK_TARGET_PAGES)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(target_pages[vmf->pgoff]));
}

static const struct vm_operations_struct target_vm_ops = {
	.fault = target_fault,
};

static int target_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long i;
	int ret;

	/* A private one that may be written to would be copied then, and PFNMAP pages cannot be. */
	if (gw_vma_is_cow_mapping(vma))
		return -EINVAL;
	if (vma->vm_pgoff >= GUPWALK_TARGET_PAGES ||
	    vma_pages(vma) > GUPWALK_TARGET_PAGES - vma->vm_pgoff)
		return -EINVAL;
	for (i = 0; i < vma_pages(vma); i++) {
		ret = remap_pfn_range(vma, vma->vm_start + i * PAGE_SIZE,
				      page_to_pfn(target_pages[vma->vm_pgoff + i]), PAGE_SIZE,
				      vma->vm_page_prot);
		if (ret)
			return ret;
	}
	vma->vm_ops = &target_vm_ops;
	return 0;
}

bool gw_target_maps(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &target_vm_ops;
}

static int zap(const struct gupwalk_target_zap *range)
{
	struct vm_area_struct *vma;
	int ret = -EINVAL;

	if (!range->len || !PAGE_ALIGNED(range->addr) || !PAGE_ALIGNED(range->len) ||
	    range->addr + range->len < range->addr)
		return -EINVAL;
	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	vma = gw_vma_lookup(current->mm, range->addr);
	if (vma && gw_target_maps(vma) && range->addr + range->len <= vma->vm_end) {
		gw_zap_vma(vma, range->addr, range->len);
		ret = 0;
	}
	mmap_read_unlock(current->mm);
	return ret;
}

static long target_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gupwalk_target_zap range;

	if (cmd != GUPWALK_TARGET_ZAP)
		return -ENOTTY;
	if (copy_from_user(&range, (void __user *)arg, sizeof(range)))
		return -EFAULT;
	return zap(&range);
}

static const struct file_operations target_fops = {
	.owner = THIS_MODULE,
	.mmap = target_mmap,
	.unlocked_ioctl = target_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice target_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = GUPWALK_TARGET_NAME,
	.fops = &target_fops,
	.mode = 0600,
};

static void free_target_pages(void)
{
	int i;

	for (i = 0; i < GUPWALK_TARGET_PAGES && target_pages[i]; i++) {
		ClearPageReserved(target_pages[i]);
		__free_page(target_pages[i]);
		target_pages[i] = NULL;
	}
}

int gw_target_init(void)
{
	int i, ret;

	for (i = 0; i < GUPWALK_TARGET_PAGES; i++) {
		target_pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!target_pages[i]) {
			free_target_pages();
			return -ENOMEM;
		}
		/* As drivers mark what they hand out by remap_pfn_range(). */
		SetPageReserved(target_pages[i]);
	}
	ret = misc_register(&target_device);
	if (ret)
		free_target_pages();
	return ret;
}

void gw_target_exit(void)
{
	misc_deregister(&target_device);
	free_target_pages();
}
