#include "match/scan_filter.h"

#include "base/error.h"

#include <limits.h>
#include <stdlib.h>

enum { FOUR = 4, WORDS_LOG_LEAST = 3, WORDS_LOG_MOST = 14, BITS_PER_LITERAL = 96, SHORT_WORDS_LOG = 6 };

struct scan_filter {
	bool has_short;
	uint64_t short_words[1 << SHORT_WORDS_LOG]; /* literals of three bytes are few */
	unsigned shift;
	uint64_t words[];
};

int scan_filter_create(size_t literals, struct scan_filter **ret_filter)
{
	unsigned log = WORDS_LOG_LEAST;
	while (log < WORDS_LOG_MOST && ((size_t)64 << log) < literals * BITS_PER_LITERAL)
		log++;
	struct scan_filter *filter = calloc(1, sizeof(*filter) + (sizeof(uint64_t) << log));
	if (filter == NULL)
		return -ENOMEM;
	filter->shift = 64 - log;
	*ret_filter = filter;
	return 0;
}

void scan_filter_free(struct scan_filter *filter)
{
	free(filter);
}

/* Four bytes, case and more folded away, spread over 64 bits. */
static inline uint64_t hash_at(const uint8_t *bytes)
{
	uint32_t four;
	memcpy(&four, bytes, sizeof(four));
	return (four | 0x20202020u) * 0x9e3779b97f4a7c15u;
}

/* The same of the first three. */
static inline uint64_t short_hash_at(const uint8_t *bytes)
{
	uint32_t three = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
	return (three | 0x202020u) * 0x9e3779b97f4a7c15u;
}

static inline uint64_t two_bits(uint64_t hash)
{
	return (uint64_t)1 << (hash >> 40 & 63) | (uint64_t)1 << (hash >> 34 & 63);
}

/* How common a byte is in words, names, numbers and addresses: only the order matters. */
static unsigned commonness(uint8_t byte)
{
	static const char letters[] = "zqxjkvbpygfwmucldrhsnioate";
	const char *at = memchr(letters, byte_lower(byte), 26);
	if (at != NULL)
		return 4 + (unsigned)(at - letters);
	if (byte == ' ')
		return 24;
	return byte_is_digit(byte) ? 16 : byte == '.' || byte == '-' || byte == '_' ? 10 : byte >= 0x80 ? 12 : 2;
}

void scan_filter_add(struct scan_filter *filter, struct slice literal)
{
	if (literal.len < FOUR) {
		uint64_t hash = short_hash_at(literal.ptr);
		filter->short_words[hash >> (64 - SHORT_WORDS_LOG)] |= two_bits(hash);
		filter->has_short = true;
		return;
	}
	size_t rarest = 0;
	unsigned least = UINT_MAX;
	for (size_t i = 0; i + FOUR <= literal.len; i++) {
		unsigned sum = 0;
		for (size_t k = 0; k < FOUR; k++)
			sum += commonness(literal.ptr[i + k]);
		if (sum < least) {
			least = sum;
			rarest = i;
		}
	}
	uint64_t hash = hash_at(literal.ptr + rarest);
	filter->words[hash >> filter->shift] |= two_bits(hash);
}

static bool may_hold_short(const struct scan_filter *filter, struct slice value)
{
	bool held = false;
	for (size_t i = 0; !held && i + SCAN_FILTER_BYTES <= value.len; i++) {
		uint64_t hash = short_hash_at(value.ptr + i);
		uint64_t wanted = two_bits(hash);
		held = (filter->short_words[hash >> (64 - SHORT_WORDS_LOG)] & wanted) == wanted;
	}
	return held;
}

bool scan_filter_may_hold(const struct scan_filter *filter, struct slice value)
{
	bool held = value.len > SCAN_FILTER_VALUE_BYTES;
	for (size_t i = 0; !held && i + FOUR <= value.len; i++) {
		uint64_t hash = hash_at(value.ptr + i);
		uint64_t wanted = two_bits(hash);
		held = (filter->words[hash >> filter->shift] & wanted) == wanted;
	}
	return held || (filter->has_short && may_hold_short(filter, value));
}
