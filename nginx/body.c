/*
 * The request's body: read whole before anything sees it, then given to the transaction.
 *
 * A body in memory is given in place. One in a temporary file is mapped read-only and given in place too: the pages are
 * the kernel's cache, so a thousand uploads at once cost no memory of the worker's, and the engine reads each page
 * once. The file is nginx's own, readable by nginx only and deleted with the request, so nobody shortens it under the
 * mapping. Where a file outlives the request (WebDAV's PUT moves it into place) it is read in pieces instead.
 */
#include "gate.h"

#include <sys/mman.h>

enum { PIECE_BYTES = 64 * 1024 };

/* nginx's content phase may store the body (WebDAV); otherwise a handler of the location answers. */
static bool body_is_stored(ngx_http_request_t *r)
{
	ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

	return r->method == NGX_HTTP_PUT && core->handler == NULL;
}

static bool body_exists(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
	if (r->stream != NULL)
		return !r->stream->in_closed;
#endif
	return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}

bool gate_body_wanted(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;
	ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

	/* A body announced as too long was refused by nginx: an error page brought the request here. */
	if (r->discard_body ||
	    (core->client_max_body_size > 0 && r->headers_in.content_length_n > core->client_max_body_size))
		return false;
	return context->location->request_body && body_exists(r) && guia_request_body_wanted(context->transaction);
}

/* Phases go on with the handler that asked. */
static void body_is_read(ngx_http_request_t *r)
{
	struct gate_context *context = gate_context_find(r);

	context->request_state = GATE_REQUEST_READ;
	r->preserve_body = 1;
	r->write_event_handler = ngx_http_core_run_phases;
	ngx_http_core_run_phases(r);
}

ngx_int_t gate_body_read(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	r->request_body_in_single_buf = 1;
	if (body_is_stored(r)) {
		/* As WebDAV would ask for it, had it been the first to read. */
		r->request_body_in_file_only = 1;
		r->request_body_in_persistent_file = 1;
		r->request_body_in_clean_file = 1;
		r->request_body_file_group_access = 1;
		r->request_body_file_log_level = 0;
	}
	ngx_int_t rc = ngx_http_read_client_request_body(r, body_is_read);
	if (rc >= NGX_HTTP_SPECIAL_RESPONSE)
		return rc;
	ngx_http_finalize_request(r, NGX_DONE);
	return NGX_DONE;
}

/* How much the transaction wants to see: one byte past the limit tells that it was passed. */
static size_t wanted_of(const struct gate_context *context, off_t size)
{
	uint64_t limit = context->location->ruleset->info.request_body_limit;

	return (uint64_t)size > limit && limit < SIZE_MAX ? (size_t)limit + 1 : (size_t)size;
}

static bool map_feed(struct gate_context *context, ngx_file_t *file, off_t size)
{
	size_t len = wanted_of(context, size);
	void *mapped = mmap(NULL, len, PROT_READ, MAP_PRIVATE, file->fd, 0);

	if (mapped == MAP_FAILED)
		return false;
	context->mapped = mapped;
	context->mapped_len = len;
	(void)guia_request_body(context->transaction, (struct guia_slice){mapped, len}, true);
	return true;
}

static void file_feed(struct gate_context *context, ngx_file_t *file, off_t from, off_t to)
{
	u_char *piece = ngx_palloc(context->request->pool, PIECE_BYTES);

	while (piece != NULL && from < to) {
		ssize_t n = ngx_read_file(file, piece, (size_t)ngx_min(to - from, PIECE_BYTES), from);
		if (n <= 0 ||
		    guia_request_body(context->transaction, (struct guia_slice){piece, (size_t)n}, false) != 0)
			break;
		from += n;
	}
	if (piece != NULL)
		ngx_pfree(context->request->pool, piece);
}

static void chain_feed(struct gate_context *context, const ngx_chain_t *chain)
{
	for (; chain != NULL; chain = chain->next) {
		ngx_buf_t *b = chain->buf;
		if (ngx_buf_in_memory(b)) {
			struct guia_slice bytes = {b->pos, (size_t)(b->last - b->pos)};
			if (bytes.len > 0 && guia_request_body(context->transaction, bytes, false) != 0)
				return;
		} else if (b->in_file) {
			file_feed(context, b->file, b->file_pos, b->file_last);
		}
	}
}

void gate_body_feed(struct gate_context *context)
{
	ngx_http_request_body_t *body = context->request->request_body;
	ngx_chain_t *chain = body == NULL ? NULL : body->bufs;

	if (chain == NULL)
		return;
	ngx_buf_t *b = chain->buf;
	if (chain->next == NULL && ngx_buf_in_memory(b)) {
		if (b->last > b->pos)
			(void)guia_request_body(context->transaction,
						(struct guia_slice){b->pos, (size_t)(b->last - b->pos)}, true);
		return;
	}
	if (chain->next == NULL && b->in_file && b->file_pos == 0 && b->file_last > 0 &&
	    !body_is_stored(context->request) && map_feed(context, b->file, b->file_last))
		return;
	chain_feed(context, chain);
}
