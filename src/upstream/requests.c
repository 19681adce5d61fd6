/*
 * Nothing is carried out here: each request says what is due, and requests_done() hears what came of it. One is lifted
 * at a time, so that what comes then is known to be that one's.
 */
#include "upstream/requests.h"

#include <stdio.h>

static struct request *find(struct requests *requests, const struct route *route)
{
	uint8_t wanted[ROUTE_KEY_BYTES], key[ROUTE_KEY_BYTES];
	size_t len = route_key(route, wanted);
	for (size_t i = 0; i < requests->count; i++)
		if (route_key(&requests->items[i].route, key) == len && memcmp(key, wanted, len) == 0)
			return &requests->items[i];
	return NULL;
}

static struct request *add(struct requests *requests, const struct route *route, const char *why)
{
	if (requests->count == REQUESTS_MOST)
		return NULL;
	struct request *request = &requests->items[requests->count++];
	*request = (struct request){.route = *route};
	snprintf(request->why, sizeof(request->why), "%s", why);
	return request;
}

bool requests_want(struct requests *requests, const struct route *route, uint32_t ban, const char *why)
{
	if (find(requests, route) != NULL)
		return true;
	struct request *request = add(requests, route, why);
	if (request == NULL)
		return false;
	request->ban = ban;
	request->due = REQUEST_ASK;
	return true;
}

static void begin(struct request *request, uint64_t now_ms)
{
	if (!request->asked)
		probing_begin(&request->probing, now_ms);
	request->asked = true;
	request->asked_ms = now_ms;
}

void requests_adopt(struct requests *requests, const struct route *route, uint32_t id, const char *why, bool sent,
		    uint64_t now_ms)
{
	struct request *request = find(requests, route);
	if (request == NULL)
		request = add(requests, route, why);
	if (request == NULL || request->id_count == REQUEST_IDS)
		return;
	request->ids[request->id_count++] = id;
	request->sent = request->sent || sent;
	begin(request, now_ms);
}

static void drop(struct requests *requests, struct request *request)
{
	size_t at = (size_t)(request - requests->items);
	memmove(request, request + 1, (--requests->count - at) * sizeof(*request));
}

static bool any_is_lifted(const struct requests *requests)
{
	for (size_t i = 0; i < requests->count; i++)
		if (requests->items[i].probing.state == PROBING_LIFTED || requests->items[i].due == REQUEST_RAISE)
			return true;
	return false;
}

/* What the look is for: the link fills again, or what the rule kept away comes to the gate. */
static bool is_attacked(const struct request *request, const struct requests_sight *sight)
{
	bool hit = request->ban != 0 && request->probing.state == PROBING_LIFTED &&
		   sight->hits(sight->context, request->ban) - request->hits >= REQUEST_HITS;
	return sight->full || hit || (sight->busy && request->probing.state == PROBING_LIFTED);
}

static void step(struct requests *requests, struct request *request, const struct requests_sight *sight)
{
	bool may_lift = !sight->full && !sight->busy && !any_is_lifted(requests);
	switch (probing_step(&request->probing, sight->now_ms, is_attacked(request, sight), may_lift)) {
	case PROBING_LIFT:
		request->hits = request->ban != 0 ? sight->hits(sight->context, request->ban) : 0;
		request->due = REQUEST_LIFT;
		break;
	case PROBING_RAISE:
		request->due = REQUEST_RAISE;
		break;
	case PROBING_END:
		request->due = REQUEST_END;
		break;
	case PROBING_NOTHING:
		break;
	}
	if (request->due == REQUEST_NOTHING && request->probing.state == PROBING_HELD &&
	    sight->now_ms - request->asked_ms >= REQUEST_SECONDS * UINT64_C(1000) - REQUEST_AGAIN_MS)
		request->due = REQUEST_ASK;
}

static bool stands(const struct request *request, const struct requests_sight *sight)
{
	const struct flow_prefix *source = &request->route.flow.source;
	return sight->stands == NULL || request->route.kind != ROUTE_FLOW || !source->given ||
	       sight->stands(sight->context, &source->prefix);
}

/* What is being lifted or raised is so first. */
static void let_go(struct requests *requests, struct request *request)
{
	if (!request->asked)
		drop(requests, request);
	else if (request->due == REQUEST_NOTHING || request->due == REQUEST_ASK)
		request->due = REQUEST_END;
}

void requests_second(struct requests *requests, const struct requests_sight *sight)
{
	for (size_t i = requests->count; i-- > 0;) {
		struct request *request = &requests->items[i];
		if (!stands(request, sight)) {
			let_go(requests, request);
			continue;
		}
		if (request->due != REQUEST_NOTHING)
			continue;
		if (request->asked)
			step(requests, request, sight);
		else if (!sight->full)
			drop(requests, request); /* refused, and not needed any more */
		else if (sight->now_ms - request->asked_ms >= REQUEST_RETRY_MS)
			request->due = REQUEST_ASK;
	}
}

struct request *requests_next(struct requests *requests)
{
	struct request *next = NULL;
	for (size_t i = 0; i < requests->count; i++) {
		if (requests->items[i].due == REQUEST_RAISE)
			return &requests->items[i];
		if (next == NULL && requests->items[i].due != REQUEST_NOTHING)
			next = &requests->items[i];
	}
	return next;
}

uint32_t requests_sent(const struct requests *requests)
{
	uint32_t sent = 0;
	for (size_t i = 0; i < requests->count; i++)
		sent += requests->items[i].asked && requests->items[i].sent;
	return sent;
}

void requests_done(struct requests *requests, struct request *request, const uint32_t *ids, size_t count, bool sent,
		   uint64_t now_ms)
{
	enum request_due due = request->due;
	request->due = REQUEST_NOTHING;
	if (due == REQUEST_END) {
		drop(requests, request);
		return;
	}
	if (due != REQUEST_ASK)
		return;
	request->id_count = count < REQUEST_IDS ? count : REQUEST_IDS;
	if (request->id_count > 0)
		memcpy(request->ids, ids, request->id_count * sizeof(*ids));
	request->asked_ms = now_ms;
	request->sent = sent;
	if (count > 0)
		begin(request, now_ms);
	else
		request->asked = false;
}
