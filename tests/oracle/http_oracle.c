/*
 * Arguments, cookies, URIs and JSON, each put together from pieces by a seeded generator, read by ours and
 * by libmodsecurity: every variable is equal, but for the differences named at `expect_*` below.
 */
#include "http/arguments.h"
#include "http/cookies.h"
#include "http/json.h"
#include "http/uri.h"
#include "http_workshop.h"

static void test_arguments(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", "b",   "&",  "&",   "=",   "=",   "+",
					     "%", "%41", "%4", "%zz", "%26", "%00", ";"};
	struct workshop *w = workshop_open(1);
	for (int i = 0; i < 20000; i++) {
		workshop_next(w);
		struct slice body = COMPOSE(w, pieces, 40);
		struct field_list list = field_list_make(&w->arena);
		struct arguments_options options = arguments_defaults();
		options.limit = ORACLE_ARGUMENTS_LIMIT;
		struct arguments_facts facts;
		assert_int_equal(arguments_parse(body, &options, &list, &facts), 0);
		tell_fields(&w->ours, "ARGS", &list);
		tell_text(&w->ours, "URLENCODED_ERROR", facts.invalid_encoding ? "1" : "0");
		struct oracle_request request = {
			.uri = {"/", 1},
			.content_type = to_oracle(SLICE("application/x-www-form-urlencoded")),
			.body = to_oracle(body),
			.processor = "",
		};
		workshop_ask(w, &request, " ARGS URLENCODED_ERROR ");
		workshop_compare(w, body);
	}
	workshop_close(w);
}

static void test_cookies(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", "b", ";", ";", "; ", "=", "=", " ", "\t", "%41", "\"", ","};
	struct workshop *w = workshop_open(2);
	for (int i = 0; i < 10000; i++) {
		workshop_next(w);
		struct slice header = COMPOSE(w, pieces, 20);
		struct field_list list = field_list_make(&w->arena);
		assert_int_equal(cookies_parse(header, &list), 0);
		tell_fields(&w->ours, "REQUEST_COOKIES", &list);
		struct oracle_request request = {.uri = {"/", 1}, .cookie = to_oracle(header), .processor = ""};
		workshop_ask(w, &request, " REQUEST_COOKIES ");
		workshop_compare(w, header);
	}
	workshop_close(w);
}

static void test_uri(void **state)
{
	(void)state;
	/* expect_query: no %3f, since libmodsecurity 3.0.9 takes it for the query's '?' (CVE-2024-1019). */
	static const char *const pieces[] = {"/",   "/",  "a", "b.c", "?", "#",  "%41", "%2f",
					     "%5c", "\\", "%", "%4",  ":", "//", "+"};
	struct workshop *w = workshop_open(3);
	for (int i = 0; i < 10000; i++) {
		workshop_next(w);
		struct slice target = COMPOSE(w, pieces, 12);
		struct uri uri;
		assert_int_equal(uri_parse(target, &w->arena, &uri), 0);
		tell(&w->ours, "REQUEST_URI", slice_make("", 0), uri.uri);
		tell(&w->ours, "REQUEST_FILENAME", slice_make("", 0), uri.filename);
		tell(&w->ours, "REQUEST_BASENAME", slice_make("", 0), uri.basename);
		tell(&w->ours, "QUERY_STRING", slice_make("", 0), uri.query);
		struct oracle_request request = {.uri = to_oracle(target), .processor = ""};
		workshop_ask(w, &request, " REQUEST_URI REQUEST_FILENAME REQUEST_BASENAME QUERY_STRING ");
		workshop_compare(w, target);
	}
	workshop_close(w);
}

static const char *const json_pieces[] = {
	"{",
	"}",
	"[",
	"]",
	",",
	",",
	":",
	":",
	"\"a\"",
	"\"b\"",
	"\"\"",
	"1",
	"-0.5e1",
	"true",
	"false",
	"null",
	" ",
	"\n",
	"\v",
	"\"\\n\"",
	"\"\\u00e9\"",
	"\"\\ud83d\\ude00\"",
	"-",
	"01",
	"tru",
	"/",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\xe6\xbe\xb3\"",
	"\"\xff\"",
	"\"\xe6\"",
	"\"\\ud800x\"",
	"\"\\ud800\\n\"",
	"\"\\udc00\\ud800\"",
	"\"\\ud800\\ud800\"",
	"\"\\u0000\"",
	"1.",
	"1e",
	"\"\t\"",
	"\"",
	"{\"k\":",
	"[1,",
	"}]",
	"{\"\":",
	"[[",
	"\"\\\"",
	"1e+5",
};

static void test_json(void **state)
{
	(void)state;
	struct workshop *w = workshop_open(4);
	size_t whole = 0;
	for (int i = 0; i < 60000; i++) {
		workshop_next(w);
		struct buffer text = buffer_make(&w->arena);
		static const char *const starts[] = {
			"", "", "{\"a\":", "[", "{\"x\":{\"y\":[", "[{\"a\":1},", "{\"a\":1,\"b\":"};
		static const char *const ends[] = {"", "", "}", "]", "]}}", "]"};
		size_t shape = random_below(&w->seed, 6);
		buffer_text(&text, starts[shape]);
		buffer_add(&text, COMPOSE(w, json_pieces, i % 2 ? 2 : 24));
		buffer_text(&text, ends[shape]);
		struct slice body = buffer_slice(&text);
		struct json_options options = {.depth_limit = ORACLE_DEPTH_LIMIT,
					       .arguments_limit = ORACLE_ARGUMENTS_LIMIT};
		struct field_list list = field_list_make(&w->arena);
		struct slice error = slice_make("", 0);
		int outcome = json_parse(body, &options, &list, &error);
		whole += outcome == 0;
		tell_fields(&w->ours, "ARGS", &list);
		tell_text(&w->ours, "REQBODY_ERROR", outcome == 0 ? "0" : "1");
		struct buffer message = buffer_make(&w->arena);
		buffer_text(&message, outcome == 0 ? "" : "JSON parsing error: ");
		buffer_add(&message, error);
		tell(&w->ours, "REQBODY_PROCESSOR_ERROR_MSG", slice_make("", 0), buffer_slice(&message));
		struct oracle_request request = {.uri = {"/", 1}, .body = to_oracle(body), .processor = "JSON"};
		workshop_ask(w, &request, " ARGS REQBODY_ERROR REQBODY_PROCESSOR_ERROR_MSG ");
		workshop_compare(w, body);
	}
	assert_true(whole > 2000);
	workshop_close(w);
}

TEST_MAIN(cmocka_unit_test(test_arguments), cmocka_unit_test(test_cookies), cmocka_unit_test(test_uri),
	  cmocka_unit_test(test_json))
