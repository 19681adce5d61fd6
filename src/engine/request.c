/*
 * Headers are copied one behind the other with their lengths between, so that neighbours are one key (member.h); those
 * that vary from one request of a visitor to the next are in no run. Offsets count as if the request were one text.
 */
#include "engine/request.h"

#include "engine/number.h"
#include "engine/variable.h"
#include "http/arguments.h"
#include "http/cookies.h"

#include <errno.h>

/* A scalar with its place in the request. */
static int set_at(struct transaction *t, enum variable variable, struct slice value, size_t offset, size_t sent_len)
{
	if (variable_set(t, variable, value) != 0)
		return -ENOMEM;
	t->sets[variable].items[0]->offset = offset;
	t->sets[variable].items[0]->sent_len = sent_len;
	return 0;
}

int request_argument(struct transaction *t, enum variable part, struct slice name, struct slice value, size_t offset)
{
	struct value_set *names_of_all = &t->sets[VARIABLE_ARGS_NAMES];
	struct value_set *all = &t->sets[VARIABLE_ARGS];
	if (value_sets_add(names_of_all, all, &t->arena, name, offset > name.len ? offset - name.len - 1 : 0, value,
			   offset) != 0)
		return -ENOMEM;
	struct value *argument = all->items[all->count - 1];
	struct value *argument_name = names_of_all->items[names_of_all->count - 1];
	argument->part = part;
	argument_name->part = part;
	if (part == VARIABLE_ARGS)
		return 0;
	enum variable names = part == VARIABLE_ARGS_GET ? VARIABLE_ARGS_GET_NAMES : VARIABLE_ARGS_POST_NAMES;
	if (value_set_share(&t->sets[part], &t->arena, argument) != 0)
		return -ENOMEM;
	return value_set_share(&t->sets[names], &t->arena, argument_name);
}

size_t request_arguments_left(const struct transaction *t)
{
	uint32_t limit = t->ruleset->settings.arguments_limit;
	uint32_t count = t->sets[VARIABLE_ARGS].count;
	return limit == 0 ? SIZE_MAX : count < limit ? limit - count : 0;
}

static int query_arguments(struct transaction *t, size_t offset)
{
	struct field_list list = field_list_make(&t->arena);
	struct arguments_options options = arguments_defaults();
	struct arguments_facts facts = {0};
	if (t->ruleset->settings.argument_separator != 0)
		options.separator = t->ruleset->settings.argument_separator;
	options.limit = request_arguments_left(t);
	options.base_offset = offset;
	int r = arguments_parse(t->uri.query, &options, &list, &facts);
	for (size_t i = 0; i < list.count; i++) {
		const struct field *field = &list.items[i];
		t->arguments_bytes += field->name.len + field->value.len;
		t->arguments_counted = true;
		if (request_argument(t, VARIABLE_ARGS_GET, field->name, field->value, field->value_offset) != 0)
			return -ENOMEM;
	}
	if (r == 0 && facts.invalid_encoding)
		r = variable_flag(t, VARIABLE_URLENCODED_ERROR, true);
	return r;
}

static int uri_variables(struct transaction *t)
{
	size_t at = t->method.len + 1;
	const struct uri *uri = &t->uri;
	size_t path_len = uri->has_query ? uri->query_offset - 1 : uri->raw.len;
	int r = set_at(t, VARIABLE_REQUEST_METHOD, t->method, 0, t->method.len);
	if (r == 0)
		r = set_at(t, VARIABLE_REQUEST_URI_RAW, uri->raw, at, uri->raw.len);
	if (r == 0)
		r = set_at(t, VARIABLE_REQUEST_URI, uri->uri, at, uri->raw.len);
	if (r == 0)
		r = set_at(t, VARIABLE_REQUEST_FILENAME, uri->filename, at, path_len);
	if (r == 0)
		r = set_at(t, VARIABLE_PATH_INFO, uri->filename, at, path_len);
	if (r == 0)
		r = set_at(t, VARIABLE_REQUEST_BASENAME, uri->basename, at + path_len - uri->basename.len,
			   uri->basename.len);
	if (r == 0)
		r = set_at(t, VARIABLE_QUERY_STRING, uri->query, at + uri->query_offset, uri->query.len);
	if (r == 0)
		r = set_at(t, VARIABLE_REQUEST_PROTOCOL, t->protocol, at + uri->raw.len + 1, t->protocol.len);
	if (r == 0)
		r = variable_flag(t, VARIABLE_URLENCODED_ERROR, false);
	return r;
}

static uint8_t *put(uint8_t *at, struct slice s)
{
	if (s.len > 0)
		memcpy(at, s.ptr, s.len);
	return at + s.len;
}

/* The three lie in one text, REQUEST_LINE. */
static int copy_line(struct transaction *t, struct slice method, struct slice uri, struct slice protocol,
		     struct slice *ret_uri)
{
	size_t len = method.len + uri.len + protocol.len + 2;
	uint8_t *text = arena_alloc(&t->arena, len + 1);
	if (text == NULL)
		return -ENOMEM;
	uint8_t *at = put(text, method);
	*at = ' ';
	at = put(at + 1, uri);
	*at = ' ';
	*put(at + 1, protocol) = '\0';
	t->line = slice_make(text, len);
	t->method = slice_sub(t->line, 0, method.len);
	*ret_uri = slice_sub(t->line, method.len + 1, method.len + 1 + uri.len);
	t->protocol = slice_sub(t->line, len - protocol.len, len);
	return 0;
}

int request_line(struct transaction *t, struct slice method, struct slice uri, struct slice protocol)
{
	struct slice raw;
	if (copy_line(t, method, uri, protocol, &raw) != 0 || uri_parse(raw, &t->arena, &t->uri) != 0)
		return -ENOMEM;
	int r = uri_variables(t);
	if (r == 0 && t->uri.query.len > 0)
		r = query_arguments(t, t->method.len + 1 + t->uri.query_offset);
	t->offset = t->method.len + t->uri.raw.len + t->protocol.len + 3;
	return r;
}

/* What all browsers send alike should not come to stand in one run with what tells them apart. */
enum { JOINED_BYTES = 416 };

/* A pair at the end of its collection joins the run before it, or begins one. What has no room is asked by itself. */
static void run_add(struct transaction *t, enum variable variable, uint32_t count, struct slice text)
{
	uint32_t first = t->sets[variable].count - count;
	struct member_run *run = t->run_count == 0 ? NULL : &t->runs[t->run_count - 1];
	if (count == 0 || text.len > MEMBER_RUN_BYTES || count > MEMBER_RUN_PAIRS)
		return;
	if (run != NULL && run->variable == variable && run->first + run->count == first &&
	    run->text.ptr + run->text.len == text.ptr && run->text.len + text.len <= JOINED_BYTES &&
	    run->count + count <= MEMBER_RUN_PAIRS) {
		run->count += count;
		run->text.len += text.len;
	} else if (t->run_count < MEMBER_RUNS) {
		t->runs[t->run_count++] = (struct member_run){variable, first, count, text};
	}
}

static int cookie_header(struct transaction *t, struct slice value)
{
	struct field_list cookies = field_list_make(&t->arena);
	int r = cookies_parse(value, &cookies);
	for (size_t i = 0; r == 0 && i < cookies.count; i++) {
		const struct field *cookie = &cookies.items[i];
		r = value_sets_add(&t->sets[VARIABLE_REQUEST_COOKIES_NAMES], &t->sets[VARIABLE_REQUEST_COOKIES],
				   &t->arena, cookie->name, t->offset + cookie->name_offset, cookie->value,
				   t->offset + cookie->value_offset);
	}
	if (r == 0 && cookies.count <= MEMBER_RUN_PAIRS)
		run_add(t, VARIABLE_REQUEST_COOKIES, (uint32_t)cookies.count, value);
	return r;
}

/* The type decides which processor reads the body; multipart and forms need no rule to choose it. */
static int content_type_header(struct transaction *t, struct slice value)
{
	static const struct {
		struct slice prefix;
		enum body_processor processor;
		struct slice name;
	} types[] = {
		{SLICE_INIT("multipart/form-data"), BODY_MULTIPART, SLICE_INIT("MULTIPART")},
		{SLICE_INIT("application/x-www-form-urlencoded"), BODY_URLENCODED, SLICE_INIT("URLENCODED")},
	};
	/* Rules look the header up by name and get the newest; so does the multipart parser. */
	t->content_type = value;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!slice_starts_with_nocase(value, types[i].prefix))
			continue;
		t->body_type = types[i].processor;
		return set_at(t, VARIABLE_REQBODY_PROCESSOR, types[i].name, t->offset, value.len);
	}
	return 0;
}

static int host_header(struct transaction *t, struct slice value)
{
	struct slice name;
	slice_cut(value, ':', &name);
	return set_at(t, VARIABLE_SERVER_NAME, name, t->offset, name.len);
}

static int authorization_header(struct transaction *t, struct slice value)
{
	struct slice scheme;
	slice_cut(value, ' ', &scheme);
	return set_at(t, VARIABLE_AUTH_TYPE, scheme, t->offset, scheme.len);
}

struct known_header {
	struct slice name;
	bool varies; /* from one request of a visitor to the next: it would make every run a new one */
	int (*read)(struct transaction *t,
		    struct slice value); /* what the engine itself takes from it; NULL: nothing */
};

/* By their length. */
static const struct known_header *header_find(struct slice name)
{
	enum { LENGTHS = 18, SAME = 2 };
	static const struct known_header known[LENGTHS][SAME] = {
		[4] = {{SLICE_INIT("host"), true, host_header}},
		[5] = {{SLICE_INIT("range"), true, NULL}},
		[6] = {{SLICE_INIT("cookie"), true, cookie_header}},
		[7] = {{SLICE_INIT("referer"), true, NULL}},
		[9] = {{SLICE_INIT("x-real-ip"), true, NULL}},
		[12] = {{SLICE_INIT("content-type"), true, content_type_header},
			{SLICE_INIT("x-request-id"), true, NULL}},
		[13] = {{SLICE_INIT("if-none-match"), true, NULL},
			{SLICE_INIT("authorization"), true, authorization_header}},
		[14] = {{SLICE_INIT("content-length"), true, NULL}},
		[15] = {{SLICE_INIT("x-forwarded-for"), true, NULL}},
		[17] = {{SLICE_INIT("if-modified-since"), true, NULL}},
	};
	if (name.len == 0 || name.len >= LENGTHS)
		return NULL;
	for (size_t i = 0; i < SAME && known[name.len][i].name.len > 0; i++) {
		const struct known_header *header = &known[name.len][i];
		if (byte_lower(name.ptr[0]) == header->name.ptr[0] && slice_equal_nocase(name, header->name))
			return header;
	}
	return NULL;
}

enum { FIELD_ROOM_BYTES = 2048 };

/*
 * Both are copied, each with a NUL behind it, and their lengths before them: so the text, which is returned, tells them
 * from any others. Those of a request follow each other as far as there is room. Empty without memory.
 */
static struct slice copy_field(struct transaction *t, struct slice *name, struct slice *value)
{
	uint16_t lengths[2] = {(uint16_t)name->len, (uint16_t)value->len}; /* longer ones are in no run */
	size_t bytes = sizeof(lengths) + name->len + value->len + 2;
	if (bytes > t->field_left) {
		size_t room = bytes > FIELD_ROOM_BYTES ? bytes : FIELD_ROOM_BYTES;
		uint8_t *more = arena_alloc(&t->arena, room);
		if (more == NULL)
			return SLICE("");
		t->field_room = more;
		t->field_left = room;
	}
	uint8_t *text = t->field_room;
	memcpy(text, lengths, sizeof(lengths));
	uint8_t *first = text + sizeof(lengths);
	uint8_t *end = put(first, *name);
	*end = '\0';
	uint8_t *second = end + 1;
	*put(second, *value) = '\0';
	*name = slice_make(first, name->len);
	*value = slice_make(second, value->len);
	t->field_room += bytes;
	t->field_left -= bytes;
	return slice_make(text, bytes);
}

int request_header(struct transaction *t, struct slice name, struct slice value)
{
	struct slice text = copy_field(t, &name, &value);
	if (text.len == 0)
		return -ENOMEM;
	size_t name_offset = t->offset;
	t->offset += name.len + 2;
	int r = value_sets_add(&t->sets[VARIABLE_REQUEST_HEADERS_NAMES], &t->sets[VARIABLE_REQUEST_HEADERS], &t->arena,
			       name, name_offset, value, t->offset);
	const struct known_header *known = header_find(name);
	if (r == 0 && (known == NULL || !known->varies))
		run_add(t, VARIABLE_REQUEST_HEADERS, 1, text);
	if (r == 0 && known != NULL && known->read != NULL)
		r = known->read(t, value);
	t->offset += value.len + 1;
	return r;
}

int response_header(struct transaction *t, struct slice name, struct slice value)
{
	if (copy_field(t, &name, &value).len == 0)
		return -ENOMEM;
	int r = value_sets_add(&t->sets[VARIABLE_RESPONSE_HEADERS_NAMES], &t->sets[VARIABLE_RESPONSE_HEADERS],
			       &t->arena, name, 0, value, 0);
	if (r == 0 && slice_equal_nocase(name, SLICE("content-type"))) {
		slice_cut(value, ';', &t->response_type);
		r = set_at(t, VARIABLE_RESPONSE_CONTENT_TYPE, t->response_type, 0, t->response_type.len);
	}
	return r;
}

static int set_status(struct transaction *t, uint16_t status)
{
	struct slice text = number_text(&t->arena, status);
	t->response_status = status;
	int r = variable_set(t, VARIABLE_RESPONSE_STATUS, text);
	return r != 0 ? r : variable_set(t, VARIABLE_STATUS, text);
}

int response_line(struct transaction *t, uint16_t status, struct slice protocol)
{
	if (arena_copy(&t->arena, protocol, &t->response_protocol) != 0 || set_status(t, status) != 0)
		return -ENOMEM;
	return variable_set(t, VARIABLE_RESPONSE_PROTOCOL, t->response_protocol);
}

int response_sent(struct transaction *t, uint16_t status, uint64_t bytes)
{
	t->sent_status = status;
	t->sent_bytes = bytes;
	return set_status(t, status);
}
