/*
 * A request's way to its transaction: the location is noted in the rewrite phase, phases 1 and 2 run at the end of
 * preaccess. The context hangs on the request's pool as well as on nginx's table, which internal redirects clear.
 */
#include "gate.h"

#include <sys/random.h>
#include <time.h>

static void context_cleanup(void *data)
{
	struct gate_context *context = data;

	if (context->replacement.posted) {
		ngx_delete_posted_event(&context->replacement);
	}
	if (context->replacement.timer_set)
		ngx_del_timer(&context->replacement);
	gate_stores_end(context);
	gate_passage_leave(&context->passage);
	if (context->transaction != NULL) {
		guia_transaction_end(context->transaction);
		context->transaction = NULL;
		context->location->profile->live--;
	}
}

struct gate_context *gate_context_find(ngx_http_request_t *r)
{
	ngx_http_request_t *main = r->main;
	struct gate_context *context = ngx_http_get_module_ctx(main, ngx_http_guia_module);

	if (context != NULL || !(main->internal || main->filter_finalize))
		return context;
	for (ngx_pool_cleanup_t *cleanup = main->pool->cleanup; cleanup != NULL; cleanup = cleanup->next) {
		if (cleanup->handler == context_cleanup) {
			ngx_http_set_ctx(main, cleanup->data, ngx_http_guia_module);
			return cleanup->data;
		}
	}
	return NULL;
}

/* 128 bits, in hexadecimal: a counter mixed with a seed of this process (SplitMix64's finaliser). */
static void id_make(u_char *id)
{
	static uint64_t seed[2], counter;
	static pid_t owner;

	if (owner != ngx_pid) {
		owner = ngx_pid;
		if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
			seed[0] = (uint64_t)ngx_pid << 32 ^ (uint64_t)ngx_current_msec;
	}
	counter++;
	for (size_t half = 0; half < 2; half++) {
		uint64_t z = seed[half] + counter * UINT64_C(0x9e3779b97f4a7c15);
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		z ^= z >> 31;
		id = ngx_hex_dump(id, (u_char *)&z, sizeof(z));
	}
}

struct gate_context *gate_context_get(ngx_http_request_t *r)
{
	struct gate_context *context = gate_context_find(r);

	if (context != NULL)
		return context;
	ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->main->pool, sizeof(*context));
	if (cleanup == NULL)
		return NULL;
	context = cleanup->data;
	ngx_memzero(context, sizeof(*context));
	context->request = r->main;
	id_make(context->id);
	cleanup->handler = context_cleanup;
	ngx_http_set_ctx(r->main, context, ngx_http_guia_module);
	return context;
}

static int headers_give(const ngx_http_request_t *request, struct guia_transaction *transaction)
{
	const ngx_list_part_t *part = &request->headers_in.headers.part;
	int r = 0;

	for (; part != NULL && r == 0; part = part->next) {
		const ngx_table_elt_t *header = part->elts;
		for (ngx_uint_t i = 0; i < part->nelts && r == 0; i++)
			r = guia_request_header(transaction, gate_slice(header[i].key), gate_slice(header[i].value));
	}
	return r;
}

/* Without memory for them the engine knows, and its verdict follows guia_on_failure. */
static void request_give(const ngx_http_request_t *r, struct guia_transaction *transaction)
{
	static const ngx_str_t oldest = ngx_string("HTTP/0.9");
	ngx_str_t protocol = r->http_protocol.len > 0 ? r->http_protocol : oldest;

	if (guia_request_line(transaction, gate_slice(r->method_name), gate_slice(r->unparsed_uri),
			      gate_slice(protocol)) == 0)
		(void)headers_give(r, transaction);
}

static struct guia_connection connection_of(const struct gate_context *context, u_char *address, size_t room)
{
	ngx_http_request_t *r = context->request;
	ngx_connection_t *c = r->connection;
	ngx_str_t local = {room, address};

	if (ngx_connection_local_sockaddr(c, &local, 0) != NGX_OK)
		local.len = 0;
	return (struct guia_connection){
		.client_address = gate_slice(c->addr_text),
		.client_port = ngx_inet_get_port(c->sockaddr),
		.server_address = gate_slice(local),
		.server_port = c->local_sockaddr == NULL ? 0 : ngx_inet_get_port(c->local_sockaddr),
		.server_name = gate_slice(r->headers_in.server),
		.site = gate_slice(context->location->site),
	};
}

static int transaction_make(struct gate_context *context, struct guia_worker *worker,
			    struct guia_transaction **ret_transaction)
{
	u_char address[NGX_SOCKADDR_STRLEN];
	struct guia_connection connection = connection_of(context, address, sizeof(address));
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int r = guia_transaction_begin(worker, context->location->ruleset->rules, &connection,
				       (struct guia_slice){context->id, sizeof(context->id)},
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

static ngx_int_t redirect(ngx_http_request_t *r, struct guia_slice to)
{
	ngx_table_elt_t *location;
	u_char *value = ngx_pnalloc(r->pool, to.len);

	ngx_http_clear_location(r);
	location = ngx_list_push(&r->headers_out.headers);
	if (location == NULL || value == NULL)
		return NGX_ERROR;
	ngx_memcpy(value, to.ptr, to.len);
	location->hash = 1;
	ngx_str_set(&location->key, "Location");
	location->value = (ngx_str_t){to.len, value};
	r->headers_out.location = location;
	return NGX_OK;
}

ngx_int_t gate_verdict_status(ngx_http_request_t *r, const struct guia_verdict *verdict)
{
	switch (verdict->action) {
	case GUIA_PASS:
		return NGX_OK;
	case GUIA_DROP:
		return NGX_HTTP_CLOSE;
	case GUIA_REDIRECT:
		if (redirect(r, verdict->redirect_to) != NGX_OK)
			return NGX_HTTP_INTERNAL_SERVER_ERROR;
		return verdict->status >= 301 && verdict->status <= 308 ? verdict->status : NGX_HTTP_MOVED_TEMPORARILY;
	case GUIA_DENY:
		break;
	}
	/* nginx has no page for an answer that means success. */
	return verdict->status >= NGX_HTTP_SPECIAL_RESPONSE && verdict->status < 600 ? verdict->status
										     : NGX_HTTP_FORBIDDEN;
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
