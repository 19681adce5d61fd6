#include "limit/seen_sources.h"

#include <stdatomic.h>

enum { PROBES = 4, WORD_BITS = 64, BITS_A_SOURCE = 16, FIRST_WORDS = 64 };

size_t seen_sources_bytes(size_t sources, size_t *ret_words)
{
	size_t words = FIRST_WORDS;
	while (words < sources / (WORD_BITS / BITS_A_SOURCE))
		words *= 2;
	*ret_words = words;
	return sizeof(struct seen_sources) + 2 * words * sizeof(uint64_t);
}

uint64_t seen_sources_key(const struct seen_sources *s, const struct address *source)
{
	struct prefix who = address_prefix(source, address_is_v4(source) ? ADDRESS_BITS : ADDRESS_BITS / 2);
	return hash_bytes(&s->secret, slice_make(who.address.bytes, ADDRESS_BYTES));
}

/* Both bits and word of each probe come from different parts of a hash that is keyed already. */
static size_t probe_word(const struct seen_sources *s, uint64_t key, unsigned probe)
{
	uint64_t mixed = key * 0x9e3779b97f4a7c15u + probe * (key >> 32 | 1) * 0xd6e8feb86659fd93u;
	return (size_t)(mixed >> 20) & (s->words - 1);
}

static uint64_t probe_bit(uint64_t key, unsigned probe)
{
	return UINT64_C(1) << (key >> (probe * 6) & (WORD_BITS - 1));
}

static bool generation_has(const struct seen_sources *s, size_t generation, uint64_t key)
{
	const _Atomic uint64_t *bits = s->bits + generation * s->words;
	for (unsigned probe = 0; probe < PROBES; probe++) {
		uint64_t word = atomic_load_explicit(&bits[probe_word(s, key, probe)], memory_order_relaxed);
		if ((word & probe_bit(key, probe)) == 0)
			return false;
	}
	return true;
}

bool seen_sources_has(const struct seen_sources *s, uint64_t key)
{
	return generation_has(s, 0, key) || generation_has(s, 1, key);
}

/* The older generation is emptied and becomes the newer. One process does it; what others add meanwhile may be lost. */
static void turn_if_over(struct seen_sources *s, uint64_t now_ms)
{
	uint64_t began = atomic_load_explicit(&s->began_ms, memory_order_relaxed);
	uint32_t added = atomic_load_explicit(&s->added, memory_order_relaxed);
	bool full = added >= s->words * (WORD_BITS / BITS_A_SOURCE);
	bool old = now_ms > began && now_ms - began >= s->generation_ms;
	if (began != 0 && !full && !old)
		return;
	if (!atomic_compare_exchange_strong(&s->began_ms, &began, now_ms == 0 ? 1 : now_ms) || began == 0)
		return;
	atomic_store(&s->added, 0);
	uint32_t next = (atomic_load(&s->current) + 1) & 1;
	for (size_t i = 0; i < s->words; i++)
		atomic_store_explicit(&s->bits[next * s->words + i], 0, memory_order_relaxed);
	atomic_store(&s->current, next);
}

void seen_sources_add(struct seen_sources *s, uint64_t key, uint64_t now_ms)
{
	turn_if_over(s, now_ms);
	size_t current = atomic_load_explicit(&s->current, memory_order_relaxed) & 1;
	if (generation_has(s, current, key))
		return;
	for (unsigned probe = 0; probe < PROBES; probe++)
		atomic_fetch_or_explicit(&s->bits[current * s->words + probe_word(s, key, probe)],
					 probe_bit(key, probe), memory_order_relaxed);
	atomic_fetch_add_explicit(&s->added, 1, memory_order_relaxed);
}
