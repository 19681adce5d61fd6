/*
 * Where equal things are compiled once: anything immutable, by kind and by the exact bytes it was made from. The pool
 * owns what it holds until it is freed, which is after every rule set made from it. One thread at a time may add; once
 * rule sets are complete nobody needs the pool to read them.
 */
#ifndef GUIA_RULESET_POOL_H
#define GUIA_RULESET_POOL_H

#include "base/arena.h"
#include "codec/transform.h"

struct scan_cache;

enum pool_kind {
	POOL_REGEX,
	POOL_PHRASES,
	POOL_NETWORKS,
	POOL_BYTES,
	POOL_UNICODE_MAP,
	POOL_SCAN_SET,
	POOL_UNIT,
	POOL_PIPELINE,
	POOL_TX_NAME,
};

typedef void pool_release_fn(void *thing);

struct pool;

/* `cache` may be NULL; the pool does not own it. 0 or -ENOMEM. */
int pool_create(const struct scan_cache *cache, struct pool **ret_pool);
void pool_free(struct pool *pool);

/* Of all kinds. */
size_t pool_count(const struct pool *pool);

const struct scan_cache *pool_cache(const struct pool *pool);

/* NULL if there is none. */
void *pool_find(const struct pool *pool, enum pool_kind kind, struct slice key);

/* Takes `thing` over, also on failure (then it is released at once); `release` may be NULL. 0 or -ENOMEM. */
int pool_add(struct pool *pool, enum pool_kind kind, struct slice key, void *thing, pool_release_fn *release);

/* A number for a TX name, case ignored, the same for every rule set of the pool. The slot, or -ENOMEM. */
int pool_tx_slot(struct pool *pool, struct slice name);
size_t pool_tx_count(const struct pool *pool);
const char *pool_tx_name(const struct pool *pool, size_t slot);

/* A number for a list of transformations; 0 for the empty list. The number, or -ENOMEM. */
int64_t pool_pipeline(struct pool *pool, const enum transform *transforms, size_t count);

#endif
