/*
 * White space and command lines: what is quoted goes, runs of white space become one space. Most text has single spaces
 * between words, which stay.
 */
#include "codec/byte_class.h"
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

/* The bits that change in each byte below 0x80, or DROPPED; other bytes stay as they are. */
struct squeeze_map {
	uint8_t bits[128];
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

static void squeeze_far(const struct squeeze_map *map, struct slice in, uint8_t *out, struct squeezed *s)
{
	if (in.len >= FAR_BYTES && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
	    __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("popcnt"))
		squeeze_wide(map, in, out, s);
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
							['\r'] = '\r' ^ ' '}};
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
