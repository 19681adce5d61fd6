/* place_image_build() of place_image.h: nested prefixes to ranges one behind the other. */
#include "base/error.h"
#include "base/vector.h"
#include "limit/place_layout.h"

#include <stdlib.h>

/* What holds from `start` on, in the first 64 bits of an address, or the 32 of IPv4. */
struct range {
	uint64_t start;
	struct place place;
};

struct ranges {
	struct range *items;
	size_t count;
	size_t capacity;
	int error;
};

/* A prefix that the sweep is in, as a range with its end. */
struct open_prefix {
	uint64_t last;
	struct place place;
};

struct sweep {
	struct ranges ranges;
	struct open_prefix open[65]; /* each longer than the one before */
	size_t depth;
	uint64_t domain_last;
};

static bool same(const struct place *a, const struct place *b)
{
	return memcmp(a->country, b->country, sizeof(a->country)) == 0 && a->network == b->network;
}

static void begin(struct ranges *ranges, uint64_t start, const struct place *place)
{
	if (ranges->count > 0 && ranges->items[ranges->count - 1].start == start)
		ranges->count--;
	if (ranges->count > 0 && same(&ranges->items[ranges->count - 1].place, place))
		return;
	if (vector_grow((void **)&ranges->items, &ranges->capacity, ranges->count, sizeof(*ranges->items)) != 0)
		ranges->error = -ENOMEM;
	else
		ranges->items[ranges->count++] = (struct range){start, *place};
}

/* Prefixes that end before `start` are over; behind each what it lies in goes on. */
static void leave(struct sweep *sweep, uint64_t start)
{
	static const struct place nowhere;
	while (sweep->depth > 0 && sweep->open[sweep->depth - 1].last < start) {
		uint64_t last = sweep->open[--sweep->depth].last;
		begin(&sweep->ranges, last + 1, sweep->depth > 0 ? &sweep->open[sweep->depth - 1].place : &nowhere);
	}
}

static void enter(struct sweep *sweep, uint64_t start, uint64_t last, const struct place *place)
{
	leave(sweep, start);
	begin(&sweep->ranges, start, place);
	/* Of two with the same prefix the later one holds. */
	if (sweep->depth > 0 && sweep->open[sweep->depth - 1].last == last)
		sweep->depth--;
	sweep->open[sweep->depth++] = (struct open_prefix){last, *place};
}

/* The last ends with the addresses, behind which nothing begins. */
static void finish(struct sweep *sweep)
{
	while (sweep->depth > 0 && sweep->open[sweep->depth - 1].last != sweep->domain_last)
		leave(sweep, sweep->open[sweep->depth - 1].last + 1);
}

static int compare(const void *a, const void *b)
{
	const struct place_prefix *x = a, *y = b;
	int order = memcmp(&x->prefix.address, &y->prefix.address, sizeof(x->prefix.address));
	return order != 0 ? order : (int)x->prefix.bits - (int)y->prefix.bits;
}

static int sweep_run(const struct place_data *data, bool v4, struct ranges *ret_ranges)
{
	static const struct place nowhere;
	struct sweep sweep = {.domain_last = v4 ? UINT32_MAX : UINT64_MAX};
	begin(&sweep.ranges, 0, &nowhere);
	for (size_t i = 0; i < data->prefix_count; i++) {
		const struct place_prefix *item = &data->prefixes[i];
		unsigned bits = item->prefix.bits;
		if (prefix_is_v4(&item->prefix) != v4 || (!v4 && bits > 64))
			continue;
		uint64_t start =
			v4 ? address_low(&item->prefix.address) & UINT32_MAX : address_high(&item->prefix.address);
		uint64_t span = v4 ? UINT32_MAX & ~(address_mask(bits - ADDRESS_V4_BITS) >> 32) : ~address_mask(bits);
		enter(&sweep, start, start | span, &item->place);
	}
	finish(&sweep);
	*ret_ranges = sweep.ranges;
	return sweep.ranges.error;
}

static void write_index(const struct ranges *ranges, unsigned rest, uint32_t *index)
{
	size_t number = 0;
	for (uint64_t i = 0; i < PLACE_INDEX; i++) {
		while (i < PLACE_INDEX - 1 && number < ranges->count && ranges->items[number].start >> rest < i)
			number++;
		index[i] = (uint32_t)(i == PLACE_INDEX - 1 ? ranges->count : number);
	}
}

static void write_places(const struct ranges *ranges, uint32_t *networks, char (*countries)[2])
{
	for (size_t i = 0; i < ranges->count; i++) {
		networks[i] = ranges->items[i].place.network;
		memcpy(countries[i], ranges->items[i].place.country, 2);
	}
}

static void write_names(const struct place_data *data, uint32_t *networks, uint32_t *offsets, char *text)
{
	uint32_t at = 0;
	for (size_t i = 0; i < data->name_count; i++) {
		size_t len = strlen(data->names[i].text);
		networks[i] = data->names[i].network;
		offsets[i] = at;
		memcpy(text + at, data->names[i].text, len);
		at += (uint32_t)len;
	}
	offsets[data->name_count] = at;
}

static void write_image(const struct place_data *data, const struct ranges *v4, const struct ranges *v6,
			const struct place_header *header, uint8_t *bytes)
{
	struct place_layout layout = place_layout_of(header);
	void *at[PLACE_ARRAYS];
	for (size_t i = 0; i < PLACE_ARRAYS; i++)
		at[i] = bytes + layout.at[i];
	memcpy(bytes, header, sizeof(*header));
	for (size_t i = 0; i < v4->count; i++)
		((uint32_t *)at[PLACE_V4_STARTS])[i] = (uint32_t)v4->items[i].start;
	for (size_t i = 0; i < v6->count; i++)
		((uint64_t *)at[PLACE_V6_STARTS])[i] = v6->items[i].start;
	write_index(v4, 32 - PLACE_INDEX_BITS, at[PLACE_V4_INDEX]);
	write_index(v6, 64 - PLACE_INDEX_BITS, at[PLACE_V6_INDEX]);
	write_places(v4, at[PLACE_V4_NETWORKS], at[PLACE_V4_COUNTRIES]);
	write_places(v6, at[PLACE_V6_NETWORKS], at[PLACE_V6_COUNTRIES]);
	write_names(data, at[PLACE_NAME_NETWORKS], at[PLACE_NAME_OFFSETS], at[PLACE_NAME_TEXT]);
	image_seal(bytes, layout.at[PLACE_ARRAYS]);
}

static struct place_header header_of(const struct place_data *data, const struct ranges *v4, const struct ranges *v6,
				     const struct image_version *version)
{
	struct place_header header = {
		.head = place_head_expected(),
		.source = data->source,
		.v4_count = v4->count,
		.v6_count = v6->count,
		.name_count = data->name_count,
	};
	for (size_t i = 0; i < data->name_count; i++)
		header.name_bytes += strlen(data->names[i].text);
	header.head.length = place_layout_of(&header).at[PLACE_ARRAYS];
	header.head.version = *version;
	return header;
}

int place_image_build(const struct place_data *data, const struct image_version *version, struct buffer *out)
{
	struct ranges v4 = {0}, v6 = {0};
	qsort(data->prefixes, data->prefix_count, sizeof(*data->prefixes), compare);
	int r = sweep_run(data, true, &v4);
	r = r != 0 ? r : sweep_run(data, false, &v6);
	struct place_header header = header_of(data, &v4, &v6, version);
	r = r != 0 ? r : buffer_reserve(out, header.head.length);
	if (r == 0) {
		memset(out->ptr, 0, header.head.length);
		write_image(data, &v4, &v6, &header, out->ptr);
		out->len = header.head.length;
	}
	free(v4.items);
	free(v6.items);
	return r;
}
