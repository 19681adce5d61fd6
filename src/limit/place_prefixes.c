/* place_image_prefixes() of place_image.h: ranges to as few prefixes as they are. */
#include "base/error.h"
#include "base/vector.h"
#include "limit/place_image.h"

#include <stdlib.h>

struct collected {
	struct prefix *items;
	size_t count, capacity, most;
};

static int add(struct collected *found, const struct prefix *prefix)
{
	if (found->count == found->most)
		return PLACE_TOO_MANY;
	if (vector_grow((void **)&found->items, &found->capacity, found->count, sizeof(*prefix)) != 0)
		return -ENOMEM;
	found->items[found->count++] = *prefix;
	return 0;
}

/* Of IPv4 a key is the address, of IPv6 its first half. */
static struct prefix prefix_at(uint64_t key, unsigned bits, bool v4)
{
	const uint8_t bytes[4] = {(uint8_t)(key >> 24), (uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key};
	struct address address = v4 ? address_from_v4(bytes) : address_from_words(key, 0);
	return (struct prefix){address, (uint8_t)((v4 ? ADDRESS_V4_BITS : 0) + bits)};
}

/* The largest block that begins where the last one ended, again and again. */
static int add_range(struct collected *found, uint64_t first, uint64_t last, bool v4)
{
	const unsigned width = v4 ? 32 : 64;
	for (;;) {
		unsigned free_bits = first == 0 ? width : (unsigned)__builtin_ctzll(first);
		while (free_bits > 0 && (free_bits >= 64 ? UINT64_MAX : ((uint64_t)1 << free_bits) - 1) > last - first)
			free_bits--;
		const struct prefix prefix = prefix_at(first, width - free_bits, v4);
		int r = add(found, &prefix);
		uint64_t end = first + (free_bits >= 64 ? UINT64_MAX : ((uint64_t)1 << free_bits) - 1);
		if (r != 0 || end == last)
			return r;
		first = end + 1;
	}
}

static bool is_wanted(const char country[2], const char (*countries)[2], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(country, countries[i], 2) == 0)
			return true;
	return false;
}

static uint64_t start_of(const struct place_image *image, size_t number, bool v4)
{
	return v4 ? image->v4_starts[number] : image->v6_starts[number];
}

static int add_family(struct collected *found, const struct place_image *image, const char (*countries)[2],
		      size_t country_count, bool v4)
{
	const struct place_ranges *ranges = v4 ? &image->v4 : &image->v6;
	int r = 0;
	for (size_t i = 0; r == 0 && i < ranges->count; i++) {
		size_t from = i;
		while (i < ranges->count && is_wanted(ranges->countries[i], countries, country_count))
			i++;
		if (i == from)
			continue;
		uint64_t last = i < ranges->count ? start_of(image, i, v4) - 1 : v4 ? UINT32_MAX : UINT64_MAX;
		r = add_range(found, start_of(image, from, v4), last, v4);
	}
	return r;
}

int place_image_prefixes(const struct place_image *image, const char (*countries)[2], size_t country_count, size_t most,
			 struct prefix **ret_prefixes, size_t *ret_count)
{
	struct collected found = {.most = most};
	int r = add_family(&found, image, countries, country_count, true);
	r = r != 0 ? r : add_family(&found, image, countries, country_count, false);
	if (r != 0) {
		free(found.items);
		return r;
	}
	*ret_prefixes = found.items;
	*ret_count = found.count;
	return 0;
}
