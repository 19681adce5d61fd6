/*
 * One pass over a bucket finds the key, or the rarest there. The most frequent are not kept in order: who asks goes
 * through all buckets.
 */
#include "traffic/heavy.h"

#include "base/error.h"

#include <stdlib.h>

enum { WAYS = 8 };

/* Free while both counts are 0. */
struct entry {
	struct heavy_key key;
	uint32_t now;
	uint32_t before;
	uint32_t now_error;
	uint32_t before_error;
};

struct bucket {
	_Alignas(64) struct entry entries[WAYS];
};

struct heavy {
	struct hash_key seed;
	uint32_t mask;
	struct bucket *buckets;
};

int heavy_new(uint32_t buckets, const struct hash_key *seed, struct heavy **ret_heavy)
{
	struct heavy *heavy = calloc(1, sizeof(*heavy));
	if (heavy == NULL)
		return -ENOMEM;
	*heavy = (struct heavy){*seed, buckets - 1, aligned_alloc(64, buckets * sizeof(struct bucket))};
	if (heavy->buckets == NULL) {
		free(heavy);
		return -ENOMEM;
	}
	memset(heavy->buckets, 0, buckets * sizeof(struct bucket));
	*ret_heavy = heavy;
	return 0;
}

void heavy_free(struct heavy *heavy)
{
	if (heavy != NULL)
		free(heavy->buckets);
	free(heavy);
}

static uint64_t weight(const struct entry *entry)
{
	return (uint64_t)entry->now + entry->before;
}

static void more(uint32_t *count)
{
	*count += *count < UINT32_MAX;
}

void heavy_add(struct heavy *heavy, struct heavy_key key)
{
	uint64_t hash = hash_quick(&heavy->seed, slice_make(&key, sizeof(key)));
	struct entry *entries = heavy->buckets[hash & heavy->mask].entries, *rarest = entries;
	for (size_t i = 0; i < WAYS; i++) {
		struct entry *entry = &entries[i];
		if (entry->key.word[0] == key.word[0] && entry->key.word[1] == key.word[1] && weight(entry) > 0) {
			more(&entry->now);
			return;
		}
		if (weight(entry) < weight(rarest))
			rarest = entry;
	}
	rarest->key = key;
	rarest->now_error = rarest->now;
	rarest->before_error = rarest->before;
	more(&rarest->now);
}

void heavy_roll(struct heavy *heavy)
{
	for (size_t i = 0; i <= heavy->mask; i++)
		for (size_t way = 0; way < WAYS; way++) {
			struct entry *entry = &heavy->buckets[i].entries[way];
			entry->before = entry->now;
			entry->before_error = entry->now_error;
			entry->now = entry->now_error = 0;
		}
}

/* Keeps `items` sorted; one that is too small for it is let go. */
static size_t insert(struct heavy_item *items, size_t count, size_t room, const struct heavy_item *item)
{
	size_t at = count;
	double sure = item->count - item->error;
	while (at > 0 && items[at - 1].count - items[at - 1].error < sure)
		at--;
	if (at == room)
		return count;
	size_t kept = count < room ? count : room - 1;
	memmove(items + at + 1, items + at, (kept - at) * sizeof(*items));
	items[at] = *item;
	return kept + 1;
}

size_t heavy_top(const struct heavy *heavy, double elapsed, struct heavy_item *items, size_t room)
{
	size_t count = 0;
	double share = 1 - elapsed;
	for (size_t i = 0; room > 0 && i <= heavy->mask; i++)
		for (size_t way = 0; way < WAYS; way++) {
			const struct entry *entry = &heavy->buckets[i].entries[way];
			struct heavy_item item = {entry->key, entry->now + entry->before * share,
						  entry->now_error + entry->before_error * share};
			if (item.count > item.error)
				count = insert(items, count, room, &item);
		}
	return count;
}
