/* guia status: whether the sites are up, on one screen. */
#include "cli/command.h"

#include "cli/watch_place.h"
#include "codec/text.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Words of others between ours. */
static void add_told(const char *before, const char *told, const char *after, struct buffer *out)
{
	buffer_text(out, before);
	text_add_terminal(out, slice_from_string(told));
	buffer_text(out, after);
}

static void add_span(double seconds, char text[24])
{
	long s = (long)seconds;
	if (s < 120)
		snprintf(text, 24, "%ld s", s);
	else if (s < 7200)
		snprintf(text, 24, "%ld min", s / 60);
	else
		snprintf(text, 24, s < 172800 ? "%ld h" : "%ld days", s < 172800 ? s / 3600 : s / 86400);
}

/* "up 3 min", "down: refused". */
static void add_state(const json_t *probe, char text[48])
{
	char span[24];
	if (probe == NULL) {
		snprintf(text, 48, "not fetched");
		return;
	}
	add_span(answer_number(probe, "for_seconds"), span);
	const char *fault = answer_string(probe, "fault");
	if (json_is_true(json_object_get(probe, "up")))
		snprintf(text, 48, "up %s", span);
	else if (fault[0] == '\0')
		snprintf(text, 48, "coming up, %.0f of 3", answer_number(probe, "good_in_a_row"));
	else if (strcmp(fault, "status") == 0)
		snprintf(text, 48, "down: status %.0f", answer_number(probe, "status"));
	else
		snprintf(text, 48, "down: %s", fault);
}

/* "12/50": of the origin's, as far as they are known. */
static void add_slots(const json_t *site, char text[24])
{
	if (json_object_get(site, "slots_at_most") == NULL)
		snprintf(text, 24, "-");
	else
		snprintf(text, 24, "%.0f/%.0f", answer_number(site, "slots"), answer_number(site, "slots_at_most"));
}

/* Requests for names that no site has, and connections that ask for nothing yet, are of no site. */
static const char *site_shown(const json_t *site)
{
	const char *name = answer_string(site, "site");
	return name[0] == '\0' ? "(no site)" : strcmp(name, "-") == 0 ? "(unknown names)" : name;
}

/* Of the table of sites: what stands first, and columns of figures, of which a narrow terminal has the first ones. */
enum { NAME_COLUMNS = 24, STATE_COLUMNS = 18, FIGURE_COLUMNS = 8, FIGURES = 7 };

static const char *const figure_heads[FIGURES][2] = {
	{"requests", "a second"}, {"blocked", "a second"}, {"5xx", "a second"}, {"origin", "ms"},
	{"slots", "in use"},      {"requests", "in hand"}, {"fetched", "ms"}};

static size_t figures_shown(void)
{
	struct winsize size;
	enum { FIRST = NAME_COLUMNS + STATE_COLUMNS + 1 };
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return FIGURES;
	size_t fit = size.ws_col > FIRST ? (size_t)(size.ws_col - FIRST) / (FIGURE_COLUMNS + 1) : 0;
	return fit < FIGURES ? fit : FIGURES;
}

static void add_row(const char *name, const char *state, const char figures[FIGURES][24], struct buffer *out)
{
	size_t shown = figures_shown();
	buffer_printf(out, "%-*s %-*s", NAME_COLUMNS, name, STATE_COLUMNS, state);
	for (size_t i = 0; i < shown; i++)
		buffer_printf(out, " %*s", FIGURE_COLUMNS, figures[i]);
	buffer_text(out, "\n");
}

static void add_heads(struct buffer *out)
{
	for (size_t line = 0; line < 2; line++) {
		char figures[FIGURES][24];
		for (size_t i = 0; i < FIGURES; i++)
			snprintf(figures[i], sizeof(figures[i]), "%s", figure_heads[i][line]);
		add_row(line == 0 ? "site" : "", line == 0 ? "state" : "", figures, out);
	}
}

static void add_site(const json_t *site, struct buffer *out)
{
	char state[48], figures[FIGURES][24];
	struct buffer name = buffer_make(NULL);
	const json_t *probe = json_object_get(site, "probe");
	const double numbers[FIGURES] = {answer_number(site, "requests_per_s"),  answer_number(site, "blocked_per_s"),
					 answer_number(site, "errors_per_s"),    answer_number(site, "origin_ms"),
					 [5] = answer_number(site, "in_flight"), [6] = answer_number(probe, "ms")};
	text_add_terminal(&name, slice_from_string(site_shown(site)));
	buffer_byte(&name, '\0');
	add_state(probe, state);
	for (size_t i = 0; i < FIGURES; i++)
		snprintf(figures[i], sizeof(figures[i]), i == 5 ? "%.0f" : "%.1f", numbers[i]);
	add_slots(site, figures[4]);
	if (probe == NULL)
		snprintf(figures[6], sizeof(figures[6]), "-");
	add_row(name.error == 0 ? (const char *)name.ptr : "?", state, figures, out);
	buffer_free(&name);
}

/* What a person ordered of it. */
static void add_mode(const json_t *site, struct buffer *out)
{
	const json_t *mode = json_object_get(site, "mode");
	if (mode == NULL || strcmp(answer_string(mode, "mode"), "open") == 0)
		return;
	buffer_text(out, "\n");
	text_add_terminal(out, slice_from_string(answer_string(site, "site")));
	buffer_printf(out, ": %s until %s, by ", answer_string(mode, "mode"), answer_string(mode, "until"));
	watch_place_add_user(mode, out);
	if (answer_string(mode, "why")[0] != '\0')
		add_told(": ", answer_string(mode, "why"), "", out);
	buffer_printf(out, "; %.0f requests kept from the origin\n", answer_number(mode, "hits"));
}

/* "late, errors" */
static void add_harm(const json_t *episode, struct buffer *out)
{
	const json_t *harm;
	size_t i;
	json_array_foreach(json_object_get(episode, "harm"), i, harm)
		buffer_printf(out, "%s%s", i == 0 ? ": " : ", ", json_string_value(harm));
}

static void add_after(const json_t *episode, const char *key, const char *what, struct buffer *out)
{
	if (json_object_get(episode, key) != NULL)
		buffer_printf(out, ", %s after %.1f s", what, answer_number(episode, key));
}

static void add_mitigation(const json_t *mitigation, struct buffer *out)
{
	char span[24];
	add_span(answer_number(mitigation, "seconds"), span);
	buffer_printf(out, "  %s %.0f, %s for %s: ", answer_string(mitigation, "kind"), answer_number(mitigation, "id"),
		      answer_string(mitigation, "stage"), span);
	if (answer_string(mitigation, "what")[0] != '\0')
		add_told("what ", answer_string(mitigation, "what"), "; ", out);
	buffer_printf(out, "%.0f a second, %.0f refused\n", answer_number(mitigation, "per_s"),
		      answer_number(mitigation, "hits"));
}

/* What is on, and what was on of late. */
static void add_episode(const json_t *site, struct buffer *out)
{
	const json_t *episode = json_object_get(site, "episode"), *mitigation;
	const json_t *visitors = json_object_get(site, "visitors");
	size_t i;
	if (episode == NULL)
		return;
	buffer_text(out, "\n");
	text_add_terminal(out, slice_from_string(site_shown(site)));
	buffer_printf(out, ": %s, %s since %s", answer_string(episode, "state"), answer_string(episode, "nature"),
		      answer_string(episode, "onset"));
	add_harm(episode, out);
	add_after(episode, "detected_after_s", "detected", out);
	add_after(episode, "mitigated_after_s", "in force", out);
	add_after(episode, "over_after_s", "over", out);
	buffer_text(out, "\n");
	json_array_foreach(json_object_get(episode, "mitigations"), i, mitigation) add_mitigation(mitigation, out);
	if (answer_number(episode, "bans") > 0)
		buffer_printf(out, "  %.0f sources banned\n", answer_number(episode, "bans"));
	if (answer_number(visitors, "asked") > 0)
		buffer_printf(out, "  of %.0f requests that nothing refused, %.1f %% answered, %.0f from a copy\n",
			      answer_number(visitors, "asked"), answer_number(visitors, "success_percent"),
			      answer_number(visitors, "copies"));
}

static void add_connections(const json_t *c, struct buffer *out)
{
	buffer_printf(
		out,
		"\nconnections: %.0f reading headers, %.0f idle; requests: %.0f reading bodies, %.0f waiting for the "
		"origin, %.0f writing, %.0f in work\n",
		answer_number(c, "reading-header"), answer_number(c, "idle"), answer_number(c, "reading-body"),
		answer_number(c, "waiting"), answer_number(c, "writing"), answer_number(c, "working"));
	const json_t *shed = json_object_get(c, "shed");
	const json_t *count;
	const char *kind;
	double sum = 0;
	json_object_foreach((json_t *)(uintptr_t)shed, kind, count) sum += json_number_value(count);
	if (sum > 0)
		buffer_printf(out,
			      "closed so far: %.0f heads and %.0f bodies that did not come, %.0f bodies below "
			      "guia_body_rate; of sources with too many, %.0f that brought nothing, %.0f not let in; "
			      "%.0f strangers turned away\n",
			      answer_number(shed, "heads"), answer_number(shed, "bodies"),
			      answer_number(shed, "below-rate"), answer_number(shed, "crowded"),
			      answer_number(shed, "refused"), answer_number(shed, "turned-away"));
}

static void add_watch(const json_t *status, struct buffer *out)
{
	const json_t *watch = json_object_get(status, "watch");
	buffer_printf(out, "workers: %.0f; events: %.0f read, %.0f overwritten unread\n",
		      answer_number(status, "workers"), answer_number(watch, "events"),
		      answer_number(watch, "events_lost"));
	if (answer_string(watch, "fault")[0] != '\0') {
		add_told("the gate tells nothing: ", answer_string(watch, "directory"), ": ", out);
		add_told("", answer_string(watch, "fault"), "\n", out);
	} else if (answer_number(status, "workers") == 0)
		add_told("no worker of nginx tells anything in ", answer_string(watch, "directory"), "\n", out);
	if (answer_number(watch, "files_refused") > 0)
		buffer_printf(out, "%.0f files there are of another version or broken\n",
			      answer_number(watch, "files_refused"));
}

/* "3 min" */
static void add_for(double ms, struct buffer *out)
{
	char span[24];
	add_span(ms / 1000, span);
	buffer_text(out, span);
}

static void add_stamps(const json_t *stamps, struct buffer *out)
{
	if (stamps == NULL)
		return;
	buffer_printf(out, "; %.0f timestamps", answer_number(stamps, "taken"));
	if (answer_number(stamps, "waiting") > 0) {
		buffer_printf(out, ", %.0f checkpoints have waited for one for ", answer_number(stamps, "waiting"));
		add_for(answer_number(stamps, "oldest_s") * 1000, out);
	}
	if (answer_string(stamps, "fault")[0] != '\0')
		add_told(": ", answer_string(stamps, "fault"), "", out);
}

/* How far it is sealed, signed and stamped, and what is wrong with it. */
static void add_evidence(const json_t *evidence, struct buffer *out)
{
	if (evidence == NULL) {
		buffer_text(out, "evidence: none is kept\n");
		return;
	}
	add_told("evidence in ", answer_string(evidence, "folder"), ": ", out);
	if (json_object_get(evidence, "sealed") != NULL)
		buffer_printf(out, "%.0f records sealed, %.0f of them unsigned", answer_number(evidence, "sealed"),
			      answer_number(evidence, "unsigned"));
	else
		buffer_text(out, "not open");
	if (answer_number(evidence, "unsealed_ms") >= 1000) {
		buffer_text(out, ", others have waited for ");
		add_for(answer_number(evidence, "unsealed_ms"), out);
	}
	if (answer_number(evidence, "lost") > 0)
		buffer_printf(out, ", %.0f had no room", answer_number(evidence, "lost"));
	if (answer_string(evidence, "fault")[0] != '\0')
		add_told(": ", answer_string(evidence, "fault"), "", out);
	add_stamps(json_object_get(evidence, "timestamps"), out);
	buffer_text(out, "\n");
}

static void add_status(const json_t *status, struct buffer *out)
{
	const json_t *sites = json_object_get(status, "sites"), *site;
	size_t i, up = 0;
	json_array_foreach(sites, i, site) up += json_is_true(json_object_get(json_object_get(site, "probe"), "up"));
	buffer_printf(out, "%s  %zu of %.0f sites up\n\n", answer_string(status, "time"), up,
		      answer_number(status, "probes"));
	add_heads(out);
	json_array_foreach(sites, i, site) add_site(site, out);
	json_array_foreach(sites, i, site) add_mode(site, out);
	json_array_foreach(sites, i, site) add_episode(site, out);
	add_connections(json_object_get(status, "connections"), out);
	watch_place_add_edge(status, out);
	add_watch(status, out);
	add_evidence(json_object_get(status, "evidence"), out);
}

static int run(const struct cli_arguments *arguments)
{
	struct buffer text, out = buffer_make(NULL);
	json_t *status;
	int code = watch_place_ask(arguments, "status", &text, &status);
	if (code != CLI_FINE)
		return code;
	code = json_is_true(json_object_get(status, "up")) ? CLI_FINE : CLI_FINDINGS;
	if (cli_flag(arguments, "json")) {
		code = cli_print_json(&text, code);
	} else {
		add_status(status, &out);
		code = cli_print(&out, code);
	}
	json_decref(status);
	buffer_free(&text);
	buffer_free(&out);
	return code;
}

static const struct cli_option options[] = {
	WATCH_PLACE_OPTIONS,
	{"json", 0, NULL, "everything the watch knows of the sites, as JSON"},
};

const struct command status_command = {
	.name = "status",
	.summary = "says whether the sites are up",
	.examples = "guia status\n"
		    "guia status -c guia.yaml\n"
		    "guia status --json | jq '.sites[] | {site, up: .probe.up}'\n",
	.synopsis = "[--run-dir DIR | -c FILE] [--json]",
	.description =
		"One screen of what the watch knows: of each site whether it is up, requests and blocked requests a\n"
		"second, errors, the origin's time, requests in flight; its mode, if a person gave it one (guia mode), "
		"and until when;\n"
		"what it was last attacked with, since when, "
		"what is\n"
		"refused because of it, and how many of the others' requests of the last ten seconds were answered; of "
		"the\n"
		"gate its connections by state.\n\n"
		"A site is up when three fetches in a row through the public listener, one a second, were answered "
		"with\n"
		"2xx or 3xx, whole, within two seconds. Exits with 0 only if every site is up, with 1 if one is not "
		"or\n"
		"none is fetched, with 3 if no watch answers. Sums are of the gate's own counters and exact; rates are "
		"of\n"
		"the last five seconds. A narrow terminal has the first columns only. With --json all numbers.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
