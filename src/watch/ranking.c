/*
 * A sketch of traffic/heavy.h for each dimension. Of paths and agents events have hashes alone: a table by hash, one
 * place each, has the text that a head told last.
 */
#include "watch/ranking.h"

#include "base/address.h"
#include "base/error.h"
#include "base/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BUCKETS = 4096,
	NAMES = 8192,
	TOP_MAX = 64,
	NETWORK_V4_BITS = ADDRESS_V4_BITS + 24,
	NETWORK_V6_BITS = 48,
};

static const uint64_t window_ns = (uint64_t)RANKING_SECONDS * 1000000000;

/* What a hash was of: the last one seen, in a place of its own for most. */
struct ranking_names {
	struct name {
		uint64_t hash;
		char text[RANKING_TEXT_BYTES - sizeof(uint64_t)];
	} names[NAMES];
};

int ranking_init(struct ranking *ranking)
{
	struct hash_key seed = hash_key_random();
	int r = 0;
	*ranking = (struct ranking){.names = calloc(1, sizeof(struct ranking_names))};
	for (size_t i = 0; i < RANKING_DIMENSIONS && r == 0; i++)
		r = heavy_new(BUCKETS, &seed, &ranking->by[i]);
	if (r == 0 && ranking->names != NULL)
		return 0;
	ranking_release(ranking);
	return -ENOMEM;
}

void ranking_release(struct ranking *ranking)
{
	for (size_t i = 0; i < RANKING_DIMENSIONS; i++)
		heavy_free(ranking->by[i]);
	free(ranking->names);
}

void ranking_tick(struct ranking *ranking, uint64_t now_ns)
{
	if (ranking->window_ns == 0)
		ranking->window_ns = now_ns;
	/* After a long sleep both windows are past. */
	for (int i = 0; i < 2 && now_ns - ranking->window_ns >= window_ns; i++) {
		for (size_t d = 0; d < RANKING_DIMENSIONS; d++)
			heavy_roll(ranking->by[d]);
		ranking->requests[1] = ranking->requests[0];
		ranking->requests[0] = 0;
		ranking->window_ns += window_ns;
	}
	if (now_ns - ranking->window_ns >= window_ns)
		ranking->window_ns = now_ns;
}

static struct heavy_key key_of(const struct address *address)
{
	struct heavy_key key;
	memcpy(&key, address->bytes, sizeof(key));
	return key;
}

static void place_add(struct ranking *ranking, const struct address *source)
{
	struct place place = place_lookup(ranking->places, source);
	uint16_t country;
	memcpy(&country, place.country, sizeof(country));
	heavy_add(ranking->by[RANKING_OPERATOR], (struct heavy_key){{place.network, 0}});
	heavy_add(ranking->by[RANKING_COUNTRY], (struct heavy_key){{country, 0}});
}

static void arrival_add(struct ranking *ranking, const struct event *event, uint16_t site)
{
	struct address source = address_from_v6(event->source);
	struct prefix network = address_prefix(&source, address_is_v4(&source) ? NETWORK_V4_BITS : NETWORK_V6_BITS);
	heavy_add(ranking->by[RANKING_SOURCE], key_of(&source));
	heavy_add(ranking->by[RANKING_NETWORK], key_of(&network.address));
	if (ranking->places != NULL)
		place_add(ranking, &source);
	if (event->path != 0)
		heavy_add(ranking->by[RANKING_PATH], (struct heavy_key){{event->path, site}});
	if (event->kind == EVENT_ARRIVAL)
		heavy_add(ranking->by[RANKING_AGENT], (struct heavy_key){{event->agent, 0}});
	ranking->requests[0]++;
}

void ranking_events(struct ranking *ranking, const struct sites *sites, unsigned box, const struct event *events,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		if (event->kind == EVENT_ARRIVAL || (event->kind == EVENT_END && (event->flags & EVENT_UNREAD) != 0))
			arrival_add(ranking, event, sites_number(sites, box, event->site));
		if (event->kind == EVENT_END && event->end.rule != 0)
			heavy_add(ranking->by[RANKING_RULE], (struct heavy_key){{event->end.rule, 0}});
	}
}

/* ---- names ---- */

static void name_keep(struct ranking *ranking, uint64_t hash, struct slice text)
{
	struct name *name = &ranking->names->names[hash % NAMES];
	if (hash == 0)
		return;
	size_t len = text.len < sizeof(name->text) ? text.len : sizeof(name->text) - 1;
	name->hash = hash;
	for (size_t i = 0; i < len; i++)
		name->text[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? (char)text.ptr[i] : '?';
	name->text[len] = '\0';
}

static void head_keep(struct ranking *ranking, const struct head *head)
{
	size_t length = head->length < sizeof(head->text) ? head->length : sizeof(head->text);
	struct reader reader = reader_make(slice_make(head->text, length));
	struct slice line = reader_until(&reader, '\n'), uri, path;
	line = slice_cut(line, ' ', &uri);
	(void)slice_cut(line, ' ', &uri);
	(void)slice_cut(uri, '?', &path);
	name_keep(ranking, head->path, path);
	while (!reader_at_end(&reader)) {
		line = reader_until(&reader, '\n');
		if (slice_starts_with_nocase(line, SLICE("user-agent:")))
			name_keep(ranking, head->agent, slice_trim(slice_after(line, 11)));
	}
}

void ranking_heads(struct ranking *ranking, const struct head *heads, size_t count)
{
	for (size_t i = 0; i < count; i++)
		head_keep(ranking, &heads[i]);
}

static void name_write(const struct ranking *ranking, uint64_t hash, char text[RANKING_TEXT_BYTES])
{
	const struct name *name = &ranking->names->names[hash % NAMES];
	if (hash == 0)
		snprintf(text, RANKING_TEXT_BYTES, "(none)");
	else if (name->hash == hash)
		snprintf(text, RANKING_TEXT_BYTES, "%s", name->text);
	else
		snprintf(text, RANKING_TEXT_BYTES, "#%016" PRIx64, hash);
}

void ranking_country_text(uint64_t key, char text[RANKING_TEXT_BYTES])
{
	char country[2];
	memcpy(country, &key, sizeof(country));
	if (country[0] == '\0')
		snprintf(text, RANKING_TEXT_BYTES, "(unknown)");
	else
		snprintf(text, RANKING_TEXT_BYTES, "%.2s", country);
}

void ranking_operator_text(const struct place_image *places, uint32_t network, char text[RANKING_TEXT_BYTES])
{
	int len = network == 0 ? snprintf(text, RANKING_TEXT_BYTES, "(unknown)")
			       : snprintf(text, RANKING_TEXT_BYTES, "AS%" PRIu32, network);
	struct slice name = places != NULL ? place_network_name(places, network) : (struct slice){0};
	if (name.len > 0)
		len += snprintf(text + len, RANKING_TEXT_BYTES - (size_t)len, " %.*s", SLICE_ARG(name));
	for (char *c = text; *c != '\0'; c++)
		*c = *c >= ' ' && *c <= '~' ? *c : '?';
}

/* ---- asking ---- */

static double elapsed(const struct ranking *ranking, uint64_t now_ns)
{
	double share = (double)(now_ns - ranking->window_ns) / (double)window_ns;
	return share < 1 ? share : 1;
}

double ranking_requests(const struct ranking *ranking, uint64_t now_ns)
{
	return (double)ranking->requests[0] + (double)ranking->requests[1] * (1 - elapsed(ranking, now_ns));
}

static void item_write(const struct ranking *ranking, enum ranking_dimension dimension, const struct heavy_key *key,
		       struct ranking_item *item)
{
	char text[ADDRESS_TEXT_BYTES];
	struct address address;
	memcpy(address.bytes, key, sizeof(address.bytes));
	switch (dimension) {
	case RANKING_SOURCE:
		snprintf(item->text, sizeof(item->text), "%s", address_format(&address, text));
		break;
	case RANKING_NETWORK: {
		unsigned bits = address_is_v4(&address) ? NETWORK_V4_BITS : NETWORK_V6_BITS;
		struct prefix prefix = address_prefix(&address, bits);
		snprintf(item->text, sizeof(item->text), "%s", prefix_format(&prefix, text));
		break;
	}
	case RANKING_OPERATOR:
		ranking_operator_text(ranking->places, (uint32_t)key->word[0], item->text);
		break;
	case RANKING_COUNTRY:
		ranking_country_text(key->word[0], item->text);
		break;
	case RANKING_PATH:
		item->site = (uint16_t)key->word[1];
		name_write(ranking, key->word[0], item->text);
		break;
	case RANKING_AGENT:
		name_write(ranking, key->word[0], item->text);
		break;
	default:
		snprintf(item->text, sizeof(item->text), "%" PRIu64, key->word[0]);
	}
}

size_t ranking_top(const struct ranking *ranking, enum ranking_dimension dimension, uint64_t now_ns,
		   struct ranking_item *items, size_t room)
{
	struct heavy_item found[TOP_MAX];
	size_t count =
		heavy_top(ranking->by[dimension], elapsed(ranking, now_ns), found, room < TOP_MAX ? room : TOP_MAX);
	for (size_t i = 0; i < count; i++) {
		items[i] = (struct ranking_item){.site = SITE_NONE, .count = found[i].count, .error = found[i].error};
		item_write(ranking, dimension, &found[i].key, &items[i]);
	}
	return count;
}

const char *ranking_dimension_name(enum ranking_dimension dimension)
{
	static const char *const names[RANKING_DIMENSIONS] = {
		[RANKING_SOURCE] = "source",   [RANKING_NETWORK] = "network", [RANKING_OPERATOR] = "operator",
		[RANKING_COUNTRY] = "country", [RANKING_PATH] = "path",       [RANKING_AGENT] = "agent",
		[RANKING_RULE] = "rule"};

	return names[dimension];
}
