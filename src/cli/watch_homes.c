/*
 * Single networks and those of lists are put into one vector, SITE_HOMES_MOST of them in all; countries are kept apart.
 */
#include "cli/watch_homes.h"

#include "base/file.h"
#include "base/prefix_list.h"
#include "base/vector.h"
#include "cli/command.h"
#include "limit/signature_image.h"
#include "serve/valid.h"

#include <stdlib.h>

void watch_homes_free(struct watch_homes *homes)
{
	free(homes->prefixes);
	*homes = (struct watch_homes){0};
}

static int add(struct watch_homes *homes, const struct prefix *prefix)
{
	if (homes->count == SITE_HOMES_MOST)
		return cli_fail(CLI_USER, "more than %d home networks", SITE_HOMES_MOST);
	if (vector_grow((void **)&homes->prefixes, &homes->capacity, homes->count, sizeof(*prefix)) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	homes->prefixes[homes->count++] = *prefix;
	return CLI_FINE;
}

int watch_homes_network(struct watch_homes *homes, struct slice text)
{
	struct prefix prefix;
	if (!prefix_parse(text, &prefix))
		return cli_fail(CLI_USER, "--home %.*s: not an address or prefix", SLICE_ARG(text));
	return add(homes, &prefix);
}

int watch_homes_list(struct watch_homes *homes, const char *path)
{
	struct buffer text = buffer_make(NULL);
	struct prefix *prefixes = NULL;
	size_t count = 0, line;
	int code = CLI_FINE, r = file_read(path, PREFIX_LIST_BYTES_MOST, &text);
	if (r != 0)
		code = cli_unreadable(path, r);
	else if ((r = prefix_list_read(buffer_slice(&text), SITE_HOMES_MOST, &prefixes, &count, &line)) != 0)
		code = cli_fail(r < 0 ? CLI_ENVIRONMENT : CLI_USER, "%s:%zu: %s", path, r < 0 ? 0 : line,
				prefix_list_fault(r));
	for (size_t i = 0; code == CLI_FINE && i < count; i++)
		code = add(homes, &prefixes[i]);
	free(prefixes);
	buffer_free(&text);
	return code;
}

int watch_homes_country(struct watch_homes *homes, struct slice text)
{
	const char *should = valid_country(text);
	if (should != NULL)
		return cli_fail(CLI_USER, "--home-country %.*s: should be %s", SLICE_ARG(text), should);
	if (homes->country_count == HOMES_COUNTRIES_MOST)
		return cli_fail(CLI_USER, "more than %d home countries", HOMES_COUNTRIES_MOST);
	memcpy(homes->countries[homes->country_count++], text.ptr, 2);
	return CLI_FINE;
}

int watch_homes_own(struct watch_homes *homes, const struct address *address)
{
	const struct prefix prefix = address_prefix(address, ADDRESS_BITS);
	return homes->count + homes->country_count > 0 ? add(homes, &prefix) : CLI_FINE;
}
