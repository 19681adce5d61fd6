/* Maps of a YAML file whose keys are rows of a table: what is wrong with one is said with an example of it. */
#ifndef GUIA_SERVE_YAML_KEYS_H
#define GUIA_SERVE_YAML_KEYS_H

#include "base/diagnostic.h"
#include "base/yaml.h"

enum { CONFIG_INVALID = 1 }; /* diagnostics were added */

/* The text that is being read, for complaints; what is read lives in the arena. */
struct yaml_source {
	const char *file;
	struct slice text;
	struct arena *arena;
	struct diagnostics *diagnostics;
};

/* Where a value goes in the structure, what it must be, and an example. */
struct yaml_key {
	const char *name;
	int kind; /* the table's own */
	size_t offset;
	const char *hint;
	int64_t least; /* of a number, with `most` */
	int64_t most;
	bool needed;
};

/* NULL: there is none of that name. */
const struct yaml_key *yaml_key_find(struct slice name, const struct yaml_key *keys, size_t count);

/* CONFIG_INVALID after a complaint: that the key's value must be something else. */
int yaml_key_wrong(const struct yaml_source *source, const struct yaml_node *node, const struct yaml_key *key,
		   const char *should);

/* CONFIG_INVALID after a complaint that names the keys that there are; or -ENOMEM. */
int yaml_key_unknown(const struct yaml_source *source, const struct yaml_node *node, const struct yaml_key *keys,
		     size_t count);

/* A number from the key's least to its most. 0, or CONFIG_INVALID after a complaint. */
int yaml_key_number(const struct yaml_source *source, const struct yaml_node *node, const struct yaml_key *key,
		    int64_t *ret_number);

#endif
