/* guia upstream: what operators' routers are asked to do; and the two ends of its service. */
#include "cli/command.h"

#include "base/control.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/upstream_place.h"
#include "cli/upstream_plan.h"
#include "cli/upstream_route.h"
#include "cli/watch_place.h"
#include "codec/text.h"
#include "upstream/exabgp.h"
#include "upstream/keeper.h"
#include "upstream/lease.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ASK_SECONDS = 600 };

/* ---- what there is ---- */

static void add_span(double seconds, struct buffer *out)
{
	if (seconds < 120)
		buffer_printf(out, "%.0f s", seconds);
	else if (seconds < 7200)
		buffer_printf(out, "%.0f min", seconds / 60);
	else
		buffer_printf(out, "%.0f h", seconds / 3600);
}

/* Which of what was agreed on with the operator its router refuses. False: nothing, as far as is known. */
static bool add_lacking(json_t *o, struct buffer *out)
{
	const char *name;
	const json_t *agreed;
	bool lacks = false;
	json_object_foreach(json_object_get(o, "families"), name, agreed)
	{
		if (!json_is_false(agreed))
			continue;
		buffer_printf(out, "%s%s", lacks ? ", " : "; ITS ROUTER TAKES NO ", name);
		lacks = true;
	}
	return lacks;
}

/* False: it is not as it should be. */
static bool add_operator(json_t *o, struct buffer *out)
{
	bool up = strcmp(answer_string(o, "session"), "up") == 0;
	buffer_printf(out, "%-12s %-20s session %s for ", answer_string(o, "name"), answer_string(o, "peer"),
		      up ? "up" : "DOWN");
	add_span(answer_number(o, "seconds"), out);
	buffer_printf(out, ", %.0f of %.0f rules", answer_number(o, "announced"), answer_number(o, "rules_most"));
	if (answer_number(o, "falls") > 0)
		buffer_printf(out, ", fell %.0f times in 10 min", answer_number(o, "falls"));
	bool lacks = add_lacking(o, out), flaps = json_is_true(json_object_get(o, "flaps"));
	if (answer_string(o, "said")[0] != '\0' && (!up || flaps)) {
		buffer_text(out, ": ");
		text_add_terminal(out, slice_from_string(answer_string(o, "said")));
	}
	buffer_byte(out, '\n');
	return up && !lacks && !flaps;
}

/*
 * ExaBGP takes what it has nobody to tell: where the session is down the router has none of it, nor where it takes no
 * such rules.
 */
static const char *state_of(const json_t *rule)
{
	const char *state = answer_string(rule, "state");
	bool waits = strcmp(state, "announced") == 0 && strcmp(answer_string(rule, "session"), "down") == 0;
	if (strcmp(state, "not sent") == 0)
		return "NOT SENT: the router takes no such rules";
	return waits ? "waiting for the session" : state;
}

static void add_rule(const json_t *rule, struct buffer *out)
{
	const struct passwd *user = getpwuid((uid_t)answer_number(rule, "by"));
	buffer_printf(out, "%4.0f  %-12s ", answer_number(rule, "id"), answer_string(rule, "operator"));
	text_add_terminal(out, slice_from_string(answer_string(rule, "told")));
	buffer_printf(out, "  (%s%s, ends in ", state_of(rule),
		      json_is_true(json_object_get(rule, "taken")) ? "" : ", not taken yet");
	add_span(answer_number(rule, "seconds_left"), out);
	buffer_text(out, ") by ");
	if (user != NULL)
		buffer_text(out, user->pw_name);
	else
		buffer_printf(out, "user %.0f", answer_number(rule, "by"));
	if (answer_string(rule, "why")[0] != '\0') {
		buffer_text(out, ": ");
		text_add_terminal(out, slice_from_string(answer_string(rule, "why")));
	}
	buffer_byte(out, '\n');
}

static void add_clock(time_t at, struct buffer *out)
{
	char text[32];
	struct tm parts;
	if (gmtime_r(&at, &parts) != NULL && strftime(text, sizeof(text), "%H:%M:%S", &parts) > 0)
		buffer_printf(out, " at %s UTC", text);
}

static bool is_silent(const json_t *answer)
{
	return json_is_true(json_object_get(json_object_get(answer, "watch"), "silent"));
}

/* Who holds the rules. False: nobody does, or will much longer. */
static bool add_watch(const json_t *answer, struct buffer *out)
{
	const json_t *watch = json_object_get(answer, "watch");
	bool held = json_is_true(json_object_get(answer, "held")),
	     silent = json_is_true(json_object_get(watch, "silent"));
	double left = answer_number(watch, "seconds_left");
	buffer_text(out, !held ? "no watch holds rules" : silent ? "THE WATCH IS SILENT" : "a watch holds rules");
	if (watch != NULL) {
		buffer_text(out, held ? ", heard " : ", the last was heard ");
		add_span(answer_number(watch, "heard_seconds"), out);
		buffer_text(out, " ago");
	}
	if (!held) {
		buffer_text(out, json_array_size(json_object_get(answer, "rules")) > 0 ? ": all are being withdrawn"
										       : ": none is announced");
	} else if (silent) {
		buffer_text(out, ": unless it comes back, all rules are withdrawn");
		add_clock(time(NULL) + (time_t)left, out);
		buffer_printf(out, ", in %.0f s", left);
	}
	buffer_byte(out, '\n');
	return held && !silent;
}

/* 1 where something is as it should not be: a session, ExaBGP, nobody to hold. */
static int add_status(const json_t *answer, struct buffer *out)
{
	const json_t *operators = json_object_get(answer, "operators"), *rules = json_object_get(answer, "rules");
	json_t *item;
	bool well = json_is_true(json_object_get(answer, "exabgp"));
	size_t i;
	json_array_foreach(operators, i, item)
	{
		well = add_operator(item, out) && well;
	}
	if (!json_is_true(json_object_get(answer, "exabgp")))
		buffer_text(out, "ExaBGP does not answer\n");
	well = add_watch(answer, out) && well;
	json_array_foreach(rules, i, item) add_rule(item, out);
	if (json_array_size(rules) == 0)
		buffer_text(out, "nothing is asked of operators\n");
	return well ? CLI_FINE : CLI_FINDINGS;
}

static int run_status(const struct cli_arguments *arguments)
{
	struct buffer text, out = buffer_make(NULL);
	json_t *answer;
	int code = upstream_place_ask(arguments, "status", &text, &answer);
	if (code != CLI_FINE)
		return code;
	code = add_status(answer, &out);
	code = cli_flag(arguments, "json") ? cli_print_json(&text, code) : cli_print(&out, code);
	json_decref(answer);
	buffer_free(&text);
	buffer_free(&out);
	return code;
}

/* ---- asking ---- */

static int question_make(const struct cli_arguments *arguments, bool dry, struct buffer *question)
{
	struct route route;
	uint64_t seconds = ASK_SECONDS;
	const char *operator_ = cli_value(arguments, "operator"), *span = cli_value(arguments, "for"),
		   *why = cli_value(arguments, "why");
	int code = upstream_route_read(arguments, arguments->words[1], &route);
	if (code != CLI_FINE)
		return code;
	if (span != NULL && !cli_span(span, &seconds))
		return cli_fail(CLI_USER, "--for %s: a time such as 90s, 10m or 2h, a year at most", span);
	why = why != NULL ? why : "";
	code = cli_check_why(why, LEASE_WHY_BYTES);
	if (code != CLI_FINE)
		return code;
	if (operator_ != NULL && (*operator_ == '\0' || strpbrk(operator_, " \t\n") != NULL))
		return cli_fail(CLI_USER, "--operator: a name of the configuration");
	buffer_printf(question, "%s %s %" PRIu64 " %s %s\t", dry ? "try" : "ask", operator_ != NULL ? operator_ : "*",
		      seconds, cli_flag(arguments, "yes") ? "yes" : "-", why);
	if (route_write(&route, question) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	buffer_byte(question, '\0');
	return CLI_FINE;
}

static int run_ask(const struct cli_arguments *arguments, bool dry)
{
	struct buffer question = buffer_make(NULL), text, out = buffer_make(NULL);
	json_t *answer;
	int code = question_make(arguments, dry, &question);
	if (code == CLI_FINE && question.len > CONTROL_QUESTION_BYTES)
		code = cli_fail(CLI_USER, "that is longer than a rule may be");
	code = code != CLI_FINE ? code : upstream_place_ask(arguments, (const char *)question.ptr, &text, &answer);
	buffer_free(&question);
	if (code != CLI_FINE)
		return code;
	code = upstream_add_outcomes(answer, dry, &out);
	/* What was announced now ends with the rest. */
	if (json_is_true(json_object_get(answer, "held")) && is_silent(answer))
		(void)add_watch(answer, &out);
	code = cli_flag(arguments, "json") ? cli_print_json(&text, code) : cli_print(&out, code);
	json_decref(answer);
	buffer_free(&text);
	buffer_free(&out);
	return code;
}

static int run_withdraw(const struct cli_arguments *arguments)
{
	char question[64];
	struct buffer text;
	json_t *answer;
	const char *which = arguments->words[1];
	bool all = strcmp(which, "all") == 0;
	if (!all && (which[strspn(which, "0123456789")] != '\0' || strlen(which) > 10))
		return cli_fail(CLI_USER, "withdraw %s: which? the number that `guia upstream` shows, or all", which);
	snprintf(question, sizeof(question), "end %s", which);
	int code = upstream_place_ask(arguments, question, &text, &answer);
	if (code != CLI_FINE)
		return code;
	json_decref(answer);
	if (cli_flag(arguments, "json")) {
		code = cli_print_json(&text, CLI_FINE);
	} else {
		buffer_clear(&text);
		buffer_printf(&text, all ? "all rules are withdrawn\n" : "rule %s is withdrawn\n", which);
		code = cli_print(&text, CLI_FINE);
	}
	buffer_free(&text);
	return code;
}

/* ---- the service ---- */

static int run_keep(const struct cli_arguments *arguments)
{
	struct upstream_place place;
	const char *what = "";
	int code = upstream_place_load(arguments, &place);
	if (code != CLI_FINE)
		return code;
	const struct keeper_options options = {place.folder, place.operators.items, place.operators.count};
	int r = keeper_run(&options, &what);
	if (r == KEEPER_BUSY)
		code = cli_fail(CLI_ENVIRONMENT, "%s: another keeper is running there", place.folder);
	else if (r != 0)
		code = cli_fail(CLI_ENVIRONMENT, "%s: %s", what, strerror(-r));
	upstream_place_free(&place);
	return code;
}

/* The words after `guia upstream`. */
static int run(const struct cli_arguments *arguments)
{
	static const struct {
		const char *name;
		size_t words_least, words_most;
		const char *needs;
	} verbs[] = {{"plan", 1, 2, "plan [DESTINATION]"},
		     {"ask", 2, 2, "ask DESTINATION"},
		     {"withdraw", 2, 2, "withdraw ID|all"},
		     {"configure", 1, 1, "configure -c FILE"},
		     {"keep", 1, 1, "keep -c FILE"}};
	const char *verb = arguments->word_count > 0 ? arguments->words[0] : "";
	size_t at = 0;
	if (*verb == '\0')
		return run_status(arguments);
	while (at < sizeof(verbs) / sizeof(verbs[0]) && strcmp(verb, verbs[at].name) != 0)
		at++;
	if (at == sizeof(verbs) / sizeof(verbs[0]))
		return cli_fail(CLI_USER, "upstream %s: there are plan, ask, withdraw, configure and keep", verb);
	if (arguments->word_count < verbs[at].words_least || arguments->word_count > verbs[at].words_most)
		return cli_fail(CLI_USER, "it is `guia upstream %s`; see `guia help upstream`", verbs[at].needs);
	switch (at) {
	case 0:
		return arguments->word_count > 1 ? run_ask(arguments, true) : upstream_plan_run(arguments);
	case 1:
		return run_ask(arguments, false);
	case 2:
		return run_withdraw(arguments);
	case 3:
		return upstream_place_configure(arguments);
	default:
		return run_keep(arguments);
	}
}

static const struct cli_option options[] = {
	UPSTREAM_PLACE_OPTIONS,
	{"run-dir", 0, "DIR", "of `plan` without a destination: the run directory of `guia serve` or `guia watch`"},
	UPSTREAM_ROUTE_OPTIONS,
	{"for", 0, "TIME", "how long: 90s or 90, 10m, 2h (default: ten minutes); the agreement has a longest"},
	{"why", 0, "TEXT", "the reason, for those who come after (asked again: default, the one before)"},
	{"operator", 'o', "NAME", "whom to ask (default: all)"},
	{"yes", 0, NULL, "agree to what takes visitors away, too"},
	{"user", 0, "NAME", "who ExaBGP is to run as: what `configure` writes is given to it (as root)"},
	{"json", 0, NULL, "the answer as a line of JSON"},
};

const struct command upstream_command = {
	.name = "upstream",
	.summary = "asks operators to filter before the link",
	.examples = "guia upstream\n"
		    "guia upstream plan\n"
		    "guia upstream plan 192.0.2.10 --protocol udp\n"
		    "guia upstream ask 192.0.2.10 --protocol udp --port 1-79,81-442 --for 10m --why 'UDP flood'\n"
		    "guia upstream ask 192.0.2.10 --from 198.51.100.0/24\n"
		    "guia upstream ask 192.0.2.10 --blackhole --yes\n"
		    "guia upstream withdraw all\n",
	.synopsis = "[plan [DESTINATION] | ask DESTINATION | withdraw ID|all | configure | keep] [--upstream-dir DIR | "
		    "-c FILE]",
	.description =
		"Asks the routers of the operators in `operators:` of guia.yaml, over BGP, to drop packets to "
		"DESTINATION, an\n"
		"address or prefix of ours, before they reach our link (FlowSpec, RFC 8955; blackholing, RFC 7999). "
		"Each rule\n"
		"ends by itself, and all of them end 25 seconds after the watch has: nobody would see what they do.\n"
		"`plan` says what an ask would come to, and announces nothing; where no keeper runs, -c FILE alone\n"
		"decides. Without DESTINATION it says what the watch itself would ask if the link were full now. What\n"
		"would keep visitors away, too, needs --yes, of root or the keeper's user. `withdraw` takes the "
		"number\n"
		"that `guia upstream` shows. docs/operators.md tells what is announced, and how to try it.\n\n"
		"Without a word it shows sessions, rules and the watch that holds them, and exits with 1 if a session\n"
		"is down, its router does not take all that was agreed, or the watch is silent. `configure` writes\n"
		"ExaBGP's configuration, and `keep` is the process that ExaBGP starts by it: both belong to the\n"
		"service (packaging/).",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 2,
	.run = run,
};
