/*
 * What may come next, and a stack of frames in the arena. The path is one buffer: a container adds its name, and its
 * frame tells how long the path was before. Each argument has a copy.
 */
#include "http/json.h"

#include "base/buffer.h"
#include "http/json_lexer.h"

#include <errno.h>

enum {
	NAMES_FREE = 64 << 10, /* bytes of all names together that any body may have, ... */
	NAMES_PER_BYTE = 64,   /* ... and so many more for each of its own */
};

/* What may come next. */
enum expectation {
	EXPECT_VALUE,
	EXPECT_FIRST_ELEMENT, /* or the array's end */
	EXPECT_FIRST_KEY,     /* or the object's end */
	EXPECT_KEY,
	EXPECT_COLON,
	EXPECT_MORE, /* behind a value in a container: a comma or its end */
	EXPECT_END,
};

struct frame {
	size_t path_length; /* to go back to when the container ends */
	size_t elements;
	bool array;
};

struct parser {
	struct json_lexer lexer;
	const struct json_options *options;
	struct field_list *list;
	size_t added;
	size_t name_bytes;  /* of all names so far */
	struct buffer path; /* the name of the container, with a dot behind an object's */
	struct frame *frames;
	size_t depth;
	size_t capacity;
	struct slice key;
	enum expectation expected;
	const char *error;      /* static; behind "parse error: " or, with `lexical`, "lexical error: " */
	const char *error_tail; /* what libmodsecurity adds */
	bool lexical;
};

static int fail(struct parser *p, const char *error)
{
	p->error = error;
	return BODY_MALFORMED;
}

static struct frame *top(struct parser *p)
{
	return p->depth == 0 ? NULL : &p->frames[p->depth - 1];
}

/* Behind a value. */
static enum expectation after_value(struct parser *p)
{
	return p->depth == 0 ? EXPECT_END : EXPECT_MORE;
}

/* Puts the name that the coming value has behind the container's path. */
static void path_add_name(struct parser *p)
{
	struct frame *frame = top(p);
	if (frame == NULL)
		buffer_text(&p->path, "json");
	else if (!frame->array)
		buffer_add(&p->path, p->key);
	else {
		buffer_add(&p->path, SLICE(".array_"));
		buffer_number(&p->path, (int64_t)frame->elements++);
	}
}

/* A short body can name long paths many times over: what that costs is bounded by the body's size. */
static bool names_too_long(struct parser *p)
{
	p->name_bytes += p->path.len;
	return p->name_bytes > NAMES_FREE + NAMES_PER_BYTE * p->lexer.text.len;
}

/* An argument named by the path. */
static int add_argument(struct parser *p, struct slice value, size_t offset)
{
	if (p->added == p->options->arguments_limit)
		return fail(p, "client cancelled parse via callback return value");
	if (p->path.error != 0)
		return p->path.error;
	if (names_too_long(p)) {
		p->error_tail = ". Argument names too long";
		return fail(p, "client cancelled parse via callback return value");
	}
	struct field field = {.value = value, .value_offset = offset};
	if (arena_copy(p->list->arena, buffer_slice(&p->path), &field.name) != 0 || field_list_add(p->list, field) != 0)
		return -ENOMEM;
	p->added++;
	return 0;
}

static int add_value(struct parser *p, struct slice value, size_t offset)
{
	size_t length = p->path.len;
	path_add_name(p);
	int outcome = add_argument(p, value, offset);
	p->path.len = length;
	p->expected = after_value(p);
	return outcome;
}

static int add_string(struct parser *p)
{
	struct slice value = p->lexer.value;
	size_t offset = (size_t)(value.ptr - p->lexer.text.ptr);
	if (p->lexer.escaped && json_unescape(value, p->list->arena, &value) != 0)
		return -ENOMEM;
	return add_value(p, value, offset);
}

static int push_frame(struct parser *p, struct frame frame)
{
	if (p->depth == p->capacity &&
	    arena_grow(p->list->arena, (void **)&p->frames, &p->capacity, p->depth, sizeof(*p->frames), 16) != 0)
		return -ENOMEM;
	p->frames[p->depth++] = frame;
	return 0;
}

static int open_container(struct parser *p, bool array)
{
	if (p->depth >= p->options->depth_limit) {
		p->error_tail = ". Parsing depth limit exceeded";
		return fail(p, "client cancelled parse via callback return value");
	}
	struct frame frame = {.path_length = p->path.len, .array = array};
	path_add_name(p);
	buffer_text(&p->path, array ? "" : ".");
	p->expected = array ? EXPECT_FIRST_ELEMENT : EXPECT_FIRST_KEY;
	return p->path.error != 0 ? p->path.error : push_frame(p, frame);
}

static int close_container(struct parser *p)
{
	p->path.len = top(p)->path_length;
	p->depth--;
	p->expected = after_value(p);
	return 0;
}

/* The document itself has no name that anybody chose. */
static int close_empty_container(struct parser *p)
{
	if (p->options->empty_containers && p->depth > 1) {
		p->path.len -= top(p)->array ? 0 : strlen(".");
		int outcome = add_argument(p, SLICE(""), p->lexer.at);
		if (outcome != 0)
			return outcome;
	}
	return close_container(p);
}

static int take_value(struct parser *p, enum json_token token)
{
	size_t offset = p->lexer.at;
	switch (token) {
	case JSON_STRING:
		return add_string(p);
	case JSON_NUMBER:
		return add_value(p, p->lexer.value, offset - p->lexer.value.len);
	case JSON_TRUE:
		return add_value(p, SLICE("true"), offset - strlen("true"));
	case JSON_FALSE:
		return add_value(p, SLICE("false"), offset - strlen("false"));
	case JSON_NULL:
		return add_value(p, SLICE(""), offset);
	case JSON_OBJECT:
		return open_container(p, false);
	case JSON_ARRAY:
		return open_container(p, true);
	case JSON_ARRAY_END:
		if (p->expected == EXPECT_FIRST_ELEMENT)
			return close_empty_container(p);
		/* fall through */
	default:
		return fail(p, "unallowed token at this point in JSON text");
	}
}

static int take_key(struct parser *p, enum json_token token)
{
	if (token == JSON_OBJECT_END && p->expected == EXPECT_FIRST_KEY)
		return close_empty_container(p);
	if (token != JSON_STRING)
		return fail(p, "invalid object key (must be a string)");
	p->key = p->lexer.value;
	if (p->lexer.escaped && json_unescape(p->key, p->list->arena, &p->key) != 0)
		return -ENOMEM;
	if (p->key.len == 0)
		p->key = SLICE("empty-key");
	p->expected = EXPECT_COLON;
	return 0;
}

static int take_more(struct parser *p, enum json_token token)
{
	bool array = top(p)->array;
	if (token == (array ? JSON_ARRAY_END : JSON_OBJECT_END))
		return close_container(p);
	if (token != JSON_COMMA)
		return fail(p, array ? "after array element, I expect ',' or ']'"
				     : "after key and value, inside map, I expect ',' or '}'");
	p->expected = array ? EXPECT_VALUE : EXPECT_KEY;
	return 0;
}

static int take_token(struct parser *p, enum json_token token)
{
	if (p->expected == EXPECT_END)
		return fail(p, "trailing garbage");
	if (token == JSON_ERROR) {
		p->lexical = true;
		return fail(p, p->lexer.error);
	}
	switch (p->expected) {
	case EXPECT_FIRST_KEY:
	case EXPECT_KEY:
		return take_key(p, token);
	case EXPECT_COLON:
		if (token != JSON_COLON)
			return fail(p, "object key and value must be separated by a colon (':')");
		p->expected = EXPECT_VALUE;
		return 0;
	case EXPECT_MORE:
		return take_more(p, token);
	default:
		return take_value(p, token);
	}
}

static int parse(struct parser *p)
{
	for (;;) {
		enum json_token token = json_lexer_next(&p->lexer);
		if (token == JSON_END)
			return p->expected == EXPECT_END ? 0 : fail(p, "premature EOF");
		int outcome = take_token(p, token);
		if (outcome != 0)
			return outcome;
	}
}

int json_parse(struct slice body, const struct json_options *options, struct field_list *list, struct slice *ret_error)
{
	if (body.len == 0)
		return 0;
	struct parser p = {
		.lexer = {.text = body},
		.options = options,
		.list = list,
		.path = buffer_make(list->arena),
		.expected = EXPECT_VALUE,
		.error_tail = "",
	};
	int outcome = parse(&p);
	if (outcome != BODY_MALFORMED)
		return outcome;
	struct buffer message = buffer_make(list->arena);
	buffer_printf(&message, "%s error: %s\n%s", p.lexical ? "lexical" : "parse", p.error, p.error_tail);
	*ret_error = buffer_slice(&message);
	return message.error != 0 ? message.error : BODY_MALFORMED;
}
