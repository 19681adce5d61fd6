/*
 * 64 places are looked at at once, with the two bytes behind each: where these are digits and a '%' is before them, the
 * byte they stand for takes its place, and what is dropped is squeezed out by one instruction.
 */
#include "codec/url_wide.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,popcnt")))

static bool is_possible(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2") &&
	       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}

/* 64 bytes, and those one and two behind each of them. */
struct block {
	__m512i bytes;
	__m512i high;
	__m512i low;
	__mmask64 percents;
	__mmask64 escapes; /* '%' before two digits */
};

WIDE static inline __mmask64 hex_digits(__m512i bytes)
{
	__m512i digit = _mm512_sub_epi8(bytes, _mm512_set1_epi8('0'));
	__m512i letter = _mm512_sub_epi8(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), _mm512_set1_epi8('a'));
	return _mm512_cmple_epu8_mask(digit, _mm512_set1_epi8(9)) | _mm512_cmple_epu8_mask(letter, _mm512_set1_epi8(5));
}

WIDE static inline struct block load(const uint8_t *bytes)
{
	struct block b = {.bytes = _mm512_loadu_si512(bytes)};
	b.percents = _mm512_cmpeq_epi8_mask(b.bytes, _mm512_set1_epi8('%'));
	if (b.percents == 0)
		return b;
	b.high = _mm512_loadu_si512(bytes + 1);
	b.low = _mm512_loadu_si512(bytes + 2);
	b.escapes = b.percents & hex_digits(b.high) & hex_digits(b.low);
	return b;
}

/* What hex digits stand for. */
WIDE static inline __m512i values(__m512i digits)
{
	__m512i value = _mm512_and_si512(digits, _mm512_set1_epi8(15));
	__mmask64 letters = _mm512_test_epi8_mask(digits, _mm512_set1_epi8(0x40));
	return _mm512_mask_add_epi8(value, letters, value, _mm512_set1_epi8(9));
}

/* '+' is made a space, with `plus`. */
WIDE static inline __m512i without_pluses(const struct block *b, bool plus)
{
	__mmask64 pluses = plus ? _mm512_cmpeq_epi8_mask(b->bytes, _mm512_set1_epi8('+')) : 0;
	return _mm512_mask_mov_epi8(b->bytes, pluses, _mm512_set1_epi8(' '));
}

/* Writes what a block stands for; returns how many of its bytes were taken, an escape that reaches out of it aside. */
WIDE static inline size_t write_block(const struct block *b, bool plus, uint8_t *out, size_t *len)
{
	size_t taken = 64 - (b->escapes >> 63) - 2 * (b->escapes >> 62 & 1);
	__mmask64 kept = ~(__mmask64)0 >> (64 - taken), escapes = b->escapes & kept;
	__m512i made = _mm512_or_si512(_mm512_slli_epi16(values(b->high), 4), values(b->low));
	__m512i bytes = _mm512_mask_mov_epi8(without_pluses(b, plus), escapes, made);
	kept &= ~(escapes << 1 | escapes << 2);
	_mm512_storeu_si512(out + *len, _mm512_maskz_compress_epi8(kept, bytes));
	*len += (size_t)__builtin_popcountll(kept);
	return taken;
}

WIDE static void unescape(bool plus, bool unicode, struct slice in, size_t *at, uint8_t *out, size_t *len,
			  bool *invalid)
{
	while (in.len - *at >= URL_WIDE_BYTES) {
		struct block b = load(in.ptr + *at);
		__mmask64 others = b.percents & ~b.escapes;
		if (others != 0) {
			__m512i lowered = _mm512_or_si512(b.high, _mm512_set1_epi8(0x20));
			if (unicode && (others & _mm512_cmpeq_epi8_mask(lowered, _mm512_set1_epi8('u'))) != 0)
				return;
			*invalid = true;
		}
		if (b.escapes != 0) {
			*at += write_block(&b, plus, out, len);
			continue;
		}
		_mm512_storeu_si512(out + *len, without_pluses(&b, plus));
		*len += 64;
		*at += 64;
	}
}

WIDE static size_t find_unsound(struct slice in, size_t from)
{
	size_t at = from;
	for (; in.len - at >= URL_WIDE_BYTES; at += 64) {
		struct block b = load(in.ptr + at);
		__mmask64 others = b.percents & ~b.escapes;
		if (others != 0)
			return at + (size_t)__builtin_ctzll(others);
	}
	return at;
}

void url_unescape_wide(bool plus, bool unicode, struct slice in, size_t *at, uint8_t *out, size_t *len, bool *invalid)
{
	if (is_possible())
		unescape(plus, unicode, in, at, out, len, invalid);
}

size_t url_find_unsound_wide(struct slice in, size_t from)
{
	return is_possible() ? find_unsound(in, from) : from;
}

#else

void url_unescape_wide(bool plus, bool unicode, struct slice in, size_t *at, uint8_t *out, size_t *len, bool *invalid)
{
	(void)plus, (void)unicode, (void)in, (void)at, (void)out, (void)len, (void)invalid;
}

size_t url_find_unsound_wide(struct slice in, size_t from)
{
	(void)in;
	return from;
}

#endif
