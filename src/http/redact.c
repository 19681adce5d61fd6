/*
 * A lenient scanner for each form, none of which fails: where a form is broken, what is behind a secret's name goes as
 * far as it may reach. Which names are secret is in redact_name.c, free text in redact_text.c.
 */
#include "http/redact.h"

#include "base/reader.h"

static const struct slice placeholder = SLICE_INIT("[redacted]");

enum {
	NAME_LIMIT = 256, /* of a name that is decoded before it is looked up */
};

static uint8_t decode_percent(struct reader *r)
{
	int high = reader_peek(r, 0) < 0 ? -1 : byte_hex_value((uint8_t)reader_peek(r, 0));
	int low = reader_peek(r, 1) < 0 ? -1 : byte_hex_value((uint8_t)reader_peek(r, 1));
	if (high < 0 || low < 0)
		return '%';
	reader_skip(r, 2);
	return (uint8_t)(high << 4 | low);
}

/* Behind "\\": "uXXXX" as JSON writes it. Table words beyond ASCII are not looked for in this spelling. */
static uint8_t decode_unicode(struct reader *r)
{
	uint32_t unit = 0;
	if (reader_peek(r, 0) != 'u')
		return '\\';
	for (size_t i = 1; i <= 4; i++) {
		int digit = reader_peek(r, i) < 0 ? -1 : byte_hex_value((uint8_t)reader_peek(r, i));
		if (digit < 0)
			return '\\';
		unit = unit << 4 | (uint32_t)digit;
	}
	reader_skip(r, 5);
	return unit < 0x80 ? (uint8_t)unit : '?';
}

bool redact_encoded_name_is_secret(const struct redact_names *names, struct slice name)
{
	uint8_t decoded[NAME_LIMIT];
	size_t length = 0;
	struct reader r = reader_make(name);
	while (!reader_at_end(&r) && length < sizeof(decoded)) {
		uint8_t c = reader_byte(&r);
		decoded[length++] = c == '%' ? decode_percent(&r) : c == '\\' ? decode_unicode(&r) : c;
	}
	return redact_name_is_secret(names, slice_make(decoded, length));
}

/* One "name=value". */
static void redact_pair(const struct redact_names *names, struct slice pair, struct buffer *out)
{
	struct slice name;
	struct slice value = slice_cut(pair, '=', &name);
	if (value.len == 0 || !redact_encoded_name_is_secret(names, name)) {
		buffer_add(out, pair);
		return;
	}
	buffer_add(out, name);
	buffer_byte(out, '=');
	buffer_add(out, placeholder);
}

void redact_arguments(const struct redact_names *names, struct slice text, uint8_t separator, struct buffer *out)
{
	struct reader r = reader_make(text);
	while (!reader_at_end(&r)) {
		struct slice pair = reader_until(&r, separator);
		redact_pair(names, pair, out);
		if (r.bytes.ptr[r.at - 1] == separator)
			buffer_byte(out, separator);
	}
}

/* Path segments with parameters, "/page;jsessionid=1"; and "user:password@" before the host. */
static void redact_path(const struct redact_names *names, struct slice path, struct buffer *out)
{
	size_t scheme = slice_find(path, SLICE("://"), 0);
	if (scheme < path.len) {
		size_t host = scheme + 3;
		size_t end = slice_find_byte(path, '/', host);
		size_t at = slice_find_byte(slice_sub(path, 0, end), '@', host);
		buffer_add(out, slice_sub(path, 0, host));
		if (at < end)
			buffer_add(out, placeholder);
		path = slice_after(path, at < end ? at : host);
	}
	for (size_t from = 0; from < path.len;) {
		size_t end = from + 1;
		while (end < path.len && path.ptr[end] != ';' && path.ptr[end] != '/')
			end++;
		bool parameter = path.ptr[from] == ';';
		if (parameter)
			buffer_byte(out, ';');
		struct slice piece = slice_sub(path, from + parameter, end);
		if (parameter)
			redact_pair(names, piece, out);
		else
			buffer_add(out, piece);
		from = end;
	}
}

void redact_uri(const struct redact_names *names, struct slice uri, struct buffer *out)
{
	size_t fragment = slice_find_byte(uri, '#', 0);
	size_t query = slice_find_byte(slice_sub(uri, 0, fragment), '?', 0);
	redact_path(names, slice_sub(uri, 0, query), out);
	if (query < fragment) {
		buffer_byte(out, '?');
		redact_arguments(names, slice_sub(uri, query + 1, fragment), '&', out);
	}
	if (fragment < uri.len) {
		buffer_byte(out, '#');
		redact_arguments(names, slice_after(uri, fragment + 1), '&', out);
	}
}

/* Every cookie's value: which of them carry a session nobody but the site knows. */
static void redact_cookies(struct slice value, bool first_only, struct buffer *out)
{
	struct reader r = reader_make(value);
	for (bool first = true; !reader_at_end(&r); first = false) {
		struct slice pair = reader_until(&r, ';');
		size_t equals = slice_find_byte(pair, '=', 0);
		if (first_only && !first) {
			buffer_add(out, pair);
		} else if (equals == pair.len) {
			buffer_add(out, placeholder);
		} else {
			buffer_add(out, slice_sub(pair, 0, equals + 1));
			buffer_add(out, placeholder);
		}
		if (r.bytes.ptr[r.at - 1] == ';')
			buffer_byte(out, ';');
	}
}

static bool is_uri_header(struct slice name)
{
	return slice_equal_nocase(name, SLICE("Referer")) || slice_equal_nocase(name, SLICE("Location")) ||
	       slice_equal_nocase(name, SLICE("Content-Location"));
}

void redact_header(const struct redact_names *names, struct slice name, struct slice value, struct buffer *out)
{
	bool set_cookie = slice_equal_nocase(name, SLICE("Set-Cookie"));
	if (set_cookie || slice_equal_nocase(name, SLICE("Cookie")))
		redact_cookies(value, set_cookie, out);
	else if (redact_name_is_secret(names, name))
		buffer_add(out, placeholder);
	else if (is_uri_header(name))
		redact_uri(names, value, out);
	else
		buffer_add(out, value);
}

bool redact_header_keeps(const struct redact_names *names, struct slice name)
{
	return !slice_equal_nocase(name, SLICE("Set-Cookie")) && !slice_equal_nocase(name, SLICE("Cookie")) &&
	       !redact_name_is_secret(names, name) && !is_uri_header(name);
}

static void skip_space(struct reader *r)
{
	while (!reader_at_end(r) && byte_is_space((uint8_t)reader_peek(r, 0)))
		reader_skip(r, 1);
}

/* A string whose opening quote is next; what is between the quotes, or to the end if it is not closed. */
static struct slice take_string(struct reader *r)
{
	uint8_t quote = reader_byte(r);
	size_t from = r->at;
	while (!reader_at_end(r)) {
		uint8_t c = reader_byte(r);
		if (c == quote)
			return slice_sub(r->bytes, from, r->at - 1);
		if (c == '\\')
			reader_skip(r, reader_at_end(r) ? 0 : 1);
	}
	return slice_after(r->bytes, from);
}

/* A NUL ends nothing: whatever comes behind it may be the secret. */
static bool ends_json_word(uint8_t c)
{
	return c == ',' || c == '}' || c == ']' || c == '\r' || c == '\n';
}

/* The value behind a key, nested as it may be. */
static void skip_json_value(struct reader *r)
{
	size_t depth = 0;
	while (!reader_at_end(r)) {
		int c = reader_peek(r, 0);
		if (c == '"') {
			take_string(r);
		} else if (c == '{' || c == '[') {
			depth++;
			reader_skip(r, 1);
		} else if (depth > 0 && (c == '}' || c == ']')) {
			depth--;
			reader_skip(r, 1);
		} else if (depth == 0) {
			while (!reader_at_end(r) && !ends_json_word((uint8_t)reader_peek(r, 0)))
				reader_skip(r, 1);
			return;
		} else {
			reader_skip(r, 1);
			continue;
		}
		if (depth == 0)
			return;
	}
}

/* A string is next: a key if a colon follows. */
static void redact_json_string(const struct redact_names *names, struct reader *r, struct buffer *out)
{
	size_t from = r->at;
	struct slice key = take_string(r);
	skip_space(r);
	bool is_key = reader_accept(r, SLICE(":"));
	if (is_key)
		skip_space(r);
	buffer_add(out, slice_sub(r->bytes, from, r->at));
	if (!is_key || reader_at_end(r) || !redact_encoded_name_is_secret(names, key))
		return;
	skip_json_value(r);
	buffer_byte(out, '"');
	buffer_add(out, placeholder);
	buffer_byte(out, '"');
}

void redact_json(const struct redact_names *names, struct slice body, struct buffer *out)
{
	struct reader r = reader_make(body);
	while (!reader_at_end(&r)) {
		size_t quote = slice_find_byte(body, '"', r.at);
		buffer_add(out, slice_sub(body, r.at, quote));
		reader_skip(&r, quote - r.at);
		if (!reader_at_end(&r))
			redact_json_string(names, &r, out);
	}
}

/* The last word before the '='. */
static struct slice attribute_name(struct slice text)
{
	text = slice_trim(slice_sub(text, 0, slice_find_byte(text, '=', 0)));
	size_t from = text.len;
	while (from > 0 && !byte_is_space(text.ptr[from - 1]))
		from--;
	return slice_after(text, from);
}

/* The end of the quoted value that begins at `at`, which holds no '<' (XML 1.0, 2.3); `at` if it is none. */
static size_t attribute_end(struct slice text, size_t at)
{
	size_t end = slice_find_byte(text, text.ptr[at], at + 1);
	size_t tag = slice_find_byte(slice_sub(text, 0, end), '<', at);
	return end < text.len && tag == end ? end : at;
}

/* Where the '>' stands that ends the tag at `from`: one in a value does not. The body's end if there is none. */
static size_t tag_end(struct slice body, size_t from)
{
	size_t at = from;
	for (; at < body.len && body.ptr[at] != '>'; at++)
		if (body.ptr[at] == '"' || body.ptr[at] == '\'')
			at = attribute_end(body, at);
	return at;
}

/* The inside of a tag; its attributes lose their secrets. */
static void redact_tag(const struct redact_names *names, struct slice tag, struct buffer *out)
{
	struct reader r = reader_make(tag);
	size_t name_from = 0;
	while (!reader_at_end(&r)) {
		int c = reader_peek(&r, 0);
		if (c != '"' && c != '\'') {
			buffer_byte(out, reader_byte(&r));
			continue;
		}
		struct slice name = attribute_name(slice_sub(tag, name_from, r.at));
		reader_skip(&r, 1);
		struct slice value = reader_until(&r, (uint8_t)c);
		buffer_byte(out, (uint8_t)c);
		buffer_add(out, redact_name_is_secret(names, name) ? placeholder : value);
		if (value.ptr + value.len < tag.ptr + tag.len)
			buffer_byte(out, (uint8_t)c);
		name_from = r.at;
	}
}

/* Where the end tag of the element stands that begins before `from`, whatever is inside; the body's end if nowhere. */
static size_t element_end(struct slice body, size_t from, struct slice name)
{
	size_t end = slice_find(body, SLICE("</"), from);
	while (end < body.len && !slice_starts_with(slice_after(body, end + 2), name))
		end = slice_find(body, SLICE("</"), end + 2);
	return end;
}

static void redact_xml(const struct redact_names *names, struct slice body, struct buffer *out)
{
	struct reader r = reader_make(body);
	while (!reader_at_end(&r)) {
		buffer_add(out, reader_until(&r, '<'));
		if (r.bytes.ptr[r.at - 1] != '<')
			return;
		buffer_byte(out, '<');
		struct slice tag = slice_sub(body, r.at, tag_end(body, r.at));
		reader_skip(&r, tag.len);
		redact_tag(names, tag, out);
		if (!reader_accept(&r, SLICE(">")))
			return;
		buffer_byte(out, '>');
		size_t name_end = 0;
		while (name_end < tag.len && !byte_is_space(tag.ptr[name_end]) && tag.ptr[name_end] != '/')
			name_end++;
		struct slice name = slice_sub(tag, 0, name_end);
		if (slice_ends_with(tag, SLICE("/")) || !redact_name_is_secret(names, name))
			continue;
		size_t end = element_end(body, r.at, name);
		buffer_add(out, placeholder);
		reader_skip(&r, end - r.at);
	}
}

/* The value of a parameter "name=" at `at`: without quotes it goes to the line's end, or to where the next one begins.
 */
static struct slice parameter_value(struct slice headers, size_t at, size_t next)
{
	struct reader r = reader_make(slice_after(headers, at));
	int quote = reader_peek(&r, 0);
	if (quote == '"' || quote == '\'')
		return take_string(&r);
	struct slice value = slice_sub(headers, at, next);
	return slice_trim(slice_sub(value, 0, slice_find_byte(value, '\n', 0)));
}

static bool parameter_is_secret(const struct redact_names *names, struct slice value)
{
	return redact_name_is_secret(names, slice_sub(value, 0, NAME_LIMIT)) ||
	       redact_encoded_name_is_secret(names, value);
}

/* Whether a part's headers name a secret, by any parameter "name" or "filename". */
bool redact_part_is_secret(const struct redact_names *names, struct slice headers)
{
	struct slice marker = SLICE("name=");
	size_t next = slice_find_nocase(headers, marker, 0);
	while (next < headers.len) {
		size_t at = next + marker.len;
		next = slice_find_nocase(headers, marker, at);
		struct slice name = parameter_value(headers, at, next);
		size_t end = slice_find_byte(name, ';', 0);
		if (parameter_is_secret(names, name) ||
		    (end < name.len && parameter_is_secret(names, slice_sub(name, 0, end))))
			return true;
	}
	return false;
}

/* Where the empty line behind a part's headers ends. */
static size_t headers_end(struct slice part)
{
	size_t crlf = slice_find(part, SLICE("\r\n\r\n"), 0);
	size_t lf = slice_find(slice_sub(part, 0, crlf), SLICE("\n\n"), 0);
	if (lf < crlf && lf + 2 <= part.len)
		return lf + 2;
	return crlf < part.len ? crlf + 4 : part.len;
}

static void redact_part(const struct redact_names *names, struct slice part, struct buffer *out)
{
	size_t end = headers_end(part);
	struct slice content = slice_after(part, end);
	buffer_add(out, slice_sub(part, 0, end));
	if (content.len == 0)
		return;
	if (redact_part_is_secret(names, slice_sub(part, 0, end))) {
		buffer_add(out, placeholder);
		buffer_text(out, "\r\n");
	} else if (content.ptr[0] == '{' || content.ptr[0] == '[') {
		redact_json(names, content, out);
	} else {
		buffer_add(out, content);
	}
}

void redact_multipart(const struct redact_names *names, struct slice body, struct buffer *out)
{
	size_t first = slice_starts_with(body, SLICE("--")) ? 0 : slice_find(body, SLICE("\n--"), 0);
	if (first == body.len) {
		buffer_add(out, body);
		return;
	}
	first += body.ptr[first] == '\n';
	size_t line_end = slice_find_byte(body, '\n', first);
	struct slice delimiter = slice_trim(slice_sub(body, first, line_end));
	buffer_add(out, slice_sub(body, 0, first));
	for (size_t at = first; at < body.len;) {
		size_t end = slice_find(body, delimiter, at + delimiter.len);
		redact_part(names, slice_sub(body, at, end), out);
		at = end;
	}
}

void redact_body(const struct redact_names *names, struct slice content_type, struct slice body, struct buffer *out)
{
	struct reader r = reader_make(body);
	skip_space(&r);
	int first = reader_peek(&r, 0);
	if (slice_starts_with_nocase(content_type, SLICE("multipart/")))
		redact_multipart(names, body, out);
	else if (slice_starts_with_nocase(content_type, SLICE("application/x-www-form-urlencoded")))
		redact_arguments(names, body, '&', out);
	else if (first == '{' || first == '[' || first == '"')
		redact_json(names, body, out);
	else if (first == '<')
		redact_xml(names, body, out);
	else if (slice_starts_with(body, SLICE("--")))
		redact_multipart(names, body, out);
	else
		redact_arguments(names, body, '&', out);
}

static bool is_one_of(struct slice name, const struct slice *names)
{
	for (; names->len > 0; names++)
		if (slice_equal_nocase(name, *names))
			return true;
	return false;
}

void redact_value(const struct redact_names *names, struct slice name, struct slice value, struct buffer *out)
{
	static const struct slice uris[] = {
		SLICE_INIT("REQUEST_URI"), SLICE_INIT("REQUEST_URI_RAW"), SLICE_INIT("REQUEST_LINE"), {NULL, 0}};
	static const struct slice bodies[] = {
		SLICE_INIT("REQUEST_BODY"), SLICE_INIT("FULL_REQUEST"), SLICE_INIT("RESPONSE_BODY"), {NULL, 0}};
	struct slice key;
	struct slice collection;
	key = slice_cut(name, ':', &collection);
	if (slice_equal_nocase(collection, SLICE("REQUEST_HEADERS")) ||
	    slice_equal_nocase(collection, SLICE("RESPONSE_HEADERS")))
		redact_header(names, key, value, out);
	else if (redact_name_is_secret(names, name))
		buffer_add(out, placeholder);
	else if (is_one_of(name, uris))
		redact_uri(names, value, out);
	else if (slice_equal_nocase(name, SLICE("QUERY_STRING")))
		redact_arguments(names, value, '&', out);
	else if (is_one_of(name, bodies))
		redact_body(names, slice_make("", 0), value, out);
	else
		buffer_add(out, value);
}
