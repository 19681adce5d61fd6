/*
 * A state in the context says what both filters do. Of pages that are held, one that comes whole in one buffer is
 * judged where it lies; others are copied together in the request's pool. What a cache may keep meanwhile is store.c's,
 * background updates are judge.c's.
 */
#include "response.h"

#include "answer.h"
#include "context.h"
#include "headers.h"
#include "judge.h"
#include "replace.h"
#include "store.h"

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

enum {
	HELD_FIRST_BYTES = 16 * 1024,
	TELL_SECONDS = 60, /* from one warning to the next */
};

static bool response_has_no_body(ngx_http_request_t *r)
{
	return r->header_only || r->method == NGX_HTTP_HEAD || r->headers_out.status == NGX_HTTP_NO_CONTENT ||
	       r->headers_out.status == NGX_HTTP_NOT_MODIFIED || r->headers_out.status == NGX_HTTP_SWITCHING_PROTOCOLS;
}

static bool could_block(const struct gate_context *context)
{
	const struct guia_rules_info *info = &context->location->ruleset->info;

	return info->response_can_block && !info->detection_only;
}

static ngx_int_t headers_hold(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	/* A part of a page cannot be judged as the page. */
	if (r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT)
		return gate_response_replace_status(context, NGX_HTTP_RANGE_NOT_SATISFIABLE);
	context->response_state = GATE_RESPONSE_HELD;
	gate_store_hold(context, r);
	return NGX_OK;
}

/* Rules cannot read it, and whoever asks for compression would get past them. */
static void encoding_check(ngx_http_request_t *r)
{
	static time_t told;
	const ngx_table_elt_t *encoding = r->headers_out.content_encoding;

	if (encoding == NULL || encoding->value.len == 0 || ngx_time() - told < TELL_SECONDS)
		return;
	told = ngx_time();
	ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
		      "guia: a response is compressed by the origin (%V) and cannot be read: ask for none with "
		      "proxy_set_header Accept-Encoding \"\"",
		      &encoding->value);
}

static ngx_int_t response_begin(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;
	ngx_uint_t status = r->err_status != 0 ? r->err_status : r->headers_out.status;
	static const ngx_str_t plain = ngx_string("HTTP/1.1"), second = ngx_string("HTTP/2.0");
	ngx_str_t protocol = r->http_version == NGX_HTTP_VERSION_20 ? second : plain;
	bool request_is_bad = context->verdict.would_block;

	context->response_state = GATE_RESPONSE_PASSED;
	(void)gate_response_headers_give(r, context->transaction);
	context->verdict = guia_response_headers_done(context->transaction, (uint16_t)status, gate_slice(protocol));
	if (context->verdict.action != GUIA_PASS) {
		gate_answer_keep(context, (struct guia_slice){NULL, 0});
		return gate_response_replace(context, &context->verdict);
	}
	if (context->verdict.would_block && !request_is_bad)
		gate_answer_keep(context, (struct guia_slice){NULL, 0});
	if (!guia_response_body_wanted(context->transaction))
		return next_header_filter(r);
	if (response_has_no_body(r)) {
		/* nginx may have asked the origin for the page, to keep it: nobody will see its body here. */
		if (could_block(context))
			gate_store_refuse(r);
		return next_header_filter(r);
	}

	encoding_check(r);
	r->main_filter_need_in_memory = 1;
	r->allow_ranges = 0;
	ngx_http_clear_accept_ranges(r);
	if (could_block(context))
		return headers_hold(context);
	context->response_state = GATE_RESPONSE_WATCHED;
	return next_header_filter(r);
}

/* What a subrequest fetches may be a part of a page that waits, or a new copy for a cache. */
static void subrequest_begin(struct gate_context *context, ngx_http_request_t *r)
{
	if (context->blocked)
		gate_store_refuse(r);
	else if (r->background && could_block(context))
		gate_store_judge(context, r);
	else if (!r->header_only && context->response_state == GATE_RESPONSE_HELD)
		gate_store_hold(context, r);
}

static ngx_int_t header_filter(ngx_http_request_t *r)
{
	struct gate_context *context = gate_context_find(r);

	if (context == NULL || context->transaction == NULL)
		return next_header_filter(r);
	gate_store_check_room(context, r);
	if (r != r->main)
		subrequest_begin(context, r);
	if (r != r->main || context->blocked)
		return next_header_filter(r);
	if (context->response_state == GATE_RESPONSE_NEW)
		return response_begin(context);
	/* Another module gave up on the response and nginx answers in its place: what was kept is void. */
	if (context->response_state == GATE_RESPONSE_HELD)
		gate_stores_forget(context);
	context->response_state = GATE_RESPONSE_PASSED;
	return next_header_filter(r);
}

static ngx_int_t held_reserve(struct gate_context *context, size_t len)
{
	ngx_http_request_t *r = context->request;
	size_t capacity = context->held_capacity, announced = 0;
	u_char *held;

	if (len <= capacity)
		return NGX_OK;
	if (r->headers_out.content_length_n > 0)
		announced = (size_t)ngx_min((uint64_t)r->headers_out.content_length_n,
					    context->location->ruleset->info.response_body_limit + 1);
	capacity = ngx_max(ngx_max(len, announced), ngx_max(capacity * 2, HELD_FIRST_BYTES));
	held = ngx_palloc(r->pool, capacity);
	if (held == NULL)
		return NGX_ERROR;
	if (context->held_len > 0)
		ngx_memcpy(held, context->held, context->held_len);
	if (context->held != NULL)
		(void)ngx_pfree(r->pool, context->held);
	context->held = held;
	context->held_capacity = capacity;
	return NGX_OK;
}

/* Takes a buffer's bytes, all of them: whoever owns the buffer may use it again. */
static ngx_int_t held_take(struct gate_context *context, ngx_buf_t *b)
{
	size_t len;

	if (ngx_buf_special(b))
		return NGX_OK;
	len = (size_t)(b->last - b->pos);
	if (held_reserve(context, context->held_len + len) != NGX_OK)
		return NGX_ERROR;
	ngx_memcpy(context->held + context->held_len, b->pos, len);
	context->held_len += len;
	b->pos = b->last;
	if (b->in_file)
		b->file_pos = b->file_last;
	return NGX_OK;
}

/* The origin went away in the middle: what nginx would send is a page cut short. */
static bool origin_failed(const ngx_http_request_t *r, bool flush)
{
	return flush && r->upstream != NULL && r->upstream->header_sent && r->upstream->peer.connection == NULL;
}

static bool held_is_enough(const struct gate_context *context, bool last)
{
	off_t announced = context->request->headers_out.content_length_n;

	return last || (announced >= 0 && context->held_len >= (uint64_t)announced) ||
	       context->held_len > context->location->ruleset->info.response_body_limit;
}

/* Whether phase 4 lets the page pass. */
static bool page_passes(struct gate_context *context, const u_char *bytes, size_t len)
{
	if (len > 0)
		(void)guia_response_body(context->transaction, (struct guia_slice){bytes, len}, true);
	context->verdict = guia_response_body_done(context->transaction);
	if (context->verdict.action != GUIA_PASS) {
		gate_answer_keep(context, (struct guia_slice){bytes, len});
		return false;
	}
	gate_stores_keep(context);
	return true;
}

/* The headers that waited, and what there is of the page. */
static ngx_int_t page_send(struct gate_context *context, ngx_chain_t *page)
{
	ngx_int_t rc = next_header_filter(context->request);

	context->response_state = GATE_RESPONSE_PASSED;
	if (rc == NGX_ERROR || rc > NGX_OK || context->request->header_only)
		return rc;
	return next_body_filter(context->request, page);
}

/* The bytes kept, and the end if it has come. */
static ngx_int_t held_send(struct gate_context *context, bool last)
{
	ngx_buf_t *b = ngx_calloc_buf(context->request->pool);

	if (b == NULL)
		return NGX_ERROR;
	b->pos = b->start = context->held;
	b->last = b->end = context->held == NULL ? NULL : context->held + context->held_len;
	b->memory = context->held_len > 0;
	b->last_buf = last;
	b->last_in_chain = 1;
	b->flush = !last;
	return page_send(context, &(ngx_chain_t){b, NULL});
}

static ngx_int_t body_void(ngx_chain_t *in)
{
	for (; in != NULL; in = in->next) {
		in->buf->pos = in->buf->last;
		if (in->buf->in_file)
			in->buf->file_pos = in->buf->file_last;
	}
	return NGX_OK;
}

/* The page, if it has come all at once and in one piece: most do. */
static ngx_buf_t *whole_page(const struct gate_context *context, const ngx_chain_t *in)
{
	ngx_buf_t *page = NULL;

	for (; in != NULL && context->held_len == 0; in = in->next) {
		if (!ngx_buf_special(in->buf)) {
			if (page != NULL || !ngx_buf_in_memory(in->buf))
				return NULL;
			page = in->buf;
		}
		if (in->buf->last_buf)
			return page;
	}
	return NULL;
}

/* What was inspected is what is sent: not a file's bytes, which might be others by then. */
static ngx_int_t page_judge(struct gate_context *context, ngx_buf_t *page, ngx_chain_t *in)
{
	page->in_file = 0;
	if (page_passes(context, page->pos, (size_t)(page->last - page->pos)))
		return page_send(context, in);
	(void)body_void(in);
	return gate_response_replace(context, &context->verdict);
}

static ngx_int_t body_hold(struct gate_context *context, ngx_chain_t *in)
{
	ngx_buf_t *page = whole_page(context, in);
	bool last = false, flush = false;

	if (page != NULL)
		return page_judge(context, page, in);
	for (; in != NULL; in = in->next) {
		if (held_take(context, in->buf) != NGX_OK)
			return context->location->on_response == GUIA_FAILURE_BLOCK
				       ? gate_response_replace_status(context, NGX_HTTP_INTERNAL_SERVER_ERROR)
				       : NGX_ERROR;
		last = last || in->buf->last_buf;
		flush = flush || in->buf->flush;
	}
	if (!held_is_enough(context, last))
		return origin_failed(context->request, flush)
			       ? gate_response_replace_status(context, NGX_HTTP_BAD_GATEWAY)
			       : NGX_OK;
	if (!page_passes(context, context->held, context->held_len))
		return gate_response_replace(context, &context->verdict);
	return held_send(context, last);
}

/* Rules only detect; of a request that was found bad already the score of its answer tells. */
static bool answer_is_bad(const struct gate_context *context, bool request_is_bad)
{
	struct guia_summary summary;

	if (!context->verdict.would_block || !request_is_bad)
		return context->verdict.would_block;
	guia_transaction_summary(context->transaction, &summary);
	return summary.outbound_threshold > 0 && summary.outbound_score >= summary.outbound_threshold;
}

static void body_watch(struct gate_context *context, const ngx_chain_t *in)
{
	bool last = false, request_is_bad;

	for (; in != NULL; in = in->next) {
		const ngx_buf_t *b = in->buf;
		if (!ngx_buf_special(b) && ngx_buf_in_memory(b) && b->last > b->pos)
			(void)guia_response_body(context->transaction,
						 (struct guia_slice){b->pos, (size_t)(b->last - b->pos)}, false);
		last = last || b->last_buf;
	}
	if (!last)
		return;
	context->response_state = GATE_RESPONSE_PASSED;
	request_is_bad = context->verdict.would_block && context->answer == NULL;
	context->verdict = guia_response_body_done(context->transaction);
	if (answer_is_bad(context, request_is_bad))
		gate_answer_keep(context, guia_transaction_response_body(context->transaction));
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
	struct gate_context *context;

	if (r != r->main || (context = gate_context_find(r)) == NULL)
		return next_body_filter(r, in);
	if (context->response_state == GATE_RESPONSE_VOID)
		return body_void(in);
	if (in == NULL)
		return next_body_filter(r, in);
	if (context->response_state == GATE_RESPONSE_HELD)
		return body_hold(context, in);
	if (context->response_state == GATE_RESPONSE_WATCHED)
		body_watch(context, in);
	return next_body_filter(r, in);
}

void gate_filters_install(void)
{
	next_header_filter = ngx_http_top_header_filter;
	ngx_http_top_header_filter = header_filter;
	next_body_filter = ngx_http_top_body_filter;
	ngx_http_top_body_filter = body_filter;
}
