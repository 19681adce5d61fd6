/*
 * While nginx reads, phases stand still; its callback lets them go on with the handler that asked. Of a body in a file
 * the first piece stays in memory, for the request's finding, until somebody says that nobody will ask.
 */
#include "body.h"

#include "context.h"

enum { PIECE_BYTES = 64 * 1024 };

/* nginx's content phase may store the body (WebDAV); otherwise a handler of the location answers. */
static bool body_is_stored(ngx_http_request_t *r)
{
	ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

	return r->method == NGX_HTTP_PUT && core->handler == NULL;
}

/* Of HTTP/2 it may be here whole before anybody has asked for it, where limit_req had the request wait. */
static bool body_exists(ngx_http_request_t *r)
{
	if (r->request_body != NULL)
		return true; /* another module has read it */
#if (NGX_HTTP_V2)
	if (r->stream != NULL)
		return !r->stream->in_closed || r->stream->preread != NULL;
#endif
	return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}

/*
 * nginx has refused it, as too long, and an error page brought the request here. How long it is does not tell: nginx
 * asks for no limit where a request comes to a named location.
 */
static bool body_is_discarded(const ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
	if (r->stream != NULL)
		return r->stream->skip_data;
#endif
	return r->discard_body;
}

bool gate_body_wanted(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	return context->location->request_body && !body_is_discarded(r) && body_exists(r) &&
	       guia_request_body_wanted(context->transaction);
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

static void read_failed(struct gate_context *context, const ngx_file_t *file, ssize_t n)
{
	ngx_log_error(NGX_LOG_CRIT, context->request->connection->log, 0,
		      "guia could not read the request's body: \"%V\" %s", &file->name,
		      n == 0 ? "ends too soon" : "cannot be read");
	guia_request_body_lost(context->transaction);
}

/* The first piece of a body stays. NULL without memory. */
static u_char *piece_make(struct gate_context *context)
{
	u_char *piece = ngx_palloc(context->request->pool, PIECE_BYTES);

	if (piece == NULL)
		guia_request_body_lost(context->transaction);
	else if (context->body_piece == NULL)
		context->body_piece = piece;
	return piece;
}

/* False: nothing more is wanted, or to be had. */
static bool file_feed(struct gate_context *context, ngx_file_t *file, off_t from, off_t to)
{
	u_char *piece = NULL;
	bool goes_on = true;

	while (goes_on && from < to) {
		if ((piece == NULL || piece == context->body_piece) && (piece = piece_make(context)) == NULL)
			return false;
		ssize_t n = ngx_read_file(file, piece, (size_t)ngx_min(to - from, PIECE_BYTES), from);
		if (n <= 0) {
			read_failed(context, file, n);
			goes_on = false;
		} else {
			struct guia_slice bytes = {piece, (size_t)n};
			if (piece == context->body_piece)
				context->body_piece_len = bytes.len;
			goes_on = guia_request_body(context->transaction, bytes, false) == 0;
			from += n;
		}
	}
	if (piece != NULL && piece != context->body_piece)
		ngx_pfree(context->request->pool, piece);
	return goes_on;
}

void gate_body_forget(struct gate_context *context)
{
	if (context->body_piece != NULL)
		ngx_pfree(context->request->pool, context->body_piece);
	context->body_piece = NULL;
	context->body_piece_len = 0;
}

/* Where a buffer was sent on, it begins at its start all the same. */
size_t gate_body_copy(const struct gate_context *context, u_char *bytes, size_t room)
{
	const ngx_http_request_body_t *body = context->request->request_body;
	const ngx_chain_t *link = body == NULL ? NULL : body->bufs;
	size_t len = ngx_min(context->body_piece_len, room);

	if (len > 0)
		ngx_memcpy(bytes, context->body_piece, len);
	for (; context->body_piece == NULL && link != NULL && ngx_buf_in_memory(link->buf) && len < room;
	     link = link->next) {
		size_t some = ngx_min((size_t)(link->buf->last - link->buf->start), room - len);
		ngx_memcpy(bytes + len, link->buf->start, some);
		len += some;
	}
	return len;
}

static bool buffer_feed(struct gate_context *context, const ngx_buf_t *b)
{
	if (!ngx_buf_in_memory(b))
		return !b->in_file || file_feed(context, b->file, b->file_pos, b->file_last);
	struct guia_slice bytes = {b->pos, (size_t)(b->last - b->pos)};
	return bytes.len == 0 || guia_request_body(context->transaction, bytes, false) == 0;
}

static void chain_feed(struct gate_context *context, const ngx_chain_t *chain)
{
	uint64_t expected = 0;

	for (const ngx_chain_t *link = chain; link != NULL; link = link->next)
		expected += (uint64_t)ngx_buf_size(link->buf);
	if (guia_request_body_expect(context->transaction, expected) != 0)
		return;
	while (chain != NULL && buffer_feed(context, chain->buf))
		chain = chain->next;
}

void gate_body_feed(struct gate_context *context)
{
	ngx_http_request_body_t *body = context->request->request_body;
	ngx_chain_t *chain = body == NULL ? NULL : body->bufs;

	if (chain == NULL)
		return;
	ngx_buf_t *b = chain->buf;
	if (chain->next != NULL || !ngx_buf_in_memory(b))
		chain_feed(context, chain);
	else if (b->last > b->pos)
		(void)guia_request_body(context->transaction, (struct guia_slice){b->pos, (size_t)(b->last - b->pos)},
					true);
}
