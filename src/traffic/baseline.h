/*
 * What is normal for a site, by the hour of the week: for each figure the middle of its minutes, how much minutes
 * differ, and how much a tenth of a second differs within its minute.
 *
 * A minute is learned ten minutes after it, and not at all if by then an episode has begun or one is under way. In an
 * hour of the week of which little is known yet minutes wait for an hour, for a slow ramp is told there by the harm at
 * its end only. Four weeks count about alike, and no minute moves what is known by more than a few of its own
 * deviations.
 *
 * Pure: time is an argument, in seconds of wall time since the epoch (UTC), because weeks are what people live by.
 */
#ifndef GUIA_TRAFFIC_BASELINE_H
#define GUIA_TRAFFIC_BASELINE_H

#include "traffic/rates.h"

enum {
	BASELINE_HOURS = 7 * 24,
	BASELINE_KNOWN_MINUTES = 30, /* from so many on an hour is known */
	BASELINE_WEIGHT_MOST = 240,  /* minutes: four weeks of an hour */
	BASELINE_HOLD_MINUTES = 10,
	BASELINE_HOLD_UNKNOWN_MINUTES = 60,
};

struct baseline_figure {
	float middle;
	float between; /* deviation of minutes, in the mean */
	float within;  /* standard deviation of ticks */
};

struct baseline_hour {
	uint32_t minutes; /* learned, up to the most that count */
	struct baseline_figure figure[TRAFFIC_METRICS];
};

struct baseline_minute {
	uint64_t minute; /* since the epoch */
	uint32_t ticks;
	double mean[TRAFFIC_METRICS];
	double square[TRAFFIC_METRICS]; /* sum of squares of differences from the mean */
};

/* All zero is one that knows nothing. Only `hours` is worth keeping over a restart. */
struct baseline {
	struct baseline_hour hours[BASELINE_HOURS];
	struct baseline_minute now;
	struct baseline_minute waiting[BASELINE_HOLD_UNKNOWN_MINUTES + 2]; /* a ring, the oldest first */
	uint32_t first;
	uint32_t count;
	bool in_episode;
};

/* A tick is past. In an episode nothing is learned of it. */
void baseline_tick(struct baseline *baseline, const struct traffic_tick *tick, uint64_t wall_s);

/* An episode begins: what waits of the last ten minutes, and all of an hour not known, is not learned. */
void baseline_episode_begins(struct baseline *baseline);
void baseline_episode_ends(struct baseline *baseline);

struct baseline_expectation {
	double middle;
	double spread; /* of a tick, as a standard deviation; no floor */
};

/* What to expect of a tick now. False: not known. */
bool baseline_expect(const struct baseline *baseline, enum traffic_metric metric, uint64_t wall_s,
		     struct baseline_expectation *ret_expectation);

/* Whether what was read from outside can be a baseline's. */
bool baseline_hours_possible(const struct baseline_hour hours[BASELINE_HOURS]);

#endif
