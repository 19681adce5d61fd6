/* Buckets of four, by a keyed hash of site and source; what one did is weighed in requests and the origin's time. */
#include "traffic/offenders.h"

#include "base/error.h"

#include <stdlib.h>

enum { WAYS = 4, V6_BITS = 64 };

struct offenders {
	struct hash_key key;
	size_t buckets; /* a power of two */
	struct offender *items;
};

int offenders_new(size_t count, const struct hash_key *key, struct offenders **ret_offenders)
{
	struct offenders *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	o->key = *key;
	for (o->buckets = 1; o->buckets * WAYS < count;)
		o->buckets *= 2;
	o->items = calloc(o->buckets * WAYS, sizeof(*o->items));
	if (o->items == NULL) {
		free(o);
		return -ENOMEM;
	}
	*ret_offenders = o;
	return 0;
}

void offenders_free(struct offenders *offenders)
{
	if (offenders != NULL)
		free(offenders->items);
	free(offenders);
}

static uint64_t weight(const struct offender *offender)
{
	return (uint64_t)offender->matched + offender->unmatched + offender->limited + offender->origin_ms / 16;
}

static bool is_free(const struct offender *offender)
{
	return offender->prefix.bits == 0;
}

static struct prefix prefix_of(const struct address *source)
{
	return address_prefix(source, address_is_v4(source) ? ADDRESS_BITS : V6_BITS);
}

static struct offender *bucket_of(const struct offenders *offenders, uint16_t site, const struct prefix *prefix)
{
	uint64_t low = address_low(&prefix->address) ^ (uint64_t)site << 48;
	uint64_t hash = hash_words(&offenders->key, address_high(&prefix->address), low);
	return &offenders->items[(hash & (offenders->buckets - 1)) * WAYS];
}

static struct offender *find(struct offender *bucket, uint16_t site, const struct prefix *prefix)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (!is_free(&bucket[i]) && bucket[i].site == site &&
		    address_equal(&bucket[i].prefix.address, &prefix->address))
			return &bucket[i];
	return NULL;
}

const struct offender *offenders_find(const struct offenders *offenders, uint16_t site, const struct address *source)
{
	struct prefix prefix = prefix_of(source);
	return find(bucket_of(offenders, site, &prefix), site, &prefix);
}

struct offender *offenders_get(struct offenders *offenders, uint16_t site, const struct address *source,
			       uint64_t now_ms)
{
	struct prefix prefix = prefix_of(source);
	struct offender *bucket = bucket_of(offenders, site, &prefix), *place = bucket;
	struct offender *found = find(bucket, site, &prefix);
	if (found != NULL)
		return found;
	for (unsigned i = 0; i < WAYS; i++)
		if (is_free(&bucket[i]) || (!is_free(place) && weight(&bucket[i]) < weight(place)))
			place = &bucket[i];
	*place = (struct offender){.prefix = prefix, .site = site, .since_ms = now_ms};
	return place;
}

void offenders_forget(struct offenders *offenders, uint16_t site)
{
	for (size_t i = 0; i < offenders->buckets * WAYS; i++)
		if (offenders->items[i].site == site)
			offenders->items[i] = (struct offender){0};
}

struct offender *offenders_next(struct offenders *offenders, size_t *cursor)
{
	while (*cursor < offenders->buckets * WAYS) {
		struct offender *offender = &offenders->items[(*cursor)++];
		if (!is_free(offender))
			return offender;
	}
	return NULL;
}
