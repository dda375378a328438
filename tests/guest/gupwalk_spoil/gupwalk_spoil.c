// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests in a virtual machine only: makes an entry of the caller's page tables one that no
 * kernel makes, pmd_bad() or pud_bad(), until the descriptor is closed.
 *
 * Two numbers of 64 bits are written to /dev/gupwalk_spoil: an address, and the level of the entry,
 * 2 pud or 3 pmd. EOPNOTSUPP: this architecture has no such entry.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define LEVEL_PUD 2
#define LEVEL_PMD 3

/**
 * struct spoiled - what a descriptor has done
 * @mm: whose page tables; it is held
 * @entry: the entry, NULL: none
 * @was: what it was
 */
struct spoiled {
	struct mm_struct *mm;
	u64 *entry;
	u64 was;
};

static u64 *entry_of(struct mm_struct *mm, unsigned long addr, u64 level)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d = pgd_none(*pgd) ? NULL : p4d_offset(pgd, addr);
	pud_t *pud = !p4d || p4d_none(*p4d) ? NULL : pud_offset(p4d, addr);

	if (!pud || !pud_present(*pud) || pud_leaf(*pud))
		return NULL;
	if (level == LEVEL_PUD)
		return (u64 *)pud;
	return level == LEVEL_PMD ? (u64 *)pmd_offset(pud, addr) : NULL;
}

static bool is_bad(u64 level, u64 value)
{
	if (level == LEVEL_PUD)
		return pud_present(__pud(value)) && !pud_leaf(__pud(value)) &&
		       pud_bad(__pud(value));
	return pmd_present(__pmd(value)) && !pmd_leaf(__pmd(value)) && pmd_bad(__pmd(value));
}

/* By one bit; not the topmost ones, in which hardware may look for addresses. */
static int spoil(struct spoiled *s, unsigned long addr, u64 level)
{
	u64 *entry = entry_of(current->mm, addr, level);
	unsigned int bit;

	if (!entry || !*entry || is_bad(level, *entry))
		return -EINVAL;
	for (bit = 0; bit < 12; bit++) {
		if (!is_bad(level, *entry ^ BIT_ULL(bit)))
			continue;
		s->entry = entry;
		s->was = *entry;
		WRITE_ONCE(*entry, s->was ^ BIT_ULL(bit));
		return 0;
	}
	return -EOPNOTSUPP;
}

static ssize_t spoil_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	struct spoiled *s;
	u64 what[2];
	int ret;

	if (file->private_data || count != sizeof(what))
		return -EINVAL;
	if (copy_from_user(what, buffer, sizeof(what)))
		return -EFAULT;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	mmap_read_lock(current->mm);
	ret = find_vma(current->mm, what[0]) ? spoil(s, what[0], what[1]) : -EINVAL;
	mmap_read_unlock(current->mm);
	if (ret) {
		kfree(s);
		return ret;
	}
	s->mm = current->mm;
	mmgrab(s->mm);
	file->private_data = s;
	return count;
}

static int spoil_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
	return 0;
}

static int spoil_release(struct inode *inode, struct file *file)
{
	struct spoiled *s = file->private_data;

	if (!s)
		return 0;
	if (mmget_not_zero(s->mm)) {
		WRITE_ONCE(*s->entry, s->was);
		mmput(s->mm);
	}
	mmdrop(s->mm);
	kfree(s);
	return 0;
}

static const struct file_operations spoil_fops = {
	.owner = THIS_MODULE,
	.open = spoil_open,
	.write = spoil_write,
	.release = spoil_release,
};

static struct miscdevice spoil_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gupwalk_spoil",
	.fops = &spoil_fops,
	.mode = 0600,
};

module_misc_device(spoil_device);
MODULE_DESCRIPTION("Bad page table entries, for the tests of gupwalk");
MODULE_LICENSE("GPL");
