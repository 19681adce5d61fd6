/*
 * Which kinds of bytes a value holds, found out in one pass: what tells that a transformation will change nothing, or
 * that a question has its answer, without asking.
 */
#ifndef GUIA_CODEC_BYTE_KIND_H
#define GUIA_CODEC_BYTE_KIND_H

#include "base/slice.h"

#define BYTES_UPPER      (1u << 0)
#define BYTES_LOWER      (1u << 1)
#define BYTES_DIGIT      (1u << 2)
#define BYTES_BLANK      (1u << 3)
#define BYTES_WHITE      (1u << 4) /* other white space of ASCII */
#define BYTES_NUL        (1u << 5)
#define BYTES_CONTROL    (1u << 6)
#define BYTES_HIGH       (1u << 7) /* from 0x80 on */
#define BYTES_PERCENT    (1u << 8)
#define BYTES_PLUS       (1u << 9)
#define BYTES_AMPERSAND  (1u << 10)
#define BYTES_BACKSLASH  (1u << 11)
#define BYTES_SLASH      (1u << 12)
#define BYTES_DOT        (1u << 13)
#define BYTES_STAR       (1u << 14)
#define BYTES_LESS       (1u << 15)
#define BYTES_DASH       (1u << 16)
#define BYTES_HASH       (1u << 17)
#define BYTES_QUOTE      (1u << 18)
#define BYTES_APOSTROPHE (1u << 19)
#define BYTES_CARET      (1u << 20)
#define BYTES_COMMA      (1u << 21)
#define BYTES_SEMICOLON  (1u << 22)
#define BYTES_EQUALS     (1u << 23)
#define BYTES_ROUND      (1u << 24) /* ( ) */
#define BYTES_BRACKET    (1u << 25) /* [ ] { } */
#define BYTES_DOLLAR     (1u << 26)
#define BYTES_BAR        (1u << 27) /* | ` */
#define BYTES_UNDERSCORE (1u << 28)
#define BYTES_COLON      (1u << 29)
#define BYTES_GREATER    (1u << 30)
#define BYTES_OTHER      (1u << 31) /* ! ? @ ~ */
#define BYTES_ANY        0xffffffffu

#define BYTES_SPACE   (BYTES_BLANK | BYTES_WHITE)
#define BYTES_URL     (BYTES_PERCENT | BYTES_PLUS)
#define BYTES_PATH    (BYTES_SLASH | BYTES_DOT)
#define BYTES_COMMENT (BYTES_SLASH | BYTES_STAR | BYTES_LESS | BYTES_DASH | BYTES_HASH)
#define BYTES_SHELL   (BYTES_QUOTE | BYTES_APOSTROPHE | BYTES_CARET | BYTES_COMMA | BYTES_SEMICOLON)

/*
 * How plain a value is, by its kinds of bytes. Of most values plain words, numbers and addresses are all there is, and
 * most of what is looked for has other bytes. A level's kinds are those of the one before and more; lower case of a
 * letter is of its level.
 */
enum byte_level { BYTE_LEVEL_PLAIN, BYTE_LEVEL_MILD, BYTE_LEVEL_ANY, BYTE_LEVELS };

#define BYTES_PLAIN                                                                                                    \
	(BYTES_UPPER | BYTES_LOWER | BYTES_DIGIT | BYTES_BLANK | BYTES_DASH | BYTES_DOT | BYTES_UNDERSCORE |           \
	 BYTES_SLASH | BYTES_COLON | BYTES_COMMA | BYTES_EQUALS | BYTES_PLUS | BYTES_STAR | BYTES_OTHER)
#define BYTES_MILD                                                                                                     \
	(BYTES_PLAIN | BYTES_SEMICOLON | BYTES_ROUND | BYTES_AMPERSAND | BYTES_PERCENT | BYTES_HASH | BYTES_HIGH)

static inline uint32_t byte_level_kinds(enum byte_level level)
{
	return level == BYTE_LEVEL_PLAIN ? BYTES_PLAIN : level == BYTE_LEVEL_MILD ? BYTES_MILD : BYTES_ANY;
}

static inline enum byte_level byte_level_of(uint32_t kinds)
{
	return (kinds & ~BYTES_PLAIN) == 0  ? BYTE_LEVEL_PLAIN
	       : (kinds & ~BYTES_MILD) == 0 ? BYTE_LEVEL_MILD
					    : BYTE_LEVEL_ANY;
}

/* The kind of a byte: one bit. */
uint32_t byte_kind(uint8_t byte);

/* The kinds of all bytes together; 0 for an empty value. */
uint32_t byte_kinds(struct slice s);

#endif
