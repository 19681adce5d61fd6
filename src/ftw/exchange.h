/* One request and its response through the engine, in the order in which the gate feeds them. */
#ifndef GUIA_FTW_EXCHANGE_H
#define GUIA_FTW_EXCHANGE_H

#include "guia.h"
#include "ftw/origin.h"
#include "http/request.h"

/* The response of the origin to a request that was let through. 0 or a negative error. */
typedef int exchange_origin_fn(void *context, const struct request *request, struct arena *arena,
			       struct ftw_answer *ret_answer);

struct exchange {
	const struct request *request;
	exchange_origin_fn *origin; /* NULL: an empty 200 */
	void *context;
	struct arena *arena;
};

/*
 * Feeds a transaction that was just begun, up to and with phase 5. *ret_status is what the client would be answered.
 * 0 or a negative error.
 */
int exchange_run(struct guia_transaction *transaction, const struct exchange *exchange, unsigned *ret_status);

/* The request read with everything that can be read, for one that nginx refuses: tests ask the rules nonetheless. */
int exchange_read_leniently(struct slice wire, struct arena *arena, struct request *ret_request);

/* A connection from loopback to loopback, as in tests; `host` without port becomes the server's name. */
struct guia_connection exchange_connection(struct slice host);

/* The engine's slices and the tree's are the same thing under two names. */
static inline struct guia_slice exchange_out(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

static inline struct slice exchange_in(struct guia_slice s)
{
	return (struct slice){s.ptr, s.len};
}

/* What nginx would accept when it is set up to accept the most: underscores and invalid headers, bodies of any size. */
struct request_parser_options exchange_parser_permissive(void);

#endif
