/* The visitors and crowds that signatures are held against, drawn from a seed; attacks are in attack.c. */
#include "inside.h"

#include "base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- chance ---- */

uint64_t next(struct world *w)
{
	return random_next(&w->state);
}

uint64_t world_random(struct world *w, uint64_t below)
{
	return (uint64_t)((unsigned __int128)next(w) * below >> 64);
}

static double unit(struct world *w)
{
	return (double)(next(w) >> 11) * 0x1p-53;
}

bool chance(struct world *w, double p)
{
	return unit(w) < p;
}

double between(struct world *w, double low, double high)
{
	return low + (high - low) * unit(w);
}

/* As many are near the low end, by size, as near the high. */
double between_sizes(struct world *w, double low, double high)
{
	return low * pow(high / low, unit(w));
}

/* Small ones are more frequent, as pages and browsers are. */
unsigned zipf(struct world *w, unsigned count)
{
	return (unsigned)(exp(unit(w) * log(count + 1.0)) - 1);
}

uint64_t named(const char *kind, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t words[3] = {a, b, c};
	const struct hash_key key = {(uint64_t)kind[0] << 8 | (uint64_t)kind[1], 99};
	return hash_bytes(&key, slice_make(words, sizeof(words))) | 1;
}

/* ---- who comes ---- */

static struct address some_address(struct world *w, bool home)
{
	/* A few providers at home, with many people in each of their networks; anything abroad. */
	uint32_t ip = home ? 0x1b6d0000u + (uint32_t)zipf(w, 6) * 0x30000u + (uint32_t)world_random(w, 1 << 16)
			   : (uint32_t)next(w) | 0x20000000u;
	return address_from_v4((uint8_t[]){(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip});
}

static unsigned some_client(struct world *w)
{
	double left = unit(w);
	for (unsigned i = 0; i < w->clients; i++)
		if ((left -= w->client[i].weight) < 0)
			return i;
	return 0;
}

struct person some_person(struct world *w, double regular, double home)
{
	struct person p = {.source = some_address(w, chance(w, home)), .client = some_client(w)};
	p.version = zipf(w, w->client[p.client].versions);
	p.language = zipf(w, LANGUAGES);
	p.odd = chance(w, 0.02) ? 1 + world_random(w, 300) : 0;
	p.regular = chance(w, regular);
	return p;
}

static void make_clients(struct world *w)
{
	static const unsigned usual[] = {FINGERPRINT_ACCEPT, FINGERPRINT_ACCEPT_ENCODING, FINGERPRINT_ACCEPT_LANGUAGE,
					 FINGERPRINT_HOST,   FINGERPRINT_USER_AGENT,      FINGERPRINT_CONNECTION};
	static const unsigned some[] = {FINGERPRINT_SEC_CH_UA,
					FINGERPRINT_SEC_FETCH_DEST,
					FINGERPRINT_SEC_FETCH_MODE,
					FINGERPRINT_SEC_FETCH_SITE,
					FINGERPRINT_UPGRADE_INSECURE_REQUESTS,
					FINGERPRINT_PRIORITY,
					FINGERPRINT_DNT,
					FINGERPRINT_CACHE_CONTROL,
					FINGERPRINT_TE,
					FINGERPRINT_X_REQUESTED_WITH};
	double sum = 0;
	w->clients = 8 + (unsigned)world_random(w, CLIENTS_MOST - 8);
	for (unsigned i = 0; i < w->clients; i++) {
		struct client *c = &w->client[i];
		*c = (struct client){.id = next(w), .versions = 1 + (unsigned)world_random(w, VERSIONS_MOST)};
		/* The last quarter are tools and apps that lack much of what browsers send. */
		bool tool = i > w->clients * 3 / 4;
		for (size_t j = 0; j < sizeof(usual) / sizeof(usual[0]); j++)
			c->present |= (uint32_t)chance(w, tool ? 0.7 : 1) << usual[j];
		for (size_t j = 0; j < sizeof(some) / sizeof(some[0]); j++)
			c->present |= (uint32_t)chance(w, tool ? 0.05 : j < 5 ? 0.8 : 0.2) << some[j];
		c->headers = (unsigned)__builtin_popcount(c->present) + (unsigned)world_random(w, 3);
		c->protocol = chance(w, 0.6) ? 2 : 1 + world_random(w, 3);
		c->weight = 1 / pow(i + 1, 1.3) * (tool ? 0.3 : 1);
		sum += c->weight;
	}
	for (unsigned i = 0; i < w->clients; i++)
		w->client[i].weight /= sum;
}

static void make_people(struct world *w)
{
	double regular = between(w, 0.3, 0.8);
	w->people = (unsigned)between_sizes(w, 2000, PEOPLE_MOST);
	for (unsigned i = 0; i < w->people; i++) {
		w->person[i] = some_person(w, regular, 0.85);
		/* Some share an address: an office, a carrier. */
		if (i > 100 && chance(w, 0.1)) {
			const struct person *other = &w->person[zipf(w, 30)];
			w->person[i].source = other->source;
			w->person[i].regular = other->regular;
		}
	}
}

/* ---- what they ask ---- */

struct signature_request request_of(const struct world *w, const struct person *p, const struct asked *a)
{
	const struct client *c = &w->client[p->client];
	uint32_t present =
		c->present | (uint32_t)a->cookie << FINGERPRINT_COOKIE | (uint32_t)a->referer << FINGERPRINT_REFERER;
	if (a->post)
		present |= 1u << FINGERPRINT_CONTENT_TYPE | 1u << FINGERPRINT_CONTENT_LENGTH | 1u << FINGERPRINT_ORIGIN;
	if (p->odd != 0)
		present ^= 1u << (p->odd % 32);
	bool speaks = (present >> FINGERPRINT_ACCEPT_LANGUAGE & 1) != 0;
	struct signature_request r = {
		.field = {[SIGNATURE_SHAPE] = named("shape", c->id, present, p->odd + ((uint64_t)a->asset << 32)),
			  [SIGNATURE_AGENT] = named("agent", c->id, p->version, p->odd % 7 == 1 ? p->odd : 0),
			  [SIGNATURE_ACCEPT] = named("types", c->id, a->asset, 0),
			  [SIGNATURE_LANGUAGE] = speaks ? named("language", p->language, 0, 0) : 0,
			  [SIGNATURE_PATH] = a->path,
			  [SIGNATURE_QUERY] = a->query,
			  [SIGNATURE_METHOD] = a->post ? 3 : 1,
			  [SIGNATURE_PROTOCOL] = c->protocol,
			  [SIGNATURE_HEADERS] = c->headers + a->cookie + a->referer + a->post * 3u + (p->odd != 0),
			  [SIGNATURE_LENGTH] = signature_class(a->length),
			  [SIGNATURE_PACE] = signature_class(a->pause_ms)},
		.present = present,
		.regular = p->regular,
		.source = p->source,
	};
	return r;
}

uint64_t page_path(unsigned page)
{
	return named("page", page, 0, 0);
}

static struct asked page_asked(struct world *w, bool first)
{
	struct asked a = {.path = page_path(zipf(w, w->pages)), .cookie = chance(w, 0.7), .referer = chance(w, 0.6)};
	double kind = unit(w);
	if (kind < 0.08)
		a = (struct asked){
			.path = page_path(3), .query = named("query", 1, 0, 0), .cookie = true, .referer = true};
	else if (kind < 0.12)
		a.query = named("query", 2 + world_random(w, 8), 0, 0);
	else if (kind < 0.14)
		a = (struct asked){.path = page_path(4),
				   .post = true,
				   .length = 20 + world_random(w, 200),
				   .cookie = true,
				   .referer = true};
	else if (kind < 0.145)
		a.query = named("query", next(w), 0, 0); /* old links, typing errors */
	a.pause_ms = first ? 0 : (uint64_t)between_sizes(w, 1500, 60000);
	return a;
}

/* A page and what belongs to it. */
static void begin_visit(struct world *w, struct visit *visit, const struct person *p, struct asked page, double assets)
{
	unsigned more = chance(w, assets) ? 3 + (unsigned)world_random(w, VISIT_MOST - 4) : 0;
	visit->request[visit->count++] = request_of(w, p, &page);
	for (unsigned i = 0; i < more; i++) {
		struct asked a = {.path = named("asset", zipf(w, ASSETS), 0, 0),
				  .asset = true,
				  .cookie = page.cookie,
				  .referer = true,
				  .pause_ms = (uint64_t)between_sizes(w, 1, 400)};
		visit->request[visit->count++] = request_of(w, p, &a);
	}
}

static struct signature_request visited(struct visit *visit)
{
	struct signature_request r = visit->request[visit->next++];
	if (visit->next == visit->count)
		visit->next = visit->count = 0;
	signature_complete(&r);
	return r;
}

struct signature_request world_visitor(struct world *w)
{
	struct visit *visit = &w->visit[0];
	if (visit->count == 0) {
		/* Now and then one who never came before. */
		struct person stranger = some_person(w, 0, 0.8);
		const struct person *p = chance(w, 0.1) ? &stranger : &w->person[zipf(w, w->people)];
		begin_visit(w, visit, p, page_asked(w, chance(w, 0.4)), 0.7);
	}
	return visited(visit);
}

/* ---- a crowd ---- */

static struct signature_request of_the_crowd(struct world *w)
{
	struct visit *visit = &w->visit[1];
	if (visit->count == 0) {
		struct asked page = page_asked(w, true);
		page.pause_ms = chance(w, 0.3) ? (uint64_t)between_sizes(w, 300, 20000) : 0;
		if (chance(w, w->to_new_page)) {
			page = (struct asked){.path = page_path(w->page),
					      .cookie = chance(w, 0.4),
					      .referer = chance(w, 0.7),
					      .pause_ms = page.pause_ms};
			if (chance(w, w->with_link))
				page.query = named("query", 777, w->page, 0);
		}
		begin_visit(w, visit, &w->bot[world_random(w, w->bots)], page, w->assets_fetched);
	}
	return visited(visit);
}

static void make_crowd(struct world *w)
{
	double regular = between(w, 0.05, 0.8), home = between(w, 0.3, 0.95);
	/* Some come by an app's own browser, which few use otherwise; all of them in one or two languages. */
	double by_app = chance(w, 0.5) ? between(w, 0.1, 0.7) : 0;
	unsigned app = w->clients / 2 + (unsigned)world_random(w, w->clients / 2),
		 languages = 1 + (unsigned)world_random(w, 4);
	w->bots = (unsigned)between_sizes(w, 2000, BOTS_MOST);
	for (unsigned i = 0; i < w->bots; i++) {
		struct person *p = &w->bot[i];
		*p = some_person(w, regular, home);
		if (chance(w, regular))
			*p = w->person[world_random(w, w->people)];
		if (chance(w, by_app))
			p->client = app, p->version = zipf(w, w->client[app].versions);
		p->language = chance(w, 0.8) ? (unsigned)world_random(w, languages) : p->language;
	}
	w->to_new_page = between(w, 0.3, 1);
	w->with_link = chance(w, 0.5) ? between(w, 0.3, 1) : 0;
	w->assets_fetched = between(w, 0, 1);
	w->page = chance(w, 0.7) ? PAGES_MOST + 1 : zipf(w, w->pages);
	w->normal_share = 1 / between_sizes(w, 3, 15);
	snprintf(w->text, sizeof(w->text),
		 "crowd of %u, %.0f %% regulars, %.0f %% by one app, %.0f %% to one page, %.0f %% with assets", w->bots,
		 regular * 100, by_app * 100, w->to_new_page * 100, w->assets_fetched * 100);
}

/* ---- all ---- */

struct world *world_new(uint64_t seed, enum world_kind kind)
{
	struct world *w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	w->state = seed * 0x5851f42d4c957f2du;
	w->kind = kind;
	w->pages = 40 + (unsigned)world_random(w, PAGES_MOST - 40);
	make_clients(w);
	make_people(w);
	if (kind == WORLD_CROWD)
		make_crowd(w);
	else
		make_attack(w);
	w->normal_guess = w->normal_share * between(w, 0.8, 1.2);
	return w;
}

void world_free(struct world *w)
{
	free(w);
}

struct signature_request world_intruder(struct world *w)
{
	return w->kind == WORLD_CROWD ? of_the_crowd(w) : of_the_attack(w);
}

double world_normal_share(const struct world *w)
{
	return w->normal_share;
}

double world_normal_guess(const struct world *w)
{
	return w->normal_guess;
}

const char *world_text(const struct world *w)
{
	return w->text;
}
