// SPDX-License-Identifier: GPL-2.0-only
/* The only code that opens the module's directory in debugfs, or a saved copy of it. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *device_advice(const char *dir, int error)
{
	struct statfs fs;

	if (error == EACCES || (error == EPERM && geteuid()))
		return "only root may read it: try sudo";
	if (error == EPERM)
		return "the kernel is locked down (/sys/kernel/security/lockdown), or "
		       "CAP_SYS_ADMIN is missing";
	if (error == ENOSYS || error == EIO || error == ENODEV)
		return "the module was unloaded meanwhile: modprobe gupwalk";
	if (strcmp(dir, DEVICE_DIR))
		return "--debugfs takes a directory that has the files of " DEVICE_DIR;
	if (statfs("/sys/kernel/debug", &fs) == 0 && fs.f_type != DEBUGFS_MAGIC)
		return "mount debugfs: mount -t debugfs none /sys/kernel/debug";
	return "load the module: modprobe gupwalk (or insmod module/gupwalk.ko)";
}

static int open_file(const char *dir, const char *name, int flags)
{
	struct strbuf path = { 0 };
	int fd, error;

	strbuf_addf(&path, "%s/%s", dir, name);
	fd = open(strbuf_text(&path), flags | O_CLOEXEC);
	error = errno;
	if (fd < 0)
		complain("opening", strbuf_text(&path), strerror(error), device_advice(dir, error));
	strbuf_free(&path);
	return fd;
}

bool device_read(const char *dir, const char *name, struct strbuf *into)
{
	int fd = open_file(dir, name, O_RDONLY);
	struct strbuf path = { 0 };
	bool read = false;

	if (fd < 0)
		return false;
	if (slurp_fd(fd, into) == 0) {
		read = true;
	} else {
		int error = errno;

		strbuf_addf(&path, "%s/%s", dir, name);
		complain("reading", strbuf_text(&path), strerror(error), device_advice(dir, error));
		strbuf_free(&path);
	}
	close(fd);
	return read;
}

bool device_live(const char *dir)
{
	struct statfs fs;

	return statfs(dir, &fs) == 0 && fs.f_type == DEBUGFS_MAGIC;
}

bool device_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool device_need_live(const char *dir)
{
	if (device_live(dir))
		return true;
	complain("making requests", dir, "this is a saved copy, not a loaded module",
		 "leave --debugfs out on a machine that has the module loaded");
	return false;
}

int device_open(const char *dir)
{
	return open_file(dir, "run", O_RDWR);
}

int device_open_observe(const char *dir)
{
	return open_file(dir, "observe", O_RDWR | O_NONBLOCK);
}

int device_open_walk(const char *dir)
{
	return open_file(dir, "walk", O_RDWR);
}

static int read_answer(int fd, struct strbuf *answer)
{
	char bytes[16384];
	off_t at = 0;
	ssize_t n;

	for (;;) {
		n = pread(fd, bytes, sizeof(bytes), at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		strbuf_add(answer, bytes, n);
		at += n;
	}
	while (answer->len && answer->at[answer->len - 1] == '\n')
		answer->at[--answer->len] = '\0';
	return n;
}

enum answer device_request(int fd, const char *request, struct strbuf *answer, int *error)
{
	ssize_t written;

	/* one write is one request: a short one was another request than meant */
	written = write(fd, request, strlen(request));
	*error = written < 0 ? errno : 0;
	strbuf_free(answer);
	if (read_answer(fd, answer) < 0) {
		complain("reading the answer", request, strerror(errno),
			 device_advice(DEVICE_DIR, errno));
		return ANSWER_LOST;
	}
	if (written < 0)
		return ANSWER_REFUSED;
	if (written != (ssize_t)strlen(request) || !answer->len) {
		complain("making a request", request, answer->len ? "was cut off" : "got no answer",
			 "this is an error of the module; see the kernel log");
		return ANSWER_LOST;
	}
	return ANSWER_RECORD;
}

static char *string_of(struct json_object *object, const char *key)
{
	struct json_object *value;
	struct strbuf text = { 0 };

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	put_bytes(&text, json_object_get_string(value), json_object_get_string_len(value));
	if (!text.at)
		strbuf_add(&text, "", 0);
	return text.at;
}

void refusal_read(const char *answer, int error, struct refusal *refusal)
{
	struct json_object *object = json_tokener_parse(answer);

	*refusal = (struct refusal){ .errno_value = error };
	if (object && json_object_is_type(object, json_type_object)) {
		refusal->error = string_of(object, "error");
		refusal->word = string_of(object, "word");
		refusal->allowed = string_of(object, "allowed");
	}
	if (!refusal->error)
		refusal->error = must_copy(strerror(error));
	json_object_put(object);
}

const char *refusal_reason(const struct refusal *refusal)
{
	const char *error = refusal->error, *word = refusal->word ? refusal->word : "";
	size_t key = strcspn(word, "=");

	if (key && !strncmp(error, word, key) && error[key] == ':')
		error += key + strspn(error + key, ": ");
	return error;
}

/* Of a process or an address no table of ops tells what would be better. */
static const char *refusal_advice(const struct refusal *refusal)
{
	const char *word = refusal->word ? refusal->word : "";

	if (refusal->errno_value == ESRCH)
		return "ps -e tells which processes there are";
	if (!strncmp(word, "pid=", strlen("pid=")) || refusal->errno_value == EFAULT)
		return NULL;
	return "gupwalk info tells what each op takes";
}

void refusal_complain(const char *request, const struct refusal *refusal)
{
	struct strbuf advice = { 0 };

	if (refusal->allowed && *refusal->allowed)
		strbuf_addf(&advice, "allowed: %s", refusal->allowed);
	else if (refusal_advice(refusal))
		strbuf_addf(&advice, "%s", refusal_advice(refusal));
	complain("making a request", refusal->word ? refusal->word : request,
		 refusal_reason(refusal), advice.at);
	strbuf_free(&advice);
}

void refusal_free(struct refusal *refusal)
{
	free(refusal->error);
	free(refusal->word);
	free(refusal->allowed);
	*refusal = (struct refusal){ 0 };
}
