#include "engine/remembered.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WAYS = 4,
	SMALL_STRIDE = 64, /* bytes of an entry: values of up to 44 */
	SMALL_ROWS = 2048,
	LARGE_STRIDE = 512,
	LARGE_ROWS = 512,
	SMALL_BYTES = SMALL_STRIDE - (int)sizeof(struct remembered_entry),
};

_Static_assert(LARGE_STRIDE - sizeof(struct remembered_entry) >= REMEMBERED_BYTES, "the longest value fits");

struct remembered {
	struct hash_key key;
	uint8_t *small;
	uint8_t *large;
};

int remembered_create(struct remembered **ret_remembered)
{
	struct remembered *remembered = calloc(1, sizeof(*remembered));
	if (remembered == NULL)
		return -ENOMEM;
	remembered->key = hash_key_random();
	remembered->small = calloc(SMALL_ROWS * WAYS, SMALL_STRIDE);
	remembered->large = calloc(LARGE_ROWS * WAYS, LARGE_STRIDE);
	if (remembered->small == NULL || remembered->large == NULL) {
		remembered_free(remembered);
		return -ENOMEM;
	}
	*ret_remembered = remembered;
	return 0;
}

void remembered_free(struct remembered *remembered)
{
	if (remembered == NULL)
		return;
	free(remembered->small);
	free(remembered->large);
	free(remembered);
}

uint32_t remembered_new_key(void)
{
	static atomic_uint keys;
	return atomic_fetch_add_explicit(&keys, 1, memory_order_relaxed) + 1;
}

struct row {
	uint8_t *ways;
	size_t stride;
};

static struct row row_of(struct remembered *remembered, size_t len, uint64_t hash)
{
	if (len <= SMALL_BYTES)
		return (struct row){remembered->small + hash % SMALL_ROWS * WAYS * SMALL_STRIDE, SMALL_STRIDE};
	return (struct row){remembered->large + hash % LARGE_ROWS * WAYS * LARGE_STRIDE, LARGE_STRIDE};
}

static struct remembered_entry *way(struct row row, size_t i)
{
	return (struct remembered_entry *)(void *)(row.ways + i * row.stride);
}

const struct remembered_entry *remembered_find(struct remembered *remembered, uint32_t set, struct slice value,
					       uint64_t *ret_hash)
{
	struct hash_key key = {remembered->key.k0 ^ set, remembered->key.k1};
	*ret_hash = hash_quick(&key, value);
	if (value.len > REMEMBERED_BYTES)
		return NULL;
	struct row row = row_of(remembered, value.len, *ret_hash);
	for (size_t i = 0; i < WAYS; i++) {
		struct remembered_entry *entry = way(row, i);
		if (entry->set == set && entry->len == value.len && memcmp(entry->bytes, value.ptr, value.len) == 0) {
			entry->seen_again = 1;
			return entry;
		}
	}
	return NULL;
}

/* The first that was not seen again since it came, or since the last time that all were. */
static struct remembered_entry *victim(struct row row, uint64_t hash)
{
	size_t from = hash >> 60;
	for (size_t i = 0; i < WAYS; i++)
		if (way(row, (from + i) % WAYS)->seen_again == 0)
			return way(row, (from + i) % WAYS);
	for (size_t i = 0; i < WAYS; i++)
		way(row, i)->seen_again = 0;
	return way(row, from % WAYS);
}

void remembered_add(struct remembered *remembered, uint32_t set, struct slice value, uint64_t hash,
		    const uint16_t *steps, size_t step_count)
{
	if (value.len > REMEMBERED_BYTES || step_count > REMEMBERED_STEPS)
		return;
	struct remembered_entry *entry = victim(row_of(remembered, value.len, hash), hash);
	entry->set = set;
	entry->len = (uint16_t)value.len;
	entry->step_count = (uint8_t)step_count;
	entry->seen_again = 0;
	if (step_count > 0)
		memcpy(entry->steps, steps, step_count * sizeof(*steps));
	if (value.len > 0)
		memcpy(entry->bytes, value.ptr, value.len);
}
