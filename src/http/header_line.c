/*
 * A byte at a time: name, colon and spaces, value, line end. Where the input ends a NUL is read, which no line may
 * hold, so that no loop looks for the end.
 */
#include "http/header_line.h"

static bool is_name_byte(uint8_t c, bool underscores)
{
	return byte_is_alpha(c) || byte_is_digit(c) || c == '-' || (c == '_' && underscores);
}

/* A CR was read: LF must follow; more CRs between are let pass. */
static bool line_ends(struct reader *r)
{
	uint8_t c;
	do
		c = reader_byte(r);
	while (c == '\r');
	return c == '\n';
}

/* Behind the colon and its spaces, whose next byte is `c`. Spaces, not tabs, are cut behind the value. */
static bool parse_value(struct reader *r, uint8_t c, struct slice *ret_value)
{
	size_t from = r->at - 1;
	size_t end = from;
	while (c != '\r' && c != '\n') {
		if (c == '\0')
			return false;
		if (c != ' ')
			end = r->at;
		c = reader_byte(r);
	}
	*ret_value = slice_sub(r->bytes, from, end);
	return c == '\n' || line_ends(r);
}

/* The name, whose first byte is `c`, and its colon. A line without a colon is a name with an empty value. */
static bool parse_name(struct reader *r, uint8_t c, bool underscores, struct header_line *line)
{
	size_t from = r->at - 1;
	while (c != ':' && c != '\r' && c != '\n') {
		if (c <= ' ' || c == 0x7f)
			return false;
		if (!is_name_byte(c, underscores))
			line->invalid_name = true;
		c = reader_byte(r);
	}
	line->name = slice_sub(r->bytes, from, r->at - 1);
	if (c != ':') {
		line->value = slice_sub(r->bytes, r->at - 1, r->at - 1);
		return c == '\n' || line_ends(r);
	}
	do
		c = reader_byte(r);
	while (c == ' ');
	return parse_value(r, c, &line->value);
}

enum header_line_outcome header_line_parse(struct reader *r, bool underscores, struct header_line *ret_line)
{
	uint8_t c = reader_byte(r);
	if (c == '\n')
		return HEADER_SECTION_END;
	if (c == '\r')
		return reader_byte(r) == '\n' ? HEADER_SECTION_END : HEADER_BAD;
	struct header_line line = {0};
	if (c == ':' || !parse_name(r, c, underscores, &line) || r->overrun)
		return HEADER_BAD;
	*ret_line = line;
	return HEADER_LINE;
}
