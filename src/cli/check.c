/* guia check: everything serve would need, without serving. */
#include "cli/command.h"

#include "base/error.h"
#include "cli/engine.h"
#include "cli/site_options.h"
#include "serve/supervise.h"

#include <stdio.h>

static void print_stats(const struct engine *engine, bool json)
{
	const struct guia_compile_stats *s = &engine->stats;
	if (json) {
		printf("{\"rules\":%zu,\"links\":%zu,\"removed\":%zu,\"files\":%zu,\"patterns\":%zu,\"exact_patterns\":"
		       "%zu,"
		       "\"databases\":%zu,\"databases_cached\":%zu,\"elapsed_us\":%llu,\"warnings\":%zu}\n",
		       s->rules, s->links, s->removed, s->files, s->patterns, s->exact_patterns, s->databases,
		       s->databases_cached, (unsigned long long)s->elapsed_us, engine->warnings);
		return;
	}
	printf("%zu rules (%zu with the links of chains), %zu removed, from %zu files\n", s->rules, s->links,
	       s->removed, s->files);
	printf("%zu patterns in %zu databases, %zu of them from the cache; %zu patterns exact\n", s->patterns,
	       s->databases, s->databases_cached, s->exact_patterns);
	printf("compiled in %.2f s; %zu warnings\n", (double)s->elapsed_us / 1e6, engine->warnings);
}

static int check_rules(const struct cli_arguments *arguments)
{
	struct engine engine;
	int code = engine_open(arguments, &engine);
	if (code != CLI_FINE)
		return code;
	print_stats(&engine, cli_flag(arguments, "json"));
	engine_close(&engine);
	return CLI_FINE;
}

static int run(const struct cli_arguments *arguments)
{
	struct site_options sites;
	site_options_read(arguments, &sites);
	bool serves = sites.options.file != NULL || sites.sites[0] != NULL;
	if (!serves || cli_value(arguments, "rules") != NULL) {
		int code = check_rules(arguments);
		if (code != CLI_FINE || !serves)
			return code;
	}
	int code = serve_check(&sites.options);
	if (code == CLI_FINE && !cli_flag(arguments, "json"))
		puts("configuration: fine");
	return code;
}

static const struct cli_option options[] = {
	ENGINE_OPTIONS,
	SITE_OPTIONS,
	{"json", 0, NULL, "the counts as one JSON object"},
};

const struct command check_command = {
	.name = "check",
	.summary = "checks rules and configuration without serving",
	.examples = "guia check -c guia.yaml\n"
		    "guia check --rules rules/guia-crs.conf\n",
	.synopsis = "[-c FILE | --rules FILE]",
	.description =
		"Does all that `guia serve` would need, without serving: compiles the rules and tells their counts,\n"
		"reads certificates, renders nginx's configuration and has nginx test it. Whatever is wrong is\n"
		"told as FILE:LINE:COLUMN: MESSAGE with a hint.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
