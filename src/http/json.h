/*
 * JSON (RFC 8259) to arguments, named as libmodsecurity names them: {"a":{"b":1},"c":[true,{"d":null}]} yields
 * json.a.b=1, json.c.array_0=true, json.c.array_1.d= ; a document that is one value is "json"; an empty key is
 * "empty-key". Numbers keep their spelling, null is empty, strings are decoded (\u with surrogates; UTF-8 is checked).
 * One pass, one small frame per nesting level, no recursion.
 */
#ifndef GUIA_HTTP_JSON_H
#define GUIA_HTTP_JSON_H

#include "http/field.h"

struct json_options {
	size_t depth_limit;     /* SecRequestBodyJsonDepthLimit; libmodsecurity's default is 10000 */
	size_t arguments_limit; /* SecArgumentsLimit less what the transaction holds already; SIZE_MAX for none */
	bool empty_containers;  /* {} and [] are arguments without a value, lest their names go unseen */
};

/*
 * Appends to `list`. An empty body is no error. 0; BODY_MALFORMED with *ret_error set to yajl's wording ("lexical
 * error: invalid char in json text.\n", "parse error: client cancelled parse via callback return value\n. Parsing depth
 * limit exceeded"); or -ENOMEM.
 */
int json_parse(struct slice body, const struct json_options *options, struct field_list *list, struct slice *ret_error);

#endif
