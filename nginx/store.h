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
 */
#ifndef GUIA_NGINX_STORE_H
#define GUIA_NGINX_STORE_H

#include "gate.h"

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

/* Whether nginx may store the response whose headers have come. What is not buffered it never stores. */
bool gate_store_may(const ngx_http_request_t *r);

/* For a response that may be stored: nothing of it is before gate_store_keep. NULL without memory: it is not stored. */
struct gate_store *gate_store_add(struct gate_context *context, ngx_http_request_t *r);

/* What nginx would ask before it stores. */
bool gate_store_is_complete(const struct gate_store *store);

/* One that is held is stored, or may be from now on; or its file is deleted. */
void gate_store_keep(struct gate_store *store);
void gate_store_drop(struct gate_store *store);

/* At the time of the response's headers; nothing is done where nginx would not keep the response. */

/* Where the disk has no room it is not kept. */
void gate_store_check_room(struct gate_context *context, ngx_http_request_t *r);
/* Nothing of this response is kept before the context's verdict is known. */
void gate_store_hold(struct gate_context *context, ngx_http_request_t *r);
/* It is not kept. */
void gate_store_refuse(ngx_http_request_t *r);

/* The verdict is known: the page and its parts may be kept. */
void gate_stores_keep(struct gate_context *context);
/* They may not, and a copy that was the answer is deleted. */
void gate_stores_forget(struct gate_context *context);
/* The request ends. What has no verdict is not kept. */
void gate_stores_end(struct gate_context *context);

#endif
