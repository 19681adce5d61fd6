/*
 * Bytes that stay are moved together, eight at a time by a table of shuffles: what AVX-512 does with one instruction,
 * for machines without it.
 */
#ifndef GUIA_CODEC_BYTE_SQUEEZE_H
#define GUIA_CODEC_BYTE_SQUEEZE_H

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTE_SQUEEZE_TARGET __attribute__((target("avx2,popcnt")))

static inline bool byte_squeeze_is_possible(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

/* By which of eight bytes stay, a bit each: their places one after another, the first in the lowest byte. */
extern const uint64_t byte_squeeze_places[256];

/* Of the lower eight bytes; returns how many stay. */
BYTE_SQUEEZE_TARGET static inline size_t byte_squeeze_8(__m128i bytes, unsigned kept, uint8_t *out)
{
	__m128i places = _mm_loadl_epi64((const __m128i *)&byte_squeeze_places[kept]);
	_mm_storel_epi64((__m128i *)out, _mm_shuffle_epi8(bytes, places));
	return (size_t)__builtin_popcount(kept);
}

/*
 * Writes those of 32 bytes of which `kept` has a bit; returns how many. No more than 32 bytes of `out` are written, of
 * which those behind the ones that stay mean nothing.
 */
BYTE_SQUEEZE_TARGET static inline size_t byte_squeeze_32(__m256i bytes, uint32_t kept, uint8_t *out)
{
	__m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
	size_t len = byte_squeeze_8(low, kept & 0xff, out);
	len += byte_squeeze_8(_mm_unpackhi_epi64(low, low), kept >> 8 & 0xff, out + len);
	len += byte_squeeze_8(high, kept >> 16 & 0xff, out + len);
	return len + byte_squeeze_8(_mm_unpackhi_epi64(high, high), kept >> 24, out + len);
}

#endif

#endif
