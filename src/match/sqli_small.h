/* Fingerprints of two and three tokens say little; these rules look at the tokens themselves. */
#ifndef GUIA_MATCH_SQLI_SMALL_H
#define GUIA_MATCH_SQLI_SMALL_H

#include "match/sqli_fold.h"

/* Whether a fingerprint that the table knows is an injection in `value`, from which it was folded; count is above 0. */
bool sqli_small_holds(struct slice value, const struct sqli_folded *folded);

#endif
