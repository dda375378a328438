// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file `walk`: write whose page tables, read them; uapi/gupwalk.h has the form.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "debugfs.h"
#include "fields.h"
#include "request.h"
#include "tables.h"

/**
 * struct gw_walk_file - an open `walk` file
 * @lock: who use one descriptor take turns
 * @tables: the walk of the last request
 * @buffer: what it has given that was not read yet, GW_TABLES_BUFFER bytes; NULL before the first
 *	request
 * @from: first byte of it
 * @to: first byte after it
 * @error: why the last request is refused, if it is
 */
struct gw_walk_file {
	struct mutex lock;
	struct gw_tables tables;
	void *buffer;
	size_t from;
	size_t to;
	struct gw_error error;
};

static int walk_open(struct inode *inode, struct file *file)
{
	struct gw_walk_file *walk;
	int ret = gw_check_opener();

	if (ret)
		return ret;
	walk = kzalloc(sizeof(*walk), GFP_KERNEL_ACCOUNT);
	if (!walk)
		return -ENOMEM;
	mutex_init(&walk->lock);
	file->private_data = walk;
	return stream_open(inode, file);
}

static int walk_release(struct inode *inode, struct file *file)
{
	struct gw_walk_file *walk = file->private_data;

	gw_tables_stop(&walk->tables);
	kvfree(walk->buffer);
	kfree(walk);
	return 0;
}

/* The answer to a request that is refused, as from `run`. */
static void answer_error(struct gw_walk_file *walk)
{
	struct seq_file m = { .buf = walk->buffer, .size = GW_TABLES_BUFFER };

	gw_json_error(&m, &walk->error);
	walk->to = m.count;
}

static int serve(struct gw_walk_file *walk, const char __user *buffer, size_t count)
{
	struct gw_error *error = &walk->error;
	struct gw_request request;
	unsigned long start;
	char *line;
	int ret;

	ret = gw_request_copy(buffer, count, &line, error);
	if (ret)
		return ret;
	ret = gw_request_parse_walk(line, &request, error);
	if (!ret) {
		start = request.addr & PAGE_MASK;
		gw_tables_start(&walk->tables, request.mm, request.pid, start,
				start + (request.nr_pages << PAGE_SHIFT));
		gw_request_release(&request);
	}
	kfree(line);
	return ret;
}

static ssize_t walk_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	struct gw_walk_file *walk = file->private_data;
	int ret = -ENOMEM;

	if (mutex_lock_killable(&walk->lock))
		return -EINTR;
	gw_tables_stop(&walk->tables);
	walk->from = 0;
	walk->to = 0;
	walk->error.text[0] = '\0';
	walk->error.word[0] = '\0';
	walk->error.allowed[0] = '\0';
	if (!walk->buffer)
		walk->buffer = kvmalloc(GW_TABLES_BUFFER, GFP_KERNEL_ACCOUNT);
	if (walk->buffer)
		ret = serve(walk, buffer, count);
	if (walk->buffer && ret) {
		gw_error_name(&walk->error, ret);
		answer_error(walk);
	}
	mutex_unlock(&walk->lock);
	return ret ?: count;
}

/* Return: bytes that are there to be read, 0: there are no more; or a negative errno. */
static ssize_t refill(struct gw_walk_file *walk)
{
	ssize_t ret;

	while (walk->from == walk->to) {
		if (!walk->tables.mm || walk->tables.ended)
			return 0;
		if (signal_pending(current))
			return -ERESTARTSYS;
		cond_resched();
		ret = gw_tables_read(&walk->tables, walk->buffer, GW_TABLES_BUFFER);
		if (ret < 0)
			return ret;
		walk->from = 0;
		walk->to = ret;
	}
	return walk->to - walk->from;
}

static ssize_t walk_read(struct file *file, char __user *buffer, size_t count, loff_t *pos)
{
	struct gw_walk_file *walk = file->private_data;
	size_t done = 0, size;
	ssize_t ret = 0;

	if (mutex_lock_killable(&walk->lock))
		return -EINTR;
	while (done < count) {
		ret = refill(walk);
		if (ret <= 0)
			break;
		size = min_t(size_t, ret, count - done);
		ret = gw_arch_copy_to_user(buffer + done, walk->buffer + walk->from, size);
		if (ret)
			break;
		walk->from += size;
		done += size;
	}
	mutex_unlock(&walk->lock);
	return done ?: ret;
}

const struct file_operations gw_walk_fops = {
	.owner = THIS_MODULE,
	.open = walk_open,
	.read = walk_read,
	.write = walk_write,
	.release = walk_release,
};
