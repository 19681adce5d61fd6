/* When a site's episode begins, what is looked for while it is on, and when it is over. */
#include "incident/inside.h"

#include <math.h>

enum {
	OFFENDERS = 1 << 17,           /* sources that are counted, of all sites together */
	SEARCH_AFTER_MS = 600,         /* from the onset: whole windows of the sample */
	SEARCH_AFTER_CROWDED_MS = 900, /* where connections find no room fewer of its requests are seen */
	ATTACK_LATELY_MS = 5000,
	RETURN_MS = 10 * 60 * 1000, /* within so long it is the same attacker */
	HEAVY_AFTER_MS = 3000,      /* who takes most is banned, for want of a signature */
	ALLOWED_SECONDS = 60,       /* over which it is averaged who is allowed */
};

/* More than so many times what visitors account for, and so many a second besides, is not covered. */
static const double UNCOVERED_TIMES = 1.2, UNCOVERED_LEAST = 10;

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
	site->attack_ms = 0;
	site->cautious = false;
	bool crowded = d->now.now_ms < d->crowded_until_ms;
	site->next_search_ms = episode->onset_ms + (crowded ? SEARCH_AFTER_CROWDED_MS : SEARCH_AFTER_MS);
	site->search_pause_ms = SEARCH_PAUSE_MS;
	site->searches = site->bans = site->uncovered = 0;
	site->knowledge = question_knowledge(d, site);
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
	visits_free(site->visits);
	site->visits = NULL;
	quiet_sample_forget(&site->quiet, from_ms / 1000, wall_ms / 1000);
	if (d->offenders != NULL)
		offenders_forget(d->offenders, number);
	defence_tell(d, site, NULL, "over", "over");
}

/* ---- searching ---- */

/* Whether more comes that nothing in force matches than visitors account for, or the origin still suffers. */
static bool is_uncovered(const struct site *site)
{
	double normal = fmax(site->normal, 0) * 1000 / TRAFFIC_TICK_MS;
	return site->uncovered_rate > UNCOVERED_TIMES * normal + UNCOVERED_LEAST || site->signal.harm != 0;
}

static bool wants_search(const struct defence *d, struct site *site)
{
	uint64_t now_ms = d->now.now_ms;
	if (!site_has_episode(site) || site->searching || now_ms < site->next_search_ms ||
	    site_has_mitigation(site, MITIGATION_SIGNATURE, MITIGATION_TRIAL) || site_free_place(site) == NULL ||
	    site_is_left_alone(d, site))
		return false;
	if (site_has_mitigation(site, MITIGATION_SIGNATURE, MITIGATION_IN_FORCE))
		return is_uncovered(site);
	bool lately = site->attack_ms != 0 && now_ms - site->attack_ms < ATTACK_LATELY_MS;
	/* What strangers' turns leave of an attack does no harm, and is one all the same. */
	return lately || (site->episode.nature == TRAFFIC_ATTACK && is_uncovered(site));
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
			site_pause_search(defence, site);
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

static void take_found(struct defence *d, struct defence_search *search)
{
	struct site *site = d->sites[search->site];
	struct mitigation *place = site_free_place(site);
	struct buffer words = buffer_make(NULL);
	if (search->episode != site->episode.id || !site_has_episode(site) || place == NULL)
		return;
	if (site->episode.found_ms == 0)
		site->episode.found_ms = d->now.now_ms;
	*place = (struct mitigation){
		.id = ++d->last_id, .stage = MITIGATION_TRIAL, .signature = search->found, .since_ms = d->now.now_ms};
	search->found = (struct signature){0};
	site_restart_counts(d, search->site);
	mitigation_match_past(d, search->site, place);
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
		take_found(defence, search);
	else
		site_pause_search(defence, site);
	defence_search_free(search);
}

/* ---- slow connections ---- */

void decide_shed(struct defence *d, uint16_t number, uint64_t more)
{
	struct site *site = d->sites[number];
	struct mitigation *shedding = site_has_episode(site) ? mitigation_of_kind(d, site, MITIGATION_SHEDDING) : NULL;
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

/* ---- time ---- */

static void move(struct defence *d, uint16_t number)
{
	struct site *site = d->sites[number];
	struct episode *episode = &site->episode;
	enum episode_state before = episode->state;
	bool in_force = site_has_mitigation(site, MITIGATION_SIGNATURE, MITIGATION_IN_FORCE) ||
			site_has_mitigation(site, MITIGATION_BANS, MITIGATION_IN_FORCE) ||
			site_has_mitigation(site, MITIGATION_SHEDDING, MITIGATION_IN_FORCE);
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
			mitigation_try(defence, number, &site->mitigations[i]);
	move(defence, number);
	tell_to_shed(defence, site);
	if (!site_has_episode(site) && site->onset.began_ms == 0)
		baseline_episode_ends(&site->baseline);
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
	if (attack && defence->offenders != NULL && !site_is_left_alone(defence, site) &&
	    defence->now.now_ms - site->episode.detected_ms >= HEAVY_AFTER_MS &&
	    !site_has_mitigation(site, MITIGATION_SIGNATURE, MITIGATION_IN_FORCE) &&
	    !site_has_mitigation(site, MITIGATION_SIGNATURE, MITIGATION_TRIAL))
		decide_heavy(defence, number);
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
