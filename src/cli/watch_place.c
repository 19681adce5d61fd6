/*
 * Where a daemon's socket is: in --run-dir, else where -c says, else in the only one of the usual places where it can
 * be reached, else where the usual configuration says. Below that, lines about the edge, the link and packets that
 * several commands show.
 */
#include "cli/watch_place.h"

#include "base/error.h"
#include "codec/text.h"
#include "serve/prepare.h"
#include "base/control.h"

#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USUAL_CONFIG "/etc/guia/guia.yaml"

enum {
	ARENA_BYTES = 64 << 20,
	PATIENCE_SECONDS = 15, /* with a watch on a machine that is overwhelmed */
};

int watch_place_of_config(const char *file, char path[PATH_MAX])
{
	const char *const none[] = {NULL};
	const struct serve_options options = {.file = file, .sites = none, .listens = none};
	const struct notice notice = {-1};
	struct serve_config config;
	struct arena arena;
	arena_init(&arena, ARENA_BYTES, 0);
	int code = prepare_config(&options, &notice, &arena, &config);
	if (code == SERVE_FINE) {
		snprintf(path, PATH_MAX, "%.*s", SLICE_ARG(config.run_dir));
		config_free(&config);
	}
	arena_destroy(&arena);
	return code;
}

/* A daemon with a control socket in the run directory. */
struct daemon_place {
	const char *name; /* "watch" */
	const char *socket;
};

static const struct daemon_place watch_place = {"watch", "control"}, screen_place = {"screen", "screen"};

static int place_path(const struct daemon_place *place, const char *run_dir, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", run_dir, place->socket) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static const char *temp_dir(void)
{
	const char *temp = getenv("TMPDIR");
	return temp != NULL && temp[0] == '/' ? temp : "/tmp";
}

/* Where a watch may be if nobody says: where the units of packaging/ put it, and fresh folders of `guia serve`. */
static void list_usual(glob_t *found)
{
	static const char *const usual[] = {"/var/lib/guia/gate", "/run/guia-watch", "/run/guia-screen"};
	char pattern[PATH_MAX];
	snprintf(pattern, sizeof(pattern), "%s/guia-??????", temp_dir());
	(void)glob(pattern, GLOB_NOSORT, NULL, found);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		(void)glob(usual[i], GLOB_NOSORT | GLOB_APPEND, NULL, found);
}

/* Where the configuration in its usual place says; whether anybody is there is not asked. */
static bool configured(char run_dir[PATH_MAX])
{
	return access(USUAL_CONFIG, R_OK) == 0 && watch_place_of_config(USUAL_CONFIG, run_dir) == CLI_FINE &&
	       run_dir[0] != '\0';
}

/* The only one there is. They are not asked until it is known: an order is for one. */
static int find_only(const struct daemon_place *place, char run_dir[PATH_MAX])
{
	glob_t found = {0};
	char path[PATH_MAX];
	const char *only = NULL, *other = NULL, *barred = NULL;
	list_usual(&found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int r = place_path(place, found.gl_pathv[i], path);
		r = r == 0 ? control_reach(path) : r;
		if (r == -EACCES)
			barred = found.gl_pathv[i];
		if (r != 0)
			continue;
		other = only;
		only = found.gl_pathv[i];
	}
	int code = CLI_FINE;
	if (other != NULL)
		code = cli_fail(CLI_USER, "several are running: give --run-dir %s or --run-dir %s", other, only);
	else if (only != NULL)
		snprintf(run_dir, PATH_MAX, "%s", only);
	else if (configured(run_dir))
		;
	else if (barred != NULL)
		code = cli_fail(CLI_ENVIRONMENT,
				"no %s is running that this user may ask; %s is another user's: ask as root, or as who "
				"started it",
				place->name, barred);
	else
		code = cli_fail(
			CLI_ENVIRONMENT,
			"no %s is running in %s/guia-*, the packages' folders, or where " USUAL_CONFIG
			" says; for one elsewhere give --run-dir DIR, which it printed, or -c FILE with a run_dir",
			place->name, temp_dir());
	globfree(&found);
	return code;
}

static int ask_there(const struct daemon_place *place, const char *run_dir, const char *question, struct buffer *text)
{
	char path[PATH_MAX];
	int r = place_path(place, run_dir, path);
	r = r == 0 ? control_ask_within(path, question, PATIENCE_SECONDS, text) : r;
	if (r == -EACCES && geteuid() == 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: the %s ended before it answered: look again", run_dir,
				place->name);
	if (r == -EACCES)
		return cli_fail(CLI_ENVIRONMENT,
				"%s: the %s does not answer this user: ask as root, or as who started it", run_dir,
				place->name);
	if (r == -ETIMEDOUT)
		return cli_fail(CLI_ENVIRONMENT,
				"%s: the %s has not answered for %d s; what it was told it may still do: look again",
				run_dir, place->name, PATIENCE_SECONDS);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return cli_fail(CLI_ENVIRONMENT, "%s: no %s is running there", run_dir, place->name);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: no %s answers there: %s", run_dir, place->name, strerror(-r));
	return CLI_FINE;
}

/* Who gives a configuration that names no run directory means the one that is running. */
static int ask(const struct daemon_place *place, const struct cli_arguments *arguments, const char *question,
	       struct buffer *text)
{
	char path[PATH_MAX] = "";
	const char *run_dir = cli_value(arguments, "run-dir"), *file = cli_value(arguments, "config");
	int code = run_dir == NULL && file != NULL ? watch_place_of_config(file, path) : CLI_FINE;
	if (code == CLI_FINE && run_dir == NULL && path[0] == '\0')
		code = find_only(place, path);
	return code != CLI_FINE ? code : ask_there(place, run_dir != NULL ? run_dir : path, question, text);
}

static int ask_json(const struct daemon_place *place, const struct cli_arguments *arguments, const char *question,
		    struct buffer *ret_text, json_t **ret_json)
{
	json_error_t error;
	struct buffer text = buffer_make(NULL);
	int code = ask(place, arguments, question, &text);
	json_t *json = NULL;
	if (code == CLI_FINE && (json = json_loadb((const char *)text.ptr, text.len, 0, &error)) == NULL)
		code = cli_fail(CLI_ENVIRONMENT, "the %s's answer cannot be read: %s", place->name, error.text);
	if (code != CLI_FINE) {
		buffer_free(&text);
		return code;
	}
	*ret_text = text;
	*ret_json = json;
	return CLI_FINE;
}

int watch_place_ask(const struct cli_arguments *arguments, const char *question, struct buffer *ret_text,
		    json_t **ret_json)
{
	return ask_json(&watch_place, arguments, question, ret_text, ret_json);
}

int watch_place_ask_screen(const struct cli_arguments *arguments, const char *question, struct buffer *ret_text,
			   json_t **ret_json)
{
	return ask_json(&screen_place, arguments, question, ret_text, ret_json);
}

int watch_place_say(const struct cli_arguments *arguments, void (*add)(const json_t *answer, struct buffer *out),
		    const char *question)
{
	struct buffer text, out = buffer_make(NULL);
	json_t *answer;
	int code = watch_place_ask(arguments, question, &text, &answer);
	if (code != CLI_FINE)
		return code;
	if (answer_string(answer, "fault")[0] != '\0')
		code = cli_fail(json_is_true(json_object_get(answer, "machine")) ? CLI_ENVIRONMENT : CLI_USER, "%s: %s",
				arguments->word_count > 0 ? arguments->words[0] : "the watch",
				answer_string(answer, "fault"));
	else if (cli_flag(arguments, "json"))
		code = cli_print_json(&text, CLI_FINE);
	else {
		add(answer, &out);
		code = cli_print(&out, CLI_FINE);
	}
	json_decref(answer);
	buffer_free(&text);
	buffer_free(&out);
	return code;
}

void watch_place_add_user(const json_t *record, struct buffer *out)
{
	json_int_t id = json_integer_value(json_object_get(record, "by"));
	const struct passwd *user = getpwuid((uid_t)id);
	if (user != NULL)
		buffer_printf(out, "%s", user->pw_name);
	else
		buffer_printf(out, "user %lld", (long long)id);
}

/* Who cannot be helped by anything here is told so. */
static void add_link(const json_t *answer, struct buffer *out)
{
	const json_t *link = json_object_get(answer, "link"), *keeper = json_object_get(answer, "keeper");
	if (keeper != NULL)
		buffer_printf(out, "operators: %s: %s\n", answer_string(keeper, "socket"),
			      answer_string(keeper, "fault"));
	if (link == NULL)
		return;
	bool full = json_is_true(json_object_get(link, "full"));
	if (json_is_true(json_object_get(link, "may_be_full"))) {
		buffer_printf(
			out,
			"link: MAY BE FULL: %.0f Mbit/s come, no more and no less each second, and visitors fall away; "
			"nobody said how wide it is (link_mbit), so no operator is asked\n",
			answer_number(link, "mbit_now"));
		return;
	}
	buffer_printf(out, "link: %s, %.0f %% of %.0f Mbit/s%s", full ? "FULL" : "not full",
		      answer_number(link, "share_percent"), answer_number(link, "mbit"),
		      json_is_true(json_object_get(link, "visitors_falling")) ? ", visitors fall away" : "");
	if (json_object_get(link, "operators") != NULL)
		buffer_printf(out, "; %.0f of %.0f operators' sessions up", answer_number(link, "operators_up"),
			      answer_number(link, "operators"));
	if (answer_number(link, "operators_unfit") > 0)
		buffer_printf(out, ", %.0f MORE BUT WITH A ROUTER THAT TAKES NO RULES",
			      answer_number(link, "operators_unfit"));
	if (json_object_get(link, "operators") != NULL)
		buffer_printf(out, ", %.0f rules asked of them (guia upstream)", answer_number(link, "rules"));
	buffer_byte(out, '\n');
	if (full && answer_number(link, "operators_up") == 0)
		buffer_text(out, "THE LINK IS FULL AND NO OPERATOR CAN BE ASKED: telephone (docs/attack.md)\n");
}

static void add_packet_list(const json_t *flood, const char *key, const char *what, struct buffer *out)
{
	const char *list = answer_string(flood, key);
	if (list[0] == '\0')
		return;
	buffer_text(out, what);
	text_add_terminal(out, slice_from_string(list));
}

/* Floods of packets that are on. Whom they say they come from is shown, and that this may be forged. */
static void add_packets(const json_t *answer, struct buffer *out)
{
	const json_t *flood;
	size_t i;
	json_array_foreach(json_object_get(answer, "packets"), i, flood)
	{
		if (!json_is_true(json_object_get(flood, "on")))
			continue;
		buffer_printf(out, "PACKETS: %s, since %s: %.0f a second, %.0f so far, %s\n",
			      answer_string(flood, "what"), answer_string(flood, "onset"),
			      answer_number(flood, "per_s"), answer_number(flood, "packets"),
			      json_is_true(json_object_get(flood, "held")) ? "held" : "not held");
		if (answer_number(flood, "sampled") == 0)
			continue;
		add_packet_list(flood, "destinations", "  to ", out);
		add_packet_list(flood, "ports", "; ", out);
		add_packet_list(flood, "from_ports", ", from ", out);
		add_packet_list(flood, "networks_may_be_forged",
				"\n  networks they say they come from (may be forged): ", out);
		buffer_printf(out, "; %.0f in all\n", answer_number(flood, "networks_sampled"));
	}
}

void watch_place_add_edge(const json_t *answer, struct buffer *out)
{
	const json_t *edge = json_object_get(answer, "edge"), *interface, *rate;
	const char *reason;
	size_t i;
	add_link(answer, out);
	add_packets(answer, out);
	if (answer_string(answer, "edge_fault")[0] != '\0')
		buffer_printf(out, "edge: %s\n", answer_string(answer, "edge_fault"));
	if (edge == NULL)
		return;
	buffer_text(out, "edge:");
	json_array_foreach(json_object_get(edge, "interfaces"), i, interface)
		buffer_printf(out, "%s %s (%s)", i > 0 ? "," : "", answer_string(interface, "name"),
			      answer_string(interface, "mode"));
	buffer_printf(out, "; %.0f bans; packets a second:", answer_number(edge, "bans"));
	i = 0;
	json_object_foreach((json_t *)json_object_get(edge, "packets_per_s"), reason,
			    rate) if (json_number_value(rate) > 0)
		buffer_printf(out, "%s %.0f %s", i++ > 0 ? "," : "", json_number_value(rate), reason);
	buffer_printf(out, "%s\n", i == 0 ? " none" : "");
}
