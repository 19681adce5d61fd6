/* JSON's tokens, with the leniencies and the messages of yajl 2.1, which libmodsecurity reads JSON with. */
#ifndef GUIA_HTTP_JSON_LEXER_H
#define GUIA_HTTP_JSON_LEXER_H

#include "base/arena.h"

enum json_token {
	JSON_END, /* no whole token is left */
	JSON_ERROR,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_COLON,
	JSON_COMMA,
};

struct json_lexer {
	struct slice text;
	size_t at; /* one space is seen behind the text, which ends a number and spoils what is cut off: up to len + 1
		    */
	struct slice value; /* of the last string (still escaped, without quotes) or number */
	bool escaped;       /* the string holds a backslash */
	const char *error;  /* static; set by JSON_ERROR */
};

enum json_token json_lexer_next(struct json_lexer *lexer);

/* A string's escapes resolved; a copy in the arena. 0 or -ENOMEM. */
int json_unescape(struct slice text, struct arena *arena, struct slice *ret_text);

#endif
