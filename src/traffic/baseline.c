/*
 * A minute's mean and variance are added up by Welford's method; then it waits in a ring. Learning moves each figure by
 * a share, one over the minutes that count: a plain mean at first, an exponential one later. An hour that is not known
 * is expected to be as the same hour of other days.
 */
#include "traffic/baseline.h"

#include <math.h>
#include <string.h>

enum {
	RING = BASELINE_HOLD_UNKNOWN_MINUTES + 2,
	TICKS_LEAST = 30 * 1000 / TRAFFIC_TICK_MS, /* half a minute, at a start or after a gap, says too little */
};

/* A deviation in the mean times this is a standard deviation, of normal noise. */
static const double MEAN_DEVIATION = 1.2533;
/* A minute counts as if no farther from the middle than so many deviations, ... */
static const double CLIP = 4;
/* ... of minutes, or of ticks over this: by chance alone a minute of 600 would differ by a 24th, but they go together.
 */
static const double WITHIN_SHARE = 8;
/* And by so much in any case: what never differed at all may begin to. */
static const double CLIP_LEAST = 1e-6;
/* Another day's hour is as if it differed so much more. */
static const double OTHER_DAY_TIMES = 2;

static const struct baseline_hour *hour_of(const struct baseline *baseline, uint64_t minute)
{
	/* The epoch was a Thursday: which day a week begins with does not matter. */
	return &baseline->hours[minute / 60 % BASELINE_HOURS];
}

static bool known(const struct baseline_hour *hour)
{
	return hour->minutes >= BASELINE_KNOWN_MINUTES;
}

/* ---- learning ---- */

static void learn_figure(struct baseline_figure *figure, double mean, double within, double share, bool clip)
{
	double off = mean - figure->middle;
	if (clip) {
		double most = CLIP * fmax((double)figure->between, (double)figure->within / WITHIN_SHARE) + CLIP_LEAST;
		off = off > most ? most : off < -most ? -most : off;
		within = fmin(within, CLIP * (double)figure->within + CLIP_LEAST);
	}
	figure->between += (float)(share * (fabs(off) - (double)figure->between));
	figure->within += (float)(share * (within - (double)figure->within));
	figure->middle += (float)(share * off);
}

static void learn(struct baseline *baseline, const struct baseline_minute *minute)
{
	struct baseline_hour *hour = &baseline->hours[minute->minute / 60 % BASELINE_HOURS];
	bool clip = known(hour);
	if (hour->minutes < BASELINE_WEIGHT_MOST)
		hour->minutes++;
	for (unsigned i = 0; i < TRAFFIC_METRICS; i++)
		learn_figure(&hour->figure[i], minute->mean[i], sqrt(minute->square[i] / minute->ticks),
			     1.0 / hour->minutes, clip);
}

static struct baseline_minute *waiting_at(struct baseline *baseline, uint32_t place)
{
	return &baseline->waiting[(baseline->first + place) % RING];
}

static uint64_t hold_minutes(const struct baseline *baseline, uint64_t minute)
{
	return known(hour_of(baseline, minute)) ? BASELINE_HOLD_MINUTES : BASELINE_HOLD_UNKNOWN_MINUTES;
}

/* Minutes are learned in their order. A clock that was set back learns what waits at once rather than never. */
static void learn_what_has_waited(struct baseline *baseline, uint64_t minute)
{
	while (baseline->count > 0) {
		const struct baseline_minute *oldest = waiting_at(baseline, 0);
		bool ripe = oldest->minute > minute || minute - oldest->minute > hold_minutes(baseline, oldest->minute);
		if (!ripe && baseline->count < RING)
			break;
		learn(baseline, oldest);
		baseline->first = (baseline->first + 1) % RING;
		baseline->count--;
	}
}

static void end_minute(struct baseline *baseline, uint64_t minute)
{
	learn_what_has_waited(baseline, minute);
	if (baseline->now.ticks >= TICKS_LEAST)
		*waiting_at(baseline, baseline->count++) = baseline->now;
	memset(&baseline->now, 0, sizeof(baseline->now));
	baseline->now.minute = minute;
}

void baseline_tick(struct baseline *baseline, const struct traffic_tick *tick, uint64_t wall_s)
{
	uint64_t minute = wall_s / 60;
	if (baseline->in_episode)
		return;
	if (baseline->now.minute != minute)
		end_minute(baseline, minute);
	struct baseline_minute *now = &baseline->now;
	now->ticks++;
	for (unsigned i = 0; i < TRAFFIC_METRICS; i++) {
		double off = tick->value[i] - now->mean[i];
		now->mean[i] += off / now->ticks;
		now->square[i] += off * (tick->value[i] - now->mean[i]);
	}
}

void baseline_episode_begins(struct baseline *baseline)
{
	if (baseline->in_episode)
		return;
	uint64_t minute = baseline->now.minute;
	uint32_t kept = 0;
	for (; kept < baseline->count; kept++) {
		uint64_t waits = waiting_at(baseline, kept)->minute;
		if (waits > minute || minute - waits <= hold_minutes(baseline, waits))
			break;
	}
	baseline->count = kept;
	learn_what_has_waited(baseline, minute);
	memset(&baseline->now, 0, sizeof(baseline->now));
	baseline->in_episode = true;
}

void baseline_episode_ends(struct baseline *baseline)
{
	baseline->in_episode = false;
}

/* ---- asking ---- */

static double spread_of(const struct baseline_figure *figure)
{
	return hypot(MEAN_DEVIATION * (double)figure->between, (double)figure->within);
}

/* The same hour of other days. */
static bool expect_of_other_days(const struct baseline *baseline, enum traffic_metric metric, uint64_t minute,
				 struct baseline_expectation *ret_expectation)
{
	struct baseline_expectation sum = {0};
	unsigned days = 0;
	for (unsigned day = 1; day < 7; day++) {
		const struct baseline_hour *hour = hour_of(baseline, minute + day * 24 * 60);
		if (!known(hour))
			continue;
		days++;
		sum.middle += (double)hour->figure[metric].middle;
		sum.spread += OTHER_DAY_TIMES * spread_of(&hour->figure[metric]);
	}
	if (days == 0)
		return false;
	*ret_expectation = (struct baseline_expectation){sum.middle / days, sum.spread / days};
	return true;
}

bool baseline_expect(const struct baseline *baseline, enum traffic_metric metric, uint64_t wall_s,
		     struct baseline_expectation *ret_expectation)
{
	uint64_t minute = wall_s / 60;
	const struct baseline_hour *hour = hour_of(baseline, minute);
	if (!known(hour))
		return expect_of_other_days(baseline, metric, minute, ret_expectation);
	struct baseline_expectation expectation = {(double)hour->figure[metric].middle,
						   spread_of(&hour->figure[metric])};
	/* An hour's middle is that of half past: between two of them it goes over from one to the other. */
	int off = (int)(minute % 60) - 30;
	const struct baseline_hour *other =
		hour_of(baseline, off < 0 ? minute + (BASELINE_HOURS - 1) * 60 : minute + 60);
	if (known(other)) {
		double share = (off < 0 ? -off : off) / 60.0;
		expectation.middle += share * ((double)other->figure[metric].middle - expectation.middle);
		expectation.spread = fmax(expectation.spread, share * spread_of(&other->figure[metric]));
	}
	*ret_expectation = expectation;
	return true;
}

bool baseline_hours_possible(const struct baseline_hour hours[BASELINE_HOURS])
{
	const float most = 1e15f; /* no site has as much of anything; what is learned from it stays a number */
	for (unsigned i = 0; i < BASELINE_HOURS; i++) {
		if (hours[i].minutes > BASELINE_WEIGHT_MOST)
			return false;
		for (unsigned metric = 0; metric < TRAFFIC_METRICS; metric++) {
			const struct baseline_figure *f = &hours[i].figure[metric];
			/* Written so that what is no number is impossible too. */
			if (!(f->middle >= 0 && f->middle <= most && f->between >= 0 && f->between <= most &&
			      f->within >= 0 && f->within <= most))
				return false;
		}
	}
	return true;
}
