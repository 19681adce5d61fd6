/* guia watch: the daemon beside the gate, in the foreground. */
#include "cli/command.h"

#include "base/error.h"
#include "cli/watch_evidence.h"
#include "cli/watch_homes.h"
#include "cli/watch_place.h"
#include "edge/edge.h"
#include "locate/locations.h"
#include "mitigate/mode_register.h"
#include "serve/prepare.h"
#include "serve/targets.h"
#include "serve/valid.h"
#include "watch/watch.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TARGETS_MAX = 1024, PROXIES_MAX = 256, ARENA_BYTES = 64 << 20 };

struct plan {
	char run_dir[PATH_MAX];
	char control[PATH_MAX];
	char events[PATH_MAX];
	char bans[PATH_MAX];
	char upstream[PATH_MAX];
	char interface[64];
	struct probe_target targets[TARGETS_MAX];
	size_t count;
	struct prefix proxies[PROXIES_MAX];
	size_t proxy_count;
	struct watch_homes homes;
	struct upstream_options operators;
	struct watch_evidence evidence;
};

static int target_add(struct plan *plan, struct slice text)
{
	if (plan->count == TARGETS_MAX)
		return cli_fail(CLI_USER, "more than %d sites are not fetched", TARGETS_MAX);
	const char *wanted = probe_target_parse(text, &plan->targets[plan->count]);
	if (wanted != NULL)
		return cli_fail(CLI_USER, "--probe %.*s: should be %s", SLICE_ARG(text), wanted);
	plan->count++;
	return CLI_FINE;
}

static int proxy_add(struct plan *plan, struct slice text)
{
	if (plan->proxy_count == PROXIES_MAX)
		return cli_fail(CLI_USER, "more than %d trusted proxies", PROXIES_MAX);
	if (!network_prefix(text, &plan->proxies[plan->proxy_count]))
		return cli_fail(CLI_USER, "--proxy %.*s: not an address or prefix", SLICE_ARG(text));
	plan->proxy_count++;
	return CLI_FINE;
}

/*
 * Whether a site is up is asked as one of those who are to reach it. To an address of this machine the watch comes from
 * that same address.
 */
static int homes_add_own(struct plan *plan)
{
	int code = CLI_FINE;
	for (size_t i = 0; code == CLI_FINE && i < plan->count; i++) {
		struct address address = probe_target_address(&plan->targets[i]);
		code = watch_homes_own(&plan->homes, &address);
	}
	return code;
}

static int homes_add_configured(const struct serve_config *config, struct plan *plan)
{
	int code = CLI_FINE;
	for (size_t i = 0; i < config->home_networks.count && code == CLI_FINE; i++)
		code = watch_homes_network(&plan->homes, config->home_networks.items[i]);
	for (size_t i = 0; i < config->home_countries.count && code == CLI_FINE; i++)
		code = watch_homes_country(&plan->homes, config->home_countries.items[i]);
	for (size_t i = 0; i < config->home_lists.count && code == CLI_FINE; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%.*s", SLICE_ARG(config->home_lists.items[i]));
		code = watch_homes_list(&plan->homes, path);
	}
	return code;
}

static int address_add(struct plan *plan, struct slice text)
{
	struct upstream_options *o = &plan->operators;
	if (o->address_count == UPSTREAM_ADDRESSES)
		return cli_fail(CLI_USER, "more than %d addresses are not asked for", UPSTREAM_ADDRESSES);
	if (!address_parse(text, &o->addresses[o->address_count]))
		return cli_fail(CLI_USER, "--address %.*s: should be an address", SLICE_ARG(text));
	o->address_count++;
	return CLI_FINE;
}

static int plan_operators(const struct serve_config *config, struct plan *plan)
{
	int code = CLI_FINE;
	snprintf(plan->interface, sizeof(plan->interface), "%.*s", SLICE_ARG(config->link_interface));
	plan->operators.link_mbit = (uint64_t)config->link_mbit;
	if (config->operators.count == 0)
		return CLI_FINE;
	snprintf(plan->upstream, sizeof(plan->upstream), "%.*s", SLICE_ARG(config_upstream_dir(config)));
	for (size_t i = 0; i < config->addresses.count && code == CLI_FINE; i++)
		code = address_add(plan, config->addresses.items[i]);
	return code;
}

/* What the command line says goes before what the configuration does. */
static int plan_upstream(const struct cli_arguments *arguments, struct plan *plan)
{
	const char *text = cli_value(arguments, "upstream"), *interface = cli_value(arguments, "link-interface");
	const char *mbit = cli_value(arguments, "link-mbit");
	int code = CLI_FINE;
	if (text != NULL && snprintf(plan->upstream, sizeof(plan->upstream), "%s", text) >= PATH_MAX - 64)
		return cli_fail(CLI_USER, "--upstream: too long");
	if (interface != NULL && (strlen(interface) >= sizeof(plan->interface) || strchr(interface, '/') != NULL))
		return cli_fail(CLI_USER, "--link-interface %s: should be the name of a network interface", interface);
	if (interface != NULL)
		snprintf(plan->interface, sizeof(plan->interface), "%s", interface);
	if (mbit != NULL && !cli_number(mbit, 1, LINK_MBIT_MOST, &plan->operators.link_mbit))
		return cli_fail(CLI_USER, "--link-mbit %s: should be a number of Mbit/s, %d at most", mbit,
				LINK_MBIT_MOST);
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "address", i)) != NULL; i++)
		code = address_add(plan, slice_from_string(text));
	plan->operators.directory = plan->upstream[0] != '\0' ? plan->upstream : NULL;
	plan->operators.interface = plan->interface[0] != '\0' ? plan->interface : NULL;
	return code;
}

static int plan_config(const char *file, struct plan *plan)
{
	const char *const none[] = {NULL};
	const struct serve_options options = {.file = file, .sites = none, .listens = none};
	const struct notice notice = {-1};
	struct serve_config config;
	struct arena arena;
	arena_init(&arena, ARENA_BYTES, 0);
	int code = prepare_config(&options, &notice, &arena, &config);
	if (code == SERVE_FINE) {
		struct text_list list = {.arena = &arena};
		snprintf(plan->run_dir, sizeof(plan->run_dir), "%.*s", SLICE_ARG(config.run_dir));
		if (targets_list(&config, &list) != 0)
			code = cli_fail(CLI_ENVIRONMENT, "out of memory");
		for (size_t i = 0; i < config.trusted_proxies.count && code == CLI_FINE; i++)
			code = proxy_add(plan, config.trusted_proxies.items[i]);
		code = code != CLI_FINE ? code : homes_add_configured(&config, plan);
		code = code != CLI_FINE ? code : watch_evidence_configured(&plan->evidence, &config);
		for (size_t i = 0; i < list.count && code == CLI_FINE; i++)
			code = target_add(plan, list.items[i]);
		code = code != CLI_FINE ? code : plan_operators(&config, plan);
		config_free(&config);
	}
	arena_destroy(&arena);
	return code;
}

static int plan_evidence(const struct cli_arguments *arguments, struct plan *plan)
{
	const char *folder = cli_value(arguments, "evidence"), *authority = cli_value(arguments, "authority");
	const char *certificate = cli_value(arguments, "export-certificate"), *text;
	int code = folder != NULL ? watch_evidence_folder(&plan->evidence, folder) : CLI_FINE;
	if (code == CLI_FINE && authority != NULL)
		code = watch_evidence_authority(&plan->evidence, authority);
	if (code == CLI_FINE && certificate != NULL)
		code = watch_evidence_certificate(&plan->evidence, certificate);
	if (code == CLI_FINE && (text = cli_value(arguments, "keep-messages")) != NULL)
		code = watch_evidence_days(&plan->evidence, WATCH_KEPT_MESSAGES, text);
	if (code == CLI_FINE && (text = cli_value(arguments, "keep-records")) != NULL)
		code = watch_evidence_days(&plan->evidence, WATCH_KEPT_RECORDS, text);
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "digest", i)) != NULL; i++)
		code = watch_evidence_digest(&plan->evidence, slice_from_string(text));
	return code;
}

static int plan_probes(const struct cli_arguments *arguments, struct plan *plan)
{
	const char *text;
	int code = CLI_FINE;
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "probe", i)) != NULL; i++)
		code = target_add(plan, slice_from_string(text));
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "proxy", i)) != NULL; i++)
		code = proxy_add(plan, slice_from_string(text));
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "home", i)) != NULL; i++)
		code = watch_homes_network(&plan->homes, slice_from_string(text));
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "home-country", i)) != NULL; i++)
		code = watch_homes_country(&plan->homes, slice_from_string(text));
	for (size_t i = 0; code == CLI_FINE && (text = cli_value_at(arguments, "home-list", i)) != NULL; i++)
		code = watch_homes_list(&plan->homes, text);
	return code;
}

static int plan_paths(const struct cli_arguments *arguments, struct plan *plan)
{
	const char *run_dir = cli_value(arguments, "run-dir"), *events = cli_value(arguments, "events");
	if (run_dir != NULL)
		snprintf(plan->run_dir, sizeof(plan->run_dir), "%s", run_dir);
	if (plan->run_dir[0] == '\0')
		return cli_fail(CLI_USER, "where? give --run-dir DIR, or -c FILE with a run_dir");
	int a = snprintf(plan->control, sizeof(plan->control), "%s/control", plan->run_dir);
	int b = snprintf(plan->events, sizeof(plan->events), events != NULL ? "%s" : "%s/events",
			 events != NULL ? events : plan->run_dir);
	const char *bans = cli_value(arguments, "bans");
	int c = snprintf(plan->bans, sizeof(plan->bans), "%s", bans != NULL ? bans : "");
	if (a >= (int)sizeof(plan->control) || b >= (int)sizeof(plan->events) || c >= (int)sizeof(plan->bans))
		return cli_fail(CLI_USER, "%s: too long", plan->run_dir);
	/* A control socket must not lie where others could put theirs. */
	return cli_folder_make(plan->run_dir, 0700, geteuid());
}

static int watch_with(const struct cli_arguments *arguments, struct plan *plan)
{
	const char *what = "", *bans = plan->bans[0] != '\0' ? plan->bans : NULL;
	struct witness_options evidence;
	int code = homes_add_own(plan);
	code = code != CLI_FINE ? code : watch_evidence_options(&plan->evidence, bans, &evidence);
	if (code != CLI_FINE)
		return code;
	const struct watch_options options = {
		.control = plan->control,
		.events = plan->events,
		.bans = bans,
		.evidence = evidence,
		.locations = cli_value(arguments, "locations"),
		.record = cli_value(arguments, "record"),
		.user = cli_value(arguments, "user"),
		.edge = cli_value(arguments, "edge") != NULL ? cli_value(arguments, "edge") : EDGE_DIRECTORY,
		.proxies = plan->proxies,
		.proxy_count = plan->proxy_count,
		.homes = {plan->homes.prefixes, plan->homes.count, plan->homes.countries, plan->homes.country_count},
		.targets = plan->targets,
		.target_count = plan->count,
		.upstream = plan->operators,
	};
	int r = watch_run(&options, &what);
	if (r == WATCH_BUSY)
		return cli_fail(CLI_ENVIRONMENT, "%s: another watch is running there", what);
	return r != 0 ? cli_fail(CLI_ENVIRONMENT, "%s: %s", what, strerror(-r)) : CLI_FINE;
}

static int run(const struct cli_arguments *arguments)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	const char *file = cli_value(arguments, "config");
	if (plan == NULL)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	int code = file != NULL ? plan_config(file, plan) : CLI_FINE;
	code = code != CLI_FINE ? code : plan_probes(arguments, plan);
	code = code != CLI_FINE ? code : plan_upstream(arguments, plan);
	code = code != CLI_FINE ? code : plan_evidence(arguments, plan);
	code = code != CLI_FINE ? code : plan_paths(arguments, plan);
	code = code != CLI_FINE ? code : watch_with(arguments, plan);
	watch_homes_free(&plan->homes);
	watch_evidence_free(&plan->evidence);
	free(plan);
	return code;
}

static const struct cli_option options[] = {
	{"run-dir", 0, "DIR", "where the control socket is made, for `guia status` and `guia top`"},
	{"events", 'e', "DIR", "what nginx's `guia_events` says (default: events in the run directory)"},
	{"bans", 0, "DIR", "what nginx's `guia_bans` says: a folder of this watch's own, made if there is none"},
	{"evidence", 0, "DIR", "where evidence is kept (default: evidence in the folder of --bans)"},
	{"keep-messages", 0, "DAYS", "how long messages as they came are kept (default: 90; 0: for ever)"},
	{"keep-records", 0, "DAYS", "how long records are kept, of which hashes stay (default: 90; 0: for ever)"},
	{"authority", 0, "URL", "who timestamps it each minute: http://HOST[:PORT][/PATH]"},
	{"export-certificate", 0, "FILE", "messages as they came are kept, sealed to the key of this certificate"},
	{"digest", 0, "TEXT", "what it states at its beginning: OF, a SHA-256 and NAME; may be given several times"},
	{"probe", 'p', "HOST=URL", "a site to fetch every second, and where it is served; may be given several times"},
	{"edge", 0, "DIR", "where an edge's maps are pinned, if there is one (default: " EDGE_DIRECTORY ")"},
	{"proxy", 0, "PREFIX", "a trusted proxy, never banned at the edge; may be given several times"},
	{"home", 0, "PREFIX", "who asks the origin of a site that is local; may be given several times"},
	{"home-country", 0, "CC",
	 "a country that is at home, such as MO, as the place data has it; may be given several times"},
	{"home-list", 0, "FILE",
	 "more that are at home: a network a line, # begins a comment; may be given several times"},
	{"upstream", 0, "DIR", "the keeper's, of guia upstream: operators are asked while this watch lives"},
	{"address", 0, "ADDRESS", "one that the sites are reached at, for operators; may be given several times"},
	{"link-mbit", 0, "N", "what the link carries, in Mbit/s: when it is full operators are asked"},
	{"link-interface", 0, "NAME", "where it comes in (default: that of the default route)"},
	{"config", 'c', "FILE", "the configuration of `guia serve`: its sites and run directory"},
	{"locations", 0, "FILE", "libloc's database of countries and networks (default: " LOCATIONS_FILE ")"},
	{"record", 0, "FILE", "write down what is told, for `guia replay`; it holds addresses"},
	{"user", 'u', "NAME", "whom to become once the socket is made"},
};

const struct command watch_command = {
	.name = "watch",
	.summary = "watches over a gate that already runs",
	.examples = "guia watch --run-dir /run/guia --events /run/guia-events --probe "
		    "www.example.gov.mo=http://127.0.0.1:80\n"
		    "guia watch -c guia.yaml\n",
	.synopsis = "--run-dir DIR [--events DIR] [--bans DIR] [--evidence DIR] [--probe HOST=URL...] | -c FILE",
	.description =
		"Reads what the gate's workers tell of every request, fetches each site once a second through the "
		"public\n"
		"listener, and answers `guia status` and `guia top`. `guia serve` starts one by itself; this is for an "
		"nginx\n"
		"that runs on its own, with `guia_events DIR;` in its http block. docs/events.md tells what is "
		"exchanged.\n\n"
		"The gate does not depend on it: it may be ended, killed and started again at any time. What was "
		"counted\n"
		"meanwhile is in the counters; of events only those are missed that were overwritten, which is counted "
		"and\n"
		"said. TERM and Ctrl-C end it. Under a service manager it tells when it is ready, and that it lives.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
