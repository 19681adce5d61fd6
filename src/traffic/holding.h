/*
 * Whether connections are held by those who bring no request: heads that do not come, and bodies. So many as were never
 * seen in quiet are an attack of slow clients, which costs its origin nothing and shows in no other figure.
 *
 * The most that quiet had is learned late: what is younger than a quarter of all that was seen, from two seconds to ten
 * minutes, waits, and is dropped when an episode begins; so a ramp is not learned before it is over twice what was.
 * It fades, half of it in a week. Where hardly any are held it says nothing.
 */
#ifndef GUIA_TRAFFIC_HOLDING_H
#define GUIA_TRAFFIC_HOLDING_H

#include "traffic/rates.h"

enum {
	HOLDING_STATES = 2,     /* from TRAFFIC_READING_HEADER on: heads, bodies */
	HOLDING_WAIT_LEAST = 2, /* seconds */
	HOLDING_WAIT_MOST = 600,
	HOLDING_FEW = 200,      /* are no attack */
	HOLDING_ADAPT_S = 600,  /* what lasts so long and leaves room enough is what is normal now */
	HOLDING_FEW_SHARE = 32, /* nor is one of so many connections that there are */
	HOLDING_ROOM_SHARE = 4, /* one of so many leaves room; more is told where nothing is known, too */
	HOLDING_MUCH_SHARE = 2, /* and one of so many is told whatever was usual */
};

struct holding_wait {
	float most[HOLDING_STATES];
};

/* All zero is one that has seen nothing. */
struct holding {
	double most[HOLDING_STATES]; /* in quiet */
	bool known;
	struct holding_wait now; /* of this second */
	unsigned ticks;          /* of it */
	unsigned seconds;        /* seen, up to a bound */
	unsigned over;           /* ticks in a row that were, and left room */
	unsigned first, waiting;
	struct holding_wait waits[HOLDING_WAIT_MOST + 1]; /* a ring */
};

/* So many in this state are over what is normal. */
double holding_limit(const struct holding *holding, unsigned state, double connections_at_most);

/* Takes a tick, and learns of it where it is `quiet`. Whether it is over. */
bool holding_tick(struct holding *holding, const struct traffic_tick *tick, bool quiet);

/* What waits is of an episode that has begun. */
void holding_episode_begins(struct holding *holding);

#endif
