/*
 * White space and command lines: what is quoted goes, runs of white space become one space. Most text has single spaces
 * between words, which stay.
 */
#include "codec/byte_class.h"
#include "codec/byte_squeeze.h"
#include "codec/transform_rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { FAR_BYTES = 256 }; /* of which it is worth asking what the machine can do */

static const struct byte_class UPPER = BYTE_CLASS_1('A', 'Z');
static const struct byte_class SPACE = BYTE_CLASS_2('\t', '\r', ' ', ' ');
/* White space of the C locale other than the space itself. */
static const struct byte_class ODD_SPACE = BYTE_CLASS_1('\t', '\r');

/* How far a value was gone through. */
struct squeezed {
	size_t at;
	size_t len;       /* of what was written */
	bool after_space; /* it ends with one that others may join */
	bool changed;
};

enum { DROPPED = 0x80 };

/*
 * What becomes of a byte, by its halves: a bit that both have. The first two: it is dropped; the next three: it becomes
 * a space; the others: a letter becomes a small one.
 */
enum { HALVES_DROPPED = 0x03, HALVES_SPACE = 0x1c, HALVES_LETTER = 0x60 };

/* The bits that change in each byte below 0x80, or DROPPED; other bytes stay as they are. */
struct squeeze_map {
	uint8_t bits[128];
	uint8_t low_halves[16]; /* the same */
	uint8_t high_halves[16];
	bool tightens; /* no space stays before '/' and '(' */
};

#if defined(__x86_64__)

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")))

/* Bytes behind which no space stays. */
WIDE static inline __mmask64 closing(const struct squeeze_map *map, __m512i bytes, __mmask64 spaces)
{
	__mmask64 tight = 0;
	if (map->tightens)
		tight = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('/')) |
			_mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('('));
	return spaces | tight;
}

/*
 * As long as 64 bytes are left: they are mapped, what is dropped is squeezed out, and so are spaces that something
 * closing follows. Of the last it is not known yet: it is taken back where the next block begins so.
 */
WIDE static void squeeze_wide(const struct squeeze_map *map, struct slice in, uint8_t *out, struct squeezed *s)
{
	const __m512i low = _mm512_loadu_si512(map->bits), high = _mm512_loadu_si512(map->bits + 64);
	for (; in.len - s->at >= sizeof(__m512i); s->at += sizeof(__m512i)) {
		__m512i bytes = _mm512_loadu_si512(in.ptr + s->at);
		__mmask64 ascii = ~_mm512_movepi8_mask(bytes), there = ~(__mmask64)0;
		__m512i bits = _mm512_maskz_permutex2var_epi8(ascii, low, bytes, high);
		__m512i made = _mm512_xor_si512(bytes, bits);
		__mmask64 dropped = _mm512_movepi8_mask(bits);
		s->changed |= _mm512_test_epi8_mask(bits, bits) != 0;
		if (dropped != 0) {
			size_t left = (size_t)__builtin_popcountll(~dropped);
			if (left == 0)
				continue;
			made = _mm512_maskz_compress_epi8(~dropped, made);
			there >>= 64 - left;
		}
		__mmask64 spaces = _mm512_mask_cmpeq_epi8_mask(there, made, _mm512_set1_epi8(' '));
		__mmask64 closes = closing(map, made, spaces) & there;
		__mmask64 gone = spaces & closes >> 1;
		s->len -= s->after_space && (closes & 1) != 0;
		s->changed |= gone != 0 || (s->after_space && (closes & 1) != 0);
		_mm512_storeu_si512(out + s->len, _mm512_maskz_compress_epi8(there & ~gone, made));
		s->len += (size_t)__builtin_popcountll(there & ~gone);
		s->after_space = (spaces & ~(there >> 1)) != 0;
	}
}

#define HALF BYTE_SQUEEZE_TARGET

enum { HALF_BYTES = 32 };

HALF static inline __m256i table_of_halves(const uint8_t *table)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

/* A bit for each byte that has none of the bits. */
HALF static inline uint32_t without_bits(__m256i bytes, uint8_t bits)
{
	__m256i have = _mm256_and_si256(bytes, _mm256_set1_epi8((char)bits));
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(have, _mm256_setzero_si256()));
}

HALF static inline uint32_t equal_by_32(__m256i bytes, char byte)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte)));
}

/* By what the halves of 32 bytes say. */
HALF static inline __m256i mapped(__m256i bytes, __m256i halves)
{
	const __m256i space = _mm256_set1_epi8(' '), letter = _mm256_set1_epi8(HALVES_LETTER);
	__m256i no_space =
		_mm256_cmpeq_epi8(_mm256_and_si256(halves, _mm256_set1_epi8(HALVES_SPACE)), _mm256_setzero_si256());
	__m256i lowers = _mm256_min_epu8(_mm256_and_si256(halves, letter), _mm256_set1_epi8(0x20));
	return _mm256_xor_si256(_mm256_blendv_epi8(space, bytes, no_space), lowers);
}

/* Writes 32 bytes that were mapped, of which those are `there`, but for spaces that do not stay. */
HALF static inline void write_by_32(bool tightens, __m256i made, uint32_t there, uint8_t *out, struct squeezed *s)
{
	uint32_t spaces = equal_by_32(made, ' ') & there, closes = spaces;
	if (tightens)
		closes |= (equal_by_32(made, '/') | equal_by_32(made, '(')) & there;
	uint32_t gone = spaces & closes >> 1;
	bool joins = s->after_space && (closes & 1) != 0;
	s->len -= joins;
	s->changed |= gone != 0 || joins;
	if (gone == 0) {
		_mm256_storeu_si256((__m256i *)(out + s->len), made);
		s->len += (size_t)__builtin_popcount(there);
	} else {
		s->len += byte_squeeze_32(made, there & ~gone, out + s->len);
	}
	s->after_space = (spaces & ~(there >> 1)) != 0;
}

/* As above, as long as 32 bytes are left. */
HALF static void squeeze_half(const struct squeeze_map *map, struct slice in, uint8_t *out, struct squeezed *s)
{
	const __m256i low = table_of_halves(map->low_halves), high = table_of_halves(map->high_halves);
	const __m256i half = _mm256_set1_epi8(15);
	for (; in.len - s->at >= HALF_BYTES; s->at += HALF_BYTES) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(in.ptr + s->at));
		__m256i high_halves = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
		__m256i halves = _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
						  _mm256_shuffle_epi8(high, high_halves));
		__m256i made = mapped(bytes, halves);
		uint32_t kept = without_bits(halves, HALVES_DROPPED), there = UINT32_MAX;
		s->changed |= !_mm256_testz_si256(halves, halves);
		if (kept == 0)
			continue;
		if (kept != UINT32_MAX) {
			uint8_t rest[HALF_BYTES];
			there >>= HALF_BYTES - byte_squeeze_32(made, kept, rest);
			made = _mm256_loadu_si256((const __m256i *)rest);
		}
		write_by_32(map->tightens, made, there, out, s);
	}
}

static void squeeze_far(const struct squeeze_map *map, struct slice in, uint8_t *out, struct squeezed *s)
{
	if (in.len < FAR_BYTES)
		return;
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
	    __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("popcnt"))
		squeeze_wide(map, in, out, s);
	else if (byte_squeeze_is_possible())
		squeeze_half(map, in, out, s);
}

#else

static void squeeze_far(const struct squeeze_map *map, struct slice in, uint8_t *out, struct squeezed *s)
{
	(void)map, (void)in, (void)out, (void)s;
}

#endif

/* Of 16 bytes at `at`, a bit for each at which a transformation changes something; one byte more is looked at. */
typedef unsigned changes_at(struct slice in, size_t at);

/* The first block of 16 that holds a change, and the change in it; or what is left at the end, at most 16 bytes. */
static inline __attribute__((always_inline)) size_t first_change(changes_at *changes, struct slice in)
{
	size_t at = 0;
	for (; at + BYTE_VECTOR < in.len; at += BYTE_VECTOR) {
		unsigned mask = changes(in, at);
		if (mask != 0)
			return at + (size_t)__builtin_ctz(mask);
	}
	return at;
}

/* Copies up to there. */
static inline __attribute__((always_inline)) void copy_unchanged(changes_at *changes, struct slice in, uint8_t *out,
								 struct squeezed *s)
{
	s->at = s->len = first_change(changes, in);
	s->after_space = s->at > 0 && in.ptr[s->at - 1] == ' ';
	memcpy(out, in.ptr, s->at);
}

/* Copies up to the next change, 16 bytes at a time; stops as well where at most 16 are left, before the last. */
static inline __attribute__((always_inline)) void copy_to_change(changes_at *changes, struct slice in, uint8_t *out,
								 struct squeezed *s, bool lowers)
{
	unsigned mask = 0;
	while (s->at + BYTE_VECTOR < in.len && mask == 0) {
		byte_vector bytes = byte_vector_load(in.ptr + s->at);
		mask = changes(in, s->at);
		if (lowers)
			bytes ^= byte_vector_members(&UPPER, bytes) & 0x20;
		byte_vector_store(out + s->len, bytes);
		size_t count = mask == 0 ? BYTE_VECTOR : (size_t)__builtin_ctz(mask);
		s->at += count;
		s->len += count;
	}
	s->after_space = s->at > 0 && in.ptr[s->at - 1] == ' ';
}

static inline __attribute__((always_inline)) byte_vector equal_to(byte_vector bytes, uint8_t byte)
{
	return (byte_vector)(bytes == byte);
}

/* White space other than ' ', and a ' ' that any follows. */
static inline __attribute__((always_inline)) unsigned white_changes(struct slice in, size_t at)
{
	byte_vector bytes = byte_vector_load(in.ptr + at);
	byte_vector next = byte_vector_load(in.ptr + at + 1);
	return byte_vector_mask(byte_vector_members(&ODD_SPACE, bytes) |
				(equal_to(bytes, ' ') & byte_vector_members(&SPACE, next)));
}

bool transform_compress_whitespace(const struct transform_context *context, struct slice in, uint8_t *out,
				   size_t *ret_len)
{
	static const struct squeeze_map MAP = {.bits = {['\t'] = '\t' ^ ' ',
							['\n'] = '\n' ^ ' ',
							['\v'] = '\v' ^ ' ',
							['\f'] = '\f' ^ ' ',
							['\r'] = '\r' ^ ' '},
					       .low_halves = {[9 ... 13] = 0x04},
					       .high_halves = {[0] = 0x04}};
	struct squeezed s = {0};
	(void)context;
	squeeze_far(&MAP, in, out, &s);
	if (s.at == 0)
		copy_unchanged(white_changes, in, out, &s);
	while (s.at < in.len) {
		if (!s.after_space && s.at + BYTE_VECTOR < in.len)
			copy_to_change(white_changes, in, out, &s, false);
		uint8_t byte = in.ptr[s.at++];
		bool space = SPACE.has[byte];
		s.changed |= space && (s.after_space || byte != ' ');
		out[s.len] = space ? ' ' : byte;
		s.len += !(space && s.after_space);
		s.after_space = space;
	}
	if (s.changed)
		*ret_len = s.len;
	return s.changed;
}

enum { COMMAND_COPY, COMMAND_DROP, COMMAND_SPACE, COMMAND_TIGHT };

/* What cmdLine does with a byte: quoting goes, separators become one space, no space stands before '/' and '('. */
static const uint8_t COMMAND[256] = {
	['"'] = COMMAND_DROP,   ['\''] = COMMAND_DROP,  ['\\'] = COMMAND_DROP, ['^'] = COMMAND_DROP,
	[' '] = COMMAND_SPACE,  [','] = COMMAND_SPACE,  [';'] = COMMAND_SPACE, ['\t'] = COMMAND_SPACE,
	['\r'] = COMMAND_SPACE, ['\n'] = COMMAND_SPACE, ['/'] = COMMAND_TIGHT, ['('] = COMMAND_TIGHT,
};

/* Quoting, separators other than ' ', and a ' ' that does not stay. Letters are another matter. */
static inline __attribute__((always_inline)) unsigned command_changes(struct slice in, size_t at)
{
	byte_vector bytes = byte_vector_load(in.ptr + at);
	byte_vector next = byte_vector_load(in.ptr + at + 1);
	byte_vector quoting =
		equal_to(bytes, '"') | equal_to(bytes, '\'') | equal_to(bytes, '\\') | equal_to(bytes, '^');
	byte_vector separators = equal_to(bytes, ',') | equal_to(bytes, ';') | equal_to(bytes, '\r') |
				 byte_vector_within(bytes, '\t', '\n');
	byte_vector closing = equal_to(next, ' ') | equal_to(next, '/') | equal_to(next, '(');
	return byte_vector_mask(quoting | separators | (equal_to(bytes, ' ') & closing));
}

static inline __attribute__((always_inline)) unsigned command_changes_or_capitals(struct slice in, size_t at)
{
	byte_vector bytes = byte_vector_load(in.ptr + at);
	return command_changes(in, at) | byte_vector_mask(byte_vector_members(&UPPER, bytes));
}

/* One byte of a command line. */
static inline __attribute__((always_inline)) void take_command(uint8_t byte, uint8_t *out, struct squeezed *s)
{
	switch (COMMAND[byte]) {
	case COMMAND_DROP:
		s->changed = true;
		break;
	case COMMAND_SPACE:
		s->changed |= s->after_space || byte != ' ';
		if (!s->after_space)
			out[s->len++] = ' ';
		s->after_space = true;
		break;
	case COMMAND_TIGHT:
		s->changed |= s->after_space;
		s->len -= s->after_space;
		out[s->len++] = byte;
		s->after_space = false;
		break;
	default:
		s->changed |= byte != byte_lower(byte);
		out[s->len++] = byte_lower(byte);
		s->after_space = false;
	}
}

/* 0x01: " and '; 0x02: \ and ^; 0x04: ','; 0x08: ';'; 0x10: \t, \n, \r; 0x20: A to O; 0x40: P to Z. */
#define COMMAND_HIGH_HALVES                                                                                            \
	{                                                                                                              \
		[0] = 0x10, [2] = 0x05, [3] = 0x08, [4] = 0x20, [5] = 0x42                                             \
	}
#define COMMAND_LOW_HALVES                                                                                             \
	{                                                                                                              \
		[0] = 0x40, [1] = 0x60, [2] = 0x61, [3 ... 6] = 0x60, [7] = 0x61, [8] = 0x60,                          \
		[9 ... 10] = 0x70, [11] = 0x28, [12] = 0x26, [13] = 0x30, [14] = 0x22, [15] = 0x20                     \
	}

bool transform_cmd_line(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	static const struct squeeze_map MAP = {.bits = {['"'] = DROPPED,
							['\''] = DROPPED,
							['\\'] = DROPPED,
							['^'] = DROPPED,
							[','] = ',' ^ ' ',
							[';'] = ';' ^ ' ',
							['\t'] = '\t' ^ ' ',
							['\r'] = '\r' ^ ' ',
							['\n'] = '\n' ^ ' ',
							['A' ... 'Z'] = 0x20},
					       .low_halves = COMMAND_LOW_HALVES,
					       .high_halves = COMMAND_HIGH_HALVES,
					       .tightens = true};
	struct squeezed s = {0};
	(void)context;
	squeeze_far(&MAP, in, out, &s);
	if (s.at == 0) {
		copy_unchanged(command_changes_or_capitals, in, out, &s);
		s.changed = s.at + BYTE_VECTOR < in.len;
	}
	while (s.at < in.len) {
		if (!s.after_space && s.at + BYTE_VECTOR < in.len)
			copy_to_change(command_changes, in, out, &s, true);
		take_command(in.ptr[s.at++], out, &s);
	}
	if (s.changed)
		*ret_len = s.len;
	return s.changed;
}
