/*
 * 64 places are looked at at once, with the bytes behind each: where these are digits and a '%', or '%' and 'u', is
 * before them, the byte they stand for takes its place, and what is dropped is squeezed out by one instruction.
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
	__mmask64 longs;   /* "%u" before four digits */
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

/* Where such stand that are no escapes of two digits. */
WIDE static inline __mmask64 find_longs(const struct block *b, const uint8_t *bytes)
{
	__m512i lowered = _mm512_or_si512(b->high, _mm512_set1_epi8(0x20));
	__mmask64 led = b->percents & ~b->escapes & _mm512_cmpeq_epi8_mask(lowered, _mm512_set1_epi8('u'));
	if (led == 0)
		return 0;
	for (size_t i = 2; i <= 5; i++)
		led &= hex_digits(_mm512_loadu_si512(bytes + i));
	return led;
}

/* What hex digits stand for. */
WIDE static inline __m512i values(__m512i digits)
{
	__m512i value = _mm512_and_si512(digits, _mm512_set1_epi8(15));
	__mmask64 letters = _mm512_test_epi8_mask(digits, _mm512_set1_epi8(0x40));
	return _mm512_mask_add_epi8(value, letters, value, _mm512_set1_epi8(9));
}

/* What pairs of them stand for. */
WIDE static inline __m512i pairs(__m512i high, __m512i low)
{
	return _mm512_or_si512(_mm512_slli_epi16(values(high), 4), values(low));
}

/* '+' is made a space, with `plus`. */
WIDE static inline __m512i without_pluses(const struct block *b, bool plus)
{
	__mmask64 pluses = plus ? _mm512_cmpeq_epi8_mask(b->bytes, _mm512_set1_epi8('+')) : 0;
	return _mm512_mask_mov_epi8(b->bytes, pluses, _mm512_set1_epi8(' '));
}

/* What four digits stand for: the low byte, or ASCII in its full-width form, as full_width() has it. */
WIDE static inline __m512i long_values(const struct block *b, const uint8_t *bytes)
{
	__m512i high = pairs(b->low, _mm512_loadu_si512(bytes + 3));
	__m512i low = pairs(_mm512_loadu_si512(bytes + 4), _mm512_loadu_si512(bytes + 5));
	__mmask64 full = _mm512_cmpeq_epi8_mask(high, _mm512_set1_epi8((char)0xff));
	full &= _mm512_test_epi8_mask(low, low) & _mm512_cmplt_epu8_mask(low, _mm512_set1_epi8(0x5f));
	return _mm512_mask_add_epi8(low, full, low, _mm512_set1_epi8(0x20));
}

/* The first place of those from which escapes reach out of the block, or 64. */
WIDE static inline size_t first_out(__mmask64 escapes, __mmask64 longs)
{
	__mmask64 out = (escapes & (__mmask64)3 << 62) | (longs & (__mmask64)31 << 59);
	return out == 0 ? 64 : (size_t)__builtin_ctzll(out);
}

/* Writes what a block at `bytes` stands for; returns how many of its bytes were taken. */
WIDE static inline size_t write_block(const struct block *b, const uint8_t *bytes, bool plus, uint8_t *out, size_t *len)
{
	/* An escape that begins within another is none, and that one takes its bytes. */
	size_t taken = first_out(b->escapes, b->longs);
	__mmask64 kept = ~(__mmask64)0 >> (64 - taken), escapes = b->escapes & kept, longs = b->longs & kept;
	__m512i made = _mm512_mask_mov_epi8(without_pluses(b, plus), escapes, pairs(b->high, b->low));
	kept &= ~(escapes << 1 | escapes << 2);
	if (longs != 0) {
		made = _mm512_mask_mov_epi8(made, longs, long_values(b, bytes));
		kept &= ~(longs << 1 | longs << 2 | longs << 3 | longs << 4 | longs << 5);
	}
	_mm512_storeu_si512(out + *len, _mm512_maskz_compress_epi8(kept, made));
	*len += (size_t)__builtin_popcountll(kept);
	return taken;
}

WIDE static void unescape(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
			  bool *invalid)
{
	while (in.len - *at >= URL_WIDE_BYTES) {
		struct block b = load(in.ptr + *at);
		if (longs != URL_LONGS_NONE && b.escapes != b.percents)
			b.longs = find_longs(&b, in.ptr + *at);
		if (b.longs != 0 && longs == URL_LONGS_MAPPED)
			return;
		*invalid |= (b.percents & ~b.escapes & ~b.longs) != 0;
		if ((b.escapes | b.longs) != 0) {
			*at += write_block(&b, in.ptr + *at, plus, out, len);
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

void url_unescape_wide(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
		       bool *invalid)
{
	if (is_possible())
		unescape(plus, longs, in, at, out, len, invalid);
	else
		url_unescape_by_32(plus, longs, in, at, out, len, invalid);
}

size_t url_find_unsound_wide(struct slice in, size_t from)
{
	return is_possible() ? find_unsound(in, from) : url_find_unsound_by_32(in, from);
}

#else

void url_unescape_wide(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
		       bool *invalid)
{
	(void)plus, (void)longs, (void)in, (void)at, (void)out, (void)len, (void)invalid;
}

size_t url_find_unsound_wide(struct slice in, size_t from)
{
	(void)in;
	return from;
}

#endif
