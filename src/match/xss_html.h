/*
 * HTML as lenient browsers tokenise it (WHATWG HTML, "Tokenization", with what old Internet Explorers did besides):
 * only as far as is needed to find where script may hide.
 */
#ifndef GUIA_MATCH_XSS_HTML_H
#define GUIA_MATCH_XSS_HTML_H

#include "base/slice.h"

/* Where in a page the value stands. */
enum xss_context { XSS_TEXT, XSS_UNQUOTED, XSS_SINGLE_QUOTED, XSS_DOUBLE_QUOTED, XSS_BACK_QUOTED };

enum xss_kind {
	XSS_DATA,
	XSS_TAG_OPEN,  /* its name */
	XSS_TAG_END,   /* > or /> */
	XSS_TAG_CLOSE, /* the name in </name> */
	XSS_ATTRIBUTE, /* its name */
	XSS_VALUE,
	XSS_COMMENT,
	XSS_DOCTYPE,
};

enum xss_state {
	XSS_IN_TEXT,
	XSS_AFTER_LESS,
	XSS_BEFORE_ATTRIBUTE,
	XSS_AFTER_SLASH,
	XSS_AFTER_ATTRIBUTE,
	XSS_BEFORE_VALUE,
	XSS_IN_QUOTED,
	XSS_AFTER_QUOTED,
	XSS_AT_TAG_END,
	XSS_AT_END,
};

struct xss_reader {
	struct slice input;
	size_t at;
	enum xss_state state;
	uint8_t quote; /* in XSS_IN_QUOTED */
	bool closing;  /* inside </ */
};

struct xss_token {
	enum xss_kind kind;
	struct slice text;
};

struct xss_reader xss_reader_make(struct slice input, enum xss_context context);

/* The next token to *ret; false at the end. */
bool xss_token_read(struct xss_reader *reader, struct xss_token *ret);

#endif
