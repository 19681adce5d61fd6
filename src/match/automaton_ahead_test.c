/* Places of matches in long values, of which pieces are gone over side by side, against PCRE2 alone. */
#include "base/test.h"
#include "match/regex.h"
#include "match/test_generate.h"

enum { ROUNDS = 8000, BYTES_MOST = 12000 };

/* Some end far behind their beginning, some are under way for long and end nowhere. */
static const char *const patterns[] = {"(?:time .*|\\n)\\s*[\"']*(?:who|ab+a|ca[^.]t)\\b",
				       "ab.*\\b",
				       "a[^b]*b",
				       "\\bwho\\b.*?\\bcat",
				       "(?:a|c)(?:b.*|.*t)",
				       "x(?:[a-z.]*;)*",
				       "who(?:[^;]*;)?(?:[^,]*,)?$",
				       "^.*cat.*",
				       "t[^x]*x|who[^;]*t",
				       "(?:\\.\\.){3,}a?;[^\\n]*",
				       "ab(?:.*\\n|.*who)?;?",
				       "time.{900}"};

static const char *const words[] = {"time ", "who", "\n", "abba", "ab", "cat", ";", ",", "x", "\"", "ca", "........"};

/* Plain bytes with words among them; few, so that a match may go on for long. */
static size_t make_value(struct test_random *random, uint8_t *bytes)
{
	size_t len = 0, most = test_random_below(random, BYTES_MOST - 20);
	uint32_t plain = 1 + test_random_below(random, 500);
	uint32_t first = test_random_below(random, 12), kinds = 1 + test_random_below(random, 12);
	while (len < most) {
		uint32_t word = first + test_random_below(random, kinds);
		const char *text = test_random_below(random, plain) != 0 ? "." : words[word % 12];
		memcpy(bytes + len, text, strlen(text));
		len += strlen(text);
	}
	return len;
}

static void places_in_long_values_agree_with_pcre2(void **state)
{
	(void)state;
	enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };
	static const struct regex_limits limits = {.match = UINT32_MAX};
	struct regex *regexes[PATTERNS];
	struct regex_scratch *automata, *alone;
	struct test_random random = {5};
	static uint8_t bytes[BYTES_MOST];
	size_t found = 0, far = 0;
	assert_int_equal(regex_scratch_create(&automata), 0);
	assert_int_equal(regex_scratch_create(&alone), 0);
	regex_scratch_rely_on_pcre2(alone);
	for (size_t i = 0; i < PATTERNS; i++)
		assert_int_equal(regex_compile(slice_from_string(patterns[i]), 0, &regexes[i], NULL), 0);
	for (int round = 0; round < ROUNDS; round++) {
		size_t i = test_random_below(&random, PATTERNS), count = 1, expected_count = 1;
		struct slice value = slice_make(bytes, make_value(&random, bytes));
		struct regex_span span = {0, 0}, expected = {0, 0};
		int r = regex_match(regexes[i], alone, value, 0, &limits, &expected, &expected_count);
		if (r == REGEX_LIMIT)
			continue;
		assert_int_equal(regex_match(regexes[i], automata, value, 0, NULL, &span, &count), r);
		if (r == REGEX_MATCH && (span.start != expected.start || span.end != expected.end))
			fail_msg("%s: %zu to %zu, not %zu to %zu, of %zu", patterns[i], span.start, span.end,
				 expected.start, expected.end, value.len);
		found += r == REGEX_MATCH;
		far += r == REGEX_MATCH && (span.start > 2000 || span.end > span.start + 2000);
	}
	for (size_t i = 0; i < PATTERNS; i++)
		regex_free(regexes[i]);
	regex_scratch_free(automata);
	regex_scratch_free(alone);
	printf("# %zu matches, %zu of them far\n", found, far);
	assert_true(found > ROUNDS / 4 && far > ROUNDS / 20);
}

TEST_MAIN(cmocka_unit_test(places_in_long_values_agree_with_pcre2))
