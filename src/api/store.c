/* guia_store_*: persistent collections over the table that workers share, in their memory or in this process's own. */
#include "api/convert.h"
#include "base/clock.h"
#include "wire/collection_table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64 /* bytes: that of a line of the cache, which guia_store_attach() asks for */ };

struct table_store {
	struct guia_collection_store store;
	struct collection_table table;
};

struct local_store {
	struct table_store shared;
	pthread_mutex_t mutex;
	void *region; /* of mmap, for most of it is never touched */
	size_t bytes;
};

static void lock(void *context)
{
	pthread_mutex_lock(context);
}

static void unlock(void *context)
{
	pthread_mutex_unlock(context);
}

static int find_collection(struct slice name, enum collection *ret_collection)
{
	static const struct {
		struct slice name;
		enum collection collection;
	} rows[] = {
		{SLICE_INIT("GLOBAL"), COLLECTION_GLOBAL},     {SLICE_INIT("IP"), COLLECTION_IP},
		{SLICE_INIT("RESOURCE"), COLLECTION_RESOURCE}, {SLICE_INIT("SESSION"), COLLECTION_SESSION},
		{SLICE_INIT("USER"), COLLECTION_USER},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!slice_equal_nocase(rows[i].name, name))
			continue;
		*ret_collection = rows[i].collection;
		return 0;
	}
	return -EINVAL;
}

static int identify(struct guia_slice collection, struct guia_slice key, struct collection_id *ret_id)
{
	*ret_id = (struct collection_id){.site = SLICE(""), .key = slice_in(key)};
	return find_collection(slice_in(collection), &ret_id->collection);
}

static int get(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
	       int64_t now_ms, uint8_t *value, size_t capacity, size_t *ret_len)
{
	struct table_store *table = context;
	struct collection_snapshot snapshot;
	struct collection_id id;
	struct slice found;
	struct slice content;
	size_t cursor = 0;
	if (identify(collection, key, &id) != 0 ||
	    collection_table_read(&table->table, &id, (uint64_t)now_ms, &snapshot) != 1)
		return -ENOENT;
	while (collection_snapshot_next(&snapshot, &cursor, &found, &content)) {
		if (!slice_equal_nocase(found, slice_in(name)))
			continue;
		*ret_len = content.len < capacity ? content.len : capacity;
		memcpy(value, content.ptr, *ret_len);
		return 0;
	}
	return -ENOENT;
}

static int keep(struct table_store *table, const struct collection_id *id, int64_t now_ms, int64_t timeout_ms)
{
	return collection_table_timeout(&table->table, id, (uint32_t)(timeout_ms / CLOCK_MS_PER_S), (uint64_t)now_ms);
}

static int set(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
	       struct guia_slice value, int64_t now_ms, int64_t record_timeout_ms)
{
	struct table_store *table = context;
	struct collection_id id;
	int r = identify(collection, key, &id);
	if (r == 0)
		r = collection_table_set(&table->table, &id, slice_in(name), slice_in(value), (uint64_t)now_ms);
	return r != 0 ? r : keep(table, &id, now_ms, record_timeout_ms);
}

static int add(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
	       int64_t amount, int64_t now_ms, int64_t record_timeout_ms, int64_t *ret_sum)
{
	struct table_store *table = context;
	struct collection_id id;
	int r = identify(collection, key, &id);
	if (r == 0)
		r = collection_table_add(&table->table, &id, slice_in(name), amount, (uint64_t)now_ms, ret_sum);
	return r != 0 ? r : keep(table, &id, now_ms, record_timeout_ms);
}

static int take(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name)
{
	struct table_store *table = context;
	struct collection_id id;
	int r = identify(collection, key, &id);
	if (r == 0)
		r = collection_table_remove(&table->table, &id, slice_in(name), (uint64_t)clock_boot_ms());
	return r < 0 ? r : 0;
}

static int expire(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		  int64_t expires_ms)
{
	struct table_store *table = context;
	struct collection_id id;
	int64_t now_ms = clock_boot_ms();
	int64_t left_ms = expires_ms <= now_ms ? 0 : expires_ms - now_ms;
	int r = identify(collection, key, &id);
	if (r != 0)
		return r;
	/* Whole seconds, rounded up: what expires now is gone at the next. */
	int64_t seconds = left_ms / CLOCK_MS_PER_S + (left_ms % CLOCK_MS_PER_S > 0);
	return collection_table_expire(&table->table, &id, slice_in(name),
				       seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds, (uint64_t)now_ms);
}

static int list(void *context, struct guia_slice collection, struct guia_slice key, int64_t now_ms,
		void (*each)(void *each_context, struct guia_slice name, struct guia_slice value), void *each_context)
{
	struct table_store *table = context;
	struct collection_snapshot snapshot;
	struct collection_id id;
	struct slice name;
	struct slice value;
	size_t cursor = 0;
	int r = identify(collection, key, &id);
	if (r != 0 || collection_table_read(&table->table, &id, (uint64_t)now_ms, &snapshot) != 1)
		return r;
	while (collection_snapshot_next(&snapshot, &cursor, &name, &value))
		each(each_context, slice_out(name), slice_out(value));
	return 0;
}

static void store_fill(struct table_store *table)
{
	table->store = (struct guia_collection_store){table, get, set, add, take, expire, list};
}

int guia_store_attach(void *region, size_t bytes, const struct guia_store_lock *region_lock,
		      struct guia_collection_store **ret_store)
{
	struct collection_lock table_lock = {region_lock->take, region_lock->give, region_lock->context};
	struct table_store *table = calloc(1, sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	int r = collection_table_attach(&table->table, region, bytes, &table_lock);
	if (r < 0) {
		free(table);
		return r;
	}
	store_fill(table);
	*ret_store = &table->store;
	return 0;
}

void guia_store_detach(struct guia_collection_store *store)
{
	if (store != NULL)
		free(store->context);
}

int guia_store_new_local(size_t capacity_bytes, struct guia_collection_store **ret_store)
{
	size_t bytes = capacity_bytes < COLLECTION_REGION_MIN_BYTES ? COLLECTION_REGION_MIN_BYTES : capacity_bytes;
	bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct local_store *local = calloc(1, sizeof(*local));
	void *region = local == NULL ? MAP_FAILED
				     : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region == MAP_FAILED) {
		free(local);
		return -ENOMEM;
	}
	local->region = region;
	local->bytes = bytes;
	pthread_mutex_init(&local->mutex, NULL);
	struct collection_lock table_lock = {lock, unlock, &local->mutex};
	int r = collection_table_attach(&local->shared.table, region, bytes, &table_lock);
	store_fill(&local->shared);
	if (r < 0) {
		guia_store_free_local(&local->shared.store);
		return r;
	}
	*ret_store = &local->shared.store;
	return 0;
}

void guia_store_free_local(struct guia_collection_store *store)
{
	if (store == NULL)
		return;
	struct local_store *local = store->context;
	pthread_mutex_destroy(&local->mutex);
	munmap(local->region, local->bytes);
	free(local);
}
