/* guia check: everything serve would need, without serving. */
#include "cli/command.h"

#include "base/error.h"
#include "cli/engine.h"
#include "cli/site_options.h"
#include "cli/timing.h"
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
	if (cli_flag(arguments, "timing"))
		code = timing_check(&engine, arguments);
	else
		print_stats(&engine, cli_flag(arguments, "json"));
	engine_close(&engine);
	return code;
}

static int run(const struct cli_arguments *arguments)
{
	struct site_options sites;
	bool timing = cli_flag(arguments, "timing");
	if (arguments->word_count > 0 && !timing)
		return cli_fail(CLI_USER, "check does not know what to do with `%s`: requests are for --timing",
				arguments->words[0]);
	if (timing)
		return check_rules(arguments);
	site_options_read(arguments, &sites);
	bool serves = sites.options.file != NULL || sites.sites[0] != NULL;
	if (!serves || cli_value(arguments, "rules") != NULL) {
		int code = check_rules(arguments);
		if (code != CLI_FINE || !serves)
			return code;
	}
	int code = serve_check(&sites.options);
	if (code == CLI_FINE)
		puts(cli_flag(arguments, "json") ? "{\"configuration\":\"fine\"}" : "configuration: fine");
	return code;
}

static const struct cli_option options[] = {
	ENGINE_OPTIONS,
	SITE_OPTIONS,
	TIMING_OPTIONS,
	{"json", 0, NULL, "the counts, or the times, as one JSON object"},
};

const struct command check_command = {
	.name = "check",
	.summary = "checks rules and configuration without serving",
	.examples = "guia check -c guia.yaml\n"
		    "guia check --rules rules/guia-crs.conf\n"
		    "find requests -type f | guia check --timing -\n",
	.synopsis = "[-c FILE | --rules FILE [--timing REQUEST...]]",
	.description =
		"Does all that `guia serve` would need, without serving: compiles the rules and tells their counts,\n"
		"reads certificates, renders nginx's configuration and has nginx test it. Whatever is wrong is\n"
		"told as FILE:LINE:COLUMN: MESSAGE with a hint.\n\n"
		"With --timing it runs raw requests (\"-\" reads names of files from standard input) many times, as\n"
		"the gate would, and tells where the time goes. Per stage: reading the request, asking the values\n"
		"of each variable which rules they could matter to (and how many were known from before), the\n"
		"rules by phase, the logs. Per rule: how often it was evaluated, matched and asked by itself, and\n"
		"what that cost, the dearest first; and whether it was settled when it was loaded, is asked by the\n"
		"scan for many patterns or by PCRE2, or is always evaluated, and why. The first run, when nothing\n"
		"is remembered, is told apart from the rest.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = SIZE_MAX,
	.run = run,
};
