/*
 * Whether the link is full: by what the interface's counter says of its share, or by less if visitors fall away at the
 * same time, for what a shaper ahead of us drops never reaches the counter. Pure: fed once a second, and between.
 */
#ifndef GUIA_UPSTREAM_LINK_H
#define GUIA_UPSTREAM_LINK_H

#include "base/slice.h"

enum {
	LINK_FULL_PERCENT = 90,
	LINK_BUSY_PERCENT = 60, /* enough where visitors fall away; and below it a full link is full no more */
	LINK_FULL_SECONDS = 2,  /* in a row, where it is told by visitors */
	LINK_FULL_MS = 600,     /* in a row, where it is told by its share: of a flood within a second */
	LINK_CLEAR_SECONDS = 5,
	LINK_USUAL_SECONDS = 60, /* over which what visitors usually ask is averaged */
	LINK_VISITORS_LEAST = 5, /* a second: of fewer nothing can be told */
	LINK_FLAT_PERCENT = 5, /* by which what comes differs from second to second where a link lets no more through */
	LINK_MORE_TIMES = 2,   /* what is usual: so much comes then, at least ... */
	LINK_BYTES_LEAST = 1 << 20, /* ... and so much a second */
	LINK_MAYBE_SECONDS = 3,     /* in a row */
};

struct link_meter {
	uint64_t at_ms; /* of the last feed; 0: none */
	uint64_t bytes;
	double share; /* of the link, in percent */
	double usual; /* visitors' requests a second when the link is not busy; < 0: not known */
	bool falling; /* visitors are */
	bool full;
	unsigned seconds; /* for which the other is so */
	uint64_t tick_ms; /* of the last tick; 0: none */
	uint64_t tick_bytes;
	uint64_t filled_ms; /* for which each tick had it full */
	/* where nobody said how wide it is */
	bool may_be_full;
	double bytes_a_second, usual_bytes; /* of the last second; in the mean, while visitors do not fall away, or 0 */
};

void link_meter_init(struct link_meter *meter);

/*
 * Where `link_mbit` is 0 it may be full if much more comes than is usual, as much each second and no more, while
 * visitors fall away. Nothing is asked of anybody because of that.
 *
 * `bytes` is the interface's counter, `visitors` their requests in the last second.
 */
void link_meter_feed(struct link_meter *meter, uint64_t now_ms, uint64_t bytes, uint64_t link_mbit, double visitors);

/* Some ten times a second: what fills the link is told as soon as it lasts. */
void link_meter_tick(struct link_meter *meter, uint64_t now_ms, uint64_t bytes, uint64_t link_mbit);

/* Of /proc/net/route: the interface of the route to everywhere. Of /proc/net/dev: what one has received. */
bool link_default_read(struct slice routes, struct slice *ret_name);
struct link_counter {
	uint64_t bytes, packets;
};
bool link_counter_read(struct slice counters, struct slice name, struct link_counter *ret_counter);

#endif
