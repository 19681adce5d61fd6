/* guia screen: pages for the duty officer, in the foreground; or a new address of one that runs. */
#include "screen/screen.h"

#include "base/error.h"
#include "cli/command.h"
#include "cli/watch_place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct place {
	char run_dir[PATH_MAX];
	char own[PATH_MAX];
	char control[PATH_MAX];
};

static int print_address(const struct cli_arguments *arguments)
{
	struct buffer text;
	json_t *answer;
	int code = watch_place_ask_screen(arguments, "address", &text, &answer);
	if (code != CLI_FINE)
		return code;
	if (printf("%s\n", answer_string(answer, "address")) < 0 || fflush(stdout) != 0)
		code = cli_fail(CLI_ENVIRONMENT, "cannot write");
	json_decref(answer);
	buffer_free(&text);
	return code;
}

static int find_place(const struct cli_arguments *arguments, struct place *place)
{
	const char *run_dir = cli_value(arguments, "run-dir"), *file = cli_value(arguments, "config");
	const char *control = cli_value(arguments, "control");
	if (run_dir == NULL && file == NULL)
		return cli_fail(CLI_USER, "of which watch? give --run-dir DIR, or -c FILE with a run_dir");
	snprintf(place->run_dir, sizeof(place->run_dir), "%s", run_dir != NULL ? run_dir : "");
	int code = run_dir == NULL ? watch_place_of_config(file, place->run_dir) : CLI_FINE;
	if (code == CLI_FINE && place->run_dir[0] == '\0')
		code = cli_fail(CLI_USER, "%s names no run_dir: give --run-dir", file);
	if (code != CLI_FINE)
		return code;
	int a = snprintf(place->own, sizeof(place->own), "%s/screen", place->run_dir);
	int b = snprintf(place->control, sizeof(place->control), control != NULL ? "%s" : "%s/control",
			 control != NULL ? control : place->run_dir);
	if (a >= (int)sizeof(place->own) || b >= (int)sizeof(place->control))
		return cli_fail(CLI_USER, "%s: too long", place->run_dir);
	return CLI_FINE;
}

static int serve(const struct cli_arguments *arguments)
{
	struct place place;
	const char *what = "", *listen = cli_value(arguments, "listen");
	const char *should = listen != NULL ? screen_listen_valid(slice_from_string(listen)) : NULL;
	if (should != NULL)
		return cli_fail(CLI_USER, "--listen %s: should be %s", listen, should);
	int code = find_place(arguments, &place);
	if (code != CLI_FINE)
		return code;
	const struct screen_options options = {
		.listen = listen, .control = place.control, .own = place.own, .user = cli_value(arguments, "user")};
	int r = screen_run(&options, &what);
	if (r == SCREEN_BUSY)
		return cli_fail(CLI_ENVIRONMENT, "%s: another screen is running there", place.run_dir);
	return r != 0 ? cli_fail(CLI_ENVIRONMENT, "%s: %s", what, strerror(-r)) : CLI_FINE;
}

static int run(const struct cli_arguments *arguments)
{
	return cli_flag(arguments, "address") ? print_address(arguments) : serve(arguments);
}

static const struct cli_option options[] = {
	WATCH_PLACE_OPTIONS,
	{"address", 0, NULL, "print a new address of the screen that runs there, and end"},
	{"listen", 'l', "ADDRESS:PORT",
	 "where, on this machine alone (default: 127.0.0.1:9180, or a port that is free)"},
	{"control", 0, "FILE", "the watch's control socket (default: control in the run directory)"},
	{"user", 'u', "NAME", "whom to become once the sockets are made"},
};

const struct command screen_command = {
	.name = "screen",
	.summary = "shows what is happening, in a browser on this machine",
	.examples = "guia screen --address\n"
		    "guia screen --run-dir /run/guia-watch\n"
		    "ssh -L 9180:127.0.0.1:9180 gate.example.gov.mo\n",
	.synopsis = "--address [--run-dir DIR | -c FILE] | --run-dir DIR [--listen ADDRESS:PORT]",
	.description =
		"`guia serve` starts one by itself and prints its address; this is for a `guia watch` that runs alone, "
		"and for\n"
		"--address, which prints another. An address lets in once, within a quarter of an hour, the user whose "
		"browser\n"
		"opens it first; from then on a cookie does, until it was unused for twelve hours. What is undone on "
		"the screen\n"
		"is recorded as that user's: whose browser it is, or who holds the tunnel of ssh, which is how to see "
		"it from\n"
		"another machine.\n\n"
		"It shows each site (up, degraded, under attack), requests by what became of them, what comes most and "
		"what is\n"
		"usual, and every incident: who is affected, what is in force, how to undo it, and its report. Pages "
		"are in\n"
		"English, Portuguese and Chinese, live, and can be read without scripts. docs/screen.md tells more.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
