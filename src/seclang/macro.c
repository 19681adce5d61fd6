/* Text with %{VARIABLE} and %{COLLECTION.name} in it. */
#include "seclang/compiler.h"

#include <errno.h>

struct parts {
	struct macro_part *items;
	size_t count;
	size_t capacity;
};

static int part_add(struct compiler *c, struct parts *parts, struct macro_part part)
{
	int r = compiler_grow(c, (void **)&parts->items, &parts->capacity, parts->count, sizeof(part));
	if (r == 0)
		parts->items[parts->count++] = part;
	return r;
}

static int literal_add(struct compiler *c, struct parts *parts, struct slice literal)
{
	struct macro_part part = {.tx_slot = SLOT_NONE};
	if (literal.len == 0)
		return 0;
	int r = compiler_copy(c, literal, &part.literal);
	return r != 0 ? r : part_add(c, parts, part);
}

const char *compiler_variable_at(size_t index)
{
	return index < VARIABLE_COUNT ? variable_infos[index].name : NULL;
}

static int macro_unknown(struct compiler *c, struct slice name, struct slice inside, size_t offset)
{
	const char *hint = compiler_suggest(c, name, compiler_variable_at, "");
	return compiler_error(c, offset + 2, hint, "unknown variable in %%{%.*s}", SLICE_ARG(inside));
}

static int variable_add(struct compiler *c, struct parts *parts, struct slice inside, size_t offset)
{
	size_t end = 0;
	while (end < inside.len && inside.ptr[end] != '.' && inside.ptr[end] != ':')
		end++;
	struct macro_part part = {.is_variable = true, .tx_slot = SLOT_NONE};
	struct slice name = slice_sub(inside, 0, end);
	if (variable_find(name, &part.variable) != 0)
		return macro_unknown(c, name, inside, offset);
	int r = compiler_copy(c, slice_after(inside, end + 1), &part.selector);
	if (r == 0 && part.variable == VARIABLE_TX && part.selector.len > 0) {
		part.tx_slot = pool_tx_slot(c->pool, part.selector);
		r = part.tx_slot < 0 ? part.tx_slot : 0;
	}
	return r != 0 ? r : part_add(c, parts, part);
}

int macro_parse(struct compiler *compiler, struct slice text, size_t offset, struct macro *ret_macro)
{
	struct parts parts = {0};
	size_t at = 0;
	int r = 0;
	while (r == 0 && at < text.len) {
		size_t open = slice_find(text, SLICE("%{"), at);
		size_t close = slice_find_byte(text, '}', open);
		if (close >= text.len)
			open = text.len;
		r = literal_add(compiler, &parts, slice_sub(text, at, open));
		if (r != 0 || open >= text.len)
			break;
		r = variable_add(compiler, &parts, slice_sub(text, open + 2, close), offset + open);
		at = close + 1;
	}
	struct macro macro = {.parts = parts.items, .part_count = parts.count};
	if (r == 0)
		r = compiler_copy(compiler, text, &macro.text);
	if (r == 0)
		*ret_macro = macro;
	return r;
}
