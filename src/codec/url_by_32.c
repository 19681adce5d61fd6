/* As url_wide.c, 32 bytes at a time by AVX2. */
#include "codec/byte_squeeze.h"
#include "codec/url_wide.h"

#if defined(__x86_64__)

#define WIDE BYTE_SQUEEZE_TARGET

enum { BLOCK = 32, READ = BLOCK + 2 /* an escape's digits may be behind it */ };

/* 32 bytes, and those one and two behind each of them; places are told by bits. */
struct block {
	__m256i bytes;
	__m256i high;
	__m256i low;
	__m256i starts; /* escapes, by bytes */
	uint32_t percents;
	uint32_t escapes; /* '%' before two digits */
};

WIDE static inline __m256i all(char byte)
{
	return _mm256_set1_epi8(byte);
}

WIDE static inline __m256i hex_digits(__m256i bytes)
{
	__m256i digit = _mm256_sub_epi8(bytes, all('0'));
	__m256i letter = _mm256_sub_epi8(_mm256_or_si256(bytes, all(0x20)), all('a'));
	return _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(digit, all(9)), digit),
			       _mm256_cmpeq_epi8(_mm256_min_epu8(letter, all(5)), letter));
}

WIDE static inline struct block load(const uint8_t *bytes)
{
	struct block b = {.bytes = _mm256_loadu_si256((const __m256i *)bytes)};
	__m256i percents = _mm256_cmpeq_epi8(b.bytes, all('%'));
	b.percents = (uint32_t)_mm256_movemask_epi8(percents);
	if (b.percents == 0)
		return b;
	b.high = _mm256_loadu_si256((const __m256i *)(bytes + 1));
	b.low = _mm256_loadu_si256((const __m256i *)(bytes + 2));
	b.starts = _mm256_and_si256(percents, _mm256_and_si256(hex_digits(b.high), hex_digits(b.low)));
	b.escapes = (uint32_t)_mm256_movemask_epi8(b.starts);
	return b;
}

/* Whether some '%' may begin a %uHHHH. */
WIDE static inline bool has_longs(const struct block *b)
{
	__m256i led = _mm256_cmpeq_epi8(_mm256_or_si256(b->high, all(0x20)), all('u'));
	return ((uint32_t)_mm256_movemask_epi8(led) & b->percents) != 0;
}

/* What hex digits stand for. */
WIDE static inline __m256i values(__m256i digits)
{
	__m256i letters = _mm256_cmpgt_epi8(digits, all('9'));
	return _mm256_add_epi8(_mm256_and_si256(digits, all(15)), _mm256_and_si256(letters, all(9)));
}

/* What stands where no escape does; '+' is made a space, with `plus`. */
WIDE static inline __m256i without_pluses(const struct block *b, bool plus)
{
	__m256i change = plus ? all('+' ^ ' ') : _mm256_setzero_si256();
	return _mm256_xor_si256(b->bytes, _mm256_and_si256(_mm256_cmpeq_epi8(b->bytes, all('+')), change));
}

/* Writes what a block stands for; returns how many of its bytes were taken. */
WIDE static inline size_t write_block(const struct block *b, bool plus, uint8_t *out, size_t *len)
{
	uint32_t reach_out = b->escapes & UINT32_C(3) << (BLOCK - 2);
	size_t taken = reach_out == 0 ? BLOCK : (size_t)__builtin_ctz(reach_out);
	/* Behind the place before an escape stands its '%', of which the shift carries nothing into the escape's byte.
	 */
	__m256i pairs = _mm256_or_si256(_mm256_slli_epi16(values(b->high), 4), values(b->low));
	__m256i made = _mm256_blendv_epi8(without_pluses(b, plus), pairs, b->starts);
	uint32_t kept = UINT32_MAX >> (BLOCK - taken) & ~(b->escapes << 1 | b->escapes << 2);
	*len += byte_squeeze_32(made, kept, out + *len);
	return taken;
}

WIDE static void unescape(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
			  bool *invalid)
{
	while (in.len - *at >= READ) {
		const struct block b = load(in.ptr + *at);
		if (b.escapes != b.percents) {
			if (longs != URL_LONGS_NONE && has_longs(&b))
				return;
			*invalid = true;
		}
		if (b.escapes != 0) {
			*at += write_block(&b, plus, out, len);
			continue;
		}
		_mm256_storeu_si256((__m256i *)(out + *len), without_pluses(&b, plus));
		*len += BLOCK;
		*at += BLOCK;
	}
}

WIDE static size_t find_unsound(struct slice in, size_t from)
{
	size_t at = from;
	for (; in.len - at >= READ; at += BLOCK) {
		const struct block b = load(in.ptr + at);
		if (b.escapes != b.percents)
			return at + (size_t)__builtin_ctz(b.percents & ~b.escapes);
	}
	return at;
}

void url_unescape_by_32(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
			bool *invalid)
{
	if (byte_squeeze_is_possible())
		unescape(plus, longs, in, at, out, len, invalid);
}

size_t url_find_unsound_by_32(struct slice in, size_t from)
{
	return byte_squeeze_is_possible() ? find_unsound(in, from) : from;
}

#else

void url_unescape_by_32(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
			bool *invalid)
{
	(void)plus, (void)longs, (void)in, (void)at, (void)out, (void)len, (void)invalid;
}

size_t url_find_unsound_by_32(struct slice in, size_t from)
{
	(void)in;
	return from;
}

#endif
