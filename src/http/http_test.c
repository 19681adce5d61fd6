/* The line-shaped parsers: arguments, cookies, URIs; and what happens to each without memory. */
#include "http/arguments.h"
#include "http/cookies.h"
#include "http/test_cases.h"
#include "http/uri.h"

#include <errno.h>

static void render_arguments(struct slice input, struct arena *arena, struct buffer *out)
{
	struct arguments_options options = arguments_defaults();
	options.limit = 5;
	struct field_list list = field_list_make(arena);
	struct arguments_facts facts;
	assert_int_equal(arguments_parse(input, &options, &list, &facts), 0);
	test_render_fields(out, &list);
	buffer_text(out, facts.invalid_encoding ? " invalid" : "");
	buffer_text(out, facts.limit_reached ? " limit" : "");
}

static void test_arguments_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/arguments.txt", render_arguments);
}

static void test_arguments_options(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct field_list list = field_list_make(&arena);
	struct arguments_options options = {.separator = ';', .limit = SIZE_MAX, .base_offset = 100};
	struct arguments_facts facts;
	assert_int_equal(arguments_parse(SLICE("a=1&2;%62b=3"), &options, &list, &facts), 0);
	assert_int_equal(list.count, 2);
	assert_slice(list.items[0].value, "1&2");
	assert_slice(list.items[1].name, "bb");
	assert_int_equal(list.items[1].name_offset, 106);
	assert_int_equal(list.items[1].value_offset, 111);
	assert_ptr_equal(field_list_find(&list, SLICE("BB")), &list.items[1]);
	assert_null(field_list_find(&list, SLICE("c")));
	arena_destroy(&arena);
}

static void render_cookies(struct slice input, struct arena *arena, struct buffer *out)
{
	struct field_list list = field_list_make(arena);
	assert_int_equal(cookies_parse(input, &list), 0);
	test_render_fields(out, &list);
	for (size_t i = 0; i < list.count; i++) {
		assert_ptr_equal(list.items[i].name.ptr, input.ptr + list.items[i].name_offset);
		assert_ptr_equal(list.items[i].value.ptr, input.ptr + list.items[i].value_offset);
	}
}

static void test_cookies_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/cookies.txt", render_cookies);
}

static void render_uri(struct slice input, struct arena *arena, struct buffer *out)
{
	struct uri uri;
	assert_int_equal(uri_parse(input, arena, &uri), 0);
	const struct slice parts[] = {uri.uri, uri.filename, uri.basename, uri.query};
	for (size_t i = 0; i < 4; i++) {
		buffer_text(out, i == 0 ? "" : " | ");
		test_escape(out, parts[i]);
	}
	buffer_text(out, uri.has_query ? "" : " no query");
	assert_true(slice_equal(uri.query, slice_sub(input, uri.query_offset, uri.query_offset + uri.query.len)));
	assert_true(slice_equal(uri.raw, input));
}

static void test_uri_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/uri.txt", render_uri);
}

/* A cap too small for what must be copied or kept is -ENOMEM and nothing else. */
static void test_no_memory(void **state)
{
	(void)state;
	struct arguments_options options = arguments_defaults();
	struct arguments_facts facts = {.limit_reached = true};
	struct uri uri = {.query_offset = 7};
	for (size_t cap = 0; cap < 512; cap += 16) {
		struct arena arena;
		arena_init(&arena, cap, 0);
		struct field_list list = field_list_make(&arena);
		assert_int_equal(arguments_parse(SLICE("%61=%62&c=d"), &options, &list, &facts), -ENOMEM);
		assert_true(facts.limit_reached);
		assert_int_equal(list.count, 0);
		arena_reset(&arena);
		list = field_list_make(&arena);
		assert_int_equal(cookies_parse(SLICE("a=b"), &list), -ENOMEM);
		arena_reset(&arena);
		assert_int_equal(uri_parse(SLICE("/%61?%62"), &arena, &uri), cap < 32 ? -ENOMEM : 0);
		assert_int_equal(uri.query_offset, cap < 32 ? 7 : 5);
		arena_destroy(&arena);
	}
}

TEST_MAIN(cmocka_unit_test(test_arguments_cases), cmocka_unit_test(test_arguments_options),
	  cmocka_unit_test(test_cookies_cases), cmocka_unit_test(test_uri_cases), cmocka_unit_test(test_no_memory))
