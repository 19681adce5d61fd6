/*
 * The operator's router of an attack that fills the link: a shaper on the link to the gate; GoBGP, to which Guia's
 * ExaBGP speaks across that link; and, ahead of the shaper, a filter of nothing but what GoBGP's table says.
 */
#ifndef GUIA_DRILL_ROUTER_H
#define GUIA_DRILL_ROUTER_H

#include "base/buffer.h"
#include "drill/command.h"
#include "drill/stage.h"

#include <stdint.h>
#include <sys/types.h>

/* Who speaks BGP: the router, and the gate by an address of its own. */
#define ROUTER_SPEAKER "192.0.2.1"
#define ROUTER_GATE    "192.0.2.2"

enum {
	ROUTER_AS = 65010,
	ROUTER_GATE_AS = 65020,
};

struct router {
	const struct stage *stage;
	pid_t speaker;
	struct buffer filter; /* in force */
	int rules;            /* of the table, in force */
};

/* Whether the machine has what it takes; else *ret_why names the packages. */
bool router_may_be(const char **ret_why);

/*
 * A link of so many Mbit/s. `first`: the session goes before all else, as between operators who agreed on it; else
 * after all else, for without that TCP gets through what is left of a full link. 0 or -errno with what went wrong added
 * to `said`; router_end() in either case.
 */
int router_begin(struct router *router, const struct stage *stage, unsigned link_mbit, bool first, struct buffer *said);

/* Reads the table, and filters what it now says. 0 or -errno, and *ret_rules: of the filter that is in force. */
int router_look(struct router *router, int *ret_rules);

void router_end(struct router *router);

/* ExaBGP on the gate's host, by the configuration of Guia in `file`, as docs/operators.md says; as the user that the
 * watch is. 0 or -errno. */
int router_ask_service(const struct stage *stage, const char *file, const struct command_user *user,
		       struct buffer *said, pid_t *ret_pid);

#endif
