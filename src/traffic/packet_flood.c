/*
 * Counters come in; their differences make a rate, averaged exponentially, and the sum. A link has no budget: its flood
 * begins when it is full, and is on as long as it is, or routers are asked for it.
 */
#include "traffic/packet_flood.h"

#include <math.h>
#include <string.h>

static const double LATELY_MS = 1000;   /* over which a rate is averaged */
static const double LOW_OF_PEAK = 0.01; /* of an attack: it is as good as gone */
static const double SUM_MOST = 4 * PACKET_FLOOD_ALARM;
static const double FORGED_SHARE = 0.5; /* of SYNs that become no connection: of a crowd fewer are on their way */

static const struct {
	const char *name;
	const char *text;
} KINDS[PACKET_FLOODS] = {
	[PACKET_FLOOD_UDP] = {"udp", "UDP above the edge's budget"},
	[PACKET_FLOOD_FRAGMENTS] = {"fragments", "fragments above the edge's budget"},
	[PACKET_FLOOD_SYN] = {"syn", "SYNs above the edge's budget that become no connection"},
	[PACKET_FLOOD_MALFORMED] = {"malformed", "malformed packets"},
	[PACKET_FLOOD_LINK] = {"link", "packets that fill the link"},
};

const char *packet_flood_name(enum packet_flood_kind kind)
{
	return kind < PACKET_FLOODS ? KINDS[kind].name : "?";
}

const char *packet_flood_text(enum packet_flood_kind kind)
{
	return kind < PACKET_FLOODS ? KINDS[kind].text : "?";
}

enum packet_flood_kind packet_flood_find(const char *name)
{
	enum packet_flood_kind kind = PACKET_FLOOD_UDP;
	while (kind < PACKET_FLOODS && strcmp(KINDS[kind].name, name) != 0)
		kind++;
	return kind;
}

/* Counters that went back are another edge's, or began anew. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* What is new since the last figures goes into sums and rates. */
static void count(struct packet_flood *flood, const struct packet_figures *figures, uint64_t now_ms)
{
	double ms = (double)(now_ms - flood->at_ms), kept = exp(-ms / LATELY_MS);
	uint64_t came = grown(figures->packets, flood->last_packets);
	/* Connections come a little after their SYNs: a difference below nothing makes up for one above. */
	double left_over = (double)came - (double)grown(figures->connections, flood->last_connections);
	flood->rate = flood->rate * kept + (1 - kept) * (double)came * 1000 / ms;
	flood->left_over = flood->left_over * kept + (1 - kept) * left_over * 1000 / ms;
	if (flood->sum <= 0)
		flood->sum_since_ms = flood->at_ms;
	flood->sum = fmin(fmax(flood->sum + left_over - PACKET_FLOOD_LET_BE * ms / 1000, 0), SUM_MOST);
	flood->packets += came;
}

static void take(struct packet_flood *flood, const struct packet_figures *figures, uint64_t now_ms)
{
	if (!figures->known) {
		flood->at_ms = 0;
		flood->rate = flood->left_over = flood->sum = 0;
		return;
	}
	if (flood->at_ms != 0)
		count(flood, figures, now_ms);
	flood->at_ms = now_ms;
	flood->last_packets = figures->packets;
	flood->last_connections = figures->connections;
}

static enum packet_change begin(struct packet_flood *flood, enum packet_flood_kind kind, uint64_t now_ms)
{
	bool returns = flood->over_ms != 0 && now_ms - flood->over_ms < PACKET_FLOOD_RETURN_MS;
	uint64_t hold_ms = returns ? flood->hold_ms * 2 : PACKET_FLOOD_HOLD_MS;
	flood->hold_ms = hold_ms < PACKET_FLOOD_HOLD_MOST_MS ? hold_ms : PACKET_FLOOD_HOLD_MOST_MS;
	flood->on = true;
	flood->held = false;
	flood->onset_ms = kind == PACKET_FLOOD_LINK ? now_ms : flood->sum_since_ms;
	flood->detected_ms = flood->low_since_ms = now_ms;
	flood->held_ms = 0;
	flood->peak = 0;
	flood->packets = kind == PACKET_FLOOD_LINK ? 0 : (uint64_t)flood->sum;
	return PACKET_BEGINS;
}

static bool is_low(const struct packet_flood *flood, enum packet_flood_kind kind, const struct packet_figures *figures)
{
	if (kind == PACKET_FLOOD_LINK)
		return !figures->full && figures->asked == 0;
	return flood->left_over < fmax(PACKET_FLOOD_LET_BE, LOW_OF_PEAK * flood->peak);
}

static enum packet_change go_on(struct packet_flood *flood, bool held, uint64_t now_ms)
{
	bool was_held = flood->held;
	flood->held = held;
	flood->peak = fmax(flood->peak, flood->rate);
	if (held && flood->held_ms == 0)
		flood->held_ms = now_ms;
	return held == was_held ? PACKET_SAME : held ? PACKET_HELD : PACKET_ESCAPES;
}

/* SYNs are given a moment to become connections; where most have, it begins anew. */
static bool has_come(struct packet_flood *flood, enum packet_flood_kind kind, uint64_t now_ms)
{
	if (kind != PACKET_FLOOD_SYN)
		return flood->sum >= PACKET_FLOOD_ALARM;
	if (flood->sum < PACKET_FLOOD_ALARM || now_ms - flood->sum_since_ms < PACKET_FLOOD_SYN_MS)
		return false;
	if (flood->left_over > FORGED_SHARE * flood->rate)
		return true;
	flood->sum = 0;
	return false;
}

enum packet_change packet_flood_feed(struct packet_flood *flood, enum packet_flood_kind kind,
				     const struct packet_figures *figures, uint64_t now_ms)
{
	bool link = kind == PACKET_FLOOD_LINK;
	if (now_ms <= flood->at_ms)
		return PACKET_SAME;
	take(flood, figures, now_ms);
	if (!flood->on)
		return (link ? figures->full != 0 : has_come(flood, kind, now_ms)) ? begin(flood, kind, now_ms)
										   : PACKET_SAME;
	if (!is_low(flood, kind, figures))
		flood->low_since_ms = now_ms;
	if (now_ms - flood->low_since_ms >= flood->hold_ms) {
		flood->on = flood->held = false;
		flood->over_ms = now_ms;
		flood->sum = 0;
		return PACKET_OVER;
	}
	return go_on(flood, link ? !figures->full : figures->held != 0, now_ms);
}
