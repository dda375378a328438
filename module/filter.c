// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "filter.h"

/* How far up the family is looked for: more than anybody forks. */
#define GENERATIONS_MAX 64

/**
 * struct parse - a line being parsed
 * @filter: what it becomes
 * @error: why it is refused
 * @given: bits of the keys that were given
 */
struct parse {
	struct gw_filter *filter;
	struct gw_error *error;
	u32 given;
};

static int parse_pid(struct parse *p, char *value)
{
	struct task_struct *task;
	struct pid *pid;
	u64 number;
	int ret = gw_parse_bounded(p->error, "pid", value, INT_MAX, -ESRCH, &number);

	if (ret)
		return ret;
	pid = find_get_pid(number);
	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	if (task)
		p->filter->pid = get_pid(task_tgid(task));
	rcu_read_unlock();
	put_pid(pid);
	return task ? 0 : gw_error_set(p->error, -ESRCH, "pid: no such process");
}

static int parse_children(struct parse *p, char *value)
{
	p->filter->children = true;
	return 0;
}

/* Who prints what he reads may make calls for that, each of which would be one more to print. */
static int parse_others(struct parse *p, char *value)
{
	p->filter->not = get_pid(task_tgid(current));
	return 0;
}

static int parse_name(struct parse *p, const char *key, char *value, char *to, size_t size)
{
	if (!*value)
		return gw_error_set(p->error, -EINVAL, "%s: no name", key);
	if (strscpy(to, value, size) < 0)
		return gw_error_set(p->error, -E2BIG, "%s: longer than %zu bytes", key, size - 1);
	return 0;
}

static int parse_comm(struct parse *p, char *value)
{
	return parse_name(p, "comm", value, p->filter->comm, sizeof(p->filter->comm));
}

static int parse_module(struct parse *p, char *value)
{
	return parse_name(p, "module", value, p->filter->module, sizeof(p->filter->module));
}

static int parse_op(struct parse *p, char *value)
{
	const struct gw_op *op;
	char *name;

	while ((name = strsep(&value, ","))) {
		op = gw_op_find(name);
		if (!op || !gw_op_is_watched(op)) {
			gw_watched_allow(p->error);
			return gw_error_set(p->error, -EINVAL, "op: '%s' is none that is observed",
					    name);
		}
		p->filter->ops |= BIT(op - gw_ops);
	}
	return 0;
}

static int parse_addr(struct parse *p, char *value)
{
	char *end = strchr(value, '-');
	u64 first, last = 0;
	int ret;

	if (end)
		*end++ = '\0';
	ret = gw_parse_bounded(p->error, "addr", value, ULONG_MAX, -EFAULT, &first);
	if (!ret && end)
		ret = gw_parse_bounded(p->error, "addr", end, ULONG_MAX, -EFAULT, &last);
	if (ret)
		return ret;
	if (end && last <= first)
		return gw_error_set(p->error, -EINVAL, "addr: ends before it begins");
	p->filter->start = first;
	p->filter->end = end ? last - 1 : first;
	return 0;
}

static int parse_min_pages(struct parse *p, char *value)
{
	u64 number;
	int ret = gw_parse_bounded(p->error, "min_pages", value, ULONG_MAX >> PAGE_SHIFT, -E2BIG,
				   &number);

	p->filter->min_pages = number;
	return ret;
}

static int parse_min_ns(struct parse *p, char *value)
{
	return gw_parse_bounded(p->error, "min_ns", value, U64_MAX, -E2BIG, &p->filter->min_ns);
}

static const struct {
	const char *name;
	bool bare;
	int (*parse)(struct parse *p, char *value);
} keys[] = {
	{ "pid", false, parse_pid },
	{ "children", true, parse_children },
	{ "others", true, parse_others },
	{ "comm", false, parse_comm },
	{ "op", false, parse_op },
	{ "addr", false, parse_addr },
	{ "min_pages", false, parse_min_pages },
	{ "min_ns", false, parse_min_ns },
	{ "module", false, parse_module },
};

static void allow_keys(struct gw_error *error)
{
	char word[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		scnprintf(word, sizeof(word), "%s%s", keys[i].name, keys[i].bare ? "" : "=");
		gw_error_allow(error, word);
	}
}

static int parse_word(struct parse *p, char *word)
{
	char *value = strchr(word, '=');
	unsigned int i;

	strscpy(p->error->word, word, sizeof(p->error->word));
	if (value)
		*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, word) && keys[i].bare == !value)
			break;
	if (i == ARRAY_SIZE(keys)) {
		allow_keys(p->error);
		return gw_error_set(p->error, -EINVAL, "filter: no such word");
	}
	if (p->given & BIT(i))
		return gw_error_set(p->error, -EINVAL, "%s: given twice", keys[i].name);
	p->given |= BIT(i);
	return keys[i].parse(p, value);
}

/* Each page fault of each process would be too much. */
static int check(struct parse *p)
{
	const struct gw_filter *filter = p->filter;
	u32 hot = BIT(gw_op_find("handle_mm_fault") - gw_ops);

	p->error->word[0] = '\0';
	if (filter->children && !filter->pid)
		return gw_error_set(p->error, -EINVAL, "children: needs pid=");
	if (filter->ops & hot && !filter->pid)
		return gw_error_set(p->error, -EINVAL, "op: handle_mm_fault needs pid=");
	return 0;
}

int gw_filter_parse(char *line, struct gw_filter *filter, struct gw_error *error)
{
	struct parse p = { .filter = filter, .error = error };
	char *word;
	int ret = 0;

	*filter = (struct gw_filter){ .end = ULONG_MAX };
	while (!ret && (word = strsep(&line, " \t")))
		if (*word)
			ret = parse_word(&p, word);
	ret = ret ?: check(&p);
	if (ret)
		gw_filter_release(filter);
	return ret;
}

void gw_filter_release(struct gw_filter *filter)
{
	put_pid(filter->pid);
	put_pid(filter->not);
	filter->pid = NULL;
	filter->not = NULL;
}

/* References are not given back by functions that can be watched, unless by mistake: as pins. */
static bool observes_pages(const struct gw_filter *filter)
{
	unsigned int i;

	for (i = 0; i < gw_nr_ops; i++)
		if (filter->ops & BIT(i) && gw_ops[i].release)
			return true;
	return !filter->ops;
}

bool gw_filter_wants(const struct gw_filter *filter, const struct gw_watched *watched)
{
	const struct gw_op *op = gw_watched_op(watched);

	if (!op)
		return observes_pages(filter);
	return filter->ops ? filter->ops & BIT(op - gw_ops) : !watched->hot;
}

struct task_struct *gw_mm_owner(struct mm_struct *mm)
{
	if (mm == current->mm && !(current->flags & PF_KTHREAD))
		return current;
#ifdef CONFIG_MEMCG
	return rcu_dereference(mm->owner);
#else
	return NULL;
#endif
}

static bool is_of_family(const struct gw_filter *filter, struct task_struct *task)
{
	unsigned int i;

	for (i = 0; task && task->pid && i < GENERATIONS_MAX; i++) {
		if (task_tgid(task) == filter->pid)
			return true;
		if (!filter->children)
			return false;
		task = rcu_dereference(task->real_parent);
	}
	return false;
}

bool gw_filter_comm(const struct gw_filter *filter)
{
	if (filter->not && task_tgid(current) == filter->not)
		return false;
	return !filter->comm[0] || !strncmp(filter->comm, current->comm, TASK_COMM_LEN);
}

bool gw_filter_task(const struct gw_filter *filter, struct mm_struct *mm)
{
	struct task_struct *owner;
	bool match;

	if (!filter->pid)
		return true;
	rcu_read_lock();
	match = is_of_family(filter, current);
	if (!match && mm) {
		owner = gw_mm_owner(mm);
		match = owner && owner != current && is_of_family(filter, owner);
	}
	rcu_read_unlock();
	return match;
}

bool gw_filter_args(const struct gw_filter *filter, const struct gw_args *args)
{
	unsigned long last;

	if (args->nr < filter->min_pages)
		return false;
	if (!filter->start && filter->end == ULONG_MAX)
		return true;
	last = (args->addr & PAGE_MASK) + (max(args->nr, 1UL) << PAGE_SHIFT) - 1;
	return args->addr <= filter->end && last >= filter->start;
}

void gw_filter_show(const struct gw_filter *filter, struct seq_file *m)
{
	const char *sep = " op=";
	unsigned int i;

	if (filter->pid)
		seq_printf(m, " pid=%d%s", pid_nr(filter->pid), filter->children ? " children" : "");
	if (filter->not)
		seq_puts(m, " others");
	if (filter->comm[0])
		seq_printf(m, " comm=%s", filter->comm);
	for (i = 0; i < gw_nr_ops; i++) {
		if (!(filter->ops & BIT(i)))
			continue;
		seq_printf(m, "%s%s", sep, gw_ops[i].name);
		sep = ",";
	}
	if (filter->start || filter->end != ULONG_MAX)
		seq_printf(m, " addr=0x%lx-0x%lx", filter->start, filter->end + 1);
	if (filter->min_pages)
		seq_printf(m, " min_pages=%lu", filter->min_pages);
	if (filter->min_ns)
		seq_printf(m, " min_ns=%llu", filter->min_ns);
	if (filter->module[0])
		seq_printf(m, " module=%s", filter->module);
}
