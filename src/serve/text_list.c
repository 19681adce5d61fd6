/* A vector in an arena, searched from its beginning. */
#include "serve/text_list.h"

#include "base/error.h"

int text_list_add(struct text_list *list, struct slice text)
{
	if (arena_grow(list->arena, (void **)&list->items, &list->capacity, list->count, sizeof(*list->items), 4) != 0)
		return -ENOMEM;
	list->items[list->count++] = text;
	return 0;
}

bool text_list_has(const struct text_list *list, struct slice text)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_equal(list->items[i], text))
			return true;
	return false;
}
