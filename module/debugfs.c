// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of debugfs-layout.md.
 */
#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

#include "arch.h"
#include "debugfs.h"
#include "fields.h"
#include "measure.h"

static struct dentry *directory;

/*
 * Beyond the file's mode: a descriptor must not be had by who merely owns a user namespace or a
 * copied mode.
 */
static int check_opener(void)
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
	seq_printf(m, "pages_max: %u\n", limits.pages_max);
	seq_printf(m, "pins_max: %u\n", limits.pins_max);
	seq_printf(m, "pins_held: %u\n", limits.pins_held);
	seq_printf(m, "target: /dev/%s\n", GUPWALK_TARGET_NAME);
	return 0;
}

static int version_open(struct inode *inode, struct file *file)
{
	return check_opener() ?: single_open(file, version_show, NULL);
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
	return check_opener() ?: single_open(file, ops_show, NULL);
}

static const struct file_operations ops_fops = {
	.owner = THIS_MODULE,
	.open = ops_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/* ---- records: read part by part ---- */

/**
 * struct gw_reader - an open file that prints records
 * @set: the records, or NULL
 * @print: prints a part of one
 * @current_record: number in @set of the record at the position last asked for
 * @part: part of it
 */
struct gw_reader {
	struct gw_record_set *set;
	void (*print)(struct seq_file *m, const struct gw_record *record, unsigned int part);
	unsigned int current_record;
	unsigned int part;
};

static unsigned int parts_of(const struct gw_record *record)
{
	return record->nr + 2;
}

/* Finds the part at a position. Return: false past the last one. */
static bool reader_seek(struct gw_reader *reader, loff_t pos)
{
	unsigned int i;

	for (i = 0; reader->set && i < reader->set->nr; i++) {
		unsigned int parts = parts_of(reader->set->records[i]);

		if (pos < parts) {
			reader->current_record = i;
			reader->part = pos;
			return true;
		}
		pos -= parts;
	}
	return false;
}

static void *reader_start(struct seq_file *m, loff_t *pos)
{
	struct gw_reader *reader = m->private;

	return reader_seek(reader, *pos) ? reader : NULL;
}

static void *reader_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct gw_reader *reader = v;

	++*pos;
	if (++reader->part < parts_of(reader->set->records[reader->current_record]))
		return reader;
	reader->part = 0;
	return ++reader->current_record < reader->set->nr ? reader : NULL;
}

static void reader_stop(struct seq_file *m, void *v)
{
}

static int reader_show(struct seq_file *m, void *v)
{
	struct gw_reader *reader = v;

	reader->print(m, reader->set->records[reader->current_record], reader->part);
	return 0;
}

static const struct seq_operations reader_ops = {
	.start = reader_start,
	.next = reader_next,
	.stop = reader_stop,
	.show = reader_show,
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
	int ret = check_opener();

	if (ret)
		return ret;
	reader = __seq_open_private(file, &reader_ops, sizeof(*reader));
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
	return check_opener() ?: nonseekable_open(inode, file);
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

/* ---- run ---- */

/**
 * struct gw_run - an open `run` file
 * @reader: prints the answer to the last request, if that is a record
 * @error: the answer, if the request was refused
 * @holds: pages held by this descriptor
 *
 * All is guarded by the lock of the seq_file: requests and reads of one descriptor take turns.
 */
struct gw_run {
	struct gw_reader reader;
	struct gw_error error;
	struct list_head holds;
};

static void *run_start(struct seq_file *m, loff_t *pos)
{
	struct gw_run *run = m->private;

	if (run->error.text[0])
		return *pos ? NULL : run;
	return reader_seek(&run->reader, *pos) ? run : NULL;
}

static void *run_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct gw_run *run = v;

	if (!run->error.text[0])
		return reader_next(m, &run->reader, pos) ? run : NULL;
	++*pos;
	return NULL;
}

static int run_show(struct seq_file *m, void *v)
{
	struct gw_run *run = v;

	if (!run->error.text[0])
		return reader_show(m, &run->reader);
	gw_json_error(m, &run->error);
	return 0;
}

static const struct seq_operations run_ops = {
	.start = run_start,
	.next = run_next,
	.stop = reader_stop,
	.show = run_show,
};

static int run_open(struct inode *inode, struct file *file)
{
	struct gw_run *run;
	int ret = check_opener();

	if (ret)
		return ret;
	run = __seq_open_private(file, &run_ops, sizeof(*run));
	if (!run)
		return -ENOMEM;
	run->reader.print = gw_json_record;
	INIT_LIST_HEAD(&run->holds);
	return 0;
}

static int run_release(struct inode *inode, struct file *file)
{
	struct gw_run *run = ((struct seq_file *)file->private_data)->private;

	gw_holds_release(&run->holds);
	gw_records_release(run->reader.set);
	return seq_release_private(inode, file);
}

/* Cuts the newline off, and refuses what is not one line of text. */
static int check_line(char *line, size_t count, struct gw_error *error)
{
	if (count && line[count - 1] == '\n')
		line[--count] = '\0';
	if (memchr(line, '\0', count))
		return gw_error_set(error, -EINVAL, "request: has a byte 0 in it");
	if (memchr(line, '\n', count))
		return gw_error_set(error, -EINVAL, "request: more than one line");
	return 0;
}

static int serve(struct gw_run *run, char *line, size_t count)
{
	struct gw_record *record = NULL;
	struct gw_record_set *answer;
	struct gw_request request;
	int ret;

	ret = check_line(line, count, &run->error);
	if (ret)
		return ret;
	ret = gw_request_parse(line, &request, &run->error);
	if (ret)
		return ret;
	ret = gw_measure(&request, &run->holds, &record, &run->error);
	gw_request_release(&request);
	if (ret)
		return ret;
	answer = gw_record_set_of(record);
	gw_record_put(record);
	if (!answer)
		return -ENOMEM;
	run->reader.set = answer;
	return 0;
}

/*
 * An answer has an error text or a record: a refusal for want of memory, or by a signal, says so
 * too.
 */
static void name_error(struct gw_error *error, int ret)
{
	if (ret && !error->text[0])
		gw_error_set(error, ret, "request: %s",
			     ret == -ENOMEM ? "out of memory" : "interrupted");
}

static ssize_t run_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct gw_run *run = m->private;
	char *line = NULL;
	int ret;

	if (count <= GUPWALK_LINE_MAX) {
		line = memdup_user_nul(buffer, count);
		if (IS_ERR(line))
			return PTR_ERR(line);
	}
	mutex_lock(&m->lock);
	memset(&run->error, 0, sizeof(run->error));
	gw_records_release(run->reader.set);
	run->reader.set = NULL;
	if (line)
		ret = serve(run, line, count);
	else
		ret = gw_error_set(&run->error, -E2BIG, "request: line longer than %d bytes",
				   GUPWALK_LINE_MAX);
	name_error(&run->error, ret);
	/* What seq_read() has buffered is of the last answer. */
	m->index = 0;
	m->count = 0;
	m->read_pos = 0;
	mutex_unlock(&m->lock);
	kfree(line);
	/*
	 * An answer is read from its start, that to a refused request as well, where write(2)
	 * would leave the offset alone.
	 */
	*pos = 0;
	file->f_pos = 0;
	return ret ?: count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = run_open,
	.read = seq_read,
	.write = run_write,
	.llseek = seq_lseek,
	.release = run_release,
};

static const struct {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
} files[] = {
	{ "version", 0400, &version_fops },
	{ "ops", 0400, &ops_fops },
	{ "run", 0600, &run_fops },
	{ "records", 0400, &records_fops },
	{ "records.jsonl", 0400, &records_json_fops },
	{ "clear", 0200, &clear_fops },
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
