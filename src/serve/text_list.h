/* Texts in order, in an arena. */
#ifndef GUIA_SERVE_TEXT_LIST_H
#define GUIA_SERVE_TEXT_LIST_H

#include "base/arena.h"
#include "base/slice.h"

struct text_list {
	struct slice *items;
	size_t count;
	size_t capacity;
	struct arena *arena;
};

/* The bytes stay the caller's. 0 or -ENOMEM. */
int text_list_add(struct text_list *list, struct slice text);
bool text_list_has(const struct text_list *list, struct slice text);

#endif
