/*
 * Two kinds of sums, figures over what is expected and harm, each with an alarm and a lid. Any alarm begins an episode;
 * its nature is judged anew with each tick. Where no hour of the week is known, what came of late stands for it.
 */
#include "traffic/onset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	HARM_ALARM = 5, /* ticks, as the next three */
	HOLDING_ALARM = 3,
	NO_ROOM_ALARM = 3,
	HARM_MOST = 15,
	ANSWERS_LEAST = 5, /* of late */
};

static const double SLACK = 1.5;    /* spreads that a tick may be over for nothing */
static const double ALARM = 15;     /* spreads, added up */
static const double TICK_MOST = 10; /* that one tick may add */
static const double LATELY = 0.9;   /* how much a tick counts of what the one behind it does: the last second, about */

/* Harm: a visitor notices an answer that takes a second, or four times what it takes else. */
static const double LATE_MS = 1000, LATE_TIMES = 4;
/* Of requests that ended lately: so many, and that share of them. */
static const double ERRORS_LEAST = 5, ERRORS_SHARE = 0.25;
static const double SLOTS_SHARE = 0.95; /* of all that the origin takes: as good as all */
/* Where connections find no room at the gate: more than so many times what is usual, and so many besides, of late. */
static const double NO_ROOM_TIMES = 1.5, NO_ROOM_LEAST = 10;

/* People, if so much of what is more comes from where some came before; once that was so, less does. */
static const double PEOPLE_SHARE = 0.6, PEOPLE_STILL_SHARE = 0.4;

/*
 * What tells of a beginning, and no less than what spread. Where a figure hardly ever differs from its middle anything
 * would be many spreads: a share of the middle, and so many of its own units, are let be.
 */
struct watched {
	bool watched;
	double share;
	double units;
	bool counts; /* events: chance alone makes them differ by the root of their number */
};
static const struct watched WATCHED[TRAFFIC_METRICS] = {
	[TRAFFIC_REQUESTS] = {true, 0.15, 2, true},     [TRAFFIC_BYTES] = {true, 0.5, 400e3, false},
	[TRAFFIC_ERRORS] = {true, 0.5, 2, true},        [TRAFFIC_LATENCY] = {true, 0.5, 25, false},
	[TRAFFIC_SLOTS] = {true, 0.3, 4, true},         [TRAFFIC_READING_HEADER] = {true, 0.2, 10, true},
	[TRAFFIC_READING_BODY] = {true, 0.2, 10, true}, [TRAFFIC_WAITING] = {true, 0.3, 10, true},
};

const char *traffic_nature_name(enum traffic_nature nature)
{
	static const char *const names[TRAFFIC_NATURES] = {"quiet", "surge", "overload", "slow", "attack"};
	return nature < TRAFFIC_NATURES ? names[nature] : "?";
}

static double spread_with_floor(const struct watched *watched, const struct baseline_expectation *expected)
{
	double spread = fmax(expected->spread, watched->share * expected->middle);
	if (watched->counts)
		spread = fmax(spread, sqrt(expected->middle));
	return fmax(spread, watched->units);
}

/* Adds to a sum that stays between 0 and `most`, not far above its alarm, so that it falls as soon as things do. */
static void add_up(double *sum, uint64_t *since_ms, double more, double most, uint64_t now_ms)
{
	if (*sum <= 0)
		*since_ms = now_ms;
	*sum = fmin(fmax(*sum + more, 0), most);
}

/* A few answers say nothing of how an origin fares: where hardly anybody is, one may be late for any reason. */
static bool tells_latency(const struct onset *onset)
{
	return onset->answered > ANSWERS_LEAST;
}

static unsigned figures_over(struct onset *onset, const struct baseline *baseline, const struct traffic_tick *tick,
			     uint64_t wall_s)
{
	unsigned over = 0;
	for (unsigned i = 0; i < TRAFFIC_METRICS; i++) {
		struct baseline_expectation expected;
		if (!WATCHED[i].watched)
			continue;
		if (!baseline_expect(baseline, i, wall_s, &expected)) {
			onset->sum[i] = 0;
			continue;
		}
		if (i == TRAFFIC_LATENCY && !tells_latency(onset))
			expected.middle = fmax(expected.middle, tick->value[i]);
		double off = (tick->value[i] - expected.middle) / spread_with_floor(&WATCHED[i], &expected);
		add_up(&onset->sum[i], &onset->over_since_ms[i], fmin(off, TICK_MOST) - SLACK, 2 * ALARM, tick->at_ms);
		over |= onset->sum[i] >= ALARM ? 1u << i : 0;
	}
	return over;
}

static void remember_lately(struct onset *onset, const struct traffic_tick *tick)
{
	onset->requests = onset->requests * LATELY + tick->value[TRAFFIC_REQUESTS];
	onset->known = onset->known * LATELY + tick->known;
	onset->ended = onset->ended * LATELY + tick->ended;
	onset->answered = onset->answered * LATELY + tick->answered;
	onset->errors = onset->errors * LATELY + tick->value[TRAFFIC_ERRORS];
}

/* ---- what came of late ---- */

enum {
	USUAL_LEAST = 10, /* ticks */
	USUAL_MOST = 600,
	TICKS_A_SECOND = 10,
	FEW = 5, /* a second: half of them have none */
};

static void lately_add(struct onset_usual *usual, double requests)
{
	usual->second += requests;
	if (++usual->second_ticks < TICKS_A_SECOND)
		return;
	usual->lately[usual->lately_count++ % ONSET_LATELY_S] = (float)usual->second;
	usual->second = usual->second_ticks = 0;
}

static int by_size(const void *left, const void *right)
{
	const float *a = left, *b = right;
	return *a < *b ? -1 : *a > *b;
}

/* Requests of a tick: the middle of the last seconds, so that a burst is none of it. False: too few are known. */
static bool lately_of(const struct onset_usual *usual, double *ret_requests)
{
	float seconds[ONSET_LATELY_S];
	unsigned count = usual->lately_count < ONSET_LATELY_S ? usual->lately_count : (unsigned)ONSET_LATELY_S;
	double sum = 0;
	if (count < ONSET_LATELY_LEAST_S)
		return false;
	memcpy(seconds, usual->lately, count * sizeof(*seconds));
	qsort(seconds, count, sizeof(*seconds), by_size);
	for (unsigned i = 0; i < count; i++)
		sum += (double)seconds[i];
	double middle = ((double)seconds[count / 2] + (double)seconds[(count - 1) / 2]) / 2;
	*ret_requests = (middle < FEW ? sum / count : middle) / TICKS_A_SECOND;
	return true;
}

static void usual_add(struct onset_usual *usual, const struct traffic_tick *tick)
{
	struct onset_waits *place = &usual->waits[usual->next];
	if (usual->waiting == ONSET_DELAY_TICKS) {
		usual->ticks += usual->ticks < USUAL_MOST;
		usual->requests += (place->requests - usual->requests) / usual->ticks;
		usual->known += (place->known - usual->known) / usual->ticks;
		lately_add(usual, place->requests);
	}
	*place = (struct onset_waits){tick->value[TRAFFIC_REQUESTS], tick->known};
	usual->next = (usual->next + 1) % ONSET_DELAY_TICKS;
	usual->waiting += usual->waiting < ONSET_DELAY_TICKS;
}

/* What waits is of an episode that has begun. */
static void usual_forget_waiting(struct onset_usual *usual)
{
	usual->waiting = 0;
}

/* Of a tick: requests, and those from where some came before. */
static bool usual_of(const struct onset *onset, const struct baseline *baseline, uint64_t wall_s, double *ret_requests,
		     double *ret_known)
{
	struct baseline_expectation requests, new_share;
	if (baseline_expect(baseline, TRAFFIC_REQUESTS, wall_s, &requests) &&
	    baseline_expect(baseline, TRAFFIC_NEW_SHARE, wall_s, &new_share)) {
		*ret_requests = requests.middle;
		*ret_known = requests.middle * (1 - new_share.middle);
		return true;
	}
	if (onset->usual.ticks < USUAL_LEAST)
		return false;
	*ret_requests = onset->usual.requests;
	*ret_known = onset->usual.known;
	return true;
}

/* Where less came just before than is usual, it would have been less. More may be a part of what has begun. */
static bool normal_of(const struct onset *onset, const struct baseline *baseline, uint64_t wall_s, double *ret_requests,
		      double *ret_known)
{
	double lately;
	if (!usual_of(onset, baseline, wall_s, ret_requests, ret_known))
		return false;
	if (lately_of(&onset->usual, &lately) && lately < *ret_requests) {
		*ret_known *= lately / *ret_requests;
		*ret_requests = lately;
	}
	return true;
}

bool onset_normal_requests(const struct onset *onset, const struct baseline *baseline, uint64_t wall_s,
			   double *ret_requests)
{
	double known;
	return normal_of(onset, baseline, wall_s, ret_requests, &known);
}

/* What is added up of late where each tick has so much. */
static double of_late(double of_a_tick)
{
	return of_a_tick / (1 - LATELY);
}

/* ---- harm, and whose it is ---- */

static bool is_late(const struct baseline *baseline, const struct traffic_tick *tick, uint64_t wall_s)
{
	struct baseline_expectation expected;
	double normal = baseline_expect(baseline, TRAFFIC_LATENCY, wall_s, &expected) ? expected.middle : 0;
	return tick->value[TRAFFIC_LATENCY] > fmax(LATE_MS, LATE_TIMES * normal);
}

/* Whether the site is one for which the gate has no room. */
static bool has_no_room(const struct onset *onset, const struct baseline *baseline, const struct traffic_tick *tick,
			uint64_t wall_s)
{
	double normal, known;
	return tick->crowded && normal_of(onset, baseline, wall_s, &normal, &known) &&
	       onset->requests > of_late(NO_ROOM_TIMES * normal) + NO_ROOM_LEAST;
}

static unsigned harm_done(struct onset *onset, const struct baseline *baseline, const struct traffic_tick *tick,
			  uint64_t wall_s)
{
	const bool now[TRAFFIC_HARMS] = {
		tells_latency(onset) && is_late(baseline, tick, wall_s),
		onset->errors > ERRORS_LEAST && onset->errors > ERRORS_SHARE * onset->ended,
		tick->slots_at_most > 0 && tick->value[TRAFFIC_SLOTS] >= SLOTS_SHARE * tick->slots_at_most &&
			tick->value[TRAFFIC_WAITING] > tick->slots_at_most,
		holding_tick(&onset->holding, tick, onset->began_ms == 0),
		has_no_room(onset, baseline, tick, wall_s),
	};
	static const double alarm[TRAFFIC_HARMS] = {HARM_ALARM, HARM_ALARM, HARM_ALARM, HOLDING_ALARM, NO_ROOM_ALARM};
	unsigned harm = 0;
	for (unsigned i = 0; i < TRAFFIC_HARMS; i++) {
		add_up(&onset->harm_sum[i], &onset->harm_since_ms[i], now[i] ? 1 : -1, HARM_MOST, tick->at_ms);
		harm |= onset->harm_sum[i] >= alarm[i] ? 1u << i : 0;
	}
	return harm;
}

/*
 * Of what is more than expected, the share from where some came before. Where nothing is known of who is usual, all
 * that comes counts, and half is what one would guess.
 */
static double known_share(const struct onset *onset, const struct baseline *baseline, uint64_t wall_s)
{
	double more = onset->requests, known = onset->known, normal, normal_known;
	if (normal_of(onset, baseline, wall_s, &normal, &normal_known)) {
		more -= of_late(normal);
		known -= of_late(normal_known);
	}
	if (more < 1)
		return 1;
	return fmin(fmax(known / more, 0), 1);
}

static uint64_t earliest(const struct onset *onset, unsigned over, unsigned harm, uint64_t now_ms)
{
	uint64_t began_ms = now_ms;
	for (unsigned i = 0; i < TRAFFIC_METRICS; i++)
		if ((over >> i & 1) != 0 && onset->over_since_ms[i] < began_ms)
			began_ms = onset->over_since_ms[i];
	for (unsigned i = 0; i < TRAFFIC_HARMS; i++)
		if ((harm >> i & 1) != 0 && onset->harm_since_ms[i] < began_ms)
			began_ms = onset->harm_since_ms[i];
	return began_ms;
}

/*
 * Harm by people who were here before is a crowd; what was once taken for one needs a clearer sign to be an attack. Who
 * finds no room are strangers, for visitors are let in first: of them too little is seen to tell by.
 */
static enum traffic_nature nature_of(struct onset *onset, unsigned harm, double share)
{
	if (harm == 0)
		return TRAFFIC_SURGE;
	if (harm == TRAFFIC_HARM_CONNECTIONS)
		return TRAFFIC_SLOW;
	if ((harm & TRAFFIC_HARM_NO_ROOM) != 0)
		return TRAFFIC_ATTACK;
	onset->was_overload = share > (onset->was_overload ? PEOPLE_STILL_SHARE : PEOPLE_SHARE);
	return onset->was_overload ? TRAFFIC_OVERLOAD : TRAFFIC_ATTACK;
}

static bool has_ended(const struct onset *onset, uint64_t now_ms)
{
	/* What goes on from a watch before may be of a moment later than a tick's beginning. */
	return now_ms >= onset->quiet_since_ms + ONSET_END_MS || now_ms >= onset->harmless_since_ms + ONSET_ADAPT_MS;
}

struct onset_signal onset_tick(struct onset *onset, struct baseline *baseline, const struct traffic_tick *tick,
			       uint64_t wall_s)
{
	uint64_t now_ms = tick->at_ms;
	remember_lately(onset, tick);
	struct onset_signal signal = {.over = figures_over(onset, baseline, tick, wall_s),
				      .harm = harm_done(onset, baseline, tick, wall_s)};
	onset->adapting = onset->adapting && signal.over != 0 && signal.harm == 0;
	bool anything = signal.harm != 0 || (signal.over != 0 && !onset->adapting);
	if (anything)
		onset->quiet_since_ms = now_ms;
	if (signal.harm != 0)
		onset->harmless_since_ms = now_ms;
	if (anything && onset->began_ms == 0) {
		signal.begins = true;
		onset->began_ms = earliest(onset, signal.over, signal.harm, now_ms) + 1;
		onset->harmless_since_ms = now_ms;
		baseline_episode_begins(baseline);
		usual_forget_waiting(&onset->usual);
		holding_episode_begins(&onset->holding);
	} else if (onset->began_ms != 0 && has_ended(onset, now_ms)) {
		signal.ends = true;
		onset->adapting = anything;
		onset->began_ms = 0;
		onset->was_overload = false;
		baseline_episode_ends(baseline);
	}
	baseline_tick(baseline, tick, wall_s);
	if (onset->began_ms == 0) {
		usual_add(&onset->usual, tick);
		return signal;
	}
	signal.began_ms = onset->began_ms - 1;
	signal.known_share = known_share(onset, baseline, wall_s);
	signal.nature = anything ? nature_of(onset, signal.harm, signal.known_share) : TRAFFIC_QUIET;
	return signal;
}

void onset_goes_on(struct onset *onset, struct baseline *baseline, uint64_t began_ms, uint64_t now_ms)
{
	onset->began_ms = began_ms + 1;
	onset->quiet_since_ms = onset->harmless_since_ms = now_ms;
	baseline_episode_begins(baseline);
}
