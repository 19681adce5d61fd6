/*
 * Each search has a wide form and a plain one, which also looks at what does not fill a last block. For a pair only the
 * lead is sought by many bytes at once; the set is asked of the byte behind each lead that is found.
 */
#include "base/byte_set.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void byte_set_add(struct byte_set *set, uint8_t byte)
{
	uint8_t bit = (uint8_t)(1 << (byte >> 4 & 7));
	set->words[byte / 64] |= (uint64_t)1 << byte % 64;
	if (byte < 128)
		set->low[byte & 15] |= bit;
	else
		set->high[byte & 15] |= bit;
}

void byte_set_join(struct byte_set *set, const struct byte_set *other)
{
	for (size_t i = 0; i < sizeof(set->words) / sizeof(set->words[0]); i++)
		set->words[i] |= other->words[i];
	for (size_t i = 0; i < sizeof(set->low); i++) {
		set->low[i] |= other->low[i];
		set->high[i] |= other->high[i];
	}
}

static size_t find_plainly(const struct byte_set *set, const uint8_t *bytes, size_t from, size_t count)
{
	size_t at = from;
	while (at < count && !byte_set_has(set, bytes[at]))
		at++;
	return at;
}

/* From *at on, which is then where it was found. */
static bool find_led_plainly(const struct byte_set *set, uint8_t lead, const uint8_t *bytes, size_t count, size_t *at)
{
	for (; *at + 1 < count; ++*at) {
		const uint8_t *hit = memchr(bytes + *at, lead, count - 1 - *at);
		if (hit == NULL)
			return false;
		*at = (size_t)(hit - bytes);
		if (byte_set_has(set, bytes[*at + 1]))
			return true;
	}
	return false;
}

#if defined(__x86_64__)

/* A table look of the processor takes the low four bits, and gives 0 where the highest is set. */
#define HALVES 1, 2, 4, 8, 16, 32, 64, (char)128

__attribute__((target("ssse3"))) static size_t find_by_16(const struct byte_set *set, const uint8_t *bytes,
							  size_t count)
{
	const __m128i low = _mm_loadu_si128((const __m128i *)set->low);
	const __m128i high = _mm_loadu_si128((const __m128i *)set->high);
	const __m128i halves = _mm_setr_epi8(HALVES, HALVES);
	const __m128i top = _mm_set1_epi8((char)0x80);
	size_t at = 0;
	for (; count - at >= 16; at += 16) {
		__m128i b = _mm_loadu_si128((const __m128i *)(bytes + at));
		__m128i sets = _mm_or_si128(_mm_shuffle_epi8(low, b), _mm_shuffle_epi8(high, _mm_xor_si128(b, top)));
		__m128i bit = _mm_shuffle_epi8(halves, _mm_and_si128(_mm_srli_epi16(b, 4), _mm_set1_epi8(7)));
		__m128i none = _mm_cmpeq_epi8(_mm_and_si128(sets, bit), _mm_setzero_si128());
		unsigned found = ~(unsigned)_mm_movemask_epi8(none) & 0xffff;
		if (found != 0)
			return at + (size_t)__builtin_ctz(found);
	}
	return find_plainly(set, bytes, at, count);
}

__attribute__((target("avx2"))) static size_t find_by_32(const struct byte_set *set, const uint8_t *bytes, size_t count)
{
	const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->low));
	const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->high));
	const __m256i halves = _mm256_setr_epi8(HALVES, HALVES, HALVES, HALVES);
	const __m256i top = _mm256_set1_epi8((char)0x80);
	size_t at = 0;
	for (; count - at >= 32; at += 32) {
		__m256i b = _mm256_loadu_si256((const __m256i *)(bytes + at));
		__m256i sets = _mm256_or_si256(_mm256_shuffle_epi8(low, b),
					       _mm256_shuffle_epi8(high, _mm256_xor_si256(b, top)));
		__m256i bit =
			_mm256_shuffle_epi8(halves, _mm256_and_si256(_mm256_srli_epi16(b, 4), _mm256_set1_epi8(7)));
		__m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(sets, bit), _mm256_setzero_si256());
		unsigned found = ~(unsigned)_mm256_movemask_epi8(none);
		if (found != 0)
			return at + (size_t)__builtin_ctz(found);
	}
	return find_plainly(set, bytes, at, count);
}

/* As it is done plainly, 64 bytes at a time, while so many and one more are left. */
__attribute__((target("avx2"))) static bool find_led_by_64(const struct byte_set *set, uint8_t lead,
							   const uint8_t *bytes, size_t count, size_t *at)
{
	const __m256i leads = _mm256_set1_epi8((char)lead);
	for (; count - *at > 64; *at += 64) {
		const __m256i *block = (const __m256i *)(bytes + *at);
		__m256i left = _mm256_cmpeq_epi8(_mm256_loadu_si256(block), leads);
		__m256i right = _mm256_cmpeq_epi8(_mm256_loadu_si256(block + 1), leads);
		uint64_t found =
			(uint64_t)(uint32_t)_mm256_movemask_epi8(right) << 32 | (uint32_t)_mm256_movemask_epi8(left);
		for (; found != 0; found &= found - 1) {
			size_t place = *at + (size_t)__builtin_ctzll(found);
			if (byte_set_has(set, bytes[place + 1])) {
				*at = place;
				return true;
			}
		}
	}
	return false;
}

enum { NEAR = 4 }; /* places that are looked at one by one: where there are many, the next one is near */

size_t byte_set_find_led(const struct byte_set *set, uint8_t lead, const uint8_t *bytes, size_t count, size_t from)
{
	size_t at = from < count ? from : count;
	for (size_t near_end = at + NEAR; at < near_end && at + 1 < count; at++)
		if (bytes[at] == lead && byte_set_has(set, bytes[at + 1]))
			return at;
	if (count - at > 64 && __builtin_cpu_supports("avx2") && find_led_by_64(set, lead, bytes, count, &at))
		return at;
	return find_led_plainly(set, lead, bytes, count, &at) ? at : count;
}

size_t byte_set_find(const struct byte_set *set, const uint8_t *bytes, size_t count)
{
	if (count >= 32 && __builtin_cpu_supports("avx2"))
		return find_by_32(set, bytes, count);
	if (count >= 16 && __builtin_cpu_supports("ssse3"))
		return find_by_16(set, bytes, count);
	return find_plainly(set, bytes, 0, count);
}

#else

size_t byte_set_find(const struct byte_set *set, const uint8_t *bytes, size_t count)
{
	return find_plainly(set, bytes, 0, count);
}

size_t byte_set_find_led(const struct byte_set *set, uint8_t lead, const uint8_t *bytes, size_t count, size_t from)
{
	size_t at = from;
	return find_led_plainly(set, lead, bytes, count, &at) ? at : count;
}

#endif
