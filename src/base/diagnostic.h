/*
 * What a person wrote wrong, told so that they can mend it: file, line, column, message, hint. A list owns copies of
 * everything; it is filled by parsers and printed by commands and by nginx. Libraries never print.
 */
#ifndef GUIA_BASE_DIAGNOSTIC_H
#define GUIA_BASE_DIAGNOSTIC_H

#include "base/buffer.h"

enum diagnostic_severity {
	DIAGNOSTIC_NOTE,
	DIAGNOSTIC_WARNING,
	DIAGNOSTIC_ERROR,
};

struct diagnostic {
	enum diagnostic_severity severity;
	const char *file; /* "" where there is none */
	unsigned line;    /* from 1; 0 unknown */
	unsigned column;  /* in bytes, from 1; 0 unknown */
	const char *message;
	const char *hint;        /* "" where there is none */
	const char *source_line; /* the text of the line, for the caret; "" where unknown */
	struct diagnostic *next;
};

struct diagnostics {
	struct arena arena;
	struct diagnostic *first;
	struct diagnostic *last;
	size_t errors;
	size_t warnings;
	bool lost; /* no memory was left to keep one; counts as an error */
};

void diagnostics_init(struct diagnostics *list);
void diagnostics_destroy(struct diagnostics *list);

/* Where in what a person wrote. `source_line` may be empty. */
struct source_place {
	const char *file;
	unsigned line;
	unsigned column;
	struct slice source_line;
};

/* `hint` may be NULL. The message is formatted and both are copied. */
void diagnostics_add(struct diagnostics *list, enum diagnostic_severity severity, struct source_place place,
		     const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "file:line:column: error: message", the source line with a caret, "hint: ..."; control bytes are escaped. */
void diagnostic_format(const struct diagnostic *diagnostic, struct buffer *out);

/* True if the list holds an error, or lost one. */
bool diagnostics_failed(const struct diagnostics *list);

#endif
