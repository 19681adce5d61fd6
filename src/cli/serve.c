/* guia serve: nginx with the gate in front of one's sites, in the foreground. */
#include "cli/command.h"

#include "cli/site_options.h"
#include "serve/supervise.h"

static int run(const struct cli_arguments *arguments)
{
	struct site_options sites;
	int code = site_options_read(arguments, &sites);
	if (code != CLI_FINE)
		return code;
	if (sites.options.file == NULL && sites.sites[0] == NULL)
		return cli_fail(CLI_USER, "there is nothing to serve: give --site HOST=ORIGIN, or -c guia.yaml");
	return serve_run(&sites.options);
}

static const struct cli_option options[] = {
	SITE_OPTIONS,
	{"cache", 0, "DIR", "where compiled patterns are kept (default: $XDG_CACHE_HOME/guia)"},
};

const struct command serve_command = {
	.name = "serve",
	.summary = "serves sites through the gate",
	.examples = "guia serve --site www.example.gov.mo=http://127.0.0.1:9000\n"
		    "guia serve --listen 127.0.0.1:8000 --site a.mo,www.a.mo=http://127.0.0.1:9001\n"
		    "guia serve -c guia.yaml\n",
	.synopsis = "--site HOST[,HOST...]=ORIGIN... | -c FILE",
	.description =
		"Renders a configuration for nginx and runs nginx with Guia's module in the foreground, behind it the\n"
		"sites' origins: TLS where there is a certificate, HTTP/2, keep-alive to the origin, WebSocket, and a\n"
		"last good copy of public pages for when an origin fails. Without rules of one's own it runs the\n"
		"OWASP Core Rule Set at paranoia level 1, blocking. docs/configuration.md tells of the YAML.\n\n"
		"HUP reloads the configuration; one that is wrong is not taken. USR1 opens the logs anew. TERM and\n"
		"Ctrl-C end gracefully. If nginx dies this says so and exits with 3. Of sites with `detect: true` it\n"
		"says at the end, and in its log, what it would have blocked.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
