#include "match/scan_filter.h"

#include "base/error.h"
#include "base/word.h"

#include <limits.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { FOUR = 4, LOG_LEAST = 4, LOG_MOST = 15, BITS_PER_LITERAL = 96, SHORT_LOG = 7, LANES = 8, BLOCK_BYTES = 16 };

/* Case and more is folded away; what is left is spread over 32 bits twice. */
#define FOLD        0x20202020u
#define SHORT_MASK  0x00ffffffu
#define SPREAD      0x9e3779b1u
#define SPREAD_BITS 0x85ebca77u

/* Words of which a literal has three bits in one. */
struct table {
	const uint32_t *words;
	unsigned shift;
};

struct scan_filter {
	bool is_empty;
	bool has_short;
	uint32_t short_words[1 << SHORT_LOG]; /* literals of three bytes are few */
	unsigned shift;
	uint32_t words[];
};

int scan_filter_create(size_t literals, struct scan_filter **ret_filter)
{
	unsigned log = LOG_LEAST;
	while (log < LOG_MOST && ((size_t)32 << log) < literals * BITS_PER_LITERAL)
		log++;
	struct scan_filter *filter = calloc(1, sizeof(*filter) + (sizeof(uint32_t) << log));
	if (filter == NULL)
		return -ENOMEM;
	filter->is_empty = literals == 0;
	filter->shift = 32 - log;
	*ret_filter = filter;
	return 0;
}

void scan_filter_free(struct scan_filter *filter)
{
	free(filter);
}

static struct table table_of(const struct scan_filter *filter)
{
	return (struct table){filter->words, filter->shift};
}

static struct table short_table_of(const struct scan_filter *filter)
{
	return (struct table){filter->short_words, 32 - SHORT_LOG};
}

static inline uint32_t gram_at(const uint8_t *bytes)
{
	return (uint32_t)word_load4(bytes) | FOLD;
}

static inline uint32_t short_gram_at(const uint8_t *bytes)
{
	return ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | FOLD) & SHORT_MASK;
}

static inline uint32_t bits_of(uint32_t gram)
{
	uint32_t spread = gram * SPREAD_BITS;
	return 1u << (spread >> 27) | 1u << (spread >> 22 & 31) | 1u << (spread >> 17 & 31);
}

static inline bool holds(struct table table, uint32_t gram)
{
	uint32_t bits = bits_of(gram);
	return (table.words[gram * SPREAD >> table.shift] & bits) == bits;
}

/* How common a byte is in words, names, numbers and addresses: only the order matters. */
static unsigned commonness(uint8_t byte)
{
	static const char letters[] = "zqxjkvbpygfwmucldrhsnioate";
	const char *at = memchr(letters, byte_lower(byte), 26);
	if (at != NULL)
		return 4 + (unsigned)(at - letters);
	if (byte == ' ')
		return 24;
	return byte_is_digit(byte) ? 16 : byte == '.' || byte == '-' || byte == '_' ? 10 : byte >= 0x80 ? 12 : 2;
}

void scan_filter_add(struct scan_filter *filter, struct slice literal)
{
	if (literal.len < FOUR) {
		uint32_t gram = short_gram_at(literal.ptr);
		filter->short_words[gram * SPREAD >> (32 - SHORT_LOG)] |= bits_of(gram);
		filter->has_short = true;
		return;
	}
	size_t rarest = 0;
	unsigned least = UINT_MAX;
	for (size_t i = 0; i + FOUR <= literal.len; i++) {
		unsigned sum = 0;
		for (size_t k = 0; k < FOUR; k++)
			sum += commonness(literal.ptr[i + k]);
		if (sum < least) {
			least = sum;
			rarest = i;
		}
	}
	uint32_t gram = gram_at(literal.ptr + rarest);
	filter->words[gram * SPREAD >> filter->shift] |= bits_of(gram);
}

static bool may_hold_plainly(const struct scan_filter *filter, struct slice value)
{
	bool held = false;
	for (size_t i = 0; !held && i + FOUR <= value.len; i++)
		held = holds(table_of(filter), gram_at(value.ptr + i));
	for (size_t i = 0; !held && filter->has_short && i + SCAN_FILTER_BYTES <= value.len; i++)
		held = holds(short_table_of(filter), short_gram_at(value.ptr + i));
	return held;
}

#if defined(__x86_64__)

/* A one for each lane whose gram may be in the table. */
__attribute__((target("avx2"))) static inline unsigned held_lanes(struct table table, __m256i grams)
{
	const __m256i one = _mm256_set1_epi32(1);
	const __m256i five = _mm256_set1_epi32(31);
	__m256i place = _mm256_srl_epi32(_mm256_mullo_epi32(grams, _mm256_set1_epi32((int)SPREAD)),
					 _mm_cvtsi32_si128((int)table.shift));
	__m256i spread = _mm256_mullo_epi32(grams, _mm256_set1_epi32((int)SPREAD_BITS));
	__m256i bits = _mm256_sllv_epi32(one, _mm256_srli_epi32(spread, 27));
	bits = _mm256_or_si256(bits, _mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(spread, 22), five)));
	bits = _mm256_or_si256(bits, _mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(spread, 17), five)));
	__m256i words = _mm256_i32gather_epi32((const int *)table.words, place, sizeof(uint32_t));
	__m256i held = _mm256_cmpeq_epi32(_mm256_and_si256(words, bits), bits);
	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(held));
}

/* Eight grams of a block, from its byte `first` on, which is 0 or 5. */
__attribute__((target("avx2"))) static inline bool block_holds(const struct scan_filter *filter, const uint8_t *block,
							       char first)
{
	const __m256i places = _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8,
						6, 7, 8, 9, 7, 8, 9, 10);
	__m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)block));
	__m256i grams = _mm256_shuffle_epi8(bytes, _mm256_add_epi8(places, _mm256_set1_epi8(first)));
	grams = _mm256_or_si256(grams, _mm256_set1_epi32((int)FOLD));
	unsigned held = held_lanes(table_of(filter), grams);
	if (filter->has_short)
		held |= held_lanes(short_table_of(filter), _mm256_and_si256(grams, _mm256_set1_epi32((int)SHORT_MASK)));
	return held != 0;
}

/* The last block overlaps those before it. A value shorter than a block has bytes behind it that count as spaces. */
__attribute__((target("avx2"))) static bool may_hold_by_8(const struct scan_filter *filter, struct slice value)
{
	uint8_t padded[BLOCK_BYTES] = {0};
	if (value.len < BLOCK_BYTES) {
		if (value.len > 0)
			memcpy(padded, value.ptr, value.len);
		return block_holds(filter, padded, 0) ||
		       (value.len > LANES && block_holds(filter, padded, BLOCK_BYTES - LANES - FOUR + 1));
	}
	size_t last = value.len - BLOCK_BYTES;
	bool held = false;
	for (size_t i = 0; !held && i < last; i += LANES)
		held = block_holds(filter, value.ptr + i, 0);
	return held || block_holds(filter, value.ptr + last, 0) ||
	       block_holds(filter, value.ptr + last, BLOCK_BYTES - LANES - FOUR + 1) ||
	       (filter->has_short && holds(short_table_of(filter), short_gram_at(value.ptr + value.len - 3)));
}

#endif

bool scan_filter_may_hold(const struct scan_filter *filter, struct slice value)
{
	if (value.len > SCAN_FILTER_VALUE_BYTES || filter->is_empty)
		return !filter->is_empty;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return may_hold_by_8(filter, value);
#endif
	return may_hold_plainly(filter, value);
}
