/* Sixteen bytes at a time, by the compiler's vectors: what every machine that this runs on can do. */
#ifndef GUIA_BASE_BYTE_VECTOR_H
#define GUIA_BASE_BYTE_VECTOR_H

#include <stdint.h>
#include <string.h>

enum { BYTE_VECTOR = 16 };
typedef uint8_t byte_vector __attribute__((vector_size(BYTE_VECTOR)));
typedef uint64_t byte_vector_words __attribute__((vector_size(BYTE_VECTOR)));

static inline byte_vector byte_vector_load(const uint8_t *p)
{
	byte_vector bytes;
	memcpy(&bytes, p, sizeof(bytes));
	return bytes;
}

static inline void byte_vector_store(uint8_t *p, byte_vector bytes)
{
	memcpy(p, &bytes, sizeof(bytes));
}

/* A bit for each byte that is 0xff; the first byte's is bit 0. */
static inline unsigned byte_vector_mask(byte_vector found)
{
#if defined(__SSE2__)
	typedef char signed_bytes __attribute__((vector_size(BYTE_VECTOR)));
	return (unsigned)__builtin_ia32_pmovmskb128((signed_bytes)found);
#else
	const uint64_t ones = 0x0101010101010101, gather = 0x0102040810204080;
	byte_vector_words words = (byte_vector_words)found;
	return (unsigned)((words[0] & ones) * gather >> 56 | (words[1] & ones) * gather >> 56 << 8);
#endif
}

#endif
