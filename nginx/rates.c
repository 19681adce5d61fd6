/*
 * A request is charged twice: a little in the preaccess phase, and when it is logged the rest of what its origin took.
 * Between the two only limit and site are kept: the key is hashed anew.
 */
#include "rates.h"

#include "bans.h"
#include "clock.h"
#include "context.h"
#include "origin.h"
#include "source.h"

/*
 * A request is charged a little when it comes, for what it costs besides, so that requests that never ask the origin
 * are not free, and many at once are not all admitted before the first has ended.
 */
enum {
	ARRIVAL_US = 1000,
	BURST_S = 10, /* where nothing else is said */
	BURST_MOST_S = 3600,
	US_A_MS = 1000,
	SLAB_PART = 16, /* the slab's own part of a zone is less than one in so many */
};

struct gate_limits {
	struct rate_table table;
	void *memory; /* in the zone */
	size_t bytes;
};

static ngx_str_t zone_name = ngx_string("guia_limits");

static uint64_t now_us(void)
{
	return gate_now_ns() / 1000;
}

/* Sites are apart: what one of them bears says nothing of another. */
static struct rate_key key_of(ngx_http_request_t *r, const struct gate_limits *limits, const ngx_str_t *site)
{
	struct address source = gate_address(r->connection->sockaddr);
	return rate_key_make(&limits->table, &source,
			     hash_quick(&limits->table.key, slice_make(site->data, site->len)));
}

ngx_int_t gate_limit_foresee(ngx_http_request_t *r)
{
	const struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	const struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (r == r->main)
		(void)key_of(r, main->limits, &location->site);
	return NGX_DECLINED;
}

ngx_int_t gate_limit_handler(ngx_http_request_t *r)
{
	const struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	const struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);
	struct gate_context *context;

	if (r != r->main || location->limit == NULL || !gate_source_bounded(r->connection->sockaddr) ||
	    (context = gate_context_get(r)) == NULL || context->limit != NULL)
		return NGX_DECLINED;
	struct rate_key key = key_of(r, main->limits, &location->site);
	context->limit = location->limit;
	context->limit_site = &location->site;
	if (rate_table_admit(&key, &location->limit->rates, ARRIVAL_US, now_us()) == RATE_ADMITTED)
		return NGX_DECLINED;
	context->limited = 1;
	r->keepalive = 0;
	ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "guia_limit: refused");
	return (ngx_int_t)location->limit->status;
}

struct gate_owed gate_limit_owed(ngx_http_request_t *r)
{
	const struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	const struct gate_context *context = gate_context_find(r);

	if (context == NULL || context->limit == NULL)
		return (struct gate_owed){.rates = NULL};
	return (struct gate_owed){.key = key_of(r, main->limits, context->limit_site), .rates = &context->limit->rates};
}

void gate_limit_charge(const struct gate_owed *owed, uint64_t cost_us)
{
	if (owed->rates != NULL)
		rate_table_charge(&owed->key, owed->rates, cost_us, now_us());
}

/* What was charged at arrival is part of it. */
ngx_int_t gate_limit_log_handler(ngx_http_request_t *r)
{
	uint32_t us;

	if (!gate_origin_time(r, &us) || us <= ARRIVAL_US)
		return NGX_OK;
	struct gate_owed owed = gate_limit_owed(r);
	gate_limit_charge(&owed, us - ARRIVAL_US);
	return NGX_OK;
}

static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_limits *limits = zone->data, *before = data;
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;

	/* A zone of another size is another zone, and old workers keep theirs. */
	limits->memory = before != NULL ? before->memory : ngx_slab_calloc(slab, limits->bytes);
	if (limits->memory != NULL && rate_table_attach(&limits->table, limits->memory, limits->bytes) >= 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "guia_limits: \"%V\" is too small", &zone->shm.name);
	return NGX_ERROR;
}

struct gate_limits *gate_limits_add(ngx_conf_t *cf, size_t bytes)
{
	struct gate_limits *limits = ngx_pcalloc(cf->pool, sizeof(*limits));
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &zone_name, bytes, &ngx_http_guia_module);

	if (limits == NULL || zone == NULL)
		return NULL;
	limits->bytes = (bytes - bytes / SLAB_PART) / ngx_pagesize * ngx_pagesize;
	zone->init = zone_init;
	zone->data = limits;
	return limits;
}

struct words {
	ngx_msec_t level[RATE_LEVELS];
	ngx_msec_t burst_s;
	ngx_int_t status;
};

/* "source=500ms": origin time a second. */
static bool word_parse(ngx_str_t word, struct words *words)
{
	static const ngx_str_t burst = ngx_string("burst="), status = ngx_string("status=");
	ngx_str_t rest;

	for (size_t i = 0; i < RATE_LEVELS; i++) {
		if (word.len <= gate_level_words[i].len ||
		    ngx_strncmp(word.data, gate_level_words[i].data, gate_level_words[i].len) != 0)
			continue;
		rest = (ngx_str_t){word.len - gate_level_words[i].len, word.data + gate_level_words[i].len};
		ngx_int_t ms = ngx_parse_time(&rest, 0);
		words->level[i] = (ngx_msec_t)ms;
		return ms > 0;
	}
	if (word.len > burst.len && ngx_strncmp(word.data, burst.data, burst.len) == 0) {
		rest = (ngx_str_t){word.len - burst.len, word.data + burst.len};
		ngx_int_t seconds = ngx_parse_time(&rest, 1);
		words->burst_s = (ngx_msec_t)seconds;
		return seconds > 0 && seconds <= BURST_MOST_S;
	}
	if (word.len <= status.len || ngx_strncmp(word.data, status.data, status.len) != 0)
		return false;
	words->status = ngx_atoi(word.data + status.len, word.len - status.len);
	return words->status >= NGX_HTTP_BAD_REQUEST && words->status < 600;
}

struct gate_limit *gate_limit_parse(ngx_conf_t *cf, ngx_str_t *arguments, ngx_uint_t count)
{
	struct words words = {.burst_s = BURST_S, .status = NGX_HTTP_TOO_MANY_REQUESTS};
	struct gate_limit *limit = ngx_pcalloc(cf->pool, sizeof(*limit));

	for (ngx_uint_t i = 0; i < count; i++) {
		if (word_parse(arguments[i], &words))
			continue;
		ngx_conf_log_error(
			NGX_LOG_EMERG, cf, 0,
			"\"%V\" is none of source=TIME, network=TIME, region=TIME (of the origin, a second), "
			"burst=TIME (3600s at most), status=CODE (400 to 599)",
			&arguments[i]);
		return NULL;
	}
	if (limit == NULL)
		return NULL;
	limit->status = (ngx_uint_t)words.status;
	for (size_t i = 0; i < RATE_LEVELS; i++)
		limit->rates.level[i] =
			rate_limit_make(words.level[i] * US_A_MS, words.level[i] * US_A_MS * words.burst_s);
	return limit;
}
