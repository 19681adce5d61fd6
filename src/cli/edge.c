/* guia edge: the XDP program that drops the banned and bounds floods before the kernel sees them. */
#include "cli/command.h"

#include "base/error.h"
#include "edge/edge.h"
#include "edge/loader.h"
#include "edge/strangers.h"
#include "serve/run_dir.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int number_read(const struct cli_arguments *arguments, const char *name, uint32_t most, uint32_t *number)
{
	const char *text = cli_value(arguments, name);
	uint64_t value;
	if (text == NULL)
		return CLI_FINE;
	if (!cli_number(text, 0, most, &value))
		return cli_fail(CLI_USER, "--%s %s: give a whole number, %u at most", name, text, most);
	*number = (uint32_t)value;
	return CLI_FINE;
}

static int user_read(const struct cli_arguments *arguments, struct edge_options *options)
{
	const char *name = cli_value(arguments, "user");
	const struct passwd *user = name != NULL ? getpwnam(name) : run_dir_usual_watch_user();
	options->user_said = name != NULL;
	if (name == NULL && user == NULL)
		return CLI_FINE;
	if (user == NULL)
		return cli_fail(CLI_USER, "--user %s: there is no such user", name);
	options->uid = user->pw_uid;
	options->gid = user->pw_gid;
	return CLI_FINE;
}

/* Whether anything is said that only new maps can be given. */
static bool rest_is_said(const struct cli_arguments *arguments)
{
	static const char *const names[] = {"bans", "samples", "syn", "syn-port", "udp", "udp-port", "fragments"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (cli_value(arguments, names[i]) != NULL)
			return true;
	return false;
}

/* What a second may have may come at once. */
static int limits_read(const struct cli_arguments *arguments, struct edge_options *options)
{
	static const char *const names[EDGE_BUDGETS] = {
		[EDGE_BUDGET_SYN] = "syn",           [EDGE_BUDGET_SYN_PORT] = "syn-port",   [EDGE_BUDGET_UDP] = "udp",
		[EDGE_BUDGET_UDP_PORT] = "udp-port", [EDGE_BUDGET_FRAGMENTS] = "fragments",
	};
	int code = CLI_FINE;
	for (unsigned kind = 0; kind < EDGE_BUDGETS && code == CLI_FINE; kind++) {
		struct edge_limits *limits = &options->limits[kind];
		code = number_read(arguments, names[kind], 100000000, &limits->per_s);
		if (cli_value(arguments, names[kind]) != NULL)
			limits->burst = limits->per_s;
	}
	return code;
}

static int attach(const struct cli_arguments *arguments, const char *directory)
{
	struct edge_options options = {
		.directory = directory,
		.interfaces = arguments->words + 1,
		.interface_count = arguments->word_count - 1,
		.mode = cli_flag(arguments, "native")    ? EDGE_NATIVE
			: cli_flag(arguments, "generic") ? EDGE_GENERIC
							 : EDGE_ANY,
		.bans = EDGE_BANS,
		.samples_per_s = 10,
		.uid = getuid(),
		.gid = getgid(),
		.rest_said = rest_is_said(arguments),
	};
	struct buffer told = buffer_make(NULL);
	memcpy(options.limits, edge_usual_limits, sizeof(options.limits));
	if (options.interface_count == 0)
		return cli_fail(CLI_USER, "attach to which interface? guia edge attach eth0");
	if (cli_flag(arguments, "native") && cli_flag(arguments, "generic"))
		return cli_fail(CLI_USER, "--native and --generic exclude each other");
	int code = number_read(arguments, "bans", EDGE_BANS_MOST, &options.bans);
	code = code != CLI_FINE ? code : number_read(arguments, "samples", 1000, &options.samples_per_s);
	code = code != CLI_FINE ? code : limits_read(arguments, &options);
	code = code != CLI_FINE ? code : user_read(arguments, &options);
	if (code != CLI_FINE)
		return code;
	int outcome = edge_attach(&options, &told);
	fprintf(outcome == 0 ? stdout : stderr, "%s%.*s", outcome == 0 ? "" : "guia: ", SLICE_ARG(buffer_slice(&told)));
	buffer_free(&told);
	return outcome == 0 ? CLI_FINE : outcome == EDGE_USER ? CLI_USER : CLI_ENVIRONMENT;
}

static int detach(const struct cli_arguments *arguments, const char *directory)
{
	struct buffer told = buffer_make(NULL);
	if (arguments->word_count > 1)
		return cli_fail(CLI_USER, "detach takes everything off: it names no interface");
	int outcome = edge_detach(directory, &told);
	fprintf(outcome == 0 ? stdout : stderr, "%s%.*s", outcome == 0 ? "" : "guia: ", SLICE_ARG(buffer_slice(&told)));
	buffer_free(&told);
	return outcome == 0 ? CLI_FINE : outcome == EDGE_USER ? CLI_USER : CLI_ENVIRONMENT;
}

/* ---- show ---- */

static const char *const length_names[EDGE_LENGTHS] = {"IPv4 /32",  "IPv4 /24", "IPv4 /16",
						       "IPv6 /128", "IPv6 /64", "IPv6 /48"};

static void interface_add(void *context, const char *name, const char *mode)
{
	json_array_append_new(context, json_pack("{s:s, s:s}", "name", name, "mode", mode));
}

static json_t *told_of(const struct edge *edge, const char *directory, const struct edge_counts *counts)
{
	const struct edge_control *control = edge->table.control;
	json_t *interfaces = json_array(), *bans = json_object(), *packets = json_object(), *hits = json_array();
	edge_interfaces(directory, interface_add, interfaces);
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		json_object_set_new(bans, length_names[length], json_integer(control->bans[length]));
	for (unsigned reason = 0; reason < EDGE_REASONS; reason++)
		json_object_set_new(packets, edge_reason_texts[reason],
				    json_pack("{s:I, s:I}", "packets", (json_int_t)counts->packets[reason], "bytes",
					      (json_int_t)counts->bytes[reason]));
	for (uint32_t i = 0; i < EDGE_MITIGATIONS; i++) {
		uint64_t count = 0;
		if ((i == 0 || control->mitigations[i] != 0) &&
		    edge_mitigation_hits(edge, control->mitigations[i], &count) == 0 && (i != 0 || count != 0))
			json_array_append_new(hits,
					      json_pack("{s:I, s:I}", "mitigation", (json_int_t)control->mitigations[i],
							"packets", (json_int_t)count));
	}
	return json_pack("{s:s, s:o, s:b, s:o, s:I, s:I, s:f, s:o, s:o}", "directory", directory, "interfaces",
			 interfaces, "answers_syns", control->answers != 0, "bans", bans, "allows",
			 (json_int_t)control->allows, "seen",
			 (json_int_t)(edge_seen_count(edge, 0) + edge_seen_count(edge, 1)), "strangers_per_s",
			 edge_strangers_per_s(edge), "reasons", packets, "mitigations", hits);
}

static void print(const json_t *told)
{
	const json_t *value;
	const char *name;
	size_t i;
	json_array_foreach(json_object_get(told, "interfaces"), i, value)
		printf("%-20s %s\n", json_string_value(json_object_get(value, "name")),
		       json_string_value(json_object_get(value, "mode")));
	printf("SYNs above the budget are %s\n", json_is_true(json_object_get(told, "answers_syns"))
							 ? "answered with the kernel's cookies"
							 : "left to the kernel");
	json_object_foreach((json_t *)json_object_get(told, "bans"), name, value)
		printf("%12lld  bans of %s\n", json_integer_value(value), name);
	printf("%12lld  prefixes allowed\n", json_integer_value(json_object_get(told, "allows")));
	printf("%12lld  sources here before, nearly\n", json_integer_value(json_object_get(told, "seen")));
	double per_s = json_number_value(json_object_get(told, "strangers_per_s"));
	if (per_s > 0)
		printf("%12.0f  strangers a second may begin a connection\n", per_s);
	json_object_foreach((json_t *)json_object_get(told, "reasons"), name, value)
		printf("%12lld  packets %s\n", json_integer_value(json_object_get(value, "packets")), name);
	json_array_foreach(json_object_get(told, "mitigations"), i, value) printf(
		"%12lld  packets dropped by mitigation %lld\n", json_integer_value(json_object_get(value, "packets")),
		json_integer_value(json_object_get(value, "mitigation")));
}

static int adopt(const char *directory, struct edge *ret_edge)
{
	int outcome = edge_adopt(directory, ret_edge);
	switch (outcome) {
	case 0:
		return CLI_FINE;
	case -ENOENT:
	case EDGE_RETIRED:
		return cli_fail(CLI_ENVIRONMENT, "%s: no edge is attached", directory);
	case EDGE_FOREIGN:
		return cli_fail(CLI_ENVIRONMENT, "%s: what is pinned there is not an edge of this version", directory);
	default:
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", directory, strerror(-outcome));
	}
}

static void interface_count(void *context, const char *name, const char *mode)
{
	(void)name;
	(void)mode;
	(*(unsigned *)context)++;
}

static int show(const struct cli_arguments *arguments, const char *directory)
{
	struct edge edge;
	struct edge_counts counts;
	if (arguments->word_count > 1)
		return cli_fail(CLI_USER, "show tells of all interfaces: it names none");
	int code = adopt(directory, &edge);
	if (code != CLI_FINE)
		return code;
	unsigned interfaces = 0;
	edge_interfaces(directory, interface_count, &interfaces);
	if (interfaces == 0) { /* whoever attached it was killed: the next removes it */
		edge_close(&edge);
		return cli_fail(CLI_ENVIRONMENT, "%s: no edge is attached", directory);
	}
	int error = edge_count(&edge, &counts);
	json_t *told = error != 0 ? NULL : told_of(&edge, directory, &counts);
	edge_close(&edge);
	if (told == NULL)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", directory, strerror(error != 0 ? -error : ENOMEM));
	if (cli_flag(arguments, "json")) {
		json_dumpf(told, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print(told);
	}
	json_decref(told);
	return CLI_FINE;
}

static const struct {
	const char *name;
	int (*run)(const struct cli_arguments *arguments, const char *directory);
} verbs[] = {{"attach", attach}, {"detach", detach}, {"show", show}};

static int run(const struct cli_arguments *arguments)
{
	const char *word = arguments->word_count > 0 ? arguments->words[0] : "show";
	const char *directory = cli_value(arguments, "at");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, word) == 0)
			return verbs[i].run(arguments, directory != NULL ? directory : EDGE_DIRECTORY);
	return cli_fail(CLI_USER, "edge %s: there are attach, detach and show", word);
}

static const struct cli_option options[] = {
	{"at", 0, "DIR", "where maps, program and links are pinned (default: " EDGE_DIRECTORY ")"},
	{"user", 0, "NAME", "whose the maps are then: who the watch runs as (attach; default: as `guia serve` has it)"},
	{"native", 0, NULL, "in the driver or not at all (attach)"},
	{"generic", 0, NULL, "not in the driver (attach)"},
	{"bans", 0, "N", "make room for so many bans, 100 bytes each (attach; default: 1000000)"},
	{"syn", 0, "N", "SYNs a second that reach the kernel, on each processor (attach; default: 4000; 0: all)"},
	{"syn-port", 0, "N", "the same, to one address and port (attach; default: 2000)"},
	{"udp", 0, "N", "UDP packets a second that pass, on each processor (attach; default: 5000; 0: all)"},
	{"udp-port", 0, "N", "the same, to one address and port (attach; default: 1000)"},
	{"fragments", 0, "N", "fragments a second that pass, on each processor (attach; default: 500; 0: all)"},
	{"samples", 0, "N", "heads of passed and of dropped packets sampled a second (attach; default: 10; 0: none)"},
	{"json", 0, NULL, "one JSON object instead of text (show)"},
};

const struct command edge_command = {
	.name = "edge",
	.summary = "drops the banned and bounds floods of packets, at the network card",
	.examples = "guia edge attach eth0 --user guia\n"
		    "guia edge show --json\n"
		    "guia edge detach\n",
	.synopsis = "[attach INTERFACE... | detach | show] [--at DIR] [--user NAME] [--json]",
	.description =
		"An XDP program looks at each packet before the kernel does. Who is banned is dropped, unless an\n"
		"allowance is stronger. UDP and fragments above their budgets are dropped, whoever they claim to be\n"
		"from: sources can be forged. SYNs above theirs are never dropped: with net.ipv4.tcp_syncookies=2\n"
		"they are answered with the kernel's own cookies, else they are left to it. Only while the gate\n"
		"cannot begin with all that connect, SYNs of sources that were not here before are dropped.\n\n"
		"attach loads the program, into the driver if that takes it, else in front of the network stack, and\n"
		"pins all of it, so that it stays when this ends; it needs root. Given again it adds interfaces, and\n"
		"gives the maps to the user named. Only that user and root may open them, and so only a watch that\n"
		"runs as one of these has the edge drop the banned; `guia status` says so if it cannot. docs/edge.md\n"
		"says what of this has been tried. detach leaves no trace; it takes effect at once, also where a\n"
		"process has the maps open. show tells of interfaces, bans, sources that were here before, and\n"
		"counters.\n\n"
		"Exit code 2: no such interface, another program there already, maps of another version, nothing to\n"
		"detach; 3: no rights, no XDP, or nothing to show.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = SIZE_MAX,
	.run = run,
};
