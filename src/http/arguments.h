/*
 * Query strings and application/x-www-form-urlencoded bodies, as libmodsecurity reads them: split at the separator (an
 * empty piece in the middle is an argument without name or value, one at the end is none), then at the first '=', then
 * decoded once: '+' is a space, %HH a byte, any other '%' stays and marks the encoding as invalid.
 */
#ifndef GUIA_HTTP_ARGUMENTS_H
#define GUIA_HTTP_ARGUMENTS_H

#include "http/field.h"

struct arguments_options {
	uint8_t separator;  /* SecArgumentSeparator; '&' by default */
	size_t limit;       /* SecArgumentsLimit less what the transaction holds already; SIZE_MAX for none */
	size_t base_offset; /* added to the fields' offsets */
};

static inline struct arguments_options arguments_defaults(void)
{
	return (struct arguments_options){.separator = '&', .limit = SIZE_MAX};
}

struct arguments_facts {
	bool invalid_encoding; /* URLENCODED_ERROR; also set by an argument over the limit */
	bool limit_reached;    /* at least one argument was left out */
};

/* Appends to `list`. 0 with *ret_facts set, or -ENOMEM with the list holding what fitted. */
int arguments_parse(struct slice text, const struct arguments_options *options, struct field_list *list,
		    struct arguments_facts *ret_facts);

#endif
