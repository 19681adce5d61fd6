#include "engine/value.h"

#include <errno.h>

int value_set_share(struct value_set *set, struct arena *arena, struct value *value)
{
	if (set->count == set->capacity) {
		uint32_t capacity = set->capacity == 0 ? 4 : set->capacity * 2;
		struct value **items = arena_alloc(arena, capacity * sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		if (set->count > 0)
			memcpy(items, set->items, set->count * sizeof(*items));
		set->items = items;
		set->capacity = capacity;
	}
	set->items[set->count++] = value;
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
