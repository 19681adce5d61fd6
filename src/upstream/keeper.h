/*
 * The process that ExaBGP starts: it holds what is asked of operators (lease_book.h), writes lines to ExaBGP on stdout
 * and takes its answers on stdin, and answers whoever asks on its socket. It outlives the watch; what it holds outlives
 * it, in a journal. When ExaBGP ends it ends too, and so do the sessions and all that was announced.
 *
 * A question is a line, its answer a line of JSON:
 *
 *   status
 *   hold                                         the watch is there, and sees what rules do
 *   try|ask OPERATOR|* SECONDS yes|- WHY<TAB>ROUTE
 *   end ID|all      lift ID      raise ID
 *   news LIFE NUMBER                             what became of rules; who asks has those of that life up to that
 * number
 *
 * A yes counts only from root and from the keeper's own user: the watch cannot agree in a person's place.
 */
#ifndef GUIA_UPSTREAM_KEEPER_H
#define GUIA_UPSTREAM_KEEPER_H

#include "base/buffer.h"
#include "upstream/operator.h"

#define KEEPER_SOCKET  "keeper"
#define KEEPER_JOURNAL "journal"
#define KEEPER_LOCK    "lock"

struct keeper_options {
	const char *directory; /* of its own: socket and journal */
	const struct upstream_operator *operators;
	size_t count;
};

enum {
	KEEPER_BUSY = 1, /* another has the directory */
};

/*
 * What a keeper of these operators that holds no rule yet, with a watch beside it, would answer to a question that
 * begins with `try`, appended. 0 or -ENOMEM.
 */
int keeper_plan(const struct keeper_options *options, struct slice question, struct buffer *out);

/* Runs until ExaBGP closes stdin, or TERM. 0, KEEPER_BUSY, or -errno with *ret_what saying what failed. */
int keeper_run(const struct keeper_options *options, const char **ret_what);

#endif
