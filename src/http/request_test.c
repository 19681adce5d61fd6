#include "http/request.h"

#include "http/response.h"
#include "http/test_cases.h"

#include <errno.h>

static void render_part(struct buffer *out, const char *label, struct slice s)
{
	buffer_text(out, label);
	test_escape(out, s);
}

static void render_request(struct slice input, struct arena *arena, struct buffer *out)
{
	struct request_parser_options options = request_parser_defaults();
	struct request request;
	int outcome = request_parse(input, &options, arena, &request);
	assert_int_equal(outcome, request.refused_status == 0 ? 0 : REQUEST_REFUSED);
	if (outcome != 0) {
		assert_true(strlen(request.refused_reason) > 0);
		buffer_printf(out, "refused %u%s", request.refused_status, request.truncated ? " truncated" : "");
		return;
	}
	render_part(out, "", request.method);
	render_part(out, " ", request.unparsed_uri);
	render_part(out, " ", request.uri);
	render_part(out, " ", request.arguments.len == 0 ? SLICE("-") : request.arguments);
	render_part(out, " ", request.protocol.len == 0 ? SLICE("-") : request.protocol);
	buffer_text(out, " ");
	test_render_fields(out, &request.headers);
	if (request.host.len > 0)
		render_part(out, " host=", request.host);
	if (request.has_body)
		render_part(out, " body=", request.body);
	if (request.rest.len > 0)
		render_part(out, " rest=", request.rest);
}

static void test_request_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/request.txt", render_request);
}

static void render_response(struct slice input, struct arena *arena, struct buffer *out)
{
	struct response response;
	int outcome = response_parse(input, arena, &response);
	if (outcome != 0) {
		assert_int_equal(outcome, RESPONSE_MALFORMED);
		buffer_text(out, "malformed");
		return;
	}
	render_part(out, "", response.protocol);
	buffer_printf(out, " %u ", response.status);
	test_escape(out, response.reason);
	buffer_text(out, " ");
	test_render_fields(out, &response.headers);
	render_part(out, " ", response.body);
	buffer_text(out, response.truncated ? " truncated" : "");
}

static void test_response_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/response.txt", render_response);
}

/* The status that a request line or header of this many bytes, line end included, gets. */
static unsigned status_of_length(size_t line_bytes, bool header, size_t headers)
{
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct buffer wire = buffer_make(&arena);
	buffer_text(&wire, header ? "GET / HTTP/1.0\r\n" : "GET /");
	for (size_t i = 0; i < headers; i++) {
		size_t end = wire.len + line_bytes - strlen(header ? "\r\n" : "GET / HTTP/1.0\r\n");
		buffer_text(&wire, header ? "a:" : "");
		while (wire.len < end)
			buffer_byte(&wire, 'x');
		buffer_text(&wire, header ? "\r\n" : " HTTP/1.0\r\n");
	}
	buffer_text(&wire, "\r\n");
	struct request_parser_options options = request_parser_defaults();
	struct request request;
	assert_true(request_parse(buffer_slice(&wire), &options, &arena, &request) >= 0);
	arena_destroy(&arena);
	return request.refused_status;
}

static void test_buffers(void **state)
{
	(void)state;
	assert_int_equal(status_of_length(8192, false, 1), 0);
	assert_int_equal(status_of_length(8193, false, 1), 414);
	assert_int_equal(status_of_length(8192, true, 1), 0);
	assert_int_equal(status_of_length(8193, true, 1), 400);
	assert_int_equal(status_of_length(8192, true, 3), 0);
	assert_int_equal(status_of_length(8192, true, 4), 400);
}

static void test_options(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct request_parser_options options = request_parser_defaults();
	options.underscores_in_headers = true;
	options.ignore_invalid_headers = false;
	options.merge_slashes = false;
	options.body_limit_bytes = 3;
	struct request request;
	struct slice wire = SLICE("POST //a///b HTTP/1.0\r\na_b: 1\r\na!: 2\r\nContent-Length: 3\r\n\r\nabc");
	assert_int_equal(request_parse(wire, &options, &arena, &request), 0);
	assert_int_equal(request.headers.count, 3);
	assert_slice(request.uri, "//a///b");
	options.body_limit_bytes = 2;
	assert_int_equal(request_parse(wire, &options, &arena, &request), REQUEST_REFUSED);
	assert_int_equal(request.refused_status, 413);
	assert_slice(request.version, "1.0");
	arena_destroy(&arena);
}

static void test_no_memory(void **state)
{
	(void)state;
	struct slice wire = SLICE("POST /%61 HTTP/1.1\r\nHost: A\r\nTransfer-Encoding: chunked\r\n\r\n"
				  "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
	struct request_parser_options options = request_parser_defaults();
	struct request request = {.version_number = 7};
	size_t cap = 0;
	for (int outcome = -ENOMEM; outcome != 0; cap += 16) {
		assert_true(cap < 4096);
		struct arena arena;
		arena_init(&arena, cap, 0);
		outcome = request_parse(wire, &options, &arena, &request);
		assert_true(outcome == -ENOMEM || outcome == 0);
		assert_int_equal(request.version_number, outcome == 0 ? 1001 : 7);
		arena_destroy(&arena);
	}
	assert_true(cap > 256);
}

TEST_MAIN(cmocka_unit_test(test_request_cases), cmocka_unit_test(test_response_cases), cmocka_unit_test(test_buffers),
	  cmocka_unit_test(test_options), cmocka_unit_test(test_no_memory))
