/*
 * Searches look for two bytes of a needle, the middle and the last, at many places at once, and compare the rest only
 * where both stand. Without case all bytes are compared with 0x20 set, which makes more alike than letters: the rest is
 * compared exactly.
 */
#include "base/slice.h"

#include "base/byte_vector.h"
#include "base/word.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

const uint8_t byte_hex_values[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	if (a.len < 4) {
		for (size_t i = 0; i < a.len; i++)
			if (byte_lower(a.ptr[i]) != byte_lower(b.ptr[i]))
				return false;
		return true;
	}
	/* What does not come out even is compared with bytes that were before. */
	size_t last = a.len - 4;
	if (a.len < 8)
		return word_lower(word_load4(a.ptr)) == word_lower(word_load4(b.ptr)) &&
		       word_lower(word_load4(a.ptr + last)) == word_lower(word_load4(b.ptr + last));
	last = a.len - 8;
	for (size_t i = 0; i < last; i += 8)
		if (word_lower(word_load8(a.ptr + i)) != word_lower(word_load8(b.ptr + i)))
			return false;
	return word_lower(word_load8(a.ptr + last)) == word_lower(word_load8(b.ptr + last));
}

bool slice_starts_with_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal_nocase(slice_sub(s, 0, prefix.len), prefix);
}

size_t slice_find_byte(struct slice s, uint8_t byte, size_t from)
{
	if (from >= s.len)
		return s.len;
	const uint8_t *at = memchr(s.ptr + from, byte, s.len - from);
	return at == NULL ? s.len : (size_t)(at - s.ptr);
}

enum { NEEDLE_MAX = 64 }; /* with longer ones, comparing where ends agree might cost too much */

/* Bits that are set in all bytes before they are compared: 0x20 makes the two cases of a letter one. */
enum fold { EXACT = 0, NOCASE = 0x20 };

static inline bool stands_at(const uint8_t *p, struct slice needle, enum fold fold)
{
	return fold == EXACT ? memcmp(p, needle.ptr, needle.len) == 0
			     : slice_equal_nocase(slice_make(p, needle.len), needle);
}

#if defined(__x86_64__)

enum { WIDE = 64, WIDE_LEAST = 128 /* bytes; in fewer it is not worth asking what the machine can do */ };

/* As below, 64 bytes at a time. *at is then where it was found, or, if it was not, what is left to look at. */
__attribute__((target("avx2"))) static bool find_needle_wide(struct slice s, struct slice needle, enum fold fold,
							     size_t *at)
{
	size_t last = needle.len - 1, middle = last / 2;
	const __m256i bits = _mm256_set1_epi8((char)fold);
	const __m256i middle_byte = _mm256_or_si256(_mm256_set1_epi8((char)needle.ptr[middle]), bits);
	const __m256i last_byte = _mm256_or_si256(_mm256_set1_epi8((char)needle.ptr[last]), bits);
	for (; *at + last + WIDE <= s.len; *at += WIDE) {
		__m256i found[2];
#pragma GCC unroll 2
		for (size_t i = 0; i < 2; i++) {
			const uint8_t *p = s.ptr + *at + i * WIDE / 2;
			__m256i middles = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(p + middle)), bits);
			__m256i lasts = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(p + last)), bits);
			found[i] = _mm256_and_si256(_mm256_cmpeq_epi8(middles, middle_byte),
						    _mm256_cmpeq_epi8(lasts, last_byte));
		}
		__m256i any = _mm256_or_si256(found[0], found[1]);
		if (_mm256_testz_si256(any, any))
			continue;
		uint64_t mask = (uint64_t)(uint32_t)_mm256_movemask_epi8(found[1]) << 32 |
				(uint32_t)_mm256_movemask_epi8(found[0]);
		for (; mask != 0; mask &= mask - 1) {
			size_t place = *at + (size_t)__builtin_ctzll(mask);
			if (stands_at(s.ptr + place, needle, fold)) {
				*at = place;
				return true;
			}
		}
	}
	return false;
}

static bool find_wide(struct slice s, struct slice needle, enum fold fold, size_t *at)
{
	return s.len - *at >= WIDE_LEAST && __builtin_cpu_supports("avx2") && find_needle_wide(s, needle, fold, at);
}

#else

static bool find_wide(struct slice s, struct slice needle, enum fold fold, size_t *at)
{
	(void)s, (void)needle, (void)fold, (void)at;
	return false;
}

#endif

/*
 * Only where a needle's middle and last byte both stand is the rest compared; these places are found 16 bytes at a
 * time. The first byte tells little of an item of a list, which begins as all of them do.
 * `needle` is not empty and not longer than what is left.
 */
static inline __attribute__((always_inline)) size_t find_needle(struct slice s, struct slice needle, size_t from,
								enum fold fold)
{
	size_t last = needle.len - 1, middle = last / 2;
	size_t at = from;
	const byte_vector bits = (uint8_t)fold - (byte_vector){0};
	const uint8_t first_byte = (uint8_t)(needle.ptr[0] | fold);
	const uint8_t middle_byte = (uint8_t)(needle.ptr[middle] | fold);
	const uint8_t last_byte = (uint8_t)(needle.ptr[last] | fold);
	if (find_wide(s, needle, fold, &at))
		return at;
	for (; at + last + BYTE_VECTOR <= s.len; at += BYTE_VECTOR) {
		byte_vector middles = byte_vector_load(s.ptr + at + middle) | bits;
		byte_vector lasts = byte_vector_load(s.ptr + at + last) | bits;
		unsigned mask =
			byte_vector_mask((byte_vector)(middles == middle_byte) & (byte_vector)(lasts == last_byte));
		for (; mask != 0; mask &= mask - 1) {
			size_t place = at + (size_t)__builtin_ctz(mask);
			if (stands_at(s.ptr + place, needle, fold))
				return place;
		}
	}
	for (; at + last < s.len; at++)
		if ((s.ptr[at] | fold) == first_byte && stands_at(s.ptr + at, needle, fold))
			return at;
	return s.len;
}

size_t slice_find(struct slice s, struct slice needle, size_t from)
{
	if (from > s.len || needle.len > s.len - from)
		return s.len;
	if (needle.len == 0)
		return from;
	if (needle.len <= NEEDLE_MAX)
		return find_needle(s, needle, from, EXACT);
	const uint8_t *at = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
	return at == NULL ? s.len : (size_t)(at - s.ptr);
}

size_t slice_find_nocase(struct slice s, struct slice needle, size_t from)
{
	if (from > s.len || needle.len > s.len - from)
		return s.len;
	return needle.len == 0 ? from : find_needle(s, needle, from, NOCASE);
}

int slice_compare(struct slice a, struct slice b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

size_t slice_common_end(struct slice a, struct slice b)
{
	enum { BLOCK = 64 };
	size_t len = 0, most = a.len < b.len ? a.len : b.len;
	while (most - len >= BLOCK && memcmp(a.ptr + a.len - len - BLOCK, b.ptr + b.len - len - BLOCK, BLOCK) == 0)
		len += BLOCK;
	while (len < most && a.ptr[a.len - len - 1] == b.ptr[b.len - len - 1])
		len++;
	return len;
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && byte_is_space(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && byte_is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool slice_number(struct slice s, uint64_t most, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(s.ptr[i] - '0');
		if (!byte_is_digit(s.ptr[i]) || digit > most || number > (most - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (s.len > 0)
		*ret_number = number;
	return s.len > 0;
}

struct slice slice_cut(struct slice s, uint8_t byte, struct slice *ret_head)
{
	size_t at = slice_find_byte(s, byte, 0);
	*ret_head = slice_sub(s, 0, at);
	return slice_after(s, at + 1);
}
