/*
 * Each gram begins as a heap; the two whose union lets through the fewest more places of plain text become one, until
 * few are left. A value is copied between zeros, as its edges are places too.
 */
#include "match/gram_sieve.h"

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
	PLACES = PATTERN_GRAM_BYTES,
	HALVES = 16,
	HALF_SETS = 256,  /* of eight halves each */
	EDGES_ONE_OF = 20 /* of a short value's places */
};

/* How many of a value's places have a byte of each high half whose low half is in a set, of the lower eight and the
 * others. */
struct weights {
	float of[HALVES][2][HALF_SETS];
	float all;
};

/* Bytes by halves: those that a heap takes for its own in a place. */
struct heap {
	uint16_t low[PLACES];
	uint16_t high[PLACES];
	uint64_t grams;
	float share; /* of places that are taken to hold one of its grams */
};

/* The edge stands for the byte 0, which is hardly ever in a value. */
static float weight_of(unsigned byte)
{
	return byte == 0 ? 1.0f / EDGES_ONE_OF : (float)pattern_gram_share_of_byte((uint8_t)byte);
}

static void weigh_halves(struct weights *weights)
{
	weights->all = 0;
	for (unsigned high = 0; high < HALVES; high++) {
		for (unsigned part = 0; part < 2; part++) {
			float *of = weights->of[high][part];
			of[0] = 0;
			for (unsigned set = 1; set < HALF_SETS; set++)
				of[set] = of[set & (set - 1)] +
					  weight_of(high * HALVES + part * 8 + (unsigned)__builtin_ctz(set));
			weights->all += of[HALF_SETS - 1];
		}
	}
}

static float share_of(const struct weights *weights, const struct heap *heap)
{
	float share = 1;
	for (unsigned place = 0; place < PLACES; place++) {
		float sum = 0;
		for (unsigned left = heap->high[place]; left != 0; left &= left - 1) {
			const float(*of)[HALF_SETS] = weights->of[__builtin_ctz(left)];
			sum += of[0][heap->low[place] & 255] + of[1][heap->low[place] >> 8];
		}
		share *= sum / weights->all;
	}
	return share;
}

static struct heap joined(const struct weights *weights, const struct heap *a, const struct heap *b)
{
	struct heap heap = {.grams = a->grams | b->grams};
	for (unsigned place = 0; place < PLACES; place++) {
		heap.low[place] = a->low[place] | b->low[place];
		heap.high[place] = a->high[place] | b->high[place];
	}
	heap.share = share_of(weights, &heap);
	return heap;
}

static struct heap heap_of_gram(const struct weights *weights, const gram_row rows[static GRAM_SIEVE_EDGE + 1],
				size_t gram)
{
	struct heap heap = {.grams = (uint64_t)1 << gram};
	for (unsigned place = 0; place < PLACES; place++) {
		for (unsigned c = 0; c <= GRAM_SIEVE_EDGE; c++) {
			unsigned byte = c & 255;
			if ((rows[c][place] >> gram & 1) == 0)
				continue;
			heap.low[place] |= (uint16_t)(1u << byte % HALVES);
			heap.high[place] |= (uint16_t)(1u << byte / HALVES);
		}
	}
	heap.share = share_of(weights, &heap);
	return heap;
}

/* By how much more often one is taken to be there when both are put together. */
static float cost_of(const struct weights *weights, const struct heap *a, const struct heap *b)
{
	return joined(weights, a, b).share - a->share - b->share;
}

struct costs {
	float of[GRAM_SIEVE_GRAMS][GRAM_SIEVE_GRAMS]; /* of two heaps, the second before the first */
};

static void price(const struct weights *weights, const struct heap *heaps, size_t count, size_t at, struct costs *costs)
{
	for (size_t i = 0; i < count; i++)
		if (i != at)
			costs->of[i > at ? i : at][i > at ? at : i] = cost_of(weights, &heaps[i], &heaps[at]);
}

/* The two that cost least become one, and the last takes the place of the other. */
static void join_cheapest(const struct weights *weights, struct heap *heaps, size_t count, struct costs *costs)
{
	size_t first = 1, second = 0;
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (costs->of[i][k] < costs->of[first][second])
				first = i, second = k;
	heaps[second] = joined(weights, &heaps[second], &heaps[first]);
	heaps[first] = heaps[count - 1];
	price(weights, heaps, count - 1, second, costs);
	if (first < count - 1)
		price(weights, heaps, count - 1, first, costs);
}

static void write_heap(const struct heap *heap, size_t number, struct gram_sieve *sieve)
{
	uint8_t bit = (uint8_t)(1u << number);
	for (unsigned place = 0; place < PLACES; place++) {
		for (unsigned i = 0; i < HALVES; i++) {
			sieve->low[place][i] |= (heap->low[place] >> i & 1) != 0 ? bit : 0;
			sieve->high[place][i] |= (heap->high[place] >> i & 1) != 0 ? bit : 0;
		}
	}
	sieve->grams[number] = heap->grams;
}

void gram_sieve_make(const gram_row rows[static GRAM_SIEVE_EDGE + 1], size_t count, struct gram_sieve *ret_sieve)
{
	struct weights weights;
	struct heap heaps[GRAM_SIEVE_GRAMS];
	struct costs costs;
	*ret_sieve = (struct gram_sieve){0};
	weigh_halves(&weights);
	for (size_t i = 0; i < count; i++) {
		heaps[i] = heap_of_gram(&weights, rows, i);
		price(&weights, heaps, i, i, &costs);
	}
	for (; count > GRAM_SIEVE_HEAPS; count--)
		join_cheapest(&weights, heaps, count, &costs);
	for (size_t i = 0; i < count; i++)
		write_heap(&heaps[i], i, ret_sieve);
}

#if defined(__x86_64__)

#define WIDE __attribute__((target("avx2")))

enum { STEP = 32, BEFORE = PLACES, ROOM = BEFORE + GRAM_SIEVE_VALUE_BYTES + STEP + PLACES };

bool gram_sieve_is_possible(void)
{
	return __builtin_cpu_supports("avx2");
}

/* The heaps that are held at each of so many places, which begin at `at`. */
WIDE static inline __m256i held(const __m256i low[static PLACES], const __m256i high[static PLACES], const uint8_t *at)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i all = _mm256_set1_epi8(-1);
	for (unsigned place = 0; place < PLACES; place++) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(at + place));
		__m256i highs = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
		__m256i by_low = _mm256_shuffle_epi8(low[place], _mm256_and_si256(bytes, half));
		all = _mm256_and_si256(all, _mm256_and_si256(by_low, _mm256_shuffle_epi8(high[place], highs)));
	}
	return all;
}

/* The heaps that have a wanted gram. */
WIDE static inline __m256i heaps_with(const struct gram_sieve *sieve, uint64_t wanted)
{
	const __m256i grams = _mm256_set1_epi64x((long long)wanted);
	unsigned none = 0;
	for (unsigned i = 0; i < GRAM_SIEVE_HEAPS; i += 4) {
		__m256i some = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)&sieve->grams[i]), grams);
		__m256d nothing = _mm256_castsi256_pd(_mm256_cmpeq_epi64(some, _mm256_setzero_si256()));
		none |= (unsigned)_mm256_movemask_pd(nothing) << i;
	}
	return _mm256_set1_epi8((char)~none);
}

/* A value with its edges: zeros before and behind it, of which the last before it and the first behind it count. */
struct sieved {
	const gram_row *rows;
	const uint64_t *before;
	size_t len;
	uint8_t room[ROOM];
};

/* Of one of a gram's places, which may be at an edge or before it. */
static uint64_t grams_at(const struct sieved *v, size_t at, unsigned place)
{
	if (at < BEFORE - 1)
		return v->before[place];
	bool edge = at == BEFORE - 1 || at == BEFORE + v->len;
	return v->rows[edge ? GRAM_SIEVE_EDGE : v->room[at]][place];
}

/* The grams that begin at a place. */
static inline uint64_t grams_of(const struct sieved *v, size_t at)
{
	uint64_t grams = UINT64_MAX;
	bool within = at >= BEFORE && at + PLACES <= BEFORE + v->len;
	for (unsigned i = 0; i < PLACES; i++)
		grams &= within ? v->rows[v->room[at + i]][i] : grams_at(v, at + i, i);
	return grams;
}

WIDE static inline __m256i table_of(const uint8_t halves[static HALVES])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)halves));
}

WIDE static uint64_t find_in(const struct gram_sieve *sieve, const struct sieved *v, uint64_t wanted)
{
	const __m256i heaps = heaps_with(sieve, wanted), zero = _mm256_setzero_si256();
	size_t places = v->len + 2; /* a gram can end at either edge */
	uint64_t found = 0;
	__m256i low[PLACES], high[PLACES];
	for (unsigned place = 0; place < PLACES; place++) {
		low[place] = table_of(sieve->low[place]);
		high[place] = table_of(sieve->high[place]);
	}
	for (size_t at = 0; at < places; at += STEP) {
		__m256i here = _mm256_and_si256(held(low, high, v->room + at), heaps);
		if (_mm256_testz_si256(here, here))
			continue;
		uint32_t none = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(here, zero));
		uint32_t left = ~none & (places - at < STEP ? (1u << (places - at)) - 1 : UINT32_MAX);
		for (; left != 0; left &= left - 1)
			found |= grams_of(v, at + (size_t)__builtin_ctz(left));
	}
	return found & wanted;
}

uint64_t gram_sieve_find(const struct gram_sieve *sieve, const gram_row rows[static GRAM_SIEVE_EDGE + 1],
			 const uint64_t before[static PLACES - 1], struct slice value, bool lowered, uint64_t wanted)
{
	struct sieved v;
	v.rows = rows;
	v.before = before;
	v.len = value.len;
	memset(v.room, 0, BEFORE);
	if (value.len > 0)
		memcpy(v.room + BEFORE, value.ptr, value.len);
	for (size_t i = BEFORE; lowered && i < BEFORE + value.len; i++)
		v.room[i] = byte_lower(v.room[i]);
	memset(v.room + BEFORE + value.len, 0, STEP + PLACES);
	return find_in(sieve, &v, wanted);
}

#else

bool gram_sieve_is_possible(void)
{
	return false;
}

uint64_t gram_sieve_find(const struct gram_sieve *sieve, const gram_row rows[static GRAM_SIEVE_EDGE + 1],
			 const uint64_t before[static PLACES - 1], struct slice value, bool lowered, uint64_t wanted)
{
	(void)sieve, (void)rows, (void)before, (void)value, (void)lowered;
	return wanted;
}

#endif
