/*
 * A set-associative table with a keyed hash. A source whose time is over begins anew in its own place, and is told of
 * once more when it has come to enough again.
 */
#include "casebook/missing.h"

static bool is_of_now(const struct missing_source *source, uint64_t now_ms)
{
	return source->count > 0 && now_ms >= source->since_ms && now_ms - source->since_ms < MISSING_WINDOW_MS;
}

/* Its own place, or that of who is out of time, or asked for least. */
static struct missing_source *place_of(struct missing *missing, const struct address *source, uint64_t now_ms)
{
	uint64_t set = hash_words(&missing->key, address_high(source), address_low(source)) % MISSING_SETS;
	struct missing_source *ways = missing->sources[set], *least = ways;
	for (size_t i = 0; i < MISSING_WAYS; i++)
		if (ways[i].count > 0 && address_equal(&ways[i].address, source))
			return &ways[i];
	for (size_t i = 0; i < MISSING_WAYS; i++) {
		if (!is_of_now(&ways[i], now_ms))
			return &ways[i];
		if (ways[i].count < least->count)
			least = &ways[i];
	}
	return least;
}

uint32_t missing_add(struct missing *missing, const struct address *source, uint64_t path, uint64_t now_ms)
{
	struct missing_source *place = place_of(missing, source, now_ms);
	if (!address_equal(&place->address, source) || !is_of_now(place, now_ms))
		*place = (struct missing_source){.address = *source, .since_ms = now_ms};
	place->count++;
	place->paths |= UINT64_C(1) << path % 64;
	if (place->told)
		return 1;
	place->told = place->count >= MISSING_ENOUGH && __builtin_popcountll(place->paths) >= MISSING_PATHS;
	return place->told ? place->count : 0;
}
