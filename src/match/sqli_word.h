/* The words and phrases of the SQL dialects by role, from sqli_words.txt (tools/sqli-words makes the table). */
#ifndef GUIA_MATCH_SQLI_WORD_H
#define GUIA_MATCH_SQLI_WORD_H

#include "match/sqli_token.h"

struct sqli_word {
	uint8_t kind; /* SQLI_NONE: not a word of SQL */
	uint8_t traits;
};

/* ASCII case is ignored. The words of a phrase are separated by one space. */
struct sqli_word sqli_word_find(const uint8_t *text, size_t len);

#endif
