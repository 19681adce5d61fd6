/* The bits that say where any ban may be at all (wire/edge_layout.h): set in advance, cleared in bulk. */
#include "edge/ban_table_inside.h"

#include <stdlib.h>

static void set(struct edge_some *some, uint32_t first, uint32_t count)
{
	for (uint32_t bit = first; bit < first + count;) {
		uint64_t *word = &some->bits[bit / 64], bits = (uint64_t)1 << bit % 64;
		uint32_t step = 1;
		if (bit % 64 == 0 && count >= 64) {
			bits = ~(uint64_t)0;
			step = 64;
		}
		if ((*word & bits) != bits)
			ban_word_store(word, *word | bits);
		bit += step;
	}
}

static void mark(struct edge_some *v4, struct edge_some *v6, const uint64_t seeds[2], enum edge_length length,
		 const struct address *address)
{
	if (length > EDGE_V4_16)
		set(v6, edge_some_v6(address_high(address), seeds), 1);
	else
		set(v4, edge_some_v4((uint32_t)address_low(address)), length == EDGE_V4_16 ? 256 : 1);
}

void ban_some_mark(struct ban_table *table, enum edge_length length, const struct address *address)
{
	mark(table->v4_some, table->v6_some, table->control->geometry.seeds, length, address);
}

static void copy(struct edge_some *to, const struct edge_some *from)
{
	for (size_t i = 0; i < sizeof(to->bits) / sizeof(to->bits[0]); i++)
		if (to->bits[i] != from->bits[i])
			ban_word_store(&to->bits[i], from->bits[i]);
}

struct ban_some {
	struct edge_some v4, v6;
};

struct ban_some *ban_some_new(void)
{
	return calloc(1, sizeof(struct ban_some));
}

void ban_some_remark(struct ban_some *anew, const struct ban_table *table, const struct ban_place *ban)
{
	mark(&anew->v4, &anew->v6, table->control->geometry.seeds, ban->length, &ban->address);
}

void ban_some_replace(struct ban_table *table, struct ban_some *anew)
{
	copy(table->v4_some, &anew->v4);
	copy(table->v6_some, &anew->v6);
	free(anew);
}
