/* Networks that were named come first. Those of countries follow all together, or not at all if they are too many. */
#include "watch/homes.h"

#include "base/error.h"
#include "limit/signature_image.h"

#include <stdlib.h>

static int add_countries(struct homes *homes, struct places *places)
{
	const struct homes_options *options = homes->options;
	struct prefix *found = NULL;
	size_t count = 0;
	places_await(places);
	const struct place_image *image = places_image(places);
	if (image == NULL) {
		homes->said = places_fault(places);
		return 0;
	}
	int r = place_image_prefixes(image, options->countries, options->country_count, SITE_HOMES_MOST - homes->count,
				     &found, &count);
	if (r == PLACE_TOO_MANY)
		homes->said = "they are more networks than the gate can be given: name fewer countries";
	if (r != 0)
		return r == PLACE_TOO_MANY ? 0 : r;
	struct prefix *all = realloc(homes->networks, (homes->count + count + 1) * sizeof(*all));
	if (all != NULL) {
		homes->networks = all;
		homes->made_s = image->source.made_s;
		if (count > 0)
			memcpy(all + homes->count, found, count * sizeof(*all));
		homes->count += count;
		if (count == 0)
			homes->said = "the place data has no network in them";
	}
	free(found);
	return all != NULL ? 0 : -ENOMEM;
}

int homes_gather(const struct homes_options *options, struct places *places, struct homes *ret_homes)
{
	struct homes homes = {.options = options, .count = options->network_count, .said = ""};
	homes.networks = malloc((homes.count + 1) * sizeof(*homes.networks));
	if (homes.networks == NULL)
		return -ENOMEM;
	if (homes.count > 0)
		memcpy(homes.networks, options->networks, homes.count * sizeof(*homes.networks));
	int r = options->country_count > 0 ? add_countries(&homes, places) : 0;
	if (r != 0)
		homes_release(&homes);
	else
		*ret_homes = homes;
	return r;
}

void homes_release(struct homes *homes)
{
	free(homes->networks);
	*homes = (struct homes){0};
}
