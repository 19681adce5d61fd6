/* Escapes and classes of bytes in a pattern (match/pattern.c). What is not told apart here makes it opaque. */
#ifndef GUIA_MATCH_PATTERN_ESCAPE_H
#define GUIA_MATCH_PATTERN_ESCAPE_H

#include "match/pattern_tree.h"

/* Digits of a base, `most` at most, moving past them; 0 where there are none. */
unsigned pattern_read_digits(struct reader *in, unsigned base, size_t most);

/* The backslash was read: adds what it means to the open alternative. */
void pattern_parse_escape(struct pattern_parser *p);

/* The bracket was read: adds the set. */
void pattern_parse_class(struct pattern_parser *p);

#endif
