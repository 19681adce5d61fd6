/* A slot is one word, tag and time in milliseconds, so that it is read and written whole. */
#include "limit/source_pace.h"

static uint64_t buckets_for(size_t sources)
{
	uint64_t buckets = 1;
	while (buckets * SOURCE_PACE_BUCKET < sources)
		buckets *= 2;
	return buckets;
}

size_t source_pace_bytes(size_t sources)
{
	return sizeof(struct source_pace) + buckets_for(sources) * SOURCE_PACE_BUCKET * sizeof(uint64_t);
}

void source_pace_init(struct source_pace *pace, size_t sources)
{
	pace->secret = hash_key_random();
	pace->buckets = buckets_for(sources);
}

/* How far ahead of ours another process' clock may have been. */
enum { AHEAD_MS = 5000 };

/* Times wrap after 49 days; 0 is a free slot's. */
static uint32_t age_of(uint64_t slot, uint32_t now)
{
	uint32_t ahead = (uint32_t)slot - now;
	if (slot == 0)
		return UINT32_MAX;
	return ahead <= AHEAD_MS ? 0 : now - (uint32_t)slot;
}

uint64_t source_pace_meet(struct source_pace *pace, const struct address *source, uint64_t now_ms)
{
	uint64_t hash = hash_words(&pace->secret, address_high(source), address_low(source));
	_Atomic uint64_t *bucket = &pace->slots[(hash & (pace->buckets - 1)) * SOURCE_PACE_BUCKET];
	uint32_t now = (uint32_t)now_ms, tag = (uint32_t)(hash >> 32) | 1, age, oldest = 0;
	unsigned place = 0;

	for (unsigned i = 0; i < SOURCE_PACE_BUCKET; i++) {
		uint64_t slot = atomic_load_explicit(&bucket[i], memory_order_relaxed);
		age = age_of(slot, now);
		if (slot >> 32 == tag) {
			atomic_store_explicit(&bucket[i], (uint64_t)tag << 32 | now, memory_order_relaxed);
			return age > SOURCE_PACE_MOST_MS ? 0 : age == 0 ? 1 : age;
		}
		if (age >= oldest) {
			oldest = age;
			place = i;
		}
	}
	atomic_store_explicit(&bucket[place], (uint64_t)tag << 32 | now, memory_order_relaxed);
	return 0;
}
