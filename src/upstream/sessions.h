/* What is known of the sessions with operators, from what ExaBGP tells. Pure. */
#ifndef GUIA_UPSTREAM_SESSIONS_H
#define GUIA_UPSTREAM_SESSIONS_H

#include "upstream/exabgp.h"

enum {
	SESSION_SAID_BYTES = 120,
	SESSION_FALLS = 8, /* that are remembered */
	SESSION_FLAPS = 3, /* so many within the time below are too many */
	SESSION_FLAP_MS = 10 * 60000,
};

struct session {
	bool up;
	bool seen; /* in the answer to the ping that is being read */
	uint64_t since_ms;
	uint64_t falls_ms[SESSION_FALLS]; /* a ring; 0: none */
	size_t fall_count;
	char said[SESSION_SAID_BYTES]; /* why it went down last */
	unsigned known;                /* a bit a family (exabgp.h): whether the router agreed to it is; ... */
	unsigned agreed;
};

/* Each session is agreed on anew: what was known of its families is not any more, also where it was up before. */
void session_turn(struct session *session, bool up, struct slice why, uint64_t now_ms);
/* How often it fell within SESSION_FLAP_MS, up to SESSION_FALLS. */
size_t session_falls(const struct session *session, uint64_t now_ms);

/* What the router of one that is up said. True: with this all is known that the operator is used for. */
bool session_agree(struct session *session, const struct upstream_operator *operator_, enum exabgp_family family,
		   bool agreed);
bool session_knows(const struct session *session, const struct upstream_operator *operator_);
/* Whether it is known not to carry these; of what is not known nothing is claimed. */
bool session_lacks(const struct session *session, enum exabgp_family family);
/* The names of those that it is used for and lacks, ", " between them. How many. */
size_t session_tell_lacking(const struct session *session, const struct upstream_operator *operator_,
			    struct buffer *out);
/* It is up, and may carry something that it is used for. */
bool session_carries(const struct session *session, const struct upstream_operator *operator_);

/* An operator by its peer's address; `count` if there is none. */
size_t session_find(const struct upstream_operator *operators, size_t count, const struct address *neighbor);

#endif
