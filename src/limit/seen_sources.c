/*
 * Four filters of one size, two generations and two stages. So a stage is promoted by or-ing its words into the newer
 * generation. There is no timer: whoever adds a source turns what is due.
 */
#include "limit/seen_sources.h"

#include <stdatomic.h>

enum { PROBES = 4, WORD_BITS = 64, BITS_A_SOURCE = 16, FIRST_WORDS = 64, STAGES = 2, FILTERS = 4 };

size_t seen_sources_bytes(size_t sources, size_t *ret_words)
{
	size_t words = FIRST_WORDS;
	while (words < sources / (WORD_BITS / BITS_A_SOURCE))
		words *= 2;
	*ret_words = words;
	return sizeof(struct seen_sources) + FILTERS * words * sizeof(uint64_t);
}

uint64_t seen_sources_key(const struct seen_sources *s, const struct address *source)
{
	struct prefix who = address_prefix(source, address_is_v4(source) ? ADDRESS_BITS : ADDRESS_BITS / 2);
	return hash_bytes(&s->secret, slice_make(who.address.bytes, ADDRESS_BYTES));
}

#define OTHER_SPREAD UINT64_C(0xd6e8feb86659fd93) /* odd, and as good as random */

/* Both bits and word of each probe come from different parts of a hash that is keyed already. */
static size_t probe_word(const struct seen_sources *s, uint64_t key, unsigned probe)
{
	uint64_t mixed = key * HASH_SPREAD + probe * (key >> 32 | 1) * OTHER_SPREAD;
	return (size_t)(mixed >> 20) & (s->words - 1);
}

static uint64_t probe_bit(uint64_t key, unsigned probe)
{
	return UINT64_C(1) << (key >> (probe * 6) & (WORD_BITS - 1));
}

/* The first two are generations, the others stages. */
static bool filter_has(const struct seen_sources *s, size_t filter, uint64_t key)
{
	const _Atomic uint64_t *bits = s->bits + filter * s->words;
	for (unsigned probe = 0; probe < PROBES; probe++) {
		uint64_t word = atomic_load_explicit(&bits[probe_word(s, key, probe)], memory_order_relaxed);
		if ((word & probe_bit(key, probe)) == 0)
			return false;
	}
	return true;
}

static void filter_add(struct seen_sources *s, size_t filter, uint64_t key)
{
	_Atomic uint64_t *bits = s->bits + filter * s->words;
	for (unsigned probe = 0; probe < PROBES; probe++)
		atomic_fetch_or_explicit(&bits[probe_word(s, key, probe)], probe_bit(key, probe), memory_order_relaxed);
}

static void filter_empty(struct seen_sources *s, size_t filter)
{
	for (size_t i = 0; i < s->words; i++)
		atomic_store_explicit(&s->bits[filter * s->words + i], 0, memory_order_relaxed);
}

static bool is_known(const struct seen_sources *s, uint64_t key)
{
	return filter_has(s, 0, key) || filter_has(s, 1, key);
}

enum seen seen_sources_ask(const struct seen_sources *s, uint64_t key)
{
	if (is_known(s, key))
		return SEEN_KNOWN;
	return filter_has(s, STAGES, key) || filter_has(s, STAGES + 1, key) ? SEEN_LATELY : SEEN_NEVER;
}

/* ---- generations ---- */

static uint64_t capacity_of(const struct seen_sources *s)
{
	return s->words * (WORD_BITS / BITS_A_SOURCE);
}

/* Before `more` are added. The older generation is emptied and becomes the newer. One process does it; what others add
 * meanwhile may be lost. */
static void generations_turn(struct seen_sources *s, uint32_t more, uint64_t now_ms)
{
	uint64_t began = atomic_load_explicit(&s->began_ms, memory_order_relaxed);
	uint32_t added = atomic_load_explicit(&s->added, memory_order_relaxed);
	bool full = (uint64_t)added + more > capacity_of(s);
	bool old = now_ms > began && now_ms - began >= s->generation_ms;
	if (began != 0 && !full && !old)
		return;
	if (!atomic_compare_exchange_strong(&s->began_ms, &began, now_ms == 0 ? 1 : now_ms) || began == 0)
		return;
	atomic_store(&s->added, 0);
	uint32_t next = (atomic_load(&s->current) + 1) & 1;
	filter_empty(s, next);
	atomic_store(&s->current, next);
}

static size_t newer_generation(const struct seen_sources *s)
{
	return atomic_load_explicit(&s->current, memory_order_relaxed) & 1;
}

/* ---- stages ---- */

static size_t newer_stage(const struct seen_sources *s)
{
	return STAGES + (atomic_load_explicit(&s->stage, memory_order_relaxed) & 1);
}

/* Who was on trial in the older stage is known from now on. How many they are is told by their bits. */
static void stage_promote(struct seen_sources *s, size_t stage, uint64_t now_ms)
{
	size_t bits = 0;
	for (size_t i = 0; i < s->words; i++)
		bits += (size_t)__builtin_popcountll(s->bits[stage * s->words + i]);
	generations_turn(s, (uint32_t)(bits / PROBES), now_ms);
	size_t generation = newer_generation(s);
	for (size_t i = 0; i < s->words; i++) {
		uint64_t word = atomic_load_explicit(&s->bits[stage * s->words + i], memory_order_relaxed);
		if (word != 0)
			atomic_fetch_or_explicit(&s->bits[generation * s->words + i], word, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&s->added, (uint32_t)(bits / PROBES), memory_order_relaxed);
}

/* One process does it; what others add meanwhile may be lost. */
static void stages_turn(struct seen_sources *s, uint64_t now_ms)
{
	uint64_t distrusted = atomic_load_explicit(&s->distrusted_ms, memory_order_relaxed);
	if (distrusted != 0) {
		if (!atomic_compare_exchange_strong(&s->distrusted_ms, &distrusted, 0))
			return;
		filter_empty(s, STAGES);
		filter_empty(s, STAGES + 1);
		atomic_store(&s->staged, 0);
		atomic_store(&s->stage_began_ms, now_ms == 0 ? 1 : now_ms);
		return;
	}
	uint64_t began = atomic_load_explicit(&s->stage_began_ms, memory_order_relaxed);
	if (began != 0 && (now_ms <= began || now_ms - began < s->trial_ms))
		return;
	if (!atomic_compare_exchange_strong(&s->stage_began_ms, &began, now_ms == 0 ? 1 : now_ms) || began == 0)
		return;
	size_t older = newer_stage(s) ^ 1;
	stage_promote(s, older, now_ms);
	filter_empty(s, older);
	atomic_store(&s->staged, 0);
	atomic_store(&s->stage, (uint32_t)(older - STAGES));
}

/* What a full stage took in besides would make everybody known. */
static void stage_add(struct seen_sources *s, uint64_t key)
{
	size_t stage = newer_stage(s);
	if (filter_has(s, stage, key) || atomic_load_explicit(&s->staged, memory_order_relaxed) >= capacity_of(s))
		return;
	filter_add(s, stage, key);
	atomic_fetch_add_explicit(&s->staged, 1, memory_order_relaxed);
}

void seen_sources_distrust(struct seen_sources *s, uint64_t now_ms)
{
	if (atomic_load_explicit(&s->distrusted_ms, memory_order_relaxed) == 0)
		atomic_store_explicit(&s->distrusted_ms, now_ms == 0 ? 1 : now_ms, memory_order_relaxed);
}

void seen_sources_add(struct seen_sources *s, uint64_t key, uint64_t now_ms)
{
	generations_turn(s, 1, now_ms);
	stages_turn(s, now_ms);
	size_t generation = newer_generation(s);
	if (filter_has(s, generation, key))
		return;
	if (s->trial_ms != 0 && !is_known(s, key)) {
		stage_add(s, key);
		return;
	}
	filter_add(s, generation, key);
	atomic_fetch_add_explicit(&s->added, 1, memory_order_relaxed);
}
