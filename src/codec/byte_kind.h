/*
 * Which kinds of bytes a value holds, found out in one pass: what tells that a transformation will change nothing, or
 * that a question has its answer, without asking.
 */
#ifndef GUIA_CODEC_BYTE_KIND_H
#define GUIA_CODEC_BYTE_KIND_H

#include "base/slice.h"

enum {
	BYTES_UPPER = 1u << 0,
	BYTES_LOWER = 1u << 1,
	BYTES_SPACE = 1u << 2, /* white space of ASCII */
	BYTES_NUL = 1u << 3,
	BYTES_HIGH = 1u << 4, /* from 0x80 on */
	BYTES_URL = 1u << 5,  /* % and + */
	BYTES_AMPERSAND = 1u << 6,
	BYTES_BACKSLASH = 1u << 7,
	BYTES_PATH = 1u << 8,    /* / and . */
	BYTES_COMMENT = 1u << 9, /* / * < - # */
	BYTES_SHELL = 1u << 10,  /* " ' ^ , ; */
	BYTES_OTHER = 1u << 11,  /* digits, what is left of punctuation, control bytes */
	BYTES_ANY = (1u << 12) - 1,
};

/* The kinds of all bytes together; 0 for an empty value. */
uint32_t byte_kinds(struct slice s);

#endif
