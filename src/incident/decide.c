#include "incident/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	OFFENDERS = 1 << 17,
	SEARCH_AFTER_MS = 600, /* from the onset: whole windows of the sample */
	SEARCH_PAUSE_MOST_MS = 30 * 1000,
	ATTACK_LATELY_MS = 5000,
	TRIAL_ARRIVALS = 30,
	TRIAL_MOST_MS = 5000,
	RETURN_MS = 10 * 60 * 1000, /* within so long it is the same attacker */
	BAN_MATCHES = 10,
	BAN_CLIENTS_MOST = 2, /* kinds: behind an address with more there are people */
	HEAVY_AFTER_MS = 3000,
	HEAVY_LEAST_MS = 2000, /* of the origin's time */
	LIMITED_LEAST = 20,
	INSISTS_MS = 5000, /* so long at least ... */
	INSISTS_A_SECOND = 20,
	ALLOWED_SECONDS = 60,
};

static const double TRIAL_COVERAGE = 0.5;
static const double UNCOVERED_SHARE = 1.2; /* of the normal rate */
static const double HEAVY_SHARE = 0.5;     /* of a slot, for as long as it has been here */

/* ---- beginning and end ---- */

void decide_need_offenders(struct defence *defence)
{
	if (defence->offenders == NULL)
		(void)offenders_new(OFFENDERS, &defence->key, &defence->offenders);
}

static void begin(struct defence *d, struct site *site)
{
	struct episode *episode = &site->episode;
	bool returns = episode->over_ms != 0 && d->now.now_ms - episode->over_ms < RETURN_MS;
	site->hold_ms = returns ? site->hold_ms * 2 : MITIGATION_HOLD_MS;
	site->hold_ms = site->hold_ms < MITIGATION_HOLD_MOST_MS ? site->hold_ms : MITIGATION_HOLD_MOST_MS;
	episode->id = ++d->last_id;
	d->state++;
	episode->nature = TRAFFIC_QUIET;
	episode->harm = 0;
	episode->onset_ms = site->signal.began_ms != 0 ? site->signal.began_ms : d->now.now_ms;
	episode->detected_ms = d->now.now_ms;
	episode->found_ms = episode->mitigated_ms = 0;
	site->attack_ms = site->lifted_ms = 0;
	site->cautious = false;
	site->next_search_ms = episode->onset_ms + SEARCH_AFTER_MS;
	site->search_pause_ms = SEARCH_PAUSE_MS;
	site->searches = site->bans = site->uncovered = 0;
	site->is_strange = question_knows_little(d, site);
	if (!onset_normal_requests(&site->onset, &site->baseline, d->now.wall_ms / 1000, &site->normal))
		site->normal = -1;
	decide_need_offenders(d);
	regulars_episode_begins(d->regulars, d->now.wall_ms / 1000);
	defence_tell(d, site, NULL, "begins", "more than is normal, or harm, since %.1f s",
		     (double)(d->now.now_ms - episode->onset_ms) / 1000);
}

static void over(struct defence *d, uint16_t number)
{
	struct site *site = d->sites[number];
	uint64_t ago_ms = d->now.now_ms - site->episode.onset_ms, wall_ms = d->now.wall_ms;
	uint64_t from_ms = wall_ms > ago_ms + SAMPLE_YOUNG_S * 1000 ? wall_ms - ago_ms - SAMPLE_YOUNG_S * 1000 : 0;
	site->episode.over_ms = d->now.now_ms;
	d->state++;
	quiet_sample_release(&site->alike);
	quiet_sample_forget(&site->quiet, from_ms / 1000, wall_ms / 1000);
	if (d->offenders != NULL)
		offenders_forget(d->offenders, number);
	defence_tell(d, site, NULL, "over", "over");
}

/* ---- mitigations ---- */

static bool has_stage(const struct site *site, enum mitigation_kind kind, enum mitigation_stage stage)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == stage && site->mitigations[i].kind == kind)
			return true;
	return false;
}

static struct mitigation *free_place(struct site *site)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == MITIGATION_NONE)
			return &site->mitigations[i];
	return NULL;
}

/* A little longer each time that nothing was found. */
static void pause_search(struct defence *d, struct site *site)
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
		pause_search(d, site);
}

/* What a person lifted is not put in force again behind his back. */
static bool is_left_alone(const struct defence *d, const struct site *site)
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

static void count_known(struct defence *d, uint16_t number, struct mitigation *mitigation)
{
	size_t cursor = 0;
	struct mitigation_known known = {0};
	for (struct offender *o; d->offenders != NULL && (o = offenders_next(d->offenders, &cursor)) != NULL;) {
		bool its = o->site == number && o->matched > 0 && o->by == mitigation->id;
		known.visitors += o->site == number && o->visitor;
		known.visitors_hit += its && o->visitor_hit;
		known.hit += its;
	}
	mitigation->known = known;
}

static void restart_counts(struct defence *d, uint16_t number)
{
	size_t cursor = 0;
	for (struct offender *o; d->offenders != NULL && (o = offenders_next(d->offenders, &cursor)) != NULL;)
		if (o->site == number) {
			o->matched = o->unmatched = 0;
			o->visitor_hit = false;
		}
}

static void try_out(struct defence *d, uint16_t number, struct mitigation *mitigation)
{
	struct site *site = d->sites[number];
	uint64_t ms = d->now.now_ms - mitigation->since_ms;
	if (ms < MITIGATION_TRIAL_MS || (mitigation->arrivals < TRIAL_ARRIVALS && ms < TRIAL_MOST_MS))
		return;
	double normal = fmax(site->normal, 0) * (double)ms / TRAFFIC_TICK_MS, all = (double)mitigation->arrivals;
	bool covers = all > 0 && (double)mitigation->matched >= TRIAL_COVERAGE * fmax(all - normal, 1);
	count_known(d, number, mitigation);
	if (mitigation_hits_visitors(&mitigation->known))
		withdraw(d, site, mitigation, MITIGATION_COLLATERAL);
	else if (!covers)
		withdraw(d, site, mitigation, MITIGATION_STALE);
	else
		put_in_force(d, site, mitigation);
}

/* ---- searching ---- */

/* Whether more comes that nothing in force matches than visitors account for, or the origin still suffers. */
static bool is_uncovered(const struct site *site)
{
	double normal = fmax(site->normal, 0) * 1000 / TRAFFIC_TICK_MS;
	return site->uncovered_rate > UNCOVERED_SHARE * normal + 10 || site->signal.harm != 0;
}

static bool wants_search(const struct defence *d, struct site *site)
{
	uint64_t now_ms = d->now.now_ms;
	if (!site_has_episode(site) || site->searching || now_ms < site->next_search_ms ||
	    has_stage(site, MITIGATION_SIGNATURE, MITIGATION_TRIAL) || free_place(site) == NULL ||
	    is_left_alone(d, site))
		return false;
	if (has_stage(site, MITIGATION_SIGNATURE, MITIGATION_IN_FORCE))
		return is_uncovered(site);
	return site->attack_ms != 0 && now_ms - site->attack_ms < ATTACK_LATELY_MS;
}

struct defence_search *defence_search_take(struct defence *defence)
{
	for (uint16_t i = 0; i < defence->count && !defence->searching; i++) {
		struct site *site = defence->sites[i];
		if (!wants_search(defence, site))
			continue;
		struct defence_search *search = question_make(defence, i);
		site->searches++;
		if (search == NULL) {
			pause_search(defence, site);
			continue;
		}
		defence->searching = site->searching = true;
		return search;
	}
	return NULL;
}

void defence_search_run(struct defence_search *search)
{
	search->result = signature_search(&search->question, &search->found);
}

void decide_found(struct defence *d, struct defence_search *search)
{
	struct site *site = d->sites[search->site];
	struct mitigation *place = free_place(site);
	struct buffer words = buffer_make(NULL);
	if (search->episode != site->episode.id || !site_has_episode(site) || place == NULL)
		return;
	if (site->episode.found_ms == 0)
		site->episode.found_ms = d->now.now_ms;
	*place = (struct mitigation){
		.id = ++d->last_id, .stage = MITIGATION_TRIAL, .signature = search->found, .since_ms = d->now.now_ms};
	search->found = (struct signature){0};
	restart_counts(d, search->site);
	signature_describe(&place->signature, &words);
	defence_tell(d, site, place, "on trial",
		     "mitigation %u: on trial: what %.*s; covers %.1f %%, visitors at most %.2f %%", place->id,
		     SLICE_ARG(buffer_slice(&words)), place->signature.coverage * 100,
		     place->signature.collateral * 100);
	buffer_free(&words);
}

void defence_search_give(struct defence *defence, struct defence_search *search)
{
	struct site *site = defence->sites[search->site];
	defence->searching = site->searching = false;
	if (search->result == 0)
		decide_found(defence, search);
	else
		pause_search(defence, site);
	defence_search_free(search);
}

/* ---- bans ---- */

static bool ban(struct defence *d, struct site *site, struct offender *offender, uint32_t id)
{
	if (d->bans_waiting == BANS_WAITING)
		return false;
	d->bans[d->bans_waiting++] = (struct plan_ban){offender->prefix, id};
	offender->banned = true;
	site->bans++;
	return true;
}

static bool may_be_banned(const struct defence *d, const struct offender *offender)
{
	static const struct address none;
	return !offender->banned && !offender->known && !offender->named &&
	       !address_equal(&offender->prefix.address, &none) && !defence_spares(d, &offender->prefix);
}

void decide_offender(struct defence *d, uint16_t number, struct offender *offender, uint32_t id)
{
	if (offender->matched >= BAN_MATCHES && offender->unmatched == 0 && may_be_banned(d, offender))
		(void)ban(d, d->sites[number], offender, id);
}

static bool is_heavy(const struct offender *offender, uint64_t now_ms)
{
	double here_ms = (double)(now_ms - offender->since_ms);
	bool insists = here_ms >= INSISTS_MS && offender->unmatched * 1000.0 >= INSISTS_A_SECOND * here_ms;
	return offender_clients(offender) <= BAN_CLIENTS_MOST &&
	       (insists || offender->limited >= LIMITED_LEAST ||
		(offender->origin_ms >= HEAVY_LEAST_MS && offender->origin_ms >= HEAVY_SHARE * here_ms));
}

/* The one of a kind that needs no search; put in force if there is none. NULL: there is no place. */
static struct mitigation *mitigation_of(struct defence *d, struct site *site, enum mitigation_kind kind)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage != MITIGATION_NONE && site->mitigations[i].kind == kind)
			return &site->mitigations[i];
	struct mitigation *place = free_place(site);
	if (place == NULL)
		return NULL;
	*place = (struct mitigation){.id = ++d->last_id, .kind = kind};
	put_in_force(d, site, place);
	return place;
}

/* No signature: those who take most of the origin's time, or run into limits all the time. */
static void ban_heavy(struct defence *d, uint16_t number)
{
	struct site *site = d->sites[number];
	size_t cursor = 0;
	for (struct offender *o; (o = offenders_next(d->offenders, &cursor)) != NULL;) {
		if (o->site != number || !is_heavy(o, d->now.now_ms) || !may_be_banned(d, o))
			continue;
		struct mitigation *bans = mitigation_of(d, site, MITIGATION_BANS);
		if (bans == NULL || !ban(d, site, o, bans->id))
			return;
	}
}

/* ---- slow connections ---- */

void decide_shed(struct defence *d, uint16_t number, uint64_t more)
{
	struct site *site = d->sites[number];
	struct mitigation *shedding = site_has_episode(site) ? mitigation_of(d, site, MITIGATION_SHEDDING) : NULL;
	if (shedding != NULL)
		shedding->hits += more;
}

/* For as long as they are held, and what is closed for it: until it is over. */
static void tell_to_shed(struct defence *d, struct site *site)
{
	bool sheds = site_has_episode(site) && (site->episode.harm & TRAFFIC_HARM_CONNECTIONS) != 0;
	d->version += sheds != site->sheds;
	site->sheds = sheds;
}

bool defence_sheds(const struct defence *defence)
{
	for (size_t i = 0; i < defence->count; i++)
		if (defence->sites[i]->sheds)
			return true;
	return false;
}

size_t defence_bans_take(struct defence *defence, struct plan_ban *bans, size_t room)
{
	size_t count = defence->bans_waiting < room ? defence->bans_waiting : room;
	memcpy(bans, defence->bans, count * sizeof(*bans));
	defence->bans_waiting -= count;
	memmove(defence->bans, defence->bans + count, defence->bans_waiting * sizeof(*bans));
	return count;
}

/* ---- time ---- */

static void move(struct defence *d, uint16_t number)
{
	struct site *site = d->sites[number];
	struct episode *episode = &site->episode;
	enum episode_state before = episode->state;
	bool in_force = has_stage(site, MITIGATION_SIGNATURE, MITIGATION_IN_FORCE) ||
			has_stage(site, MITIGATION_BANS, MITIGATION_IN_FORCE) ||
			has_stage(site, MITIGATION_SHEDDING, MITIGATION_IN_FORCE);
	bool goes_on = site->onset.began_ms != 0;
	if (in_force)
		(void)episode_move(episode, EPISODE_IN_FORCE, d->now.now_ms);
	else if (goes_on)
		(void)episode_move(episode, EPISODE_BARE, d->now.now_ms);
	else if (episode_move(episode, EPISODE_CALM, d->now.now_ms))
		over(d, number);
	d->state += episode->state != before;
}

void decide_tick(struct defence *defence, uint16_t number)
{
	struct site *site = defence->sites[number];
	const struct onset_signal *signal = &site->signal;
	if (!site_has_episode(site)) {
		if (site->onset.began_ms != 0 && episode_move(&site->episode, EPISODE_ONSET, defence->now.now_ms))
			begin(defence, site);
		return;
	}
	if (signal->nature > site->episode.nature)
		site->episode.nature = signal->nature;
	site->episode.harm |= signal->harm;
	if (signal->nature == TRAFFIC_ATTACK)
		site->attack_ms = defence->now.now_ms;
	/* Figures may be quiet before the attack is over: nothing is learned until it is. */
	baseline_episode_begins(&site->baseline);
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == MITIGATION_TRIAL)
			try_out(defence, number, &site->mitigations[i]);
	move(defence, number);
	tell_to_shed(defence, site);
	if (!site_has_episode(site) && site->onset.began_ms == 0)
		baseline_episode_ends(&site->baseline);
}

static void mitigation_tend(struct defence *d, uint16_t number, struct mitigation *mitigation)
{
	struct site *site = d->sites[number];
	if (mitigation->kind == MITIGATION_SIGNATURE)
		count_known(d, number, mitigation);
	if (mitigation_hits_visitors(&mitigation->known))
		withdraw(d, site, mitigation, MITIGATION_COLLATERAL);
	else if (d->now.now_ms - mitigation->low_since_ms >= site->hold_ms)
		withdraw(d, site, mitigation, MITIGATION_DONE);
}

static void learn_allowed(struct site *site)
{
	if (site->arrivals == 0)
		return;
	site->allowed_seconds += site->allowed_seconds < ALLOWED_SECONDS;
	double share = (double)site->allowed / (double)site->arrivals;
	site->allowed_share += (share - site->allowed_share) / site->allowed_seconds;
}

void decide_second(struct defence *defence, uint16_t number)
{
	struct site *site = defence->sites[number];
	site->uncovered_rate = (double)site->uncovered;
	if (!site_has_episode(site))
		learn_allowed(site);
	site->uncovered = site->arrivals = site->allowed = 0;
	if (!site_has_episode(site))
		return;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == MITIGATION_IN_FORCE)
			mitigation_tend(defence, number, &site->mitigations[i]);
	bool attack = site->attack_ms != 0 && defence->now.now_ms - site->attack_ms < ATTACK_LATELY_MS;
	if (attack && defence->offenders != NULL && !is_left_alone(defence, site) &&
	    defence->now.now_ms - site->episode.detected_ms >= HEAVY_AFTER_MS &&
	    !has_stage(site, MITIGATION_SIGNATURE, MITIGATION_IN_FORCE) &&
	    !has_stage(site, MITIGATION_SIGNATURE, MITIGATION_TRIAL))
		ban_heavy(defence, number);
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

/* ---- what is in force ---- */

uint64_t defence_state(const struct defence *defence)
{
	return defence->state + defence->version;
}

uint64_t defence_version(const struct defence *defence)
{
	return defence->version;
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
