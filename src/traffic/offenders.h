/*
 * What each source does while an attack is on: how many of its requests a signature matched and how many none did, how
 * much of the origin's time it took, how many kinds of client seem to be behind it. A table of a fixed size; in a full
 * bucket who did least makes way, so that who does much is there whatever comes besides, with exact sums from its first
 * entry on.
 *
 * Pure; one thread. Sources of IPv6 are their /64.
 */
#ifndef GUIA_TRAFFIC_OFFENDERS_H
#define GUIA_TRAFFIC_OFFENDERS_H

#include "base/address.h"
#include "base/hash.h"

struct offender {
	struct prefix prefix;
	uint16_t site;
	bool pardoned;     /* a person took back a ban of it */
	bool known;        /* was here before the episode */
	bool visitor;      /* with a client that it had then */
	bool visitor_hit;  /* ... of which a request was matched */
	bool named;        /* by a trusted proxy's header: whom we speak with is another */
	uint32_t by;       /* the mitigation that matched last */
	uint64_t since_ms; /* of its first request in the episode */
	uint64_t free_ms;  /* when the last ban that was decided here ends, if it was its first; 0: none was */
	uint64_t clients;  /* a bit for each kind of client, of 64 by hash */
	uint64_t paths;    /* likewise for each path that it asked for */
	uint32_t asked;    /* requests; this and what follows only where visits are looked for (traffic/visits.h) */
	uint32_t active, active_second; /* seconds in which it came; the last of them, from 1 on */
	uint32_t lent;                  /* requests of it that are kept */
	uint32_t visit_requests;        /* of the visit under way */
	uint64_t visit_first, visit_last;
	uint32_t matched;
	uint32_t unmatched;
	uint32_t unmatched_then; /* when it was banned last */
	uint32_t limited;        /* refused by a limit */
	uint32_t origin_ms;
	uint32_t origin_us; /* the rest of it */
};

struct offenders;

/* 0 or -ENOMEM. */
int offenders_new(size_t count, const struct hash_key *key, struct offenders **ret_offenders);
void offenders_free(struct offenders *offenders); /* NULL is allowed */

/* The source's record, made if need be; good until the next is asked for. */
struct offender *offenders_get(struct offenders *offenders, uint16_t site, const struct address *source,
			       uint64_t now_ms);

/* NULL: there is none. */
const struct offender *offenders_find(const struct offenders *offenders, uint16_t site, const struct address *source);

/* What is known of a site's sources is of an episode that is over. */
void offenders_forget(struct offenders *offenders, uint16_t site);

/* Walks all, from *cursor == 0; NULL at the end. */
struct offender *offenders_next(struct offenders *offenders, size_t *cursor);

/* Kinds of clients, as far as bits tell. */
static inline unsigned offender_clients(const struct offender *offender)
{
	return (unsigned)__builtin_popcountll(offender->clients);
}

/* Paths, likewise. */
static inline unsigned offender_paths(const struct offender *offender)
{
	return (unsigned)__builtin_popcountll(offender->paths);
}

#endif
