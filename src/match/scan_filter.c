/*
 * One filter, asked in three ways that tell the same: plainly, eight places by AVX2, sixteen by AVX-512. Four bytes are
 * spread over the table by one multiplication, and over the bits of its word by another.
 */
#include "match/scan_filter.h"

#include "base/error.h"
#include "base/word.h"

#include <limits.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
	FOUR = 4,
	STEP = 2,                     /* places that are looked at are so far apart, */
	LONG_BYTES = FOUR + STEP - 1, /* so that of a literal of so many bytes one is within it, wherever it stands */
	LOG_LEAST = 4,
	LOG_MOST = 15,
	BITS_PER_LITERAL = 96,
	SHORT_LOG = 5,
	SAMPLES = 8,
};

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
	uint32_t short_words[1 << SHORT_LOG]; /* short literals are few */
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

static unsigned commonness_of(const uint8_t *bytes, size_t count)
{
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += commonness(bytes[i]);
	return sum;
}

static size_t add_short(struct scan_filter *filter, struct slice literal)
{
	bool last = literal.len > SCAN_FILTER_BYTES &&
		    commonness_of(literal.ptr + 1, SCAN_FILTER_BYTES) < commonness_of(literal.ptr, SCAN_FILTER_BYTES);
	uint32_t gram = short_gram_at(literal.ptr + last);
	filter->short_words[gram * SPREAD >> (32 - SHORT_LOG)] |= bits_of(gram);
	filter->has_short = true;
	return last;
}

size_t scan_filter_add(struct scan_filter *filter, struct slice literal)
{
	if (literal.len < LONG_BYTES)
		return add_short(filter, literal);
	size_t rarest = 0;
	unsigned least = UINT_MAX;
	unsigned second = commonness_of(literal.ptr, FOUR);
	for (size_t i = 0; i + LONG_BYTES <= literal.len; i++) {
		unsigned first = second;
		second = first - commonness(literal.ptr[i]) + commonness(literal.ptr[i + FOUR]);
		unsigned common = first > second ? first : second;
		if (common < least) {
			least = common;
			rarest = i;
		}
	}
	for (size_t i = rarest; i < rarest + STEP; i++) {
		uint32_t gram = gram_at(literal.ptr + i);
		filter->words[gram * SPREAD >> filter->shift] |= bits_of(gram);
	}
	return rarest + STEP - 1;
}

static size_t next_plainly(const struct scan_filter *filter, struct slice value, size_t at)
{
	for (; at + SCAN_FILTER_BYTES <= value.len; at += STEP) {
		if (at + FOUR <= value.len && holds(table_of(filter), gram_at(value.ptr + at)))
			return at;
		for (size_t i = at; filter->has_short && i < at + STEP && i + SCAN_FILTER_BYTES <= value.len; i++)
			if (holds(short_table_of(filter), short_gram_at(value.ptr + i)))
				return i;
	}
	return SIZE_MAX;
}

#if defined(__x86_64__)

enum {
	LANES = 8,
	AVX2_BYTES = STEP * LANES,
	AVX2_READ = 2 * AVX2_BYTES, /* as a block may be read */
	WIDE_LANES = 16,
	WIDE_BYTES = STEP * WIDE_LANES,
};

/* The place of the first lane; lanes stand `step` places apart. */
static inline size_t place_of(size_t block, unsigned held, size_t step)
{
	return held == 0 ? SIZE_MAX : block + (size_t)__builtin_ctz(held) * step;
}

static inline size_t earlier(size_t a, size_t b)
{
	return a < b ? a : b;
}

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

/* Eight grams, of which four begin in the first half of the lanes' bytes and four in the second. */
__attribute__((target("avx2"))) static inline __m256i grams_of(const uint8_t *first, const uint8_t *second,
							       __m256i places)
{
	__m256i bytes =
		_mm256_set_m128i(_mm_loadu_si128((const __m128i *)second), _mm_loadu_si128((const __m128i *)first));
	return _mm256_or_si256(_mm256_shuffle_epi8(bytes, places), _mm256_set1_epi32((int)FOLD));
}

__attribute__((target("avx2"))) static inline unsigned short_lanes(const struct scan_filter *filter,
								   const uint8_t *block)
{
	const __m256i places =
		_mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6));
	__m256i grams =
		_mm256_and_si256(grams_of(block, block + LANES / 2, places), _mm256_set1_epi32((int)SHORT_MASK));
	return held_lanes(short_table_of(filter), grams);
}

/* In a block of AVX2_BYTES places, of which AVX2_READ bytes can be read. `at`: what place of the value it is. */
__attribute__((target("avx2"))) static inline size_t next_in_block(const struct scan_filter *filter,
								   const uint8_t *block, size_t at)
{
	const __m256i places =
		_mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9));
	size_t place = place_of(at, held_lanes(table_of(filter), grams_of(block, block + LANES, places)), STEP);
	if (!filter->has_short)
		return place;
	unsigned shorts = short_lanes(filter, block) | short_lanes(filter, block + LANES) << LANES;
	return earlier(place, place_of(at, shorts, 1));
}

/* Bytes behind the value count as spaces. */
__attribute__((target("avx2"))) static size_t next_by_8(const struct scan_filter *filter, struct slice value, size_t at)
{
	size_t place = SIZE_MAX;
	for (; place == SIZE_MAX && at + AVX2_READ <= value.len; at += AVX2_BYTES)
		place = next_in_block(filter, value.ptr + at, at);
	if (place != SIZE_MAX || at >= value.len)
		return place;
	uint8_t padded[2 * AVX2_READ] = {0};
	memcpy(padded, value.ptr + at, value.len - at);
	place = next_in_block(filter, padded, at);
	return place != SIZE_MAX ? place : next_in_block(filter, padded + AVX2_BYTES, at + AVX2_BYTES);
}

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi")))

WIDE static inline __m512i bits_of_16(__m512i grams)
{
	const __m512i one = _mm512_set1_epi32(1);
	const __m512i five = _mm512_set1_epi32(31);
	__m512i spread = _mm512_mullo_epi32(grams, _mm512_set1_epi32((int)SPREAD_BITS));
	__m512i first = _mm512_sllv_epi32(one, _mm512_srli_epi32(spread, 27));
	__m512i second = _mm512_sllv_epi32(one, _mm512_and_si512(_mm512_srli_epi32(spread, 22), five));
	__m512i third = _mm512_sllv_epi32(one, _mm512_and_si512(_mm512_srli_epi32(spread, 17), five));
	return _mm512_or_si512(_mm512_or_si512(first, second), third);
}

/* Sixteen grams of four bytes that begin `step` bytes apart. */
WIDE static inline __m512i grams_of_16(__m512i bytes, unsigned first, unsigned step)
{
	const __m512i within = _mm512_set1_epi32(0x03020100);
	const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m512i begin = _mm512_add_epi32(_mm512_mullo_epi32(lanes, _mm512_set1_epi32((int)(step * 0x01010101u))),
					 _mm512_set1_epi32((int)(first * 0x01010101u)));
	return _mm512_permutexvar_epi8(_mm512_add_epi8(begin, within), bytes);
}

WIDE static inline unsigned short_held(const struct scan_filter *filter, __m512i grams, __mmask16 lanes)
{
	const __m512i low = _mm512_loadu_si512(filter->short_words);
	const __m512i high = _mm512_loadu_si512(filter->short_words + WIDE_LANES);
	grams = _mm512_and_si512(grams, _mm512_set1_epi32((int)SHORT_MASK));
	__m512i place = _mm512_srli_epi32(_mm512_mullo_epi32(grams, _mm512_set1_epi32((int)SPREAD)), 32 - SHORT_LOG);
	__m512i words = _mm512_permutex2var_epi32(low, place, high);
	__m512i bits = bits_of_16(grams);
	return _mm512_mask_cmpeq_epi32_mask(lanes, _mm512_and_si512(words, bits), bits);
}

WIDE static inline unsigned long_held(const struct scan_filter *filter, __m512i grams, __mmask16 lanes)
{
	__m512i place = _mm512_srl_epi32(_mm512_mullo_epi32(grams, _mm512_set1_epi32((int)SPREAD)),
					 _mm_cvtsi32_si128((int)filter->shift));
	__m512i words =
		_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes, place, filter->words, sizeof(uint32_t));
	__m512i bits = bits_of_16(grams);
	return _mm512_cmpeq_epi32_mask(_mm512_and_si512(words, bits), bits);
}

/* So many ones. */
static inline uint64_t ones(size_t count)
{
	return count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
}

WIDE static size_t next_by_16(const struct scan_filter *filter, struct slice value, size_t at)
{
	for (; at + SCAN_FILTER_BYTES <= value.len; at += WIDE_BYTES) {
		size_t left = value.len - at;
		__m512i bytes = _mm512_maskz_loadu_epi8(ones(left), value.ptr + at);
		bytes = _mm512_or_si512(bytes, _mm512_set1_epi32((int)FOLD));
		__mmask16 longs = (__mmask16)ones(left < FOUR ? 0 : (left - FOUR) / STEP + 1);
		uint64_t shorts = ones(left - SCAN_FILTER_BYTES + 1);
		size_t place = place_of(at, long_held(filter, grams_of_16(bytes, 0, STEP), longs), STEP);
		if (filter->has_short) {
			unsigned low = short_held(filter, grams_of_16(bytes, 0, 1), (__mmask16)shorts);
			unsigned high = short_held(filter, grams_of_16(bytes, WIDE_LANES, 1),
						   (__mmask16)(shorts >> WIDE_LANES));
			place = earlier(place, place_of(at, low | high << WIDE_LANES, 1));
		}
		if (place != SIZE_MAX)
			return place;
	}
	return SIZE_MAX;
}

#endif

bool scan_filter_form_is_possible(enum scan_filter_form form)
{
#if defined(__x86_64__)
	if (form == SCAN_FILTER_BY_16)
		return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
	if (form == SCAN_FILTER_BY_8)
		return __builtin_cpu_supports("avx2");
#endif
	return form == SCAN_FILTER_PLAINLY;
}

size_t scan_filter_next_by(enum scan_filter_form form, const struct scan_filter *filter, struct slice value, size_t at)
{
#if defined(__x86_64__)
	if (form == SCAN_FILTER_BY_16)
		return next_by_16(filter, value, at);
	if (form == SCAN_FILTER_BY_8)
		return next_by_8(filter, value, at);
#endif
	(void)form;
	return next_plainly(filter, value, at);
}

size_t scan_filter_next(const struct scan_filter *filter, struct slice value, size_t at)
{
	enum scan_filter_form form = SCAN_FILTER_BY_16;
	while (!scan_filter_form_is_possible(form))
		form--;
	return filter->is_empty ? SIZE_MAX : scan_filter_next_by(form, filter, value, at);
}

bool scan_filter_may_hold(const struct scan_filter *filter, struct slice value)
{
	if (value.len > SCAN_FILTER_VALUE_BYTES)
		return !filter->is_empty;
	return scan_filter_next(filter, value, 0) != SIZE_MAX;
}

bool scan_filter_is_dense(const struct scan_filter *filter, struct slice value, size_t most)
{
	const size_t bytes = SCAN_FILTER_SAMPLE_BYTES / SAMPLES;
	size_t count = 0;
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t from = (value.len - bytes) / (SAMPLES - 1) * i;
		struct slice part = slice_sub(value, from, from + bytes);
		for (size_t at = 0; (at = scan_filter_next(filter, part, at)) < part.len; at++)
			if (++count > most)
				return true;
	}
	return false;
}
