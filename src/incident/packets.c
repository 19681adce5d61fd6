/*
 * Floods of packets as they are decided about: each begins, is described as far as heads were sampled, is held or not,
 * and is over, and all of it is told. What holds them works without us: the edge's budgets, and an operator's routers.
 */
#include "incident/inside.h"

enum {
	DESCRIBED_AFTER_MS = 2000,
	DESCRIBED_SAMPLES = 64,
	CROWDED_MS = 2000, /* since the last connection for which there was no room */
};

static void describe(struct defence *d, struct packet_flood *flood)
{
	const struct packet_traits *traits = &flood->traits;
	bool enough = traits->sampled >= DESCRIBED_SAMPLES || d->now.now_ms - flood->detected_ms >= DESCRIBED_AFTER_MS;
	if (flood->described || !enough || traits->sampled == 0)
		return;
	flood->described = true;
	defence_tell_packets(d, flood, "described",
			     "to %s; %s, from %s; sources, which may be forged, are said to be of %u "
			     "networks: %s",
			     traits->destinations, traits->ports, traits->from_ports, traits->network_count,
			     traits->networks);
}

static void held(struct defence *d, struct packet_flood *flood, enum packet_flood_kind kind)
{
	static const char *const texts[PACKET_FLOODS] = {
		[PACKET_FLOOD_UDP] = "dropped at the edge",
		[PACKET_FLOOD_FRAGMENTS] = "dropped at the edge",
		[PACKET_FLOOD_SYN] = "answered at the edge with cookies",
		[PACKET_FLOOD_MALFORMED] = "dropped at the edge",
		[PACKET_FLOOD_LINK] = "the link is not full any more",
	};
	defence_tell_packets(d, flood, "held", "%s, %.1f s after the onset", texts[kind],
			     (double)(d->now.now_ms - flood->onset_ms) / 1000);
}

static void changed(struct defence *d, struct packet_flood *flood, enum packet_flood_kind kind,
		    enum packet_change change)
{
	switch (change) {
	case PACKET_BEGINS:
		flood->id = ++d->last_id;
		flood->described = false;
		flood->traits = (struct packet_traits){0};
		defence_tell_packets(d, flood, "begins", "%s, %.0f a second, since %.1f s", packet_flood_text(kind),
				     flood->rate, (double)(d->now.now_ms - flood->onset_ms) / 1000);
		break;
	case PACKET_HELD:
		held(d, flood, kind);
		break;
	case PACKET_ESCAPES:
		defence_tell_packets(d, flood, "not held", "%s",
				     kind == PACKET_FLOOD_LINK ? "the link is full" : "left to the kernel");
		break;
	case PACKET_OVER:
		defence_tell_packets(d, flood, "over", "over; %llu packets, %.0f a second at most",
				     (unsigned long long)flood->packets, flood->peak);
		break;
	case PACKET_SAME:
		return;
	}
	d->state++;
}

/* While a link is full visitors are missing: nothing of that is normal. */
static void learn_nothing(struct defence *d, bool full, bool is_over)
{
	for (size_t i = 0; i < d->count && (full || is_over); i++) {
		struct site *site = d->sites[i];
		if (full)
			baseline_episode_begins(&site->baseline);
		else if (!site_has_episode(site) && site->onset.began_ms == 0)
			baseline_episode_ends(&site->baseline);
	}
}

void defence_packets(struct defence *defence, const struct defence_packets *packets)
{
	if (growth_since(&defence->overflowed, packets->overflowed) > 0)
		defence->crowded_until_ms = defence->now.now_ms + CROWDED_MS;
	bool was_full = defence->packets[PACKET_FLOOD_LINK].on;
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++) {
		struct packet_flood *flood = &defence->packets[kind];
		enum packet_change change =
			packet_flood_feed(flood, kind, &packets->figures[kind], defence->now.now_ms);
		changed(defence, flood, kind, change);
		if (!flood->on)
			continue;
		if (packets->traits[kind].sampled > 0)
			flood->traits = packets->traits[kind];
		describe(defence, flood);
	}
	bool full = defence->packets[PACKET_FLOOD_LINK].on;
	learn_nothing(defence, full, was_full && !full);
}

const struct packet_flood *defence_packet_floods(const struct defence *defence)
{
	return defence->packets;
}
