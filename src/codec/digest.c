#include "codec/digest.h"

/* Both work on blocks of 64 bytes; the last one or two hold the tail, a 0x80, zeroes, and the length in bits. */
enum { BLOCK_BYTES = 64 };

typedef void block_function(uint32_t *state, const uint8_t *block);

static uint32_t rotate_left(uint32_t word, unsigned bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t load_little(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t load_big(const uint8_t *p)
{
	return __builtin_bswap32(load_little(p));
}

static void store_little(uint8_t *p, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(word >> (8 * i));
}

static void feed_blocks(uint32_t *state, block_function *block, struct slice in, bool big_endian)
{
	size_t at = 0;
	for (; in.len - at >= BLOCK_BYTES; at += BLOCK_BYTES)
		block(state, in.ptr + at);

	uint8_t tail[2 * BLOCK_BYTES] = {0};
	size_t left = in.len - at;
	if (left > 0)
		memcpy(tail, in.ptr + at, left);
	tail[left] = 0x80;
	size_t end = left + 1 + sizeof(uint64_t) <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
	uint64_t bits = (uint64_t)in.len * 8;
	for (unsigned i = 0; i < sizeof(bits); i++)
		tail[big_endian ? end - 1 - i : end - sizeof(bits) + i] = (uint8_t)(bits >> (8 * i));
	for (at = 0; at < end; at += BLOCK_BYTES)
		block(state, tail + at);
}

/* RFC 1321, 3.4: the integer part of 2^32 |sin(i + 1)|. */
static const uint32_t MD5_SINES[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static void md5_block(uint32_t *state, const uint8_t *block)
{
	static const uint8_t SHIFTS[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	static const uint8_t STRIDE[4] = {1, 5, 3, 7}, OFFSET[4] = {0, 1, 5, 0};
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16;
		uint32_t mix;
		if (round == 0)
			mix = (b & c) | (~b & d);
		else if (round == 1)
			mix = (b & d) | (c & ~d);
		else if (round == 2)
			mix = b ^ c ^ d;
		else
			mix = c ^ (b | ~d);
		uint32_t word = load_little(block + (size_t)4 * ((STRIDE[round] * i + OFFSET[round]) % 16));
		uint32_t next = b + rotate_left(a + mix + word + MD5_SINES[i], SHIFTS[round][i % 4]);
		a = d;
		d = c;
		c = b;
		b = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void digest_md5(struct slice in, uint8_t out[DIGEST_MD5_BYTES])
{
	uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	feed_blocks(state, md5_block, in, false);
	for (size_t i = 0; i < 4; i++)
		store_little(out + 4 * i, state[i]);
}

/* RFC 3174, section 5: the mixing function and constant of each 20 steps. */
static uint32_t sha1_mix(unsigned step, uint32_t b, uint32_t c, uint32_t d)
{
	if (step < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (step < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (step < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void sha1_block(uint32_t *state, const uint8_t *block)
{
	uint32_t words[80];
	for (unsigned i = 0; i < 16; i++)
		words[i] = load_big(block + (size_t)4 * i);
	for (unsigned i = 16; i < 80; i++)
		words[i] = rotate_left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);

	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
	for (unsigned i = 0; i < 80; i++) {
		uint32_t next = rotate_left(a, 5) + sha1_mix(i, b, c, d) + e + words[i];
		e = d;
		d = c;
		c = rotate_left(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

void digest_sha1(struct slice in, uint8_t out[DIGEST_SHA1_BYTES])
{
	uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	feed_blocks(state, sha1_block, in, true);
	for (size_t i = 0; i < 5; i++)
		store_little(out + 4 * i, __builtin_bswap32(state[i]));
}
