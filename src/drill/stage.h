/*
 * A world of one's own: namespaces without a name for users (where one is not root), mounts, processes and networks.
 * The drill's first process in it is their init: the kernel ends it when guia dies, and with it every other process;
 * namespaces, links and files in memory go with the last of them. Nothing is left to be cleaned up.
 */
#ifndef GUIA_DRILL_STAGE_H
#define GUIA_DRILL_STAGE_H

#include <limits.h>
#include <stdbool.h>

struct stage {
	int world;             /* network namespaces, open: where everybody is, */
	int router;            /* the operator's router, */
	int gate;              /* and the gate's host */
	bool root;             /* else in a namespace of users */
	char folder[PATH_MAX]; /* where files in memory are mounted for each run */
};

/*
 * Leaves this process's namespaces, and runs `play` in a child that is alone with its own; waits for it. 0 with what
 * `play` returned, or -errno if namespaces cannot be had. `root` is whether they are root's.
 */
int stage_enter(int (*play)(void *context, bool root), void *context, int *ret_code);

/* In `play`: mounts, and the three network namespaces. 0, or -errno with what could not be done. */
int stage_build(bool root, struct stage *ret_stage, const char **ret_what);

/* Puts this process into a network namespace. 0 or -errno. */
int stage_go(int network_namespace);

/* An empty folder in memory, in place of what an earlier run left. 0 or -errno. */
int stage_clear(const struct stage *stage);

/* This process, and what it starts, runs on one processor. 0 or -errno. */
int stage_pin(int processor);

/*
 * Before all else that this machine does, as far as one may: nice, and the group that the kernel makes of a session
 * (sched(7), "The autogroup feature"), in which nice values count among themselves only.
 */
void stage_come_first(void);

/* Two processors that may be used: the gate's and the crowd's. 0, or -ENODEV if there is but one. */
int stage_processors(int *ret_gate, int *ret_crowd);

#endif
