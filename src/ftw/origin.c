/*
 * What is to be answered is JSON, read by Jansson; what is not of its form gets 400. An answer with a body and no
 * Content-Type is given one by how the body begins.
 */
#include "ftw/origin.h"

#include "base/error.h"
#include "ftw/wire.h"

#include <jansson.h>

static bool is_reflect(struct slice method, struct slice path)
{
	return slice_equal(method, SLICE("POST")) &&
	       (slice_equal(path, SLICE("/reflect")) || slice_starts_with(path, SLICE("/reflect/")));
}

static int copy_text(const json_t *text, struct arena *arena, struct slice *ret_text)
{
	return arena_copy(arena, slice_make(json_string_value(text), json_string_length(text)), ret_text);
}

static int read_headers(json_t *map, struct arena *arena, struct field_list *headers)
{
	const char *name;
	json_t *value;
	json_object_foreach(map, name, value)
	{
		struct field field = {0};
		int r = arena_copy(arena, slice_from_string(name), &field.name);
		r = r != 0 ? r : copy_text(value, arena, &field.value);
		r = r != 0 ? r : field_list_add(headers, field);
		if (r != 0)
			return r;
	}
	return 0;
}

/* FTW_INVALID if the specification is not of its form. */
static int read_answer(const json_t *spec, struct arena *arena, struct ftw_answer *answer)
{
	const json_t *status = json_object_get(spec, "status");
	const json_t *body = json_object_get(spec, "body");
	const json_t *encoded = json_object_get(spec, "encodedBody");
	int r = read_headers(json_object_get(spec, "headers"), arena, &answer->headers);
	if (json_is_integer(status) && json_integer_value(status) != 0)
		answer->status = (unsigned)json_integer_value(status);
	if (r != 0 || answer->status < 100 || answer->status > 599)
		return r != 0 ? r : FTW_INVALID;
	if (json_is_string(body) && json_string_length(body) > 0)
		return copy_text(body, arena, &answer->body);
	if (json_is_string(encoded))
		return ftw_base64(slice_make(json_string_value(encoded), json_string_length(encoded)), arena,
				  &answer->body);
	return 0;
}

static bool starts_with_tag(struct slice body, struct slice tag)
{
	return slice_starts_with_nocase(slice_trim(body), tag);
}

/* As the reference origin does, whose HTTP library looks at the first bytes of a body that has no declared type. */
static int add_type(struct ftw_answer *answer)
{
	if (answer->body.len == 0 || field_list_find(&answer->headers, SLICE("Content-Type")) != NULL)
		return 0;
	bool html = starts_with_tag(answer->body, SLICE("<!doctype html")) ||
		    starts_with_tag(answer->body, SLICE("<html")) || starts_with_tag(answer->body, SLICE("<script"));
	bool xml = starts_with_tag(answer->body, SLICE("<?xml"));
	struct slice type = html  ? SLICE("text/html; charset=utf-8")
			    : xml ? SLICE("text/xml; charset=utf-8")
				  : SLICE("text/plain; charset=utf-8");
	return field_list_add(&answer->headers, (struct field){.name = SLICE("Content-Type"), .value = type});
}

int ftw_origin_answer(struct slice method, struct slice path, struct slice body, struct arena *arena,
		      struct ftw_answer *ret_answer)
{
	struct ftw_answer answer = {.status = 200, .headers = field_list_make(arena)};
	int r = 0;
	if (is_reflect(method, path)) {
		json_t *spec = json_loadb((const char *)body.ptr, body.len, 0, NULL);
		r = json_is_object(spec) ? read_answer(spec, arena, &answer) : FTW_INVALID;
		json_decref(spec);
		if (r == FTW_INVALID)
			answer = (struct ftw_answer){.status = 400, .headers = field_list_make(arena)};
	}
	if (r >= 0)
		r = add_type(&answer);
	if (r == 0)
		*ret_answer = answer;
	return r;
}
