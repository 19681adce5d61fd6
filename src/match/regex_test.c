#include "base/error.h"
#include "base/test.h"
#include "match/regex.h"
#include "match/test_cases.h"

static struct regex *compiled(const char *pattern)
{
	struct regex *regex = NULL;
	assert_int_equal(regex_compile(slice_from_string(pattern), 0, &regex, NULL), 0);
	return regex;
}

static struct regex_scratch *scratch_made(void)
{
	struct regex_scratch *scratch = NULL;
	assert_int_equal(regex_scratch_create(&scratch), 0);
	return scratch;
}

/* "none", or the groups as the case files spell them. */
static void spell(struct slice value, int r, const struct regex_span *groups, size_t count, struct buffer *out)
{
	if (r != REGEX_MATCH) {
		buffer_text(out, r == REGEX_NONE ? "none" : "limit or error");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "%s%zu=", i > 0 ? ";" : "", i);
		if (groups[i].start == REGEX_UNSET)
			buffer_byte(out, '-');
		else
			buffer_add(out, slice_sub(value, groups[i].start, groups[i].end));
	}
}

static void cases_match_as_written(void **state)
{
	(void)state;
	struct regex_scratch *scratch = scratch_made();
	struct test_cases cases = test_cases_read("src/match/regex_cases.txt");
	struct test_case c;
	size_t seen = 0;
	while (test_cases_next(&cases, &c)) {
		struct regex *regex = NULL;
		struct regex_error error;
		if (regex_compile(c.pattern, c.flags, &regex, &error) != 0)
			fail_msg("line %u: %s at %zu", c.line, error.message, error.offset);
		struct regex_span groups[8];
		size_t count = 8;
		struct slice value = test_fenced(c.value);
		int r = regex_match(regex, scratch, value, 0, NULL, groups, &count);
		struct buffer got = buffer_make(NULL);
		spell(value, r, groups, count, &got);
		if (!slice_equal(buffer_slice(&got), c.expected))
			fail_msg("line %u: got [%.*s], expected [%.*s]", c.line, SLICE_ARG(buffer_slice(&got)),
				 SLICE_ARG(c.expected));
		buffer_free(&got);
		regex_free(regex);
		seen++;
	}
	assert_true(seen > 90);
	test_cases_free(&cases);
	regex_scratch_free(scratch);
}

static void bad_patterns_say_where(void **state)
{
	(void)state;
	struct regex *regex = NULL;
	struct regex_error error;
	assert_int_equal(regex_compile(SLICE("ab(c"), 0, &regex, &error), REGEX_BAD_PATTERN);
	assert_null(regex);
	assert_int_equal(error.offset, 4);
	assert_non_null(strstr(error.message, "parenthesis"));
	assert_int_equal(regex_compile(SLICE("a**["), 0, &regex, NULL), REGEX_BAD_PATTERN);
}

static void an_empty_pattern_takes_everything(void **state)
{
	(void)state;
	struct regex_scratch *scratch = scratch_made();
	struct regex *regex = compiled("");
	struct regex_span group;
	size_t count = 1;
	assert_int_equal(regex_match(regex, scratch, SLICE("a\nb"), 0, NULL, &group, &count), REGEX_MATCH);
	assert_int_equal(group.end, 3);
	count = 1;
	assert_int_equal(regex_match(regex, scratch, slice_make(NULL, 0), 0, NULL, &group, &count), REGEX_MATCH);
	assert_int_equal(regex_match(regex, scratch, SLICE("a"), 2, NULL, &group, &count), REGEX_NONE);
	regex_free(regex);
	regex_scratch_free(scratch);
}

static void groups_beyond_the_room_are_not_told(void **state)
{
	(void)state;
	struct regex_scratch *scratch = scratch_made();
	struct regex *regex = compiled("(a)(b)(c)");
	assert_int_equal(regex_groups(regex), 4);
	struct regex_span groups[3] = {{0}, {0}, {77, 77}};
	size_t count = 2;
	assert_int_equal(regex_match(regex, scratch, SLICE("xabc"), 0, NULL, groups, &count), REGEX_MATCH);
	assert_int_equal(count, 2);
	assert_int_equal(groups[1].start, 1);
	assert_int_equal(groups[2].start, 77);
	assert_int_equal(regex_match(regex, scratch, SLICE("xabc"), 0, NULL, NULL, NULL), REGEX_MATCH);
	regex_free(regex);
	char many[3 * REGEX_GROUPS_MAX + 16] = "";
	for (int i = 0; i < REGEX_GROUPS_MAX + 3; i++)
		strcat(many, "(a)");
	regex = compiled(many);
	char value[REGEX_GROUPS_MAX + 4] = "";
	memset(value, 'a', REGEX_GROUPS_MAX + 3);
	struct regex_span all[REGEX_GROUPS_MAX + 8];
	count = REGEX_GROUPS_MAX + 8;
	assert_int_equal(regex_match(regex, scratch, slice_from_string(value), 0, NULL, all, &count), REGEX_MATCH);
	assert_int_equal(count, REGEX_GROUPS_MAX);
	regex_free(regex);
	regex_scratch_free(scratch);
}

static void a_limit_is_an_outcome(void **state)
{
	(void)state;
	struct regex_scratch *scratch = scratch_made();
	struct regex *regex = compiled("^(a+)+b?c(?<!ac)$");
	const struct regex_limits few = {.match = 1000};
	struct slice value = SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac");
	assert_int_equal(regex_match(regex, scratch, value, 0, &few, NULL, NULL), REGEX_LIMIT);
	assert_int_equal(regex_match(regex, scratch, SLICE("aaabc"), 0, NULL, NULL, NULL), REGEX_MATCH);
	regex_free(regex);
	regex_scratch_free(scratch);
}

static void repeat(uint8_t *bytes, size_t len, const char *unit)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)unit[i % strlen(unit)];
}

/* What would take PCRE2 hours, or a limit: the verdict is exact, and the match is told. */
static void regular_patterns_reach_no_limit(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *unit, *last;
		size_t start; /* of the match; SIZE_MAX: none, SIZE_MAX - 1: the last byte */
	} rows[] = {
		{"(?:a+)+$", "a", "b", SIZE_MAX},
		{"(?:a+)+$", "a", "a", 0},
		{"(?:a|aa)+c", "a", "b", SIZE_MAX},
		{"(?:x+x+)+y", "x", "y", 0},
		{"\\s*\\s*\\s*=", " ", "!", SIZE_MAX},
		{"a.*b.*c.*d", "abc", "", SIZE_MAX},
		{"[ab]*[^c]*[ab]*d|b$", "ab", "", SIZE_MAX - 1},
		{"(?:ab)*c", "ab", "c", 0}, /* under way where it began */
		/* The JIT counts a step for what scans far: at the one place too PCRE2 would take minutes. */
		{"^(?:[a\\s]*[^=]*\\s*[^=]*=)*.*", "a ", "!", 0},
	};
	enum { LEN = 50 * 1000 };
	struct regex_scratch *scratch = scratch_made();
	uint8_t *bytes = malloc(LEN + 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct regex *regex = compiled(rows[i].pattern);
		size_t len = LEN + strlen(rows[i].last), count = 1;
		struct regex_span span = {REGEX_UNSET, 0};
		repeat(bytes, LEN, rows[i].unit);
		bytes[LEN] = (uint8_t)rows[i].last[0];
		int r = regex_match(regex, scratch, slice_make(bytes, len), 0, NULL, &span, &count);
		assert_int_equal(r, rows[i].start == SIZE_MAX ? REGEX_NONE : REGEX_MATCH);
		if (r == REGEX_MATCH) {
			assert_int_equal(span.start, rows[i].start == SIZE_MAX - 1 ? len - 1 : rows[i].start);
			assert_int_equal(span.end, len);
		}
		regex_free(regex);
	}
	free(bytes);
	regex_scratch_free(scratch);
}

/* A repeated group that keeps a place to come back to for every byte: the JIT's own 32 KB would end after some hundred.
 */
static void long_values_do_not_use_up_the_stack(void **state)
{
	(void)state;
	struct regex_scratch *scratch = scratch_made();
	struct regex *regex = compiled("^(?:(a)|b|(c)|d)*$");
	size_t len = 100 * 1000;
	uint8_t *bytes = malloc(len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)('a' + i % 4);
	assert_int_equal(regex_match(regex, scratch, slice_make(bytes, len), 0, NULL, NULL, NULL), REGEX_MATCH);
	free(bytes);
	regex_free(regex);
	regex_scratch_free(scratch);
}

static void walk_all(const char *pattern, struct slice value, struct buffer *out)
{
	struct regex_scratch *scratch = scratch_made();
	struct regex *regex = compiled(pattern);
	struct regex_walk walk = {0};
	struct regex_span group;
	for (size_t steps = 0;; steps++) {
		size_t count = 1;
		assert_true(steps < 100);
		if (regex_next(regex, scratch, value, &walk, NULL, &group, &count) != REGEX_MATCH)
			break;
		buffer_printf(out, "%zu-%zu ", group.start, group.end);
	}
	size_t count = 1;
	assert_int_equal(regex_next(regex, scratch, value, &walk, NULL, &group, &count), REGEX_NONE);
	regex_free(regex);
	regex_scratch_free(scratch);
}

static void walks_end_and_miss_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *value, *expected;
	} rows[] = {
		{"a", "banana", "1-2 3-4 5-6 "},
		{"a*", "baac", "0-0 1-3 3-3 4-4 "},
		{"", "ab", "0-2 2-2 "},
		{"\\b", "ab cd", "0-0 2-2 3-3 5-5 "},
		{"(?<=a)", "aa", "1-1 2-2 "},
		{"x", "", ""},
		{"$", "", "0-0 "},
		{"a\\K", "aab", "1-1 2-2 "},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = buffer_make(NULL);
		walk_all(rows[i].pattern, slice_from_string(rows[i].value), &out);
		buffer_byte(&out, 0);
		assert_string_equal((char *)out.ptr, rows[i].expected);
		buffer_free(&out);
	}
}

static void the_cache_keeps_the_recent(void **state)
{
	(void)state;
	struct regex_cache *cache = NULL;
	assert_int_equal(regex_cache_create(2, &cache), 0);
	const struct regex *a, *b, *again;
	assert_int_equal(regex_cache_get(cache, SLICE("a"), 0, &a), 0);
	assert_int_equal(regex_cache_get(cache, SLICE("b"), 0, &b), 0);
	assert_int_equal(regex_cache_get(cache, SLICE("a"), 0, &again), 0);
	assert_ptr_equal(a, again);
	assert_int_equal(regex_cache_get(cache, SLICE("a"), REGEX_CASELESS, &b), 0);
	assert_ptr_not_equal(a, b);
	assert_int_equal(regex_cache_get(cache, SLICE("a"), 0, &again), 0);
	assert_ptr_equal(a, again);
	assert_int_equal(regex_cache_get(cache, SLICE("("), 0, &b), REGEX_BAD_PATTERN);
	assert_int_equal(regex_cache_get(cache, slice_make(NULL, 0), 0, &b), 0);
	regex_cache_free(cache);
	assert_int_equal(regex_cache_create(0, &cache), -EINVAL);
}

TEST_MAIN(cmocka_unit_test(cases_match_as_written), cmocka_unit_test(bad_patterns_say_where),
	  cmocka_unit_test(an_empty_pattern_takes_everything), cmocka_unit_test(groups_beyond_the_room_are_not_told),
	  cmocka_unit_test(a_limit_is_an_outcome), cmocka_unit_test(regular_patterns_reach_no_limit),
	  cmocka_unit_test(long_values_do_not_use_up_the_stack), cmocka_unit_test(walks_end_and_miss_nothing),
	  cmocka_unit_test(the_cache_keeps_the_recent))
