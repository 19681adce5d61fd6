/* One tick is being filled; where several are due each takes its share of what was counted, and leaves the rest. */
#include "traffic/rates.h"

enum {
	GAP_MOST_MS = 10 * 1000,
	SERVER_ERROR = 500, /* the first status of those */
};

void traffic_arrival(struct traffic_rates *rates, bool is_new)
{
	rates->now.value[TRAFFIC_REQUESTS]++;
	rates->now.known += !is_new;
}

void traffic_end(struct traffic_rates *rates, const struct traffic_end *end)
{
	rates->now.ended++;
	rates->now.value[TRAFFIC_BYTES] += (double)end->bytes;
	rates->now.value[TRAFFIC_REFUSALS] += end->refused;
	/* What we refused says nothing of how the origin fares. */
	rates->now.value[TRAFFIC_ERRORS] += !end->refused && (end->status == 0 || end->status >= SERVER_ERROR);
	if (end->origin_us > 0) {
		rates->latency_sum_ms += end->origin_us / 1000.0;
		rates->now.answered++;
	}
}

void traffic_standing(struct traffic_rates *rates, double slots, double slots_at_most, const double states[4])
{
	rates->now.value[TRAFFIC_SLOTS] = slots;
	rates->now.slots_at_most = slots_at_most;
	for (unsigned i = 0; i < 4; i++)
		rates->now.value[TRAFFIC_READING_HEADER + i] = states[i];
}

void traffic_room(struct traffic_rates *rates, double connections_at_most)
{
	rates->now.connections_at_most = connections_at_most;
}

/* A share of all that is counted. */
static void share_out(struct traffic_tick *tick, double share)
{
	static const enum traffic_metric counted[] = {TRAFFIC_REQUESTS, TRAFFIC_BYTES, TRAFFIC_ERRORS,
						      TRAFFIC_REFUSALS};
	tick->ended *= share;
	tick->known *= share;
	tick->answered *= share;
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		tick->value[counted[i]] *= share;
}

/* What stands goes on into the next tick; of what is counted it has the rest. */
static void begin(struct traffic_rates *rates, uint64_t at_ms, double rest)
{
	rates->now.at_ms = at_ms;
	rates->now.value[TRAFFIC_NEW_SHARE] = 0;
	rates->latency_sum_ms *= rest;
	share_out(&rates->now, rest);
}

bool traffic_rates_tick(struct traffic_rates *rates, uint64_t now_ms, struct traffic_tick *ret_tick)
{
	if (!rates->began || now_ms < rates->now.at_ms || now_ms - rates->now.at_ms > GAP_MOST_MS) {
		rates->began = true;
		begin(rates, now_ms - now_ms % TRAFFIC_TICK_MS, 0);
		return false;
	}
	uint64_t due = (now_ms - rates->now.at_ms) / TRAFFIC_TICK_MS;
	if (due == 0)
		return false;
	struct traffic_tick *tick = &rates->now;
	double requests = tick->value[TRAFFIC_REQUESTS], share = 1 / (double)due;
	tick->value[TRAFFIC_NEW_SHARE] = requests > 0 ? 1 - tick->known / requests : 0;
	if (tick->answered > 0)
		tick->value[TRAFFIC_LATENCY] = rates->latency_sum_ms / tick->answered;
	*ret_tick = *tick;
	share_out(ret_tick, share);
	begin(rates, tick->at_ms + TRAFFIC_TICK_MS, 1 - share);
	return true;
}
