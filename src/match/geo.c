/*
 * By libmaxminddb, on a mapped file. A table tells where the database keeps each field of GEO; what it lacks, or has in
 * a type that is not known here, is left out.
 */
#include "match/geo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>

struct geo_database {
	MMDB_s mmdb;
};

/* A field of GEO and where the database keeps it. */
static const struct {
	const char *name;
	const char *path[4];
} texts[] = {
	{"COUNTRY_CODE", {"country", "iso_code"}},
	{"COUNTRY_NAME", {"country", "names", "en"}},
	{"COUNTRY_CONTINENT", {"continent", "names", "en"}},
	{"CITY", {"city", "names", "en"}},
	{"POSTAL_CODE", {"postal", "code"}},
	{"LATITUDE", {"location", "latitude"}},
	{"LONGITUDE", {"location", "longitude"}},
};

int geo_open(const char *path, struct geo_database **ret_database)
{
	struct geo_database *database = calloc(1, sizeof(*database));
	if (database == NULL)
		return -ENOMEM;
	if (MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb) != MMDB_SUCCESS) {
		free(database);
		return -EINVAL;
	}
	*ret_database = database;
	return 0;
}

void geo_close(struct geo_database *database)
{
	if (database == NULL)
		return;
	MMDB_close(&database->mmdb);
	free(database);
}

/* The socket address of a literal; names are never resolved. */
static bool parse_address(struct slice text, struct sockaddr_storage *ret_address)
{
	char literal[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len >= sizeof(literal) || memchr(text.ptr, '\0', text.len) != NULL)
		return false;
	memcpy(literal, text.ptr, text.len);
	literal[text.len] = '\0';
	*ret_address = (struct sockaddr_storage){0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
	ret_address->ss_family = AF_INET;
	if (inet_pton(AF_INET, literal, &v4->sin_addr) == 1)
		return true;
	ret_address->ss_family = AF_INET6;
	return inet_pton(AF_INET6, literal, &v6->sin6_addr) == 1;
}

bool geo_lookup(const struct geo_database *database, struct slice address, geo_field_fn *field, void *context)
{
	struct sockaddr_storage storage;
	int error = MMDB_SUCCESS;
	if (database == NULL || !parse_address(address, &storage))
		return false;
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&database->mmdb, (const struct sockaddr *)&storage, &error);
	if (error != MMDB_SUCCESS || !found.found_entry)
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		MMDB_entry_data_s data;
		if (MMDB_aget_value(&found.entry, &data, texts[i].path) != MMDB_SUCCESS || !data.has_data)
			continue;
		if (data.type == MMDB_DATA_TYPE_UTF8_STRING) {
			field(context, slice_from_string(texts[i].name), slice_make(data.utf8_string, data.data_size));
		} else if (data.type == MMDB_DATA_TYPE_DOUBLE) {
			char number[64];
			int len = snprintf(number, sizeof(number), "%f", data.double_value);
			field(context, slice_from_string(texts[i].name), slice_make(number, (size_t)len));
		}
	}
	return true;
}
