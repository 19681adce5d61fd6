/*
 * Folding: the rewriting of a token stream into the few tokens that tell what it does. 1+2*3 is 1; (( is (; a cast, a
 * repeated string, a unary operator change nothing.
 */
#ifndef GUIA_MATCH_SQLI_FOLD_H
#define GUIA_MATCH_SQLI_FOLD_H

#include "match/sqli.h"
#include "match/sqli_token.h"

struct sqli_folded {
	struct sqli_token tokens[SQLI_FINGERPRINT_MAX + 3];
	size_t count; /* at most SQLI_FINGERPRINT_MAX */
	unsigned tokens_read;
	bool dialects_differ; /* reading as MySQL would give another answer than ANSI */
};

/* `quote` is the quote that the input is taken to start inside of, or 0. */
void sqli_fold(struct slice input, uint8_t quote, enum sqli_dialect dialect, struct sqli_folded *ret);

/* The same, of a long value, with the steps that were taken in others or not yet: only faster. */
struct sqli_steps;
void sqli_fold_by(struct sqli_steps *steps, struct slice input, uint8_t quote, enum sqli_dialect dialect,
		  struct sqli_folded *ret);

/* The letters of a folded stream; "X" alone if any token is SQLI_EVIL. */
struct sqli_fingerprint sqli_fingerprint_of(const struct sqli_folded *folded);

#endif
