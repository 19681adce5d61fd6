/* The options that say which sites to serve, shared by serve and check. */
#ifndef GUIA_CLI_SITE_OPTIONS_H
#define GUIA_CLI_SITE_OPTIONS_H

#include "cli/command.h"
#include "serve/prepare.h"

enum {
	SITE_OPTIONS_MAX = 128,
};

struct site_options {
	struct serve_options options; /* its lists are the arrays below */
	const char *sites[SITE_OPTIONS_MAX + 1];
	const char *listens[SITE_OPTIONS_MAX + 1];
};

/* CLI_FINE, or CLI_USER after a message. */
int site_options_read(const struct cli_arguments *arguments, struct site_options *ret_options);

#define SITE_OPTIONS                                                                                                   \
	{"config", 'c', "FILE", "the configuration, in YAML"},                                                         \
		{"site", 's', "HOST=ORIGIN", "a site; may be given several times"},                                    \
		{"listen", 'l', "ADDRESS:PORT", "where to listen (default: 80 as root, else 8080)"},                   \
	{                                                                                                              \
		"run-dir", 0, "DIR", "private folder for configuration, logs, copies (default: a fresh one)"           \
	}

#endif
