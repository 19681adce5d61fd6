/*
 * Internet addresses and prefixes as one kind of thing: 128 bits in network byte order, IPv4 as RFC 4291's IPv4-mapped
 * ::ffff:a.b.c.d. A prefix counts its bits in that form (an IPv4 /24 has 120) and has zeroes behind them.
 */
#ifndef GUIA_BASE_ADDRESS_H
#define GUIA_BASE_ADDRESS_H

#include "base/slice.h"

enum {
	ADDRESS_BYTES = 16,
	ADDRESS_BITS = 128,
	ADDRESS_V4_BITS = 96,   /* that all of IPv4's have before their own */
	ADDRESS_TEXT_BYTES = 64 /* for the longest text of an address or a prefix, with its NUL */
};

struct address {
	uint8_t bytes[ADDRESS_BYTES];
};

struct prefix {
	struct address address;
	uint8_t bits; /* 0 to 128 */
};

/* From the four bytes that a socket address holds. */
static inline struct address address_from_v4(const uint8_t bytes[4])
{
	return (struct address){{[10] = 0xff, 0xff, bytes[0], bytes[1], bytes[2], bytes[3]}};
}

static inline struct address address_from_v6(const uint8_t bytes[ADDRESS_BYTES])
{
	struct address a;
	memcpy(a.bytes, bytes, ADDRESS_BYTES);
	return a;
}

static inline bool address_is_v4(const struct address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

/* The first and the last eight bytes, the most significant bit first. */
static inline uint64_t address_high(const struct address *a)
{
	uint64_t word;
	memcpy(&word, a->bytes, sizeof(word));
	return __builtin_bswap64(word);
}

static inline uint64_t address_low(const struct address *a)
{
	uint64_t word;
	memcpy(&word, a->bytes + 8, sizeof(word));
	return __builtin_bswap64(word);
}

static inline struct address address_from_words(uint64_t high, uint64_t low)
{
	struct address a;
	high = __builtin_bswap64(high);
	low = __builtin_bswap64(low);
	memcpy(a.bytes, &high, sizeof(high));
	memcpy(a.bytes + 8, &low, sizeof(low));
	return a;
}

/* `bits` ones from the top of a word; more than 64 are 64. */
static inline uint64_t address_mask(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? ~(uint64_t)0 : ~(uint64_t)0 << (64 - bits);
}

/* The prefix of `bits` that the address is in. */
static inline struct prefix address_prefix(const struct address *a, unsigned bits)
{
	uint64_t high = address_high(a) & address_mask(bits);
	uint64_t low = address_low(a) & address_mask(bits > 64 ? bits - 64 : 0);
	return (struct prefix){address_from_words(high, low), (uint8_t)bits};
}

static inline bool prefix_is_v4(const struct prefix *p)
{
	return p->bits >= ADDRESS_V4_BITS && address_is_v4(&p->address);
}

static inline bool prefix_has(const struct prefix *p, const struct address *a)
{
	struct prefix same = address_prefix(a, p->bits);
	return address_equal(&same.address, &p->address) && prefix_is_v4(p) == address_is_v4(a);
}

/*
 * "192.0.2.1", "2001:db8::/32": the address is taken as exact where no length is given. False for anything else: a
 * zone, a port, bits set behind the length.
 */
bool prefix_parse(struct slice text, struct prefix *ret_prefix);
/* The same of an address with bits behind the length, too: the prefix that it is in. */
bool prefix_around(struct slice text, struct prefix *ret_prefix);
/* The same of an address alone: no length may be given. */
bool address_parse(struct slice text, struct address *ret_address);

/* Writes text and NUL, IPv4's with their own number of bits; none for a whole address. Returns `text`. */
const char *prefix_format(const struct prefix *p, char text[ADDRESS_TEXT_BYTES]);
const char *address_format(const struct address *a, char text[ADDRESS_TEXT_BYTES]);

#endif
