/*
 * A world of one's own: namespaces without a name for users (where one is not root), mounts, processes and networks.
 * The drill's first process in it is their init: the kernel ends it when guia dies, and with it every other process;
 * namespaces, links and files in memory go with the last of them. Nothing is left to be cleaned up.
 */
#ifndef GUIA_DRILL_STAGE_H
#define GUIA_DRILL_STAGE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* The link between the operator's router and the gate, by its name at either end. */
#define STAGE_ROUTER_LINK "inside"
#define STAGE_GATE_LINK   "gate"

struct stage {
	int world;             /* network namespaces, open: where everybody is, */
	int router;            /* the operator's router, */
	int gate;              /* and the gate's host */
	bool root;             /* else in a namespace of users */
	int outside;           /* to whoever stayed outside: stage_outside() */
	int processes;         /* the machine's /proc, open; -1: not root's */
	bool run_is_ours;      /* /run is in memory, and the drill's alone */
	char folder[PATH_MAX]; /* where files in memory are mounted for each run */
};

/*
 * Leaves this process's namespaces, and runs `play` in a child that is alone with its own; waits for it. 0 with what
 * `play` returned, or -errno if namespaces cannot be had. `outside` has what is known before anything is built.
 */
int stage_enter(int (*play)(void *context, const struct stage *outside), void *context, int *ret_code);

/* In `play`: mounts, and the three network namespaces. 0, or -errno with what could not be done. */
int stage_build(const struct stage *outside, struct stage *ret_stage, const char **ret_what);

/* When the kernel's thread that receives for a link has its turn. */
enum receiver_turn {
	RECEIVER_FIRST, /* before all programs, as what a card's interrupt brings */
	RECEIVER_NEXT,  /* when whoever is at it has paused: what comes until then is taken together */
};

/*
 * The kernel's thread that receives for a link is nobody's in here: whoever stayed outside puts it on a processor. 0
 * with its process number there, under which `processes` has it; or -errno.
 */
int stage_put_receiver(const struct stage *stage, const char *link, int processor, enum receiver_turn turn,
		       int *ret_pid);

/* Puts this process into a network namespace. 0 or -errno. */
int stage_go(int network_namespace);

/* An empty folder in memory, in place of what an earlier run left. 0 or -errno. */
int stage_clear(const struct stage *stage);

/* This process, and what it starts, runs on one processor. 0 or -errno. */
int stage_pin(int processor);

/*
 * A child in a network namespace and on a processor of its own: 0 in the child, its process number here, or -errno. It
 * is this process's to end, else the kernel's.
 */
pid_t stage_start(int network_namespace, int processor);

bool stage_has_ended(pid_t pid);

/*
 * Before all else that this machine does, as far as one may: nice, and the group that the kernel makes of a session
 * (sched(7), "The autogroup feature"), in which nice values count among themselves only.
 */
void stage_come_first(void);

/* Two processors that may be used: the gate's and the crowd's. 0, or -ENODEV if there is but one. */
int stage_processors(int *ret_gate, int *ret_crowd);

#endif
