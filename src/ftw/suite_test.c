#include "ftw/suite.h"

#include "base/error.h"
#include "base/test.h"
#include "ftw/check.h"
#include "ftw/exchange.h"
#include "ftw/overrides.h"
#include "ftw/template.h"
#include "ftw/wire.h"

struct world {
	struct arena arena;
	struct diagnostics diagnostics;
	char path[64];
};

static void world_make(struct world *w, const char *text)
{
	arena_init(&w->arena, 8 << 20, 0);
	diagnostics_init(&w->diagnostics);
	strcpy(w->path, "/tmp/guia-suite-XXXXXX");
	int fd = mkstemp(w->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void world_end(struct world *w)
{
	unlink(w->path);
	arena_destroy(&w->arena);
	diagnostics_destroy(&w->diagnostics);
}

static void both_schemas_say_the_same(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"meta: {enabled: true}\nrule_id: 920100\ntests:\n  - test_id: 3\n    stages:\n      - input:\n"
		"          headers: {Host: localhost}\n          data: 'a=b c'\n          method: POST\n"
		"        output: {status: 403, log: {expect_ids: [920100]}}\n",
		"meta: {enabled: true}\ntests:\n  - test_title: 920100-3\n    stages:\n      - stage:\n          "
		"input:\n"
		"            headers: {Host: localhost}\n            data: ['a=b c']\n            method: POST\n"
		"          output: {status: [403], log_contains: 'id \"920100\"'}\n",
	};
	for (size_t i = 0; i < 2; i++) {
		struct world w;
		world_make(&w, texts[i]);
		struct ftw_suite suite;
		assert_int_equal(ftw_suite_load(w.path, &w.arena, &w.diagnostics, &suite), 0);
		assert_int_equal(suite.test_count, 1);
		assert_string_equal(suite.tests->id, "920100-3");
		struct slice wire;
		assert_int_equal(ftw_wire_request(&suite.tests->stages->input, SLICE(""), &w.arena, &wire), 0);
		assert_slice(wire, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
				   "application/x-www-form-urlencoded\r\nConnection: close\r\n"
				   "Content-Length: 5\r\n\r\na=b+c");
		struct buffer why = buffer_make(&w.arena);
		struct ftw_seen seen = {.status = 403, .log = SLICE("x [id \"920100\"] y\n")};
		assert_int_equal(ftw_check(&suite.tests->stages->output, &seen, &why), 0);
		seen.log = SLICE("x [id \"920101\"] y\n");
		assert_int_equal(ftw_check(&suite.tests->stages->output, &seen, &why), FTW_UNEXPECTED);
		assert_true(slice_find(buffer_slice(&why), SLICE("920101"), 0) < why.len);
		seen = (struct ftw_seen){.status = 200, .log = SLICE("[id \"920100\"]\n")};
		assert_int_equal(ftw_check(&suite.tests->stages->output, &seen, &why), FTW_UNEXPECTED);
		world_end(&w);
	}
}

static void what_is_written_wrong_is_told_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{"a: 1\n", 1},
		{"tests:\n  - test_id: 1\n    stages: []\n", 2},
		{"rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {method: [x]}\n        output: {}\n",
		 5},
		{"rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {}\n        output: {status: x}\n",
		 6},
		{"rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {}\n", 5},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;
		world_make(&w, cases[i].text);
		struct ftw_suite suite;
		assert_int_equal(ftw_suite_load(w.path, &w.arena, &w.diagnostics, &suite), FTW_INVALID);
		assert_int_equal(w.diagnostics.first->line, cases[i].line);
		world_end(&w);
	}
}

static void an_override_says_what_will_do_as_well(void **state)
{
	(void)state;
	struct world w;
	world_make(&w, "rule_id: 7\ntests:\n  - test_id: 1\n    stages:\n      - input: {}\n        output: {log: "
		       "{expect_ids: [7]}}\n"
		       "test_overrides:\n  - {rule_id: 7, test_ids: [1], reason: refused, output: {status: 400}}\n");
	struct ftw_suite suite;
	struct ftw_overrides overrides = {.arena = &w.arena};
	assert_int_equal(ftw_suite_load(w.path, &w.arena, &w.diagnostics, &suite), 0);
	assert_int_equal(ftw_overrides_load(w.path, &w.diagnostics, &overrides), 0);
	assert_int_equal(ftw_overrides_apply(&overrides, &w.arena, &suite), 0);
	const struct ftw_output *output = suite.tests->stages->override;
	assert_int_equal(suite.tests->stages->output.expect_ids.count, 1);
	assert_int_equal(output->expect_ids.count, 0);
	assert_int_equal(output->statuses.items[0], 400);
	free(overrides.items);
	world_end(&w);
}

/* One that is misspelt, or says nothing, would make a test that cannot fail. */
static void an_override_that_expects_nothing_is_refused(void **state)
{
	(void)state;
	static const char *const outputs[] = {"{statuss: 400}", "{log: {expekt_ids: [7]}}", "{}", "400", "{log: 7}",
					      "{status: x}"};
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		char text[200];
		struct world w;
		snprintf(text, sizeof(text),
			 "test_overrides:\n  - rule_id: 7\n    test_ids: [1]\n    reason: refused\n    output: %s\n",
			 outputs[i]);
		world_make(&w, text);
		struct ftw_overrides overrides = {.arena = &w.arena};
		assert_int_equal(ftw_overrides_load(w.path, &w.diagnostics, &overrides), FTW_INVALID);
		assert_int_equal(w.diagnostics.first->line, 5);
		free(overrides.items);
		world_end(&w);
	}
}

/* No memory is no fault of what was written. */
static void an_override_for_which_there_is_no_memory_is_not_complained_of(void **state)
{
	(void)state;
	const char *text = "test_overrides:\n  - {rule_id: 7, test_ids: [1], reason: r, output: {status: [400]}}\n";
	int r = -ENOMEM;
	for (size_t limit = 1024; r != 0; limit += 16) {
		struct world w;
		world_make(&w, text);
		arena_destroy(&w.arena);
		arena_init(&w.arena, limit, 0);
		struct ftw_overrides overrides = {.arena = &w.arena};
		r = ftw_overrides_load(w.path, &w.diagnostics, &overrides);
		assert_true(r == 0 || r == -ENOMEM);
		assert_null(w.diagnostics.first);
		free(overrides.items);
		world_end(&w);
	}
}

static void a_pattern_that_cannot_be_decided_is_no_pass(void **state)
{
	(void)state;
	struct world w;
	world_make(&w, "");
	struct buffer why = buffer_make(&w.arena);
	struct ftw_output output = {.no_match_regex = SLICE("^(a+)+(?!b)$")};
	struct ftw_seen seen = {.status = 200, .log = SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n")};
	assert_int_equal(ftw_check(&output, &seen, &why), FTW_INVALID);
	assert_true(slice_find(buffer_slice(&why), SLICE("too many steps"), 0) < why.len);
	world_end(&w);
}

static void data_becomes_bytes(void **state)
{
	(void)state;
	struct world w;
	world_make(&w, "");
	struct slice out;
	assert_int_equal(ftw_template_expand(SLICE("a{{ \"xy\" | repeat 3 }}b{{c}}"), &w.arena, &out), 0);
	assert_slice(out, "axyxyxyb{{c}}");
	assert_int_equal(ftw_base64(SLICE("R0VUIC8N\nCg=="), &w.arena, &out), 0);
	assert_slice(out, "GET /\r\n");
	assert_int_equal(ftw_base64(SLICE("a*b"), &w.arena, &out), FTW_INVALID);
	struct ftw_input input = {.method = SLICE("PUT"),
				  .uri = SLICE("/"),
				  .version = SLICE("HTTP/1.0"),
				  .headers = field_list_make(&w.arena),
				  .data = SLICE("--x\n\r\n")};
	assert_int_equal(field_list_add(&input.headers, (struct field){.name = SLICE("Content-Type"),
								       .value = SLICE("multipart/form-data; b=x")}),
			 0);
	assert_int_equal(ftw_wire_request(&input, SLICE(""), &w.arena, &out), 0);
	assert_slice(out, "PUT / HTTP/1.0\r\nContent-Type: multipart/form-data; b=x\r\n\r\n--x\r\n\r\n");
	world_end(&w);
}

static void the_origin_reflects(void **state)
{
	(void)state;
	struct world w;
	world_make(&w, "");
	struct ftw_answer answer;
	struct slice body = SLICE("{\"status\":503,\"headers\":{\"X-A\":\"b\"},\"encodedBody\":\"aGk=\"}");
	assert_int_equal(ftw_origin_answer(SLICE("POST"), SLICE("/reflect"), body, &w.arena, &answer), 0);
	assert_int_equal(answer.status, 503);
	assert_slice(answer.body, "hi");
	assert_slice(field_list_find(&answer.headers, SLICE("x-a"))->value, "b");
	assert_int_equal(ftw_origin_answer(SLICE("POST"), SLICE("/reflect"), SLICE("{"), &w.arena, &answer), 0);
	assert_int_equal(answer.status, 400);
	assert_int_equal(ftw_origin_answer(SLICE("GET"), SLICE("/reflect"), body, &w.arena, &answer), 0);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.len, 0);
	world_end(&w);
}

static void a_refused_request_is_still_read(void **state)
{
	(void)state;
	struct world w;
	world_make(&w, "");
	struct request request;
	struct slice wire =
		SLICE("GET /a b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n"
		      "3\r\nabc\r\n0\r\n\r\n");
	assert_int_equal(exchange_read_leniently(test_fenced(wire), &w.arena, &request), 0);
	assert_slice(request.unparsed_uri, "/a b?c=d");
	assert_slice(request.uri, "/a b");
	assert_slice(request.protocol, "HTTP/1.1");
	assert_int_equal(request.headers.count, 3);
	assert_slice(request.body, "abc");
	assert_int_equal(exchange_read_leniently(test_fenced(SLICE("\n")), &w.arena, &request), 0);
	assert_int_equal(request.headers.count, 0);
	world_end(&w);
}

TEST_MAIN(cmocka_unit_test(both_schemas_say_the_same), cmocka_unit_test(what_is_written_wrong_is_told_with_its_place),
	  cmocka_unit_test(an_override_says_what_will_do_as_well),
	  cmocka_unit_test(an_override_that_expects_nothing_is_refused),
	  cmocka_unit_test(an_override_for_which_there_is_no_memory_is_not_complained_of),
	  cmocka_unit_test(a_pattern_that_cannot_be_decided_is_no_pass), cmocka_unit_test(data_becomes_bytes),
	  cmocka_unit_test(the_origin_reflects), cmocka_unit_test(a_refused_request_is_still_read))
