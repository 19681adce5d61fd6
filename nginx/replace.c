/*
 * Mostly an event of ours ends the upstream, wipes what modules keep of the response, and finishes the request with the
 * status. From within the filter it is done as ngx_http_filter_finalize_request() does it.
 */
#include "replace.h"

#include "store.h"
#include "verdict.h"

enum { GATE_BUFFERED = 0x08 }; /* of a request's four bits: nginx's own filters use the others */

/* Everything that is set for the response that will not be sent. */
static void response_forget(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	ngx_http_clean_header(r);
	ngx_memzero(r->ctx, ngx_http_max_module * sizeof(void *));
	ngx_http_set_ctx(r, context, ngx_http_guia_module);
	/* Of a page with subrequests, whatever is still to come stays out, and the main request has the floor. */
	r->postponed = NULL;
	r->connection->data = r;
	context->response_state = GATE_RESPONSE_PASSED;
}

/* Outside of whoever was sending: ends it, and finishes the request as a handler that returns a status does. */
static void replacement_handler(ngx_event_t *event)
{
	struct gate_context *context = event->data;
	ngx_http_request_t *r = context->request;
	ngx_connection_t *c = r->connection;

	ngx_http_set_log_request(c->log, r);
	if (r->blocked) {
		/* A thread still reads a file for the response. */
		ngx_add_timer(event, 1);
		return;
	}
	r->buffered &= ~(unsigned)GATE_BUFFERED & 0xf;
	if (r->upstream != NULL && r->upstream->cleanup != NULL) {
		r->main->count++;
		(*r->upstream->cleanup)(r);
	}
	response_forget(context);
	ngx_http_finalize_request(r, gate_verdict_status(r, &context->replacement_verdict));
	ngx_http_run_posted_requests(c);
}

/* As ngx_http_filter_finalize_request() does it, but Location is set after the headers are cleaned. */
static ngx_int_t replace_within(struct gate_context *context)
{
	ngx_http_request_t *r = context->request;

	if (context->replacement_verdict.action == GUIA_DROP)
		return NGX_ERROR;
	response_forget(context);
	ngx_int_t status = gate_verdict_status(r, &context->replacement_verdict);
	r->filter_finalize = 1;
	ngx_int_t rc = ngx_http_special_response_handler(r, status);
	return rc == NGX_OK || rc == NGX_DONE ? NGX_ERROR : rc;
}

ngx_int_t gate_response_replace(struct gate_context *context, const struct guia_verdict *verdict)
{
	ngx_http_request_t *r = context->request;

	context->blocked = 1;
	context->replacement_verdict = *verdict;
	gate_stores_forget(context);
	if (r->main->count > 1 || (r->upstream != NULL && r->upstream->upgrade)) {
		context->response_state = GATE_RESPONSE_PASSED;
		return replace_within(context);
	}
	context->response_state = GATE_RESPONSE_VOID;
	context->replacement.handler = replacement_handler;
	context->replacement.data = context;
	context->replacement.log = r->connection->log;
	r->buffered |= GATE_BUFFERED;
	ngx_post_event(&context->replacement, &ngx_posted_events);
	return NGX_OK;
}

ngx_int_t gate_response_replace_status(struct gate_context *context, uint16_t status)
{
	return gate_response_replace(context, &(struct guia_verdict){.action = GUIA_DENY, .status = status});
}
