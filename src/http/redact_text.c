/* Free text: what rules say about a request. Every "name=value", "name: value" and the Core Rule Set's own form. */
#include "http/redact.h"

#include "base/reader.h"

static const struct slice placeholder = SLICE_INIT("[redacted]");
static const struct slice found_within = SLICE_INIT(" found within ");

enum {
	NAME_LIMIT = 300, /* of a variable's name with its key, so that looking for its end costs no more */
};

/* "ARGS:password: value" -> "ARGS:password" */
static struct slice variable_name(struct slice text)
{
	text = slice_sub(text, 0, NAME_LIMIT);
	size_t end = slice_find(text, SLICE(": "), 0);
	size_t space = slice_find_byte(text, ' ', 0);
	return slice_sub(text, 0, end < space ? end : space);
}

/* Text that tells a secret variable's value, from `from` to its end. */
struct secret_part {
	size_t from;
	struct slice name;
};

static struct secret_part find_secret_part(const struct redact_names *names, struct slice variable, struct slice text)
{
	struct slice prefix = SLICE("Matched Data: ");
	size_t matched = slice_find(text, prefix, 0);
	size_t from = matched < text.len ? matched + prefix.len : text.len;
	if (from < text.len && variable.len > 0 && redact_name_is_secret(names, variable))
		return (struct secret_part){from, variable};
	for (size_t at = 0; (at = slice_find(text, found_within, at)) < text.len; at += found_within.len) {
		struct slice name = variable_name(slice_after(text, at + found_within.len));
		if (redact_name_is_secret(names, name))
			return (struct secret_part){from < at ? from : at, name};
	}
	return (struct secret_part){text.len, slice_make("", 0)};
}

/* Bytes of names as they stand in URLs, headers and JSON; beyond ASCII all. */
static bool is_name_byte(uint8_t c)
{
	return byte_is_alpha(c) || byte_is_digit(c) || c >= 0x80 || c == '_' || c == '-' || c == '.' || c == '%';
}

/* How many bytes at `at` are one of a name: a byte, or "\\u0061" of JSON's; 0 if none is. */
static size_t name_unit(struct slice text, size_t at)
{
	if (at == text.len)
		return 0;
	if (is_name_byte(text.ptr[at]))
		return 1;
	if (text.len - at < 6 || text.ptr[at] != '\\' || text.ptr[at + 1] != 'u')
		return 0;
	for (size_t i = 2; i < 6; i++)
		if (byte_hex_value(text.ptr[at + i]) < 0)
			return 0;
	return 6;
}

/* The value behind `sign`: to the line's end behind a colon, else to what ends an argument. */
static size_t value_end(struct slice text, size_t from, uint8_t sign)
{
	if (from < text.len && (text.ptr[from] == '"' || text.ptr[from] == '\'')) {
		size_t end = slice_find_byte(text, text.ptr[from], from + 1);
		return end < text.len ? end + 1 : end;
	}
	const char *ends = sign == ':' ? "\r\n" : "&;, \t\r\n\"'<>)]}";
	while (from < text.len && (text.ptr[from] == '\0' || strchr(ends, text.ptr[from]) == NULL))
		from++;
	return from;
}

/* A name ended at `at`: past a closing quote, spaces and the sign. 0 if there is no sign. */
static size_t behind_sign(struct slice text, size_t at, uint8_t *ret_sign)
{
	while (at < text.len && strchr(" \"'\\]", text.ptr[at]) != NULL && text.ptr[at] != '\0')
		at++;
	if (at == text.len || (text.ptr[at] != '=' && text.ptr[at] != ':'))
		return 0;
	*ret_sign = text.ptr[at++];
	while (at < text.len && text.ptr[at] == ' ')
		at++;
	return at;
}

/* A byte of no name; "://user:password@" loses what is before the '@'. Returns where to go on. */
static size_t add_sign(struct slice text, size_t at, struct buffer *out)
{
	struct slice authority = SLICE("://");
	if (!slice_starts_with(slice_after(text, at), authority)) {
		buffer_byte(out, text.ptr[at]);
		return at + 1;
	}
	size_t end = at + authority.len;
	buffer_add(out, authority);
	while (end < text.len && text.ptr[end] != '@' && text.ptr[end] > ' ' &&
	       strchr("/?#\"'<>", text.ptr[end]) == NULL)
		end++;
	if (end == text.len || text.ptr[end] != '@')
		return at + authority.len;
	buffer_add(out, placeholder);
	return end;
}

/*
 * "<password a="b">x</password>" keeps its name. Returns where to go on, behind all that was looked at; `at` itself if
 * there is no such element.
 */
static size_t add_element(const struct redact_names *names, struct slice text, size_t at, struct buffer *out)
{
	size_t name_end = at + 1;
	if (text.ptr[at] != '<')
		return at;
	while (name_end < text.len && (is_name_byte(text.ptr[name_end]) || text.ptr[name_end] == ':'))
		name_end++;
	if (!redact_name_is_secret(names, slice_sub(text, at + 1, name_end)))
		return at;
	buffer_add(out, slice_sub(text, at, name_end));
	if (name_end < text.len && text.ptr[name_end] == '>')
		buffer_byte(out, '>');
	buffer_add(out, placeholder);
	size_t close = slice_find_byte(text, '>', name_end);
	return text.ptr[close - 1] == '/' ? close : slice_find(text, SLICE("</"), close);
}

static void add_pairs_redacted(const struct redact_names *names, struct slice text, struct buffer *out)
{
	for (size_t at = 0; at < text.len;) {
		size_t end = at;
		for (size_t len; (len = name_unit(text, end)) > 0;)
			end += len;
		if (end == at) {
			size_t behind = add_element(names, text, at, out);
			at = behind > at ? behind : add_sign(text, at, out);
			continue;
		}
		uint8_t sign;
		size_t value = behind_sign(text, end, &sign);
		struct slice name = slice_sub(text, at, end);
		if (value == 0 || value == text.len ||
		    !(redact_name_is_secret(names, name) || redact_encoded_name_is_secret(names, name))) {
			buffer_add(out, name);
			at = end;
			continue;
		}
		buffer_add(out, slice_sub(text, at, value));
		buffer_add(out, placeholder);
		at = value_end(text, value, sign);
	}
}

/* The text without `value`, wherever it stands. */
static void add_without(const struct redact_names *names, struct slice text, struct slice value, struct buffer *out)
{
	for (size_t at = 0; at < text.len;) {
		size_t hit = value.len == 0 ? text.len : slice_find(text, value, at);
		add_pairs_redacted(names, slice_sub(text, at, hit), out);
		if (hit == text.len)
			return;
		buffer_add(out, placeholder);
		at = hit + value.len;
	}
}

/* Where parts of multipart begin that hold a secret, somewhere in the text: their bounds may be lost. */
static size_t secret_parts(const struct redact_names *names, struct slice text)
{
	size_t at = slice_find_nocase(text, SLICE("content-disposition:"), 0);
	return at < text.len && redact_part_is_secret(names, slice_after(text, at)) ? at : text.len;
}

void redact_text(const struct redact_names *names, struct slice variable, struct slice value, struct slice text,
		 struct buffer *out)
{
	bool secret = variable.len > 0 && redact_name_is_secret(names, variable);
	struct secret_part part = find_secret_part(names, variable, text);
	struct slice before = slice_sub(text, 0, part.from);
	size_t parts = secret_parts(names, before);
	add_without(names, slice_sub(before, 0, parts), secret ? value : slice_make("", 0), out);
	if (parts < before.len)
		buffer_add(out, placeholder);
	if (part.from == text.len)
		return;
	buffer_add(out, placeholder);
	buffer_add(out, found_within);
	buffer_add(out, part.name);
	buffer_text(out, ": ");
	buffer_add(out, placeholder);
}
