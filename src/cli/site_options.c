/* Options that may be given several times become lists that end with NULL, as serve/prepare.h takes them. */
#include "cli/site_options.h"

int site_options_read(const struct cli_arguments *arguments, struct site_options *ret_options)
{
	int code = cli_values(arguments, "site", SITE_OPTIONS_MAX, ret_options->sites);
	if (code == CLI_FINE)
		code = cli_values(arguments, "listen", SITE_OPTIONS_MAX, ret_options->listens);
	ret_options->options = (struct serve_options){
		.file = cli_value(arguments, "config"),
		.sites = ret_options->sites,
		.listens = ret_options->listens,
		.run_dir = cli_value(arguments, "run-dir"),
		.cache_dir = cli_value(arguments, "cache"),
	};
	return code;
}
