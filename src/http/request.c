/*
 * Request line, headers, what is checked behind the last of them, body: in nginx's order, as the first fault counts.
 * The request line is in request_line.c, a header in header_line.c, chunks in chunked.c.
 */
#include "http/request.h"

#include "http/chunked.h"
#include "http/header_line.h"
#include "http/request_line.h"

#include <errno.h>

/*
 * nginx reads into one buffer and, when a line does not fit, into one of a few large ones, where the line begins anew.
 * How far into the input the current buffer reaches decides which over-long requests are refused, and with what.
 */
struct buffers {
	const struct request_parser_options *options;
	size_t end;
	size_t large_used;
};

struct parser {
	struct reader reader;
	const struct request_parser_options *options;
	struct arena *arena;
	struct request *request;
	struct buffers buffers;
	struct slice content_length;
	struct slice transfer_encoding;
	unsigned unique_seen; /* a bit per row of unique_headers */
	bool host_seen;
	bool content_length_seen;
	bool transfer_encoding_seen;
};

/* Headers that nginx refuses to see twice, besides Host. */
static const struct slice unique_headers[] = {
	SLICE_INIT("if-modified-since"), SLICE_INIT("if-unmodified-since"), SLICE_INIT("if-match"),
	SLICE_INIT("if-none-match"),     SLICE_INIT("content-length"),      SLICE_INIT("content-range"),
	SLICE_INIT("if-range"),          SLICE_INIT("transfer-encoding"),   SLICE_INIT("expect"),
	SLICE_INIT("authorization"),
};

static int refuse(struct parser *p, unsigned status, const char *reason)
{
	p->request->refused_status = status;
	p->request->refused_reason = reason;
	return REQUEST_REFUSED;
}

static int refuse_truncated(struct parser *p)
{
	p->request->truncated = true;
	return refuse(p, 400, "the request ends too early");
}

/* Whether the line that begins at `start` can be read up to the byte at `last`. */
static bool buffers_reach(struct buffers *b, size_t start, size_t last)
{
	while (last >= b->end) {
		if (start < b->end && b->end - start >= b->options->large_buffer_bytes)
			return false;
		if (b->large_used == b->options->large_buffer_count)
			return false;
		b->large_used++;
		b->end = start + b->options->large_buffer_bytes;
	}
	return true;
}

/* Empty lines before the request fill the first buffer over and over. */
static bool buffers_reach_line(struct buffers *b, size_t start, size_t last)
{
	while (start >= b->end)
		b->end += b->options->header_buffer_bytes;
	return buffers_reach(b, start, last);
}

static int set_host(struct parser *p, struct slice host, const char *reason)
{
	size_t length;
	if (!request_host_valid(host, &length))
		return refuse(p, 400, reason);
	if (p->request->host.len > 0)
		return 0;
	uint8_t *copy = arena_alloc(p->arena, length);
	if (copy == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++)
		copy[i] = byte_lower(host.ptr[i]);
	p->request->host = slice_make(copy, length);
	return 0;
}

static struct slice version_text(const struct request_line *line)
{
	switch (line->version_number) {
	case 9:
		return SLICE("0.9");
	case 1000:
		return SLICE("1.0");
	case 1001:
		return SLICE("1.1");
	default:
		return slice_after(line->protocol, sizeof("HTTP/") - 1);
	}
}

static int parse_request_line(struct parser *p)
{
	struct request_line line;
	unsigned refused = request_line_parse(&p->reader, &line);
	size_t last = p->reader.overrun ? p->reader.bytes.len : p->reader.at - 1;
	if (!buffers_reach_line(&p->buffers, line.start, last))
		return refuse(p, 414, "the request line is too long");
	if (p->reader.overrun)
		return refuse_truncated(p);
	if (refused != 0)
		return refuse(p, refused, refused == 505 ? "HTTP version" : "request line");
	struct request_target target;
	int error = request_target_normalise(&line, p->options->merge_slashes, p->arena, &target);
	if (error != 0)
		return error < 0 ? error : refuse(p, 400, "path of the request");
	struct request *request = p->request;
	request->method = line.method;
	request->unparsed_uri = line.target;
	request->uri = target.path;
	request->arguments = target.arguments;
	request->protocol = line.protocol;
	request->version = version_text(&line);
	request->version_number = line.version_number;
	request->line = line.line;
	return line.has_authority ? set_host(p, line.authority, "host in the request line") : 0;
}

static int note_header(struct parser *p, struct slice name, struct slice value)
{
	if (slice_equal_nocase(name, SLICE("host"))) {
		if (p->host_seen)
			return refuse(p, 400, "duplicate Host");
		p->host_seen = true;
		return set_host(p, value, "Host");
	}
	for (unsigned i = 0; i < sizeof(unique_headers) / sizeof(unique_headers[0]); i++) {
		if (!slice_equal_nocase(name, unique_headers[i]))
			continue;
		if (p->unique_seen & 1U << i)
			return refuse(p, 400, "duplicate header");
		p->unique_seen |= 1U << i;
	}
	if (slice_equal_nocase(name, SLICE("content-length"))) {
		p->content_length = value;
		p->content_length_seen = true;
	} else if (slice_equal_nocase(name, SLICE("transfer-encoding"))) {
		p->transfer_encoding = value;
		p->transfer_encoding_seen = true;
	}
	return 0;
}

static int add_header(struct parser *p, const struct header_line *line)
{
	struct field field = {.name = line->name, .value = line->value};
	field.name_offset = (size_t)(line->name.ptr - p->reader.bytes.ptr);
	field.value_offset = (size_t)(line->value.ptr - p->reader.bytes.ptr);
	int error = field_list_add(&p->request->headers, field);
	return error != 0 ? error : note_header(p, line->name, line->value);
}

static int parse_headers(struct parser *p)
{
	for (;;) {
		size_t start = p->reader.at;
		struct header_line line;
		enum header_line_outcome outcome =
			header_line_parse(&p->reader, p->options->underscores_in_headers, &line);
		size_t last = p->reader.overrun ? p->reader.bytes.len : p->reader.at - 1;
		if (!buffers_reach(&p->buffers, start, last))
			return refuse(p, 400, "the headers are too large");
		if (p->reader.overrun)
			return refuse_truncated(p);
		if (outcome == HEADER_SECTION_END)
			return 0;
		if (outcome == HEADER_BAD)
			return refuse(p, 400, "header line");
		if (line.invalid_name && p->options->ignore_invalid_headers)
			continue;
		int error = add_header(p, &line);
		if (error != 0)
			return error;
	}
}

/* What nginx looks at when the last header has been read, in its order. */
static int check_headers(struct parser *p, uint64_t *ret_length)
{
	unsigned version = p->request->version_number;
	if (!p->host_seen && version > 1000)
		return refuse(p, 400, "no Host");
	if (p->content_length_seen && !slice_number(p->content_length, INT64_MAX, ret_length))
		return refuse(p, 400, "Content-Length");
	if (p->transfer_encoding_seen) {
		if (version < 1001)
			return refuse(p, 400, "Transfer-Encoding in HTTP/1.0");
		if (!slice_equal_nocase(p->transfer_encoding, SLICE("chunked")))
			return refuse(p, 501, "unknown Transfer-Encoding");
		if (p->content_length_seen)
			return refuse(p, 400, "Content-Length with Transfer-Encoding");
	}
	if (slice_equal(p->request->method, SLICE("CONNECT")) || slice_equal(p->request->method, SLICE("TRACE")))
		return refuse(p, 405, "method");
	return 0;
}

static int parse_chunked_body(struct parser *p)
{
	int outcome = chunked_decode(&p->reader, p->options->body_limit_bytes, p->arena, &p->request->body);
	switch (outcome) {
	case CHUNKED_INVALID:
		return refuse(p, 400, "chunked body");
	case CHUNKED_TOO_LARGE:
		return refuse(p, 413, "the body is too large");
	case CHUNKED_TRUNCATED:
		return refuse_truncated(p);
	default:
		return outcome;
	}
}

static int parse_body(struct parser *p, uint64_t length)
{
	p->request->has_body = p->content_length_seen || p->transfer_encoding_seen;
	if (p->transfer_encoding_seen)
		return parse_chunked_body(p);
	if (p->options->body_limit_bytes != 0 && length > p->options->body_limit_bytes)
		return refuse(p, 413, "the body is too large");
	p->request->body = reader_take(&p->reader, length);
	return p->reader.overrun ? refuse_truncated(p) : 0;
}

static int parse(struct parser *p)
{
	int outcome = parse_request_line(p);
	if (outcome != 0 || p->request->version_number < 1000)
		return outcome;
	uint64_t length = 0;
	outcome = parse_headers(p);
	if (outcome == 0)
		outcome = check_headers(p, &length);
	if (outcome == 0)
		outcome = parse_body(p, length);
	return outcome;
}

int request_parse(struct slice wire, const struct request_parser_options *options, struct arena *arena,
		  struct request *ret_request)
{
	struct slice empty = slice_make("", 0);
	struct request request = {
		.headers = field_list_make(arena),
		.host = empty,
		.body = empty,
		.protocol = empty,
		.refused_reason = "",
	};
	struct parser p = {
		.reader = reader_make(wire),
		.options = options,
		.arena = arena,
		.request = &request,
		.buffers = {.options = options, .end = options->header_buffer_bytes},
	};
	int outcome = parse(&p);
	if (outcome < 0)
		return outcome;
	request.rest = reader_rest(&p.reader);
	*ret_request = request;
	return outcome;
}
