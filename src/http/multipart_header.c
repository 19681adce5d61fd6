/*
 * Both are read step by step as libmodsecurity does it, so that a fault has its number or its message. The value of
 * filename* (RFC 5987) is checked, and not decoded.
 */
#include "http/multipart_header.h"

#include "base/reader.h"

#include <errno.h>

enum {
	CONTENT_TYPE_LIMIT = 1024,
	NO_MEMORY = -1000, /* among libmodsecurity's numbers, one of which is -12, -ENOMEM's */
};

/* How often "boundary" stands in the text with a '=' anywhere behind it; more than one is as good as another: 2. */
static unsigned count_boundaries(struct slice text)
{
	unsigned count = 0;
	for (size_t at = 0; count < 2; at += strlen("boundary")) {
		at = slice_find_nocase(text, SLICE("boundary"), at);
		if (at == text.len || slice_find_byte(text, '=', at) == text.len)
			break;
		count++;
	}
	return count;
}

static bool is_boundary_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool space_inside = c == ' ' && i + 1 < s.len;
		if (c == '\0' || !(byte_is_alpha(c) || byte_is_digit(c) || space_inside || strchr("'()+_,-./:=?", c)))
			return false;
	}
	return true;
}

/* Between "multipart/form-data" and "boundary": white space and one semicolon. */
static bool is_clean_gap(struct slice gap, bool *ret_semicolon)
{
	bool semicolon = false;
	for (size_t i = 0; i < gap.len; i++) {
		if (byte_is_space(gap.ptr[i]))
			continue;
		if (gap.ptr[i] != ';' || semicolon)
			return false;
		semicolon = true;
	}
	*ret_semicolon = semicolon;
	return true;
}

/* What comes behind the '=', quotes and tolerated parameters taken off. NULL, or the error. */
static const char *boundary_value(struct slice value, struct multipart_flags *flags, struct slice *ret_boundary)
{
	if (value.len > 0 && byte_is_space(value.ptr[0]))
		flags->boundary_whitespace = 1;
	bool opens = value.len > 0 && value.ptr[0] == '"';
	bool closes = value.len >= 2 && value.ptr[value.len - 1] == '"';
	if (opens && closes) {
		value = slice_sub(value, 1, value.len - 1);
		flags->boundary_quoted = value.len > 0;
	} else if (opens || closes) {
		return "Multipart: Invalid boundary in C-T (quote).";
	}
	if (count_boundaries(value) != 0)
		return "Multipart: Invalid boundary in C-T (content).";
	if (!is_boundary_text(value))
		slice_cut(value, ';', &value);
	if (!is_boundary_text(value))
		return "Multipart: Invalid boundary in C-T (characters).";
	if (value.len == 0)
		return "Multipart: Invalid boundary in C-T (empty).";
	*ret_boundary = value;
	return NULL;
}

/* NULL, or the error. */
static const char *find_boundary(struct slice header, struct multipart_flags *flags, struct slice *ret_boundary)
{
	if (header.len == 0)
		return "Multipart: Content-Type header not available.";
	if (header.len > CONTENT_TYPE_LIMIT)
		return "Multipart: Invalid boundary in C-T (length).";
	struct slice type = SLICE("multipart/form-data");
	if (!slice_starts_with_nocase(header, type))
		return "Multipart: Invalid MIME type.";
	if (count_boundaries(header) > 1)
		return "Multipart: Multiple boundary parameters in C-T.";
	size_t at = slice_find(header, SLICE("boundary"), 0);
	if (at == header.len)
		return count_boundaries(header) > 0 ? "Multipart: Invalid boundary in C-T (case sensitivity)."
						    : "Multipart: Boundary not found in C-T.";
	bool semicolon;
	if (!is_clean_gap(slice_sub(header, type.len, at), &semicolon))
		return "Multipart: Invalid boundary in C-T (malformed).";
	flags->missing_semicolon = !semicolon;
	size_t name_end = at + strlen("boundary");
	size_t equals = slice_find_byte(header, '=', name_end);
	if (equals == header.len)
		return "Multipart: Invalid boundary in C-T (malformed).";
	for (size_t i = name_end; i < equals; i++) {
		if (!byte_is_space(header.ptr[i]))
			return "Multipart: Invalid boundary in C-T (parameter name).";
		flags->boundary_whitespace = 1;
	}
	return boundary_value(slice_after(header, equals + 1), flags, ret_boundary);
}

bool multipart_boundary_parse(struct slice content_type, struct multipart_flags *flags, struct slice *ret_boundary,
			      struct slice *ret_error)
{
	const char *error = find_boundary(content_type, flags, ret_boundary);
	if (error == NULL)
		return true;
	flags->error = 1;
	*ret_error = slice_from_string(error);
	return false;
}

struct parameter {
	struct slice name;
	struct slice value;
	size_t value_offset;
	uint8_t quote; /* '"', '\'' or 0 */
};

static void skip_blanks(struct reader *r)
{
	while (reader_peek(r, 0) == ' ' || reader_peek(r, 0) == '\t')
		reader_skip(r, 1);
}

static bool is_token_byte(int c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static bool is_alphanumeric(int c)
{
	return c >= 0 && (byte_is_alpha((uint8_t)c) || byte_is_digit((uint8_t)c));
}

static bool is_alphanumeric_or(int c, const char *others)
{
	return is_alphanumeric(c) || (c > 0 && strchr(others, c) != NULL);
}

static bool is_hexadecimal(int c)
{
	return c >= 0 && byte_hex_value((uint8_t)c) >= 0;
}

/* filename*=charset'language'percent-encoded (RFC 5987) */
static int parse_extended_value(struct reader *r, struct parameter *parameter)
{
	size_t from = r->at;
	while (is_alphanumeric_or(reader_peek(r, 0), "!#$%&+-^_`{}~"))
		reader_skip(r, 1);
	if (reader_peek(r, 0) != '\'' || r->at == from)
		return -16;
	reader_skip(r, 1);
	while (!reader_at_end(r) && reader_peek(r, 0) != '\'')
		reader_skip(r, 1);
	if (reader_at_end(r))
		return -17;
	reader_skip(r, 1);
	from = r->at;
	while (!reader_at_end(r) && reader_peek(r, 0) != ';') {
		int c = reader_peek(r, 0);
		if (c == '%' && !(is_hexadecimal(reader_peek(r, 1)) && is_hexadecimal(reader_peek(r, 2))))
			return -18;
		if (c != '%' && !is_alphanumeric_or(c, "!#$&+-.^_`~"))
			return -19;
		reader_skip(r, c == '%' ? 3 : 1);
	}
	parameter->value = slice_sub(r->bytes, from, r->at);
	parameter->value_offset = from;
	return 0;
}

/* `raw` without the backslashes that escape a quote or a backslash. */
static int unescape(struct slice raw, uint8_t quote, struct arena *arena, struct slice *ret_text)
{
	uint8_t *copy = arena_alloc(arena, raw.len);
	if (copy == NULL)
		return NO_MEMORY;
	size_t length = 0;
	struct reader r = reader_make(raw);
	while (!reader_at_end(&r)) {
		uint8_t c = reader_byte(&r);
		if (c == '\\' && (reader_peek(&r, 0) == quote || reader_peek(&r, 0) == '\\'))
			c = reader_byte(&r);
		copy[length++] = c;
	}
	*ret_text = slice_make(copy, length);
	return 0;
}

static int parse_quoted_value(struct reader *r, struct multipart_flags *flags, struct arena *arena,
			      struct parameter *parameter)
{
	uint8_t quote = reader_byte(r);
	parameter->quote = quote;
	if (quote == '\'')
		flags->invalid_quoting = 1;
	if (reader_at_end(r))
		return -7;
	size_t from = r->at;
	bool escaped = false;
	while (!reader_at_end(r) && reader_peek(r, 0) != quote) {
		if (reader_byte(r) != '\\')
			continue;
		if (reader_at_end(r))
			return -8;
		if (reader_peek(r, 0) == quote || reader_peek(r, 0) == '\\') {
			reader_skip(r, 1);
			escaped = true;
		}
	}
	parameter->value = slice_sub(r->bytes, from, r->at);
	parameter->value_offset = from;
	/* Not closed: libmodsecurity reads on behind the end of the string here. */
	if (reader_at_end(r))
		flags->invalid_quoting = 1;
	else
		reader_skip(r, 1);
	return escaped ? unescape(parameter->value, quote, arena, &parameter->value) : 0;
}

static int parse_parameter(struct reader *r, struct multipart_flags *flags, struct arena *arena,
			   struct parameter *parameter)
{
	skip_blanks(r);
	if (reader_at_end(r))
		return -3;
	size_t from = r->at;
	while (!reader_at_end(r) && strchr("= \t", reader_peek(r, 0)) == NULL)
		reader_skip(r, 1);
	if (reader_at_end(r))
		return -4;
	parameter->name = slice_sub(r->bytes, from, r->at);
	skip_blanks(r);
	if (reader_at_end(r))
		return -5;
	if (reader_byte(r) != '=')
		return -13;
	skip_blanks(r);
	if (reader_at_end(r))
		return -6;
	if (slice_equal(parameter->name, SLICE("filename*")))
		return parse_extended_value(r, parameter);
	if (reader_peek(r, 0) == '"' || reader_peek(r, 0) == '\'')
		return parse_quoted_value(r, flags, arena, parameter);
	from = r->at;
	while (is_token_byte(reader_peek(r, 0)))
		reader_skip(r, 1);
	parameter->value = slice_sub(r->bytes, from, r->at);
	parameter->value_offset = from;
	return 0;
}

/* A name or filename: noted in MULTIPART_NAME or MULTIPART_FILENAME, and refused if there was one already. */
static int take_once(const struct parameter *parameter, struct multipart_flags *flags, struct field_list *seen,
		     struct slice *text, size_t *offset, int duplicate)
{
	if (parameter->quote != '"' && slice_find_byte(parameter->value, '\'', 0) < parameter->value.len)
		flags->invalid_quoting = 1;
	if (field_list_add(seen, (struct field){.name = parameter->value, .value = parameter->value}) != 0)
		return NO_MEMORY;
	if (text->len > 0)
		return duplicate;
	*text = parameter->value;
	*offset = parameter->value_offset;
	return 0;
}

static int take_parameter(const struct parameter *parameter, struct multipart *multipart,
			  struct content_disposition *disposition, struct slice *extended)
{
	if (slice_equal(parameter->name, SLICE("name")))
		return take_once(parameter, &multipart->flags, &multipart->names, &disposition->name,
				 &disposition->name_offset, -14);
	if (slice_equal(parameter->name, SLICE("filename")))
		return take_once(parameter, &multipart->flags, &multipart->filenames, &disposition->filename,
				 &disposition->filename_offset, -15);
	if (!slice_equal(parameter->name, SLICE("filename*")))
		return -11;
	if (extended->len > 0)
		return -20;
	disposition->extended = true;
	*extended = parameter->value;
	return 0;
}

/* Behind a parameter: the end, or a semicolon. */
static int parse_separator(struct reader *r, struct multipart_flags *flags)
{
	skip_blanks(r);
	if (reader_at_end(r))
		return 0;
	if (reader_peek(r, 0) == ';') {
		reader_skip(r, 1);
		return 0;
	}
	uint8_t before = r->bytes.ptr[r->at - 1];
	if (before == '\'' || before == '"')
		flags->invalid_quoting = 1;
	return -12;
}

static int parse_parameters(struct reader *r, struct multipart *multipart, struct arena *arena,
			    struct content_disposition *disposition)
{
	struct slice extended = {0};
	while (!reader_at_end(r)) {
		struct parameter parameter = {0};
		int fault = parse_parameter(r, &multipart->flags, arena, &parameter);
		if (fault == 0)
			fault = take_parameter(&parameter, multipart, disposition, &extended);
		if (fault == 0)
			fault = parse_separator(r, &multipart->flags);
		if (fault != 0)
			return fault;
	}
	return extended.len > 0 && disposition->filename.len == 0 ? -21 : 1;
}

/* "form-data", alone or followed by parameters. */
static int parse_disposition(struct slice value, struct multipart *multipart, struct arena *arena,
			     struct content_disposition *disposition)
{
	struct reader r = reader_make(value);
	if (!reader_accept(&r, SLICE("form-data")))
		return -1;
	skip_blanks(&r);
	if (reader_at_end(&r))
		return 1;
	if (reader_byte(&r) != ';')
		return -2;
	return parse_parameters(&r, multipart, arena, disposition);
}

int content_disposition_parse(struct slice value, struct multipart *multipart, struct arena *arena,
			      struct content_disposition *disposition, int *ret_number)
{
	int number = parse_disposition(value, multipart, arena, disposition);
	if (number == NO_MEMORY)
		return -ENOMEM;
	*ret_number = number;
	return 0;
}
