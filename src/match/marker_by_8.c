/* Programs of markers by AVX-512 and VBMI: eight words, or 64 bytes, at once. */
#include "match/marker_form.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi,bmi,popcnt")))

enum { LANES = 8 };

typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t)), may_alias));

/* 64 bytes, each as a place among 32 and a bit there: so sets are tables of 32 bytes. */
struct block {
	__m512i places;
	__m512i bits;
	__mmask64 there; /* before the value's end */
};

struct table {
	__m512i bits;
};

WIDE static inline unsigned lanes_with_any(lanes words)
{
	return _mm512_test_epi64_mask((__m512i)words, (__m512i)words);
}

WIDE static inline lanes lanes_behind(lanes before, lanes words)
{
	return (lanes)_mm512_alignr_epi64((__m512i)words, (__m512i)before, LANES - 1);
}

WIDE static inline struct block look(const struct marker_value *v, size_t word)
{
	const __m512i bits = _mm512_set1_epi64((long long)0x8040201008040201);
	size_t at = word * 64, left = v->bytes.len > at ? v->bytes.len - at : 0;
	struct block block = {.there = left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1};
	__m512i bytes = _mm512_maskz_loadu_epi8(block.there, v->bytes.ptr + at);
	block.places = _mm512_and_si512(_mm512_srli_epi16(bytes, 3), _mm512_set1_epi8(31));
	block.bits = _mm512_shuffle_epi8(bits, _mm512_and_si512(bytes, _mm512_set1_epi8(7)));
	return block;
}

WIDE static inline struct table table_of(const struct marker_value *v, size_t number)
{
	const struct marker_set *set = &v->markers->sets[number];
	const uint64_t *bits = v->lowered ? set->lowered.bits : set->bytes.bits;
	return (struct table){_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)bits))};
}

WIDE static inline uint64_t members(const struct block *block, const struct table *table)
{
	return _mm512_mask_test_epi8_mask(block->there, _mm512_permutexvar_epi8(block->places, table->bits),
					  block->bits);
}

/* Masks cost nothing here. */
WIDE static inline struct block look_whole(const struct marker_value *v, size_t word)
{
	return look(v, word);
}

WIDE static inline uint64_t members_whole(const struct block *block, const struct table *table)
{
	return members(block, table);
}

#include "match/marker_run.h"

WIDE void markers_narrow_by_8(struct marker_value *v, const uint64_t *asked, uint64_t *slots)
{
	narrow(v, asked, slots);
}

#else

void markers_narrow_by_8(struct marker_value *v, const uint64_t *asked, uint64_t *slots)
{
	(void)v, (void)asked, (void)slots;
}

#endif
