/*
 * Events of one site to figures for each tenth of a second. Pure: time is an argument, in milliseconds of a clock that
 * does not go back; a gap is filled with ticks in which nothing came, a long one left out.
 */
#ifndef GUIA_TRAFFIC_RATES_H
#define GUIA_TRAFFIC_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRAFFIC_TICK_MS = 100 };

enum traffic_metric {
	TRAFFIC_REQUESTS,  /* that arrived */
	TRAFFIC_BYTES,     /* both ways */
	TRAFFIC_ERRORS,    /* answers of 500 and above, and none at all */
	TRAFFIC_LATENCY,   /* of the origin, milliseconds in the mean; the last known where it answered nothing */
	TRAFFIC_SLOTS,     /* requests at the origin */
	TRAFFIC_NEW_SHARE, /* of arrivals, from where none came before; 0 to 1 */
	TRAFFIC_REFUSALS,
	TRAFFIC_READING_HEADER, /* connections by what they do */
	TRAFFIC_READING_BODY,
	TRAFFIC_WAITING,
	TRAFFIC_WRITING,
	TRAFFIC_METRICS,
};

struct traffic_tick {
	uint64_t at_ms; /* when it began */
	double value[TRAFFIC_METRICS];
	double ended;               /* requests */
	double answered;            /* of these, by the origin: what its latency is of */
	double known;               /* arrivals from where some came before */
	double slots_at_most;       /* that the origin takes; 0: not known */
	double connections_at_most; /* that the gate has; 0: not known */
	bool crowded;               /* connections find no room at the gate: less is seen than there is */
};

/* All zero is one that has not begun. */
struct traffic_rates {
	struct traffic_tick now;
	double latency_sum_ms;
	bool began;
};

/* `is_new`: its prefix was not seen before. */
void traffic_arrival(struct traffic_rates *rates, bool is_new);

/* What a request came to. */
struct traffic_end {
	uint64_t bytes;     /* both ways */
	uint32_t origin_us; /* 0: it was not asked */
	uint16_t status;    /* 0: no answer */
	bool refused;
};
void traffic_end(struct traffic_rates *rates, const struct traffic_end *end);

/* What stands, as of now: by states from TRAFFIC_READING_HEADER on. */
void traffic_standing(struct traffic_rates *rates, double slots, double slots_at_most, const double states[4]);

/* How many connections there may be, from now on. */
void traffic_room(struct traffic_rates *rates, double connections_at_most);

/*
 * Gives the next tick that is over at `now_ms`, until it says false: there is none. Ask when what came until then was
 * added. Of whoever asks late it is known what came and not when: each of the ticks has as much of it.
 */
bool traffic_rates_tick(struct traffic_rates *rates, uint64_t now_ms, struct traffic_tick *ret_tick);

#endif
