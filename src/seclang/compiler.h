/* What the parts of the compiler share: where memory comes from, where in the source we are, and how to complain. */
#ifndef GUIA_SECLANG_COMPILER_H
#define GUIA_SECLANG_COMPILER_H

#include "ruleset/pool.h"
#include "ruleset/ruleset.h"
#include "seclang/dependency.h"
#include "seclang/source.h"

struct compiler {
	struct pool *pool;
	struct arena *arena; /* of the unit under compilation */
	struct diagnostics *diagnostics;
	const struct source *source;
	const struct word *word; /* what is being read */
	size_t files;            /* read so far */
	struct dependencies dependencies;
};

/*
 * Adds an error about a byte of compiler->word and returns -EINVAL. Parts of the compiler return 0, -EINVAL when they
 * have told why, or -ENOMEM.
 */
int compiler_error(struct compiler *compiler, size_t offset, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void compiler_warning(struct compiler *compiler, size_t offset, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A copy in the unit's memory. */
int compiler_copy(struct compiler *compiler, struct slice s, struct slice *ret_copy);

/* A growing array in the unit's memory: room for one more item; the old array is left behind. */
int compiler_grow(struct compiler *compiler, void **items, size_t *capacity, size_t count, size_t item_bytes);

/* "%{...}" and text; offsets for diagnostics count from `offset` in the word. */
int macro_parse(struct compiler *compiler, struct slice text, size_t offset, struct macro *ret_macro);

/* The names of variables, for compiler_suggest(). */
const char *compiler_variable_at(size_t index);

/* A list of targets: "ARGS|!ARGS:x|&TX:/re/". */
struct target_list {
	struct target *items;
	size_t count;
	size_t capacity;
};
int targets_parse(struct compiler *compiler, struct slice text, size_t offset, struct target_list *list);

/* "@rx ...", "!@eq 1", or a bare pattern. */
int operation_parse(struct compiler *compiler, struct slice text, struct rule_operator *ret_operation);

/* A regex from the pool; a pattern that does not compile is told at its byte. */
int compiler_regex(struct compiler *compiler, struct slice pattern, unsigned flags, size_t offset,
		   const struct regex **ret_regex);

/* The bytes of a file named in the source: absolute, or relative to the source's file. Told if it cannot be read. */
int compiler_read_file(struct compiler *compiler, struct slice name, size_t offset, struct buffer *out);

/* Where such a file is, NUL-terminated, in the unit's memory; NULL if there is no memory. */
char *compiler_path(struct compiler *compiler, struct slice name);

/* A decimal number without sign, up to INT64_MAX. False for anything else, with *ret_number untouched. */
bool parse_number(struct slice text, uint64_t *ret_number);

/* "200", "1-9": an id, or a range of them. */
bool parse_id_range(struct slice text, struct id_range *ret_range);

/*
 * A hint for a word that is none of some names: "did you mean t:lowercase?", with `before` ahead of the nearest of
 * them, in the unit's memory. NULL if none is near. `name_at` yields names until NULL.
 */
const char *compiler_suggest(struct compiler *compiler, struct slice word, const char *(*name_at)(size_t index),
			     const char *before);

#endif
