/*
 * Who came waits in a ring, which is emptied when something goes wrong. How many strangers may come is a lease at the
 * edge, renewed with each tick: without a watch it lapses.
 */
#include "mitigate/edge_strangers.h"

enum {
	STILL_WELL_MS = 2000,
	SURELY_FULL = EDGE_SEEN_MOST / 10 * 9, /* what is counted of a filter is nearly so */
};

static const double FIRST = 1000, LEAST = 100, MOST = 20000; /* a second; above the last nobody is kept waiting */
static const double FEWER = 0.67, MORE = 1.05;

void edge_strangers_meet(struct edge_strangers *s, const struct address *source, uint64_t now_ms)
{
	if (s->count == STRANGERS_WAITING)
		return; /* others come as well: he is learned the next time */
	s->waiting[(s->first + s->count++) % STRANGERS_WAITING] = (struct strangers_waiting){*source, now_ms};
}

void edge_strangers_forget(struct edge_strangers *s)
{
	*s = (struct edge_strangers){0};
}

/* The first is filled first; from then on one is full, and the other is added to. */
void edge_strangers_adopt(struct edge_strangers *s, const struct edge *edge)
{
	const size_t counts[EDGE_GENERATIONS] = {edge_seen_count(edge, 0), edge_seen_count(edge, 1)};
	size_t more = counts[1] > counts[0];
	edge_strangers_forget(s);
	s->generation = (unsigned)(counts[more] >= SURELY_FULL ? 1 - more : more);
	s->seen = counts[s->generation];
}

static void add(struct edge_strangers *s, struct edge *edge, const struct address *source)
{
	if (s->seen >= EDGE_SEEN_MOST) {
		s->generation = (s->generation + 1) % EDGE_GENERATIONS;
		s->seen = 0;
		edge_seen_clear(edge, s->generation);
	}
	s->seen += edge_seen_add(edge, s->generation, source);
}

static void learn(struct edge_strangers *s, struct edge *edge, bool calm, uint64_t now_ms)
{
	if (!calm)
		s->count = 0;
	while (s->count > 0 && now_ms - s->waiting[s->first].at_ms >= STILL_WELL_MS) {
		add(s, edge, &s->waiting[s->first].source);
		s->first = (s->first + 1) % STRANGERS_WAITING;
		s->count--;
	}
}

double strangers_pace(double per_s, struct strangers_told more)
{
	if (per_s == 0)
		return more.turned_away > 0 ? FIRST : 0;
	if (more.turned_away + more.kept_waiting > 0)
		return per_s * FEWER > LEAST ? per_s * FEWER : LEAST;
	return per_s * MORE < MOST ? per_s * MORE : 0;
}

void edge_strangers_tick(struct edge_strangers *s, struct edge *edge, bool calm, struct strangers_told told,
			 uint64_t now_ms)
{
	const struct strangers_told more = {growth_since(&s->turned_away, told.turned_away),
					    growth_since(&s->kept_waiting, told.kept_waiting)};
	learn(s, edge, calm, now_ms);
	s->per_s = strangers_pace(s->per_s, more);
	edge_strangers_bound(edge, s->per_s, now_ms + STRANGERS_LEASE_MS);
}
