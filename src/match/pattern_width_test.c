/* What is told of a pattern's matches, against PCRE2 on values of all kinds. */
#include "base/test.h"
#include "match/pattern_width.h"
#include "match/regex.h"
#include "match/test_generate.h"

enum { ROUNDS = 2000, BYTES_MOST = 6 };

static const struct {
	const char *text;
	bool certain;
} patterns[] = {
	{"", true},         {".*", true},         {"^.*$", true},         {"^(.*)$", true}, {"^(?:x|.*)$", true},
	{"\\A.*\\z", true}, {"x?", true},         {"^x*", true},          {"^", true},      {"(?-s)^.*$", false},
	{"^.+$", false},    {"^x*$", false},      {"$^", false},          {".*^", false},   {"^.*\\b", false},
	{"^.*x", false},    {"^.{0,99}$", false}, {"^(?:.*|x)y$", false}, {"\\b", false},   {"(?=x)", false},
};

static bool is_certain(const char *text)
{
	struct pattern pattern;
	if (pattern_parse(slice_from_string(text), 0, &pattern) != 0)
		return false;
	bool certain = pattern_is_certain(&pattern);
	pattern_free(&pattern);
	return certain;
}

static void expect_matches(const char *text, struct regex_scratch *scratch, struct test_random *random)
{
	static const uint8_t bytes[] = {'x', 'y', '\n', '\r', 0, 0xff};
	struct regex *regex;
	assert_int_equal(regex_compile(slice_from_string(text), 0, &regex, NULL), 0);
	for (size_t round = 0; round < ROUNDS; round++) {
		uint8_t value[BYTES_MOST];
		size_t len = test_random_below(random, BYTES_MOST + 1);
		for (size_t i = 0; i < len; i++)
			value[i] = bytes[test_random_below(random, sizeof(bytes))];
		assert_int_equal(regex_match(regex, scratch, slice_make(value, len), 0, NULL, NULL, NULL), REGEX_MATCH);
	}
	regex_free(regex);
}

static void what_is_certain_matches_whatever_the_value(void **state)
{
	(void)state;
	struct test_random random = {1};
	struct regex_scratch *scratch;
	assert_int_equal(regex_scratch_create(&scratch), 0);
	regex_scratch_rely_on_pcre2(scratch);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (is_certain(patterns[i].text) != patterns[i].certain)
			fail_msg("%s", patterns[i].text);
		if (patterns[i].certain)
			expect_matches(patterns[i].text, scratch, &random);
	}
	regex_scratch_free(scratch);
}

static const struct {
	const char *text;
	bool needs;
} dotted[] = {
	{"\\.\\.", true},          {"a?\\.{2,3}", true},     {"(?:^|[\\\\/])\\.\\.(?:[\\\\/]|$)", true},
	{"\\.\\.|/\\.+\\.", true}, {"(?:a|/)*\\.\\.", true}, {"\\.+/", false},
	{"\\.\\.|a", false},       {"\\.[./]", false},       {"(?:\\.\\.)?/", false},
	{"\\.a*\\.", false},
};

static void expect_dots(const char *text, bool needs, struct regex_scratch *scratch, struct test_random *random)
{
	struct regex *regex;
	size_t matches = 0, without = 0;
	assert_int_equal(regex_compile(slice_from_string(text), 0, &regex, NULL), 0);
	for (size_t round = 0; round < ROUNDS; round++) {
		uint8_t bytes[BYTES_MOST];
		size_t len = test_random_below(random, BYTES_MOST + 1);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t) "..a/"[test_random_below(random, 4)];
		struct slice value = slice_make(bytes, len);
		bool match = regex_match(regex, scratch, value, 0, NULL, NULL, NULL) == REGEX_MATCH;
		matches += match;
		without += match && slice_find(value, SLICE(".."), 0) == len;
	}
	assert_true(matches > 0 && (without == 0) == needs);
	regex_free(regex);
}

static void two_dots_are_told_where_every_match_has_them(void **state)
{
	(void)state;
	struct test_random random = {2};
	struct regex_scratch *scratch;
	assert_int_equal(regex_scratch_create(&scratch), 0);
	regex_scratch_rely_on_pcre2(scratch);
	for (size_t i = 0; i < sizeof(dotted) / sizeof(dotted[0]); i++) {
		struct pattern pattern;
		assert_int_equal(pattern_parse(slice_from_string(dotted[i].text), 0, &pattern), 0);
		if (pattern_needs_twice(&pattern, '.') != dotted[i].needs)
			fail_msg("%s", dotted[i].text);
		pattern_free(&pattern);
		expect_dots(dotted[i].text, dotted[i].needs, scratch, &random);
	}
	regex_scratch_free(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_certain_matches_whatever_the_value),
		cmocka_unit_test(two_dots_are_told_where_every_match_has_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
