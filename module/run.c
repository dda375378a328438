// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file `run`: write a request, read its answer.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "debugfs.h"
#include "fields.h"
#include "measure.h"
#include "observe.h"
#include "reader.h"

/**
 * struct gw_run - an open `run` file
 * @lock: requests of one descriptor take turns; guards @holds, @own and
 *	@refusal
 * @holds: pages held by this descriptor
 * @own: our calls, which are not to be observed
 * @refusal: why the request being served is refused, if it is
 * @reader: prints the answer to the last request, if that is a record
 * @error: the answer, if the request was refused
 *
 * @reader and @error are guarded by the lock of the seq_file, which is held for no longer than it
 * takes to exchange them: a request may fault pages in from any filesystem, and the lock of a
 * seq_file is taken below the locks of some.
 */
struct gw_run {
	struct mutex lock;
	struct list_head holds;
	struct gw_unobserved own;
	struct gw_error refusal;
	struct gw_reader reader;
	struct gw_error error;
};

static void *run_start(struct seq_file *m, loff_t *pos)
{
	struct gw_run *run = m->private;

	if (run->error.text[0])
		return *pos ? NULL : run;
	return gw_reader_seek(&run->reader, *pos) ? run : NULL;
}

static void *run_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct gw_run *run = v;

	++*pos;
	return !run->error.text[0] && gw_reader_next(&run->reader) ? run : NULL;
}

static void run_stop(struct seq_file *m, void *v)
{
}

static int run_show(struct seq_file *m, void *v)
{
	struct gw_run *run = v;

	if (run->error.text[0])
		gw_json_error(m, &run->error);
	else
		gw_reader_show(&run->reader, m);
	return 0;
}

static const struct seq_operations run_ops = {
	.start = run_start,
	.next = run_next,
	.stop = run_stop,
	.show = run_show,
};

static int run_open(struct inode *inode, struct file *file)
{
	struct gw_run *run;
	int ret = gw_check_opener();

	if (ret)
		return ret;
	run = __seq_open_private(file, &run_ops, sizeof(*run));
	if (!run)
		return -ENOMEM;
	mutex_init(&run->lock);
	INIT_LIST_HEAD(&run->holds);
	gw_unobserved_add(&run->own);
	run->reader.print = gw_json_record;
	return 0;
}

static int run_release(struct inode *inode, struct file *file)
{
	struct gw_run *run = ((struct seq_file *)file->private_data)->private;

	gw_unobserved_begin(&run->own);
	gw_holds_release(&run->holds);
	gw_unobserved_remove(&run->own);
	gw_records_release(run->reader.set);
	return seq_release_private(inode, file);
}

/* Serves a request line; the record goes into @answer. */
static int serve(struct gw_run *run, char *line, struct gw_record_set *answer)
{
	struct gw_record *record = NULL;
	struct gw_request request;
	int ret;

	ret = gw_request_parse(line, &request, &run->refusal);
	if (ret)
		return ret;
	gw_unobserved_begin(&run->own);
	ret = gw_measure(&request, &run->holds, &record, &run->refusal);
	gw_unobserved_end(&run->own);
	gw_request_release(&request);
	if (ret)
		return ret;
	gw_record_set_add(answer, record);
	gw_record_put(record);
	return 0;
}

/* Makes the answer what is read from the descriptor next, from its start. */
static void answer_with(struct file *file, struct gw_record_set *answer)
{
	struct seq_file *m = file->private_data;
	struct gw_run *run = m->private;
	struct gw_record_set *last;

	mutex_lock(&m->lock);
	last = run->reader.set;
	run->reader.set = answer;
	run->error = run->refusal;
	/* What seq_read() has buffered is of the last answer. */
	m->index = 0;
	m->count = 0;
	m->read_pos = 0;
	/* write(2) would leave the offset alone after an error. */
	file->f_pos = 0;
	mutex_unlock(&m->lock);
	gw_records_release(last);
}

static ssize_t run_write(struct file *file, const char __user *buffer, size_t count, loff_t *pos)
{
	struct gw_run *run = ((struct seq_file *)file->private_data)->private;
	struct gw_record_set *answer;
	char *line;
	int ret;

	/* The one before may wait for a filesystem. */
	if (mutex_lock_killable(&run->lock))
		return -EINTR;
	memset(&run->refusal, 0, sizeof(run->refusal));
	/* Before the call is made, as nothing may fail afterwards. */
	answer = gw_record_set_create(1);
	ret = gw_request_copy(buffer, count, &line, &run->refusal);
	if (!ret) {
		ret = answer ? serve(run, line, answer) : -ENOMEM;
		kfree(line);
	}
	gw_error_name(&run->refusal, ret);
	answer_with(file, answer);
	mutex_unlock(&run->lock);
	*pos = 0;
	return ret ?: count;
}

const struct file_operations gw_run_fops = {
	.owner = THIS_MODULE,
	.open = run_open,
	.read = seq_read,
	.write = run_write,
	.llseek = seq_lseek,
	.release = run_release,
};
