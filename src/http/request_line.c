/*
 * The line is read byte by byte. Its path is decoded and normalised in one pass, whose state tells how many dots stand
 * behind the last slash; '/' and '.' count as such where they were escaped, too.
 */
#include "http/request_line.h"

#include <errno.h>

static bool is_method_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static bool is_host_byte(uint8_t c)
{
	return byte_is_alpha(c) || byte_is_digit(c) || c == '.' || c == '-';
}

/* RFC 3986's unreserved and sub-delims, and ':'. */
static bool is_literal_byte(uint8_t c)
{
	return c != '\0' && (byte_is_alpha(c) || byte_is_digit(c) || strchr(":-._~!$&'()*+,;=", c) != NULL);
}

static uint8_t skip_spaces(struct reader *r)
{
	uint8_t c;
	do
		c = reader_byte(r);
	while (c == ' ');
	return c;
}

static unsigned parse_method(struct reader *r, struct request_line *line)
{
	uint8_t c;
	do
		c = reader_byte(r);
	while (c == '\r' || c == '\n');
	line->start = r->overrun ? r->at : r->at - 1;
	if (!is_method_byte(c))
		return 400;
	while (is_method_byte(c))
		c = reader_byte(r);
	line->method = slice_sub(r->bytes, line->start, r->at - 1);
	return c == ' ' ? 0 : 400;
}

/* Behind a CR or LF `c` that ends the line. */
static unsigned parse_line_end(struct reader *r, uint8_t c, struct request_line *line)
{
	line->line = slice_sub(r->bytes, line->start, r->at - 1);
	return c == '\n' || reader_byte(r) == '\n' ? 0 : 400;
}

static unsigned end_as_http_09(struct reader *r, uint8_t c, struct request_line *line)
{
	line->version_number = 9;
	unsigned refused = parse_line_end(r, c, line);
	if (refused != 0 || r->overrun)
		return 400;
	return slice_equal(line->method, SLICE("GET")) ? 0 : 400;
}

static unsigned parse_major(struct reader *r)
{
	uint8_t c = reader_byte(r);
	if (c < '1' || c > '9')
		return 400;
	for (unsigned major = 0; c != '.'; c = reader_byte(r)) {
		if (!byte_is_digit(c))
			return 400;
		major = major * 10 + (unsigned)(c - '0');
		if (major > 1)
			return 505;
	}
	return 0;
}

/* The digits behind the dot and the line's end. */
static unsigned parse_minor(struct reader *r, struct request_line *line)
{
	uint8_t c = reader_byte(r);
	if (!byte_is_digit(c))
		return 400;
	unsigned minor = 0;
	for (; byte_is_digit(c); c = reader_byte(r)) {
		if (minor > 99)
			return 400;
		minor = minor * 10 + (unsigned)(c - '0');
	}
	line->version_number = 1000 + minor;
	if (c == ' ')
		c = skip_spaces(r);
	return c == '\r' || c == '\n' ? parse_line_end(r, c, line) : 400;
}

static unsigned parse_version(struct reader *r, struct request_line *line)
{
	uint8_t c = skip_spaces(r);
	if (c == '\r' || c == '\n')
		return end_as_http_09(r, c, line);
	size_t from = r->at - 1;
	for (const char *expected = "HTTP/"; *expected != '\0'; expected++) {
		if (c != (uint8_t)*expected)
			return 400;
		if (*expected != '/')
			c = reader_byte(r);
	}
	unsigned refused = parse_major(r);
	if (refused == 0)
		refused = parse_minor(r, line);
	if (refused == 0 && !r->overrun)
		line->protocol = slice_sub(line->line, from - line->start, line->line.len);
	return refused;
}

/* Its first byte, '/' or '?', was read. */
static unsigned parse_path(struct reader *r, struct request_line *line)
{
	size_t from = r->at - 1;
	uint8_t c = reader_byte(r);
	while (c != ' ' && c != '\r' && c != '\n') {
		if (c < ' ' || c == 0x7f)
			return 400;
		c = reader_byte(r);
	}
	line->target = slice_sub(r->bytes, from, r->at - 1);
	return c == ' ' ? parse_version(r, line) : end_as_http_09(r, c, line);
}

/* Behind "scheme://". *ret_next is the byte that ends the host. */
static unsigned parse_host(struct reader *r, struct request_line *line, uint8_t *ret_next)
{
	uint8_t c = reader_byte(r);
	size_t from = r->at - 1;
	if (c == '[') {
		do
			c = reader_byte(r);
		while (is_literal_byte(c));
		if (c != ']')
			return 400;
		c = reader_byte(r);
	} else {
		while (is_host_byte(c))
			c = reader_byte(r);
	}
	line->authority = slice_sub(r->bytes, from, r->at - 1);
	line->has_authority = true;
	*ret_next = c;
	return 0;
}

/* The scheme's first letter was read. */
static unsigned parse_absolute(struct reader *r, struct request_line *line)
{
	uint8_t c;
	do
		c = reader_byte(r);
	while (byte_is_alpha(c) || byte_is_digit(c) || c == '+' || c == '-' || c == '.');
	if (c != ':' || reader_byte(r) != '/')
		return 400;
	/* Where the target is only an authority, nginx takes one of these slashes for the path. */
	line->target = slice_sub(r->bytes, r->at - 1, r->at);
	if (reader_byte(r) != '/')
		return 400;
	unsigned refused = parse_host(r, line, &c);
	if (refused != 0)
		return refused;
	if (c == ':') {
		do
			c = reader_byte(r);
		while (byte_is_digit(c));
	}
	line->empty_path = c == '?';
	if (c == '/' || c == '?')
		return parse_path(r, line);
	return c == ' ' ? parse_version(r, line) : 400;
}

unsigned request_line_parse(struct reader *r, struct request_line *ret_line)
{
	*ret_line = (struct request_line){0};
	unsigned refused = parse_method(r, ret_line);
	if (refused != 0)
		return refused;
	uint8_t c = skip_spaces(r);
	if (c == '/')
		return parse_path(r, ret_line);
	return byte_is_alpha(c) ? parse_absolute(r, ret_line) : 400;
}

struct normaliser {
	uint8_t *out;
	size_t length;
	bool merge_slashes;
	enum {
		IN_SEGMENT,
		AFTER_SLASH,
		AFTER_DOT,
		AFTER_DOT_DOT,
	} state;
};

/* "/a/b/.." loses "b/..": back to behind the slash before the last segment. False at the root. */
static bool go_up(struct normaliser *n)
{
	if (n->length < 4)
		return false;
	size_t at = n->length - 4;
	while (n->out[at] != '/') {
		if (at == 0)
			return false;
		at--;
	}
	n->length = at + 1;
	return true;
}

static bool end_segment(struct normaliser *n)
{
	if (n->state == AFTER_DOT)
		n->length--;
	return n->state != AFTER_DOT_DOT || go_up(n);
}

/* A byte that is itself, not one that an escape protects. */
static bool put(struct normaliser *n, uint8_t c)
{
	if (c == '/') {
		bool kept = n->state == IN_SEGMENT || (n->state == AFTER_SLASH && !n->merge_slashes);
		if (!end_segment(n))
			return false;
		n->state = AFTER_SLASH;
		if (!kept)
			return true;
	} else if (c == '.' && n->state == AFTER_SLASH) {
		n->state = AFTER_DOT;
	} else if (c == '.' && n->state == AFTER_DOT) {
		n->state = AFTER_DOT_DOT;
	} else {
		n->state = IN_SEGMENT;
	}
	n->out[n->length++] = c;
	return true;
}

static bool put_escape(struct normaliser *n, struct reader *r)
{
	int high = byte_hex_value(reader_byte(r));
	int low = byte_hex_value(reader_byte(r));
	if (high < 0 || low < 0)
		return false;
	uint8_t c = (uint8_t)(high << 4 | low);
	if (c == '\0')
		return false;
	if (c != '%' && c != '#' && c != '?')
		return put(n, c);
	n->state = IN_SEGMENT;
	n->out[n->length++] = c;
	return true;
}

static bool put_path(struct normaliser *n, struct slice path)
{
	struct reader r = reader_make(path);
	while (!reader_at_end(&r)) {
		uint8_t c = reader_byte(&r);
		if (c == '%' ? !put_escape(n, &r) : !put(n, c))
			return false;
	}
	return end_segment(n);
}

int request_target_normalise(const struct request_line *line, bool merge_slashes, struct arena *arena,
			     struct request_target *ret_target)
{
	struct slice target = slice_sub(line->target, 0, slice_find_byte(line->target, '#', 0));
	struct slice path;
	struct slice arguments = slice_cut(target, '?', &path);
	struct normaliser n = {.out = arena_alloc(arena, path.len + 1), .merge_slashes = merge_slashes};
	if (n.out == NULL)
		return -ENOMEM;
	if (line->empty_path)
		n.out[n.length++] = '/';
	if (!put_path(&n, path))
		return REQUEST_TARGET_INVALID;
	*ret_target = (struct request_target){slice_make(n.out, n.length), arguments};
	return 0;
}

bool request_host_valid(struct slice host, size_t *ret_length)
{
	enum { NAME, LITERAL, REST } state = NAME;
	size_t dot = host.len;
	size_t length = host.len;
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.ptr[i];
		if (c <= ' ' || c == 0x7f || c == '/' || (c == '.' && i > 0 && dot == i - 1))
			return false;
		if (c == '.')
			dot = i;
		if (c == '[' && i == 0)
			state = LITERAL;
		if ((c == ':' && state == NAME) || (c == ']' && state == LITERAL)) {
			length = c == ':' ? i : i + 1;
			state = REST;
		}
	}
	if (length > 0 && dot == length - 1)
		length--;
	*ret_length = length;
	return length > 0;
}
