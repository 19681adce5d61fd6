/* The attacks that signatures are held against: bots of one or two tools, and what gives these away. */
#include "inside.h"

#include <stdio.h>

static struct asked aimed(struct world *w)
{
	struct asked a = {.path = page_path(w->page),
			  .cookie = chance(w, 0.5),
			  .referer = chance(w, 0.5),
			  .pause_ms = (uint64_t)between_sizes(w, 50, 30000)};
	switch (w->target) {
	case RANDOM_QUERIES:
		a.query = named("query", 1, 0, 0);
		a.path = page_path(3);
		break;
	case POST_FORMS:
		a.path = page_path(chance(w, 0.5) ? 3 : 4);
		a.post = true;
		a.length = 20 + world_random(w, 200);
		break;
	case MANY_PAGES:
		a.path = page_path(zipf(w, w->pages));
		break;
	case ONE_URL:
	case TARGETS:
		break;
	}
	return a;
}

/* Parts of it are another browser's: what a list of agents and a list of headers come to. */
static void mix(struct world *w, const struct asked *asked, struct signature_request *r)
{
	const struct person one = some_person(w, 0, 0), other = some_person(w, 0, 0);
	const struct signature_request a = request_of(w, &one, asked), b = request_of(w, &other, asked);
	r->field[SIGNATURE_AGENT] = a.field[SIGNATURE_AGENT];
	if (chance(w, 0.5))
		r->field[SIGNATURE_ACCEPT] = b.field[SIGNATURE_ACCEPT];
	if (r->field[SIGNATURE_LANGUAGE] != 0 && b.field[SIGNATURE_LANGUAGE] != 0)
		r->field[SIGNATURE_LANGUAGE] = b.field[SIGNATURE_LANGUAGE];
}

static void give_away(struct world *w, const struct tool *tool, struct signature_request *r)
{
	if (tool->tell[TELL_ABSENT] && (r->present >> tool->absent & 1) != 0) {
		r->present &= ~(1u << tool->absent);
		r->field[SIGNATURE_SHAPE] = named("shape", r->field[SIGNATURE_SHAPE], tool->absent, 0);
		r->field[SIGNATURE_HEADERS]--;
		if (tool->absent == FINGERPRINT_ACCEPT_LANGUAGE)
			r->field[SIGNATURE_LANGUAGE] = 0;
		if (tool->absent == FINGERPRINT_ACCEPT)
			r->field[SIGNATURE_ACCEPT] = 0;
	}
	if (tool->tell[TELL_ORDER])
		r->field[SIGNATURE_SHAPE] = tool->like < CLIENTS_MOST ? named("shape", w->client[tool->like].id,
									      w->client[tool->like].present, 0)
								      : named("shape", tool->id, world_random(w, 3), 0);
	if (tool->tell[TELL_QUERY])
		r->field[SIGNATURE_QUERY] =
			tool->random_names ? named("query", next(w), 0, 0) : named("query", tool->id, 0, 0);
	if (tool->tell[TELL_PACE])
		r->field[SIGNATURE_PACE] = tool->pace_class + world_random(w, 2);
	if (tool->tell[TELL_AGENT])
		r->field[SIGNATURE_AGENT] = named("agent", tool->id, world_random(w, 2), 1);
}

struct signature_request of_the_attack(struct world *w)
{
	const struct tool *tool = &w->tool[w->tools > 1 && !chance(w, w->tool_share)];
	const struct asked a = aimed(w);
	struct signature_request r = request_of(w, &w->bot[world_random(w, w->bots)], &a);
	if (chance(w, tool->mixed))
		mix(w, &a, &r);
	give_away(w, tool, &r);
	signature_complete(&r);
	return r;
}

static struct tool some_tool(struct world *w)
{
	static const unsigned absent[] = {
		FINGERPRINT_ACCEPT_LANGUAGE, FINGERPRINT_ACCEPT_ENCODING,           FINGERPRINT_ACCEPT,
		FINGERPRINT_CONNECTION,      FINGERPRINT_UPGRADE_INSECURE_REQUESTS, FINGERPRINT_SEC_FETCH_MODE};
	struct tool t = {.id = next(w),
			 .absent = absent[world_random(w, 6)],
			 .like = CLIENTS_MOST,
			 .pace_class = 32 + world_random(w, 16),
			 .random_names = chance(w, 0.5),
			 .mixed = chance(w, 0.3) ? 0 : between(w, 0.2, 1)};
	t.tell[world_random(w, TELLS)] = true;
	if (chance(w, 0.5))
		t.tell[world_random(w, TELLS)] = true;
	/* A weak tell, which some of the visitors have too, comes with another. */
	bool alone = t.tell[TELL_ORDER] + t.tell[TELL_ABSENT] + t.tell[TELL_QUERY] + t.tell[TELL_PACE] +
			     t.tell[TELL_AGENT] ==
		     1;
	if (t.tell[TELL_ORDER] && !alone && chance(w, 0.5))
		t.like = w->clients / 2 + (unsigned)world_random(w, w->clients / 2);
	if (alone && (t.tell[TELL_PACE] || t.tell[TELL_ABSENT])) {
		/* Half of all browsers lack some headers, and any pace is somebody's. */
		t.tell[chance(w, 0.5) ? TELL_ORDER : TELL_AGENT] = true;
	}
	return t;
}

void make_attack(struct world *w)
{
	static const char *const targets[TARGETS] = {"one url", "random queries", "forms", "many pages"};
	static const char *const tells[TELLS] = {"order", "absent", "query", "pace", "agent"};
	unsigned networks = chance(w, 0.3) ? (unsigned)between_sizes(w, 5, 200) : 0;
	w->target = (enum target)world_random(w, TARGETS);
	w->page = zipf(w, w->pages);
	w->bots = (unsigned)between_sizes(w, 50, BOTS_MOST);
	uint64_t base = next(w);
	for (unsigned i = 0; i < w->bots; i++) {
		struct person *p = &w->bot[i];
		*p = some_person(w, 0, 0.2);
		if (networks > 0) {
			uint64_t network = named("network", base, world_random(w, networks), 0);
			p->source = address_from_v4((uint8_t[]){(uint8_t)(network | 32), (uint8_t)(network >> 8),
								(uint8_t)(network >> 16), (uint8_t)next(w)});
		} else if (chance(w, 0.005)) { /* behind an address of visitors */
			const struct person *host = &w->person[world_random(w, w->people)];
			p->source = host->source;
			p->regular = host->regular;
		}
	}
	w->tools = chance(w, 0.25) ? 2 : 1;
	w->tool_share = between(w, 0.3, 0.7);
	for (unsigned i = 0; i < w->tools; i++)
		w->tool[i] = some_tool(w);
	w->normal_share = 1 / between_sizes(w, 2, 40);
	int len = snprintf(w->text, sizeof(w->text), "%s, %u bots in %u networks, normal share %.3f",
			   targets[w->target], w->bots, networks, w->normal_share);
	for (unsigned i = 0; i < w->tools; i++) {
		len += snprintf(w->text + len, sizeof(w->text) - (size_t)len,
				"; mixed %.0f %%:", w->tool[i].mixed * 100);
		for (unsigned tell = 0; tell < TELLS; tell++)
			if (w->tool[i].tell[tell])
				len += snprintf(w->text + len, sizeof(w->text) - (size_t)len, " %s%s", tells[tell],
						tell == TELL_ORDER && w->tool[i].like < CLIENTS_MOST ? "(shared)" : "");
	}
}
