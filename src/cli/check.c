/* guia check: everything serve would need, without serving. */
#include "cli/command.h"

#include "base/error.h"
#include "cli/counts.h"
#include "cli/engines.h"
#include "cli/site_options.h"
#include "codec/text.h"
#include "cli/timing.h"
#include "edge/loader.h"
#include "serve/port_holder.h"
#include "serve/supervise.h"

#include <stdio.h>

enum { NAMES_SHOWN = 4 };

/* The rules of --rules. */
static int tell_rules(const struct engine *engine, bool json)
{
	struct rule_counts counts;
	struct buffer out = buffer_make(NULL);
	int code = counts_take(engine, &counts);
	if (code != CLI_FINE)
		return code;
	buffer_text(&out, json ? "{" : "");
	(json ? counts_json(&counts, &out) : counts_text(&counts, "", &out));
	buffer_text(&out, json ? "}\n" : "");
	code = (json ? cli_print_json : cli_print)(&out, CLI_FINE);
	buffer_free(&out);
	return code;
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
		code = tell_rules(&engine, cli_flag(arguments, "json"));
	engine_close(&engine);
	return code;
}

/* ---- sites ---- */

struct site_check {
	struct engines engines;
	const struct site_engine **of_site;
	struct port_holder *held;
	size_t held_count;
};

static int compile_sites(struct site_check *check)
{
	const struct serve_config *config = &check->engines.config;
	check->of_site = arena_zalloc(&check->engines.arena, config->site_count, sizeof(struct site_engine *));
	if (check->of_site == NULL)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	for (size_t i = 0; i < config->site_count; i++) {
		struct site_engine *engine;
		int code = engines_of_site(&check->engines, &config->sites[i], &engine);
		if (code != CLI_FINE)
			return code;
		engine->sites++;
		check->of_site[i] = engine;
	}
	return CLI_FINE;
}

/* Some of the sites with these rules, and how many more there are. */
static void add_names(const struct site_check *check, const struct site_engine *engine, struct buffer *out)
{
	const struct serve_config *config = &check->engines.config;
	size_t shown = 0;
	for (size_t i = 0; i < config->site_count; i++) {
		if (check->of_site[i] != engine || shown == NAMES_SHOWN)
			continue;
		buffer_text(out, shown++ > 0 ? ", " : "");
		buffer_add(out, config->sites[i].hosts.items[0]);
	}
	if (engine->sites > shown)
		buffer_printf(out, " and %zu more", engine->sites - shown);
}

static void add_site_json(const struct site_check *check, size_t index, struct buffer *out)
{
	const struct site *site = &check->engines.config.sites[index];
	buffer_printf(out, "%s{\"site\":", index > 0 ? "," : "");
	text_add_json(out, site->hosts.items[0]);
	buffer_printf(out, ",\"detect\":%s,\"rule_set\":%zu}", site->detect ? "true" : "false",
		      (size_t)(check->of_site[index] - check->engines.items));
}

/* Addresses that are taken, by whom, and whether that is the gate that would be reloaded. */
static void add_held_json(const struct site_check *check, struct buffer *out)
{
	buffer_text(out, "],\"taken\":[");
	for (size_t i = 0; i < check->held_count; i++) {
		const struct port_holder *holder = &check->held[i];
		buffer_text(out, i > 0 ? ",{\"listen\":" : "{\"listen\":");
		text_add_json(out, holder->listen);
		buffer_printf(out, ",\"pid\":%d,\"program\":", (int)holder->pid);
		text_add_json(out, slice_from_string(holder->name));
		buffer_text(out, ",\"gate\":");
		text_add_json(out, slice_from_string(holder->run_dir));
		buffer_byte(out, '}');
	}
}

static int tell_sites_json(const struct site_check *check, struct buffer *out)
{
	const struct engines *engines = &check->engines;
	buffer_text(out, "{\"configuration\":\"fine\",\"sites\":[");
	for (size_t i = 0; i < engines->config.site_count; i++)
		add_site_json(check, i, out);
	buffer_text(out, "],\"rule_sets\":[");
	for (size_t i = 0; i < engines->count; i++) {
		struct rule_counts counts;
		int code = counts_take(&engines->items[i].engine, &counts);
		if (code != CLI_FINE)
			return code;
		buffer_text(out, i > 0 ? ",{" : "{");
		counts_json(&counts, out);
		buffer_byte(out, '}');
	}
	add_held_json(check, out);
	buffer_printf(out, "],\"syn_cookies\":%d}\n", edge_syn_cookies());
	return CLI_FINE;
}

static int tell_sites_text(const struct site_check *check, struct buffer *out)
{
	const struct engines *engines = &check->engines;
	buffer_printf(out, "configuration: fine; %zu site%s, %zu different rule set%s\n", engines->config.site_count,
		      engines->config.site_count == 1 ? "" : "s", engines->count, engines->count == 1 ? "" : "s");
	for (size_t i = 0; i < engines->count; i++) {
		struct rule_counts counts;
		int code = counts_take(&engines->items[i].engine, &counts);
		if (code != CLI_FINE)
			return code;
		add_names(check, &engines->items[i], out);
		buffer_text(out, ":\n");
		counts_text(&counts, "  ", out);
	}
	return CLI_FINE;
}

/* Of what one's own gate listens at already that gate would be reloaded. */
static int tell_holder(const struct port_holder *holder, bool json, struct buffer *out)
{
	struct buffer who = buffer_make(NULL);
	if (holder->run_dir[0] != '\0') {
		if (!json)
			buffer_printf(out, "%.*s: the gate that serves from %s listens there%s\n",
				      SLICE_ARG(holder->listen), holder->run_dir,
				      holder->elsewhere ? " at another address: restart it, a reload will not do" : "");
		return CLI_FINE;
	}
	if (holder->pid == 0)
		buffer_text(&who, "a program that this user may not look into");
	else
		text_add_terminal(&who, slice_from_string(holder->name));
	if (holder->pid != 0)
		buffer_printf(&who, " (process %d)", (int)holder->pid);
	fprintf(stderr, "guia: %.*s is taken by %.*s: `guia serve` could not listen there\n", SLICE_ARG(holder->listen),
		SLICE_ARG(buffer_slice(&who)));
	buffer_free(&who);
	return CLI_FINDINGS;
}

static int tell_ports(const struct site_check *check, bool json, struct buffer *out)
{
	int code = CLI_FINE;
	for (size_t i = 0; i < check->held_count; i++) {
		int r = tell_holder(&check->held[i], json, out);
		code = r != CLI_FINE ? r : code;
	}
	return code;
}

/* The gate leaves forged SYNs to the kernel's cookies. */
static int tell_cookies(bool json, struct buffer *out)
{
	int cookies = edge_syn_cookies();
	if (!json && cookies > 0)
		buffer_printf(out, "SYN cookies: on (net.ipv4.tcp_syncookies is %d)\n", cookies);
	if (cookies != 0)
		return CLI_FINE;
	fprintf(stderr,
		"guia: the kernel's SYN cookies are off: a flood of forged SYNs shuts all visitors out. Turn them on:\n"
		"  sysctl -w net.ipv4.tcp_syncookies=1\n"
		"  echo net.ipv4.tcp_syncookies=1 > /etc/sysctl.d/50-guia.conf\n");
	return CLI_FINDINGS;
}

/* The rules first, here, where what is wrong in them can be told as it should be; then all of it by nginx. */
static int check_sites(const struct cli_arguments *arguments, const struct serve_options *options)
{
	struct site_check check = {0};
	struct buffer out = buffer_make(NULL);
	bool json = cli_flag(arguments, "json");
	int code = engines_open_sites(arguments, &check.engines);
	if (code != CLI_FINE)
		return code;
	code = compile_sites(&check);
	if (code == CLI_FINE)
		code = serve_check(options);
	if (code == CLI_FINE && port_holders_find(options, &check.engines.config, &check.held, &check.held_count) != 0)
		code = cli_fail(CLI_ENVIRONMENT, "out of memory");
	if (code == CLI_FINE)
		code = (json ? tell_sites_json : tell_sites_text)(&check, &out);
	if (code == CLI_FINE) {
		int ports = tell_ports(&check, json, &out), cookies = tell_cookies(json, &out);
		code = ports != CLI_FINE ? ports : cookies;
		code = (json ? cli_print_json : cli_print)(&out, code);
	}
	buffer_free(&out);
	engines_close(&check.engines);
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
	int code = site_options_read(arguments, &sites);
	if (code != CLI_FINE)
		return code;
	bool serves = sites.options.file != NULL || sites.sites[0] != NULL;
	if (!serves || cli_value(arguments, "rules") != NULL) {
		code = check_rules(arguments);
		if (code != CLI_FINE || !serves)
			return code;
	}
	return check_sites(arguments, &sites.options);
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
		"Does all that `guia serve` would need, without serving: compiles the rules of every site, reads\n"
		"certificates, renders nginx's configuration and has nginx test it. Exit code 1 says that only the\n"
		"machine is not ready: the kernel's SYN cookies are off, or an address to listen at is taken by\n"
		"another program than this run directory's gate. Whatever is wrong is told as\n"
		"FILE:LINE:COLUMN: MESSAGE with a hint. Of each rule set it tells how many rules there are, in which\n"
		"phases, and what became of them when they were loaded: some never match under these settings, some\n"
		"always do and are settled, the others are asked by requests.\n\n"
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
