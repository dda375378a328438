// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver as vendors write them, with the mistakes that they make, so that tests can see whether
 * gupwalk finds them. At its end it sets everything right.
 */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "leaky.h"

/**
 * struct pinned - pages that were pinned
 * @node: place in the list
 * @nr: how many
 * @put: a pin of the first one was dropped as a reference
 * @more: pins more that the first one has
 * @pages: the pages
 */
struct pinned {
	struct list_head node;
	long nr;
	bool put;
	unsigned int more;
	struct page *pages[];
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(all);

/* Where old kernels leave holes among the pages (before v5.18) there is nothing. */
static void give_back(struct pinned *pinned)
{
	long i;

	if (pinned->put)
		get_page(pinned->pages[0]);
	while (pinned->more--)
		unpin_user_page(pinned->pages[0]);
	for (i = 0; i < pinned->nr && pinned->pages[i]; i++)
		;
	unpin_user_pages(pinned->pages, i);
	for (; i < pinned->nr; i++)
		if (pinned->pages[i])
			unpin_user_page(pinned->pages[i]);
	list_del(&pinned->node);
	kfree(pinned);
}

static noinline long leaky_pin(const struct leaky_range *range, unsigned int times)
{
	struct pinned *pinned;
	unsigned int i;

	if (!range->nr_pages || range->nr_pages > LEAKY_PAGES_MAX)
		return -EINVAL;
	pinned = kzalloc(struct_size(pinned, pages, times * range->nr_pages), GFP_KERNEL);
	if (!pinned)
		return -ENOMEM;
	for (i = 0; i < times; i++) {
		long nr = pin_user_pages_fast(range->addr, range->nr_pages,
					      FOLL_WRITE | FOLL_LONGTERM,
					      pinned->pages + pinned->nr);

		/* what was pinned before is kept */
		if (nr > 0 || !pinned->nr)
			pinned->nr += nr;
		if (nr <= 0)
			break;
	}
	if (pinned->nr <= 0) {
		long ret = pinned->nr ?: -EFAULT;

		kfree(pinned);
		return ret;
	}
	list_add(&pinned->node, &all);
	return pinned->nr;
}

static noinline long leaky_put(struct pinned *pinned)
{
	if (pinned->put || PageCompound(pinned->pages[0]))
		return -EBUSY;
	pinned->put = true;
	put_page(pinned->pages[0]);
	return 0;
}

/* The counts are set right at once: the page goes on to be used. */
static noinline long leaky_unpin_of_get(const struct leaky_range *range)
{
	struct page *page;
	long ret = get_user_pages_fast(range->addr, 1, FOLL_WRITE, &page);

	if (ret != 1)
		return ret < 0 ? ret : -EFAULT;
	if (PageCompound(page)) {
		put_page(page);
		return -EBUSY;
	}
	unpin_user_page(page);
	page_ref_add(page, GUP_PIN_COUNTING_BIAS - 1);
	return 0;
}

/* By name, as most kernels have no such function. */
static noinline long leaky_pin_more(struct pinned *pinned)
{
	int (*add_pins)(void *folio, unsigned int pins);
	int ret;

	add_pins = __symbol_get("folio_add_pins");
	if (!add_pins)
		return -EOPNOTSUPP;
	ret = add_pins(compound_head(pinned->pages[0]), LEAKY_MORE);
	if (!ret)
		pinned->more += LEAKY_MORE;
	__symbol_put("folio_add_pins");
	return ret;
}

static noinline long leaky_leave(struct pinned *pinned)
{
	list_del(&pinned->node);
	kfree(pinned);
	return 0;
}

/* The pin is there; what the reference was taken for is known already. */
static noinline long leaky_take_over(const struct leaky_range *range)
{
	struct pinned *pinned = kzalloc(struct_size(pinned, pages, 1), GFP_KERNEL);
	long ret;

	if (!pinned)
		return -ENOMEM;
	ret = get_user_pages_fast(range->addr, 1, FOLL_WRITE, pinned->pages);
	if (ret != 1) {
		kfree(pinned);
		return ret < 0 ? ret : -EFAULT;
	}
	put_page(pinned->pages[0]);
	pinned->nr = 1;
	list_add(&pinned->node, &all);
	return 0;
}

static long serve(unsigned int cmd, const struct leaky_range *range)
{
	struct pinned *last = list_first_entry_or_null(&all, struct pinned, node);

	switch (cmd) {
	case LEAKY_PIN:
		return leaky_pin(range, 1);
	case LEAKY_PIN_TWICE:
		return leaky_pin(range, 2);
	case LEAKY_LEAVE:
		return last ? leaky_leave(last) : -ENOENT;
	case LEAKY_TAKE_OVER:
		return leaky_take_over(range);
	case LEAKY_UNPIN_OF_GET:
		return leaky_unpin_of_get(range);
	case LEAKY_PUT:
		return last ? leaky_put(last) : -ENOENT;
	case LEAKY_PIN_MORE:
		return last ? leaky_pin_more(last) : -ENOENT;
	case LEAKY_UNPIN:
		if (last)
			give_back(last);
		return last ? 0 : -ENOENT;
	}
	return -ENOTTY;
}

static long leaky_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct leaky_range range = { };
	long ret;

	if (_IOC_SIZE(cmd) == sizeof(range) &&
	    copy_from_user(&range, (void __user *)arg, sizeof(range)))
		return -EFAULT;
	mutex_lock(&lock);
	ret = serve(cmd, &range);
	mutex_unlock(&lock);
	return ret;
}

/* What is written to it would be read by a device: the pages are pinned, and stay so. */
static ssize_t leaky_write(struct file *file, const char __user *buffer, size_t size, loff_t *pos)
{
	unsigned long start = (unsigned long)buffer & PAGE_MASK;
	struct leaky_range range = {
		.addr = start,
		.nr_pages = (PAGE_ALIGN((unsigned long)buffer + size) - start) >> PAGE_SHIFT,
	};
	long ret;

	mutex_lock(&lock);
	ret = leaky_pin(&range, 1);
	mutex_unlock(&lock);
	return ret < 0 ? ret : size;
}

/* A page frame without a struct page: of the first, or below 4G, where machines have no memory. */
static unsigned long frame_without_page(void)
{
	unsigned long below = (SZ_4G - 1) >> PAGE_SHIFT;

	return pfn_valid(below) ? 0 : below;
}

/* A mapping of both kinds: a page, and after it a page frame that has no struct page. */
static int leaky_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long frame = frame_without_page();
	struct page *page;
	int ret;

	if (pfn_valid(frame))
		return -ENXIO;
	if (vma->vm_end - vma->vm_start != 2 * PAGE_SIZE || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	/* this makes it VM_MIXEDMAP, and takes a reference */
	ret = vm_insert_page(vma, vma->vm_start, page);
	put_page(page);
	if (ret)
		return ret;
	return vmf_insert_pfn(vma, vma->vm_start + PAGE_SIZE, frame) == VM_FAULT_NOPAGE ? 0 : -EIO;
}

static const struct file_operations leaky_fops = {
	.owner = THIS_MODULE,
	.mmap = leaky_mmap,
	.write = leaky_write,
	.unlocked_ioctl = leaky_ioctl,
};

static struct miscdevice leaky_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "leaky",
	.fops = &leaky_fops,
	.mode = 0600,
};

static int __init leaky_init(void)
{
	return misc_register(&leaky_device);
}

static void __exit leaky_exit(void)
{
	struct pinned *pinned, *next;

	misc_deregister(&leaky_device);
	list_for_each_entry_safe(pinned, next, &all, node)
		give_back(pinned);
}

module_init(leaky_init);
module_exit(leaky_exit);

MODULE_DESCRIPTION("makes the mistakes that drivers make with pinned pages, for tests");
MODULE_AUTHOR("the gupwalk project");
MODULE_LICENSE("GPL");
