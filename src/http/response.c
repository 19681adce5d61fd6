/* Header lines and chunks are read as those of requests are. A body that ends too early is no fault: it is told. */
#include "http/response.h"

#include "http/chunked.h"
#include "http/header_line.h"

#include <errno.h>

/* "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing. */
static bool parse_status_line(struct reader *r, struct response *response)
{
	struct slice line = reader_until(r, '\n');
	if (slice_ends_with(line, SLICE("\r")))
		line.len--;
	struct slice rest = slice_cut(line, ' ', &response->protocol);
	response->reason = slice_cut(rest, ' ', &rest);
	if (!slice_starts_with(response->protocol, SLICE("HTTP/")) || rest.len != 3)
		return false;
	for (size_t i = 0; i < rest.len; i++) {
		if (!byte_is_digit(rest.ptr[i]))
			return false;
		response->status = response->status * 10 + (unsigned)(rest.ptr[i] - '0');
	}
	return response->status >= 100;
}

static int parse_headers(struct reader *r, struct field_list *headers)
{
	for (;;) {
		struct header_line line;
		enum header_line_outcome outcome = header_line_parse(r, true, &line);
		if (outcome == HEADER_SECTION_END)
			return 0;
		if (outcome == HEADER_BAD)
			return RESPONSE_MALFORMED;
		struct field field = {.name = line.name, .value = line.value};
		field.name_offset = (size_t)(line.name.ptr - r->bytes.ptr);
		field.value_offset = (size_t)(line.value.ptr - r->bytes.ptr);
		if (field_list_add(headers, field) != 0)
			return -ENOMEM;
	}
}

static int parse_chunked_body(struct reader *r, struct arena *arena, struct response *response)
{
	int outcome = chunked_decode(r, 0, arena, &response->body);
	if (outcome == CHUNKED_TRUNCATED) {
		response->truncated = true;
		return 0;
	}
	return outcome > 0 ? RESPONSE_MALFORMED : outcome;
}

static int parse_body(struct reader *r, struct arena *arena, struct response *response)
{
	bool bodiless = response->status < 200 || response->status == 204 || response->status == 304;
	if (bodiless)
		return 0;
	const struct field *coding = field_list_find(&response->headers, SLICE("transfer-encoding"));
	if (coding != NULL && slice_equal_nocase(coding->value, SLICE("chunked")))
		return parse_chunked_body(r, arena, response);
	const struct field *stated = field_list_find(&response->headers, SLICE("content-length"));
	uint64_t length = reader_left(r);
	if (stated != NULL && !slice_number(stated->value, INT64_MAX, &length))
		return RESPONSE_MALFORMED;
	response->body = reader_take(r, length);
	response->truncated = r->overrun;
	return 0;
}

int response_parse(struct slice wire, struct arena *arena, struct response *ret_response)
{
	struct response response = {.headers = field_list_make(arena), .body = slice_make("", 0)};
	struct reader r = reader_make(wire);
	if (!parse_status_line(&r, &response))
		return RESPONSE_MALFORMED;
	int error = parse_headers(&r, &response.headers);
	if (error == 0)
		error = parse_body(&r, arena, &response);
	if (error != 0)
		return error;
	*ret_response = response;
	return 0;
}
