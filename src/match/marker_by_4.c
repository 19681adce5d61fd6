/* Programs of markers by AVX2: four words, or 32 bytes, at once. */
#include "match/marker_form.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define WIDE __attribute__((target("avx2,bmi,popcnt")))

enum { LANES = 4 };

typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t)), may_alias));

/* 64 bytes in two parts: their low halves, and a bit for each high half, of which there are eight on each side. */
struct part {
	__m256i bytes;
	__m256i low;
	__m256i bits;
};

struct block {
	struct part parts[2];
	uint64_t there; /* before the value's end */
};

struct table {
	__m256i ascii;
	__m256i beyond;
};

WIDE static inline unsigned lanes_with_any(lanes words)
{
	__m256i none = _mm256_cmpeq_epi64((__m256i)words, _mm256_setzero_si256());
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(none)) ^ ((1u << LANES) - 1);
}

WIDE static inline lanes lanes_behind(lanes before, lanes words)
{
	__m256i last = _mm256_permute4x64_epi64((__m256i)before, 0x93);
	return (lanes)_mm256_blend_epi32(_mm256_permute4x64_epi64((__m256i)words, 0x93), last, 3);
}

WIDE static inline struct part look_at_part(const uint8_t *ptr)
{
	const __m256i bits = _mm256_set1_epi64x((long long)0x8040201008040201), half = _mm256_set1_epi8(15);
	struct part part = {.bytes = _mm256_loadu_si256((const __m256i *)ptr)};
	part.low = _mm256_and_si256(part.bytes, half);
	part.bits = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(part.bytes, 4), half));
	return part;
}

/* A word that the value fills. */
WIDE static inline struct block look_whole(const struct marker_value *v, size_t word)
{
	const uint8_t *ptr = v->bytes.ptr + word * 64;
	return (struct block){{look_at_part(ptr), look_at_part(ptr + 32)}, UINT64_MAX};
}

WIDE static struct block look_at_end(const struct marker_value *v, size_t word)
{
	size_t at = word * 64, left = v->bytes.len > at ? v->bytes.len - at : 0;
	uint8_t rest[64] = {0};
	memcpy(rest, v->bytes.ptr + (left > 0 ? at : 0), left);
	return (struct block){{look_at_part(rest), look_at_part(rest + 32)}, ((uint64_t)1 << left) - 1};
}

WIDE static inline struct block look(const struct marker_value *v, size_t word)
{
	return word < v->bytes.len / 64 ? look_whole(v, word) : look_at_end(v, word);
}

WIDE static inline struct table table_of(const struct marker_value *v, size_t number)
{
	const struct marker_set *set = &v->markers->sets[number];
	const struct marker_halves *halves = v->lowered ? &set->lowered_halves : &set->halves;
	return (struct table){_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)halves->ascii)),
			      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)halves->beyond))};
}

WIDE static inline uint32_t members_of_part(const struct part *part, const struct table *table)
{
	__m256i high_halves = _mm256_blendv_epi8(_mm256_shuffle_epi8(table->ascii, part->low),
						 _mm256_shuffle_epi8(table->beyond, part->low), part->bytes);
	__m256i bits = _mm256_and_si256(high_halves, part->bits);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bits, part->bits));
}

/* Of a word that the value fills. */
WIDE static inline uint64_t members_whole(const struct block *block, const struct table *table)
{
	uint64_t low = members_of_part(&block->parts[0], table);
	return low | (uint64_t)members_of_part(&block->parts[1], table) << 32;
}

WIDE static inline uint64_t members(const struct block *block, const struct table *table)
{
	return members_whole(block, table) & block->there;
}

#include "match/marker_run.h"

WIDE void markers_narrow_by_4(struct marker_value *v, const uint64_t *asked, uint64_t *slots)
{
	narrow(v, asked, slots);
}

#else

void markers_narrow_by_4(struct marker_value *v, const uint64_t *asked, uint64_t *slots)
{
	(void)v, (void)asked, (void)slots;
}

#endif
