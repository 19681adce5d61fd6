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

#endif

uint32_t byte_kinds(struct slice s)
{
#if defined(__x86_64__)
	if (s.len > PLAIN_BYTES && is_wide())
		return kinds_by_64(s);
#endif
	return kinds_plainly(s);
}
