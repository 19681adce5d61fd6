/* Linear probing in a table that is half full at most. Nothing is ever taken out. */
#include "seclang/id_table.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

/* The slot that holds the id, or the free one where it would be. */
static size_t slot_of(const struct id_table *table, int64_t id)
{
	size_t mask = table->size - 1;
	/* Fibonacci hashing (Knuth, TAOCP 6.4): the upper bits depend on all of the id. */
	size_t at = (size_t)(((uint64_t)id * HASH_SPREAD) >> 32) & mask;
	while (table->slots[at] != NULL && table->slots[at]->id != id)
		at = (at + 1) & mask;
	return at;
}

static int grow(struct id_table *table)
{
	struct id_table larger = {.size = table->size == 0 ? 64 : table->size * 2, .count = table->count};
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i] != NULL)
			larger.slots[slot_of(&larger, table->slots[i]->id)] = table->slots[i];
	free(table->slots);
	*table = larger;
	return 0;
}

int id_table_add(struct id_table *table, const struct rule *rule, const struct rule **ret_other)
{
	if (table->count * 2 >= table->size && grow(table) != 0)
		return -ENOMEM;
	size_t at = slot_of(table, rule->id);
	if (table->slots[at] != NULL) {
		*ret_other = table->slots[at];
		return ID_TAKEN;
	}
	table->slots[at] = rule;
	table->count++;
	return 0;
}

const struct rule *id_table_find(const struct id_table *table, int64_t id)
{
	return table->size == 0 ? NULL : table->slots[slot_of(table, id)];
}

void id_table_free(struct id_table *table)
{
	free(table->slots);
	*table = (struct id_table){0};
}
