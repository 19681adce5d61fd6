/* From nginx's upstream states, one for each server that was tried, in the milliseconds that nginx counts. */
#include "origin.h"

bool gate_origin_time(const ngx_http_request_t *r, uint32_t *ret_us)
{
	bool asked = false;
	uint64_t sum_ms = 0;

	if (r->upstream_states == NULL)
		return false;
	const ngx_http_upstream_state_t *states = r->upstream_states->elts;
	for (ngx_uint_t i = 0; i < r->upstream_states->nelts; i++) {
		if (states[i].peer == NULL)
			continue;
		asked = true;
		if (states[i].response_time != (ngx_msec_t)-1)
			sum_ms += states[i].response_time;
	}
	*ret_us = (uint32_t)ngx_min(sum_ms * 1000, UINT32_MAX);
	return asked;
}

bool gate_answer_is_copy(const ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)
	if (r->upstream == NULL)
		return false;
	switch (r->upstream->cache_status) {
	case NGX_HTTP_CACHE_HIT:
	case NGX_HTTP_CACHE_STALE:
	case NGX_HTTP_CACHE_UPDATING:
	case NGX_HTTP_CACHE_REVALIDATED:
		return true;
	default:
		return false;
	}
#else
	return false;
#endif
}
