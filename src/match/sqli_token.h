/*
 * SQL tokens, as the dialects in use read them: MySQL, PostgreSQL, SQL Server, Oracle, SQLite. One reader serves all,
 * so what one dialect takes for a comment and another for an operator is decided by `dialect`.
 */
#ifndef GUIA_MATCH_SQLI_TOKEN_H
#define GUIA_MATCH_SQLI_TOKEN_H

#include "base/slice.h"

/* Order is free; the letters of fingerprints are in SQLI_KIND_LETTERS, in this order. */
enum sqli_kind {
	SQLI_NONE,
	SQLI_KEYWORD,
	SQLI_UNION,
	SQLI_GROUP,      /* what may follow a condition: ORDER BY, LIMIT, HAVING */
	SQLI_EXPRESSION, /* what starts a statement: SELECT, INSERT */
	SQLI_TYPE,
	SQLI_FUNCTION,
	SQLI_NAME,
	SQLI_NUMBER,
	SQLI_VARIABLE,
	SQLI_STRING,
	SQLI_OPERATOR,
	SQLI_LOGIC,
	SQLI_COMMENT,
	SQLI_COLLATE,
	SQLI_OPEN,
	SQLI_CLOSE,
	SQLI_BRACE_OPEN,
	SQLI_BRACE_CLOSE,
	SQLI_DOT,
	SQLI_COMMA,
	SQLI_COLON,
	SQLI_SEMICOLON,
	SQLI_TSQL,
	SQLI_UNKNOWN,
	SQLI_EVIL, /* a comment no client would write: nested, or executed by MySQL */
	SQLI_BACKSLASH,
	SQLI_KINDS
};

#define SQLI_KIND_LETTERS "-kUBEtfn1vso&cA(){}.,:;T?X\\"

/* What folding asks of a word, kept as bits so that no text is compared twice. */
enum sqli_trait {
	SQLI_TRAIT_UNARY = 1,     /* + - ! ~ !! NOT */
	SQLI_TRAIT_ARITH = 2,     /* * / - + % */
	SQLI_TRAIT_CAST = 4,      /* :: */
	SQLI_TRAIT_IN = 8,        /* IN, NOT IN */
	SQLI_TRAIT_LIKE = 16,     /* LIKE, NOT LIKE */
	SQLI_TRAIT_CALLABLE = 32, /* a function only when "(" follows */
	SQLI_TRAIT_USER = 64,     /* USER, a function only with nothing between its parentheses */
	SQLI_TRAIT_PHRASE = 128,  /* a longer phrase begins with this */
};

enum { SQLI_TEXT_MAX = 31 };

struct sqli_token {
	union {
		struct {
			uint8_t kind;
			uint8_t traits;
			uint8_t open;  /* the quote that opened it, 0 if none was seen */
			uint8_t close; /* the quote that closed it, 0 if the input ended first */
			uint8_t len;   /* of text */
		};
		uint64_t head; /* all of these */
	};
	const uint8_t *text; /* the first bytes, without quotes: in the input, or static for a phrase */
};

enum sqli_dialect { SQLI_ANSI, SQLI_MYSQL };

struct sqli_reader {
	struct slice input;
	size_t at;
	enum sqli_dialect dialect;
	uint8_t quote;        /* the quote the input is taken to start inside of, or 0 */
	unsigned tokens;      /* read so far, comments included */
	bool dialects_differ; /* a # or a --x was read */
};

/* The next token to *ret; false at the end. */
bool sqli_token_read(struct sqli_reader *reader, struct sqli_token *ret);

#endif
