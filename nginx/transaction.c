/*
 * Connection, id, time, request line and headers, as the engine wants them: the same for a request's transaction and
 * for a judge, which run on different workers.
 */
#include "transaction.h"

#include "context.h"
#include "headers.h"
#include "profile.h"

#include <time.h>

/* Without memory for them the engine knows, and its verdict follows guia_on_failure. */
static void request_give(const ngx_http_request_t *r, struct guia_transaction *transaction)
{
	static const ngx_str_t oldest = ngx_string("HTTP/0.9");
	ngx_str_t protocol = r->http_protocol.len > 0 ? r->http_protocol : oldest;

	if (guia_request_line(transaction, gate_slice(r->method_name), gate_slice(r->unparsed_uri),
			      gate_slice(protocol)) == 0)
		(void)gate_request_headers_give(r, transaction);
}

/* Our own address as a text, which is mostly that of the connection before. */
static ngx_str_t local_address(ngx_connection_t *c)
{
	static struct {
		ngx_sockaddr_t of;
		socklen_t of_len;
		size_t len;
		u_char text[NGX_SOCKADDR_STRLEN];
	} last;

	if (ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK || c->local_socklen > (socklen_t)sizeof(last.of))
		return (ngx_str_t)ngx_null_string;
	if (c->local_socklen != last.of_len || ngx_memcmp(c->local_sockaddr, &last.of, last.of_len) != 0) {
		ngx_memcpy(&last.of, c->local_sockaddr, c->local_socklen);
		last.of_len = c->local_socklen;
		last.len = ngx_sock_ntop(c->local_sockaddr, c->local_socklen, last.text, sizeof(last.text), 0);
	}
	return (ngx_str_t){last.len, last.text};
}

static struct guia_connection connection_of(const struct gate_context *context)
{
	ngx_http_request_t *r = context->request;
	ngx_connection_t *c = r->connection;

	return (struct guia_connection){
		.client_address = gate_slice(c->addr_text),
		.client_port = ngx_inet_get_port(c->sockaddr),
		.server_address = gate_slice(local_address(c)),
		.server_port = c->local_sockaddr == NULL ? 0 : ngx_inet_get_port(c->local_sockaddr),
		.server_name = gate_slice(r->headers_in.server),
		.site = gate_slice(context->location->site),
	};
}

static int transaction_make(struct gate_context *context, struct guia_worker *worker,
			    struct guia_transaction **ret_transaction)
{
	struct guia_connection connection = connection_of(context);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int r = guia_transaction_begin(worker, context->location->ruleset->rules, &connection,
				       (struct guia_slice){gate_context_id(context), sizeof(context->id)},
				       now.tv_sec * 1000000 + now.tv_nsec / 1000, ret_transaction);
	if (r != 0)
		return r;
	context->location->profile->live++;
	request_give(context->request, *ret_transaction);
	return 0;
}

ngx_int_t gate_transaction_begin(struct gate_context *context)
{
	struct gate_main *main = ngx_http_get_module_main_conf(context->request, ngx_http_guia_module);
	struct gate_profile *profile = context->location->profile;

	if (profile->worker == NULL && gate_profile_start(main, profile, context->request->connection->log) != NGX_OK)
		return NGX_ERROR;
	int r = transaction_make(context, profile->worker, &context->transaction);
	if (r == 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_ERR, context->request->connection->log, (ngx_err_t)-r,
		      "guia could not begin a transaction");
	return NGX_ERROR;
}

struct guia_transaction *gate_judge_begin(struct gate_context *context)
{
	struct gate_main *main = ngx_http_get_module_main_conf(context->request, ngx_http_guia_module);
	struct guia_worker *worker = gate_profile_judge(main, context->location->profile);
	struct guia_transaction *judge;

	return worker != NULL && transaction_make(context, worker, &judge) == 0 ? judge : NULL;
}
