/* setvar and its relatives: "tx.name=value", "tx.name=+1", "!tx.name", "tx.name". */
#include "seclang/draft.h"

#include <errno.h>

/* TX or a stored collection before the first . or :, what follows in *ret_rest. */
static int collection_parse(struct compiler *c, struct slice text, size_t offset, enum variable *ret_collection,
			    struct slice *ret_rest)
{
	size_t dot = 0;
	while (dot < text.len && text.ptr[dot] != '.' && text.ptr[dot] != ':')
		dot++;
	struct slice name = slice_trim(slice_sub(text, 0, dot));
	enum variable collection;
	if (dot == text.len || variable_find(name, &collection) != 0 ||
	    (collection != VARIABLE_TX && variable_infos[collection].shape != VARIABLE_STORED))
		return compiler_error(c, offset, "write tx.name, ip.name, session.name, user.name, global.name ...",
				      "\"%.*s\" names no collection that can be written", SLICE_ARG(text));
	if (dot + 1 == text.len)
		return compiler_error(c, offset + dot, NULL, "a name is missing after the dot");
	*ret_collection = collection;
	*ret_rest = slice_after(text, dot + 1);
	return 0;
}

/* The place of the = that ends the name; one inside %{...} does not count. */
static size_t name_end(struct slice text)
{
	bool inside = false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%' && i + 1 < text.len && text.ptr[i + 1] == '{')
			inside = true;
		else if (text.ptr[i] == '}')
			inside = false;
		else if (text.ptr[i] == '=' && !inside)
			return i;
	}
	return text.len;
}

static int setvar_name(struct compiler *c, struct slice name, size_t offset, struct setvar *setvar)
{
	int r = collection_parse(c, name, offset, &setvar->collection, &name);
	if (r == 0)
		r = macro_parse(c, name, offset, &setvar->name);
	setvar->tx_slot = SLOT_NONE;
	if (r == 0 && setvar->collection == VARIABLE_TX && macro_is_literal(&setvar->name)) {
		setvar->tx_slot = pool_tx_slot(c->pool, name);
		r = setvar->tx_slot < 0 ? setvar->tx_slot : 0;
	}
	return r;
}

int setvar_parse(struct compiler *compiler, struct slice text, size_t offset, struct action *ret_action)
{
	struct action action = {.kind = ACTION_SETVAR};
	struct setvar *setvar = &action.setvar;
	if (text.len > 0 && text.ptr[0] == '!') {
		setvar->kind = SETVAR_UNSET;
		text = slice_after(text, 1);
	}
	size_t equals = name_end(text);
	struct slice value = slice_after(text, equals + 1);
	if (setvar->kind != SETVAR_UNSET && value.len > 0 && (value.ptr[0] == '+' || value.ptr[0] == '-')) {
		setvar->kind = value.ptr[0] == '+' ? SETVAR_ADD : SETVAR_SUBTRACT;
		value = slice_after(value, 1);
	}
	/* Without a value a variable is set to 1. */
	if (equals == text.len)
		value = SLICE("1");
	int r = setvar_name(compiler, slice_sub(text, 0, equals), offset, setvar);
	if (r == 0)
		r = macro_parse(compiler, value, offset + equals + 1, &setvar->value);
	if (r == 0)
		*ret_action = action;
	return r;
}
