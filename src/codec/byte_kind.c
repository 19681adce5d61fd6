/*
 * Three ways to one answer. By AVX-512 the four bytes of a kind's word are looked up for 64 bytes at once; by AVX2 what
 * most text is made of is told by the halves of its bytes, and what is left one by one; else all goes byte by byte.
 */
#include "codec/byte_kind.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define KINDS(ROW)                                                                                                     \
	ROW(0, 0, BYTES_NUL)                                                                                           \
	ROW(1, 8, BYTES_CONTROL)                                                                                       \
	ROW('\t', '\r', BYTES_WHITE)                                                                                   \
	ROW(14, 31, BYTES_CONTROL)                                                                                     \
	ROW(' ', ' ', BYTES_BLANK)                                                                                     \
	ROW('!', '!', BYTES_OTHER)                                                                                     \
	ROW('"', '"', BYTES_QUOTE)                                                                                     \
	ROW('#', '#', BYTES_HASH)                                                                                      \
	ROW('$', '$', BYTES_DOLLAR)                                                                                    \
	ROW('%', '%', BYTES_PERCENT)                                                                                   \
	ROW('&', '&', BYTES_AMPERSAND)                                                                                 \
	ROW('\'', '\'', BYTES_APOSTROPHE)                                                                              \
	ROW('(', ')', BYTES_ROUND)                                                                                     \
	ROW('*', '*', BYTES_STAR)                                                                                      \
	ROW('+', '+', BYTES_PLUS)                                                                                      \
	ROW(',', ',', BYTES_COMMA)                                                                                     \
	ROW('-', '-', BYTES_DASH)                                                                                      \
	ROW('.', '.', BYTES_DOT)                                                                                       \
	ROW('/', '/', BYTES_SLASH)                                                                                     \
	ROW('0', '9', BYTES_DIGIT)                                                                                     \
	ROW(':', ':', BYTES_COLON)                                                                                     \
	ROW(';', ';', BYTES_SEMICOLON)                                                                                 \
	ROW('<', '<', BYTES_LESS)                                                                                      \
	ROW('=', '=', BYTES_EQUALS)                                                                                    \
	ROW('>', '>', BYTES_GREATER)                                                                                   \
	ROW('?', '@', BYTES_OTHER)                                                                                     \
	ROW('A', 'Z', BYTES_UPPER)                                                                                     \
	ROW('[', '[', BYTES_BRACKET)                                                                                   \
	ROW('\\', '\\', BYTES_BACKSLASH)                                                                               \
	ROW(']', ']', BYTES_BRACKET)                                                                                   \
	ROW('^', '^', BYTES_CARET)                                                                                     \
	ROW('_', '_', BYTES_UNDERSCORE)                                                                                \
	ROW('`', '`', BYTES_BAR)                                                                                       \
	ROW('a', 'z', BYTES_LOWER)                                                                                     \
	ROW('{', '{', BYTES_BRACKET)                                                                                   \
	ROW('|', '|', BYTES_BAR)                                                                                       \
	ROW('}', '}', BYTES_BRACKET)                                                                                   \
	ROW('~', '~', BYTES_OTHER)                                                                                     \
	ROW(127, 127, BYTES_CONTROL)

#define WHOLE(from, to, kind) [from... to] = kind,

static const uint32_t kinds_of[256] = {KINDS(WHOLE)[128 ... 255] = BYTES_HIGH};

uint32_t byte_kind(uint8_t byte)
{
	return kinds_of[byte];
}

enum { PART_BYTES = 2048 /* of a long value; where all kinds are in those gone through the rest tells nothing */ };

static uint32_t kinds_plainly(struct slice s)
{
	uint32_t kinds = 0;
	size_t i = 0;
	for (; i + 4 <= s.len; i += 4)
		kinds |= kinds_of[s.ptr[i]] | kinds_of[s.ptr[i + 1]] | kinds_of[s.ptr[i + 2]] | kinds_of[s.ptr[i + 3]];
	for (; i < s.len; i++)
		kinds |= kinds_of[s.ptr[i]];
	return kinds;
}

#if defined(__x86_64__)

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi")))

enum { BLOCK_BYTES = 64, PLAIN_BYTES = 8 /* in fewer there is nothing to win */ };

#define BYTE_0(from, to, kind) [from... to] = (uint8_t)(kind),
#define BYTE_1(from, to, kind) [from... to] = (uint8_t)((kind) >> 8),
#define BYTE_2(from, to, kind) [from... to] = (uint8_t)((kind) >> 16),
#define BYTE_3(from, to, kind) [from... to] = (uint8_t)((kind) >> 24),

/* By byte of the word, the same for all of ASCII. */
static const _Alignas(64) uint8_t planes[4][128] = {{KINDS(BYTE_0)}, {KINDS(BYTE_1)}, {KINDS(BYTE_2)}, {KINDS(BYTE_3)}};

WIDE static inline __m512i plane(unsigned number, __m512i bytes)
{
	__m512i low = _mm512_load_si512(planes[number]), high = _mm512_load_si512(planes[number] + BLOCK_BYTES);
	return _mm512_permutex2var_epi8(low, bytes, high);
}

/* Bytes that lie side by side in both, joined with those of the other half. */
WIDE static inline __m512i fold_bytes(__m512i a, __m512i b)
{
	return _mm512_or_si512(_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
}

/* 16 words, which together hold the kinds of the bytes that are looked at. Looking up takes no notice of the 8th bit.
 */
WIDE static inline __m512i kinds_of_block(__m512i bytes, __mmask64 looked_at, __mmask64 *high)
{
	*high |= _mm512_movepi8_mask(bytes);
	looked_at &= ~_mm512_movepi8_mask(bytes);
	__m512i first = fold_bytes(_mm512_maskz_mov_epi8(looked_at, plane(0, bytes)),
				   _mm512_maskz_mov_epi8(looked_at, plane(1, bytes)));
	__m512i second = fold_bytes(_mm512_maskz_mov_epi8(looked_at, plane(2, bytes)),
				    _mm512_maskz_mov_epi8(looked_at, plane(3, bytes)));
	return _mm512_or_si512(_mm512_unpacklo_epi16(first, second), _mm512_unpackhi_epi16(first, second));
}

WIDE static uint32_t kinds_by_64(struct slice s)
{
	__m512i kinds = _mm512_setzero_si512();
	__mmask64 high = 0;
	size_t i = 0;
	for (; i + BLOCK_BYTES <= s.len; i += BLOCK_BYTES)
		kinds = _mm512_or_si512(kinds, kinds_of_block(_mm512_loadu_si512(s.ptr + i), ~(__mmask64)0, &high));
	if (i < s.len) {
		__mmask64 rest = ~(__mmask64)0 >> (BLOCK_BYTES - (s.len - i));
		__m512i bytes = _mm512_maskz_loadu_epi8(rest, s.ptr + i);
		kinds = _mm512_or_si512(kinds, kinds_of_block(bytes, rest, &high));
	}
	return (uint32_t)_mm512_reduce_or_epi32(kinds) | (high != 0 ? BYTES_HIGH : 0);
}

static bool is_wide(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi");
}

#define HALF __attribute__((target("avx2,popcnt")))

enum { HALF_BYTES = 32, HALF_LEAST = 64 /* of a value, for it to be worth it */ };

/* Bytes that most text is made of, as a set of low halves for each high half: a bit for each kind, letters have two. */
enum { LETTER_FIRST = 1, LETTER_LAST = 2, DIGIT = 4, BLANK = 8, PLUS = 16, PERCENT = 32, COMMA = 64, DOT = 128 };

static const _Alignas(16) uint8_t high_halves[16] = {[2] = BLANK | PLUS | PERCENT | COMMA | DOT,
						     [3] = DIGIT,
						     [4] = LETTER_FIRST,
						     [5] = LETTER_LAST,
						     [6] = LETTER_FIRST,
						     [7] = LETTER_LAST};
static const _Alignas(16) uint8_t low_halves[16] = {
	[0] = LETTER_LAST | DIGIT | BLANK,
	[1 ... 4] = LETTER_FIRST | LETTER_LAST | DIGIT,
	[5] = LETTER_FIRST | LETTER_LAST | DIGIT | PERCENT,
	[6 ... 9] = LETTER_FIRST | LETTER_LAST | DIGIT,
	[10] = LETTER_FIRST | LETTER_LAST,
	[11] = LETTER_FIRST | PLUS,
	[12] = LETTER_FIRST | COMMA,
	[13] = LETTER_FIRST,
	[14] = LETTER_FIRST | DOT,
	[15] = LETTER_FIRST,
};

/* The same of what texts made to match have in plenty. */
enum { SLASH = 1, BACKSLASH = 2, QUOTE = 4, APOSTROPHE = 8, STAR = 16, SEMICOLON = 32, EQUALS = 64, WHITE = 128 };

static const _Alignas(16) uint8_t odd_high_halves[16] = {
	[0] = WHITE, [2] = SLASH | QUOTE | APOSTROPHE | STAR, [3] = SEMICOLON | EQUALS, [5] = BACKSLASH};
static const _Alignas(16) uint8_t odd_low_halves[16] = {
	[2] = QUOTE,
	[7] = APOSTROPHE,
	[9] = WHITE,
	[10] = STAR | WHITE,
	[11] = SEMICOLON | WHITE,
	[12] = BACKSLASH | WHITE,
	[13] = EQUALS | WHITE,
	[15] = SLASH,
};

/* What was found so far: halves of usual bytes in each place, and the kinds of the others. */
struct usual {
	__m256i capitals; /* those whose sixth bit is not set */
	__m256i others;
	__m256i odd;
	uint32_t kinds;
};

HALF static inline __m256i table_of_halves(const uint8_t *table)
{
	return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)table));
}

HALF static inline void look_at_32(const uint8_t *ptr, struct usual *found)
{
	const __m256i half = _mm256_set1_epi8(15), sixth = _mm256_set1_epi8(0x20);
	__m256i bytes = _mm256_loadu_si256((const __m256i *)ptr);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
	__m256i low = _mm256_and_si256(bytes, half);
	__m256i usual = _mm256_and_si256(_mm256_shuffle_epi8(table_of_halves(high_halves), high),
					 _mm256_shuffle_epi8(table_of_halves(low_halves), low));
	__m256i odd = _mm256_and_si256(_mm256_shuffle_epi8(table_of_halves(odd_high_halves), high),
				       _mm256_shuffle_epi8(table_of_halves(odd_low_halves), low));
	__m256i is_other = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, sixth), sixth);
	found->capitals = _mm256_or_si256(found->capitals, _mm256_andnot_si256(is_other, usual));
	found->others = _mm256_or_si256(found->others, _mm256_and_si256(is_other, usual));
	found->odd = _mm256_or_si256(found->odd, odd);
	__m256i known = _mm256_or_si256(usual, odd);
	uint32_t beyond = (uint32_t)_mm256_movemask_epi8(bytes);
	uint32_t left = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(known, _mm256_setzero_si256())) & ~beyond;
	found->kinds |= beyond != 0 ? BYTES_HIGH : 0;
	if (__builtin_popcount(left) > HALF_BYTES / 2)
		found->kinds |= kinds_plainly(slice_make(ptr, HALF_BYTES));
	else
		for (; left != 0; left &= left - 1)
			found->kinds |= kinds_of[ptr[__builtin_ctz(left)]];
}

HALF static inline uint32_t joined(__m256i bytes)
{
	__m128i half = _mm_or_si128(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
	uint64_t word = (uint64_t)_mm_cvtsi128_si64(_mm_or_si128(half, _mm_unpackhi_epi64(half, half)));
	word |= word >> 32;
	word |= word >> 16;
	return (uint32_t)(word | word >> 8) & 0xff;
}

static inline uint32_t kinds_of_odd(uint32_t odd)
{
	return ((odd & SLASH) != 0 ? BYTES_SLASH : 0) | ((odd & BACKSLASH) != 0 ? BYTES_BACKSLASH : 0) |
	       ((odd & QUOTE) != 0 ? BYTES_QUOTE : 0) | ((odd & APOSTROPHE) != 0 ? BYTES_APOSTROPHE : 0) |
	       ((odd & STAR) != 0 ? BYTES_STAR : 0) | ((odd & SEMICOLON) != 0 ? BYTES_SEMICOLON : 0) |
	       ((odd & EQUALS) != 0 ? BYTES_EQUALS : 0) | ((odd & WHITE) != 0 ? BYTES_WHITE : 0);
}

static inline uint32_t kinds_of_others(uint32_t others)
{
	return ((others & (LETTER_FIRST | LETTER_LAST)) != 0 ? BYTES_LOWER : 0) |
	       ((others & DIGIT) != 0 ? BYTES_DIGIT : 0) | ((others & BLANK) != 0 ? BYTES_BLANK : 0) |
	       ((others & PLUS) != 0 ? BYTES_PLUS : 0) | ((others & PERCENT) != 0 ? BYTES_PERCENT : 0) |
	       ((others & COMMA) != 0 ? BYTES_COMMA : 0) | ((others & DOT) != 0 ? BYTES_DOT : 0);
}

/* Of HALF_BYTES and more; the last 32 may be looked at twice in part. */
HALF static uint32_t kinds_by_32(struct slice s)
{
	struct usual found = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), 0};
	for (size_t i = 0; i + HALF_BYTES <= s.len; i += HALF_BYTES)
		look_at_32(s.ptr + i, &found);
	if (s.len % HALF_BYTES != 0)
		look_at_32(s.ptr + s.len - HALF_BYTES, &found);
	return found.kinds | (joined(found.capitals) != 0 ? BYTES_UPPER : 0) | kinds_of_others(joined(found.others)) |
	       kinds_of_odd(joined(found.odd));
}

#endif

static uint32_t kinds_of_part(struct slice s)
{
#if defined(__x86_64__)
	if (s.len > PLAIN_BYTES && is_wide())
		return kinds_by_64(s);
	if (s.len >= HALF_LEAST && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
		return kinds_by_32(s);
#endif
	return kinds_plainly(s);
}

uint32_t byte_kinds(struct slice s)
{
	uint32_t kinds = 0;
	for (; s.len > PART_BYTES && kinds != BYTES_ANY; s = slice_after(s, PART_BYTES))
		kinds |= kinds_of_part(slice_sub(s, 0, PART_BYTES));
	return kinds == BYTES_ANY ? kinds : kinds | kinds_of_part(s);
}
