/* A wrong value is told of where the value stands, an unknown key where the key does. */
#include "serve/yaml_keys.h"

#include "base/error.h"

#include <stdio.h>

const struct yaml_key *yaml_key_find(struct slice name, const struct yaml_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(name, slice_from_string(keys[i].name)))
			return &keys[i];
	return NULL;
}

int yaml_key_wrong(const struct yaml_source *source, const struct yaml_node *node, const struct yaml_key *key,
		   const char *should)
{
	diagnostics_add(source->diagnostics, DIAGNOSTIC_ERROR, yaml_place(node, source->file, source->text), key->hint,
			"`%s` must be %s", key->name, should);
	return CONFIG_INVALID;
}

int yaml_key_unknown(const struct yaml_source *source, const struct yaml_node *node, const struct yaml_key *keys,
		     size_t count)
{
	struct buffer hint = buffer_make(source->arena);
	buffer_text(&hint, "known here:");
	for (size_t i = 0; i < count; i++)
		buffer_printf(&hint, "%s %s", i > 0 ? "," : "", keys[i].name);
	buffer_byte(&hint, '\0');
	if (hint.error != 0)
		return -ENOMEM;
	diagnostics_add(source->diagnostics, DIAGNOSTIC_ERROR, yaml_key_place(node, source->file, source->text),
			(const char *)hint.ptr, "unknown key `%.*s`", SLICE_ARG(node->key));
	return CONFIG_INVALID;
}

int yaml_key_number(const struct yaml_source *source, const struct yaml_node *node, const struct yaml_key *key,
		    int64_t *ret_number)
{
	int64_t number;
	char should[64];
	if (yaml_integer(node, &number) == 0 && !node->quoted && number >= key->least && number <= key->most) {
		*ret_number = number;
		return 0;
	}
	snprintf(should, sizeof(should), "a number from %lld to %lld", (long long)key->least, (long long)key->most);
	return yaml_key_wrong(source, node, key, should);
}
