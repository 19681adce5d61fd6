/*
 * The newest records of a log, as its journal has them: all that may not be in tiles yet. What is torn, was changed or
 * is left from an earlier turn ends it: every batch that counts led to the root it names.
 */
#ifndef GUIA_EVIDENCE_TAIL_H
#define GUIA_EVIDENCE_TAIL_H

#include "evidence/journal.h"

/* Records of one tile, and their hashes. */
struct bundle {
	struct bundle *next;
	uint64_t number;
	struct buffer bytes; /* as in tile/entries */
	unsigned count;
	struct merkle_hash hashes[TILE_WIDTH];
};

/* NULL: no memory. */
struct bundle *bundle_create(uint64_t number);
void bundle_free(struct bundle *bundle);

struct tail {
	struct merkle_frontier before;   /* of the first bundle: what must be in tiles */
	struct merkle_frontier frontier; /* behind the last record */
	struct bundle *first;            /* in order, no number left out; the last is not full, and may be empty */
	struct bundle *last;
	unsigned half; /* where the journal goes on */
	size_t at;
	size_t cut_bytes; /* of a batch that is not whole, behind the last that is; 0 where there is none */
};

enum {
	TAIL_NONE = 1, /* there is no journal, or nothing was ever written to it */
	TAIL_TORN = 2, /* the halves do not join: what the newer one follows upon must be in tiles */
};

/* 0, TAIL_TORN with the newer half alone, TAIL_NONE, or -errno. To be freed in the first two cases. */
int tail_load(int folder, struct tail *ret_tail);
void tail_free(struct tail *tail);

/* Takes back the newest records, down to a frontier that it had. */
void tail_cut_back(struct tail *tail, const struct merkle_frontier *to);

/* Adds a record to the last bundle, and begins another when it is full. 0 or -ENOMEM: then nothing was added. */
int tail_push(struct tail *tail, struct slice record);

#endif
