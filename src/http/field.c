/* An array in the list's arena that doubles when it is full; a name is looked for from the first on. */
#include "http/field.h"

#include <errno.h>

int field_list_add(struct field_list *list, struct field field)
{
	if (list->count == list->capacity &&
	    arena_grow(list->arena, (void **)&list->items, &list->capacity, list->count, sizeof(*list->items), 16) != 0)
		return -ENOMEM;
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
