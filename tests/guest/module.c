// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module as user space sees it: the files below /sys/kernel/debug/gupwalk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outcome.h"

#define COLLECT_MAX 200

static int collect_fd = -1;
static int collected;

void collect_into(int fd)
{
	collect_fd = fd;
}

void collect(bool on)
{
	collected = on ? 0 : COLLECT_MAX;
}

/*
 * A line in one write to a file opened for appending: several processes of a test do not tear
 * each other's lines.
 */
void collect_line(const char *line, size_t length)
{
	if (collect_fd < 0 || collected >= COLLECT_MAX)
		return;
	collected++;
	must(write(collect_fd, line, length) == (ssize_t)length);
}

const char *module_file(const char *name)
{
	static __thread char paths[4][256];
	static __thread unsigned int next;
	const char *directory = getenv("GUPWALK_DEBUGFS");
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s",
		 directory ? directory : "/sys/kernel/debug/gupwalk", name);
	return path;
}

static char *read_all(int fd, size_t *length)
{
	size_t room = 1 << 16, used = 0;
	char *text = malloc(room);
	ssize_t n;

	must(text);
	while ((n = read(fd, text + used, room - used - 1)) > 0) {
		used += n;
		if (room - used < 1 << 12) {
			room *= 2;
			text = realloc(text, room);
			must(text);
		}
	}
	must(n == 0);
	text[used] = '\0';
	if (length)
		*length = used;
	return text;
}

char *read_file(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		fail("cannot open %s: %m", path);
	text = read_all(fd, length);
	close(fd);
	return text;
}

bool try_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

void write_file(const char *path, const char *text)
{
	if (!try_write_file(path, text))
		fail("cannot write %s to %s: %m", text, path);
}

long long read_number(const char *path)
{
	char *text = read_file(path, NULL);
	long long number = atoll(text);

	free(text);
	return number;
}

long long read_key(const char *path, const char *key)
{
	char *text = read_file(path, NULL), *line, *rest = text;
	long long number = -1;
	size_t length = strlen(key);

	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, key, length) && strchr(": \t", line[length])) {
			number = atoll(line + length + strspn(line + length, ": \t"));
			break;
		}
	free(text);
	return number;
}

long long version_number(const char *key)
{
	long long number = read_key(module_file("version"), key);

	if (number < 0)
		fail("version has no %s", key);
	return number;
}

int run_open(void)
{
	int fd = open(module_file("run"), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("cannot open run: %m");
	return fd;
}

static struct json_object *parse(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, length);
	if (!object || json_tokener_get_error(tokener) != json_tokener_success)
		fail("not JSON: %s: %.300s",
		     json_tokener_error_desc(json_tokener_get_error(tokener)),
		     text);
	check_that(memchr(text, '\n', length) == text + length - 1 &&
		   json_tokener_get_parse_end(tokener) >= length - 1,
		   "not one line of JSON with a newline: %.300s", text);
	json_tokener_free(tokener);
	return object;
}

struct answer ask_bytes(int fd, const void *line, size_t length)
{
	struct answer answer = { };
	ssize_t n = write(fd, line, length);

	if (n < 0)
		answer.error = errno;
	else
		check_num(n, length);
	answer.text = read_all(fd, &answer.length);
	if (answer.length)
		answer.json = parse(answer.text, answer.length);
	if (answer.json)
		collect_line(answer.text, answer.length);
	return answer;
}

static struct answer vask(int fd, const char *fmt, va_list args)
{
	char line[4200];
	int length = vsnprintf(line, sizeof(line), fmt, args);

	must(length < (int)sizeof(line));
	return ask_bytes(fd, line, length);
}

struct answer ask(int fd, const char *fmt, ...)
{
	struct answer answer;
	va_list args;

	va_start(args, fmt);
	answer = vask(fd, fmt, args);
	va_end(args);
	return answer;
}

void answer_free(struct answer *answer)
{
	json_object_put(answer->json);
	free(answer->text);
}

static struct json_object *served(struct answer answer, const char *fmt)
{
	if (answer.error)
		fail("refused with %s: %s (%s)", strerror(answer.error), answer.text, fmt);
	check(answer.json);
	/* A record that says so itself; an error object has no op. */
	check_num(jnum(answer.json, "format"), 1);
	free(answer.text);
	return answer.json;
}

struct json_object *record_on(int fd, const char *fmt, ...)
{
	struct answer answer;
	va_list args;

	va_start(args, fmt);
	answer = vask(fd, fmt, args);
	va_end(args);
	return served(answer, fmt);
}

struct json_object *record(const char *fmt, ...)
{
	int fd = run_open();
	struct answer answer;
	va_list args;

	va_start(args, fmt);
	answer = vask(fd, fmt, args);
	va_end(args);
	close(fd);
	return served(answer, fmt);
}
