/* The mitigations of a site: on trial, in force, tended while they are, withdrawn. */
#include "incident/inside.h"

#include <math.h>
#include <stdio.h>

enum {
	SEARCH_PAUSE_MOST_MS = 30 * 1000,
	TRIAL_ARRIVALS = 30, /* that tell anything; where they do not come it ends all the same, ... */
	TRIAL_MOST_MS = 5000,
};

/* Of what is more than normal, so much must match on trial. */
static const double TRIAL_COVERAGE = 0.5;

bool site_has_mitigation(const struct site *site, enum mitigation_kind kind, enum mitigation_stage stage)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == stage && site->mitigations[i].kind == kind)
			return true;
	return false;
}

struct mitigation *site_free_place(struct site *site)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == MITIGATION_NONE)
			return &site->mitigations[i];
	return NULL;
}

/* A third longer each time that nothing was found. */
void site_pause_search(struct defence *d, struct site *site)
{
	uint64_t next_ms = site->search_pause_ms * 4 / 3;
	site->next_search_ms = d->now.now_ms + site->search_pause_ms;
	site->search_pause_ms = next_ms < SEARCH_PAUSE_MOST_MS ? next_ms : SEARCH_PAUSE_MOST_MS;
}

static void withdraw(struct defence *d, struct site *site, struct mitigation *mitigation, enum mitigation_end end)
{
	d->version += mitigation->stage == MITIGATION_IN_FORCE;
	const char *change = mitigation->stage == MITIGATION_IN_FORCE ? "withdrawn" : "not applied";
	defence_tell(d, site, mitigation, change, "mitigation %u: %s after %.1f s: it %s", mitigation->id, change,
		     (double)(d->now.now_ms - mitigation->since_ms) / 1000, mitigation_end_text(end));
	signature_free(&mitigation->signature);
	*mitigation = (struct mitigation){0};
	site->cautious = site->cautious || end == MITIGATION_COLLATERAL;
	if (end != MITIGATION_DONE)
		site_pause_search(d, site);
}

/* What a person lifted is not put in force again behind his back. */
bool site_is_left_alone(const struct defence *d, const struct site *site)
{
	return site->lifted_ms != 0 && d->now.now_ms - site->lifted_ms < MITIGATION_LIFTED_MS;
}

bool defence_lift(struct defence *defence, uint32_t id)
{
	for (size_t i = 0; i < defence->count; i++) {
		struct site *site = defence->sites[i];
		for (size_t at = 0; at < DEFENCE_MITIGATIONS; at++) {
			struct mitigation *mitigation = &site->mitigations[at];
			if (mitigation->id != id || mitigation->stage != MITIGATION_IN_FORCE ||
			    mitigation->kind == MITIGATION_SHEDDING)
				continue;
			withdraw(defence, site, mitigation, MITIGATION_LIFTED);
			site->lifted_ms = defence->now.now_ms;
			return true;
		}
	}
	return false;
}

static void put_in_force(struct defence *d, struct site *site, struct mitigation *mitigation)
{
	mitigation->stage = MITIGATION_IN_FORCE;
	mitigation->since_ms = mitigation->low_since_ms = d->now.now_ms;
	if (site->episode.mitigated_ms == 0)
		site->episode.mitigated_ms = d->now.now_ms;
	site->next_search_ms = d->now.now_ms + RESEARCH_MS; /* what comes until then is what it leaves over */
	d->version++;
	defence_tell(d, site, mitigation, "in force", "mitigation %u: %s in force, %.1f s after the onset",
		     mitigation->id, mitigation_kind_name(mitigation->kind),
		     (double)(d->now.now_ms - site->episode.onset_ms) / 1000);
}

/* Beside those in force: what is too much is not published at all, and none would hold. */
static bool has_room(const struct defence *d, const struct signature *signature)
{
	size_t count = 1, values = signature_value_count(signature);
	for (size_t i = 0; i < d->count; i++)
		for (size_t at = 0; at < DEFENCE_MITIGATIONS; at++) {
			const struct mitigation *mitigation = &d->sites[i]->mitigations[at];
			if (mitigation->stage != MITIGATION_IN_FORCE || mitigation->kind != MITIGATION_SIGNATURE)
				continue;
			count++;
			values += signature_value_count(&mitigation->signature);
		}
	return count <= SIGNATURE_RULES_MOST && values <= SIGNATURE_VALUES_MOST;
}

static void count_offender(struct site *site, const struct offender *offender)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++) {
		struct mitigation *mitigation = &site->mitigations[i];
		bool its = offender->matched > 0 && offender->by == mitigation->id;
		mitigation->known.visitors += offender->visitor;
		mitigation->known.visitors_hit += its && offender->visitor_hit;
		mitigation->known.hit += its;
	}
}

void mitigations_count_known(struct defence *d)
{
	size_t cursor = 0, count = 0;
	for (size_t i = 0; i < d->count; i++)
		for (size_t at = 0; at < DEFENCE_MITIGATIONS; at++) {
			d->sites[i]->mitigations[at].known = (struct mitigation_known){0};
			count += d->sites[i]->mitigations[at].stage != MITIGATION_NONE;
		}
	if (count == 0 || d->offenders == NULL)
		return;
	for (struct offender *o; (o = offenders_next(d->offenders, &cursor)) != NULL;)
		if (o->site < d->count)
			count_offender(d->sites[o->site], o);
}

/* Whoever was seen to match while it was tried need not come again. */
static void ban_matched(struct defence *d, uint16_t number, const struct mitigation *mitigation)
{
	size_t cursor = 0;
	for (struct offender *o; d->offenders != NULL && (o = offenders_next(d->offenders, &cursor)) != NULL;)
		if (o->site == number && o->matched > 0 && o->by == mitigation->id)
			decide_offender(d, number, o, mitigation);
}

/*
 * What is kept of requests since the onset counts as if it had come on trial. Who was here before is left out: which
 * of his clients sent what is not kept.
 */
void mitigation_match_past(struct defence *d, uint16_t number, const struct mitigation *mitigation)
{
	struct site *site = d->sites[number];
	uint64_t from_ms = site->episode.onset_ms;
	size_t cursor = 0;
	for (const struct sampled *sampled;
	     d->offenders != NULL &&
	     (sampled = recent_sample_next(&site->recent, from_ms, d->now.now_ms, &cursor)) != NULL;) {
		const struct signature_request request = sampled_request(sampled);
		struct offender *offender = offenders_get(d->offenders, number, &sampled->source, d->now.now_ms);
		bool matches = signature_matches(&mitigation->signature, &request);
		if (offender->known || offender->visitor)
			continue;
		offender->matched += matches;
		offender->unmatched += !matches;
		offender->by = matches ? mitigation->id : offender->by;
	}
}

void site_restart_counts(struct defence *d, uint16_t number)
{
	size_t cursor = 0;
	for (struct offender *o; d->offenders != NULL && (o = offenders_next(d->offenders, &cursor)) != NULL;)
		if (o->site == number) {
			o->matched = o->unmatched = o->unmatched_then = 0;
			o->visitor_hit = false;
		}
}

void mitigation_try(struct defence *d, uint16_t number, struct mitigation *mitigation)
{
	struct site *site = d->sites[number];
	uint64_t ms = d->now.now_ms - mitigation->since_ms;
	if (ms < MITIGATION_TRIAL_MS || (mitigation->arrivals < TRIAL_ARRIVALS && ms < TRIAL_MOST_MS))
		return;
	double normal = fmax(site->normal, 0) * (double)ms / TRAFFIC_TICK_MS, all = (double)mitigation->arrivals;
	/* Where connections find no room visitors come by fits, and of an attack a part: who is known is left out. */
	if (d->now.now_ms < d->crowded_until_ms)
		all -= (double)mitigation->familiar;
	bool covers = all > 0 && (double)mitigation->matched >= TRIAL_COVERAGE * fmax(all - normal, 1);
	mitigations_count_known(d);
	if (mitigation_hits_visitors(&mitigation->known))
		withdraw(d, site, mitigation, MITIGATION_COLLATERAL);
	else if (!covers)
		withdraw(d, site, mitigation, MITIGATION_STALE);
	else if (!has_room(d, &mitigation->signature))
		withdraw(d, site, mitigation, MITIGATION_NO_ROOM);
	else {
		put_in_force(d, site, mitigation);
		ban_matched(d, number, mitigation);
	}
}

/* The one of a kind that needs no search; put in force if there is none. NULL: there is no place. */
struct mitigation *mitigation_of_kind(struct defence *d, struct site *site, enum mitigation_kind kind)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage != MITIGATION_NONE && site->mitigations[i].kind == kind)
			return &site->mitigations[i];
	struct mitigation *place = site_free_place(site);
	if (place == NULL)
		return NULL;
	*place = (struct mitigation){.id = ++d->last_id, .kind = kind};
	put_in_force(d, site, place);
	return place;
}

void mitigation_tend(struct defence *d, uint16_t number, struct mitigation *mitigation)
{
	struct site *site = d->sites[number];
	if (mitigation->kind == MITIGATION_SIGNATURE && mitigation_hits_visitors(&mitigation->known))
		withdraw(d, site, mitigation, MITIGATION_COLLATERAL);
	else if (d->now.now_ms - mitigation->low_since_ms >= site->hold_ms)
		withdraw(d, site, mitigation, MITIGATION_DONE);
}

void defence_hits(struct defence *defence, defence_hits_fn *hits, const void *context)
{
	for (size_t i = 0; i < defence->count; i++) {
		struct site *site = defence->sites[i];
		for (size_t at = 0; at < DEFENCE_MITIGATIONS; at++) {
			struct mitigation *mitigation = &site->mitigations[at];
			if (mitigation->stage == MITIGATION_IN_FORCE)
				mitigation_second(mitigation,
						  mitigation->kind == MITIGATION_SHEDDING
							  ? mitigation->hits
							  : hits(context, mitigation->id),
						  site->normal * 1000 / TRAFFIC_TICK_MS, defence->now.now_ms);
		}
	}
}

size_t defence_plan(const struct defence *defence, struct plan_rule *rules, size_t room)
{
	size_t count = 0;
	for (size_t i = 0; i < defence->count; i++) {
		const struct site *site = defence->sites[i];
		for (size_t at = 0; at < DEFENCE_MITIGATIONS && count < room; at++) {
			const struct mitigation *mitigation = &site->mitigations[at];
			if (mitigation->stage != MITIGATION_IN_FORCE || mitigation->kind != MITIGATION_SIGNATURE)
				continue;
			rules[count] = (struct plan_rule){mitigation->id, site->name, &mitigation->signature, ""};
			snprintf(rules[count].why, sizeof(rules[count].why), "episode %u", site->episode.id);
			count++;
		}
	}
	return count;
}
