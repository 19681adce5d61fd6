/* A bucket is eight entries of eight bytes. Times are steps in 16 bits that go round, compared by their difference. */
#include "traffic/regulars.h"

#include "base/error.h"

#include <stdlib.h>

enum {
	WAYS = 8,
	REGULAR_AFTER_STEPS = 2, /* apart, so that at least a whole step lies between */
	KEPT_STEPS = REGULARS_KEPT_DAYS * 24 * 3600 / REGULARS_STEP_S,
};

/* Times in steps, of which the lower 16 bits do: more than a year, half of which is past. All zero: free. */
struct regular {
	uint32_t tag;
	uint16_t first;
	uint16_t last;
};

struct regulars {
	size_t buckets; /* a power of two */
	struct regular items[];
};

static size_t bytes_of(const struct regulars *regulars)
{
	return regulars->buckets * WAYS * sizeof(struct regular);
}

int regulars_new(size_t count, struct regulars **ret_regulars)
{
	size_t buckets = 1;
	while (buckets * WAYS < count)
		buckets *= 2;
	struct regulars *regulars = calloc(1, sizeof(*regulars) + buckets * WAYS * sizeof(struct regular));
	if (regulars == NULL)
		return -ENOMEM;
	regulars->buckets = buckets;
	*ret_regulars = regulars;
	return 0;
}

void regulars_free(struct regulars *regulars)
{
	free(regulars);
}

static uint16_t step_of(uint64_t wall_s)
{
	return (uint16_t)(wall_s / REGULARS_STEP_S);
}

/* It has yet to come: the clock was set back. */
static bool is_ahead(uint16_t then, uint16_t now)
{
	return (uint16_t)(now - then) > UINT16_MAX / 2;
}

/* How many steps ago; none, of a time that is ahead. */
static uint16_t steps_since(uint16_t then, uint16_t now)
{
	return is_ahead(then, now) ? 0 : (uint16_t)(now - then);
}

static bool is_old(const struct regular *item, uint16_t now)
{
	return item->tag != 0 && steps_since(item->last, now) > KEPT_STEPS;
}

/* Never that of a free place. */
static uint32_t tag_of(uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32);
	return tag == 0 ? 1 : tag;
}

static struct regular *find(struct regulars *regulars, uint64_t hash, uint16_t now, struct regular **ret_place)
{
	struct regular *bucket = &regulars->items[(hash & (regulars->buckets - 1)) * WAYS];
	uint32_t tag = tag_of(hash);
	*ret_place = &bucket[0];
	for (unsigned i = 0; i < WAYS; i++) {
		if (is_old(&bucket[i], now))
			bucket[i] = (struct regular){0};
		if (bucket[i].tag == tag)
			return &bucket[i];
		if ((*ret_place)->tag != 0 &&
		    (bucket[i].tag == 0 || steps_since(bucket[i].last, now) > steps_since((*ret_place)->last, now)))
			*ret_place = &bucket[i];
	}
	return NULL;
}

bool regulars_meet(struct regulars *regulars, uint64_t hash, uint64_t wall_s, bool learn)
{
	uint16_t now = step_of(wall_s);
	struct regular *place, *item = find(regulars, hash, now, &place);
	if (item == NULL) {
		if (learn)
			*place = (struct regular){tag_of(hash), now, now};
		return false;
	}
	if (learn && is_ahead(item->first, now))
		item->first = now;
	if (learn)
		item->last = now;
	return steps_since(item->first, now) >= REGULAR_AFTER_STEPS;
}

void regulars_episode_begins(struct regulars *regulars, uint64_t wall_s)
{
	uint16_t now = step_of(wall_s);
	for (size_t i = 0; i < regulars->buckets * WAYS; i++)
		if (regulars->items[i].tag != 0 && steps_since(regulars->items[i].first, now) < REGULAR_AFTER_STEPS)
			regulars->items[i] = (struct regular){0};
}

struct slice regulars_bytes(const struct regulars *regulars)
{
	return slice_make(regulars->items, bytes_of(regulars));
}

bool regulars_load(struct regulars *regulars, struct slice bytes, uint64_t wall_s)
{
	if (bytes.len != bytes_of(regulars))
		return false;
	memcpy(regulars->items, bytes.ptr, bytes.len);
	uint16_t now = step_of(wall_s);
	for (size_t i = 0; i < regulars->buckets * WAYS; i++) {
		struct regular *item = &regulars->items[i];
		if (item->tag == 0 || is_old(item, now) || steps_since(item->first, now) < steps_since(item->last, now))
			*item = (struct regular){0};
	}
	return true;
}
