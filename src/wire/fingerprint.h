/*
 * What requests have in common that one tool made: which headers there are, in which order and case, what the usual
 * ones say, which arguments are asked with. Pure; costs some nanoseconds a header.
 */
#ifndef GUIA_WIRE_FINGERPRINT_H
#define GUIA_WIRE_FINGERPRINT_H

#include "base/hash.h"

#include <stdbool.h>

/* A bit of `present` for each; all others share FINGERPRINT_OTHER. The order is part of the layout. */
enum fingerprint_header {
	FINGERPRINT_OTHER,
	FINGERPRINT_ACCEPT,
	FINGERPRINT_ACCEPT_CHARSET,
	FINGERPRINT_ACCEPT_ENCODING,
	FINGERPRINT_ACCEPT_LANGUAGE,
	FINGERPRINT_AUTHORIZATION,
	FINGERPRINT_CACHE_CONTROL,
	FINGERPRINT_CONNECTION,
	FINGERPRINT_CONTENT_LENGTH,
	FINGERPRINT_CONTENT_TYPE,
	FINGERPRINT_COOKIE,
	FINGERPRINT_DNT,
	FINGERPRINT_HOST,
	FINGERPRINT_IF_MODIFIED_SINCE,
	FINGERPRINT_IF_NONE_MATCH,
	FINGERPRINT_KEEP_ALIVE,
	FINGERPRINT_ORIGIN,
	FINGERPRINT_PRAGMA,
	FINGERPRINT_PRIORITY,
	FINGERPRINT_RANGE,
	FINGERPRINT_REFERER,
	FINGERPRINT_SEC_CH_UA,
	FINGERPRINT_SEC_FETCH_DEST,
	FINGERPRINT_SEC_FETCH_MODE,
	FINGERPRINT_SEC_FETCH_SITE,
	FINGERPRINT_SEC_FETCH_USER,
	FINGERPRINT_TE,
	FINGERPRINT_UPGRADE_INSECURE_REQUESTS,
	FINGERPRINT_USER_AGENT,
	FINGERPRINT_VIA,
	FINGERPRINT_X_FORWARDED_FOR,
	FINGERPRINT_X_REQUESTED_WITH,
	FINGERPRINT_HEADERS,
};

/* Hashes are 0 where there is nothing. */
struct fingerprint {
	uint64_t shape;
	uint64_t agent;
	uint64_t accept;
	uint64_t language;
	uint32_t present;
	uint16_t headers;
};

/* Adds a header to one that began as all zero; in the order of the request. */
void fingerprint_add(struct fingerprint *fingerprint, const struct hash_key *key, struct slice name,
		     struct slice value);

/* The names of a query's arguments, in order; 0 for an empty one. Only the first 2 KB are looked at. */
uint64_t fingerprint_query(const struct hash_key *key, struct slice query);

/* Of any text; never 0. */
uint64_t fingerprint_text(const struct hash_key *key, struct slice text);

/* "user-agent"; "other"; "?". */
const char *fingerprint_header_name(unsigned header);

#endif
