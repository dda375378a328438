/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Observing: records of calls that other kernel code makes. One observer at a time, and probes only
 * while there is one.
 */
#ifndef _GUPWALK_OBSERVE_H
#define _GUPWALK_OBSERVE_H

#include <linux/list.h>
#include <linux/seq_file.h>

#include "filter.h"
#include "ledger.h"
#include "record.h"
#include "walk.h"

/**
 * struct gw_observation - an observed call, in a buffer that is allocated beforehand
 * @node: place among the free ones, or among those to be read
 * @record: its record
 * @observed: who made it
 * @walk: takes its snapshots
 * @began_ns: when the first probe was entered, CLOCK_MONOTONIC
 * @file: path of the file that @record.vma maps, its last names
 * @pool: which CPU's buffer it belongs to
 * @place: where the ledger has it, see gw_ledger_left(); negative: nowhere
 */
struct gw_observation {
	struct list_head node;
	struct gw_record record;
	struct gw_observed observed;
	struct gw_walk walk;
	u64 began_ns;
	char file[64];
	unsigned int pool;
	int place;
};

/**
 * struct gw_observe_counts - calls since the observer began; they add up:
 *	seen = recorded + filtered + lost + under_way
 * @seen: calls of probed functions that obtain pages, but for @nested ones
 * @recorded: became records
 * @filtered: the filter passed over
 * @lost: there was no room, or the probe could not be served
 * @under_way: have not returned yet
 * @nested: made by a call that is observed itself
 * @releases_lost: calls that gave pages back and that the ledger could not be told of
 */
struct gw_observe_counts {
	u64 seen;
	u64 recorded;
	u64 filtered;
	u64 lost;
	u64 under_way;
	u64 nested;
	u64 releases_lost;
};

struct gw_observer;

/**
 * gw_observer_start() - place the probes
 * @filter: which calls; taken over, if it succeeds
 * @observerp: set to the observer
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if there is an observer already; another negative errno.
 */
int gw_observer_start(const struct gw_filter *filter, struct gw_observer **observerp);

/**
 * gw_observer_stop() - take the probes away, and forget everything
 * @observer: the observer; NULL is fine
 *
 * Context: may sleep.
 */
void gw_observer_stop(struct gw_observer *observer);

/**
 * gw_observer_wait() - wait for a record
 * @observer: the observer
 *
 * Context: may sleep.
 * Return: 0, or -ERESTARTSYS.
 */
int gw_observer_wait(struct gw_observer *observer);

/**
 * gw_observer_waitqueue() - what is woken when there is a record
 * @observer: the observer
 *
 * Return: the queue.
 */
struct wait_queue_head *gw_observer_waitqueue(struct gw_observer *observer);

/**
 * gw_observer_ready() - is there a record
 * @observer: the observer
 *
 * Return: true if so.
 */
bool gw_observer_ready(struct gw_observer *observer);

/**
 * gw_observer_next() - take the next record
 * @observer: the observer
 *
 * Records come in the order in which their calls returned, as far as they are there already.
 *
 * Context: may sleep; one reader at a time.
 * Return: the observation, for gw_observer_put(); or NULL.
 */
struct gw_observation *gw_observer_next(struct gw_observer *observer);

/**
 * gw_observer_put() - give a record's room back
 * @observer: the observer
 * @observation: from gw_observer_next()
 */
void gw_observer_put(struct gw_observer *observer, struct gw_observation *observation);

/**
 * gw_observe_show() - print whether somebody observes, what was counted, and the probes
 * @m: where to
 *
 * Context: may sleep.
 */
void gw_observe_show(struct seq_file *m);

/**
 * gw_observe_ledger() - take hold of the ledger
 *
 * Context: may sleep.
 * Return: the ledger, for gw_ledger_put(); it stays as it is when the observer ends meanwhile. NULL
 * if nobody observes.
 */
struct gw_ledger *gw_observe_ledger(void);

/**
 * gw_observe_init() - get ready to observe
 *
 * Return: 0 or a negative errno.
 */
int gw_observe_init(void);

/**
 * gw_observe_exit() - nobody will any more
 */
void gw_observe_exit(void);

/**
 * struct gw_unobserved - stretches of code whose calls are not observed, one at a time
 * @node: place in the list
 * @task: who runs one now; NULL: nobody
 */
struct gw_unobserved {
	struct hlist_node node;
	struct task_struct *task;
};

/**
 * gw_unobserved_add() - get ready for such stretches
 * @own: filled in; stays until gw_unobserved_remove()
 *
 * Context: may sleep.
 */
void gw_unobserved_add(struct gw_unobserved *own);

/**
 * gw_unobserved_remove() - there are no more
 * @own: as given to gw_unobserved_add()
 *
 * Context: may sleep, and does for some milliseconds while somebody observes.
 */
void gw_unobserved_remove(struct gw_unobserved *own);

/**
 * gw_unobserved_begin() - calls of the running thread are gupwalk's own from now on
 * @own: from gw_unobserved_add(); no other thread has begun
 */
static inline void gw_unobserved_begin(struct gw_unobserved *own)
{
	WRITE_ONCE(own->task, current);
}

/**
 * gw_unobserved_end() - and no longer
 * @own: as given to gw_unobserved_begin(), by the same thread
 */
static inline void gw_unobserved_end(struct gw_unobserved *own)
{
	WRITE_ONCE(own->task, NULL);
}

#endif /* _GUPWALK_OBSERVE_H */
