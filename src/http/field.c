#include "http/field.h"

#include <errno.h>

int field_list_add(struct field_list *list, struct field field)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
		struct field *items = arena_alloc(list->arena, capacity * sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = field;
	return 0;
}

const struct field *field_list_find(const struct field_list *list, struct slice name)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_equal_nocase(list->items[i].name, name))
			return &list->items[i];
	return NULL;
}
