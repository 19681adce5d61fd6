/*
 * A raw HTTP/1 request, bytes on the wire, read exactly as nginx 1.22 reads it: the same requests refused with the same
 * status, the same values of method, URI, arguments, protocol, headers and body. For `guia inspect`, `guia explain` and
 * tests; in the gate nginx itself parses. RFC 9110 and RFC 9112 are the words, nginx's behaviour is the rule.
 */
#ifndef GUIA_HTTP_REQUEST_H
#define GUIA_HTTP_REQUEST_H

#include "http/field.h"

struct request_parser_options {
	bool underscores_in_headers; /* nginx's default: off */
	bool ignore_invalid_headers; /* on */
	bool merge_slashes;          /* on */
	size_t header_buffer_bytes;  /* client_header_buffer_size: 1024 */
	size_t large_buffer_count;   /* large_client_header_buffers: 4 ... */
	size_t large_buffer_bytes;   /* ... of 8192 */
	size_t body_limit_bytes;     /* client_max_body_size: 1 MiB; 0 for none */
};

static inline struct request_parser_options request_parser_defaults(void)
{
	return (struct request_parser_options){
		.ignore_invalid_headers = true,
		.merge_slashes = true,
		.header_buffer_bytes = 1024,
		.large_buffer_count = 4,
		.large_buffer_bytes = 8192,
		.body_limit_bytes = 1 << 20,
	};
}

struct request {
	struct slice method;       /* $request_method */
	struct slice unparsed_uri; /* $request_uri: what the engine takes as REQUEST_URI_RAW */
	struct slice uri;          /* $uri: normalised path */
	struct slice arguments;    /* $args */
	struct slice protocol; /* $server_protocol: "HTTP/1.1", with spaces behind it if sent so; empty for HTTP/0.9 */
	struct slice version;  /* "1.1", "1.0", "0.9", or what came behind "HTTP/" */
	unsigned version_number;    /* 1001, 1000, 9, ... */
	struct slice line;          /* $request: the request line without its line end */
	struct slice host;          /* of the absolute URI, else of Host: lower case, no port, no final dot */
	struct field_list headers;  /* in order, without those that nginx drops */
	struct slice body;          /* decoded, if chunked */
	bool has_body;              /* Content-Length or chunked */
	bool truncated;             /* refused because the input ended too early */
	struct slice rest;          /* bytes behind this request: the next one, pipelined */
	unsigned refused_status;    /* 0, or the status nginx answers by itself */
	const char *refused_reason; /* static text; "" if not refused */
};

enum {
	REQUEST_REFUSED = 1,
};

/*
 * 0; REQUEST_REFUSED with refused_status and reason set (400, 405, 413, 414, 501, 505; too large headers are a 400, as
 * nginx tells the client) and whatever was read so far; or -ENOMEM.
 */
int request_parse(struct slice wire, const struct request_parser_options *options, struct arena *arena,
		  struct request *ret_request);

#endif
