/*
 * Checking and asking; place_build.c writes, place_prefixes.c lists. The range of an address is found by a binary
 * search between the two places that the index has for its first 16 bits.
 */
#include "limit/place_image.h"

#include "limit/place_layout.h"

enum {
	V4_REST = 32 - PLACE_INDEX_BITS,
	V6_REST = 64 - PLACE_INDEX_BITS,
};

struct place_layout place_layout_of(const struct place_header *header)
{
	const uint64_t bytes[PLACE_ARRAYS] = {
		[PLACE_V6_STARTS] = header->v6_count * sizeof(uint64_t),
		[PLACE_V4_STARTS] = header->v4_count * sizeof(uint32_t),
		[PLACE_V4_INDEX] = PLACE_INDEX * sizeof(uint32_t),
		[PLACE_V6_INDEX] = PLACE_INDEX * sizeof(uint32_t),
		[PLACE_V4_NETWORKS] = header->v4_count * sizeof(uint32_t),
		[PLACE_V6_NETWORKS] = header->v6_count * sizeof(uint32_t),
		[PLACE_V4_COUNTRIES] = header->v4_count * 2,
		[PLACE_V6_COUNTRIES] = header->v6_count * 2,
		[PLACE_NAME_NETWORKS] = header->name_count * sizeof(uint32_t),
		[PLACE_NAME_OFFSETS] = (header->name_count + 1) * sizeof(uint32_t),
		[PLACE_NAME_TEXT] = header->name_bytes,
	};
	struct place_layout layout;
	layout.at[0] = sizeof(*header);
	for (size_t i = 0; i < PLACE_ARRAYS; i++)
		layout.at[i + 1] = layout.at[i] + (bytes[i] + 7) / 8 * 8;
	return layout;
}

/* ---- checking ---- */

static bool index_holds(const uint32_t *index, uint64_t key, size_t number, size_t *filled)
{
	for (; *filled <= key; ++*filled)
		if (index[*filled] != number)
			return false;
	return true;
}

/* Ranges begin at 0 and go up, and the index says where. */
static bool v4_holds(const struct place_image *image)
{
	size_t filled = 0;
	for (size_t i = 0; i < image->v4.count; i++)
		if ((i == 0 ? image->v4_starts[0] != 0 : image->v4_starts[i] <= image->v4_starts[i - 1]) ||
		    !index_holds(image->v4.index, image->v4_starts[i] >> V4_REST, i, &filled))
			return false;
	return index_holds(image->v4.index, PLACE_INDEX - 1, image->v4.count, &filled);
}

static bool v6_holds(const struct place_image *image)
{
	size_t filled = 0;
	for (size_t i = 0; i < image->v6.count; i++)
		if ((i == 0 ? image->v6_starts[0] != 0 : image->v6_starts[i] <= image->v6_starts[i - 1]) ||
		    !index_holds(image->v6.index, image->v6_starts[i] >> V6_REST, i, &filled))
			return false;
	return index_holds(image->v6.index, PLACE_INDEX - 1, image->v6.count, &filled);
}

static bool names_hold(const struct place_image *image, uint64_t bytes)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (image->name_offsets[i] > image->name_offsets[i + 1] ||
		    (i > 0 && image->name_networks[i] <= image->name_networks[i - 1]))
			return false;
	return image->name_offsets[0] == 0 && image->name_offsets[image->name_count] == bytes;
}

static bool counts_hold(const struct place_header *header, size_t bytes)
{
	return header->v4_count - 1 < PLACE_COUNT_MOST && header->v6_count - 1 < PLACE_COUNT_MOST &&
	       header->name_count < PLACE_COUNT_MOST && header->name_bytes < UINT32_MAX &&
	       place_layout_of(header).at[PLACE_ARRAYS] == bytes &&
	       memchr(header->source.vendor, '\0', PLACE_VENDOR_BYTES) != NULL;
}

enum image_fault place_image_check(struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES],
				   struct place_image *ret_image)
{
	const struct place_header *header = (const struct place_header *)bytes.ptr;
	const struct image_head expected = place_head_expected();
	enum image_fault fault = image_check(bytes, &expected, boot);
	if (fault != IMAGE_GOOD)
		return fault;
	if (bytes.len < sizeof(*header) || !counts_hold(header, bytes.len))
		return IMAGE_MALFORMED;
	struct place_layout layout = place_layout_of(header);
	const void *at[PLACE_ARRAYS];
	for (size_t i = 0; i < PLACE_ARRAYS; i++)
		at[i] = bytes.ptr + layout.at[i];
	struct place_image image = {
		.source = header->source,
		.v4_starts = at[PLACE_V4_STARTS],
		.v6_starts = at[PLACE_V6_STARTS],
		.v4 = {at[PLACE_V4_INDEX], at[PLACE_V4_NETWORKS], at[PLACE_V4_COUNTRIES], header->v4_count},
		.v6 = {at[PLACE_V6_INDEX], at[PLACE_V6_NETWORKS], at[PLACE_V6_COUNTRIES], header->v6_count},
		.name_networks = at[PLACE_NAME_NETWORKS],
		.name_offsets = at[PLACE_NAME_OFFSETS],
		.name_text = at[PLACE_NAME_TEXT],
		.name_count = header->name_count,
	};
	if (!v4_holds(&image) || !v6_holds(&image) || !names_hold(&image, header->name_bytes))
		return IMAGE_MALFORMED;
	*ret_image = image;
	return IMAGE_GOOD;
}

/* ---- asking ---- */

static struct place place_of(const struct place_ranges *ranges, size_t number)
{
	const char *country = ranges->countries[number];
	return (struct place){{country[0], country[1]}, ranges->networks[number]};
}

static struct place v4_lookup(const struct place_image *image, uint32_t key)
{
	size_t low = image->v4.index[key >> V4_REST], high = image->v4.index[(key >> V4_REST) + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (image->v4_starts[middle] <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return place_of(&image->v4, low - 1); /* one begins at 0 */
}

static struct place v6_lookup(const struct place_image *image, uint64_t key)
{
	size_t low = image->v6.index[key >> V6_REST], high = image->v6.index[(key >> V6_REST) + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (image->v6_starts[middle] <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return place_of(&image->v6, low - 1);
}

struct place place_lookup(const struct place_image *image, const struct address *address)
{
	if (image->v4.count == 0)
		return (struct place){0};
	return address_is_v4(address) ? v4_lookup(image, (uint32_t)address_low(address))
				      : v6_lookup(image, address_high(address));
}

struct slice place_network_name(const struct place_image *image, uint32_t network)
{
	size_t low = 0, high = image->name_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (image->name_networks[middle] < network)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == image->name_count || image->name_networks[low] != network)
		return (struct slice){0};
	uint32_t from = image->name_offsets[low];
	return slice_make(image->name_text + from, image->name_offsets[low + 1] - from);
}
