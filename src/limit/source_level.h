/*
 * A source and the prefixes around it that limits are for: of IPv4 /32, /24 and /16, of IPv6 /128, /64 and /48. Whoever
 * has more than one address has a /64; and of neighbours in a wider prefix one may be another's.
 */
#ifndef GUIA_LIMIT_SOURCE_LEVEL_H
#define GUIA_LIMIT_SOURCE_LEVEL_H

#include "base/address.h"

enum { SOURCE_LEVELS = 3 };

/* How many bits of 128 each level's prefix has, the source's own first. */
static inline const uint8_t *source_level_bits(const struct address *source)
{
	static const uint8_t v6[SOURCE_LEVELS] = {128, 64, 48};
	static const uint8_t v4[SOURCE_LEVELS] = {ADDRESS_V4_BITS + 32, ADDRESS_V4_BITS + 24, ADDRESS_V4_BITS + 16};
	return address_is_v4(source) ? v4 : v6;
}

#endif
