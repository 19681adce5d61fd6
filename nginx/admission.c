/*
 * The hooks: each upstream's peer.init, a header filter that gives slots back, a log handler that learns who was
 * answered well. What waits is admission_peer.c's, what workers share admission_zone.c's, one slot slot.c's.
 */
#include "admission.h"

#include "admission_peer.h"
#include "bans.h"
#include "context.h"
#include "modes.h"
#include "source.h"

#include <stdatomic.h>

static ngx_http_output_header_filter_pt next_header_filter;

/* The origin has answered: what it still sends takes no slot, a stream of events may last for hours. */
static ngx_int_t header_filter(ngx_http_request_t *r)
{
	gate_peer_answered(r);
	if (gate_mode_mark(r) != NGX_OK)
		return NGX_ERROR;
	return next_header_filter(r);
}

static void source_learn(struct seen_sources *seen, ngx_http_request_t *r, uint64_t now_ms)
{
	struct address source = gate_address(r->connection->sockaddr);

	/* Behind a proxy that names nobody there may be anybody. */
	if (gate_source_bounded(r->connection->sockaddr))
		seen_sources_add(seen, seen_sources_key(seen, &source), now_ms);
}

/* A source is learned when it was answered well while nothing had to wait. */
static ngx_int_t log_handler(ngx_http_request_t *r)
{
	struct gate_admission *admission = gate_admission_of(r);
	struct gate_context *context = gate_context_find(r);
	ngx_uint_t status = r->err_status != 0 ? r->err_status : r->headers_out.status;
	uint64_t now_us = gate_admission_clock_us();

	if (status >= NGX_HTTP_OK && status < NGX_HTTP_BAD_REQUEST &&
	    now_us > atomic_load_explicit(&admission->shared->calm_from_us, memory_order_relaxed) &&
	    (context == NULL || (!context->blocked && !context->verdict.would_block)))
		source_learn(admission->shared->seen, r, now_us / 1000);
	return NGX_OK;
}

ngx_int_t gate_admission_install(ngx_conf_t *cf, struct gate_admission *admission, ngx_msec_t wait_ms)
{
	ngx_http_upstream_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
	ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
	ngx_http_upstream_srv_conf_t **upstreams = main->upstreams.elts;
	ngx_http_handler_pt *handler = ngx_array_push(&core->phases[NGX_HTTP_LOG_PHASE].handlers);

	if (handler == NULL)
		return NGX_ERROR;
	*handler = log_handler;
	admission->wait_ms = wait_ms;
	for (ngx_uint_t i = 0; i < main->upstreams.nelts; i++) {
		if (upstreams[i]->peer.init != NULL &&
		    gate_admission_origin_add(admission, upstreams[i], gate_peer_init) != NGX_OK)
			return NGX_ERROR;
	}
	next_header_filter = ngx_http_top_header_filter;
	ngx_http_top_header_filter = header_filter;
	return NGX_OK;
}

void gate_admission_process_start(struct gate_admission *admission, ngx_log_t *log)
{
	admission->pump.handler = gate_peer_pump;
	admission->pump.data = admission;
	admission->pump.log = log;
	gate_admission_join(admission, log);
}

void gate_admission_process_end(struct gate_admission *admission)
{
	gate_admission_part(admission);
}
