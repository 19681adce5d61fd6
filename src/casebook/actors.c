/*
 * Actors are in a plain array, addresses in a set-associative table with a keyed hash. An address names its actor by
 * place and beginning, so that it is nobody's once another actor has the place. Who is not known by address is compared
 * with all.
 */
#include "casebook/actors.h"

static bool is_nobody(const struct address *source)
{
	static const struct address nobody;
	return address_equal(source, &nobody);
}

static struct actors_source *set_of(struct actors *actors, const struct address *source)
{
	return actors->sources[hash_words(&actors->key, address_high(source), address_low(source)) % ACTORS_SETS];
}

struct actor *actors_find(struct actors *actors, const struct address *source)
{
	const struct actors_source *ways = set_of(actors, source);
	for (size_t i = 0; i < ACTORS_WAYS; i++) {
		if (ways[i].actor == 0 || !address_equal(&ways[i].address, source))
			continue;
		struct actor *actor = &actors->list[ways[i].actor - 1];
		return actor->used && actor->since_ms == ways[i].since_ms ? actor : NULL;
	}
	return NULL;
}

void actors_bind(struct actors *actors, const struct address *source, const struct actor *actor, uint64_t now_ms)
{
	struct actors_source *ways = set_of(actors, source), *oldest = ways;
	if (is_nobody(source))
		return;
	for (size_t i = 0; i < ACTORS_WAYS; i++) {
		if (address_equal(&ways[i].address, source)) {
			oldest = &ways[i];
			break;
		}
		if (ways[i].last_ms < oldest->last_ms)
			oldest = &ways[i];
	}
	*oldest = (struct actors_source){*source, (uint32_t)(actor - actors->list) + 1, now_ms, actor->since_ms};
}

/* Who did least goes first; of equals who was seen longest ago. */
static bool goes_before(const struct actor *a, const struct actor *b)
{
	return a->findings != b->findings ? a->findings < b->findings : a->last_ms < b->last_ms;
}

struct actor *actors_place(struct actors *actors)
{
	struct actor *least = NULL;
	for (size_t i = 0; i < ACTORS_MOST; i++) {
		struct actor *actor = &actors->list[i];
		if (!actor->used)
			return actor;
		if (actor->incident == 0 && (least == NULL || goes_before(actor, least)))
			least = actor;
	}
	return least;
}

static bool is_of_now(const struct actor *actor, uint64_t now_ms)
{
	return now_ms < actor->last_ms || now_ms - actor->last_ms < ACTORS_LINK_MS || actor->incident != 0;
}

/* A site that leaks by itself does so to whoever asks. */
static struct actor *leaking_site(struct actors *actors, const struct actor_sight *sight)
{
	for (size_t i = 0; i < ACTORS_MOST; i++)
		if (actors->list[i].used && actors->list[i].leaks_at == sight->site)
			return &actors->list[i];
	return NULL;
}

static struct actor *likest(struct actors *actors, const struct actor_sight *sight)
{
	struct actor *best = NULL;
	unsigned most = ACTOR_LINKED - 1;
	for (size_t i = 0; i < ACTORS_MOST; i++) {
		struct actor *actor = &actors->list[i];
		if (!actor->used || actor->leaks_at != ACTOR_NO_SITE || !is_of_now(actor, sight->at_ms))
			continue;
		unsigned likeness = actor_likeness(actor, sight);
		if (likeness > most) {
			most = likeness;
			best = actor;
		}
	}
	return best;
}

/* NULL, and counted, where there is no place. */
static struct actor *newcomer(struct actors *actors, const struct actor_sight *sight)
{
	struct actor *actor = actors_place(actors);
	if (actor == NULL)
		actors->unplaced++;
	else
		actor_begin(actor, sight);
	return actor;
}

struct actor *actors_take(struct actors *actors, const struct actor_sight *sight)
{
	struct actor *actor = actors_find(actors, &sight->source);
	/* Nothing in what was asked is of note: it is the answer. */
	bool leaks = actor == NULL && sight->finding->head.inbound_score <= 0 &&
		     (sight->finding->head.found & FINDING_RESPONSE) != 0;
	if (actor == NULL)
		actor = leaks ? leaking_site(actors, sight) : likest(actors, sight);
	if (actor == NULL) {
		actor = newcomer(actors, sight);
		if (actor == NULL)
			return NULL;
		actor->leaks_at = leaks ? sight->site : ACTOR_NO_SITE;
	}
	actor_add(actor, sight);
	if (!leaks)
		actors_bind(actors, &sight->source, actor, sight->at_ms);
	return actor;
}

struct actor *actors_take_missing(struct actors *actors, const struct actor_sight *sight)
{
	struct actor *actor = actors_find(actors, &sight->source);
	actor = actor != NULL ? actor : likest(actors, sight);
	if (actor == NULL) {
		actor = newcomer(actors, sight);
		if (actor == NULL)
			return NULL;
	}
	actors_bind(actors, &sight->source, actor, sight->at_ms);
	return actor;
}
