/*
 * Each second's most waits in a ring, for a delay that grows with all that was seen; what leaves it raises the most
 * that quiet had, which fades else.
 */
#include "traffic/holding.h"

#include <math.h>

enum { SECOND_TICKS = 1000 / TRAFFIC_TICK_MS };

static const double TIMES = 2;           /* the most that quiet had are still no attack */
static const double FADE = 1 - 1.146e-6; /* a second: half in a week */

double holding_limit(const struct holding *holding, unsigned state, double connections_at_most)
{
	double few = fmax(HOLDING_FEW, connections_at_most / HOLDING_FEW_SHARE);
	double usual = holding->known ? TIMES * holding->most[state] : connections_at_most / HOLDING_ROOM_SHARE;
	double much = connections_at_most > 0 ? fmax(few, connections_at_most / HOLDING_MUCH_SHARE) : INFINITY;
	return fmin(fmax(usual, few), much);
}

static unsigned delay_of(const struct holding *holding)
{
	unsigned delay = holding->seconds / 4;
	return delay < HOLDING_WAIT_LEAST ? HOLDING_WAIT_LEAST : delay > HOLDING_WAIT_MOST ? HOLDING_WAIT_MOST : delay;
}

static void second_end(struct holding *holding)
{
	const unsigned room = HOLDING_WAIT_MOST + 1;
	holding->waits[(holding->first + holding->waiting) % room] = holding->now;
	holding->waiting++;
	holding->now = (struct holding_wait){0};
	holding->ticks = 0;
	holding->seconds += holding->seconds < 4 * HOLDING_WAIT_MOST;
	for (; holding->waiting > delay_of(holding); holding->waiting--) {
		for (unsigned i = 0; i < HOLDING_STATES; i++)
			holding->most[i] = fmax(holding->most[i] * FADE, holding->waits[holding->first].most[i]);
		holding->first = (holding->first + 1) % room;
		holding->known = true;
	}
}

static void learn(struct holding *holding, const struct traffic_tick *tick)
{
	for (unsigned i = 0; i < HOLDING_STATES; i++)
		holding->now.most[i] = fmaxf(holding->now.most[i], (float)tick->value[TRAFFIC_READING_HEADER + i]);
	if (++holding->ticks == SECOND_TICKS)
		second_end(holding);
}

/* Nobody is to be told for ever of what does no harm. */
static void adapt(struct holding *holding, const struct traffic_tick *tick, bool over)
{
	double room = tick->connections_at_most / HOLDING_ROOM_SHARE;
	bool harmless = true;
	for (unsigned i = 0; i < HOLDING_STATES; i++)
		harmless = harmless && tick->value[TRAFFIC_READING_HEADER + i] <= room;
	holding->over = over && harmless ? holding->over + 1 : 0;
	if (holding->over < HOLDING_ADAPT_S * SECOND_TICKS)
		return;
	for (unsigned i = 0; i < HOLDING_STATES; i++)
		holding->most[i] = fmax(holding->most[i], tick->value[TRAFFIC_READING_HEADER + i]);
	holding->known = true;
	holding->over = 0;
}

bool holding_tick(struct holding *holding, const struct traffic_tick *tick, bool quiet)
{
	bool over = false;
	for (unsigned i = 0; i < HOLDING_STATES; i++)
		over = over ||
		       tick->value[TRAFFIC_READING_HEADER + i] > holding_limit(holding, i, tick->connections_at_most);
	if (quiet)
		learn(holding, tick);
	adapt(holding, tick, over);
	return over;
}

void holding_episode_begins(struct holding *holding)
{
	holding->waiting = holding->ticks = 0;
	holding->now = (struct holding_wait){0};
}
