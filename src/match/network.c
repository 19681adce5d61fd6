/*
 * One array, IPv4 before IPv6, sorted by first address and without overlaps: the last range that begins at or below an
 * address is the only one that may hold it.
 */
#include "match/network.h"

#include "base/error.h"
#include "base/vector.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum {
	V4_OFFSET = 12, /* of an IPv4 address in network_address.bytes */
	V4_BITS = 32,
	V6_BITS = 128,
	BITS_DIGITS = 3,
};

/* Sorted by family, then by first address; disjoint. */
struct networks {
	size_t count;
	struct network_range ranges[];
};

bool network_address_parse(struct slice text, struct network_address *ret_address)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, 0, text.len) != NULL)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	struct network_address address = {.is_v6 = strchr(copy, ':') != NULL};
	int family = address.is_v6 ? AF_INET6 : AF_INET;
	if (inet_pton(family, copy, address.bytes + (address.is_v6 ? 0 : V4_OFFSET)) != 1)
		return false;
	*ret_address = address;
	return true;
}

/* "0" to `limit`, or -1. */
static int parse_bits(struct slice text, int limit)
{
	uint64_t bits;
	return text.len <= BITS_DIGITS && slice_number(text, (uint64_t)limit, &bits) ? (int)bits : -1;
}

/* The lowest and highest address that share the first `bits` of address->bytes. */
static struct network_range range_of(const struct network_address *address, size_t bits)
{
	struct network_range range = {*address, *address};
	for (size_t i = 0; i < sizeof(address->bytes); i++) {
		size_t fixed = bits <= 8 * i ? 0 : bits - 8 * i;
		uint8_t open = fixed >= 8 ? 0 : (uint8_t)(0xff >> fixed);
		range.first.bytes[i] = (uint8_t)(range.first.bytes[i] & ~open);
		range.last.bytes[i] |= open;
	}
	return range;
}

static bool parse_network(struct slice text, struct network_range *ret_range)
{
	struct slice address_text;
	struct slice bits_text = slice_cut(text, '/', &address_text);
	struct network_address address;
	if (!network_address_parse(address_text, &address))
		return false;
	int bits = address.is_v6 ? V6_BITS : V4_BITS;
	if (address_text.len < text.len)
		bits = parse_bits(bits_text, bits);
	if (bits < 0)
		return false;
	*ret_range = range_of(&address, (size_t)bits + (address.is_v6 ? 0 : 8 * V4_OFFSET));
	return true;
}

int network_list_add(struct network_list *list, struct slice argument, struct slice *ret_bad)
{
	while (argument.len > 0) {
		struct slice entry;
		argument = slice_cut(argument, ',', &entry);
		entry = slice_trim(entry);
		if (entry.len == 0)
			continue;
		if (vector_grow((void **)&list->items, &list->capacity, list->count, sizeof(*list->items)) != 0)
			return -ENOMEM;
		if (!parse_network(entry, &list->items[list->count])) {
			*ret_bad = entry;
			return NETWORK_BAD;
		}
		list->count++;
	}
	return 0;
}

int network_list_add_file(struct network_list *list, struct slice content, struct slice *ret_bad)
{
	while (content.len > 0) {
		struct slice line, entries;
		content = slice_cut(content, '\n', &line);
		slice_cut(line, '#', &entries);
		int r = network_list_add(list, entries, ret_bad);
		if (r != 0)
			return r;
	}
	return 0;
}

void network_list_free(struct network_list *list)
{
	free(list->items);
	*list = (struct network_list){0};
}

static int compare_addresses(const struct network_address *a, const struct network_address *b)
{
	if (a->is_v6 != b->is_v6)
		return a->is_v6 ? 1 : -1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_ranges(const void *a, const void *b)
{
	const struct network_range *left = a, *right = b;
	return compare_addresses(&left->first, &right->first);
}

/* Of sorted ranges: folds those that overlap into one. Returns how many are left. */
static size_t merge_ranges(struct network_range *ranges, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct network_range *before = kept > 0 ? &ranges[kept - 1] : NULL;
		if (before == NULL || compare_addresses(&before->last, &ranges[i].first) < 0)
			ranges[kept++] = ranges[i];
		else if (compare_addresses(&before->last, &ranges[i].last) < 0)
			before->last = ranges[i].last;
	}
	return kept;
}

int networks_compile(const struct network_list *list, struct networks **ret_networks)
{
	struct networks *networks = calloc(1, sizeof(*networks) + list->count * sizeof(list->items[0]));
	if (networks == NULL)
		return -ENOMEM;
	if (list->count > 0) {
		memcpy(networks->ranges, list->items, list->count * sizeof(list->items[0]));
		qsort(networks->ranges, list->count, sizeof(list->items[0]), compare_ranges);
		networks->count = merge_ranges(networks->ranges, list->count);
	}
	*ret_networks = networks;
	return 0;
}

void networks_free(struct networks *networks)
{
	free(networks);
}

bool networks_contain(const struct networks *networks, const struct network_address *address)
{
	size_t low = 0, high = networks->count; /* ranges before `low` begin at or below the address */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_addresses(&networks->ranges[middle].first, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && compare_addresses(address, &networks->ranges[low - 1].last) <= 0;
}
