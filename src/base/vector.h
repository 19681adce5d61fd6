/* Growing a heap array of any item type: `items` is realloc'ed geometrically so that one more item fits. */
#ifndef GUIA_BASE_VECTOR_H
#define GUIA_BASE_VECTOR_H

#include <stddef.h>

/*
 * Ensures capacity > count. Returns 0, or -ENOMEM with everything untouched.
 *     if (vector_grow((void **)&v->items, &v->capacity, v->count, sizeof(*v->items)) != 0) return -ENOMEM;
 *     v->items[v->count++] = item;
 */
int vector_grow(void **items, size_t *capacity, size_t count, size_t item_bytes);

#endif
