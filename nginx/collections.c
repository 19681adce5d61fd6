/*
 * Only memory and lock are nginx's: the table is wire/collection_table.c, reached by guia_store_*. A handle lives as
 * long as its configuration's pool, the region as long as the zone.
 */
#include "collections.h"

struct gate_collections {
	struct guia_collection_store *store;
	void *region;
	size_t bytes;
};

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

/* All pages of the zone are one region, which `zone->data` hands from one configuration to the next. */
static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_collections *collections = zone->data, *before = data;
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;
	struct guia_store_lock lock = {lock_take, lock_give, slab};

	collections->bytes = before == NULL ? slab->pfree * ngx_pagesize : before->bytes;
	collections->region = before == NULL ? ngx_slab_calloc(slab, collections->bytes) : before->region;
	if (collections->region == NULL ||
	    guia_store_attach(collections->region, collections->bytes, &lock, &collections->store) != 0) {
		ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "\"%V\" cannot hold collections", &zone->shm.name);
		return NGX_ERROR;
	}
	return NGX_OK;
}

static void collections_cleanup(void *data)
{
	struct gate_collections *collections = data;

	guia_store_detach(collections->store);
}

ngx_int_t gate_collections_add(ngx_conf_t *cf, struct gate_main *main, size_t bytes)
{
	static ngx_str_t zone_name = ngx_string("guia_collections");
	ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(struct gate_collections));
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &zone_name, bytes, &ngx_http_guia_module);

	if (cleanup == NULL || zone == NULL)
		return NGX_ERROR;
	ngx_memzero(cleanup->data, sizeof(struct gate_collections));
	cleanup->handler = collections_cleanup;
	zone->init = zone_init;
	zone->data = cleanup->data;
	main->collections = cleanup->data;
	return NGX_OK;
}

const struct guia_collection_store *gate_collections_store(const struct gate_collections *collections)
{
	return collections == NULL ? NULL : collections->store;
}
