// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file `observe`: write a filter, and the probes are placed; read the records; close it, and
 * the probes are gone, however the process ends.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "debugfs.h"
#include "fields.h"
#include "observe.h"

/**
 * struct gw_observing - an open `observe` file
 * @lock: taken to give the filter; guards @refusal
 * @refusal: why the filter that is being given is refused, if it is
 * @reading: taken by a reader: two would move the position under each other
 * @observer: the observer, once a filter was accepted
 * @current_one: the observation that is being read
 * @part: how far
 * @error: why the filter was refused, if it was
 *
 * @current_one, @part and @error are guarded by the lock of the seq_file.
 */
struct gw_observing {
	struct mutex lock;
	struct mutex reading;
	struct gw_error refusal;
	struct gw_observer *observer;
	struct gw_observation *current_one;
	unsigned int part;
	struct gw_error error;
};

static bool fetch(struct gw_observing *observing)
{
	struct gw_observer *observer = READ_ONCE(observing->observer);

	if (observing->error.text[0])
		return !observing->part;
	if (!observing->current_one && observer) {
		observing->current_one = gw_observer_next(observer);
		observing->part = 0;
	}
	return observing->current_one;
}

/* It is a stream: what was read is gone, and the position is not looked at. */
static void *observe_start(struct seq_file *m, loff_t *pos)
{
	return fetch(m->private) ? m->private : NULL;
}

static void *observe_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct gw_observing *observing = v;

	++*pos;
	observing->part++;
	if (observing->current_one &&
	    observing->part >= gw_record_parts(&observing->current_one->record)) {
		gw_observer_put(observing->observer, observing->current_one);
		observing->current_one = NULL;
	}
	return fetch(observing) ? observing : NULL;
}

static void observe_stop(struct seq_file *m, void *v)
{
}

static int observe_show(struct seq_file *m, void *v)
{
	struct gw_observing *observing = v;

	if (observing->error.text[0])
		gw_json_error(m, &observing->error);
	else
		gw_json_record(m, &observing->current_one->record, observing->part);
	return 0;
}

static const struct seq_operations observe_ops = {
	.start = observe_start,
	.next = observe_next,
	.stop = observe_stop,
	.show = observe_show,
};

static int observe_open(struct inode *inode, struct file *file)
{
	struct gw_observing *observing;
	int ret = gw_check_opener();

	if (ret)
		return ret;
	observing = __seq_open_private(file, &observe_ops, sizeof(*observing));
	if (!observing)
		return -ENOMEM;
	mutex_init(&observing->lock);
	mutex_init(&observing->reading);
	return 0;
}

static struct gw_observing *observing_of(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

static int observe_release(struct inode *inode, struct file *file)
{
	gw_observer_stop(observing_of(file)->observer);
	return seq_release_private(inode, file);
}

static int start(struct gw_observing *observing, char *line, struct gw_error *error)
{
	struct gw_observer *observer;
	struct gw_filter filter;
	int ret = gw_filter_parse(line, &filter, error);

	if (ret)
		return ret;
	ret = gw_observer_start(&filter, &observer);
	if (!ret) {
		WRITE_ONCE(observing->observer, observer);
		return 0;
	}
	gw_filter_release(&filter);
	if (ret == -EBUSY)
		gw_error_set(error, ret, "filter: somebody observes already: see the file probes");
	else if (ret != -ENOMEM && ret != -EINTR)
		gw_error_set(error, ret, "filter: no function can be probed: see the file probes");
	return ret;
}

static ssize_t observe_write(struct file *file, const char __user *buffer, size_t count,
			     loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct gw_observing *observing = m->private;
	struct gw_error *refusal = &observing->refusal;
	char *line;
	int ret;

	if (mutex_lock_killable(&observing->lock))
		return -EINTR;
	memset(refusal, 0, sizeof(*refusal));
	ret = gw_request_copy(buffer, count, &line, refusal);
	if (!ret) {
		ret = observing->observer ? -EBUSY : start(observing, line, refusal);
		kfree(line);
	}
	gw_error_name(refusal, ret);
	mutex_lock(&m->lock);
	/* one that observes goes on; the errno has to do there */
	if (!observing->observer) {
		observing->error = *refusal;
		observing->part = 0;
	} else {
		memset(&observing->error, 0, sizeof(observing->error));
	}
	mutex_unlock(&m->lock);
	mutex_unlock(&observing->lock);
	return ret ?: count;
}

/*
 * Where it has come to is where it goes on, whatever the caller's position: going back is what
 * seq_read() would do about another one, and a stream cannot.
 */
static ssize_t read_on(struct file *file, char __user *buffer, size_t count, loff_t *pos)
{
	struct gw_observing *observing = observing_of(file);
	ssize_t got;

	if (mutex_lock_killable(&observing->reading))
		return -EINTR;
	*pos = ((struct seq_file *)file->private_data)->read_pos;
	got = seq_read(file, buffer, count, pos);
	mutex_unlock(&observing->reading);
	return got;
}

/* Waits for a record, unless it shall not. */
static ssize_t observe_read(struct file *file, char __user *buffer, size_t count, loff_t *pos)
{
	struct gw_observing *observing = observing_of(file);
	struct gw_observer *observer = READ_ONCE(observing->observer);
	ssize_t got;
	int ret;

	for (;;) {
		got = read_on(file, buffer, count, pos);
		if (got || !count || !observer)
			return got;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = signal_pending(current) ? -ERESTARTSYS : gw_observer_wait(observer);
		if (ret)
			return ret;
	}
}

static __poll_t observe_poll(struct file *file, struct poll_table_struct *wait)
{
	struct gw_observing *observing = observing_of(file);
	struct gw_observer *observer = READ_ONCE(observing->observer);

	if (!observer)
		return EPOLLOUT | EPOLLWRNORM;
	poll_wait(file, gw_observer_waitqueue(observer), wait);
	/* a part of a record, or what is buffered, is there at once */
	if (READ_ONCE(observing->current_one) || gw_observer_ready(observer) ||
	    ((struct seq_file *)file->private_data)->count)
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

const struct file_operations gw_observe_fops = {
	.owner = THIS_MODULE,
	.open = observe_open,
	.read = observe_read,
	.write = observe_write,
	.poll = observe_poll,
	.release = observe_release,
};
