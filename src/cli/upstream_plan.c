/*
 * The watch is asked what it would wish for. Each wish is then tried with the keeper, whose guard answers for each
 * operator. Nothing is announced.
 */
#include "cli/upstream_plan.h"

#include "base/control.h"
#include "cli/upstream_place.h"
#include "cli/upstream_route.h"
#include "cli/watch_place.h"
#include "codec/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLAN_SECONDS = 180 };

/* One that was asked for, and where it is. */
static void add_rule(const json_t *outcome, struct buffer *out)
{
	const char *lacks = answer_string(outcome, "lacks");
	if (lacks[0] != '\0')
		buffer_printf(out, "NOT SENT, for the router takes no %s", lacks);
	else if (strcmp(answer_string(outcome, "session"), "down") == 0)
		buffer_text(out, "waits for the session, which is DOWN");
	else
		buffer_text(out, "announced");
	buffer_printf(out, ": rule %.0f", answer_number(outcome, "id"));
}

int upstream_add_outcomes(const json_t *answer, bool dry, struct buffer *out)
{
	const json_t *outcomes = json_object_get(answer, "outcomes"), *item;
	int code = CLI_FINE;
	bool needs_yes = false;
	size_t i;
	text_add_terminal(out, slice_from_string(answer_string(answer, "told")));
	buffer_byte(out, '\n');
	json_array_foreach(outcomes, i, item)
	{
		bool passes = json_is_true(json_object_get(item, "passes"));
		buffer_printf(out, "  %-12s ", answer_string(item, "operator"));
		if (passes && !dry)
			add_rule(item, out);
		else
			buffer_text(out, passes ? "" : "refused: ");
		if (!passes || dry)
			text_add_terminal(out, slice_from_string(answer_string(item, "says")));
		buffer_byte(out, '\n');
		needs_yes = needs_yes || json_is_true(json_object_get(item, "needs_yes"));
		code = passes ? code : CLI_FINDINGS;
	}
	if (needs_yes)
		buffer_text(out, "Give --yes to agree, knowing that what it hits gets no visitor either.\n");
	return code;
}

static void add_link(const json_t *answer, struct buffer *out)
{
	const json_t *link = json_object_get(answer, "link");
	if (answer_number(link, "mbit") > 0)
		buffer_printf(out, "the link is %s: %.0f %% of %.0f Mbit/s%s\n",
			      json_is_true(json_object_get(link, "full")) ? "full" : "not full",
			      answer_number(link, "percent"), answer_number(link, "mbit"),
			      json_is_true(json_object_get(link, "visitors_fall")) ? ", and visitors fall away" : "");
	else
		buffer_text(out, "nobody said what the link carries (`link_mbit`): the watch asks nothing by itself\n");
	if (answer_number(answer, "addresses") == 0)
		buffer_text(
			out,
			"nobody said where the sites are reached (`addresses`): the watch asks nothing by itself\n");
	if (!json_is_true(json_object_get(answer, "edge")))
		buffer_text(
			out,
			"the watch has no edge (`guia edge attach`; if one is attached, `guia status` says why): what "
			"floods of packets look like is not seen\n");
	if (json_is_true(json_object_get(answer, "forwarded")))
		buffer_text(out, "a proxy names sources: none of them is asked for\n");
}

/* What the keeper's guard says of one. The answer is kept with the wish, for --json. */
static int add_wish(const struct cli_arguments *arguments, json_t *wish, struct buffer *out)
{
	char question[CONTROL_QUESTION_BYTES];
	struct buffer text;
	json_t *answer;
	snprintf(question, sizeof(question), "try * %d - %s\t%s", PLAN_SECONDS, answer_string(wish, "why"),
		 answer_string(wish, "route"));
	int code = upstream_place_ask(arguments, question, &text, &answer);
	if (code != CLI_FINE)
		return code;
	(void)upstream_add_outcomes(answer, true, out);
	buffer_text(out, "  because      ");
	text_add_terminal(out, slice_from_string(answer_string(wish, "why")));
	buffer_byte(out, '\n');
	json_object_set(wish, "outcomes", json_object_get(answer, "outcomes"));
	json_decref(answer);
	buffer_free(&text);
	return CLI_FINE;
}

static int add_plan(const struct cli_arguments *arguments, const json_t *answer, struct buffer *out)
{
	json_t *wish;
	size_t i;
	int code = CLI_FINE;
	add_link(answer, out);
	json_array_foreach(json_object_get(answer, "wishes"), i, wish)
	{
		code = add_wish(arguments, wish, out);
		if (code != CLI_FINE)
			return code;
	}
	if (json_array_size(json_object_get(answer, "wishes")) == 0)
		buffer_text(out, "there is nothing that it could ask for now\n");
	return CLI_FINE;
}

static int print_json(const json_t *answer)
{
	struct buffer text = buffer_make(NULL);
	char *json = json_dumps(answer, JSON_COMPACT);
	if (json == NULL)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	buffer_printf(&text, "%s\n", json);
	int code = cli_print_json(&text, CLI_FINE);
	free(json);
	buffer_free(&text);
	return code;
}

int upstream_plan_run(const struct cli_arguments *arguments)
{
	struct buffer text, out = buffer_make(NULL);
	json_t *answer;
	int code = upstream_route_none(arguments);
	code = code != CLI_FINE ? code : watch_place_ask(arguments, "upstream", &text, &answer);
	if (code != CLI_FINE)
		return code;
	buffer_free(&text);
	if (answer_string(answer, "fault")[0] != '\0')
		code = cli_fail(CLI_USER, "%s", answer_string(answer, "fault"));
	else
		code = add_plan(arguments, answer, &out);
	if (code == CLI_FINE && cli_flag(arguments, "json"))
		code = print_json(answer);
	else if (code == CLI_FINE)
		code = cli_print(&out, CLI_FINE);
	json_decref(answer);
	buffer_free(&out);
	return code;
}
