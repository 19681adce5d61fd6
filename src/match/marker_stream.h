/* Streams of bits over a value, for programs of markers: inlined, as each operation asks for words of them. */
#ifndef GUIA_MATCH_MARKER_STREAM_H
#define GUIA_MATCH_MARKER_STREAM_H

#include "match/marker_internal.h"

enum {
	MARKER_STEP = 8, /* words that are gone over at a time */
	MARKER_WORDS_MOST = (MARKER_BYTES_MOST / 64 / MARKER_STEP + 1) * MARKER_STEP,
	MARKER_STREAMS_OTHER = MARKER_REGISTERS + MARKER_ASSERTIONS,
	MARKER_TOGETHER = 8, /* streams that are made at once */
};

/* Which words of a register have markers, a bit each. */
struct marker_busy {
	uint64_t words[(MARKER_WORDS_MOST + 63) / 64];
};

/* Registers, streams of assertions, streams of sets: MARKER_STEP words or more each, one after another. */
struct marker_room {
	uint64_t *words;
	size_t sets;                          /* for so many there is room */
	uint64_t made[MARKER_SETS_MOST / 64]; /* a bit for each set whose stream is there */
	uint32_t assertions_made;
	struct marker_busy busy[MARKER_REGISTERS];
};

/* A value that is gone over. */
struct marker_value {
	const struct markers *markers;
	struct marker_room *room;
	struct slice bytes;
	bool lowered;
	size_t words;      /* of a stream */
	size_t busy_words; /* of those of its registers */
	size_t few;
	size_t ops_left;
};

#if defined(__x86_64__)

#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi,bmi,popcnt")))

/* Makes the stream of a set, or those of MARKER_TOGETHER, of which some may be the same, or that of an assertion. */
void marker_make(const struct marker_value *v, size_t number);
void marker_make_together(const struct marker_value *v, const uint16_t *numbers);
void marker_make_assertion(const struct marker_value *v, enum pattern_assertion assertion);

WIDE static inline uint64_t *words_of(const struct marker_value *v, size_t number)
{
	return v->room->words + number * v->words;
}

/* 64 bytes, each as a place among 32 and a bit there: so sets are tables of 32 bytes. */
struct block {
	__m512i places;
	__m512i bits;
	__mmask64 there; /* before the value's end */
};

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

WIDE static inline __m512i table_of(const struct marker_value *v, size_t number)
{
	const struct marker_set *set = &v->markers->sets[number];
	const uint64_t *bits = v->lowered ? set->lowered.bits : set->bytes.bits;
	return _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)bits));
}

WIDE static inline uint64_t members(const struct block *block, __m512i table)
{
	return _mm512_mask_test_epi8_mask(block->there, _mm512_permutexvar_epi8(block->places, table), block->bits);
}

WIDE static inline bool is_made(const struct marker_value *v, size_t number)
{
	return (v->room->made[number / 64] >> number % 64 & 1) != 0;
}

WIDE static inline const uint64_t *stream_of_set(const struct marker_value *v, size_t number)
{
	if (!is_made(v, number))
		marker_make(v, number);
	return words_of(v, MARKER_STREAMS_OTHER + number);
}

/* That of a set or, behind those of sets, an assertion. */
WIDE static inline const uint64_t *stream_of(const struct marker_value *v, size_t number)
{
	if (number < MARKER_SETS_MOST)
		return stream_of_set(v, number);
	size_t assertion = number - MARKER_SETS_MOST;
	const uint64_t *out = words_of(v, MARKER_REGISTERS + assertion);
	if ((v->room->assertions_made >> assertion & 1) == 0)
		marker_make_assertion(v, (enum pattern_assertion)assertion);
	return out;
}

/* One word of it, which need not be made for that. */
WIDE static inline uint64_t word_of(const struct marker_value *v, size_t number, size_t word)
{
	if (number >= MARKER_SETS_MOST)
		return stream_of(v, number)[word];
	if (is_made(v, number))
		return words_of(v, MARKER_STREAMS_OTHER + number)[word];
	struct block block = look(v, word);
	return members(&block, table_of(v, number));
}

#endif

#endif
