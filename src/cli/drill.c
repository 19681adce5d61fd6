/* guia drill: the day of the attack, re-enacted on this machine. */
#include "cli/command.h"

#include "base/error.h"
#include "base/hash.h"
#include "drill/drill.h"

#include <stdlib.h>

enum {
	SHAPES_MAX = 64,
};

static int read_seed(const char *text, uint64_t *ret_seed)
{
	if (text == NULL) {
		*ret_seed = hash_key_random().k0 >> 33; /* short enough to be typed again */
		return CLI_FINE;
	}
	if (!cli_number(text, 0, INT64_MAX, ret_seed))
		return cli_fail(CLI_USER, "--seed %s: give a whole number, as a drill before printed it", text);
	return CLI_FINE;
}

static int list_shapes(const char *name, const struct nearest *nearest)
{
	struct buffer known = buffer_make(NULL);
	for (size_t i = 0; i < shape_count; i++)
		buffer_printf(&known, "%s%s", i > 0 ? ", " : "", shapes[i].name);
	int code = nearest->name != NULL
			   ? cli_fail(CLI_USER, "--shape %s: did you mean %s?", name, nearest->name)
			   : cli_fail(CLI_USER, "--shape %s: there are %.*s", name, SLICE_ARG(buffer_slice(&known)));
	buffer_free(&known);
	return code;
}

static int read_shapes(const struct cli_arguments *arguments, const struct shape *list[SHAPES_MAX], size_t *ret_count)
{
	const char *names[SHAPES_MAX + 1];
	size_t count = 0;
	int code = cli_values(arguments, "shape", SHAPES_MAX, names);
	if (code != CLI_FINE)
		return code;
	for (; names[count] != NULL; count++) {
		struct nearest nearest;
		list[count] = shape_find(names[count], &nearest);
		if (list[count] == NULL)
			return list_shapes(names[count], &nearest);
	}
	for (size_t i = 0; count == 0 && i < shape_count; i++)
		list[i] = &shapes[i];
	*ret_count = count > 0 ? count : shape_count;
	return CLI_FINE;
}

static int run(const struct cli_arguments *arguments)
{
	const struct shape *list[SHAPES_MAX];
	struct drill_options options = {
		.shapes = list,
		.brief = cli_flag(arguments, "brief"),
		.json = cli_flag(arguments, "json"),
	};
	int code = read_shapes(arguments, list, &options.shape_count);
	code = code != CLI_FINE ? code : read_seed(cli_value(arguments, "seed"), &options.seed);
	return code != CLI_FINE ? code : drill_run(&options);
}

static const struct cli_option options[] = {
	{"shape", 's', "NAME", "one of those above; may be given several times (default: all)"},
	{"seed", 0, "N", "decides addresses, times and what gives the attackers away (default: drawn, and printed)"},
	{"brief", 0, NULL,
	 "seconds instead of a minute, at a third of the rate: shows that all works, measures little"},
	{"json", 0, NULL, "one JSON object with all figures (docs/drill.md) instead of text"},
};

const struct command drill_command = {
	.name = "drill",
	.summary = "re-enacts an attack on this machine, with Guia and without",
	.examples = "guia drill --shape get-flood\n"
		    "guia drill --seed 4711\n"
		    "guia drill --brief --shape slow-head --json\n",
	.synopsis = "[--shape NAME...] [--seed N] [--brief] [--json]",
	.description =
		"Five sites behind nginx and an origin with 1,000 requests a second to give, an operator's router,\n"
		"300 requests a second of residents, and attackers from thousands of addresses: each shape of attack "
		"is\n"
		"played twice with one seed, without Guia and with it, on the same nginx, and told side by side. It\n"
		"takes somewhat more than a minute a shape. Attacks: get-flood, query-flood, form-flood, diffuse,\n"
		"slow-head, slow-body, pulse, rotating-64, false-crawler; of packets, for root: udp-flood, syn-flood,\n"
		"link-full, link-full-dark. Calm, in which nobody may be refused: crowd, shared-address,\n"
		"hostile-page.\n\n"
		"A request counts as answered if the page that the origin made for it comes within 2 s; last good\n"
		"copies are counted apart. A shape is survived if residents fall below 50 % without Guia, are served\n"
		"again 10 s after the onset, and then to 99.9 %. If they do not fall, the attack is harmless here, "
		"which\n"
		"proves nothing. Runs that the machine disturbed (the residents' client late, the crowd's processor\n"
		"too busy) are void, and why is said. docs/drill.md tells more.\n\n"
		"Everything happens in namespaces that have no name and end with this program, also when it is "
		"killed.\n"
		"It needs two processors, and no rights: without root it uses a namespace of users. Exit code 1: a\n"
		"shape was not survived; 3: namespaces cannot be had, or runs were void.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
