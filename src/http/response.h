/*
 * A raw HTTP/1 response, bytes on the wire, for `--response FILE`: status line, headers, and a body that ends by
 * Content-Length, by the last chunk, or with the input (RFC 9112, section 6.3). Bare LF line ends are accepted.
 */
#ifndef GUIA_HTTP_RESPONSE_H
#define GUIA_HTTP_RESPONSE_H

#include "http/field.h"

struct response {
	struct slice protocol; /* "HTTP/1.1" */
	unsigned status;
	struct slice reason;
	struct field_list headers;
	struct slice body; /* decoded, if chunked */
	bool truncated;    /* the body ended before its length said */
};

enum {
	RESPONSE_MALFORMED = 1,
};

/* 0, RESPONSE_MALFORMED (*ret_response unset), or -ENOMEM. */
int response_parse(struct slice wire, struct arena *arena, struct response *ret_response);

#endif
