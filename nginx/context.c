/*
 * A cleanup of the main request's pool is the context's memory and its end. By that cleanup's handler it is found again
 * where nginx has cleared its table.
 */
#include "context.h"

#include "clock.h"
#include "flight.h"
#include "store.h"

#include <sys/random.h>

static void context_cleanup(void *data)
{
	struct gate_context *context = data;

	if (context->replacement.posted) {
		ngx_delete_posted_event(&context->replacement);
	}
	if (context->replacement.timer_set)
		ngx_del_timer(&context->replacement);
	gate_stores_end(context);
	if (context->passage.arrived && !context->passage.left)
		gate_passage_leave(&context->passage, gate_now_ns());
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
	cleanup->handler = context_cleanup;
	ngx_http_set_ctx(r->main, context, ngx_http_guia_module);
	return context;
}

const u_char *gate_context_id(struct gate_context *context)
{
	if (context->id[0] == '\0')
		id_make(context->id);
	return context->id;
}
