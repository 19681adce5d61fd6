/* The tables of names: variables and operators. */
#include "ruleset/ruleset.h"

#include <errno.h>

const struct variable_info variable_infos[VARIABLE_COUNT] = {
#define VARIABLE(id, text, form) [VARIABLE_##id] = {text, VARIABLE_##form},
#include "ruleset/variable_table.h"
#undef VARIABLE
};

const struct operator_info operator_infos[OPERATOR_COUNT] = {
#define OPERATOR(id, text, form) [OPERATOR_##id] = {text, OPERATOR_##form},
#include "ruleset/operator_table.h"
#undef OPERATOR
};

int variable_find(struct slice name, enum variable *ret_variable)
{
	for (int i = 0; i < VARIABLE_COUNT; i++) {
		if (!slice_equal_nocase(name, slice_from_string(variable_infos[i].name)))
			continue;
		*ret_variable = (enum variable)i;
		return 0;
	}
	return -ENOENT;
}

int operator_find(struct slice name, enum operator_kind *ret_kind)
{
	static const struct {
		const char *name;
		enum operator_kind kind;
	} rows[] = {
#define OPERATOR(id, text, form) {text, OPERATOR_##id},
#define OPERATOR_ALIAS(id, text) {text, OPERATOR_##id},
#include "ruleset/operator_table.h"
#undef OPERATOR
#undef OPERATOR_ALIAS
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!slice_equal_nocase(name, slice_from_string(rows[i].name)))
			continue;
		*ret_kind = rows[i].kind;
		return 0;
	}
	return -ENOENT;
}
