/* guia mode: whom a site's origin answers for a while. */
#include "cli/command.h"

#include "cli/watch_place.h"
#include "codec/text.h"
#include "limit/signature_image.h"
#include "mitigate/mode_register.h"

#include <inttypes.h>
#include <stdio.h>

enum { MODE_SECONDS = 3600 };

static bool is_open(const json_t *record)
{
	return strcmp(answer_string(record, "mode"), site_mode_name(SITE_OPEN)) == 0;
}

/* What is open is so until somebody says otherwise. */
static void add_mode(const json_t *record, struct buffer *out)
{
	struct buffer why = buffer_make(NULL);
	text_add_terminal(&why, slice_from_string(answer_string(record, "why")));
	buffer_printf(out, "%-8s ", answer_string(record, "mode"));
	text_add_terminal(out, slice_from_string(answer_string(record, "site")));
	if (!is_open(record))
		buffer_printf(out, " until %.19sZ", answer_string(record, "until"));
	const json_t *countries = json_object_get(record, "home_countries"), *country;
	size_t i;
	json_array_foreach(countries, i, country)
		buffer_printf(out, "%s%s", i == 0 ? "  home: " : ", ", json_string_value(country));
	if (countries != NULL)
		buffer_printf(out, " as of %s", answer_string(record, "home_countries_as_of"));
	if (json_object_get(record, "hits") != NULL)
		buffer_printf(out, "  %.0f kept out", answer_number(record, "hits"));
	buffer_printf(out, "  ordered %.16sZ by ", answer_string(record, "since"));
	watch_place_add_user(record, out);
	buffer_printf(out, "%s%.*s\n", why.len > 0 ? ": " : "", SLICE_ARG(buffer_slice(&why)));
	buffer_free(&why);
}

static void add_list(const json_t *modes, struct buffer *out)
{
	const json_t *record;
	size_t i;
	json_array_foreach(modes, i, record)
	{
		if (!is_open(record))
			add_mode(record, out);
	}
	if (out->len == 0)
		buffer_text(out, "every site is open\n");
}

static void add_answer(const json_t *answer, struct buffer *out)
{
	const json_t *modes = json_object_get(answer, "modes");
	if (modes != NULL)
		add_list(modes, out);
	else
		add_mode(answer, out);
}

/* The watch knows which sites there are; this is what would not pass as a word of the question. */
static bool site_possible(const char *site)
{
	size_t len = strlen(site);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)site[i] <= ' ')
			return false;
	return len > 0 && len <= SIGNATURE_SITE_BYTES;
}

static bool is_mode(const char *name)
{
	for (enum site_mode mode = SITE_OPEN; mode < SITE_MODES; mode++)
		if (strcmp(name, site_mode_name(mode)) == 0)
			return true;
	return false;
}

static int run(const struct cli_arguments *arguments)
{
	char question[600];
	uint64_t seconds = MODE_SECONDS;
	const char *span = cli_value(arguments, "for"), *why = cli_value(arguments, "why");
	why = why != NULL ? why : "";
	if (arguments->word_count == 0 && (span != NULL || why[0] != '\0'))
		return cli_fail(CLI_USER, "which site is to have which mode?");
	if (arguments->word_count == 0)
		return watch_place_say(arguments, add_answer, "modes");
	if (arguments->word_count == 1)
		return cli_fail(CLI_USER, "which mode is %s to have: open, guarded or local?", arguments->words[0]);
	if (!site_possible(arguments->words[0]))
		return cli_fail(CLI_USER, "%s: not a site's name", arguments->words[0]);
	if (!is_mode(arguments->words[1]))
		return cli_fail(CLI_USER, "%s: not a mode: open, guarded or local", arguments->words[1]);
	if (span != NULL && !cli_span(span, &seconds))
		return cli_fail(CLI_USER, "--for %s: a time such as 90s, 10m, 2h or 7d, a year at most", span);
	int code = cli_check_why(why, MODE_WHY_BYTES);
	if (code != CLI_FINE)
		return code;
	char site[SIGNATURE_SITE_BYTES + 1];
	for (size_t i = 0; i == 0 || site[i - 1] != '\0'; i++)
		site[i] = (char)byte_lower((uint8_t)arguments->words[0][i]);
	snprintf(question, sizeof(question), "mode %s %s %" PRIu64 " %s", site, arguments->words[1], seconds, why);
	return watch_place_say(arguments, add_answer, question);
}

static const struct cli_option options[] = {
	WATCH_PLACE_OPTIONS,
	{"for", 0, "TIME", "how long: 90s or 90, 10m, 2h, 7d (default: an hour)"},
	{"why", 0, "TEXT", "the reason, for those who come after"},
	{"json", 0, NULL, "the answer as a line of JSON"},
};

const struct command mode_command = {
	.name = "mode",
	.summary = "says whom a site's origin answers for a while",
	.examples = "guia mode www.example.gov.mo guarded --why 'the origin is slow'\n"
		    "guia mode www.example.gov.mo local --for 2h\n"
		    "guia mode www.example.gov.mo open\n"
		    "guia mode\n",
	.synopsis = "[SITE open|guarded|local [--for TIME] [--why TEXT]] [--run-dir DIR | -c FILE] [--json]",
	.description =
		"SITE as guia status calls it. What it was told before ends.\n\n"
		"open: limits and inspection as configured; a site is open unless a person says otherwise, and again "
		"when that\n"
		"is over. guarded: sources that the origin did not answer lately get an older copy of a page where "
		"there is\n"
		"one, and may have little of the origin's time. local: only who is at home by the configuration "
		"(home_networks,\n"
		"home_countries, home_lists) and who is allowed (guia allow) reach the origin; everyone else gets the "
		"last good copy, marked with "
		"its date\n"
		"(X-Guia-Copy), or the page that says that the site cannot be reached.\n\n"
		"It is at the gate at once, and holds until its end whether the watch runs or not. Nothing changes a "
		"site's mode\n"
		"but this. Without SITE it lists the modes in force, who and why, and how many requests were kept from "
		"the origin.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 2,
	.run = run,
};
