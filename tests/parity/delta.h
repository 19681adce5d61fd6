/* Where two outcomes of one request part for the first time, and which of such differences are meant to be. */
#ifndef PARITY_DELTA_H
#define PARITY_DELTA_H

#include "sample.h"

enum delta_kind {
	DELTA_NONE,
	DELTA_ONLY_OURS,   /* the rule or link matched in our engine only */
	DELTA_ONLY_THEIRS, /* in libmodsecurity only */
	DELTA_ORDER,       /* in both, at another place */
	DELTA_TX,          /* the same matches, another value */
	DELTA_STATUS,
};

struct delta {
	enum delta_kind kind;
	struct outcome_match match;
	struct slice tx_name; /* of DELTA_TX, and both values: empty where absent */
	struct slice ours;
	struct slice theirs;
};

struct delta delta_find(const struct outcome *ours, const struct outcome *theirs);

/*
 * A difference that is meant; docs/parity.md has a line for each. It is accepted if the request is of its kind, if it
 * begins with a rule or a TX of its list, and if nothing is left of it once our engine does as libmodsecurity does in
 * the one function named by `substitution`: what follows from it (scores, blocking, later phases) is computed, and
 * whatever else differs is found.
 */
struct accepted {
	const char *name;
	const char *reason;
	unsigned substitution;
	bool (*concerns)(const struct sample *sample);
	bool (*begins)(const struct delta *delta);
};

extern const struct accepted accepted[];
extern const size_t accepted_count;

#endif
