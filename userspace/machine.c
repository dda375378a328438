// SPDX-License-Identifier: GPL-2.0-only
/* What the machine can do, as far as it matters to page tables: read from /proc and /sys. */
#include "machine.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "number.h"

#define THP "/sys/kernel/mm/transparent_hugepage/"
#define POOLS "/sys/kernel/mm/hugepages/"

static bool read_line(const char *path, struct strbuf *out)
{
	struct strbuf text = { 0 };
	bool read = slurp(path, &text) == 0;

	if (read)
		strbuf_add(out, strbuf_text(&text), strcspn(strbuf_text(&text), "\n"));
	strbuf_free(&text);
	return read;
}

static void put_line(const char *path, const char *missing, struct strbuf *out)
{
	if (!read_line(path, out))
		strbuf_addf(out, "%s", missing);
}

static void put_thp(struct strbuf *out)
{
	struct strbuf bytes = { 0 };
	uint64_t size;
	char text[24];

	put_line(THP "enabled", "no", out);
	if (read_line(THP "hpage_pmd_size", &bytes) &&
	    number_parse(strbuf_text(&bytes), UINT64_MAX, &size))
		strbuf_addf(out, ", %s pages", size_text(size, text));
	strbuf_free(&bytes);
}

static void put_pool(const char *dir, struct strbuf *out)
{
	struct strbuf path = { 0 }, pages = { 0 }, unused = { 0 };
	const char *name = strrchr(dir, '/') + 1;
	uint64_t kib;
	char text[24];
	char *end;

	kib = strtoull(name + strcspn(name, "0123456789"), &end, 10);
	strbuf_addf(&path, "%s/nr_hugepages", dir);
	read_line(strbuf_text(&path), &pages);
	strbuf_free(&path);
	strbuf_addf(&path, "%s/free_hugepages", dir);
	read_line(strbuf_text(&path), &unused);
	strbuf_addf(out, "%s%s: %s pages, %s free", out->len ? "; " : "",
		    size_text(kib * 1024, text), strbuf_text(&pages), strbuf_text(&unused));
	strbuf_free(&path);
	strbuf_free(&pages);
	strbuf_free(&unused);
}

static void put_pools(struct strbuf *out)
{
	glob_t dirs;
	size_t i;

	if (glob(POOLS "hugepages-*kB", 0, NULL, &dirs) == 0) {
		for (i = 0; i < dirs.gl_pathc; i++)
			put_pool(dirs.gl_pathv[i], out);
		globfree(&dirs);
	}
	if (!out->len)
		strbuf_addf(out, "no");
}

static void put_swap(struct strbuf *out)
{
	struct strbuf text = { 0 };
	char *rest, *line;

	slurp("/proc/swaps", &text);
	rest = text.at;
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) && *line) {
		line[strcspn(line, " \t")] = '\0';
		strbuf_word(out, " ", line);
	}
	if (!out->len)
		strbuf_addf(out, "none");
	strbuf_free(&text);
}

static void put_uffd(struct strbuf *out)
{
	struct strbuf text = { 0 };

	if (!read_line("/proc/sys/vm/unprivileged_userfaultfd", &text))
		strbuf_addf(out, "no");
	else
		strbuf_addf(out, "yes, %s", strcmp(strbuf_text(&text), "0") ? "for all users" :
			    "for kernel faults with CAP_SYS_PTRACE only");
	strbuf_free(&text);
}

static void put_ksm(struct strbuf *out)
{
	struct strbuf text = { 0 };

	if (!read_line("/sys/kernel/mm/ksm/run", &text))
		strbuf_addf(out, "no");
	else
		strbuf_addf(out, "%s", strcmp(strbuf_text(&text), "1") ? "off" : "on");
	strbuf_free(&text);
}

/* "0" is one of them, "0-1,3" are several: said so, as a list of one reads as a number. */
static void put_list(const char *path, const char *one, const char *missing, struct strbuf *out)
{
	struct strbuf list = { 0 };

	if (read_line(path, &list))
		strbuf_addf(out, "%s%s %s", one, strpbrk(strbuf_text(&list), "-,") ? "s" : "",
			    strbuf_text(&list));
	else
		strbuf_addf(out, "%s", missing);
	strbuf_free(&list);
}

static void put_numa(struct strbuf *out)
{
	put_list("/sys/devices/system/node/online", "node", "no nodes", out);
}

static void put_numa_balancing(struct strbuf *out)
{
	put_line("/proc/sys/kernel/numa_balancing", "no", out);
}

static void put_lockdown(struct strbuf *out)
{
	put_line("/sys/kernel/security/lockdown", "unknown (securityfs is not mounted)", out);
}

static void put_cpus(struct strbuf *out)
{
	put_list("/sys/devices/system/cpu/online", "CPU", "unknown", out);
}

static void put_pti(struct strbuf *out)
{
	put_line("/sys/devices/system/cpu/vulnerabilities/meltdown", "unknown", out);
}

static const struct {
	const char *key;
	void (*put)(struct strbuf *out);
} facts[] = {
	{ "cpus", put_cpus },
	{ "meltdown", put_pti },
	{ "transparent_huge_pages", put_thp },
	{ "hugetlb_pools", put_pools },
	{ "swap", put_swap },
	{ "userfaultfd", put_uffd },
	{ "ksm", put_ksm },
	{ "numa_nodes", put_numa },
	{ "numa_balancing", put_numa_balancing },
	{ "lockdown", put_lockdown },
};

bool machine_fact(size_t i, const char **key, struct strbuf *value)
{
	if (i >= ARRAY_SIZE(facts))
		return false;
	*key = facts[i].key;
	facts[i].put(value);
	return true;
}
