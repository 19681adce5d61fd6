/*
 * Strings, names and variables of SQL, in all the quotes that its dialects have. Each reads a token that begins at the
 * reader's place, and returns where it ends; what only looks like one is read as a word.
 */
#ifndef GUIA_MATCH_SQLI_STRING_H
#define GUIA_MATCH_SQLI_STRING_H

#include "match/sqli_token.h"

/* What is between quotes, from `from` on; `open`: the quote that was seen, or 0. */
size_t sqli_read_quoted(struct slice s, size_t from, uint8_t quote, uint8_t open, struct sqli_token *token);

size_t sqli_read_string(struct sqli_reader *reader, struct sqli_token *token);
size_t sqli_read_escaped(struct sqli_reader *reader, struct sqli_token *token);
size_t sqli_read_unicode(struct sqli_reader *reader, struct sqli_token *token);
size_t sqli_read_national(struct sqli_reader *reader, struct sqli_token *token);
size_t sqli_read_variable(struct sqli_reader *reader, struct sqli_token *token);
size_t sqli_read_money(struct sqli_reader *reader, struct sqli_token *token);

/* Oracle's q'[...]'; `at` is where the q should be. */
size_t sqli_read_quoted_at(struct sqli_reader *reader, size_t at, struct sqli_token *token);

/* MySQL takes whatever stands in ticks for a name, but `sleep`(1) calls the function. */
size_t sqli_read_tick(struct slice s, size_t at, struct sqli_token *token);

#endif
