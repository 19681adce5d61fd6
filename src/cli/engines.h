/*
 * Which rules judge a request: those of --rules whatever it asks for, or with -c those of the site that answers to its
 * host, as `guia serve` would have it. Sites with equal rules share an engine; all share what is compiled.
 */
#ifndef GUIA_CLI_ENGINES_H
#define GUIA_CLI_ENGINES_H

#include "cli/engine.h"
#include "http/request.h"
#include "serve/config.h"
#include "serve/site_rules.h"

struct site_engine {
	struct engine engine;
	struct guia_worker *worker;
	struct site_rules rules;
	size_t sites;
};

struct engines {
	struct arena arena;
	const char *cache;
	char *recommended;
	bool by_host;
	struct serve_config config; /* where by host */
	struct site_engine *items;
	size_t count;
};

/* Of --rules, made at once, or of -c. CLI_FINE, or an exit code after saying why. */
int engines_open(const struct cli_arguments *arguments, struct engines *ret_engines);
/* Of -c and --site. */
int engines_open_sites(const struct cli_arguments *arguments, struct engines *ret_engines);
void engines_close(struct engines *engines);

/* The engine of a site, made when first asked for. */
int engines_of_site(struct engines *engines, const struct site *site, struct site_engine **ret_engine);

/* *ret_engine is NULL where no site answers to the host. */
int engines_of_host(struct engines *engines, struct slice host, struct site_engine **ret_engine);

/* As nginx would read requests for these rules; bodies of any size where nothing is known of a limit. */
struct request_parser_options engines_parser_options(const struct engines *engines);

#define ENGINES_OPTIONS                                                                                                \
	ENGINE_OPTIONS,                                                                                                \
	{                                                                                                              \
		"config", 'c', "FILE", "the configuration of guia serve: the site is found by the request's Host"      \
	}

#endif
