#include "match/pattern_factor.h"

#include "base/test_cases.h"
#include "match/regex.h"
#include "match/test_generate.h"
#include "match/test_rules.h"

static void render(struct slice source, struct buffer *out)
{
	struct pattern pattern;
	struct pattern_factors factors, second;
	struct pattern_reaches reaches;
	assert_int_equal(pattern_parse(source, 0, &pattern), 0);
	assert_int_equal(pattern_factors_find(&pattern, 3, &factors, &second, &reaches), 0);
	for (size_t i = 0; i < factors.count; i++) {
		buffer_text(out, i > 0 ? " " : "");
		buffer_add(out, slice_make(factors.items[i].bytes, factors.items[i].len));
	}
	if (factors.items == NULL)
		buffer_text(out, "none");
	for (size_t i = 0; i < second.count; i++) {
		buffer_text(out, i > 0 ? " " : " & ");
		buffer_add(out, slice_make(second.items[i].bytes, second.items[i].len));
	}
	pattern_factors_free(&factors);
	pattern_factors_free(&second);
	pattern_free(&pattern);
}

static void cases_come_out(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/match/pattern_factor_cases.txt"); test_cases_next(&cases, &test);) {
		struct buffer out = buffer_make(NULL);
		render(test.column[0], &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[1]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
}

/* The ways of the factors that a match holds. */
static uint64_t ways_in(const struct pattern_factors *factors, struct slice match)
{
	uint64_t ways = 0;
	for (size_t i = 0; i < factors->count; i++) {
		struct slice text = slice_make(factors->items[i].bytes, factors->items[i].len);
		ways |= slice_find_nocase(match, text, 0) < match.len ? factors->items[i].ways : 0;
	}
	return ways;
}

/* Whether a match begins no farther before some factor than is told of it. */
static bool is_in_reach(const struct pattern_factors *factors, const struct pattern_reaches *reaches,
			struct slice match)
{
	for (size_t i = 0; i < factors->count; i++) {
		struct pattern_span reach = pattern_reach(reaches, factors->items[i].ways);
		size_t at = slice_find_nocase(match, slice_make(factors->items[i].bytes, factors->items[i].len), 0);
		size_t others = 0;
		for (size_t k = 0; k < at; k++)
			others += !pattern_set_has(&reach.loops, match.ptr[k]);
		if (at < match.len && others <= reach.bytes)
			return true;
	}
	return false;
}

static void check_match(struct slice source, const struct pattern_factors *factors,
			const struct pattern_factors *second, const struct pattern_reaches *reaches, struct slice match)
{
	uint64_t ways = ways_in(factors, match);
	if (!is_in_reach(factors, reaches, match) || (second->count > 0 && (ways & ways_in(second, match)) == 0))
		fail_msg("[%.*s] matches [%.*s]", SLICE_ARG(source), SLICE_ARG(match));
}

static size_t check_pattern(struct slice source, const struct pattern *pattern, struct regex_scratch *scratch)
{
	static struct test_text text;
	struct test_random random = {source.len};
	struct pattern_factors factors, second;
	struct pattern_reaches reaches;
	struct regex *regex;
	size_t matches = 0;
	assert_int_equal(pattern_factors_find(pattern, 3, &factors, &second, &reaches), 0);
	assert_int_equal(regex_compile(source, 0, &regex, NULL), 0);
	for (int round = 0; factors.count > 0 && round < 60; round++) {
		const struct regex_limits limits = {.match = 50 * 1000};
		struct regex_span group;
		size_t count = 1;
		test_generate(&random, pattern, source, &text);
		struct slice value = slice_make(text.bytes, text.len);
		if (regex_match(regex, scratch, value, 0, &limits, &group, &count) != REGEX_MATCH)
			continue;
		check_match(source, &factors, &second, &reaches, slice_sub(value, group.start, group.end));
		matches++;
	}
	regex_free(regex);
	pattern_factors_free(&factors);
	pattern_factors_free(&second);
	return matches;
}

static void matches_hold_what_is_told(void **state)
{
	(void)state;
	static struct test_rules rules;
	static const char *const sources[] = {"warning.*ingres_|ingres sqlstate|ingres[^a].*driver",
					      "\\b(?:at[ \\n]+(?:org|com)|java[.a-z]+error)\\b",
					      "(?i:x+abcd.{2,9}|[^>]{0,400}efgh)ij", "a(?:bcde|xbcdey)+[0-9]*fgh"};
	struct regex_scratch *scratch;
	struct pattern pattern;
	size_t matches = 0;
	assert_int_equal(regex_scratch_create(&scratch), 0);
	test_rules_find(&rules);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		rules.patterns[rules.count++] = slice_from_string(sources[i]);
	for (size_t i = 0; i < rules.count; i++) {
		if (pattern_parse(rules.patterns[i], 0, &pattern) != 0)
			continue;
		matches += check_pattern(rules.patterns[i], &pattern, scratch);
		pattern_free(&pattern);
	}
	printf("# %zu matches of %zu patterns\n", matches, rules.count);
	assert_true(matches > rules.count * 4);
	regex_scratch_free(scratch);
}

TEST_MAIN(cmocka_unit_test(cases_come_out), cmocka_unit_test(matches_hold_what_is_told))
