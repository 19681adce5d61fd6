/*
 * SecLang text cut into statements: a directive and its arguments, with their place. A statement ends at a line's end
 * that no backslash precedes; '#' begins a comment line. An argument is a word, or stands in double quotes, in which
 * \" is a quote and every other backslash stays.
 */
#ifndef GUIA_SECLANG_SOURCE_H
#define GUIA_SECLANG_SOURCE_H

#include "base/diagnostic.h"

enum { STATEMENT_WORDS_MAX = 16 };

struct word {
	struct slice text;
	unsigned line;
	unsigned column; /* of the first byte of text */
	size_t at;       /* where that byte is in the source */
	bool quoted;
};

struct statement {
	struct word words[STATEMENT_WORDS_MAX]; /* [0] is the directive */
	size_t word_count;
	bool overflow;     /* there were more words */
	bool unterminated; /* a quote was not closed */
};

struct source {
	struct slice text;
	const char *file;
	unsigned first_line; /* the number of the text's first line */
	size_t at;
	unsigned line;
};

struct source source_make(struct slice text, const char *file, unsigned first_line);

/* The next statement, its texts in `arena`. 1, 0 at the end, or -ENOMEM. */
int source_next(struct source *source, struct arena *arena, struct statement *ret_statement);

/* Where a word stands, with the text of its line. */
struct source_place source_place(const struct source *source, const struct word *word);

/* The same for a byte within the word's text. */
struct source_place source_place_at(const struct source *source, const struct word *word, size_t offset);

#endif
