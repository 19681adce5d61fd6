/* The filters that say whether a ban may be there at all (wire/edge_layout.h): bits set in advance, cleared in bulk. */
#include "edge/ban_table_inside.h"

#include <stdlib.h>

struct filter {
	uint64_t *words;
	uint32_t bits; /* of words there are 1 << bits */
	const uint64_t *seeds;
};

static struct filter filter_of(const struct ban_table *table, bool v4)
{
	const struct edge_geometry *geometry = &table->control->geometry;
	return v4 ? (struct filter){table->v4_some, geometry->v4_some_bits, geometry->seeds}
		  : (struct filter){table->v6_some, geometry->v6_some_bits, geometry->seeds};
}

static uint64_t hash_of(const struct ban_place *ban, const uint64_t seeds[2])
{
	uint64_t high = address_high(&ban->address), low = address_low(&ban->address);
	if (ban_length_is_v4(ban->length))
		return edge_some_v4((uint32_t)low & ~0u << 8 * (ban->length - EDGE_V4_32), ban->length, seeds);
	if (ban->length == EDGE_V6_128)
		return edge_hash(high, low, seeds);
	return ban->length == EDGE_V6_64 ? edge_net_hash(high, 0, seeds)
					 : edge_net_hash(high & ~(uint64_t)0xffff, 1, seeds);
}

static bool mark(const struct filter *filter, const struct ban_place *ban)
{
	uint64_t hash = hash_of(ban, filter->seeds), mask = edge_some_mask(hash);
	uint64_t *word = &filter->words[edge_some_word(hash, filter->bits)];
	if ((*word & mask) == mask)
		return false;
	ban_word_store(word, *word | mask);
	return true;
}

bool ban_some_mark(struct ban_table *table, const struct ban_place *ban)
{
	const struct filter filter = filter_of(table, ban_length_is_v4(ban->length));
	return mark(&filter, ban);
}

struct ban_some {
	struct filter read; /* by the kernel */
	uint64_t words[];
};

struct ban_some *ban_some_new(const struct ban_table *table, bool v4)
{
	const struct filter read = filter_of(table, v4);
	struct ban_some *anew = calloc(1, sizeof(*anew) + (sizeof(anew->words[0]) << read.bits));
	if (anew != NULL)
		anew->read = read;
	return anew;
}

void ban_some_remark(struct ban_some *anew, const struct ban_place *ban)
{
	const struct filter filter = {anew->words, anew->read.bits, anew->read.seeds};
	mark(&filter, ban);
}

/* Each word has the bits of every ban before and after. */
void ban_some_replace(struct ban_some *anew)
{
	for (size_t i = 0; i < (size_t)1 << anew->read.bits; i++)
		if (anew->read.words[i] != anew->words[i])
			ban_word_store(&anew->read.words[i], anew->words[i]);
	free(anew);
}
