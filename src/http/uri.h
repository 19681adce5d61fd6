/*
 * The request target and what SecLang calls its parts, as libmodsecurity makes them, with two differences that are
 * deliberate: path and query are parted before anything is decoded (CVE-2024-1019), and a target that starts with '/'
 * is a path even if it starts with "//host" (CVE-2025-29914).
 */
#ifndef GUIA_HTTP_URI_H
#define GUIA_HTTP_URI_H

#include "base/arena.h"

struct uri {
	struct slice raw; /* REQUEST_URI_RAW: as sent, fragment included */
	struct slice uri; /* REQUEST_URI: decoded, without fragment, scheme and authority; the query still behind it */
	struct slice filename; /* REQUEST_FILENAME and PATH_INFO: decoded, no query */
	struct slice basename; /* REQUEST_BASENAME: behind the last '/' or '\', empty if there is neither */
	struct slice query;    /* QUERY_STRING: not decoded; empty if there is none */
	size_t query_offset;   /* in `raw` */
	bool has_query;        /* a '?' was there */
};

/* Slices lie in `raw`, or in the arena where decoding changed something. 0 or -ENOMEM. */
int uri_parse(struct slice raw, struct arena *arena, struct uri *ret_uri);

#endif
