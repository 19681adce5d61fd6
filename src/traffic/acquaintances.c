/*
 * A bucket is a line of the cache: the hash's lower bits choose it, its upper half is the tag. What is too old is freed
 * when its bucket is looked at.
 */
#include "traffic/acquaintances.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, STEP_MS = 100 };

/* All zero: free. */
struct acquaintance {
	uint32_t tag;
	uint32_t since; /* steps, from 1 on */
};

struct acquaintances {
	size_t buckets; /* a power of two */
	struct acquaintance *items;
};

int acquaintances_new(size_t count, struct acquaintances **ret_acquaintances)
{
	struct acquaintances *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	for (a->buckets = 1; a->buckets * WAYS < count;)
		a->buckets *= 2;
	size_t bytes = a->buckets * WAYS * sizeof(*a->items);
	a->items = aligned_alloc(64, bytes);
	if (a->items == NULL) {
		free(a);
		return -ENOMEM;
	}
	memset(a->items, 0, bytes);
	*ret_acquaintances = a;
	return 0;
}

void acquaintances_free(struct acquaintances *acquaintances)
{
	if (acquaintances != NULL)
		free(acquaintances->items);
	free(acquaintances);
}

static struct acquaintance *bucket_of(const struct acquaintances *acquaintances, uint64_t hash)
{
	return &acquaintances->items[(hash & (acquaintances->buckets - 1)) * WAYS];
}

void acquaintances_expect(const struct acquaintances *acquaintances, uint64_t hash)
{
	__builtin_prefetch(bucket_of(acquaintances, hash));
}

uint64_t acquaintances_meet(struct acquaintances *acquaintances, uint64_t hash, uint64_t now_ms, bool learn)
{
	struct acquaintance *bucket = bucket_of(acquaintances, hash), *place = &bucket[0];
	uint32_t tag = (uint32_t)(hash >> 32) | 1, now = (uint32_t)(now_ms / STEP_MS) + 1;
	for (unsigned i = 0; i < WAYS; i++) {
		if (now > bucket[i].since && now - bucket[i].since > ACQUAINTANCE_KEPT_MS / STEP_MS)
			bucket[i] = (struct acquaintance){0};
		if (bucket[i].since != 0 && bucket[i].tag == tag)
			return (uint64_t)(bucket[i].since - 1) * STEP_MS;
		if (place->since != 0 && (bucket[i].since == 0 || bucket[i].since > place->since))
			place = &bucket[i];
	}
	if (learn)
		*place = (struct acquaintance){tag, now};
	return ACQUAINTANCE_NEVER;
}
