/*
 * The table is played through with numbers for nodes: all are one list in which those of a bucket stand together, a new
 * one goes to the front of its bucket or before its equals, and a larger table is filled in the order of the list.
 */
#include "engine/order.h"

enum {
	BUCKETS_FIRST = 11, /* what reserve(10) makes of it */
	BUCKETS_MAX = 409,
	NONE = -1,
	BEFORE_FIRST = 0, /* nodes are numbered from 1; this is the list's anchor */
};

/* Nodes form one list; a bucket knows the node before its first. */
struct table {
	int16_t next[ORDER_MAX + 1];
	int16_t buckets[BUCKETS_MAX];
	uint64_t hash[ORDER_MAX + 1];
	uint32_t bucket_count;
};

/* The table grows to the first of its primes that is at least twice its size. */
static uint32_t grown(uint32_t bucket_count)
{
	static const uint16_t sizes[] = {11, 23, 47, 97, 199, 409};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] > bucket_count)
			return sizes[i];
	return bucket_count;
}

/* As C's tolower answers for a char that has a sign: 0xff is EOF and stays -1, any other byte counts as what it is. */
static uint64_t hash_name(struct slice name)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < name.len; i++)
		sum += name.ptr[i] == 0xff ? UINT64_MAX : byte_lower(name.ptr[i]);
	return sum;
}

static uint32_t bucket_of(const struct table *table, int16_t node)
{
	return (uint32_t)(table->hash[node] % table->bucket_count);
}

static void clear_buckets(struct table *table)
{
	for (uint32_t i = 0; i < table->bucket_count; i++)
		table->buckets[i] = NONE;
}

static void link_after(struct table *table, int16_t node, int16_t before)
{
	table->next[node] = table->next[before];
	table->next[before] = node;
}

/* At the front of its bucket, which if empty comes first of all. */
static void insert_in_bucket(struct table *table, int16_t node)
{
	uint32_t bucket = bucket_of(table, node);
	if (table->buckets[bucket] != NONE) {
		link_after(table, node, table->buckets[bucket]);
		return;
	}
	link_after(table, node, BEFORE_FIRST);
	if (table->next[node] != NONE)
		table->buckets[bucket_of(table, table->next[node])] = node;
	table->buckets[bucket] = BEFORE_FIRST;
}

/* Nodes are taken in order; those that follow each other into one bucket keep their order there. */
static void rehash(struct table *table)
{
	int16_t previous = NONE;
	bool check = false;
	int16_t node = table->next[BEFORE_FIRST];
	table->bucket_count = grown(table->bucket_count);
	clear_buckets(table);
	table->next[BEFORE_FIRST] = NONE;
	while (node != NONE) {
		int16_t following = table->next[node];
		if (previous != NONE && bucket_of(table, previous) == bucket_of(table, node)) {
			link_after(table, node, previous);
			check = true;
		} else {
			if (check && table->next[previous] != NONE &&
			    bucket_of(table, table->next[previous]) != bucket_of(table, previous))
				table->buckets[bucket_of(table, table->next[previous])] = previous;
			check = false;
			insert_in_bucket(table, node);
		}
		previous = node;
		node = following;
	}
	if (check && table->next[previous] != NONE &&
	    bucket_of(table, table->next[previous]) != bucket_of(table, previous))
		table->buckets[bucket_of(table, table->next[previous])] = previous;
}

/* The node before the first one of the same name, or NONE. */
static int16_t find_before(const struct table *table, const struct value_set *set, int16_t node)
{
	uint32_t bucket = bucket_of(table, node);
	int16_t before = table->buckets[bucket];
	if (before == NONE)
		return NONE;
	for (int16_t at = table->next[before]; at != NONE && bucket_of(table, at) == bucket; at = table->next[at]) {
		if (table->hash[at] == table->hash[node] &&
		    slice_equal_nocase(set->items[at - 1]->key, set->items[node - 1]->key))
			return before;
		before = at;
	}
	return NONE;
}

static void fill(struct table *table, const struct value_set *set)
{
	table->bucket_count = BUCKETS_FIRST;
	table->next[BEFORE_FIRST] = NONE;
	clear_buckets(table);
	for (uint32_t i = 0; i < set->count; i++) {
		int16_t node = (int16_t)(i + 1);
		if (i + 1 > table->bucket_count)
			rehash(table);
		table->hash[node] = hash_name(set->items[i]->key);
		int16_t before = find_before(table, set, node);
		if (before != NONE)
			link_after(table, node, before);
		else
			insert_in_bucket(table, node);
	}
}

/* ModSecurity turns the walk around: each value is put before those found earlier. */
struct value *const *order_values(const struct value_set *set, struct arena *arena)
{
	struct table table;
	if (set->count < 2 || set->count > ORDER_MAX)
		return set->items;
	struct value **ordered = arena_alloc(arena, set->count * sizeof(*ordered));
	if (ordered == NULL)
		return NULL;
	fill(&table, set);
	size_t at = set->count;
	for (int16_t node = table.next[BEFORE_FIRST]; node != NONE; node = table.next[node])
		ordered[--at] = set->items[node - 1];
	return ordered;
}
