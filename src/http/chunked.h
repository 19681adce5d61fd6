/* The chunked transfer coding (RFC 9112, section 7.1), accepted and refused as nginx does. */
#ifndef GUIA_HTTP_CHUNKED_H
#define GUIA_HTTP_CHUNKED_H

#include "base/arena.h"
#include "base/reader.h"

enum chunked_outcome {
	CHUNKED_INVALID = 1,
	CHUNKED_TOO_LARGE,
	CHUNKED_TRUNCATED,
};

/*
 * Moves past the last chunk and its trailers, which are dropped. 0 with the data (in the input if it is one chunk, else
 * in the arena), CHUNKED_TRUNCATED with what has come of it, another chunked_outcome, or -ENOMEM. `limit_bytes` bounds
 * the data; 0 for no bound.
 */
int chunked_decode(struct reader *r, size_t limit_bytes, struct arena *arena, struct slice *ret_data);

#endif
