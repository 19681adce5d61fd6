/*
 * What nginx keeps in its caches: a page that waits for its verdict is stored once it has passed, and never before.
 *
 * nginx stores a page when its last byte has come from the origin, which is before the end of the page reaches a filter
 * and, where filters gather a page (sub_filter, SSI, files read by threads), before any of it does. So from the moment
 * it begins to receive, the cache's own `updated` is set, which makes storing and giving up no-ops for nginx; whoever
 * waits for the page under proxy_cache_lock goes on waiting. At the verdict the flag goes back and the page is stored,
 * or its temporary file deleted. Without a verdict, because the client left, it is deleted too.
 *
 * Where a cache has min_free and less room than that, nothing is kept or buffered on disk: nginx's own write would fail
 * on a full disk, and the response with it.
 *
 * A background update has nobody whose verdict it could wait for: its page never comes to a filter. It is judged when
 * it is complete, from the temporary file, by a transaction that leaves no record and sees no collections.
 */
#include "gate.h"

enum { PIECE_BYTES = 64 * 1024 };

struct gate_store {
	struct gate_store *next;
	struct gate_context *context;
	ngx_http_request_t *request; /* or subrequest */
	ngx_http_upstream_t *upstream;
	ngx_http_cache_t *cache; /* NULL unless held */
	ngx_int_t (*begin)(void *data);
	void *begin_data;
	void (*end)(ngx_http_request_t *r, ngx_int_t rc);
	struct guia_transaction *judge; /* of a background update */
	bool no_room;
};

/* What nginx would ask before it stores. */
static bool is_complete(const struct gate_store *store)
{
	const ngx_http_upstream_t *u = store->upstream;
	const ngx_event_pipe_t *pipe = u->pipe;
	off_t announced = u->headers_in.content_length_n;

	if (pipe->upstream_done)
		return true;
	return pipe->upstream_eof && pipe->length == -1 &&
	       (announced == -1 || announced == pipe->temp_file->offset - (off_t)store->cache->body_start);
}

static void drop(struct gate_store *store)
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

static void keep(struct gate_store *store)
{
	store->cache->updated = 0;
	if (store->upstream->cleanup == NULL) {
		/* nginx has finished with the origin. */
		if (store->request->cache == store->cache && is_complete(store))
			ngx_http_file_cache_update(store->request, store->upstream->pipe->temp_file);
		else
			drop(store);
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

static struct gate_store *store_add(struct gate_context *context, ngx_http_request_t *r)
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

/* Whether nginx may store the response whose headers have come. What is not buffered it never stores. */
static bool may_be_stored(const ngx_http_request_t *r)
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

	if (!may_be_stored(r) || r->cache == NULL || has_room(r->cache->file_cache))
		return;
	store = store_add(context, r);
	if (store != NULL)
		store->no_room = true;
	r->upstream->cacheable = 0;
}

void gate_store_hold(struct gate_context *context, ngx_http_request_t *r)
{
	if (may_be_stored(r))
		(void)store_add(context, r);
}

void gate_store_refuse(ngx_http_request_t *r)
{
	if (may_be_stored(r))
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
			drop(store);
	}
}

void gate_stores_keep(struct gate_context *context)
{
	for (struct gate_store *store = context->stores; store != NULL; store = store->next) {
		if (store->cache != NULL && store->judge == NULL)
			keep(store);
	}
}

void gate_stores_forget(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	for (struct gate_store *store = context->stores; store != NULL; store = store->next) {
		if (store->cache != NULL && store->judge == NULL)
			drop(store);
	}
	if (r->upstream != NULL)
		r->upstream->cacheable = 0;
	if (r->cached && r->cache != NULL)
		copy_delete(r->cache);
}

/* ---- background updates ---- */

static void file_judge(struct gate_store *store)
{
	ngx_file_t *file = &store->upstream->pipe->temp_file->file;
	off_t at = (off_t)store->cache->body_start, end = store->upstream->pipe->temp_file->offset;
	u_char *piece = file->fd == NGX_INVALID_FILE ? NULL : ngx_palloc(store->request->pool, PIECE_BYTES);

	while (piece != NULL && at < end) {
		ssize_t n = ngx_read_file(file, piece, (size_t)ngx_min(end - at, PIECE_BYTES), at);
		if (n <= 0 || guia_response_body(store->judge, (struct guia_slice){piece, (size_t)n}, false) != 0)
			break;
		at += n;
	}
	if (piece != NULL)
		(void)ngx_pfree(store->request->pool, piece);
	if (guia_response_body_done(store->judge).action == GUIA_PASS)
		keep(store);
	else
		drop(store);
}

static void receiving_ends(ngx_http_request_t *r, ngx_int_t rc)
{
	struct gate_context *context = gate_context_find(r);
	struct gate_store *store = context == NULL ? NULL : context->stores;

	while (store != NULL && (store->request != r || store->judge == NULL))
		store = store->next;
	if (store == NULL)
		return; /* nobody would have put this function there */
	store->end(r, rc);
	if (store->cache != NULL && is_complete(store))
		file_judge(store);
	else if (store->cache != NULL)
		drop(store);
	guia_transaction_end(store->judge);
	store->judge = NULL;
	context->location->profile->live--;
}

/* Up to the response's headers. NULL: not to be stored. */
static struct guia_transaction *judge_begin(struct gate_context *context, ngx_http_request_t *r, bool *ret_body)
{
	static const struct guia_slice protocol = {(const uint8_t *)"HTTP/1.1", 8};
	struct guia_transaction *judge = gate_judge_begin(context);

	if (judge == NULL)
		return NULL;
	(void)guia_request_headers_done(judge);
	(void)guia_request_body_done(judge);
	gate_response_headers_give(r, judge);
	struct guia_verdict verdict = guia_response_headers_done(judge, (uint16_t)r->headers_out.status, protocol);
	*ret_body = guia_response_body_wanted(judge);
	if (verdict.action == GUIA_PASS)
		return judge;
	guia_transaction_end(judge);
	context->location->profile->live--;
	return NULL;
}

void gate_store_judge(struct gate_context *context, ngx_http_request_t *r)
{
	struct gate_store *store;
	bool body = false;

	if (!may_be_stored(r))
		return;
	struct guia_transaction *judge = judge_begin(context, r, &body);
	if (judge != NULL && body && (store = store_add(context, r)) != NULL) {
		store->judge = judge;
		store->end = r->upstream->finalize_request;
		r->upstream->finalize_request = receiving_ends;
		return;
	}
	if (judge == NULL) {
		r->upstream->cacheable = 0;
		return;
	}
	guia_transaction_end(judge);
	context->location->profile->live--;
}
