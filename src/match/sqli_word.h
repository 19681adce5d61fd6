/* The words and phrases of the SQL dialects by role, from sqli_words.txt (tools/sqli-words makes the table). */
#ifndef GUIA_MATCH_SQLI_WORD_H
#define GUIA_MATCH_SQLI_WORD_H

#include "match/sqli_token.h"

struct sqli_word {
	uint8_t kind; /* SQLI_NONE: not a word of SQL */
	uint8_t traits;
	const uint8_t *text; /* static, in upper case; NULL if it is none */
};

/* ASCII case is ignored. The words of a phrase are separated by one space. */
struct sqli_word sqli_word_find(const uint8_t *text, size_t len);

/* False only if no word or phrase starts with the first two letters of `text` and is as long. */
bool sqli_word_possible(const uint8_t *text, size_t len);

/* False only if no phrase has, behind one of its words, what starts with the first letter of `text` and is as long. */
bool sqli_word_continues(const uint8_t *text, size_t len);

#endif
