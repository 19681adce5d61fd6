/* Options that may be given several times become lists that end with NULL, as serve/prepare.h takes them. */
#include "cli/site_options.h"

static void collect(const struct cli_arguments *arguments, const char *name, const char **list)
{
	size_t count = 0;
	while (count < SITE_OPTIONS_MAX && (list[count] = cli_value_at(arguments, name, count)) != NULL)
		count++;
	list[count] = NULL;
}

void site_options_read(const struct cli_arguments *arguments, struct site_options *ret_options)
{
	collect(arguments, "site", ret_options->sites);
	collect(arguments, "listen", ret_options->listens);
	ret_options->options = (struct serve_options){
		.file = cli_value(arguments, "config"),
		.sites = ret_options->sites,
		.listens = ret_options->listens,
		.run_dir = cli_value(arguments, "run-dir"),
		.cache_dir = cli_value(arguments, "cache"),
	};
}
