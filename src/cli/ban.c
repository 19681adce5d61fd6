/* guia ban, unban and allow: what a person says of addresses. */
#include "cli/command.h"

#include "base/address.h"
#include "cli/watch_place.h"
#include "codec/text.h"
#include "mitigate/ban_register.h"

#include <inttypes.h>
#include <stdio.h>

enum { BAN_SECONDS = 3600 };

static int check_prefix(const char *text)
{
	struct prefix prefix;
	if (prefix_parse(slice_from_string(text), &prefix))
		return CLI_FINE;
	if (prefix_around(slice_from_string(text), &prefix))
		return cli_fail_around(text, &prefix);
	return cli_fail(CLI_USER, "%s: not an address or prefix, such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48",
			text);
}

/* Where it is in force, where there is an edge. */
static void add_edge(const char *standing, struct buffer *out)
{
	if (strcmp(standing, "in force") == 0)
		buffer_text(out, " at gate and edge");
	else
		buffer_printf(out, " at the gate (edge: %s)", standing);
}

static void add_record(const json_t *record, struct buffer *out)
{
	struct buffer line = buffer_make(NULL);
	text_add_terminal(&line, slice_from_string(answer_string(record, "why")));
	buffer_printf(out, "%-6s %-32s ", answer_string(record, "kind"), answer_string(record, "prefix"));
	if (strcmp(answer_string(record, "kind"), "lifted") != 0)
		buffer_printf(out, "until %-19.19s%s",
			      json_object_get(record, "until") != NULL ? answer_string(record, "until") : "lifted",
			      json_object_get(record, "until") != NULL ? "Z" : " ");
	if (json_object_get(record, "edge") != NULL)
		add_edge(answer_string(record, "edge"), out);
	if (json_object_get(record, "hits") != NULL)
		buffer_printf(out, " %10lld hits", (long long)json_integer_value(json_object_get(record, "hits")));
	buffer_printf(out, "  ordered %.16sZ by ", answer_string(record, "since"));
	watch_place_add_user(record, out);
	buffer_printf(out, "%s%.*s\n", line.len > 0 ? ": " : "", SLICE_ARG(buffer_slice(&line)));
	buffer_free(&line);
}

static void add_list(const json_t *answer, struct buffer *out)
{
	const json_t *orders = json_object_get(answer, "orders"), *record;
	size_t i;
	json_array_foreach(orders, i, record) add_record(record, out);
	long long all = (long long)json_integer_value(json_object_get(answer, "prefixes"));
	buffer_printf(out, "%zu ordered by people, %lld prefixes in force in all\n", json_array_size(orders), all);
	if (answer_string(answer, "not_written")[0] != '\0')
		buffer_printf(out, "the latest of these are not at the gate yet: they cannot be written down: %s\n",
			      answer_string(answer, "not_written"));
}

static void add_answer(const json_t *answer, struct buffer *out)
{
	if (json_object_get(answer, "orders") != NULL)
		add_list(answer, out);
	else
		add_record(answer, out);
}

static int order(const struct cli_arguments *arguments, const char *verb, uint64_t seconds)
{
	char question[512];
	const char *span = cli_value(arguments, "for"), *why = cli_value(arguments, "why");
	why = why != NULL ? why : "";
	if (arguments->word_count == 0 && (span != NULL || why[0] != '\0' || cli_flag(arguments, "force")))
		return cli_fail(CLI_USER, "%s: which address or prefix?", verb);
	if (arguments->word_count == 0)
		return watch_place_say(arguments, add_answer, "bans");
	int code = check_prefix(arguments->words[0]);
	code = code != CLI_FINE ? code : cli_check_why(why, BAN_WHY_BYTES);
	if (code != CLI_FINE)
		return code;
	if (span != NULL && !cli_span(span, &seconds))
		return cli_fail(CLI_USER, "--for %s: a time such as 90s, 10m, 2h or 7d, a year at most", span);
	snprintf(question, sizeof(question), "%s %s %" PRIu64 " %s %s", verb, arguments->words[0], seconds,
		 cli_flag(arguments, "force") ? "force" : "-", why);
	return watch_place_say(arguments, add_answer, question);
}

static int run_ban(const struct cli_arguments *arguments)
{
	return order(arguments, "ban", BAN_SECONDS);
}

static int run_allow(const struct cli_arguments *arguments)
{
	return order(arguments, "allow", 0);
}

static int run_unban(const struct cli_arguments *arguments)
{
	char question[512];
	int code = check_prefix(arguments->words[0]);
	if (code != CLI_FINE)
		return code;
	snprintf(question, sizeof(question), "unban %s", arguments->words[0]);
	return watch_place_say(arguments, add_answer, question);
}

#define JSON_OPTION                                                                                                    \
	{                                                                                                              \
		"json", 0, NULL, "the answer as a line of JSON"                                                        \
	}

static const struct cli_option ban_options[] = {
	WATCH_PLACE_OPTIONS,
	{"for", 0, "TIME", "how long: 90s or 90, 10m, 2h, 7d (default: an hour)"},
	{"why", 0, "TEXT", "the reason, for those who come after"},
	{"force", 0, NULL,
	 "also a prefix wider than /16, of IPv6 than /32, a ban of who is allowed, of this machine itself, and of a "
	 "trusted proxy"},
	JSON_OPTION,
};

const struct command ban_command = {
	.name = "ban",
	.summary = "refuses an address or prefix at the gate",
	.examples = "guia ban 192.0.2.7 --why 'floods the search'\n"
		    "guia ban 2001:db8:7::/48 --for 1d\n"
		    "guia ban\n",
	.synopsis = "[PREFIX [--for TIME] [--why TEXT] [--force]] [--run-dir DIR | -c FILE] [--json]",
	.description = "Its connections are closed when they are accepted, and those it has open are closed, a tenth "
		       "of a second\n"
		       "later. A source that a trusted proxy names is refused by request. What a person says holds "
		       "over what the\n"
		       "watch decides by itself; of two prefixes the longer holds. A ban ends by itself, whether the "
		       "watch runs or\n"
		       "not. Where an edge is attached (guia edge) the packets of who is banned end there, too; the "
		       "answer says so.\n"
		       "Without PREFIX it lists what people ordered, who and why, and how often gate and edge refused.",
	.options = ban_options,
	.option_count = sizeof(ban_options) / sizeof(ban_options[0]),
	.words_min = 0,
	.words_max = 1,
	.run = run_ban,
};

static const struct cli_option allow_options[] = {
	WATCH_PLACE_OPTIONS,
	{"for", 0, "TIME", "how long: 90s or 90, 10m, 2h, 7d (default: until it is lifted)"},
	{"why", 0, "TEXT", "the reason, for those who come after"},
	{"force", 0, NULL, "also a prefix wider than /16, of IPv6 than /32"},
	JSON_OPTION,
};

const struct command allow_command = {
	.name = "allow",
	.summary = "lets an address or prefix pass limits and bans",
	.examples = "guia allow 192.0.2.0/24 --why 'the ministry'\n"
		    "guia allow 198.51.100.9 --for 2h\n",
	.synopsis = "PREFIX [--for TIME] [--why TEXT] [--force] [--run-dir DIR | -c FILE] [--json]",
	.description =
		"No limit and no automatic ban holds for it, and where requests wait for an origin it goes first. "
		"Its requests\n"
		"are inspected like any other. `guia unban` lifts it, `guia ban` lists it.",
	.options = allow_options,
	.option_count = sizeof(allow_options) / sizeof(allow_options[0]),
	.words_min = 1,
	.words_max = 1,
	.run = run_allow,
};

static const struct cli_option unban_options[] = {
	WATCH_PLACE_OPTIONS,
	JSON_OPTION,
};

const struct command unban_command = {
	.name = "unban",
	.summary = "lifts a ban or an allowance",
	.examples = "guia unban 192.0.2.7\n",
	.synopsis = "PREFIX [--run-dir DIR | -c FILE] [--json]",
	.description = "PREFIX as it was given. A ban that the watch decided on by itself is lifted too.",
	.options = unban_options,
	.option_count = sizeof(unban_options) / sizeof(unban_options[0]),
	.words_min = 1,
	.words_max = 1,
	.run = run_unban,
};
