/* A row has the layout of a token's first eight bytes, so that it is stored as one word. */
#include "match/sqli_single.h"

_Static_assert(offsetof(union sqli_single, len) == offsetof(struct sqli_token, len) &&
		       offsetof(union sqli_single, traits) == offsetof(struct sqli_token, traits) &&
		       offsetof(struct sqli_token, text) == sizeof(uint64_t),
	       "it is a token's head");

#define SINGLE(kind, traits, unless)                                                                                   \
	{                                                                                                              \
		{                                                                                                      \
			kind, traits, 0, 0, 1, unless                                                                  \
		}                                                                                                      \
	}

const union sqli_single sqli_singles[256] = {
	['%'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_ARITH, SQLI_ALONE),
	['+'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_UNARY | SQLI_TRAIT_ARITH, SQLI_ALONE),
	['^'] = SINGLE(SQLI_OPERATOR, 0, SQLI_ALONE),
	['~'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_UNARY, SQLI_ALONE),
	['!'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_UNARY, SQLI_ALONE | SQLI_BEFORE_PAIR),
	['&'] = SINGLE(SQLI_OPERATOR, 0, SQLI_ALONE | SQLI_BEFORE_PAIR),
	['*'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_ARITH, SQLI_ALONE | SQLI_BEFORE_PAIR),
	['<' ... '>'] = SINGLE(SQLI_OPERATOR, 0, SQLI_ALONE | SQLI_BEFORE_PAIR),
	['|'] = SINGLE(SQLI_OPERATOR, 0, SQLI_ALONE | SQLI_BEFORE_PAIR),
	[':'] = SINGLE(SQLI_COLON, 0, SQLI_ALONE | SQLI_BEFORE_PAIR),
	['-'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_UNARY | SQLI_TRAIT_ARITH, SQLI_ALONE | SQLI_BEFORE_DASH),
	['/'] = SINGLE(SQLI_OPERATOR, SQLI_TRAIT_ARITH, SQLI_ALONE | SQLI_BEFORE_STAR),
	['\\'] = SINGLE(SQLI_BACKSLASH, 0, SQLI_ALONE | SQLI_BEFORE_N),
	['('] = SINGLE(SQLI_OPEN, 0, SQLI_ALONE),
	[')'] = SINGLE(SQLI_CLOSE, 0, SQLI_ALONE),
	['{'] = SINGLE(SQLI_BRACE_OPEN, 0, SQLI_ALONE),
	['}'] = SINGLE(SQLI_BRACE_CLOSE, 0, SQLI_ALONE),
	[','] = SINGLE(SQLI_COMMA, 0, SQLI_ALONE),
	[';'] = SINGLE(SQLI_SEMICOLON, 0, SQLI_ALONE),
	['?'] = SINGLE(SQLI_UNKNOWN, 0, SQLI_ALONE),
	[']'] = SINGLE(SQLI_UNKNOWN, 0, SQLI_ALONE),
};

const uint8_t sqli_followers[256] = {['-'] = SQLI_BEFORE_DASH, ['*'] = SQLI_BEFORE_STAR, ['N'] = SQLI_BEFORE_N};
