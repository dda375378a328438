/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's target device: memory as drivers map it with remap_pfn_range(). */
#ifndef GUPWALK_TARGET_H
#define GUPWALK_TARGET_H

#include "../scenario.h"

/**
 * target_missing() - is there no such device
 * @about: what the module says about itself
 *
 * Return: NULL, or what is missing.
 */
const char *target_missing(const struct about *about);

/**
 * target_map() - map pages of the device
 * @scene: the scene; its descriptor becomes the device's
 * @pages: how many
 * @first: which of its pages comes first
 *
 * Return: the pages; or NULL after a complaint.
 */
char *target_map(struct scene *scene, size_t pages, size_t first);

#endif
