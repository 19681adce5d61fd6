/*
 * An array that is full is doubled in the arena, and the old one left behind. What comes together is allocated at once:
 * a name and its value, a scalar and its set's array.
 */
#include "engine/value.h"

enum { CAPACITY_FIRST = 32 };

int value_set_grow(struct value_set *set, struct arena *arena)
{
	uint32_t capacity = set->capacity == 0 ? CAPACITY_FIRST : set->capacity * 2;
	struct value **items = arena_alloc(arena, capacity * sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	if (set->count > 0)
		memcpy(items, set->items, set->count * sizeof(*items));
	set->items = items;
	set->capacity = capacity;
	return 0;
}

int value_sets_add(struct value_set *names, struct value_set *values, struct arena *arena, struct slice name,
		   size_t name_offset, struct slice bytes, size_t offset)
{
	struct value *both = arena_alloc(arena, 2 * sizeof(*both));
	if (both == NULL)
		return -ENOMEM;
	both[0] = (struct value){.key = name, .bytes = name, .offset = name_offset, .sent_len = name.len};
	both[1] = (struct value){.key = name, .bytes = bytes, .offset = offset, .sent_len = bytes.len};
	return value_set_share(names, arena, &both[0]) != 0 ? -ENOMEM : value_set_share(values, arena, &both[1]);
}

int value_set_only(struct value_set *set, struct arena *arena, struct slice bytes)
{
	struct {
		struct value value;
		struct value *items[1];
	} *both = arena_alloc(arena, sizeof(*both));
	set->count = 0;
	if (both == NULL)
		return -ENOMEM;
	both->value = (struct value){.key = SLICE(""), .bytes = bytes, .sent_len = bytes.len};
	both->items[0] = &both->value;
	*set = (struct value_set){.items = both->items, .count = 1, .capacity = 1};
	return 0;
}

struct value *value_new(struct arena *arena, struct slice key, struct slice bytes)
{
	struct value *value = arena_alloc(arena, sizeof(*value));
	if (value != NULL)
		*value = (struct value){.key = key, .bytes = bytes, .sent_len = bytes.len};
	return value;
}

struct value *value_set_add(struct value_set *set, struct arena *arena, struct slice key, struct slice bytes)
{
	struct value *value = value_new(arena, key, bytes);
	return value != NULL && value_set_share(set, arena, value) == 0 ? value : NULL;
}
