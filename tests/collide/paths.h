/*
 * One request by the engine's three ways, which must come to the same: the fast path; the gate's, which keeps verdicts
 * only; and the reference path, which asks every rule of every value by PCRE2 and remembers nothing.
 */
#ifndef COLLIDE_PATHS_H
#define COLLIDE_PATHS_H

#include "base/buffer.h"
#include "ftw/exchange.h"

enum path { PATH_REFERENCE, PATH_FAST, PATH_GATE, PATH_COUNT };

struct paths {
	struct guia_rules *rules;
	struct guia_worker *workers[PATH_COUNT];
	struct guia_collection_store *stores[PATH_COUNT]; /* each has its own: all see the same requests */
};

/* 0, or negative: the rules' errors are printed as comments of TAP, unless `quiet`. */
int paths_open(struct paths *paths, struct guia_pool *pool, const struct guia_source *source, bool quiet);
void paths_close(struct paths *paths);

/*
 * Asks twice, for what was remembered the first time is what answers the second. True if all agree; else the first line
 * that differs, of each pair that does, is added to `difference`.
 */
bool paths_agree(struct paths *paths, const struct request *request, exchange_origin_fn *origin, void *context,
		 struct arena *arena, struct buffer *difference);

/* Bytes of a request as a comment of TAP. */
void paths_tell(struct slice wire);

#endif
