/*
 * Who comes as people do, as far as that can be seen while an attack is on and nobody is known from before: in visits,
 * a page with all that belongs to it, and then nothing for a while. Of each source it is asked how likely its requests
 * would lie in so few of the seconds that it has been here if they were strewn over them at random; machines that ask
 * at a pace of their own, however slow, are so strewn.
 *
 * Requests of what seem to be visits are kept, a few of each source; whether it was a visitor shows later. Who attacks
 * in visits is among them, and then what such have in common is what visitors seem to have. Pure; one thread.
 */
#ifndef GUIA_TRAFFIC_VISITS_H
#define GUIA_TRAFFIC_VISITS_H

#include "traffic/offenders.h"
#include "traffic/sample.h"

enum {
	VISIT_REQUESTS = 4,    /* as many make one, and of one source as many are kept */
	VISIT_PATHS = 3,       /* that it asks for, at least */
	VISIT_A_SECOND = 3,    /* requests of a second in which it comes, at least in the mean */
	VISIT_PAUSES = 4,      /* in one of so many seconds at most */
	VISITOR_AT_ONCE = 40,  /* requests: a few pages with all that belongs to them ... */
	VISITOR_A_SECOND = 4,  /* and then so many, at most */
	VISITS_RECENT = 16384, /* requests of all sources that are held until it shows that they are a visit's */
	VISITS_KEPT = 8192,
};

struct visits;

/* 0 or -ENOMEM. */
int visits_new(uint64_t seed, struct visits **ret_visits);
void visits_free(struct visits *visits); /* NULL is allowed */

/* A request of this source, counted in its record already, and its record told of it. */
void visits_arrival(struct visits *visits, struct offender *offender, const struct sampled *request, uint64_t now_ms);

/* Whether a source comes in visits, as far as it has been seen. */
bool offender_is_visitor(const struct offender *offender, uint64_t now_ms);

/* Those kept of sources that do; what is of others is forgotten. At most VISITS_KEPT; good until the next call. */
size_t visits_gather(struct visits *visits, const struct offenders *offenders, uint16_t site, uint64_t now_ms,
		     const struct sampled **ret_requests);

#endif
