/*
 * Persistent collections in a zone that all workers share and that stays over reloads. The lock is the zone's slab
 * mutex: nginx's master releases it when a worker dies that holds it, and the table then repairs itself.
 *
 * The engine counts in wall-clock milliseconds, which may go back; the table counts in those since boot. Only lengths
 * of time pass from one to the other.
 */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <time.h>

#include "gate.h"
#include "wire/collection_table.h"

struct gate_collections {
	struct guia_collection_store store;
	struct collection_table table;
	ngx_slab_pool_t *slab;
};

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct slice to_slice(struct guia_slice s)
{
	return slice_make(s.ptr, s.len);
}

static uint32_t seconds_of(int64_t ms)
{
	int64_t seconds = (ms + 999) / 1000;

	if (seconds < 1)
		return 1;
	return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

/* 0, or -ENOENT: no such collection. */
static int id_make(struct guia_slice collection, struct guia_slice key, struct collection_id *ret_id)
{
	static const struct slice names[] = {
		[COLLECTION_GLOBAL] = SLICE_INIT("GLOBAL"),     [COLLECTION_IP] = SLICE_INIT("IP"),
		[COLLECTION_RESOURCE] = SLICE_INIT("RESOURCE"), [COLLECTION_SESSION] = SLICE_INIT("SESSION"),
		[COLLECTION_USER] = SLICE_INIT("USER"),
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (collection.len == names[i].len &&
		    ngx_strncasecmp((u_char *)collection.ptr, (u_char *)names[i].ptr, collection.len) == 0) {
			*ret_id = (struct collection_id){(enum collection)i, SLICE(""), to_slice(key)};
			return 0;
		}
	}
	return -ENOENT;
}

static int store_get(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		     int64_t now_ms, uint8_t *value, size_t capacity, size_t *ret_len)
{
	struct gate_collections *collections = context;
	struct collection_snapshot snapshot;
	struct collection_id id;
	struct slice found, found_value;
	size_t cursor = 0;

	(void)now_ms;
	if (id_make(collection, key, &id) != 0 ||
	    collection_table_read(&collections->table, &id, clock_ms(CLOCK_BOOTTIME), &snapshot) != 1)
		return -ENOENT;
	while (collection_snapshot_next(&snapshot, &cursor, &found, &found_value)) {
		if (found.len != name.len || ngx_strncasecmp((u_char *)found.ptr, (u_char *)name.ptr, name.len) != 0)
			continue;
		*ret_len = ngx_min(found_value.len, capacity);
		memcpy(value, found_value.ptr, *ret_len);
		return 0;
	}
	return -ENOENT;
}

static int store_timeout(struct gate_collections *collections, const struct collection_id *id, uint64_t now,
			 int64_t timeout_ms)
{
	return timeout_ms <= 0 ? 0 : collection_table_timeout(&collections->table, id, seconds_of(timeout_ms), now);
}

static int store_set(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		     struct guia_slice value, int64_t now_ms, int64_t record_timeout_ms)
{
	struct gate_collections *collections = context;
	uint64_t now = clock_ms(CLOCK_BOOTTIME);
	struct collection_id id;
	int r = id_make(collection, key, &id);

	(void)now_ms;
	if (r == 0)
		r = collection_table_set(&collections->table, &id, to_slice(name), to_slice(value), now);
	return r == 0 ? store_timeout(collections, &id, now, record_timeout_ms) : r;
}

static int store_add(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
		     int64_t amount, int64_t now_ms, int64_t record_timeout_ms, int64_t *ret_sum)
{
	struct gate_collections *collections = context;
	uint64_t now = clock_ms(CLOCK_BOOTTIME);
	struct collection_id id;
	int r = id_make(collection, key, &id);

	(void)now_ms;
	if (r == 0)
		r = collection_table_add(&collections->table, &id, to_slice(name), amount, now, ret_sum);
	return r == 0 ? store_timeout(collections, &id, now, record_timeout_ms) : r;
}

static int store_remove(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name)
{
	struct gate_collections *collections = context;
	struct collection_id id;
	int r = id_make(collection, key, &id);

	if (r == 0)
		r = collection_table_remove(&collections->table, &id, to_slice(name), clock_ms(CLOCK_BOOTTIME));
	return r < 0 ? r : 0;
}

static int store_expire(void *context, struct guia_slice collection, struct guia_slice key, struct guia_slice name,
			int64_t expires_ms)
{
	struct gate_collections *collections = context;
	int64_t left_ms = expires_ms - (int64_t)clock_ms(CLOCK_REALTIME);
	struct collection_id id;
	int r = id_make(collection, key, &id);

	if (r == 0)
		r = collection_table_expire(&collections->table, &id, to_slice(name), seconds_of(left_ms),
					    clock_ms(CLOCK_BOOTTIME));
	return r < 0 ? r : 0;
}

static int store_list(void *context, struct guia_slice collection, struct guia_slice key, int64_t now_ms,
		      void (*each)(void *each_context, struct guia_slice name, struct guia_slice value),
		      void *each_context)
{
	struct gate_collections *collections = context;
	struct collection_snapshot snapshot;
	struct collection_id id;
	struct slice name, value;
	size_t cursor = 0;

	(void)now_ms;
	if (id_make(collection, key, &id) != 0 ||
	    collection_table_read(&collections->table, &id, clock_ms(CLOCK_BOOTTIME), &snapshot) != 1)
		return 0;
	while (collection_snapshot_next(&snapshot, &cursor, &name, &value))
		each(each_context, (struct guia_slice){name.ptr, name.len}, (struct guia_slice){value.ptr, value.len});
	return 0;
}

static void lock_take(void *context)
{
	ngx_slab_pool_t *slab = context;

	ngx_shmtx_lock(&slab->mutex);
}

static void lock_give(void *context)
{
	ngx_slab_pool_t *slab = context;

	ngx_shmtx_unlock(&slab->mutex);
}

/* All pages of the zone are one region, which `shm_zone->data` hands to the next configuration. */
static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_collections *collections = zone->data;
	struct collection_lock lock = {lock_take, lock_give, zone->shm.addr};
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;
	void *region = data == NULL ? NULL : ((struct gate_collections *)data)->table.region;
	size_t bytes = data == NULL ? slab->pfree * ngx_pagesize : ((struct gate_collections *)data)->table.bytes;

	if (region == NULL) {
		region = ngx_slab_calloc(slab, bytes);
		if (region == NULL)
			return NGX_ERROR;
	}
	collections->slab = slab;
	if (collection_table_attach(&collections->table, region, bytes, &lock) < 0) {
		ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "guia_collections \"%V\" cannot be used",
			      &zone->shm.name);
		return NGX_ERROR;
	}
	return NGX_OK;
}

ngx_int_t gate_collections_add(ngx_conf_t *cf, struct gate_main *main, size_t bytes)
{
	static ngx_str_t zone_name = ngx_string("guia_collections");
	struct gate_collections *collections = ngx_pcalloc(cf->pool, sizeof(*collections));
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &zone_name, bytes, &ngx_http_guia_module);

	if (collections == NULL || zone == NULL)
		return NGX_ERROR;
	collections->store = (struct guia_collection_store){
		.context = collections,
		.get = store_get,
		.set = store_set,
		.add = store_add,
		.remove = store_remove,
		.expire = store_expire,
		.list = store_list,
	};
	zone->init = zone_init;
	zone->data = collections;
	main->collections = collections;
	return NGX_OK;
}

const struct guia_collection_store *gate_collections_store(const struct gate_collections *collections)
{
	return collections == NULL ? NULL : &collections->store;
}
