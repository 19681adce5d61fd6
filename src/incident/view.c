/* What a person wants to know of a site, as defence.h has it. */
#include "incident/inside.h"

#include <math.h>

enum {
	KNOWN_FEW = 3, /* requests of known visitors in a second, with which those of all weigh as much */
};

static void sum_up(struct defence_visitors *sum, const struct defence_visitors *more)
{
	sum->asked += more->asked;
	sum->answered += more->answered;
	sum->copies += more->copies;
}

/* Requests of visitors that would have come in this second of an episode, as they came before the onset; who is allowed
 * is none of them. */
static double normal_in(const struct site *site, const struct visitor_second *one, uint64_t now_ms)
{
	uint64_t from_ms = one->second * 1000, until_ms = from_ms + 1000;
	if (from_ms < site->episode.onset_ms)
		from_ms = site->episode.onset_ms;
	if (until_ms > now_ms)
		until_ms = now_ms;
	double normal = fmax(site->normal, 0) * (1 - site->allowed_share);
	return until_ms > from_ms ? normal * (double)(until_ms - from_ms) / TRAFFIC_TICK_MS : 0;
}

/*
 * Known visitors stand for all of this second; where there are hardly any, those whom nothing refused, whoever they
 * are. Weighed as so many as would have come: what came before the onset is in the same ten seconds.
 */
static struct defence_visitors second_of_episode(const struct site *site, const struct visitor_second *one,
						 uint64_t now_ms)
{
	const struct defence_visitors *known = &one->known, *all = &one->all;
	double few = all->asked > 0 ? KNOWN_FEW / (double)all->asked : 0;
	double asked = (double)known->asked + few * (double)all->asked;
	double weight = asked > 0 ? fmax(normal_in(site, one, now_ms), asked) / asked : 0;
	return (struct defence_visitors){
		(uint64_t)llround(weight * asked),
		(uint64_t)llround(weight * ((double)known->answered + few * (double)all->answered)),
		(uint64_t)llround(weight * ((double)known->copies + few * (double)all->copies))};
}

/* Up to the onset all who came were visitors. */
static struct defence_visitors visitors_of(const struct site *site, uint64_t now_ms)
{
	struct defence_visitors sum = {0};
	for (size_t i = 0; i < VISITOR_SECONDS; i++) {
		const struct visitor_second *one = &site->visitors[i];
		if (now_ms / 1000 - one->second >= VISITOR_SECONDS)
			continue;
		bool quiet = !site_has_episode(site) || one->second * 1000 + 1000 <= site->episode.onset_ms;
		const struct defence_visitors in_episode = second_of_episode(site, one, now_ms);
		sum_up(&sum, quiet ? &one->all : &in_episode);
	}
	return sum;
}

bool defence_look(const struct defence *defence, uint16_t number, struct defence_view *ret_view)
{
	struct baseline_expectation expectation;
	if (number >= defence->count)
		return false;
	const struct site *site = defence->sites[number];
	*ret_view = (struct defence_view){
		.name = site->name,
		.episode = &site->episode,
		.nature = site->signal.nature,
		.mitigations = site->mitigations,
		.mitigation_count = DEFENCE_MITIGATIONS,
		.quiet_requests = site->quiet.count,
		.bans = site->bans,
		.searches = site->searches,
		.known = baseline_expect(&site->baseline, TRAFFIC_REQUESTS, defence->now.wall_ms / 1000, &expectation),
	};
	ret_view->visitors = visitors_of(site, defence->now.now_ms);
	return true;
}
