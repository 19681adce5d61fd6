/*
 * A gate_store for each response that may be kept stands before the upstream's input_filter_init, which nginx calls
 * when it has decided whether to store, before anything is received. All of a request are in a list of its context.
 */
#include "store.h"

bool gate_store_is_complete(const struct gate_store *store)
{
	const ngx_http_upstream_t *u = store->upstream;
	const ngx_event_pipe_t *pipe = u->pipe;
	off_t announced = u->headers_in.content_length_n;

	if (pipe->upstream_done)
		return true;
	return pipe->upstream_eof && pipe->length == -1 &&
	       (announced == -1 || announced == pipe->temp_file->offset - (off_t)store->cache->body_start);
}

void gate_store_drop(struct gate_store *store)
{
	ngx_temp_file_t *file = store->upstream->pipe->temp_file;

	store->upstream->cacheable = 0;
	store->cache->updated = 0;
	/* One that is not made yet goes with the request; nginx forgets one that was made after proxy_cache_bypass. */
	file->persistent = 0;
	store->cache->temp_file = 1;
	ngx_http_file_cache_free(store->cache, file);
	store->cache = NULL;
}

void gate_store_keep(struct gate_store *store)
{
	store->cache->updated = 0;
	if (store->upstream->cleanup == NULL) {
		/* nginx has finished with the origin. */
		if (store->request->cache == store->cache && gate_store_is_complete(store))
			ngx_http_file_cache_update(store->request, store->upstream->pipe->temp_file);
		else
			gate_store_drop(store);
	}
	store->cache = NULL;
}

/* Called when nginx has decided whether it will store, and begins to receive. */
static ngx_int_t receiving_begins(void *data)
{
	struct gate_store *store = data;
	ngx_http_upstream_t *u = store->upstream;
	ngx_http_cache_t *cache = store->request->cache;

	u->input_filter_init = store->begin;
	u->pipe->input_ctx = store->begin_data;
	if (store->no_room)
		u->pipe->max_temp_file_size = 0;
	if (u->cacheable && cache != NULL && !cache->updated) {
		cache->updated = 1;
		store->cache = cache;
	}
	return store->begin == NULL ? NGX_OK : store->begin(store->begin_data);
}

struct gate_store *gate_store_add(struct gate_context *context, ngx_http_request_t *r)
{
	ngx_http_upstream_t *u = r->upstream;
	struct gate_store *store = ngx_pcalloc(context->request->pool, sizeof(*store));

	if (store == NULL) {
		u->cacheable = 0;
		return NULL;
	}
	*store = (struct gate_store){.next = context->stores,
				     .context = context,
				     .request = r,
				     .upstream = u,
				     .begin = u->input_filter_init,
				     .begin_data = u->pipe->input_ctx};
	u->input_filter_init = receiving_begins;
	u->pipe->input_ctx = store;
	context->stores = store;
	return store;
}

bool gate_store_may(const ngx_http_request_t *r)
{
	const ngx_http_upstream_t *u = r->upstream;

	return u != NULL && u->cacheable && !r->cached && u->buffering && u->pipe != NULL;
}

/* As it was at some moment of this second. */
static bool has_room(const ngx_http_file_cache_t *place)
{
	static const ngx_http_file_cache_t *asked;
	static time_t when;
	static bool answer;

	if (place->min_free == 0)
		return true;
	if (asked != place || when != ngx_time()) {
		asked = place;
		when = ngx_time();
		answer = ngx_fs_available(place->path->name.data) >= place->min_free;
	}
	return answer;
}

void gate_store_check_room(struct gate_context *context, ngx_http_request_t *r)
{
	struct gate_store *store;

	if (!gate_store_may(r) || r->cache == NULL || has_room(r->cache->file_cache))
		return;
	store = gate_store_add(context, r);
	if (store != NULL)
		store->no_room = true;
	r->upstream->cacheable = 0;
}

void gate_store_hold(struct gate_context *context, ngx_http_request_t *r)
{
	if (gate_store_may(r))
		(void)gate_store_add(context, r);
}

void gate_store_refuse(ngx_http_request_t *r)
{
	if (gate_store_may(r))
		r->upstream->cacheable = 0;
}

/* A copy that was answered from: another worker may have put a new one in its place, which is then fetched again. */
static void copy_delete(ngx_http_cache_t *cache)
{
	ngx_http_file_cache_t *place = cache->file_cache;

	if (cache->node == NULL || cache->updated || cache->file.name.len == 0)
		return;
	ngx_shmtx_lock(&place->shpool->mutex);
	if (cache->node->exists) {
		place->sh->size -= cache->node->fs_size;
		cache->node->fs_size = 0;
		cache->node->exists = 0;
	}
	ngx_shmtx_unlock(&place->shpool->mutex);
	(void)ngx_delete_file(cache->file.name.data);
}

void gate_stores_end(struct gate_context *context)
{
	for (struct gate_store *store = context->stores; store != NULL; store = store->next) {
		if (store->judge != NULL) {
			guia_transaction_end(store->judge);
			store->judge = NULL;
			context->location->profile->live--;
		}
		if (store->cache != NULL)
			gate_store_drop(store);
	}
}

void gate_stores_keep(struct gate_context *context)
{
	for (struct gate_store *store = context->stores; store != NULL; store = store->next) {
		if (store->cache != NULL && store->judge == NULL)
			gate_store_keep(store);
	}
}

void gate_stores_forget(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	for (struct gate_store *store = context->stores; store != NULL; store = store->next) {
		if (store->cache != NULL && store->judge == NULL)
			gate_store_drop(store);
	}
	if (r->upstream != NULL)
		r->upstream->cacheable = 0;
	if (r->cached && r->cache != NULL)
		copy_delete(r->cache);
}
