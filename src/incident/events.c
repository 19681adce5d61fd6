/* What is made of events: figures of a site, samples of its requests, and what each source does in an episode. */
#include "incident/inside.h"

#include "wire/outbox.h"

enum {
	NETWORK_V4_BITS = ADDRESS_V4_BITS + 24,
	NETWORK_V6_BITS = 48,
	FRESH_MS = 30 * 60 * 1000, /* before that nobody is a regular */
	IN_TIME_US = 2000000,
	GIVEN_UP_US = 1000000, /* a client that left after so long had waited too long */
	CLIENT_CLOSED = 499,   /* nginx's status for one that left */
};

/* ---- arrivals ---- */

/* Who comes, and since when. */
struct comer {
	struct address source;
	uint64_t since_ms;        /* the last request; 0: none */
	uint64_t first_ms;        /* of this source; ACQUAINTANCE_NEVER */
	uint64_t first_client_ms; /* of this client at this source */
	bool regular;
	bool network_known;
};

static struct comer meet(struct defence *d, const struct site *site, const struct event *event)
{
	bool learn = !site_has_episode(site);
	struct comer comer = {.source = address_from_v6(event->source)};
	bool v4 = address_is_v4(&comer.source);
	struct prefix network = address_prefix(&comer.source, v4 ? NETWORK_V4_BITS : NETWORK_V6_BITS);
	uint64_t wall_s = d->now.wall_ms / 1000, now_ms = d->now.now_ms;
	uint64_t own = source_hash(d, &comer.source), client = client_hash(d, own, event->shape, event->agent);
	/* Apart from any source's, which no address could make the same. */
	uint64_t its = hash_words(&d->key, ~address_high(&network.address), address_low(&network.address));
	acquaintances_expect(d->acquaintances, own);
	acquaintances_expect(d->acquaintances, client);
	comer.since_ms = source_pace_meet(d->pace, &comer.source, event->at_ns / 1000000);
	comer.regular = regulars_meet(d->regulars, own, wall_s, learn);
	comer.network_known = regulars_meet(d->regulars, its, wall_s, learn);
	comer.first_ms = acquaintances_meet(d->acquaintances, own, now_ms, learn);
	comer.first_client_ms = acquaintances_meet(d->acquaintances, client, now_ms, learn);
	if (now_ms - d->began.now_ms < FRESH_MS) {
		uint64_t since = acquaintances_meet(d->acquaintances, its, now_ms, learn);
		/* Who comes with what is on may have come a little before it was told. */
		uint64_t before_ms = learn ? now_ms : site->episode.onset_ms;
		comer.network_known =
			comer.network_known || (since != ACQUAINTANCE_NEVER && since + ONSET_MARGIN_MS < before_ms);
	}
	return comer;
}

static struct sampled sampled_of(const struct defence *d, const struct signature_request *request)
{
	struct sampled sampled = {
		.present = request->present, .source = request->source, .at_s = (uint32_t)(d->now.wall_ms / 1000)};
	memcpy(sampled.field, request->field, sizeof(sampled.field));
	return sampled;
}

static void sample(struct defence *d, struct site *site, uint16_t number, const struct signature_request *request,
		   bool learn)
{
	struct sampled *places[2] = {NULL, NULL};
	if (site->recent.items == NULL)
		(void)recent_sample_init(&site->recent, site->recent.each, d->key.k1 + number);
	places[0] = recent_sample_place(&site->recent, d->now.now_ms);
	if (learn)
		places[1] = quiet_sample_place(&site->quiet, d->now.wall_ms / 1000);
	for (size_t i = 0; i < 2; i++) {
		if (places[i] == NULL)
			continue;
		*places[i] = sampled_of(d, request);
	}
}

/* The mitigation in force that matches; then the one on trial, which only counts. */
static struct mitigation *match(struct site *site, const struct signature_request *request, bool familiar)
{
	struct mitigation *found = NULL;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS && found == NULL; i++) {
		struct mitigation *mitigation = &site->mitigations[i];
		if (mitigation->stage == MITIGATION_IN_FORCE && signature_matches(&mitigation->signature, request)) {
			mitigation->seen++;
			found = mitigation;
		}
	}
	site->uncovered += found == NULL;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS && found == NULL; i++) {
		struct mitigation *mitigation = &site->mitigations[i];
		if (mitigation->stage != MITIGATION_TRIAL)
			continue;
		mitigation->arrivals++;
		if (signature_matches(&mitigation->signature, request)) {
			mitigation->matched++;
			found = mitigation;
		} else
			mitigation->familiar += familiar;
	}
	return found;
}

/* Whether a source comes in visits, where nobody is known from before. */
static bool is_visitor(struct defence *d, struct site *site, uint16_t number, struct offender *offender,
		       const struct signature_request *request)
{
	if (site->knowledge != KNOWLEDGE_NONE)
		return false;
	if (site->visits == NULL && visits_new(d->key.k1 ^ number, &site->visits) != 0)
		return false;
	const struct sampled sampled = sampled_of(d, request);
	visits_arrival(site->visits, offender, &sampled, d->now.now_ms);
	return offender_is_visitor(offender, d->now.now_ms);
}

static void judge(struct defence *d, uint16_t number, const struct event *event, const struct comer *comer,
		  const struct signature_request *request)
{
	struct site *site = d->sites[number];
	bool known = comer->regular || site_knew(site, comer->first_ms);
	struct mitigation *mitigation = match(site, request, known);
	if (d->offenders == NULL)
		return;
	struct offender *offender = offenders_get(d->offenders, number, &comer->source, d->now.now_ms);
	offender->paths |= (uint64_t)1 << request->field[SIGNATURE_PATH] % 64;
	bool visitor = is_visitor(d, site, number, offender, request) || site_knew(site, comer->first_client_ms);
	offender->known = offender->known || known;
	offender->visitor = offender->visitor || visitor;
	offender->named = offender->named || (event->flags & EVENT_FROM_HEADER) != 0;
	offender->clients |= (uint64_t)1 << (event->shape ^ event->agent) % 64;
	if (mitigation == NULL) {
		offender->unmatched++;
		/* What comes on connections of before its ban says nothing of when that is over. */
		if (d->now.now_ms < offender->free_ms)
			offender->unmatched_then = offender->unmatched;
		return;
	}
	offender->matched++;
	offender->by = mitigation->id;
	offender->visitor_hit = offender->visitor_hit || visitor;
	if (mitigation->stage == MITIGATION_IN_FORCE)
		decide_offender(d, number, offender, mitigation);
}

static void arrival(struct defence *d, uint16_t number, const struct event *event)
{
	struct site *site = d->sites[number];
	if ((event->flags & EVENT_ALLOWED) != 0) {
		/* Nothing is for it, and it says nothing of visitors: what it sends may be what an attack sends too. */
		traffic_arrival(&site->rates, false);
		site->arrivals++;
		site->allowed++;
		return;
	}
	bool episode = site_has_episode(site);
	struct comer comer = meet(d, site, event);
	struct signature_request request = signature_request_from(event, comer.since_ms, comer.regular);
	traffic_arrival(&site->rates, !comer.network_known);
	site->arrivals++;
	sample(d, site, number, &request, !episode);
	if (episode)
		judge(d, number, event, &comer, &request);
}

/* ---- ends ---- */

static bool is_refused(const struct event_end *end)
{
	return end->reason == EVENT_BY_RULE || end->reason == EVENT_BY_BAN || end->reason == EVENT_BY_LIMIT ||
	       end->reason == EVENT_BY_SIGNATURE;
}

static void visitor_add(struct defence_visitors *visitors, const struct event *event)
{
	const struct event_end *end = &event->end;
	visitors->asked++;
	if (end->reason == EVENT_CROWDED_OUT || end->reason == EVENT_BY_MODE)
		visitors->copies += (event->flags & EVENT_COPY) != 0;
	else
		visitors->answered += end->status >= 200 && end->status < 500 && end->status != CLIENT_CLOSED &&
				      end->total_us <= IN_TIME_US;
}

/*
 * While an attack is not told from visitors, those who were here before it stand for all. An onset is told late: who
 * was here before is counted in quiet too, as if one had just been.
 */
static void visitor_count(struct defence *d, struct site *site, const struct event *event)
{
	uint64_t second = d->now.now_ms / 1000;
	struct visitor_second *place = &site->visitors[second % VISITOR_SECONDS];
	if (place->second != second)
		*place = (struct visitor_second){.second = second};
	visitor_add(&place->all, event);
	struct address source = address_from_v6(event->source);
	uint64_t client = client_hash(d, source_hash(d, &source), event->shape, event->agent);
	uint64_t since_ms = acquaintances_meet(d->acquaintances, client, d->now.now_ms, false);
	uint64_t onset_ms = site_has_episode(site) ? site->episode.onset_ms : d->now.now_ms - ONSET_LATE_MS;
	if (since_ms != ACQUAINTANCE_NEVER && since_ms + ONSET_MARGIN_MS < onset_ms)
		visitor_add(&place->known, event);
}

/* Who never brought a whole request asked for nothing. */
static bool is_request(const struct event *event)
{
	return (event->flags & EVENT_UNREAD) == 0 && event->end.reason != EVENT_BY_SERVER;
}

/* A client that waited in vain, and one that found no slot: the origin's harm, whatever was sent in the end. */
static uint16_t status_of(const struct event_end *end)
{
	bool in_vain = end->status == CLIENT_CLOSED && end->total_us >= GIVEN_UP_US;
	return in_vain || end->reason == EVENT_CROWDED_OUT ? 503 : end->status;
}

static void end(struct defence *d, uint16_t number, const struct event *event)
{
	struct site *site = d->sites[number];
	bool unread = (event->flags & EVENT_UNREAD) != 0, refused = is_refused(&event->end);
	bool allowed = (event->flags & EVENT_ALLOWED) != 0;
	const struct traffic_end ended = {.bytes = event->end.bytes_in + event->end.bytes_out,
					  .origin_us = event->end.origin_us,
					  .status = status_of(&event->end),
					  /* What a mode keeps out tells nothing of how its origin does. */
					  .refused = refused || unread || event->end.reason == EVENT_BY_MODE};
	traffic_end(&site->rates, &ended);
	if (!refused && is_request(event) && !allowed)
		visitor_count(d, site, event);
	if (!site_has_episode(site) || d->offenders == NULL || unread || allowed)
		return;
	struct address source = address_from_v6(event->source);
	struct offender *offender = offenders_get(d->offenders, number, &source, d->now.now_ms);
	if (d->now.now_ms < offender->free_ms)
		return;
	uint64_t us = (uint64_t)offender->origin_us + event->end.origin_us;
	offender->limited += event->end.reason == EVENT_BY_LIMIT;
	offender->origin_ms += (uint32_t)(us / 1000);
	offender->origin_us = (uint32_t)(us % 1000);
}

void defence_events(struct defence *defence, const uint16_t *sites, const struct event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		uint16_t number = event->site < OUTBOX_SITES ? sites[event->site] : DEFENCE_SITE_NONE;
		if (number >= defence->count || event->at_ns / 1000000 < defence->began.now_ms)
			continue;
		if (event->kind == EVENT_ARRIVAL)
			arrival(defence, number, event);
		else if (event->kind == EVENT_END)
			end(defence, number, event);
	}
}
