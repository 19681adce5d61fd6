/* What a walk found at the sizes that were asked for. */
#include "evidence/walk.h"

const struct walk_mark *walk_mark_of(const struct walk *walk, uint64_t size)
{
	size_t low = 0, high = walk->mark_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (walk->marks[middle].size < size)
			low = middle + 1;
		else
			high = middle;
	}
	return low < walk->mark_count && walk->marks[low].size == size ? &walk->marks[low] : NULL;
}

const struct public_key *walk_key_at(const struct walk *walk, uint64_t size)
{
	const struct public_key *key = NULL;
	for (size_t i = 0; i < walk->key_count && walk->keys[i].from < size; i++)
		key = &walk->keys[i].key;
	return key;
}
