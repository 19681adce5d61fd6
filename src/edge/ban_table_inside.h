/* What the parts of ban_table have in common. */
#ifndef GUIA_EDGE_BAN_TABLE_INSIDE_H
#define GUIA_EDGE_BAN_TABLE_INSIDE_H

#include "edge/ban_memory.h"

/* All of a word but the rest of its key. */
#define BAN_WORD_MASK (((uint64_t)1 << 44) - 1)

static inline bool ban_word_is_over(uint64_t word, uint32_t now_ticks)
{
	return edge_word_expires(word) <= now_ticks;
}

/* The kernel reads these at any time: one store each, those before it first. */
static inline void ban_word_store(uint64_t *at, uint64_t word)
{
	__atomic_store_n(at, word, __ATOMIC_RELEASE);
}

static inline void ban_table_count(struct ban_table *table, enum edge_length length, int change)
{
	uint32_t *count = &table->control->bans[length];
	__atomic_store_n(count, (uint32_t)((int64_t)*count + change), __ATOMIC_RELEASE);
}

/*
 * A family's verbs, as ban_table.h has them. `at` counts the places of one length's table; of v6_net, which has two
 * lengths, EDGE_V6_64 stands for both.
 */
int v4_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at);
int v4_table_lift(struct ban_table *table, enum edge_length length, const struct address *address);
uint64_t v4_table_find(const struct ban_table *table, enum edge_length length, const struct address *address);
size_t v4_table_places(const struct ban_table *table, enum edge_length length);
bool v4_table_at(const struct ban_table *table, enum edge_length length, size_t at, struct ban_place *ret_ban);
/* Bans that lie both in a bucket and in the spill leave the spill; they are counted anew. */
void v4_table_mend(struct ban_table *table);

static inline bool ban_length_is_v4(enum edge_length length)
{
	return length <= EDGE_V4_16;
}

/* Sets the bits of a ban in its family's filter, before it is there. Whether one of them was not. */
bool ban_some_mark(struct ban_table *table, const struct ban_place *ban);

/* A filter anew, beside the one that the kernel reads: marked by every ban that there is, and then put in its place. */
struct ban_some;
struct ban_some *ban_some_new(const struct ban_table *table, bool v4); /* NULL: there is no memory */
void ban_some_remark(struct ban_some *anew, const struct ban_place *ban);
/* Frees it. */
void ban_some_replace(struct ban_some *anew);

int v6_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at);
int v6_table_lift(struct ban_table *table, enum edge_length length, const struct address *address);
uint64_t v6_table_find(const struct ban_table *table, enum edge_length length, const struct address *address);
size_t v6_table_places(const struct ban_table *table, enum edge_length length);
bool v6_table_at(const struct ban_table *table, enum edge_length length, size_t at, struct ban_place *ret_ban);
void v6_table_mend(struct ban_table *table);

#endif
