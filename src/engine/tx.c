/*
 * A slot is set if its generation is the collection's, so that to begin anew clears no slots. Handles are listed as
 * they were first set. Each write wakes the steps that wait for the name, but for those of settled rules.
 */
#include "engine/tx.h"

#include "engine/gate.h"
#include "engine/number.h"
#include "engine/owed.h"
#include "match/compare.h"

#include <errno.h>
#include <stdlib.h>

enum { ORDER_FIRST = 128, DYNAMIC_FIRST = 16 }; /* room to begin with */

int tx_begin(struct tx_collection *tx, const struct plan *plan, struct arena *arena)
{
	size_t wanted = plan->ruleset->tx_slot_count;
	if (wanted > tx->slot_capacity) {
		struct tx_entry *slots = calloc(wanted, sizeof(*slots));
		if (slots == NULL)
			return -ENOMEM;
		free(tx->slots);
		tx->slots = slots;
		tx->slot_capacity = wanted;
		tx->generation = 0;
	}
	if (++tx->generation == 0) {
		memset(tx->slots, 0, tx->slot_capacity * sizeof(*tx->slots));
		tx->generation = 1;
	}
	tx->plan = plan;
	tx->arena = arena;
	tx->dynamic = NULL;
	tx->dynamic_count = tx->dynamic_capacity = 0;
	memset(tx->table, 0, sizeof(tx->table));
	tx->order = NULL;
	tx->order_count = tx->order_capacity = 0;
	tx->candidates = NULL;
	return 0;
}

void tx_destroy(struct tx_collection *tx)
{
	free(tx->slots);
	*tx = (struct tx_collection){0};
}

static bool is_slot(const struct tx_collection *tx, int handle)
{
	return (size_t)handle < tx->plan->ruleset->tx_slot_count;
}

static struct tx_dynamic *dynamic_at(const struct tx_collection *tx, int handle)
{
	return &tx->dynamic[(size_t)handle - tx->plan->ruleset->tx_slot_count];
}

static size_t chain_of(const struct tx_collection *tx, struct slice name)
{
	return hash_quick_nocase(&tx->plan->hash_key, name) % TX_TABLE;
}

int tx_find(const struct tx_collection *tx, struct slice name)
{
	int slot = plan_find_slot(tx->plan, name);
	if (slot != SLOT_NONE)
		return slot;
	if (tx->dynamic_count == 0)
		return TX_NONE;
	for (uint32_t at = tx->table[chain_of(tx, name)]; at != 0; at = tx->dynamic[at - 1].next)
		if (slice_equal_nocase(tx->dynamic[at - 1].name, name))
			return (int)(tx->plan->ruleset->tx_slot_count + at - 1);
	return TX_NONE;
}

int tx_intern(struct tx_collection *tx, struct slice name)
{
	int found = tx_find(tx, name);
	if (found != TX_NONE)
		return found;
	if (tx->dynamic_count == tx->dynamic_capacity) {
		uint32_t capacity = tx->dynamic_capacity == 0 ? DYNAMIC_FIRST : tx->dynamic_capacity * 2;
		struct tx_dynamic *dynamic = arena_alloc(tx->arena, capacity * sizeof(*dynamic));
		if (dynamic == NULL)
			return TX_NONE;
		if (tx->dynamic_count > 0)
			memcpy(dynamic, tx->dynamic, tx->dynamic_count * sizeof(*dynamic));
		tx->dynamic = dynamic;
		tx->dynamic_capacity = capacity;
	}
	uint32_t *chain = &tx->table[chain_of(tx, name)];
	tx->dynamic[tx->dynamic_count] = (struct tx_dynamic){.name = name, .next = *chain};
	*chain = ++tx->dynamic_count;
	return (int)(tx->plan->ruleset->tx_slot_count + tx->dynamic_count - 1);
}

static struct tx_entry *entry_of(const struct tx_collection *tx, int handle)
{
	return is_slot(tx, handle) ? &tx->slots[handle] : &dynamic_at(tx, handle)->entry;
}

struct tx_entry *tx_get(const struct tx_collection *tx, int handle)
{
	if (handle < 0)
		return NULL;
	struct tx_entry *entry = entry_of(tx, handle);
	return entry->generation == tx->generation ? entry : NULL;
}

struct slice tx_name(const struct tx_collection *tx, int handle)
{
	return is_slot(tx, handle) ? slice_from_string(tx->plan->ruleset->tx_names[handle])
				   : dynamic_at(tx, handle)->name;
}

struct slice tx_text(struct tx_collection *tx, struct tx_entry *entry)
{
	if (entry->text.ptr == NULL)
		entry->text = entry->owed != NULL ? owed_text(entry->owed) : number_text(tx->arena, entry->number);
	return entry->text;
}

int64_t tx_number(struct tx_entry *entry)
{
	if (!entry->has_number) {
		entry->number = compare_number(entry->text.ptr == NULL ? owed_text(entry->owed) : entry->text);
		entry->has_number = true;
	}
	return entry->number;
}

/* Room in the order for so many more. 0 or -ENOMEM. */
static int order_reserve(struct tx_collection *tx, size_t more)
{
	size_t capacity = tx->order_capacity == 0 ? ORDER_FIRST : tx->order_capacity;
	while (capacity - tx->order_count < more)
		capacity *= 2;
	if (capacity == tx->order_capacity)
		return 0;
	uint32_t *order = arena_alloc(tx->arena, capacity * sizeof(*order));
	if (order == NULL)
		return -ENOMEM;
	if (tx->order_count > 0)
		memcpy(order, tx->order, tx->order_count * sizeof(*order));
	tx->order = order;
	tx->order_capacity = (uint32_t)capacity;
	return 0;
}

/* The entry, put in order if it was unset; NULL when the arena is exhausted. */
static struct tx_entry *entry_to_write(struct tx_collection *tx, int handle)
{
	struct tx_entry *entry = entry_of(tx, handle);
	if (entry->generation == tx->generation)
		return entry;
	if (order_reserve(tx, 1) != 0)
		return NULL;
	tx->order[tx->order_count++] = (uint32_t)handle;
	entry->generation = tx->generation;
	return entry;
}

static void wake(struct tx_collection *tx, int handle)
{
	if (tx->candidates != NULL)
		gate_wake(tx, handle);
}

int tx_set_text(struct tx_collection *tx, int handle, struct slice text)
{
	struct tx_entry *entry = entry_to_write(tx, handle);
	if (entry == NULL)
		return -ENOMEM;
	entry->text = text.ptr == NULL ? SLICE("") : text;
	entry->has_number = false;
	wake(tx, handle);
	return 0;
}

int tx_set_owed(struct tx_collection *tx, int handle, struct owed *owed)
{
	struct tx_entry *entry = entry_to_write(tx, handle);
	if (entry == NULL)
		return -ENOMEM;
	entry->text = (struct slice){0};
	entry->has_number = false;
	entry->owed = owed;
	wake(tx, handle);
	return 0;
}

int tx_set_number(struct tx_collection *tx, int handle, int64_t number)
{
	struct tx_entry *entry = entry_to_write(tx, handle);
	if (entry == NULL)
		return -ENOMEM;
	entry->text = (struct slice){0};
	entry->owed = NULL;
	entry->number = number;
	entry->has_number = true;
	wake(tx, handle);
	return 0;
}

/* A name set again later comes last: its earlier place in the order goes. */
void tx_unset(struct tx_collection *tx, int handle)
{
	struct tx_entry *entry = tx_get(tx, handle);
	if (entry == NULL)
		return;
	entry->generation = 0;
	for (uint32_t i = 0; i < tx->order_count; i++) {
		if (tx->order[i] != (uint32_t)handle)
			continue;
		memmove(tx->order + i, tx->order + i + 1, (tx->order_count - i - 1) * sizeof(*tx->order));
		tx->order_count--;
		return;
	}
}

int tx_settle(struct tx_collection *tx, const struct course_write *writes, size_t count)
{
	if (order_reserve(tx, count) != 0)
		return -ENOMEM;
	uint32_t *order = tx->order + tx->order_count;
	for (size_t i = 0; i < count; i++) {
		struct tx_entry *entry = &tx->slots[writes[i].slot];
		if (writes[i].unset) {
			tx->order_count = (uint32_t)(order - tx->order);
			tx_unset(tx, writes[i].slot);
			order = tx->order + tx->order_count;
			continue;
		}
		*order = (uint32_t)writes[i].slot;
		order += entry->generation != tx->generation;
		*entry = (struct tx_entry){writes[i].text, writes[i].number, tx->generation, true, NULL};
	}
	tx->order_count = (uint32_t)(order - tx->order);
	return 0;
}
