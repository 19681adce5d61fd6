/*
 * ExaBGP, which speaks BGP for us: the configuration it is started with, and what it tells the process it starts (its
 * text encoder, version 4.2).
 */
#ifndef GUIA_UPSTREAM_EXABGP_H
#define GUIA_UPSTREAM_EXABGP_H

#include "base/buffer.h"
#include "upstream/operator.h"
#include "upstream/route.h"

/* What to ask to see that it lives, and which sessions are up. */
#define EXABGP_PING "show neighbor summary\n"

/*
 * What to ask to see which families each session carries: what a router did not agree to when it began, ExaBGP takes,
 * answers as if it were done, and does not send. (It would tell of a router's OPEN, too, but with a name of the
 * router's choice in it, of whatever bytes.)
 */
#define EXABGP_ASK_FAMILIES "show neighbor extensive\n"

/* Of routes: which a session carries the two ends agree on when it begins (RFC 4760). */
enum exabgp_family {
	EXABGP_IPV4_UNICAST,
	EXABGP_IPV6_UNICAST,
	EXABGP_IPV4_FLOW,
	EXABGP_IPV6_FLOW,
	EXABGP_FAMILIES,
};

/* "ipv4 flow" */
const char *exabgp_family_name(enum exabgp_family family);
enum exabgp_family exabgp_family_of(const struct route *route);
/* Whether it was agreed to announce such routes. */
bool exabgp_family_is_used(const struct upstream_operator *operator_, enum exabgp_family family);

/*
 * Ends ExaBGP, and with the sessions all that was announced; whoever manages the service starts it again. (Its own
 * words for withdrawing everything wait for a refresh that never comes where a router knows enhanced route refresh.)
 */
#define EXABGP_SHUTDOWN "shutdown\n"

enum exabgp_kind {
	EXABGP_NOTHING, /* of no interest */
	EXABGP_DONE,
	EXABGP_ERROR,
	EXABGP_UP,
	EXABGP_DOWN,        /* with why */
	EXABGP_HEADER,      /* the answer to EXABGP_PING begins; what was written before it is answered */
	EXABGP_ESTABLISHED, /* a line of it */
	EXABGP_NEIGHBOR,    /* of the answer to EXABGP_ASK_FAMILIES: what follows is of this one */
	EXABGP_FAMILY,      /* a line of it: whether the router agreed to one */
};

struct exabgp_answer {
	enum exabgp_kind kind;
	struct address neighbor;
	struct slice why;
	enum exabgp_family family;
	bool agreed;
};

/* A line without its newline. */
struct exabgp_answer exabgp_read(struct slice line);

enum { EXABGP_PASSWORD_BYTES = 80 }; /* TCP's limit (RFC 2385 names none; Linux does) */

/* The password that a file's text holds: one line. False if it is none that can be handed on. */
bool exabgp_password(struct slice text, struct slice *ret_password);

/*
 * `passwords`, one an operator, may be empty; `command` is the whole command of the keeper, its words apart by spaces.
 * 0 or -ENOMEM.
 */
int exabgp_configure(const struct upstream_operator *operators, const struct slice *passwords, size_t count,
		     const char *command, struct buffer *out);

#endif
