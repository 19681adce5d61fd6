/*
 * The daemon: reads what the gate tells, fetches the sites, answers `guia status` and `guia top`, bans
 * and allows, and gives sites modes, as a person says. One thread, one loop.
 * The gate does not know whether it is there: it may end, be killed, and start again at any time.
 */
#ifndef GUIA_WATCH_WATCH_H
#define GUIA_WATCH_WATCH_H

#include "base/address.h"
#include "watch/homes.h"
#include "watch/probe.h"
#include "watch/upstream.h"
#include "watch/witness.h"

/* In the directory of bans, of a watch that became another user: a control socket that this user reaches. */
#define WATCH_INNER_CONTROL "control"

struct watch_options {
	const char *control;          /* path of the socket */
	const char *events;           /* the directory */
	const char *bans;             /* the directory; NULL: nobody can be banned */
	struct homes_options homes;   /* who asks the origin of a site that is local */
	const char *locations;        /* libloc's database; NULL: where Debian has it */
	const char *edge;             /* where an edge's maps are pinned, if there is one; NULL: none is looked for */
	const struct prefix *proxies; /* trusted: never banned at the edge */
	size_t proxy_count;
	const char *record; /* a file for what is told; NULL: none */
	const char *user;   /* to become once the socket is made; NULL: stay */
	const struct probe_target *targets;
	size_t target_count;
	struct upstream_options upstream;
	struct witness_options evidence;
};

enum {
	WATCH_BUSY = 1, /* another watch has the socket, or the directory of bans */
};

/*
 * Runs until TERM or INT. 0; WATCH_BUSY or -errno, with *ret_what saying of what. What happens on the way is said
 * on stderr, a line each.
 */
int watch_run(const struct watch_options *options, const char **ret_what);

#endif
