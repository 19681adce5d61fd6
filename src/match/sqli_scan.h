/* What reading any token of SQL takes: a look at bytes, and words. Inside what reads tokens only. */
#ifndef GUIA_MATCH_SQLI_SCAN_H
#define GUIA_MATCH_SQLI_SCAN_H

#include "match/sqli_token.h"

/* Where bytes may not stand; and SQLI_PAIRS, the second byte of an operator of two. */
enum {
	SQLI_ENDS_WORD = 1,
	SQLI_ENDS_VARIABLE = 2,
	SQLI_BLANK = 4,
	SQLI_MONEY_DIGIT = 8,
	SQLI_SPLITS_WORD = 16,
	SQLI_PAIRS = 32
};
extern const uint8_t sqli_marks[256];

/* The byte at `at`, or 0 past the end; a NUL in the input says the same, which no caller needs to tell apart. */
static inline uint8_t sqli_peek(struct slice s, size_t at)
{
	return at < s.len ? s.ptr[at] : 0;
}

/* The first place at or after `from` where `first` stands before `second`, or s.len. */
static inline size_t sqli_find_two(struct slice s, size_t from, uint8_t first, uint8_t second)
{
	for (size_t at = slice_find_byte(s, first, from); at + 1 < s.len; at = slice_find_byte(s, first, at + 1))
		if (s.ptr[at + 1] == second)
			return at;
	return s.len;
}

static inline void sqli_token_set(struct sqli_token *token, enum sqli_kind kind, struct slice input, size_t from,
				  size_t to)
{
	size_t len = to - from < SQLI_TEXT_MAX ? to - from : SQLI_TEXT_MAX;
	token->kind = (uint8_t)kind;
	token->len = (uint8_t)len;
	token->text = input.ptr + from;
}

/* Kind and traits by the text; false if it is no word of SQL. */
bool sqli_token_classify(struct sqli_token *token);

/* A word, from the reader's place; returns where it ends, as all that read. */
size_t sqli_read_word(struct sqli_reader *reader, struct sqli_token *token);

#endif
