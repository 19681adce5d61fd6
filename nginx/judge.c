/*
 * Headers are judged when they come. For the body the upstream's finalize_request is ours: once nginx has received it
 * whole, the cache's temporary file is read back in pieces.
 */
#include "judge.h"

#include "context.h"
#include "headers.h"
#include "store.h"
#include "transaction.h"

enum { PIECE_BYTES = 64 * 1024 };

static void read_failed(const struct gate_store *store, const ngx_file_t *file, ssize_t n)
{
	ngx_log_error(NGX_LOG_CRIT, store->request->connection->log, 0,
		      "guia could not read a page before it is kept: \"%V\" %s", &file->name,
		      n == 0 ? "ends too soon" : "cannot be read");
}

/* False: it is not to be read whole. Where the judge wants no more, its verdict is of what it has. */
static bool file_give(struct gate_store *store)
{
	ngx_file_t *file = &store->upstream->pipe->temp_file->file;
	off_t at = (off_t)store->cache->body_start, end = store->upstream->pipe->temp_file->offset;
	u_char *piece = ngx_palloc(store->request->pool, PIECE_BYTES);
	bool wanted = true;
	ssize_t n = 1;

	if (piece == NULL)
		return false;
	for (; wanted && at < end; at += n) {
		n = ngx_read_file(file, piece, (size_t)ngx_min(end - at, PIECE_BYTES), at);
		if (n <= 0) {
			read_failed(store, file, n);
			break;
		}
		wanted = guia_response_body(store->judge, (struct guia_slice){piece, (size_t)n}, false) == 0;
	}
	(void)ngx_pfree(store->request->pool, piece);
	return n > 0;
}

static void file_judge(struct gate_store *store)
{
	if (file_give(store) && guia_response_body_done(store->judge).action == GUIA_PASS)
		gate_store_keep(store);
	else
		gate_store_drop(store);
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
	if (store->cache != NULL && gate_store_is_complete(store))
		file_judge(store);
	else if (store->cache != NULL)
		gate_store_drop(store);
	guia_transaction_end(store->judge);
	store->judge = NULL;
	context->location->profile->live--;
}

/* Up to the response's headers. NULL: not to be stored. */
static struct guia_transaction *judge_begin(struct gate_context *context, ngx_http_request_t *r, bool *ret_body)
{
	static const struct guia_slice protocol = {(const uint8_t *)"HTTP/1.1", sizeof("HTTP/1.1") - 1};
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

	if (!gate_store_may(r))
		return;
	struct guia_transaction *judge = judge_begin(context, r, &body);
	if (judge != NULL && body && (store = gate_store_add(context, r)) != NULL) {
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
