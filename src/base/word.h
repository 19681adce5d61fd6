/* Eight bytes at a time, little end first. */
#ifndef GUIA_BASE_WORD_H
#define GUIA_BASE_WORD_H

#include <stdint.h>
#include <string.h>

static inline uint64_t word_load8(const uint8_t *ptr)
{
	uint64_t word;
	memcpy(&word, ptr, sizeof(word));
	return word;
}

static inline uint64_t word_load4(const uint8_t *ptr)
{
	uint32_t word;
	memcpy(&word, ptr, sizeof(word));
	return word;
}

/* Capital letters become small ones; what is above 0x7f stays. */
static inline uint64_t word_lower(uint64_t word)
{
	const uint64_t each = 0x0101010101010101u;
	uint64_t low = word & each * 0x7f;
	uint64_t from_a = low + each * (0x80 - 'A');
	uint64_t past_z = low + each * (0x80 - 'Z' - 1);
	return word | ((from_a ^ past_z) & ~word & each * 0x80) >> 2;
}

#endif
