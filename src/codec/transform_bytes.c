/* Transformations that map or drop single bytes: case, parity, white space, NULs. */
#include "codec/byte_class.h"
#include "codec/byte_squeeze.h"
#include "codec/transform_rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { FAR_BYTES = 256 }; /* of which it is worth asking what the machine can do */

static const struct byte_class UPPER = BYTE_CLASS_1('A', 'Z');
static const struct byte_class LOWER = BYTE_CLASS_1('a', 'z');
static const struct byte_class HIGH = BYTE_CLASS_1(0x80, 0xff);
static const struct byte_class NUL = BYTE_CLASS_1(0, 0);
/* White space of the C locale, and the two bytes of a non-breaking space in UTF-8, each on its own. */
static const struct byte_class BLANK = BYTE_CLASS_4('\t', '\r', ' ', ' ', 0xa0, 0xa0, 0xc2, 0xc2);
static const struct byte_class SPACE = BYTE_CLASS_2('\t', '\r', ' ', ' ');

bool transform_none(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context, (void)in, (void)out, (void)ret_len;
	return false;
}

/* Flips bit 5 of every member of `letters`. */
static inline __attribute__((always_inline)) bool change_case(const struct byte_class *letters, struct slice in,
							      uint8_t *out, size_t *ret_len)
{
	size_t at = byte_class_find(letters, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	for (; at + BYTE_VECTOR <= in.len; at += BYTE_VECTOR) {
		byte_vector bytes = byte_vector_load(in.ptr + at);
		bytes ^= byte_vector_members(letters, bytes) & 0x20;
		memcpy(out + at, &bytes, sizeof(bytes));
	}
	for (; at < in.len; at++)
		out[at] = (uint8_t)(in.ptr[at] ^ (letters->has[in.ptr[at]] << 5));
	*ret_len = in.len;
	return true;
}

bool transform_lowercase(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return change_case(&UPPER, in, out, ret_len);
}

bool transform_lowercase_changes(struct slice in)
{
	return byte_class_find(&UPPER, in, 0) < in.len;
}

bool transform_uppercase(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return change_case(&LOWER, in, out, ret_len);
}

/*
 * Sets bit 7 so that the number of bits is even or odd. As ModSecurity does, all eight bits are counted before bit 7 is
 * replaced, so that a byte with bit 7 set gets the other parity.
 */
static bool set_parity(unsigned odd, struct slice in, uint8_t *out, size_t *ret_len)
{
	uint8_t different = 0;
	for (size_t at = 0; at < in.len; at++) {
		uint8_t byte = in.ptr[at];
		unsigned bit = ((unsigned)__builtin_popcount(byte) ^ odd) & 1;
		out[at] = (uint8_t)((byte & 0x7f) | bit << 7);
		different |= out[at] ^ byte;
	}
	*ret_len = different ? in.len : *ret_len;
	return different;
}

bool transform_parity_even_7bit(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return set_parity(0, in, out, ret_len);
}

bool transform_parity_odd_7bit(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return set_parity(1, in, out, ret_len);
}

bool transform_parity_zero_7bit(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = byte_class_find(&HIGH, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	for (; at < in.len; at++)
		out[at] = in.ptr[at] & 0x7f;
	*ret_len = in.len;
	return true;
}

bool transform_replace_nulls(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = byte_find(0, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	for (; at < in.len; at++)
		out[at] = in.ptr[at] == 0 ? ' ' : in.ptr[at];
	*ret_len = in.len;
	return true;
}

#if defined(__x86_64__)

/*
 * As below, 64 bytes at a time, from *at on and behind *len, as long as so many are left: what stays of them is moved
 * together by one instruction, and what is written behind it is overwritten.
 */
__attribute__((target("avx512bw,avx512vbmi2"))) static void
copy_without_wide(const struct byte_class *dropped, struct slice in, size_t *at, uint8_t *out, size_t *len)
{
	for (; in.len - *at >= sizeof(__m512i); *at += sizeof(__m512i)) {
		__m512i bytes = _mm512_loadu_si512(in.ptr + *at);
		__mmask64 found = 0;
		for (size_t i = 0; i < dropped->ranges; i++) {
			__m512i from_first = _mm512_sub_epi8(bytes, _mm512_set1_epi8((char)dropped->first[i]));
			uint8_t width = (uint8_t)(dropped->last[i] - dropped->first[i]);
			found |= _mm512_cmple_epu8_mask(from_first, _mm512_set1_epi8((char)width));
		}
		_mm512_storeu_si512(out + *len, _mm512_maskz_compress_epi8(~found, bytes));
		*len += (size_t)__builtin_popcountll(~found);
	}
}

/* The same, 32 bytes at a time. */
BYTE_SQUEEZE_TARGET static void copy_without_half(const struct byte_class *dropped, struct slice in, size_t *at,
						  uint8_t *out, size_t *len)
{
	__m256i first[BYTE_CLASS_RANGES], width[BYTE_CLASS_RANGES];
	for (size_t i = 0; i < dropped->ranges; i++) {
		first[i] = _mm256_set1_epi8((char)dropped->first[i]);
		width[i] = _mm256_set1_epi8((char)(dropped->last[i] - dropped->first[i]));
	}
	for (; in.len - *at >= sizeof(__m256i); *at += sizeof(__m256i)) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(in.ptr + *at));
		__m256i found = _mm256_setzero_si256();
		for (size_t i = 0; i < dropped->ranges; i++) {
			__m256i from_first = _mm256_sub_epi8(bytes, first[i]);
			__m256i within = _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, width[i]), from_first);
			found = _mm256_or_si256(found, within);
		}
		*len += byte_squeeze_32(bytes, ~(uint32_t)_mm256_movemask_epi8(found), out + *len);
	}
}

static void copy_without_far(const struct byte_class *dropped, struct slice in, size_t *at, uint8_t *out, size_t *len)
{
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2"))
		copy_without_wide(dropped, in, at, out, len);
	else if (byte_squeeze_is_possible())
		copy_without_half(dropped, in, at, out, len);
}

#else

static void copy_without_far(const struct byte_class *dropped, struct slice in, size_t *at, uint8_t *out, size_t *len)
{
	(void)dropped, (void)in, (void)at, (void)out, (void)len;
}

#endif

/*
 * Copies `in` without the members of `dropped`, of which the first is at `at`. Of 16 bytes each run between members is
 * copied with what is behind it, which the next overwrites: so no run waits for the one before.
 */
static inline __attribute__((always_inline)) size_t copy_without(const struct byte_class *dropped, struct slice in,
								 size_t at, uint8_t *out)
{
	memcpy(out, in.ptr, at);
	size_t len = at;
	if (in.len - at >= FAR_BYTES)
		copy_without_far(dropped, in, &at, out, &len);
	for (; at + 2 * BYTE_VECTOR <= in.len; at += BYTE_VECTOR) {
		const uint8_t *block = in.ptr + at;
		unsigned mask = byte_vector_mask(byte_vector_members(dropped, byte_vector_load(block)));
		size_t from = 0;
		for (; mask != 0; mask &= mask - 1) {
			size_t to = (size_t)__builtin_ctz(mask);
			byte_vector_store(out + len, byte_vector_load(block + from));
			len += to - from;
			from = to + 1;
		}
		byte_vector_store(out + len, byte_vector_load(block + from));
		len += BYTE_VECTOR - from;
	}
	for (; at < in.len; at++) {
		out[len] = in.ptr[at];
		len += !dropped->has[in.ptr[at]];
	}
	return len;
}

bool transform_remove_nulls(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = byte_find(0, in, 0);
	if (at == in.len)
		return false;
	*ret_len = copy_without(&NUL, in, at, out);
	return true;
}

bool transform_remove_whitespace(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len)
{
	(void)context;
	size_t at = byte_class_find(&BLANK, in, 0);
	if (at == in.len)
		return false;
	*ret_len = copy_without(&BLANK, in, at, out);
	return true;
}

static bool trim(struct slice in, bool left, bool right, uint8_t *out, size_t *ret_len)
{
	size_t from = 0, to = in.len;
	while (left && from < to && SPACE.has[in.ptr[from]])
		from++;
	while (right && to > from && SPACE.has[in.ptr[to - 1]])
		to--;
	if (to - from == in.len)
		return false;
	*ret_len = copy_range(out, 0, in, from, to);
	return true;
}

bool transform_trim(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return trim(in, true, true, out, ret_len);
}

bool transform_trim_left(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return trim(in, true, false, out, ret_len);
}

bool transform_trim_right(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return trim(in, false, true, out, ret_len);
}
