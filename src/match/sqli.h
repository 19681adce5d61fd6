/*
 * @detectSQLi: does a value, put into an SQL statement as a bare term, inside '...' or inside "...", change what the
 * statement does? The method is Galbreath's (libinjection, Black Hat USA 2012): read the value as SQL tokens in each of
 * those contexts, fold what carries no meaning, and look the first five kinds up in a table of known injections.
 *
 * Pure and thread-safe: no allocation, no state, constant stack, time linear in the bytes.
 */
#ifndef GUIA_MATCH_SQLI_H
#define GUIA_MATCH_SQLI_H

#include "base/slice.h"

enum { SQLI_FINGERPRINT_MAX = 5 };

/* The kinds of the first tokens, one letter each (sqli_token.h), NUL-terminated. */
struct sqli_fingerprint {
	char text[9];
};

/*
 * Whether sqli_detect() could say yes. No costs a look at each byte, and is certain: the value is one word or is made
 * of numbers, operators and names that are no words of SQL, and no injection is (tools/sqli-fingerprints makes sure).
 * sqli_detect() asks by itself; whoever has other work to spare may ask first.
 */
bool sqli_possible(struct slice value);

/* The same of a value without any byte that tells: it has none of these, so that no is certain. */
bool sqli_byte_tells(uint8_t byte);

/* Whether `value` is an injection. `ret_fingerprint` may be NULL and is set only when the answer is yes. */
bool sqli_detect(struct slice value, struct sqli_fingerprint *ret_fingerprint);

/* What a letter of fingerprints stands for, in a word or two; "" if it is none. */
const char *sqli_letter_name(char letter);

/*
 * The injections found last, by their exact bytes: who asks ahead whether a rule may match asks again when it does. One
 * per thread; zero-initialise.
 */
enum { SQLI_MEMO_VALUES = 4, SQLI_MEMO_BYTES = 1024 };
struct sqli_memo {
	struct {
		uint32_t len; /* 0: empty */
		struct sqli_fingerprint fingerprint;
		uint8_t bytes[SQLI_MEMO_BYTES];
	} found[SQLI_MEMO_VALUES];
	unsigned next; /* to be replaced */
};

/* sqli_detect(), which is not asked about those. */
bool sqli_detect_again(struct sqli_memo *memo, struct slice value, struct sqli_fingerprint *ret_fingerprint);

#endif
