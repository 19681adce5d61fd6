/* An open-addressed table from (kind, key) to a thing; entries are kept in order of arrival, to be freed backwards. */
#include "ruleset/pool.h"

#include "base/hash.h"
#include "base/vector.h"

#include <errno.h>
#include <stdlib.h>

enum {
	TABLE_INITIAL = 1024, /* a power of two */
	TX_NAME_MAX = 1024,
};

struct entry {
	enum pool_kind kind;
	struct slice key;
	uint64_t hash;
	void *thing;
	pool_release_fn *release;
};

struct pool {
	struct arena arena;
	const struct scan_cache *cache;
	struct hash_key hash_key;
	struct entry *entries;
	size_t entry_count;
	size_t entry_capacity;
	uint32_t *table; /* entry index + 1; 0 empty */
	size_t table_size;
	char **tx_names;
	size_t tx_count;
	size_t tx_capacity;
	size_t pipeline_count;
};

int pool_create(const struct scan_cache *cache, struct pool **ret_pool)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	arena_init(&pool->arena, SIZE_MAX / 2, 0);
	pool->cache = cache;
	pool->hash_key = hash_key_random();
	pool->table_size = TABLE_INITIAL;
	pool->table = calloc(pool->table_size, sizeof(*pool->table));
	if (pool->table == NULL) {
		pool_free(pool);
		return -ENOMEM;
	}
	*ret_pool = pool;
	return 0;
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = pool->entry_count; i-- > 0;)
		if (pool->entries[i].release != NULL)
			pool->entries[i].release(pool->entries[i].thing);
	free(pool->entries);
	free(pool->table);
	free(pool->tx_names);
	arena_destroy(&pool->arena);
	free(pool);
}

size_t pool_count(const struct pool *pool)
{
	return pool->entry_count;
}

const struct scan_cache *pool_cache(const struct pool *pool)
{
	return pool->cache;
}

static uint64_t hash_of(const struct pool *pool, enum pool_kind kind, struct slice key)
{
	return hash_bytes(&pool->hash_key, key) + (uint64_t)kind * HASH_SPREAD;
}

static size_t place_of(const struct pool *pool, enum pool_kind kind, struct slice key, uint64_t hash)
{
	size_t place = hash & (pool->table_size - 1);
	for (; pool->table[place] != 0; place = (place + 1) & (pool->table_size - 1)) {
		const struct entry *entry = &pool->entries[pool->table[place] - 1];
		if (entry->hash == hash && entry->kind == kind && slice_equal(entry->key, key))
			break;
	}
	return place;
}

void *pool_find(const struct pool *pool, enum pool_kind kind, struct slice key)
{
	uint32_t found = pool->table[place_of(pool, kind, key, hash_of(pool, kind, key))];
	return found == 0 ? NULL : pool->entries[found - 1].thing;
}

static int table_grow(struct pool *pool)
{
	if (pool->entry_count * 2 < pool->table_size)
		return 0;
	size_t size = pool->table_size * 2;
	uint32_t *table = calloc(size, sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < pool->entry_count; i++) {
		size_t place = pool->entries[i].hash & (size - 1);
		while (table[place] != 0)
			place = (place + 1) & (size - 1);
		table[place] = (uint32_t)i + 1;
	}
	free(pool->table);
	pool->table = table;
	pool->table_size = size;
	return 0;
}

static int entry_add(struct pool *pool, struct entry entry)
{
	int r = table_grow(pool);
	if (r == 0)
		r = vector_grow((void **)&pool->entries, &pool->entry_capacity, pool->entry_count, sizeof(entry));
	if (r == 0)
		r = arena_copy(&pool->arena, entry.key, &entry.key);
	if (r != 0)
		return r;
	size_t place = place_of(pool, entry.kind, entry.key, entry.hash);
	pool->entries[pool->entry_count++] = entry;
	pool->table[place] = (uint32_t)pool->entry_count;
	return 0;
}

int pool_add(struct pool *pool, enum pool_kind kind, struct slice key, void *thing, pool_release_fn *release)
{
	struct entry entry = {kind, key, hash_of(pool, kind, key), thing, release};
	int r = entry_add(pool, entry);
	if (r != 0 && release != NULL)
		release(thing);
	return r;
}

/* Numbers are kept in the table as pointers to nothing: number + 1, so that NULL stays "absent". */
static int64_t number_of(struct pool *pool, enum pool_kind kind, struct slice key, size_t next)
{
	void *found = pool_find(pool, kind, key);
	if (found != NULL)
		return (int64_t)(uintptr_t)found - 1;
	int r = pool_add(pool, kind, key, (void *)(uintptr_t)(next + 1), NULL);
	return r != 0 ? r : (int64_t)next;
}

int pool_tx_slot(struct pool *pool, struct slice name)
{
	uint8_t folded[TX_NAME_MAX];
	name = slice_sub(name, 0, TX_NAME_MAX);
	for (size_t i = 0; i < name.len; i++)
		folded[i] = byte_lower(name.ptr[i]);
	int r = vector_grow((void **)&pool->tx_names, &pool->tx_capacity, pool->tx_count, sizeof(*pool->tx_names));
	char *copy = r == 0 ? arena_string(&pool->arena, name) : NULL;
	if (copy == NULL)
		return -ENOMEM;
	int64_t slot = number_of(pool, POOL_TX_NAME, slice_make(folded, name.len), pool->tx_count);
	if (slot == (int64_t)pool->tx_count)
		pool->tx_names[pool->tx_count++] = copy;
	return (int)slot;
}

size_t pool_tx_count(const struct pool *pool)
{
	return pool->tx_count;
}

const char *pool_tx_name(const struct pool *pool, size_t slot)
{
	return pool->tx_names[slot];
}

int64_t pool_pipeline(struct pool *pool, const enum transform *transforms, size_t count)
{
	if (count == 0)
		return 0;
	struct slice key = slice_make(transforms, count * sizeof(*transforms));
	int64_t number = number_of(pool, POOL_PIPELINE, key, pool->pipeline_count + 1);
	if (number == (int64_t)pool->pipeline_count + 1)
		pool->pipeline_count++;
	return number;
}
