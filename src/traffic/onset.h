/*
 * When something begins. Each figure of a tick is compared with what the baseline expects, in robust spreads with a
 * floor; what is over adds up and what is under takes off (CUSUM: Page 1954), so that a tenth of a second of a flood,
 * or minutes of a small rise, tell. Harm (answers late, errors, no slot left, connections held for nothing) is told
 * without any history; that more connect than find room is harm to a site that is asked for more than usual.
 *
 * Pure: time is an argument. Milliseconds of a clock that does not go back.
 */
#ifndef GUIA_TRAFFIC_ONSET_H
#define GUIA_TRAFFIC_ONSET_H

#include "traffic/baseline.h"
#include "traffic/holding.h"

enum traffic_harm {
	TRAFFIC_HARM_LATENCY = 1 << 0,
	TRAFFIC_HARM_ERRORS = 1 << 1,
	TRAFFIC_HARM_SLOTS = 1 << 2,
	TRAFFIC_HARM_CONNECTIONS = 1 << 3,
	TRAFFIC_HARM_NO_ROOM = 1 << 4,
};

enum { TRAFFIC_HARMS = 5 };

enum traffic_nature {
	TRAFFIC_QUIET,
	TRAFFIC_SURGE,    /* more than normal, and no harm */
	TRAFFIC_OVERLOAD, /* harm, by many who were here before: people */
	TRAFFIC_SLOW,     /* connections held by clients that bring no request, and no other harm */
	TRAFFIC_ATTACK,   /* harm, by many who were not */
	TRAFFIC_NATURES,
};

const char *traffic_nature_name(enum traffic_nature nature);

enum {
	ONSET_DELAY_TICKS = 20,
	ONSET_LATELY_S = 30,
	ONSET_LATELY_LEAST_S = 10, /* seconds that tell anything */
};

/*
 * What came of late: the mean of a minute, for as long as no hour of the week is known, and the last half minute second
 * by second, for what an hour of the week had in other weeks may not be what comes today. What is younger than two
 * seconds waits: an onset.
 */
struct onset_usual {
	double requests, known; /* of a tick, in the mean */
	unsigned ticks;
	double second; /* requests of the second that is being added up */
	unsigned second_ticks;
	float lately[ONSET_LATELY_S]; /* requests of a second: a ring */
	unsigned lately_count;
	unsigned waiting, next;
	struct onset_waits {
		double requests, known;
	} waits[ONSET_DELAY_TICKS]; /* a ring */
};

/* All zero is one that has seen nothing. */
struct onset {
	struct onset_usual usual;
	struct holding holding;
	double sum[TRAFFIC_METRICS];
	uint64_t over_since_ms[TRAFFIC_METRICS]; /* when that sum last began to grow */
	double harm_sum[TRAFFIC_HARMS];          /* by bits of traffic_harm */
	uint64_t harm_since_ms[TRAFFIC_HARMS];
	double requests, known, ended, errors, answered; /* of late, each tick counting less as time passes */
	uint64_t began_ms;                               /* 0: quiet */
	uint64_t quiet_since_ms;
	uint64_t harmless_since_ms;
	bool was_overload;
	bool adapting; /* what is over became normal by lasting; until it is over no more, or does harm */
};

struct onset_signal {
	enum traffic_nature nature;
	unsigned harm;      /* bits of traffic_harm */
	unsigned over;      /* bits by traffic_metric: more than expected */
	uint64_t began_ms;  /* when it began, as far as figures tell; earlier than it was noticed */
	double known_share; /* of what is more than expected, from where some came before; 0 to 1 */
	bool begins;        /* with this tick */
	bool ends;
};

enum {
	ONSET_END_MS = 30 * 1000,            /* nothing over for so long: an attack that pauses goes on */
	ONSET_ADAPT_MS = 6 * 60 * 60 * 1000, /* a surge without any harm for so long is what is normal now */
};

/*
 * Requests of a tick that would have come anyway, as far as anything is known: what is usual at this hour, and no more
 * than came just before. False: nothing is known.
 */
bool onset_normal_requests(const struct onset *onset, const struct baseline *baseline, uint64_t wall_s,
			   double *ret_requests);

/* Takes a tick; tells the baseline of an episode's beginning and end, and gives it the tick. */
struct onset_signal onset_tick(struct onset *onset, struct baseline *baseline, const struct traffic_tick *tick,
			       uint64_t wall_s);

/* For one that has seen nothing: what began then is still on. */
void onset_goes_on(struct onset *onset, struct baseline *baseline, uint64_t began_ms, uint64_t now_ms);

#endif
