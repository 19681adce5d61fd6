/*
 * Requests are what counters grew by since the last snapshot, by what became of them; the rest is the defence's view of
 * each site. Its times, of the boot clock, become the wall's.
 */
#include "watch/cases_look.h"

#include <stdio.h>

/* By what became of them, whatever the verdict says. */
static void count_reason(struct case_requests *requests, unsigned verdict, unsigned reason, uint64_t count)
{
	switch (reason) {
	case EVENT_BY_BAN:
	case EVENT_BY_LIMIT:
		requests->limited += count;
		break;
	case EVENT_BY_SIGNATURE:
		requests->signature += count;
		break;
	case EVENT_CROWDED_OUT:
	case EVENT_BY_MODE:
		requests->crowded_out += count;
		break;
	default:
		if (verdict == EVENT_BLOCKED)
			requests->blocked += count;
		else if (verdict == EVENT_UNSEEN)
			requests->other += count;
		else
			requests->passed += count;
	}
}

static struct case_requests requests_of(const struct site_view *view)
{
	struct case_requests requests = {0};
	for (unsigned verdict = 0; verdict < EVENT_VERDICTS; verdict++)
		for (unsigned reason = 0; reason < EVENT_REASONS; reason++)
			count_reason(
				&requests, verdict, reason,
				sums_grown(view->now.ended[verdict][reason], view->past[0].ended[verdict][reason]));
	requests.copies = sums_grown(view->now.copies, view->past[0].copies);
	return requests;
}

static uint64_t wall_of(const struct ban_times *now, uint64_t boot_ms)
{
	return now->wall_ms - (now->boot_ms > boot_ms ? now->boot_ms - boot_ms : 0);
}

/* What requests must have in common, in words. */
static void describe(const struct mitigation *mitigation, char what[CASE_TEXT_BYTES])
{
	struct buffer words = buffer_make(NULL);
	if (mitigation->kind == MITIGATION_SIGNATURE)
		signature_describe(&mitigation->signature, &words);
	snprintf(what, CASE_TEXT_BYTES, "%.*s", SLICE_ARG(buffer_slice(&words)));
	buffer_free(&words);
}

static size_t mitigations_of(const struct defence_view *defence, const struct ban_times *now,
			     struct case_mitigation out[DEFENCE_MITIGATIONS])
{
	size_t count = 0;
	for (size_t i = 0; i < defence->mitigation_count; i++) {
		const struct mitigation *mitigation = &defence->mitigations[i];
		if (mitigation->stage != MITIGATION_IN_FORCE)
			continue;
		struct case_mitigation *seen = &out[count++];
		*seen = (struct case_mitigation){
			.id = mitigation->id, .since_ms = wall_of(now, mitigation->since_ms), .hits = mitigation->hits};
		snprintf(seen->kind, sizeof(seen->kind), "%s", mitigation_kind_name(mitigation->kind));
		describe(mitigation, seen->what);
	}
	return count;
}

static void look_at_defence(const struct defence_view *defence, const struct ban_times *now, struct case_sighting *s)
{
	const struct episode *episode = defence->episode;
	s->attacked = episode->state != EPISODE_QUIET;
	s->held = episode->state == EPISODE_MITIGATED;
	s->nature = defence->nature;
	s->harmed = defence->nature > TRAFFIC_SURGE;
	s->harm = s->attacked ? episode->harm : 0;
	s->onset_ms = s->attacked ? wall_of(now, episode->onset_ms) : 0;
	s->visitors = (struct case_visitors){defence->visitors.asked, defence->visitors.answered};
}

static struct case_sighting sighting_of(const struct cases_sight *sight, size_t number,
					struct case_mitigation mitigations[DEFENCE_MITIGATIONS])
{
	const struct site_view *view = &sight->sites->views[number];
	const struct probe *probe = probe_find(sight->probes, sight->probe_count, view->name);
	struct case_sighting s = {.site = view->name, .probed = probe != NULL, .up = probe != NULL && probe->up};
	struct defence_view defence;
	if (sight->sites->seconds > 0)
		s.requests = requests_of(view);
	if (sight->defender->defence != NULL && defence_look(sight->defender->defence, (uint16_t)number, &defence)) {
		look_at_defence(&defence, &sight->now, &s);
		s.mitigations = mitigations;
		s.mitigation_count = mitigations_of(&defence, &sight->now, mitigations);
	}
	return s;
}

static void look_at_packets(const struct cases_sight *sight, struct case_packets packets[PACKET_FLOODS])
{
	if (sight->defender->defence == NULL)
		return;
	const struct packet_flood *floods = defence_packet_floods(sight->defender->defence);
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		if (floods[i].on)
			packets[i] = (struct case_packets){.on = true,
							   .held = floods[i].held,
							   .onset_ms = wall_of(&sight->now, floods[i].onset_ms),
							   .packets = floods[i].packets,
							   .peak = floods[i].peak,
							   .traits = floods[i].traits};
}

void cases_look(const struct cases_sight *sight, struct cases_seen *ret_seen)
{
	for (size_t i = 0; i < sight->sites->count; i++)
		ret_seen->sightings[i] = sighting_of(sight, i, ret_seen->mitigations[i]);
	ret_seen->second = (struct case_second){.sightings = ret_seen->sightings, .count = sight->sites->count};
	look_at_packets(sight, ret_seen->second.packets);
}
