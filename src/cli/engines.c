/*
 * Engines by site. The first that is made owns the pool and the store and lends them to the others, so they are closed
 * in reverse. A site whose list of rules another has already takes that one's engine.
 */
#include "cli/engines.h"

#include "cli/site_options.h"
#include "serve/paths.h"
#include "serve/prepare.h"
#include "serve/render.h"

#include <errno.h>
#include <stdlib.h>

enum { ARENA_BYTES = 256 << 20 };

/* No more engines than sites, and one to be compared with them. */
static int make_room(struct engines *engines, size_t sites)
{
	engines->items = arena_zalloc(&engines->arena, sites + 1, sizeof(*engines->items));
	return engines->items != NULL ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "%s", strerror(ENOMEM));
}

static int open_only(const struct cli_arguments *arguments, struct engines *engines)
{
	int code = make_room(engines, 1);
	if (code == CLI_FINE)
		code = engine_open(arguments, &engines->items[0].engine);
	if (code != CLI_FINE)
		return code;
	engines->count = 1;
	return engine_worker(&engines->items[0].engine, &engines->items[0].worker);
}

static int open_sites(const struct cli_arguments *arguments, struct engines *engines)
{
	struct site_options sites;
	struct notice notice = {.log = -1};
	int code = site_options_read(arguments, &sites);
	code = code != CLI_FINE ? code : prepare_config(&sites.options, &notice, &engines->arena, &engines->config);
	if (code != CLI_FINE)
		return code;
	engines->by_host = true;
	if (engines->recommended == NULL && engines->config.rules.count == 0)
		return cli_fail(CLI_ENVIRONMENT, "the recommended rules (guia-crs.conf) are not installed");
	return make_room(engines, engines->config.site_count);
}

typedef int open_fn(const struct cli_arguments *arguments, struct engines *engines);

static int open_with(open_fn *open, const struct cli_arguments *arguments, struct engines *ret_engines)
{
	*ret_engines =
		(struct engines){.cache = cli_value(arguments, "cache"), .recommended = paths_recommended_rules()};
	arena_init(&ret_engines->arena, ARENA_BYTES, 0);
	int code = open(arguments, ret_engines);
	if (code != CLI_FINE)
		engines_close(ret_engines);
	return code;
}

int engines_open_sites(const struct cli_arguments *arguments, struct engines *ret_engines)
{
	return open_with(open_sites, arguments, ret_engines);
}

int engines_open(const struct cli_arguments *arguments, struct engines *ret_engines)
{
	bool sites = cli_value(arguments, "config") != NULL;
	if (sites && cli_value(arguments, "rules") != NULL)
		return cli_fail(CLI_USER, "give -c or --rules: a configuration names the rules of its sites");
	return open_with(sites ? open_sites : open_only, arguments, ret_engines);
}

void engines_close(struct engines *engines)
{
	/* The first lends its pool to the others. */
	for (size_t i = engines->count; i-- > 0;) {
		guia_worker_free(engines->items[i].worker);
		engine_close(&engines->items[i].engine);
	}
	if (engines->by_host)
		config_free(&engines->config);
	free(engines->recommended);
	arena_destroy(&engines->arena);
}

int engines_of_site(struct engines *engines, const struct site *site, struct site_engine **ret_engine)
{
	struct site_engine *engine = &engines->items[engines->count];
	if (site_rules_list(&engines->config, site, engines->recommended, &engines->arena, &engine->rules) != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < engines->count; i++)
		if (site_rules_equal(&engines->items[i].rules, &engine->rules)) {
			*ret_engine = &engines->items[i];
			return CLI_FINE;
		}
	const struct engine *first = engines->count > 0 ? &engines->items[0].engine : NULL;
	int code =
		engine_open_sources(engine->rules.items, engine->rules.count, engines->cache, first, &engine->engine);
	if (code != CLI_FINE)
		return code;
	engines->count++;
	*ret_engine = engine;
	return engine_worker(&engine->engine, &engine->worker);
}

int engines_of_host(struct engines *engines, struct slice host, struct site_engine **ret_engine)
{
	*ret_engine = engines->items;
	if (!engines->by_host)
		return CLI_FINE;
	const struct site *site = config_find_site(&engines->config, host);
	*ret_engine = NULL;
	return site == NULL ? CLI_FINE : engines_of_site(engines, site, ret_engine);
}

struct request_parser_options engines_parser_options(const struct engines *engines)
{
	struct request_parser_options options = request_parser_defaults();
	options.body_limit_bytes = 0;
	if (engines->by_host) {
		options.large_buffer_bytes = RENDER_HEADER_BYTES;
		options.body_limit_bytes = (size_t)config_body_limit_mb(&engines->config) << 20;
	}
	return options;
}
