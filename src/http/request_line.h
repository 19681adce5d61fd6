/* The request line and the path in it, as nginx 1.22 reads them. Part of request.c, apart only for size. */
#ifndef GUIA_HTTP_REQUEST_LINE_H
#define GUIA_HTTP_REQUEST_LINE_H

#include "base/arena.h"
#include "base/reader.h"

struct request_line {
	size_t start; /* of the method, behind empty lines */
	struct slice line;
	struct slice method;
	struct slice target;    /* origin form, or what follows the authority; "/" if nothing does */
	struct slice authority; /* host of an absolute URI, without port */
	struct slice protocol;
	bool has_authority;
	bool empty_path; /* an absolute URI whose authority is followed by '?' */
	unsigned version_number;
};

/* 0, or the status refused with; the byte before the reader's place decided it, unless the reader overran. */
unsigned request_line_parse(struct reader *r, struct request_line *ret_line);

struct request_target {
	struct slice path; /* decoded, without dot segments */
	struct slice arguments;
};

enum {
	REQUEST_TARGET_INVALID = 1,
};

/* 0; REQUEST_TARGET_INVALID for bad escapes, an encoded NUL, or a path that leaves the root; or -ENOMEM. */
int request_target_normalise(const struct request_line *line, bool merge_slashes, struct arena *arena,
			     struct request_target *ret_target);

/*
 * Host as nginx wants it: false if invalid. *ret_length is what remains without port and final dot.
 */
bool request_host_valid(struct slice host, size_t *ret_length);

#endif
