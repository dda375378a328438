/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The idea of the tool: walk, call, walk.
 */
#ifndef _GUPWALK_MEASURE_H
#define _GUPWALK_MEASURE_H

#include "record.h"
#include "request.h"

/**
 * gw_measure() - serve a request
 * @request: the request, parsed
 * @holds: list that the obtained pages are added to, if the request asks for it
 * @recordp: the record, with a reference for the caller; it is among the kept ones already,
 *	if the request wants that
 * @error: filled in if the request is refused after all
 *
 * Context: process context of the requester, may sleep; no locks.
 * Return: 0 also if the kernel function failed: that is a result. A negative errno if it was not
 * called.
 */
int gw_measure(const struct gw_request *request, struct list_head *holds,
	       struct gw_record **recordp, struct gw_error *error);

/**
 * gw_holds_release() - release all pages of a descriptor
 * @holds: its list, empty afterwards
 *
 * Context: may sleep.
 */
void gw_holds_release(struct list_head *holds);

#endif /* _GUPWALK_MEASURE_H */
