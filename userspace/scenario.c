// SPDX-License-Identifier: GPL-2.0-only
/* The table of scenarios, and what their set-ups have in common. */
#include "scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "text.h"

static const struct scenario *const scenarios[] = {
	&scenario_no_prefault,
	&scenario_prefault,
	&scenario_read_prefault,
	&scenario_unaligned,
	&scenario_pfnmap,
	&scenario_thp,
	&scenario_hugetlb,
	&scenario_prot_none,
	&scenario_remote,
	&scenario_fork,
	&scenario_zero_page,
	&scenario_read_pin,
	&scenario_force,
	&scenario_ptrace,
	&scenario_fork_dma,
	&scenario_populate,
	&scenario_accessed,
	&scenario_fast_only,
	&scenario_file_private,
	&scenario_file_shared,
	&scenario_file_longterm,
	&scenario_dax,
	&scenario_memfd_pin,
	&scenario_dontneed,
	&scenario_munmap,
	&scenario_mremap,
	&scenario_thp_read,
	&scenario_thp_split,
	&scenario_collapse,
	&scenario_swap,
	&scenario_migrate,
	&scenario_migration,
	&scenario_numa_hint,
	&scenario_movable,
	&scenario_cma,
	&scenario_ksm,
	&scenario_userfaultfd,
	&scenario_uffd_rwp,
	&scenario_secretmem,
	&scenario_guard,
	&recipe_sample,
	&recipe_gup_locked,
	&recipe_nvidia_p2p,
	&recipe_vfio,
	&recipe_omap_vout,
	&recipe_vhost_log,
	&recipe_put_page,
};

const struct scenario *scenario_nth(size_t i)
{
	return i < ARRAY_SIZE(scenarios) ? scenarios[i] : NULL;
}

const struct scenario *scenario_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		if (!strcmp(scenarios[i]->name, name))
			return scenarios[i];
	return NULL;
}

const char *scenario_kind(const struct scenario *sc)
{
	return sc->recipe ? "recipe" : "scenario";
}

size_t scenario_steps(const struct scenario *sc)
{
	size_t n = 0;

	while (sc->steps[n].op)
		n++;
	return n;
}

size_t scene_pmd(const struct scene *scene)
{
	return about_covers(scene->about, "pmd");
}

bool scene_release(struct scene *scene)
{
	close(scene->requests);
	scene->requests = device_open(scene->dir);
	return scene->requests >= 0;
}

bool scene_cannot(struct scene *scene, const char *why)
{
	scene->cannot = true;
	scene_tell(scene, 'c', why);
	return false;
}

void scene_tell(const struct scene *scene, char kind, const char *text)
{
	struct strbuf line = { 0 };
	size_t done = 0;
	ssize_t n;

	strbuf_addf(&line, "%c%s\n", kind, text);
	while (done < line.len) {
		n = write(scene->notes, line.at + done, line.len - done);
		/* if the reader is gone, so is the one who wanted to know */
		if (n < 0 && errno != EINTR)
			_exit(STATUS_TROUBLE);
		done += n > 0 ? n : 0;
	}
	strbuf_free(&line);
}

static void tell(const struct scene *scene, char kind, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	scene_tell(scene, kind, text);
	free(text);
}

void scene_note(const struct scene *scene, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(scene, 'n', fmt, args);
	va_end(args);
}

void scene_check(const struct scene *scene, bool as_expected, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(scene, as_expected ? 'y' : 'x', fmt, args);
	va_end(args);
}
