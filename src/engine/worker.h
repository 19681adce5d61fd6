/*
 * What one thread needs to run transactions: scratch for Hyperscan and PCRE2, remembered expressions, and transactions
 * that have ended and wait, with their memory, for the next request.
 */
#ifndef GUIA_ENGINE_WORKER_H
#define GUIA_ENGINE_WORKER_H

#include "base/region.h"
#include "engine/plan.h"
#include "engine/remembered.h"
#include "guia.h"
#include "match/regex.h"
#include "match/scan.h"
#include "match/sqli.h"

enum {
	WORKER_MEMORY_BYTES = 16 * 1024 * 1024, /* cap of a transaction where nothing else is said */
	WORKER_RETAIN_BYTES = 512 * 1024,       /* an idle transaction keeps */
	WORKER_IDLE_TRANSACTIONS = 64,
	WORKER_SCRATCH_BYTES = 8192,
	WORKER_EXPRESSIONS = 64,  /* @rx with macros that are remembered */
	WORKER_LEVELS = 16,       /* transformations one after another */
	WORKER_SCAN_WORDS = 1024, /* bits are of 16 bits */
	WORKER_LEVEL_BUFFERS = 8,
	WORKER_LEVEL_BYTES = 64 * 1024, /* of such a buffer; for longer values there are others */
	WORKER_SLOT_WORDS = WORKER_SCAN_WORDS + 1,
	WORKER_WANTED = 64,
	WORKER_WANTED_WORDS = 2,
	WORKER_EMPTY = 64,
};

struct profile;
struct redact_memo;
struct remembered;
struct transaction;

/* Borrowed from the reserve; ptr NULL: not so. */
struct worker_buffer {
	uint8_t *ptr;
	size_t capacity;
};

/* When requests came, as records tell it. */
struct worker_stamp {
	int64_t second; /* since 1970 */
	size_t len;     /* 0: not written yet */
	char text[64];
};

/* What of a scan is wanted at some nodes. */
struct worker_wanted {
	uint32_t scan; /* 0: nothing is known */
	uint64_t nodes;
	uint64_t slots[WORKER_WANTED_WORDS];
	struct scan_signs signs;
};

/* What an empty value makes candidates, of a set of probes. */
struct worker_empty {
	uint32_t set; /* 0: nothing is known */
	struct remembered_answer answer;
};

struct worker {
	struct guia_worker_options options;
	struct scan_scratch *scan_scratch;
	struct regex_scratch *regex_scratch;
	struct regex_cache *expressions;
	struct arena_reserve *reserve;   /* of transactions' arenas; NULL at load */
	struct remembered *remembered;   /* what values made candidates of */
	struct redact_memo *redact_memo; /* which names are secret; NULL at load */
	struct sqli_memo sqli_memo;      /* which values @detectSQLi matched last */
	uint32_t message_number;         /* under which messages that hold no secret are remembered */
	/* Values on their way through pipelines, while they are asked: all buffers in one, and what long values borrow.
	 */
	struct region level_room;
	bool levels_borrow;
	struct worker_buffer levels[WORKER_LEVELS][WORKER_LEVEL_BUFFERS];
	/* The bits of one scan, of the value as it is and lowered, and what is wanted of them. */
	uint64_t scan_words[2][WORKER_SCAN_WORDS];
	uint64_t scan_slots[2][WORKER_SLOT_WORDS];
	struct worker_wanted wanted[2][WORKER_WANTED];
	struct worker_empty empty[WORKER_EMPTY]; /* by set: most variables of a request are empty */
	struct profile *profile;                 /* NULL: nobody asks what transactions cost */
	struct transaction *idle;                /* a list */
	size_t idle_count;
	uint8_t scratch[WORKER_SCRATCH_BYTES]; /* where transformations write what may turn out not to change */
	uint64_t sequence;                     /* of unique ids */
	struct worker_stamp stamp;
};

/* 0 or -ENOMEM. The options' store and resolver must outlive the worker. */
int worker_create(const struct guia_worker_options *options, struct worker **ret_worker);
/* One for work at load, which remembers no values: it cannot take a request. 0 or -ENOMEM. */
int worker_create_to_load(struct worker **ret_worker);
/* No transaction of the worker may be open. NULL is allowed. */
void worker_free(struct worker *worker);

/* Fits the scratch to the databases of a rule set. 0 or -ENOMEM. */
int worker_prepare(struct worker *worker, const struct plan *plan);

#endif
