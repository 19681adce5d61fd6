/* Tokens of one byte, whatever follows or if none of few bytes does: most of what is read of values made to be slow. */
#ifndef GUIA_MATCH_SQLI_SINGLE_H
#define GUIA_MATCH_SQLI_SINGLE_H

#include "match/sqli_scan.h"

/* Where it is another token: before ... */
enum {
	SQLI_BEFORE_DASH = 1,
	SQLI_BEFORE_STAR = 2,
	SQLI_BEFORE_N = 4,
	SQLI_BEFORE_PAIR = SQLI_PAIRS,
	SQLI_ALONE = 128 /* whatever follows */
};

/* A token's head, and in a byte that it has no use for whether there is one. */
union sqli_single {
	struct {
		uint8_t kind, traits, open, close, len;
		uint8_t unless; /* 0: not such a token */
	};
	uint64_t head;
};

extern const union sqli_single sqli_singles[256];
extern const uint8_t sqli_followers[256]; /* which of these a byte is, but for pairs */

/* Its head; 0: another token is there, or what it is hangs on more than the next byte. */
static inline uint64_t sqli_single_at(struct slice s, size_t at)
{
	if (at + 1 >= s.len)
		return 0;
	union sqli_single single = sqli_singles[s.ptr[at]];
	uint8_t next = s.ptr[at + 1];
	return (single.unless & (sqli_followers[next] | (sqli_marks[next] & SQLI_PAIRS))) != 0 ? 0 : single.head;
}

/* Whether a token is what the byte that it consists of is alone, however it was read. */
static inline bool sqli_is_single(const struct sqli_token *token)
{
	const union sqli_single *single = &sqli_singles[token->len == 1 ? token->text[0] : 0];
	return single->unless != 0 && single->kind == token->kind && single->traits == token->traits &&
	       single->open == token->open && single->close == token->close;
}

#endif
