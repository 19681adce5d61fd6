/*
 * A dimension is a short list in which a newcomer takes the place of what came least; addresses and paths are counted
 * beyond it by bits. What speaks for a kind is counted in halves of the window, this one and the one before.
 */
#include "casebook/actor.h"

#include "base/hash.h"
#include "casebook/casebook.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { V4_BITS = 120, V6_BITS = 48 };

const char *actor_dimension_name(enum actor_dimension dimension)
{
	static const char *const names[ACTOR_DIMENSIONS] = {CASE_SOURCES, "network", "path", "agent", "rule"};
	return dimension < ACTOR_DIMENSIONS ? names[dimension] : "?";
}

/* ---- items ---- */

/* Tells bits apart only; what a client chooses has a keyed hash already, or is an address. */
static uint64_t mixed(struct slice bytes)
{
	static const struct hash_key key = {0x6775696163617365, 0x626f6f6b};
	return hash_bytes(&key, bytes);
}

static uint64_t address_key(const struct address *address)
{
	return mixed(slice_make(address->bytes, sizeof(address->bytes)));
}

static void text_keep(char to[ACTOR_TEXT_BYTES], struct slice text)
{
	size_t len = text.len < ACTOR_TEXT_BYTES ? text.len : ACTOR_TEXT_BYTES - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? (char)text.ptr[i] : '?';
	to[len] = '\0';
}

/* What the store was told of, and came least, goes first. */
static bool goes_before(const struct actor_item *a, const struct actor_item *b)
{
	bool a_told = a->told == a->count, b_told = b->told == b->count;
	return a_told != b_told ? a_told : a->count < b->count;
}

struct actor_item *actor_item_of(struct actor *actor, enum actor_dimension dimension, uint64_t key, struct slice text)
{
	struct actor_item *items = actor->items[dimension], *least = items;
	for (size_t i = 0; i < ACTOR_ITEMS; i++) {
		if (items[i].count > 0 && items[i].key == key)
			return &items[i];
		if (goes_before(&items[i], least))
			least = &items[i];
	}
	*least = (struct actor_item){.key = key};
	text_keep(least->text, text);
	return least;
}

static void item_add(struct actor *actor, enum actor_dimension dimension, uint64_t key, struct slice text)
{
	actor_item_of(actor, dimension, key, text)->count++;
}

static struct prefix network_of(const struct address *source)
{
	return address_prefix(source, address_is_v4(source) ? V4_BITS : V6_BITS);
}

static bool is_nobody(const struct address *source)
{
	static const struct address nobody;
	return address_equal(source, &nobody);
}

void actor_add_source(struct actor *actor, const struct address *source)
{
	char text[ADDRESS_TEXT_BYTES];
	struct prefix network = network_of(source);
	uint64_t key = address_key(source);
	if (is_nobody(source))
		return;
	struct actor_item *item =
		actor_item_of(actor, ACTOR_SOURCE, key, slice_from_string(address_format(source, text)));
	item->address = *source;
	item->count++;
	item_add(actor, ACTOR_NETWORK, address_key(&network.address), slice_from_string(prefix_format(&network, text)));
	actor->sources[key / 64 % (ACTOR_SKETCH_BITS / 64)] |= UINT64_C(1) << key % 64;
}

/* ---- signs ---- */

static bool is_recent(const uint64_t recent[ACTOR_RECENT], uint64_t value)
{
	for (size_t i = 0; value != 0 && i < ACTOR_RECENT; i++)
		if (recent[i] == value)
			return true;
	return false;
}

static void recent_add(uint64_t recent[ACTOR_RECENT], uint64_t value)
{
	if (value == 0 || is_recent(recent, value))
		return;
	memmove(recent + 1, recent, (ACTOR_RECENT - 1) * sizeof(*recent));
	recent[0] = value;
}

static bool has_item(const struct actor *actor, enum actor_dimension dimension, uint64_t key)
{
	for (size_t i = 0; i < ACTOR_ITEMS; i++)
		if (actor->items[dimension][i].count > 0 && actor->items[dimension][i].key == key)
			return true;
	return false;
}

static bool same_network(const struct actor *actor, const struct actor_sight *sight)
{
	struct prefix network = network_of(&sight->source);
	return !is_nobody(&sight->source) && has_item(actor, ACTOR_NETWORK, address_key(&network.address));
}

static bool same_agent(const struct actor *actor, const struct actor_sight *sight)
{
	return sight->agent != 0 && has_item(actor, ACTOR_AGENT, sight->agent);
}

static bool same_scanner(const struct actor *actor, const struct actor_sight *sight)
{
	return actor->scanner != 0 && actor->scanner == sight->agent;
}

static bool same_shape(const struct actor *actor, const struct actor_sight *sight)
{
	return is_recent(actor->shapes, sight->shape);
}

static bool same_question(const struct actor *actor, const struct actor_sight *sight)
{
	return is_recent(actor->asked, sight->asked);
}

static bool same_class(const struct actor *actor, const struct actor_sight *sight)
{
	return (actor->classes & sight->classes) != 0;
}

static bool same_search(const struct actor *actor, const struct actor_sight *sight)
{
	return actor->missing > 0 && sight->finding == NULL;
}

static const struct {
	bool (*shares)(const struct actor *actor, const struct actor_sight *sight);
	unsigned weight;
} signs[] = {
	{same_network, 2},  {same_agent, 1}, {same_scanner, 2}, {same_shape, 1},
	{same_question, 2}, {same_class, 1}, {same_search, 2},
};

unsigned actor_likeness(const struct actor *actor, const struct actor_sight *sight)
{
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		sum += signs[i].shares(actor, sight) ? signs[i].weight : 0;
	return sum;
}

/* ---- adding ---- */

void actor_begin(struct actor *actor, const struct actor_sight *sight)
{
	*actor = (struct actor){.used = true,
				.since_ms = sight->at_ms,
				.onset_ms = sight->at_ms,
				.last_ms = sight->at_ms,
				.window_ms = sight->at_ms,
				.leaks_at = ACTOR_NO_SITE};
}

static struct actor_site *site_of(struct actor *actor, const struct actor_sight *sight)
{
	for (size_t i = 0; i < actor->site_count; i++)
		if (strcmp(actor->sites[i].name, sight->site_name) == 0)
			return &actor->sites[i];
	/* Of more the last one stands for the rest. */
	if (actor->site_count == ACTOR_SITES)
		return &actor->sites[ACTOR_SITES - 1];
	struct actor_site *site = &actor->sites[actor->site_count++];
	*site = (struct actor_site){.onset_ms = sight->at_ms};
	snprintf(site->name, sizeof(site->name), "%s", sight->site_name);
	return site;
}

static void rules_add(struct actor *actor, const struct finding *finding)
{
	char text[ACTOR_TEXT_BYTES];
	for (size_t i = 0; i < finding->head.match_count; i++) {
		const struct finding_match *match = &finding->matches[i];
		if (match->classes == 0)
			continue; /* it only keeps books */
		snprintf(text, sizeof(text), "%" PRId64 " %.*s", match->rule,
			 SLICE_ARG(finding->match_texts[i].message));
		item_add(actor, ACTOR_RULE, (uint64_t)match->rule, slice_from_string(text));
	}
}

static void see(struct actor *actor, const struct actor_sight *sight, uint64_t path)
{
	actor->last_ms = sight->at_ms > actor->last_ms ? sight->at_ms : actor->last_ms;
	if (actor->onset_ms == 0)
		actor->onset_ms = sight->at_ms;
	actor->paths[path / 64 % (ACTOR_PATH_BITS / 64)] |= UINT64_C(1) << path % 64;
	recent_add(actor->shapes, sight->shape);
	recent_add(actor->asked, sight->asked);
	actor_add_source(actor, &sight->source);
}

static void site_count(struct actor *actor, const struct actor_sight *sight, bool blocked, uint32_t count)
{
	struct actor_site *site = site_of(actor, sight);
	site->until_ms = sight->at_ms;
	if (blocked) {
		site->blocked += count;
	} else {
		site->passed += count;
		actor->passed_ms = sight->at_ms;
	}
}

void actor_add(struct actor *actor, const struct actor_sight *sight)
{
	const struct finding_head *head = &sight->finding->head;
	struct slice path;
	(void)slice_cut(sight->finding->texts[FINDING_TARGET], '?', &path);
	see(actor, sight, head->path);
	actor->findings++;
	actor->classes |= head->classes;
	if (head->classes >> FINDING_CLASS_SCANNER & 1)
		actor->scanner = head->agent;
	item_add(actor, ACTOR_PATH, head->path ^ sight->site, path);
	if (head->agent != 0)
		item_add(actor, ACTOR_AGENT, head->agent, sight->finding->texts[FINDING_AGENT]);
	rules_add(actor, sight->finding);
	site_count(actor, sight, (head->found & FINDING_DISRUPTED) != 0, 1);
	for (unsigned kind = 0; kind < CASE_KINDS; kind++)
		actor->window[kind] += sight->kinds >> kind & 1;
}

void actor_add_missing(struct actor *actor, const struct actor_sight *sight, uint64_t path, uint32_t count)
{
	see(actor, sight, path);
	actor->scans = true;
	actor->missing += count;
	if (sight->agent != 0)
		item_add(actor, ACTOR_AGENT, sight->agent, SLICE("(its name was not told)"));
	site_count(actor, sight, false, count);
}

void actor_told(struct actor *actor)
{
	for (unsigned d = 0; d < ACTOR_DIMENSIONS; d++)
		for (size_t i = 0; i < ACTOR_ITEMS; i++)
			actor->items[d][i].told = actor->items[d][i].count;
}

/* ---- time and sums ---- */

void actor_tick(struct actor *actor, uint64_t now_ms)
{
	/* A clock that was set back begins another. */
	if (now_ms >= actor->window_ms && now_ms - actor->window_ms < CASE_WINDOW_MS / 2)
		return;
	if (now_ms < actor->last_ms || now_ms - actor->last_ms >= CASE_WINDOW_MS)
		actor->onset_ms = 0;
	bool follows = now_ms >= actor->window_ms && now_ms - actor->window_ms < CASE_WINDOW_MS;
	for (unsigned kind = 0; kind < CASE_KINDS; kind++) {
		actor->window_before[kind] = follows ? actor->window[kind] : 0;
		actor->window[kind] = 0;
	}
	actor->window_ms = now_ms;
}

void actor_forgive_scan(struct actor *actor)
{
	actor->scans = false;
	actor->window[CASE_SCAN] = actor->window_before[CASE_SCAN] = 0;
}

/* Linear counting (Whang and others, 1990). */
static uint64_t counted(const uint64_t *bits, size_t words)
{
	unsigned set = 0, all = (unsigned)words * 64;
	for (size_t i = 0; i < words; i++)
		set += (unsigned)__builtin_popcountll(bits[i]);
	double left = set < all ? all - set : 1;
	return (uint64_t)llround(-(double)all * log(left / all));
}

uint64_t actor_sources(const struct actor *actor)
{
	uint64_t named = 0, estimate = counted(actor->sources, ACTOR_SKETCH_BITS / 64);
	for (size_t i = 0; i < ACTOR_ITEMS; i++)
		named += actor->items[ACTOR_SOURCE][i].count > 0;
	return named < ACTOR_ITEMS || named > estimate ? named : estimate;
}

uint64_t actor_paths(const struct actor *actor)
{
	return counted(actor->paths, ACTOR_PATH_BITS / 64);
}

enum case_kind actor_kind(const struct actor *actor)
{
	for (unsigned kind = CASE_KINDS - 1; kind > CASE_FLOOD; kind--) {
		struct case_enough enough = case_kind_enough((enum case_kind)kind);
		if (actor->window[kind] + actor->window_before[kind] >= enough.findings &&
		    actor_paths(actor) >= enough.paths)
			return (enum case_kind)kind;
	}
	return actor->scans ? CASE_SCAN : CASE_FLOOD;
}
