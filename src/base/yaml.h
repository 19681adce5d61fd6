/*
 * A YAML document (libyaml) as a tree that remembers where each thing stands, for configuration and rule tests. Plain
 * data only: aliases, tags and a second document are refused, nesting is bounded. Everything lives in the arena.
 */
#ifndef GUIA_BASE_YAML_H
#define GUIA_BASE_YAML_H

#include "base/diagnostic.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	struct slice text; /* of a scalar; NUL behind it */
	bool quoted;       /* a scalar that was not written plain: never a number, a boolean or null */
	unsigned line;
	unsigned column;  /* in characters, as key_column; yaml_place() tells bytes */
	struct slice key; /* in a map */
	unsigned key_line;
	unsigned key_column;
	size_t count;            /* children of a list or a map */
	struct yaml_node *first; /* child */
	struct yaml_node *last;
	struct yaml_node *next; /* sibling */
};

enum {
	YAML_INVALID = 1, /* a diagnostic was added */
};

/*
 * `file` names the text in diagnostics. *ret_root is NULL when the text holds no document. 0, YAML_INVALID, or
 * -ENOMEM.
 */
int yaml_parse(struct slice text, const char *file, struct arena *arena, struct diagnostics *diagnostics,
	       struct yaml_node **ret_root);

/* The child of a map by key, or NULL; NULL also for a node that is NULL or no map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* 0, or YAML_INVALID if the scalar is not of that form. Booleans are YAML 1.1's words. */
int yaml_bool(const struct yaml_node *node, bool *ret_value);
int yaml_integer(const struct yaml_node *node, int64_t *ret_value);

/* The place of a node, or of its key, with the text's line for the caret. */
struct source_place yaml_place(const struct yaml_node *node, const char *file, struct slice text);
struct source_place yaml_key_place(const struct yaml_node *node, const char *file, struct slice text);

#endif
