/* The module's directives, how levels merge, and where it hooks into nginx. */
#include "admission.h"
#include "collections.h"
#include "counts.h"
#include "events.h"
#include "log.h"
#include "process.h"
#include "profile.h"
#include "rates.h"
#include "refusal.h"
#include "request.h"
#include "response.h"
#include "rules.h"
#include "signatures.h"
#include "variables.h"

enum {
	COLLECTIONS_MIN_BYTES = 256 * 1024,
	ADMISSION_MIN_BYTES = 1024 * 1024,
	/* Where nothing else is said. */
	ADMISSION_WAIT_MS = 1000,
	BODY_RATE_BYTES = 500, /* a second */
	LOG_RATE_BYTES = 16 * 1024 * 1024,
};

static char *rules_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_location *location = conf;
	ngx_str_t *words = cf->args->elts;
	ngx_uint_t from = 1;

	(void)command;
	for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
		if (words[i].len == 0)
			return "has an empty argument";
		if (words[i].len != 4 || ngx_strncmp(words[i].data, "none", 4) != 0)
			continue;
		location->afresh = 1;
		if (location->after != NULL)
			location->after->nelts = 0;
		from = i + 1;
	}
	return gate_sources_add(cf, &location->after, words + from, cf->args->nelts - from) == NGX_OK ? NGX_CONF_OK
												      : NGX_CONF_ERROR;
}

static char *rules_before_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_location *location = conf;
	ngx_str_t *words = cf->args->elts;

	(void)command;
	return gate_sources_add(cf, &location->before, words + 1, cf->args->nelts - 1) == NGX_OK ? NGX_CONF_OK
												 : NGX_CONF_ERROR;
}

/* guia_on_failure REQUESTS [RESPONSES]: one word stands for both. */
static char *on_failure_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_location *location = conf;
	ngx_str_t *words = cf->args->elts;
	ngx_uint_t policies[2] = {0};

	(void)command;
	if (location->on_request != NGX_CONF_UNSET_UINT)
		return "is duplicate";
	for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
		if (ngx_strcmp(words[i].data, "block") == 0)
			policies[i - 1] = GUIA_FAILURE_BLOCK;
		else if (ngx_strcmp(words[i].data, "pass") == 0)
			policies[i - 1] = GUIA_FAILURE_PASS;
		else {
			ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is neither \"block\" nor \"pass\"", &words[i]);
			return NGX_CONF_ERROR;
		}
	}
	location->on_request = policies[0];
	location->on_response = cf->args->nelts > 2 ? policies[1] : policies[0];
	return NGX_CONF_OK;
}

/* A folder of the main configuration's, by its full name. */
static char *folder_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	ngx_str_t *folder = (ngx_str_t *)(void *)((u_char *)conf + command->offset);
	ngx_str_t *words = cf->args->elts;

	if (folder->data != NULL)
		return "is duplicate";
	if (words[1].len == 0)
		return "needs a folder";
	*folder = words[1];
	return ngx_conf_full_name(cf->cycle, folder, 0) == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}

/* The size of shared memory that a directive gives; 0 where it is wrong, which is said. */
static size_t zone_bytes(ngx_conf_t *cf, ssize_t least, const char *least_said)
{
	ngx_str_t *words = cf->args->elts;
	ssize_t bytes = ngx_parse_size(&words[1]);

	if (bytes != NGX_ERROR && bytes >= least)
		return (size_t)bytes;
	ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no size of %s or more", &words[1], least_said);
	return 0;
}

static char *collections_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_main *main = conf;

	(void)command;
	if (main->collections != NULL)
		return "is duplicate";
	size_t bytes = zone_bytes(cf, COLLECTIONS_MIN_BYTES, "256k");
	return bytes != 0 && gate_collections_add(cf, main, bytes) == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *trusted_proxies_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_main *main = conf;
	ngx_str_t *words = cf->args->elts;

	(void)command;
	if (main->trusted_proxies == NULL)
		main->trusted_proxies = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_cidr_t));
	for (ngx_uint_t i = 1; main->trusted_proxies != NULL && i < cf->args->nelts; i++) {
		ngx_cidr_t *cidr = ngx_array_push(main->trusted_proxies);
		if (cidr == NULL)
			return NGX_CONF_ERROR;
		if (ngx_ptocidr(&words[i], cidr) == NGX_ERROR) {
			ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no address or prefix", &words[i]);
			return NGX_CONF_ERROR;
		}
	}
	return main->trusted_proxies != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *admission_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_main *main = conf;

	(void)command;
	if (main->admission != NULL)
		return "is duplicate";
	size_t bytes = zone_bytes(cf, ADMISSION_MIN_BYTES, "1m");
	main->admission = bytes == 0 ? NULL : gate_admission_add(cf, bytes);
	return main->admission != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *connections_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_main *main = conf;
	ngx_str_t *words = cf->args->elts;

	(void)command;
	if (main->counts != NULL)
		return "is duplicate";
	main->counts = gate_counts_add(cf, words + 1, cf->args->nelts - 1);
	return main->counts != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *limits_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_main *main = conf;

	(void)command;
	if (main->limits != NULL)
		return "is duplicate";
	size_t bytes = zone_bytes(cf, LIMITS_MIN_BYTES, "1m");
	main->limits = bytes == 0 ? NULL : gate_limits_add(cf, bytes);
	return main->limits != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *limit_set(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	struct gate_location *location = conf;
	ngx_str_t *words = cf->args->elts;

	(void)command;
	if (location->limit_set)
		return "is duplicate";
	location->limit_set = 1;
	if (cf->args->nelts == 2 && ngx_strcmp(words[1].data, "off") == 0)
		return NGX_CONF_OK;
	location->limit = gate_limit_parse(cf, words + 1, cf->args->nelts - 1);
	return location->limit != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static ngx_conf_enum_t log_levels[] = {{ngx_string("info"), NGX_LOG_INFO},
				       {ngx_string("notice"), NGX_LOG_NOTICE},
				       {ngx_string("warn"), NGX_LOG_WARN},
				       {ngx_string("error"), NGX_LOG_ERR},
				       {ngx_null_string, 0}};

#define ANY_LEVEL (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF)

static ngx_command_t commands[] = {
	{ngx_string("guia"), ANY_LEVEL | NGX_CONF_FLAG, ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
	 offsetof(struct gate_location, enabled), NULL},
	{ngx_string("guia_rules"), ANY_LEVEL | NGX_CONF_1MORE, rules_set, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
	{ngx_string("guia_rules_before"), ANY_LEVEL | NGX_CONF_1MORE, rules_before_set, NGX_HTTP_LOC_CONF_OFFSET, 0,
	 NULL},
	{ngx_string("guia_site"), ANY_LEVEL | NGX_CONF_TAKE1, ngx_conf_set_str_slot, NGX_HTTP_LOC_CONF_OFFSET,
	 offsetof(struct gate_location, site), NULL},
	{ngx_string("guia_request_body"), ANY_LEVEL | NGX_CONF_FLAG, ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
	 offsetof(struct gate_location, request_body), NULL},
	{ngx_string("guia_on_failure"), ANY_LEVEL | NGX_CONF_TAKE12, on_failure_set, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
	{ngx_string("guia_transaction_memory"), ANY_LEVEL | NGX_CONF_TAKE1, ngx_conf_set_size_slot,
	 NGX_HTTP_LOC_CONF_OFFSET, offsetof(struct gate_location, memory), NULL},
	{ngx_string("guia_log_level"), ANY_LEVEL | NGX_CONF_TAKE1, ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET,
	 offsetof(struct gate_location, log_level), log_levels},
	{ngx_string("guia_cache_dir"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, folder_set, NGX_HTTP_MAIN_CONF_OFFSET,
	 offsetof(struct gate_main, cache_dir), NULL},
	{ngx_string("guia_events"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, folder_set, NGX_HTTP_MAIN_CONF_OFFSET,
	 offsetof(struct gate_main, events), NULL},
	{ngx_string("guia_collections"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, collections_set,
	 NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
	{ngx_string("guia_admission"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, admission_set, NGX_HTTP_MAIN_CONF_OFFSET, 0,
	 NULL},
	{ngx_string("guia_admission_wait"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_msec_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gate_main, admission_wait_ms), NULL},
	{ngx_string("guia_bans"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, folder_set, NGX_HTTP_MAIN_CONF_OFFSET,
	 offsetof(struct gate_main, bans), NULL},
	{ngx_string("guia_trusted_proxies"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, trusted_proxies_set,
	 NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
	{ngx_string("guia_body_rate"), ANY_LEVEL | NGX_CONF_TAKE1, ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET,
	 offsetof(struct gate_location, body_rate), NULL},
	{ngx_string("guia_connections"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, connections_set,
	 NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
	{ngx_string("guia_limits"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, limits_set, NGX_HTTP_MAIN_CONF_OFFSET, 0,
	 NULL},
	{ngx_string("guia_limit"), ANY_LEVEL | NGX_CONF_1MORE, limit_set, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
	{ngx_string("guia_log_rate"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_size_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gate_main, log_rate), NULL},
	{ngx_string("guia_end_with_master"), NGX_HTTP_MAIN_CONF | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
	 NGX_HTTP_MAIN_CONF_OFFSET, offsetof(struct gate_main, end_with_master), NULL},
	ngx_null_command,
};

static void *main_create(ngx_conf_t *cf)
{
	struct gate_main *main = ngx_pcalloc(cf->pool, sizeof(*main));
	ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);

	if (main == NULL || cleanup == NULL ||
	    ngx_array_init(&main->rulesets, cf->pool, 4, sizeof(struct gate_ruleset *)) != NGX_OK ||
	    ngx_array_init(&main->profiles, cf->pool, 2, sizeof(struct gate_profile *)) != NGX_OK ||
	    ngx_array_init(&main->sites, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK)
		return NULL;
	main->end_with_master = NGX_CONF_UNSET;
	main->log_rate = NGX_CONF_UNSET_SIZE;
	main->admission_wait_ms = NGX_CONF_UNSET_MSEC;
	cleanup->handler = gate_main_cleanup;
	cleanup->data = main;
	return main;
}

static void *location_create(ngx_conf_t *cf)
{
	struct gate_location *location = ngx_pcalloc(cf->pool, sizeof(*location));

	if (location == NULL)
		return NULL;
	location->enabled = NGX_CONF_UNSET;
	location->request_body = NGX_CONF_UNSET;
	location->on_request = NGX_CONF_UNSET_UINT;
	location->on_response = NGX_CONF_UNSET_UINT;
	location->memory = NGX_CONF_UNSET_SIZE;
	location->body_rate = NGX_CONF_UNSET_SIZE;
	location->log_level = NGX_CONF_UNSET_UINT;
	return location;
}

/* The outermost level is nobody's child: it is resolved with its first one. */
static ngx_int_t outermost_resolve(ngx_conf_t *cf, struct gate_location *location)
{
	if (location->merged)
		return NGX_OK;
	location->merged = 1;
	location->sources = gate_sources_join(cf, location->before, NULL, location->after);
	return location->sources == NULL ? NGX_ERROR : NGX_OK;
}

static char *location_merge(ngx_conf_t *cf, void *parent, void *child)
{
	struct gate_main *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_guia_module);
	struct gate_location *outer = parent, *location = child;

	if (outermost_resolve(cf, outer) != NGX_OK)
		return NGX_CONF_ERROR;
	ngx_conf_merge_value(location->enabled, outer->enabled, 0);
	ngx_conf_merge_value(location->request_body, outer->request_body, 1);
	ngx_conf_merge_str_value(location->site, outer->site, "");
	ngx_conf_merge_uint_value(location->on_request, outer->on_request, GUIA_FAILURE_BLOCK);
	ngx_conf_merge_uint_value(location->on_response, outer->on_response, GUIA_FAILURE_PASS);
	ngx_conf_merge_size_value(location->memory, outer->memory, 0);
	ngx_conf_merge_size_value(location->body_rate, outer->body_rate, BODY_RATE_BYTES);
	ngx_conf_merge_uint_value(location->log_level, outer->log_level, NGX_LOG_INFO);
	if (!location->limit_set)
		location->limit = outer->limit;
	if (location->limit != NULL && main->limits == NULL) {
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "guia_limit needs guia_limits, which gives it memory");
		return NGX_CONF_ERROR;
	}
	ngx_int_t number = gate_events_site(cf, main, &location->site);
	if (number < 0)
		return NGX_CONF_ERROR;
	location->site_number = (ngx_uint_t)number;
	location->merged = 1;
	location->sources =
		gate_sources_join(cf, location->before, location->afresh ? NULL : outer->sources, location->after);
	if (location->sources == NULL)
		return NGX_CONF_ERROR;
	if (!location->enabled)
		return NGX_CONF_OK;
	if (location->sources->nelts == 0) {
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "guia is on, but there are no guia_rules");
		return NGX_CONF_ERROR;
	}
	location->ruleset = gate_ruleset_find(cf, main, location->sources);
	location->profile = gate_profile_find(cf, main, location);
	return location->ruleset == NULL || location->profile == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}

/* nginx runs a phase's handlers from the last to the first, but those of the log phase from the first to the last. */
static ngx_int_t handler_add(ngx_http_core_main_conf_t *core, ngx_uint_t phase, ngx_http_handler_pt handler, bool ahead)
{
	ngx_array_t *handlers = &core->phases[phase].handlers;
	ngx_http_handler_pt *slot = ngx_array_push(handlers);

	if (slot == NULL)
		return NGX_ERROR;
	if (ahead) {
		slot = handlers->elts;
		ngx_memmove(slot + 1, slot, (handlers->nelts - 1) * sizeof(*slot));
	}
	*slot = handler;
	return NGX_OK;
}

/*
 * The location is noted before rewrites leave it. Inspection stands at the end of preaccess: after realip and after the
 * limits on rates and connections, which cost less; before all access control. Phase 5 comes ahead of nginx's own log,
 * so that $guia_uri and the verdict are there for requests that nginx answered before they were inspected.
 */
static ngx_int_t inspection_install(ngx_conf_t *cf, struct gate_main *main)
{
	ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

	if (gate_rulesets_compile(cf, main) != NGX_OK ||
	    handler_add(core, NGX_HTTP_POST_READ_PHASE, gate_log_watch, false) != NGX_OK ||
	    handler_add(core, NGX_HTTP_REWRITE_PHASE, gate_rewrite_handler, false) != NGX_OK ||
	    handler_add(core, NGX_HTTP_PREACCESS_PHASE, gate_preaccess_handler, true) != NGX_OK ||
	    handler_add(core, NGX_HTTP_LOG_PHASE, gate_log_handler, true) != NGX_OK)
		return NGX_ERROR;
	gate_filters_install();
	return NGX_OK;
}

/* Behind realip and events; a person's ban goes before a signature. */
static ngx_int_t bans_install(ngx_conf_t *cf, struct gate_main *main)
{
	ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

	if (handler_add(core, NGX_HTTP_POST_READ_PHASE, gate_refuse_banned, true) != NGX_OK)
		return NGX_ERROR;
	/* Signatures are of what events tell. */
	if (main->events.data == NULL)
		return NGX_OK;
	main->pace = gate_pace_add(cf);
	return main->pace == NULL ? NGX_ERROR : handler_add(core, NGX_HTTP_POST_READ_PHASE, gate_refuse_matched, true);
}

/* Ahead of inspection, which costs more. What is foreseen is so ahead of events, in whose time it comes. */
static ngx_int_t limits_install(ngx_conf_t *cf)
{
	ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

	if (handler_add(core, NGX_HTTP_POST_READ_PHASE, gate_limit_foresee, true) != NGX_OK ||
	    handler_add(core, NGX_HTTP_PREACCESS_PHASE, gate_limit_handler, false) != NGX_OK)
		return NGX_ERROR;
	return handler_add(core, NGX_HTTP_LOG_PHASE, gate_limit_log_handler, false);
}

static ngx_int_t events_install(ngx_conf_t *cf)
{
	ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

	if (handler_add(core, NGX_HTTP_POST_READ_PHASE, gate_events_arrive, true) != NGX_OK)
		return NGX_ERROR;
	return handler_add(core, NGX_HTTP_LOG_PHASE, gate_events_end, true);
}

static ngx_int_t hooks_install(ngx_conf_t *cf)
{
	struct gate_main *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_guia_module);

	ngx_conf_init_size_value(main->log_rate, LOG_RATE_BYTES);
	ngx_conf_init_msec_value(main->admission_wait_ms, ADMISSION_WAIT_MS);
	if (main->limits != NULL && limits_install(cf) != NGX_OK)
		return NGX_ERROR;
	if (main->events.data != NULL && events_install(cf) != NGX_OK)
		return NGX_ERROR;
	if (main->bans.data != NULL && bans_install(cf, main) != NGX_OK)
		return NGX_ERROR;
	if (main->rulesets.nelts > 0 && inspection_install(cf, main) != NGX_OK)
		return NGX_ERROR;
	/* Ahead of inspection, which may hold back a response that the origin has given. */
	return main->admission == NULL ? NGX_OK : gate_admission_install(cf, main->admission, main->admission_wait_ms);
}

static ngx_http_module_t contexts = {
	gate_variables_add, hooks_install, main_create, NULL, NULL, NULL, location_create, location_merge,
};

ngx_module_t ngx_http_guia_module = {
	NGX_MODULE_V1,      &contexts, commands, NGX_HTTP_MODULE,  NULL, gate_cycle_ready,
	gate_process_start, NULL,      NULL,     gate_process_end, NULL, NGX_MODULE_V1_PADDING,
};
