/*
 * The database is gone through from end to end, networks and then names, into lists from which a place image is built.
 * libloc is used here only.
 */
#include "locate/locations.h"

#include "base/error.h"
#include "base/vector.h"

#include <libloc/as.h>
#include <libloc/database.h>
#include <libloc/libloc.h>
#include <stdlib.h>

enum {
	NAME_BYTES_MOST = 128,
};

struct gathering {
	struct place_prefix *prefixes;
	size_t prefix_count;
	size_t prefix_room;
	struct place_name *names; /* texts are owned */
	size_t name_count;
	size_t name_room;
};

static void gathering_free(struct gathering *gathering)
{
	for (size_t i = 0; i < gathering->name_count; i++)
		free((char *)gathering->names[i].text);
	free(gathering->names);
	free(gathering->prefixes);
}

/* libloc's families both have addresses in IPv6's form, and IPv4's lengths their own number of bits. */
static int prefix_add(struct gathering *gathering, struct loc_network *network)
{
	const char *country = loc_network_get_country_code(network);
	bool v4 = loc_network_address_family(network) == AF_INET;
	struct place_prefix item = {.place.network = loc_network_get_asn(network)};
	struct address address = address_from_v6(loc_network_get_first_address(network)->s6_addr);
	item.prefix = address_prefix(&address, loc_network_prefix(network) + (v4 ? ADDRESS_V4_BITS : 0));
	if (country != NULL && country[0] != '\0' && country[1] != '\0')
		memcpy(item.place.country, country, sizeof(item.place.country));
	if (vector_grow((void **)&gathering->prefixes, &gathering->prefix_room, gathering->prefix_count,
			sizeof(item)) != 0)
		return -ENOMEM;
	gathering->prefixes[gathering->prefix_count++] = item;
	return 0;
}

/* They come in the order of their numbers. */
static int name_add(struct gathering *gathering, struct loc_as *as)
{
	const char *text = loc_as_get_name(as);
	struct place_name item = {.network = loc_as_get_number(as)};
	if (text == NULL ||
	    (gathering->name_count > 0 && gathering->names[gathering->name_count - 1].network >= item.network))
		return 0;
	item.text = strndup(text, NAME_BYTES_MOST);
	if (item.text == NULL ||
	    vector_grow((void **)&gathering->names, &gathering->name_room, gathering->name_count, sizeof(item)) != 0) {
		free((char *)item.text);
		return -ENOMEM;
	}
	gathering->names[gathering->name_count++] = item;
	return 0;
}

static int gather_prefixes(struct loc_database *database, struct gathering *gathering)
{
	struct loc_database_enumerator *all;
	struct loc_network *network;
	int r = loc_database_enumerator_new(&all, database, LOC_DB_ENUMERATE_NETWORKS, 0);
	if (r != 0)
		return -EINVAL;
	while (r == 0 && (r = loc_database_enumerator_next_network(all, &network)) == 0 && network != NULL) {
		r = prefix_add(gathering, network);
		loc_network_unref(network);
	}
	loc_database_enumerator_unref(all);
	return r == 0 || r == -ENOMEM ? r : -EINVAL;
}

static int gather_names(struct loc_database *database, struct gathering *gathering)
{
	struct loc_database_enumerator *all;
	struct loc_as *as;
	int r = loc_database_enumerator_new(&all, database, LOC_DB_ENUMERATE_ASES, 0);
	if (r != 0)
		return -EINVAL;
	while (r == 0 && (r = loc_database_enumerator_next_as(all, &as)) == 0 && as != NULL) {
		r = name_add(gathering, as);
		loc_as_unref(as);
	}
	loc_database_enumerator_unref(all);
	return r == 0 || r == -ENOMEM ? r : -EINVAL;
}

static int build(struct loc_database *database, const struct image_version *version, struct buffer *out)
{
	struct gathering gathering = {0};
	int r = gather_prefixes(database, &gathering);
	r = r != 0 ? r : gather_names(database, &gathering);
	if (r == 0) {
		struct place_data data = {
			.source.made_s = (uint64_t)loc_database_created_at(database),
			.prefixes = gathering.prefixes,
			.prefix_count = gathering.prefix_count,
			.names = gathering.names,
			.name_count = gathering.name_count,
		};
		const char *vendor = loc_database_get_vendor(database);
		snprintf(data.source.vendor, sizeof(data.source.vendor), "%s", vendor != NULL ? vendor : "");
		r = place_image_build(&data, version, out);
	}
	gathering_free(&gathering);
	return r;
}

/* It would write to stderr; what is wrong is told by the answer. */
static void say_nothing(struct loc_ctx *context, int priority, const char *file, int line, const char *function,
			const char *format, va_list arguments)
{
	(void)context, (void)priority, (void)file, (void)line, (void)function, (void)format, (void)arguments;
}

int locations_image(const char *path, const struct image_version *version, struct buffer *out)
{
	struct loc_ctx *context;
	struct loc_database *database;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return errno == ENOENT ? LOCATIONS_NONE : -errno;
	int r = loc_new(&context) == 0 ? 0 : -ENOMEM;
	if (r == 0) {
		loc_set_log_fn(context, say_nothing);
		r = loc_database_new(context, &database, file) == 0 ? 0 : -EINVAL;
		if (r == 0) {
			r = build(database, version, out);
			loc_database_unref(database);
		}
		loc_unref(context);
	}
	fclose(file);
	return r;
}
