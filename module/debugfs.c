// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of debugfs-layout.md.
 */
#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>

#include "arch.h"
#include "debugfs.h"
#include "entries.h"
#include "fields.h"
#include "observe.h"
#include "pins.h"
#include "reader.h"

static struct dentry *directory;

int gw_check_opener(void)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* ---- version and ops ---- */

static void show_levels(struct seq_file *m)
{
	enum gw_level level;
	unsigned int in_use = 0;

	for (level = 0; level < GW_NR_LEVELS; level++)
		in_use += !gw_arch_level_folded(level);
	seq_printf(m, "levels: %u of %u\n", in_use, CONFIG_PGTABLE_LEVELS);
	seq_puts(m, "table_entries:");
	for (level = 0; level < GW_NR_LEVELS; level++)
		seq_printf(m, " %s %u", gw_level_name(level), gw_arch_level_entries(level));
	seq_putc(m, '\n');
}

static int version_show(struct seq_file *m, void *unused)
{
	struct gw_limits limits;

	gw_limits_read(&limits);
	seq_printf(m, "format: %d\n", GUPWALK_FORMAT);
	seq_printf(m, "module: %s\n", GUPWALK_VERSION);
	seq_printf(m, "kernel: %s\n", init_utsname()->release);
	seq_printf(m, "arch: %s\n", gw_arch_name);
	seq_printf(m, "page_size: %lu\n", PAGE_SIZE);
	show_levels(m);
	seq_printf(m, "records_max: %u\n", limits.records_max);
	seq_printf(m, "records_kept: %u\n", limits.records_kept);
	seq_printf(m, "records_dropped: %llu\n", limits.records_dropped);
	seq_printf(m, "kept_pages_max: %u\n", limits.kept_pages_max);
	seq_printf(m, "kept_pages: %llu\n", limits.kept_pages);
	seq_printf(m, "pages_max: %u\n", limits.pages_max);
	seq_printf(m, "pins_max: %u\n", limits.pins_max);
	seq_printf(m, "pins_held: %u\n", limits.pins_held);
	seq_printf(m, "target: /dev/%s\n", GUPWALK_TARGET_NAME);
	return 0;
}

static int version_open(struct inode *inode, struct file *file)
{
	return gw_check_opener() ?: single_open(file, version_show, NULL);
}

static const struct file_operations version_fops = {
	.owner = THIS_MODULE,
	.open = version_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int ops_show(struct seq_file *m, void *unused)
{
	gw_ops_show(m);
	return 0;
}

static int ops_open(struct inode *inode, struct file *file)
{
	return gw_check_opener() ?: single_open(file, ops_show, NULL);
}

static const struct file_operations ops_fops = {
	.owner = THIS_MODULE,
	.open = ops_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int entries_show(struct seq_file *m, void *unused)
{
	gw_entries_show(m);
	return 0;
}

static int entries_open(struct inode *inode, struct file *file)
{
	return gw_check_opener() ?: single_open(file, entries_show, NULL);
}

static const struct file_operations entries_fops = {
	.owner = THIS_MODULE,
	.open = entries_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int probes_show(struct seq_file *m, void *unused)
{
	gw_observe_show(m);
	return 0;
}

static int probes_open(struct inode *inode, struct file *file)
{
	return gw_check_opener() ?: single_open(file, probes_show, NULL);
}

static const struct file_operations probes_fops = {
	.owner = THIS_MODULE,
	.open = probes_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/* ---- records ---- */

static void *records_start(struct seq_file *m, loff_t *pos)
{
	return gw_reader_seek(m->private, *pos) ? m->private : NULL;
}

static void *records_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return gw_reader_next(v) ? v : NULL;
}

static void records_stop(struct seq_file *m, void *v)
{
}

static int records_show(struct seq_file *m, void *v)
{
	gw_reader_show(v, m);
	return 0;
}

static const struct seq_operations records_ops = {
	.start = records_start,
	.next = records_next,
	.stop = records_stop,
	.show = records_show,
};

/*
 * Whoever opens the file sees the records of that moment, whatever is added or cleared while he
 * reads.
 */
static int records_open(struct file *file,
			void (*print)(struct seq_file *m, const struct gw_record *record,
				      unsigned int part))
{
	struct gw_reader *reader;
	int ret = gw_check_opener();

	if (ret)
		return ret;
	reader = __seq_open_private(file, &records_ops, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->print = print;
	reader->set = gw_records_grab();
	if (reader->set)
		return 0;
	seq_release_private(file_inode(file), file);
	return -ENOMEM;
}

static int records_text_open(struct inode *inode, struct file *file)
{
	return records_open(file, gw_text_record);
}

static int records_json_open(struct inode *inode, struct file *file)
{
	return records_open(file, gw_json_record);
}

static int records_release(struct inode *inode, struct file *file)
{
	struct gw_reader *reader = ((struct seq_file *)file->private_data)->private;

	gw_records_release(reader->set);
	return seq_release_private(inode, file);
}

static const struct file_operations records_fops = {
	.owner = THIS_MODULE,
	.open = records_text_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = records_release,
};

static const struct file_operations records_json_fops = {
	.owner = THIS_MODULE,
	.open = records_json_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = records_release,
};

/* ---- clear ---- */

static int clear_open(struct inode *inode, struct file *file)
{
	return gw_check_opener() ?: nonseekable_open(inode, file);
}

static ssize_t clear_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	gw_records_clear();
	return count;
}

static const struct file_operations clear_fops = {
	.owner = THIS_MODULE,
	.open = clear_open,
	.write = clear_write,
};

static const struct {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
} files[] = {
	{ "version", 0400, &version_fops },
	{ "ops", 0400, &ops_fops },
	{ "run", 0600, &gw_run_fops },
	{ "records", 0400, &records_fops },
	{ "records.jsonl", 0400, &records_json_fops },
	{ "clear", 0200, &clear_fops },
	{ "walk", 0600, &gw_walk_fops },
	{ "entries", 0400, &entries_fops },
	{ "observe", 0600, &gw_observe_fops },
	{ "probes", 0400, &probes_fops },
	{ "pins", 0400, &gw_pins_fops },
	{ "pins.jsonl", 0400, &gw_pins_json_fops },
};

int gw_debugfs_init(void)
{
	struct dentry *file;
	unsigned int i;

	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	if (IS_ERR(directory))
		return PTR_ERR(directory);
	d_inode(directory)->i_mode = S_IFDIR | 0700;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		file = debugfs_create_file(files[i].name, files[i].mode, directory, NULL,
					   files[i].fops);
		if (IS_ERR(file)) {
			debugfs_remove(directory);
			return PTR_ERR(file);
		}
	}
	return 0;
}

void gw_debugfs_exit(void)
{
	debugfs_remove(directory);
}
