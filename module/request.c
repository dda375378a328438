// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "record.h"
#include "request.h"

int gw_error_set(struct gw_error *error, int ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	return ret;
}

void gw_error_name(struct gw_error *error, int ret)
{
	if (error->text[0])
		return;
	if (ret == -ENOMEM)
		gw_error_set(error, ret, "request: out of memory");
	else if (ret == -EFAULT)
		gw_error_set(error, ret, "request: cannot be read");
	else if (ret)
		gw_error_set(error, ret, "request: interrupted");
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

int gw_request_copy(const char __user *buffer, size_t count, char **line, struct gw_error *error)
{
	int ret;

	if (count > GUPWALK_LINE_MAX)
		return gw_error_set(error, -E2BIG, "request: line longer than %d bytes",
				    GUPWALK_LINE_MAX);
	*line = memdup_user_nul(buffer, count);
	if (IS_ERR(*line))
		return PTR_ERR(*line);
	ret = check_line(*line, count, error);
	if (ret)
		kfree(*line);
	return ret;
}

/* Longest list of flags: more than all of them. */
#define GW_FLAGS_MAX 128

/**
 * struct gw_parse - a line being parsed
 * @request: what it becomes
 * @error: why it is refused
 * @pid: pid in the requester's namespace, if one was given
 * @walk: the line is for the file `walk`
 */
struct gw_parse {
	struct gw_request *request;
	struct gw_error *error;
	pid_t pid;
	bool walk;
};

void gw_error_allow(struct gw_error *error, const char *word)
{
	if (error->allowed[0])
		strlcat(error->allowed, " ", sizeof(error->allowed));
	strlcat(error->allowed, word, sizeof(error->allowed));
}

static void allow_ops(struct gw_error *error)
{
	unsigned int i;

	for (i = 0; i < gw_nr_ops; i++)
		if (gw_op_available(&gw_ops[i]))
			gw_error_allow(error, gw_ops[i].name);
}

static void allow_flags(struct gw_error *error, u32 flags)
{
	const struct gw_name *name;

	for (name = gw_flag_names; name->name; name++)
		if (gw_name_applies(name, flags))
			gw_error_allow(error, name->name);
	if (!error->allowed[0])
		gw_error_allow(error, "none");
}

/* Decimal, or hex with 0x. No sign, no octal: 010 would surprise whoever meant ten. */
static int parse_number(const char *text, u64 *number)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return kstrtoull(text, 16, number);
	return isdigit(text[0]) ? kstrtoull(text, 10, number) : -EINVAL;
}

int gw_parse_bounded(struct gw_error *error, const char *key, const char *text, u64 max,
		     int too_many, u64 *number)
{
	int ret = parse_number(text, number);

	if (ret == -ERANGE)
		return gw_error_set(error, too_many, "%s: number too large", key);
	if (ret)
		return gw_error_set(error, -EINVAL, "%s: not a number (decimal, or hex with 0x)",
				    key);
	if (*number > max)
		return gw_error_set(error, too_many, "%s: more than %llu", key, max);
	return 0;
}

static int parse_op(struct gw_parse *p, char *value)
{
	p->request->op = gw_op_find(value);
	if (!p->request->op) {
		allow_ops(p->error);
		return gw_error_set(p->error, -EINVAL, "op: no such op");
	}
	if (!gw_op_available(p->request->op))
		return gw_error_set(p->error, -EOPNOTSUPP, "op: not on this kernel: %s",
				    p->request->op->missing);
	return 0;
}

static int parse_addr(struct gw_parse *p, char *value)
{
	u64 number;
	int ret = gw_parse_bounded(p->error, "addr", value, ULONG_MAX, -EFAULT, &number);

	p->request->addr = number;
	return ret;
}

static int parse_pid(struct gw_parse *p, char *value)
{
	u64 number;
	int ret = gw_parse_bounded(p->error, "pid", value, INT_MAX, -ESRCH, &number);

	if (!ret && !number)
		return gw_error_set(p->error, -EINVAL, "pid: must be positive");
	p->pid = number;
	return ret;
}

static int parse_nr_pages(struct gw_parse *p, char *value)
{
	u64 number;
	int ret = gw_parse_bounded(p->error, "nr_pages", value, ULONG_MAX >> PAGE_SHIFT, -E2BIG,
				   &number);

	if (!ret && !number)
		return gw_error_set(p->error, -EINVAL, "nr_pages: must be at least 1");
	p->request->nr_pages = number;
	return ret;
}

static int parse_flags(struct gw_parse *p, char *value)
{
	char copy[GW_FLAGS_MAX], *rest = copy, *flag;
	const struct gw_name *name;

	if (strscpy(copy, value, sizeof(copy)) < 0)
		return gw_error_set(p->error, -E2BIG, "flags: list too long");
	while ((flag = strsep(&rest, ","))) {
		for (name = gw_flag_names; name->name; name++)
			if (!strcmp(name->name, flag) && !(name->mask & GW_FLAGS_OBSERVED))
				break;
		if (!name->name) {
			allow_flags(p->error, ~GW_FLAGS_OBSERVED);
			return gw_error_set(p->error, -EINVAL, "flags: no such flag: '%s'", flag);
		}
		p->request->flags |= name->mask;
	}
	return 0;
}

static int parse_run(struct gw_parse *p, char *value)
{
	if (strscpy(p->request->label, value, sizeof(p->request->label)) < 0)
		return gw_error_set(p->error, -E2BIG, "run: longer than %d bytes",
				    GUPWALK_LABEL_MAX);
	return 0;
}

static int parse_peek(struct gw_parse *p, char *value)
{
	u64 number;
	int ret = gw_parse_bounded(p->error, "peek", value, PAGE_SIZE, -E2BIG, &number);

	if (!ret && !number)
		return gw_error_set(p->error, -EINVAL, "peek: must be at least 1");
	p->request->peek = number;
	return ret;
}

static int parse_poke(struct gw_parse *p, char *value)
{
	if (!*value)
		return gw_error_set(p->error, -EINVAL, "poke: no text");
	p->request->poke = value;
	return 0;
}

static int parse_hold(struct gw_parse *p, char *value)
{
	p->request->hold = true;
	return 0;
}

static int parse_nokeep(struct gw_parse *p, char *value)
{
	p->request->keep = false;
	return 0;
}

static int parse_predict(struct gw_parse *p, char *value)
{
	p->request->predict = true;
	p->request->keep = false;
	return 0;
}

/**
 * struct gw_key - a key of the request line
 * @name: the key
 * @bare: a word by itself, without =value
 * @walk: the file `walk` takes it too
 * @parse: takes the value. Return: 0 or a negative errno with the error set
 */
struct gw_key {
	const char *name;
	bool bare;
	bool walk;
	int (*parse)(struct gw_parse *p, char *value);
};

static const struct gw_key keys[] = {
	{ "op", false, false, parse_op },
	{ "addr", false, true, parse_addr },
	{ "pid", false, true, parse_pid },
	{ "nr_pages", false, true, parse_nr_pages },
	{ "flags", false, false, parse_flags },
	{ "run", false, false, parse_run },
	{ "peek", false, false, parse_peek },
	{ "poke", false, false, parse_poke },
	{ "hold", true, false, parse_hold },
	{ "nokeep", true, false, parse_nokeep },
	{ "predict", true, false, parse_predict },
};

static bool takes(const struct gw_parse *p, const struct gw_key *key)
{
	return !p->walk || key->walk;
}

static void allow_keys(struct gw_parse *p)
{
	char word[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!takes(p, &keys[i]))
			continue;
		scnprintf(word, sizeof(word), "%s%s", keys[i].name, keys[i].bare ? "" : "=");
		gw_error_allow(p->error, word);
	}
}

static int parse_word(struct gw_parse *p, char *word)
{
	char *value = strchr(word, '=');
	unsigned int i;

	strscpy(p->error->word, word, sizeof(p->error->word));
	if (value)
		*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, word) && keys[i].bare == !value && takes(p, &keys[i]))
			break;
	if (i == ARRAY_SIZE(keys)) {
		allow_keys(p);
		return gw_error_set(p->error, -EINVAL, "request: no such word");
	}
	if (p->request->given & BIT(i))
		return gw_error_set(p->error, -EINVAL, "%s: given twice", keys[i].name);
	p->request->given |= BIT(i);
	p->request->words[i] = value ?: "";
	return keys[i].parse(p, value);
}

static unsigned int key_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys) - 1; i++)
		if (!strcmp(keys[i].name, name))
			break;
	return i;
}

static bool given(const struct gw_request *request, const char *key)
{
	return request->given & BIT(key_number(key));
}

int gw_request_refuse(const struct gw_request *request, struct gw_error *error, const char *key,
		      int ret, const char *fmt, ...)
{
	unsigned int i = key_number(key);
	va_list args;
	int length;

	if (request->given & BIT(i))
		scnprintf(error->word, sizeof(error->word), "%s%s%s", key,
			  keys[i].bare ? "" : "=", request->words[i]);
	length = scnprintf(error->text, sizeof(error->text), "%s: ", key);
	va_start(args, fmt);
	vscnprintf(error->text + length, sizeof(error->text) - length, fmt, args);
	va_end(args);
	return ret;
}

#define refuse(p, key, ret, ...) \
	gw_request_refuse((p)->request, (p)->error, key, ret, __VA_ARGS__)

static int refuse_flags(struct gw_parse *p, u32 flags)
{
	const struct gw_op *op = p->request->op;
	char names[GW_FLAGS_TEXT_MAX];

	allow_flags(p->error, op->flags);
	if (op->family == GW_FAMILY_GUP && flags & GW_FLAG_LONGTERM && !op->pins)
		return refuse(p, "flags", -EINVAL,
			      "longterm is for pins: %s would warn, and give -22 EINVAL; pin_user_pages "
			      "takes it",
			      op->name);
	gw_flags_text(flags, names);
	return refuse(p, "flags", -EINVAL, "%s does not take %s on this kernel", op->name, names);
}

static int check_op(struct gw_parse *p)
{
	struct gw_request *r = p->request;

	if (!r->op) {
		allow_ops(p->error);
		return refuse(p, "op", -EINVAL, "missing");
	}
	if (!given(r, "addr"))
		return refuse(p, "addr", -EINVAL, "missing");
	if (r->flags & ~r->op->flags)
		return refuse_flags(p, r->flags & ~r->op->flags);
	if (r->predict && (r->op->family == GW_FAMILY_WALK || r->op->family == GW_FAMILY_RELEASE))
		return refuse(p, "predict", -EINVAL, "nothing is to tell of %s", r->op->name);
	if (r->poke && !(r->flags & GW_FLAG_WRITE))
		return refuse(p, "poke", -EINVAL, "needs flags=write");
	return 0;
}

/* An op that copies bytes needs to be told which, and does nothing else. */
static int check_copy(struct gw_parse *p)
{
	struct gw_request *r = p->request;
	bool write = r->flags & GW_FLAG_WRITE;

	if (write && !r->poke)
		return refuse(p, "poke", -EINVAL, "%s with write writes poke=TEXT", r->op->name);
	if (!write && !r->peek)
		return refuse(p, "peek", -EINVAL, "%s reads peek=N bytes", r->op->name);
	if (write && r->peek)
		return refuse(p, "peek", -EINVAL, "with write it does not read");
	return 0;
}

/* Words that need a page of an op that obtains none. */
static int check_page_words(struct gw_parse *p)
{
	static const char * const needs_page[] = { "hold", "peek", "poke" };
	struct gw_request *r = p->request;
	unsigned int i;

	if (r->op->release || r->predict)
		return 0;
	for (i = 0; i < ARRAY_SIZE(needs_page); i++)
		if (given(r, needs_page[i]) && !(r->op->copies && i))
			return refuse(p, needs_page[i], -EINVAL,
				      "%s obtains no page", r->op->name);
	return r->op->copies ? check_copy(p) : 0;
}

static int check_sizes(struct gw_parse *p)
{
	struct gw_request *r = p->request;
	unsigned int room = PAGE_SIZE - offset_in_page(r->addr);

	if (r->op->single && r->nr_pages > 1)
		return refuse(p, "nr_pages", -EINVAL, "%s takes one address", r->op->name);
	if (r->op->family != GW_FAMILY_WALK && r->nr_pages > gw_pages_max())
		return refuse(p, "nr_pages", -E2BIG,
			      "more than %u (module parameter pages_max)", gw_pages_max());
	if (r->peek > room)
		return refuse(p, "peek", -E2BIG, "over the end of the page (%u bytes)",
			      room);
	if (r->poke && strlen(r->poke) > room)
		return refuse(p, "poke", -E2BIG, "over the end of the page (%u bytes)",
			      room);
	return 0;
}

/* Finds the process, and takes a reference on its memory. */
static int find_mm(struct gw_parse *p)
{
	struct gw_request *r = p->request;
	struct task_struct *task;
	bool kthread;

	if (given(r, "pid")) {
		struct pid *pid = find_get_pid(p->pid);

		task = get_pid_task(pid, PIDTYPE_PID);
		put_pid(pid);
		if (!task)
			return refuse(p, "pid", -ESRCH, "no such process");
	} else {
		task = get_task_struct(current);
	}
	kthread = task->flags & PF_KTHREAD;
	r->mm = get_task_mm(task);
	r->pid = task_pid_nr(task);
	r->tgid = task_tgid_nr(task);
	get_task_comm(r->comm, task);
	r->task = task;
	if (kthread)
		return refuse(p, "pid", -EINVAL, "a kernel thread has no user memory");
	if (!r->mm)
		return refuse(p, "pid", -ESRCH, "the process has given up its memory");
	if (!r->op->any_memory && r->mm != current->mm && !r->predict)
		return refuse(p, "pid", -EINVAL,
			      "%s acts on the memory of the process that writes the request",
			      r->op->name);
	return 0;
}

static int check_range(struct gw_parse *p)
{
	struct gw_request *r = p->request;
	unsigned long start = r->addr & PAGE_MASK;
	unsigned long task_size = r->mm->task_size;

	if (r->addr >= task_size)
		return refuse(p, "addr", -EFAULT, "not in user space (below 0x%lx)",
			      task_size);
	if (r->nr_pages > (task_size - start) >> PAGE_SHIFT)
		return refuse(p, "nr_pages", -EFAULT,
			      "the range ends beyond user space (0x%lx)", task_size);
	return 0;
}

static int parse_words(struct gw_parse *p, char *line)
{
	char *word;
	int ret;

	BUILD_BUG_ON(ARRAY_SIZE(keys) > GW_KEYS_MAX);
	*p->request = (struct gw_request){ .nr_pages = 1, .keep = true };
	while ((word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		ret = parse_word(p, word);
		if (ret)
			return ret;
	}
	p->error->word[0] = '\0';
	return 0;
}

int gw_request_parse(char *line, struct gw_request *request, struct gw_error *error)
{
	struct gw_parse p = { .request = request, .error = error };
	int ret = parse_words(&p, line);

	if (ret)
		return ret;
	ret = check_op(&p) ?: check_page_words(&p) ?: check_sizes(&p);
	ret = ret ?: find_mm(&p) ?: check_range(&p);
	if (ret)
		gw_request_release(request);
	return ret;
}

int gw_request_parse_walk(char *line, struct gw_request *request, struct gw_error *error)
{
	struct gw_parse p = { .request = request, .error = error, .walk = true };
	int ret = parse_words(&p, line);

	if (ret)
		return ret;
	request->op = gw_op_find("walk");
	if (given(request, "nr_pages") && !given(request, "addr"))
		return refuse(&p, "addr", -EINVAL, "missing");
	ret = find_mm(&p);
	if (!ret && !given(request, "addr"))
		request->nr_pages = request->mm->task_size >> PAGE_SHIFT;
	ret = ret ?: check_range(&p);
	if (ret)
		gw_request_release(request);
	return ret;
}

void gw_request_release(struct gw_request *request)
{
	if (request->mm)
		mmput(request->mm);
	request->mm = NULL;
	if (request->task)
		put_task_struct(request->task);
	request->task = NULL;
}
