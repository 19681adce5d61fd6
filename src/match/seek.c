/*
 * Tables by AVX2 or AVX-512 leave some places of a block; a hash of the window's first bytes leaves fewer; the words of
 * the buckets are compared at these. What that takes is counted against the value's length.
 */
#include "match/seek.h"

#include "base/word.h"
#include "match/pattern_width.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
	BLOCK = 64,
	READ = BLOCK + SEEK_WINDOW - 1, /* bytes that are looked at for a block of places */
	SPENT_EACH = 4,                 /* bytes: if more is spent, the tables are no filter */
	SPENT_LEAST = 64,               /* places and words */
};

#define FOLD   0xdfdfdfdfu
#define SHORT  0x00ffffffu
#define SPREAD 0x9e3779b1u

/* Places of a block where windows may begin. */
struct block {
	uint64_t places;
	uint8_t buckets[BLOCK];
};

static double share_of(struct slice window)
{
	double text = 1, noise = 1;
	for (size_t i = 0; i < window.len; i++) {
		text *= pattern_byte_frequency(byte_lower(window.ptr[i]));
		noise *= (byte_is_alpha(window.ptr[i]) ? 2.0 : 1.0) / 256;
	}
	return text + noise;
}

struct seek_word seek_word_make(struct slice text, uint32_t mark, uint64_t ways)
{
	struct seek_word word = {.text = text, .mark = mark, .ways = ways};
	size_t len = text.len < SEEK_WINDOW ? text.len : SEEK_WINDOW;
	double least = 2;
	for (size_t i = 0; i + len <= text.len; i++) {
		double share = share_of(slice_sub(text, i, i + len));
		if (share < least && i <= UINT8_MAX) {
			least = share;
			word.offset = (uint8_t)i;
		}
	}
	uint8_t window[sizeof(word.window)] = {0}, mask[sizeof(word.mask)] = {0};
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text.ptr[word.offset + i];
		mask[i] = byte_is_alpha(c) ? 0xdf : 0xff;
		window[i] = c & mask[i];
	}
	word.window = word_load8(window);
	word.mask = word_load8(mask);
	return word;
}

/* Short windows first: in a bucket with one, places behind it tell nothing. */
int seek_word_order(const void *a, const void *b)
{
	const struct seek_word *left = a, *right = b;
	int l_short = left->mask >> 32 == 0 ? __builtin_clzll(left->mask) : 0;
	int r_short = right->mask >> 32 == 0 ? __builtin_clzll(right->mask) : 0;
	if (l_short != r_short)
		return l_short > r_short ? -1 : 1;
	uint64_t l = __builtin_bswap64(left->window), r = __builtin_bswap64(right->window);
	return l != r ? (l < r ? -1 : 1) : (left->mark > right->mark) - (left->mark < right->mark);
}

static void add_byte(struct seeker *s, size_t at, uint8_t byte, uint8_t bucket)
{
	s->low[at][byte & 15] |= bucket;
	s->high[at][byte >> 4] |= bucket;
}

static void add_word(struct seeker *s, const struct seek_word *word, uint8_t bucket)
{
	for (size_t i = 0; i < SEEK_WINDOW; i++) {
		uint8_t byte = (uint8_t)(word->window >> 8 * i), mask = (uint8_t)(word->mask >> 8 * i);
		for (unsigned half = 0; mask == 0 && half < 16; half++)
			add_byte(s, i, (uint8_t)(half << 4 | half), bucket);
		if (mask != 0)
			add_byte(s, i, byte, bucket);
		if (mask == 0xdf)
			add_byte(s, i, byte | 0x20, bucket);
	}
}

static inline unsigned hash_of(uint64_t window)
{
	return ((uint32_t)window & FOLD) * SPREAD >> 22;
}

static void add_hash(struct seeker *s, const struct seek_word *word)
{
	unsigned hash = hash_of(word->window);
	uint64_t *bits = word->mask > SHORT ? s->windows : s->short_windows;
	bits[hash / 64] |= (uint64_t)1 << hash % 64;
}

static inline bool has_hash(const uint64_t *bits, unsigned hash)
{
	return (bits[hash / 64] >> hash % 64 & 1) != 0;
}

void seeker_make(struct seeker *s)
{
	memset(s->low, 0, sizeof(s->low));
	memset(s->high, 0, sizeof(s->high));
	memset(s->windows, 0, sizeof(s->windows));
	memset(s->short_windows, 0, sizeof(s->short_windows));
	for (size_t bucket = 0; bucket < SEEK_BUCKETS; bucket++) {
		s->first[bucket] = s->count * bucket / SEEK_BUCKETS;
		s->first[bucket + 1] = s->count * (bucket + 1) / SEEK_BUCKETS;
		for (size_t i = s->first[bucket]; i < s->first[bucket + 1]; i++) {
			add_word(s, s->words[i], (uint8_t)(1 << bucket));
			add_hash(s, s->words[i]);
		}
	}
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static inline __m256i buckets_by_32(const __m256i *low, const __m256i *high,
								    const uint8_t *bytes)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i buckets = _mm256_set1_epi8(-1);
#pragma GCC unroll 6
	for (size_t i = 0; i < SEEK_WINDOW; i++) {
		__m256i b = _mm256_loadu_si256((const __m256i *)(bytes + i));
		__m256i by_low = _mm256_shuffle_epi8(low[i], _mm256_and_si256(b, half));
		__m256i by_high = _mm256_shuffle_epi8(high[i], _mm256_and_si256(_mm256_srli_epi16(b, 4), half));
		buckets = _mm256_and_si256(buckets, _mm256_and_si256(by_low, by_high));
	}
	return buckets;
}

__attribute__((target("avx2"))) static size_t next_by_32(const struct seeker *s, const uint8_t *bytes, size_t at,
							 size_t count, struct block *block)
{
	const __m256i none = _mm256_setzero_si256();
	__m256i low[SEEK_WINDOW], high[SEEK_WINDOW];
	for (size_t i = 0; i < SEEK_WINDOW; i++) {
		low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)s->low[i]));
		high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)s->high[i]));
	}
	for (; count - at >= READ; at += BLOCK) {
		__m256i left = buckets_by_32(low, high, bytes + at);
		__m256i right = buckets_by_32(low, high, bytes + at + BLOCK / 2);
		__m256i any = _mm256_or_si256(left, right);
		if (_mm256_testz_si256(any, any))
			continue;
		block->places = ~((uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(right, none)) << 32 |
				  (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(left, none)));
		_mm256_storeu_si256((__m256i *)block->buckets, left);
		_mm256_storeu_si256((__m256i *)(block->buckets + BLOCK / 2), right);
		break;
	}
	return at;
}

__attribute__((target("avx512bw"))) static size_t next_by_64(const struct seeker *s, const uint8_t *bytes, size_t at,
							     size_t count, struct block *block)
{
	const __m512i half = _mm512_set1_epi8(15);
	__m512i low[SEEK_WINDOW], high[SEEK_WINDOW];
	for (size_t i = 0; i < SEEK_WINDOW; i++) {
		low[i] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)s->low[i]));
		high[i] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)s->high[i]));
	}
	for (; count - at >= READ; at += BLOCK) {
		__m512i buckets = _mm512_set1_epi8(-1);
#pragma GCC unroll 6
		for (size_t i = 0; i < SEEK_WINDOW; i++) {
			__m512i b = _mm512_loadu_si512(bytes + at + i);
			__m512i by_low = _mm512_shuffle_epi8(low[i], _mm512_and_si512(b, half));
			__m512i by_high = _mm512_shuffle_epi8(high[i], _mm512_and_si512(_mm512_srli_epi16(b, 4), half));
			buckets = _mm512_and_si512(buckets, _mm512_and_si512(by_low, by_high));
		}
		block->places = _mm512_test_epi8_mask(buckets, buckets);
		if (block->places != 0) {
			_mm512_storeu_si512(block->buckets, buckets);
			break;
		}
	}
	return at;
}

bool seek_is_possible(void)
{
	return __builtin_cpu_supports("avx2");
}

/* The first block, from byte `at` on, in which a window may begin; or where less than READ bytes are left. */
static size_t next_block(const struct seeker *s, const uint8_t *bytes, size_t at, size_t count, struct block *block)
{
	block->places = 0;
	return __builtin_cpu_supports("avx512bw") ? next_by_64(s, bytes, at, count, block)
						  : next_by_32(s, bytes, at, count, block);
}

#else

bool seek_is_possible(void)
{
	return false;
}

static size_t next_block(const struct seeker *s, const uint8_t *bytes, size_t at, size_t count, struct block *block)
{
	(void)s, (void)bytes, (void)count;
	block->places = 0;
	return at;
}

#endif

struct search {
	const struct seeker *seeker;
	struct slice value;
	seek_hit *hit;
	void *context;
	size_t spent; /* places looked at and words compared */
	bool ended;
};

/* With zeros where the value has ended. */
static uint64_t window_at(struct slice value, size_t at)
{
	uint64_t window = 0;
	if (value.len - at >= sizeof(window))
		return word_load8(value.ptr + at);
	memcpy(&window, value.ptr + at, value.len - at);
	return window;
}

static void compare_bucket(struct search *search, size_t bucket, size_t place, uint64_t window)
{
	const struct seeker *s = search->seeker;
	struct slice value = search->value;
	search->spent += s->first[bucket + 1] - s->first[bucket];
	for (size_t i = s->first[bucket]; i < s->first[bucket + 1] && !search->ended; i++) {
		const struct seek_word *word = s->words[i];
		size_t at = place - word->offset;
		if ((window & word->mask) == word->window && place >= word->offset &&
		    at + word->text.len <= value.len &&
		    slice_equal_nocase(slice_sub(value, at, at + word->text.len), word->text))
			search->ended = search->hit(search->context, word, at);
	}
}

static void compare_block(struct search *search, const struct block *block, size_t from)
{
	const struct seeker *s = search->seeker;
	for (uint64_t places = block->places; places != 0; places &= places - 1) {
		size_t at = (size_t)__builtin_ctzll(places);
		if (from + at >= search->value.len)
			break;
		uint64_t window = window_at(search->value, from + at);
		search->spent++;
		if (!has_hash(s->windows, hash_of(window)) && !has_hash(s->short_windows, hash_of(window & SHORT)))
			continue;
		for (unsigned buckets = block->buckets[at]; buckets != 0; buckets &= buckets - 1)
			compare_bucket(search, (size_t)__builtin_ctz(buckets), from + at, window);
	}
}

/* What is left at the end is looked at with zeros behind it. */
static void compare_rest(struct search *search, size_t from)
{
	uint8_t rest[2 * BLOCK + READ] = {0};
	struct block block;
	size_t left = search->value.len - from;
	if (left > 0)
		memcpy(rest, search->value.ptr + from, left);
	for (size_t at = 0; at < left; at += BLOCK) {
		at = next_block(search->seeker, rest, at, sizeof(rest), &block);
		compare_block(search, &block, from + at);
	}
}

bool seeker_run(const struct seeker *seeker, struct slice value, seek_hit *hit, void *context)
{
	struct search search = {.seeker = seeker, .value = value, .hit = hit, .context = context};
	struct block block;
	size_t most = value.len / SPENT_EACH + SPENT_LEAST, at = 0;
	for (; value.len - at >= READ; at += BLOCK) {
		at = next_block(seeker, value.ptr, at, value.len, &block);
		if (block.places == 0)
			break;
		compare_block(&search, &block, at);
		if (search.ended || search.spent > most)
			return search.ended;
	}
	compare_rest(&search, at);
	return true;
}
