/* The table of known injections, made by tools/sqli-fingerprints. */
#ifndef GUIA_MATCH_SQLI_TABLE_H
#define GUIA_MATCH_SQLI_TABLE_H

#include "match/sqli_fold.h"

/* Whether `folded`, a reading of `value`, is an injection: known, and not one of the short ones that text has too. */
bool sqli_table_holds(struct slice value, const struct sqli_folded *folded);

#endif
