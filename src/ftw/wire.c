/*
 * Three kinds of input, in this order: base64 of the whole, the whole as it is, and parts that are put together, with
 * what is missing added.
 */
#include "ftw/wire.h"

#include "base/error.h"

#define FORM "application/x-www-form-urlencoded"

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (byte_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int ftw_base64(struct slice text, struct arena *arena, struct slice *ret_bytes)
{
	struct buffer out = buffer_make(arena);
	uint32_t bits = 0;
	unsigned held = 0;
	bool padded = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		int value = base64_value(c);
		padded = padded || c == '=';
		if (c == '=' || byte_is_space(c))
			continue;
		if (value < 0 || padded)
			return FTW_INVALID;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			buffer_byte(&out, (uint8_t)(bits >> held));
		}
	}
	*ret_bytes = buffer_slice(&out);
	return out.error;
}

/* Unescaping would change nothing. Go refuses to unescape a '%' without two digits; such data stays as it is too. */
static bool is_unescaped(struct slice data)
{
	return slice_find_byte(data, '+', 0) == data.len && slice_find_byte(data, '%', 0) == data.len;
}

static void escape(struct slice text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (byte_is_alpha(c) || byte_is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~')
			buffer_byte(out, c);
		else if (c == ' ')
			buffer_byte(out, '+');
		else
			buffer_printf(out, "%%%02X", c);
	}
}

static struct slice escape_form(struct slice data, struct arena *arena, int *error)
{
	struct buffer out = buffer_make(arena);
	for (size_t at = 0; at < data.len;) {
		size_t end = slice_find_byte(data, '&', at);
		struct slice pair = slice_sub(data, at, end);
		size_t equals = slice_find_byte(pair, '=', 0);
		escape(slice_sub(pair, 0, equals), &out);
		if (equals < pair.len) {
			buffer_byte(&out, '=');
			escape(slice_after(pair, equals + 1), &out);
		}
		at = end + 1;
		if (at < data.len)
			buffer_byte(&out, '&');
	}
	*error = out.error;
	return buffer_slice(&out);
}

static struct slice with_crlf(struct slice data, struct arena *arena, int *error)
{
	struct buffer out = buffer_make(arena);
	for (size_t i = 0; i < data.len; i++) {
		if (data.ptr[i] == '\n' && (i == 0 || data.ptr[i - 1] != '\r'))
			buffer_byte(&out, '\r');
		buffer_byte(&out, data.ptr[i]);
	}
	*error = out.error;
	return buffer_slice(&out);
}

static void add_header(struct buffer *out, struct slice name, struct slice value)
{
	buffer_add(out, name);
	buffer_text(out, ": ");
	buffer_add(out, value);
	buffer_text(out, "\r\n");
}

/* Methods whose requests announce a body even if they have none. */
static bool method_has_body(struct slice method)
{
	return slice_starts_with(method, SLICE("POST")) || slice_find(method, SLICE("PUT"), 0) < method.len ||
	       slice_find(method, SLICE("PATCH"), 0) < method.len || slice_ends_with(method, SLICE("DELETE"));
}

static void add_missing(const struct ftw_input *input, size_t data_bytes, bool typed, struct slice cookie,
			struct buffer *out)
{
	if (cookie.len > 0 && field_list_find(&input->headers, SLICE("Cookie")) == NULL)
		add_header(out, SLICE("Cookie"), cookie);
	if (!input->autocomplete_headers)
		return;
	if (!typed && data_bytes > 0)
		add_header(out, SLICE("Content-Type"), SLICE(FORM));
	if (field_list_find(&input->headers, SLICE("Connection")) == NULL)
		add_header(out, SLICE("Connection"), SLICE("close"));
	if (field_list_find(&input->headers, SLICE("Content-Length")) == NULL &&
	    (data_bytes > 0 || (input->announces_empty && method_has_body(input->method))))
		buffer_printf(out, "Content-Length: %zu\r\n", data_bytes);
}

static int compose(const struct ftw_input *input, struct slice cookie, struct arena *arena, struct slice *ret_bytes)
{
	const struct field *type = field_list_find(&input->headers, SLICE("Content-Type"));
	struct slice kind = type != NULL ? type->value : SLICE(FORM);
	struct slice data = input->data;
	int r = 0;
	if (input->autocomplete_headers && slice_equal_nocase(kind, SLICE(FORM)) && is_unescaped(data))
		data = escape_form(data, arena, &r);
	if (r == 0 && slice_find_nocase(kind, SLICE("multipart/form-data;"), 0) < kind.len)
		data = with_crlf(data, arena, &r);
	struct buffer out = buffer_make(arena);
	buffer_add(&out, input->method);
	buffer_byte(&out, ' ');
	buffer_add(&out, input->uri);
	buffer_byte(&out, ' ');
	buffer_add(&out, input->version);
	buffer_text(&out, "\r\n");
	for (size_t i = 0; i < input->headers.count; i++)
		add_header(&out, input->headers.items[i].name, input->headers.items[i].value);
	add_missing(input, data.len, type != NULL, cookie, &out);
	buffer_text(&out, "\r\n");
	buffer_add(&out, data);
	*ret_bytes = buffer_slice(&out);
	return r != 0 ? r : out.error;
}

int ftw_wire_request(const struct ftw_input *input, struct slice cookie, struct arena *arena, struct slice *ret_bytes)
{
	if (input->encoded_request.len > 0)
		return ftw_base64(input->encoded_request, arena, ret_bytes);
	if (input->raw_request.len > 0) {
		*ret_bytes = input->raw_request;
		return 0;
	}
	return compose(input, cookie, arena, ret_bytes);
}
