/*
 * A state in the context says how far it is. nginx runs the preaccess handler again when the body is read, which then
 * goes on from that state.
 */
#include "request.h"

#include "body.h"
#include "context.h"
#include "events.h"
#include "transaction.h"
#include "verdict.h"

/* Notes the first location found. Subrequests are not inspected on their own. */
ngx_int_t gate_rewrite_handler(ngx_http_request_t *r)
{
	struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (r != r->main)
		return NGX_DECLINED;
	struct gate_context *context = gate_context_get(r);
	if (context == NULL)
		return NGX_HTTP_INTERNAL_SERVER_ERROR;
	if (context->location == NULL)
		context->location = location;
	return NGX_DECLINED;
}

/* NGX_DECLINED: go on. */
static ngx_int_t verdict_follow(struct gate_context *context, struct guia_verdict verdict)
{
	context->verdict = verdict;
	if (verdict.action == GUIA_PASS)
		return NGX_DECLINED;
	context->blocked = 1;
	context->request_state = GATE_REQUEST_DONE;
	return gate_verdict_status(context->request, &verdict);
}

static ngx_int_t request_finish(struct gate_context *context)
{
	struct guia_verdict verdict = guia_request_body_done(context->transaction);

	context->request_state = GATE_REQUEST_DONE;
	if (verdict.action == GUIA_PASS && !verdict.would_block)
		gate_body_forget(context);
	return verdict_follow(context, verdict);
}

static ngx_int_t request_begin(struct gate_context *context)
{
	if (gate_transaction_begin(context) != NGX_OK) {
		context->request_state = GATE_REQUEST_DONE;
		return context->location->on_request == GUIA_FAILURE_BLOCK ? NGX_HTTP_INTERNAL_SERVER_ERROR
									   : NGX_DECLINED;
	}
	gate_events_head(context);
	ngx_int_t status = verdict_follow(context, guia_request_headers_done(context->transaction));
	if (status != NGX_DECLINED)
		return status;
	if (!gate_body_wanted(context))
		return request_finish(context);
	context->request_state = GATE_READING;
	status = gate_body_read(context);
	/* What nginx refuses while reading (too long, malformed) is answered as it says; phase 2 has nothing to see. */
	if (status != NGX_DONE)
		context->request_state = GATE_REQUEST_DONE;
	return status;
}

/*
 * Runs once a request, also when a redirect brings it here first. Found READING, the request is being redirected after
 * a failure to read its body.
 */
ngx_int_t gate_preaccess_handler(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (r != r->main || (context = gate_context_find(r)) == NULL || context->location == NULL ||
	    !context->location->enabled || context->location->ruleset->info.engine_off)
		return NGX_DECLINED;
	switch (context->request_state) {
	case GATE_NEW:
		return request_begin(context);
	case GATE_REQUEST_READ:
		gate_body_feed(context);
		return request_finish(context);
	case GATE_READING:
	case GATE_REQUEST_DONE:
		break;
	}
	return NGX_DECLINED;
}
