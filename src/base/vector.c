/* Eight items at first, and twice as many each time. */
#include "base/vector.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int vector_grow(void **items, size_t *capacity, size_t count, size_t item_bytes)
{
	if (count < *capacity)
		return 0;
	size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
	if (wanted > SIZE_MAX / 2 / item_bytes)
		return -ENOMEM;
	void *grown = realloc(*items, wanted * item_bytes);
	if (grown == NULL)
		return -ENOMEM;
	*items = grown;
	*capacity = wanted;
	return 0;
}
