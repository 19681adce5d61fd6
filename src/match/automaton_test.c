#include "match/automaton.h"
#include "base/test.h"
#include "match/regex.h"
#include "match/test_cases.h"
#include "match/test_generate.h"

static struct regex_scratch *regex_scratch;

static int make_scratch(void **state)
{
	(void)state;
	return regex_scratch_create(&regex_scratch);
}

static int free_scratch(void **state)
{
	(void)state;
	regex_scratch_free(regex_scratch);
	return 0;
}

static uint64_t run(const struct automaton *a, struct automaton_cache *cache, struct slice value)
{
	struct automaton_run one = {.automaton = a, .cache = cache};
	automaton_run(&one, 1, value);
	uint64_t found = automaton_simulate(a, cache, value, false);
	assert_true(one.busy ? (one.found & ~found) == 0 : one.found == found);
	return found;
}

struct built {
	struct automaton *automaton;
	struct automaton_cache *cache;
};

static struct built build(struct automaton_builder *builder)
{
	struct built b;
	assert_int_equal(automaton_build(builder, &b.automaton), 0);
	assert_int_equal(automaton_cache_create(b.automaton, &b.cache), 0);
	automaton_builder_free(builder);
	return b;
}

static void built_free(struct built *b)
{
	automaton_cache_free(b->cache);
	automaton_free(b->automaton);
}

static struct automaton_builder *builder_made(void)
{
	struct automaton_builder *builder = NULL;
	assert_int_equal(automaton_builder_create(false, &builder), 0);
	return builder;
}

static void cases_match_as_written(void **state)
{
	(void)state;
	struct test_cases cases = test_cases_read("src/match/regex_cases.txt");
	struct test_case c;
	size_t fit = 0;
	while (test_cases_next(&cases, &c)) {
		struct automaton_builder *builder = builder_made();
		if (automaton_builder_add(builder, c.pattern, c.flags) != 0) {
			automaton_builder_free(builder);
			continue;
		}
		struct built b = build(builder);
		bool matches = run(b.automaton, b.cache, test_fenced(c.value)) != 0;
		if (matches == slice_equal(c.expected, SLICE("none")))
			fail_msg("line %u: %d", c.line, matches);
		built_free(&b);
		fit++;
	}
	assert_true(fit > 75);
	test_cases_free(&cases);
}

static void random_pattern(struct test_random *r, struct test_text *out)
{
	static const char *const atoms[] = {"a",      "b",    "[^a]", ".",    "\\s",  "\\w", "\\b",  "^",   "$",
					    "[ab]",   "\n",   "\\W",  "(a|",  "(b",   ")",   "*",    "+",   "?",
					    "|",      "{2}",  "_",    "\\B",  "(?i:", "A",   "\\z",  "\\A", "{1,3}",
					    "(?s-m:", "(?:|", "\\n?", "(?U:", "*+",   "++",  "\\s*+"};
	out->len = 0;
	for (uint32_t n = 1 + test_random_below(r, 9); n > 0; n--)
		for (const char *atom = atoms[test_random_below(r, sizeof(atoms) / sizeof(atoms[0]))]; *atom != 0;
		     atom++)
			test_text_add(out, (uint8_t)*atom);
}

static void random_value(struct test_random *r, struct test_text *out)
{
	static const uint8_t alphabet[] = "aabbAB_ \n\n.\xff";
	out->len = 0;
	for (uint32_t n = test_random_below(r, 12); n > 0; n--)
		test_text_add(out, alphabet[test_random_below(r, sizeof(alphabet) - 1)]);
}

/* Runs of few bytes, so that matches are under way over many. */
static void random_long_value(struct test_random *r, struct test_text *out)
{
	static const uint8_t alphabet[] = "abA_ \n";
	out->len = 0;
	for (uint32_t n = test_random_below(r, 12); n > 0; n--) {
		uint8_t one = alphabet[test_random_below(r, 6)], other = alphabet[test_random_below(r, 6)];
		for (uint32_t k = test_random_below(r, 40); k > 0; k--)
			test_text_add(out, test_random_below(r, 4) == 0 ? other : one);
	}
}

enum { TOGETHER = 5 };

/*
 * Several patterns at once, so that each must keep out of the others' way. PCRE2 interprets: the JIT of 10.42 misses
 * matches of [ab](a|)A*\wA, for one, which its interpreter finds.
 */
static void random_patterns_agree_with_the_regex(void **state)
{
	(void)state;
	struct test_random random = {11};
	struct test_text *text = malloc(sizeof(*text));
	size_t matches = 0, misses = 0;
	for (int round = 0; round < 800; round++) {
		struct automaton_builder *builder = builder_made();
		struct regex *regexes[TOGETHER];
		char sources[TOGETHER][128];
		size_t count = 0;
		while (count < TOGETHER) {
			random_pattern(&random, text);
			struct slice source = slice_make(text->bytes, text->len);
			snprintf(sources[count], sizeof(sources[count]), "(*NO_JIT)%.*s", SLICE_ARG(source));
			if (regex_compile(slice_from_string(sources[count]), 0, &regexes[count], NULL) != 0)
				continue;
			if (automaton_builder_add(builder, source, 0) == 0)
				count++;
			else
				regex_free(regexes[count]);
		}
		struct built b = build(builder);
		for (int v = 0; v < 30; v++) {
			random_value(&random, text);
			struct slice value = slice_make(text->bytes, text->len);
			uint64_t found = run(b.automaton, b.cache, value);
			for (size_t i = 0; i < count; i++) {
				int r = regex_match(regexes[i], regex_scratch, value, 0, NULL, NULL, NULL);
				if ((found >> i & 1) != (uint64_t)r)
					fail_msg("[%s] on [%.*s] (%zu): regex %d", sources[i], SLICE_ARG(value),
						 value.len, r);
				matches += r == REGEX_MATCH;
				misses += r == REGEX_NONE;
			}
		}
		built_free(&b);
		for (size_t i = 0; i < count; i++)
			regex_free(regexes[i]);
	}
	free(text);
	assert_true(matches > 20000 && misses > 20000);
}

/* One pattern needs 2^17 states: more than the cache holds. What it forgets it must find again. */
static void a_full_cache_begins_anew(void **state)
{
	(void)state;
	static const char source[] = "a[ab]{16}c$";
	enum { LEN = 100 * 1000 };
	struct automaton_builder *builder = builder_made();
	assert_int_equal(automaton_builder_add(builder, slice_from_string(source), 0), 0);
	struct built b = build(builder);
	struct regex *regex = NULL;
	assert_int_equal(regex_compile(slice_from_string(source), 0, &regex, NULL), 0);
	struct test_random random = {3};
	uint8_t *bytes = malloc(LEN);
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (uint8_t)('a' + test_random_below(&random, 2));
	for (size_t end = LEN - 12; end < LEN; end++) {
		uint8_t kept = bytes[end];
		bytes[end] = 'c';
		struct slice value = slice_make(bytes, end + 1);
		int r = regex_match(regex, regex_scratch, slice_make(bytes + LEN - 100, end + 1 - (LEN - 100)), 0, NULL,
				    NULL, NULL);
		assert_int_equal(run(b.automaton, b.cache, value), r);
		bytes[end] = kept;
	}
	assert_true(automaton_cache_facts(b.cache).emptied > 0);
	free(bytes);
	regex_free(regex);
	built_free(&b);
}

/* Values that need ever new states are refused once the credit is used up; known ones go on, and credit is earned. */
static void a_bounded_run_makes_few_states(void **state)
{
	(void)state;
	struct automaton_builder *builder = builder_made();
	assert_int_equal(automaton_builder_add(builder, SLICE("a[ab]{16}c"), 0), 0);
	struct built b = build(builder);
	struct test_random random = {5};
	uint8_t bytes[2000];
	struct automaton_run one = {.automaton = b.automaton, .cache = b.cache};
	int busy = 0;
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)('a' + test_random_below(&random, 2));
		automaton_run(&one, 1, slice_make(bytes, sizeof(bytes)));
		busy += one.busy;
	}
	assert_true(busy > 100);
	assert_int_equal(automaton_cache_facts(b.cache).refused, busy);
	assert_in_range(automaton_cache_facts(b.cache).states_made, 1024, 1024 + 200 * 2016 / 32 + 200);
	memset(bytes, 'x', sizeof(bytes));
	automaton_run(&one, 1, slice_make(bytes, sizeof(bytes)));
	assert_false(one.busy);
	built_free(&b);
}

/* Whether a word came before makes no other state where no assertion asks for it; where one does, it must. */
static void only_what_is_asked_makes_states(void **state)
{
	(void)state;
	static const char *const sources[] = {"^[^;]*;", "\\b[^;]*;", "a[^;]*;"};
	uint64_t made[3];
	for (size_t i = 0; i < 3; i++) {
		struct automaton_builder *builder = builder_made();
		assert_int_equal(automaton_builder_add(builder, slice_from_string(sources[i]), 0), 0);
		struct built b = build(builder);
		assert_int_equal(run(b.automaton, b.cache, SLICE("a one, two + three\n four\n- five six")), 0);
		assert_int_equal(run(b.automaton, b.cache, SLICE("a one, two + three\n four\n- five; six")), 1);
		made[i] = automaton_cache_facts(b.cache).states_made;
		built_free(&b);
	}
	assert_true(made[0] < made[1] && made[2] <= made[0]);
}

/* Side by side each finds what it finds alone, also when some are busy: the others are not disturbed. */
static void runs_side_by_side_are_as_alone(void **state)
{
	(void)state;
	enum { COUNT = 7 };
	static const char *const sources[COUNT] = {"a[ab]{13}c", "ab+a$",       "b[ab]{12}a\b", "aaaa|bbbbb",
						   "a.b.a.b$",   "a[ab]{14}b$", "^[^b]"};
	struct built built[COUNT];
	struct automaton_run runs[COUNT];
	struct automaton_cache *alone[COUNT];
	struct test_random random = {9};
	uint8_t bytes[700];
	size_t busy = 0, found = 0;
	for (int i = 0; i < COUNT; i++) {
		struct automaton_builder *builder = builder_made();
		assert_int_equal(automaton_builder_add(builder, slice_from_string(sources[i]), 0), 0);
		built[i] = build(builder);
		assert_int_equal(automaton_cache_create(built[i].automaton, &alone[i]), 0);
	}
	for (int round = 0; round < 500; round++) {
		size_t count = 1 + test_random_below(&random, COUNT);
		struct slice value = slice_make(bytes, test_random_below(&random, sizeof(bytes)));
		for (size_t i = 0; i < value.len; i++)
			bytes[i] = (uint8_t)('a' + test_random_below(&random, 2));
		for (size_t i = 0; i < count; i++)
			runs[i] = (struct automaton_run){.automaton = built[i].automaton, .cache = built[i].cache};
		automaton_run(runs, count, value);
		for (size_t i = 0; i < count; i++) {
			uint64_t expected = run(built[i].automaton, alone[i], value);
			assert_true(runs[i].busy ? (runs[i].found & ~expected) == 0 : runs[i].found == expected);
			busy += runs[i].busy;
			found += (size_t)expected;
		}
	}
	assert_true(busy > 50 && found > 300);
	for (int i = 0; i < COUNT; i++) {
		automaton_cache_free(alone[i]);
		built_free(&built[i]);
	}
}

/* What simulate() finds in a value, or in its lower case. */
static uint64_t expected_of(const struct built *b, struct slice value, bool lowered)
{
	static uint8_t copy[20000];
	for (size_t i = 0; i < value.len; i++)
		copy[i] = lowered ? byte_lower(value.ptr[i]) : value.ptr[i];
	return automaton_simulate(b->automaton, b->cache, slice_make(copy, value.len), false);
}

/* Long values are cut into pieces, and where nothing is under way bytes are passed over: also as lower case, when both
 * forms have one cache, and when that is emptied on the way. */
static void long_values_are_as_short_ones(void **state)
{
	(void)state;
	enum { GROUPS = 8, ROUNDS = 400 };
	static const char *const sources[GROUPS][4] = {
		{"\\bword\\b", "^line", "x.{0,40}yz", "(?i)END$"},
		{";[ab]{12}c"},
		{"(?s)q.*z.*q"},
		{"[;|]\\s*cat\\b", "<a[^>]*>", "\\n\\n"},
		{"a[ab]{15}c", "W"},
		{"[A-Z]{3}", "^[a-z ]+$"},
		{"[;\\n][^;]*\\\\q"},
		{"(?m)[;<](?:[a-z. ]*[>`]|a)"},
	};
	static const char *const words[] = {"word", " ",     "line", "\n",       "x", "yz",      "q",
					    "z",    "; cat", "<a >", "ab",       "W", "abba",    "cat;",
					    "\n\n", "END",   "Line", "aabbabab", "c", "........"};
	struct built built[GROUPS];
	struct test_random random = {21};
	size_t found = 0, busy = 0;
	uint8_t bytes[16000];
	for (int i = 0; i < GROUPS; i++) {
		struct automaton_builder *builder = builder_made();
		for (int k = 0; k < 4 && sources[i][k] != NULL; k++)
			assert_int_equal(automaton_builder_add(builder, slice_from_string(sources[i][k]), 0), 0);
		built[i] = build(builder);
	}
	for (int round = 0; round < ROUNDS; round++) {
		size_t len = 0, most = 100 + test_random_below(&random, sizeof(bytes) - 200);
		uint32_t plain = 1 + test_random_below(&random, 200);
		uint32_t kinds = 1 + test_random_below(&random, 20);
		while (len < most) {
			const char *word =
				test_random_below(&random, plain) != 0 ? "." : words[test_random_below(&random, kinds)];
			memcpy(bytes + len, word, strlen(word));
			len += strlen(word);
		}
		struct automaton_run runs[2 * GROUPS];
		size_t count = 0, from = test_random_below(&random, GROUPS);
		for (size_t i = from; i < GROUPS && i <= from + test_random_below(&random, GROUPS); i++)
			for (int lowered = 0; lowered < 2; lowered++)
				runs[count++] = (struct automaton_run){.automaton = built[i].automaton,
								       .cache = built[i].cache,
								       .lowered = lowered > 0};
		automaton_run(runs, count, slice_make(bytes, len));
		for (size_t k = 0; k < count; k++) {
			uint64_t expected = expected_of(&built[from + k / 2], slice_make(bytes, len), runs[k].lowered);
			assert_true(runs[k].busy ? (runs[k].found & ~expected) == 0 : runs[k].found == expected);
			found += (size_t)__builtin_popcountll(expected);
			busy += runs[k].busy;
		}
	}
	assert_true(found > 500 && busy < 400);
	for (int i = 0; i < GROUPS; i++)
		built_free(&built[i]);
}

static struct built built_of(struct slice source)
{
	struct built b = {0};
	struct automaton_builder *builder = NULL;
	assert_int_equal(automaton_builder_create(true, &builder), 0);
	int r = automaton_builder_add(builder, source, 0);
	if (r == 0)
		assert_int_equal(automaton_build(builder, &b.automaton), 0);
	automaton_builder_free(builder);
	return b;
}

/* Where the longest match from `at` on ends, by asking whether the pattern matches just up to each place. */
static size_t longest_by_regex(const struct regex *to_end, struct slice value, size_t at)
{
	size_t longest = SIZE_MAX;
	for (size_t end = at; end <= value.len; end++) {
		struct regex_span groups[1];
		size_t count = 1;
		struct slice shorter = slice_sub(value, 0, end);
		if (regex_match(to_end, regex_scratch, shorter, at, NULL, groups, &count) == REGEX_MATCH &&
		    groups[0].start == at)
			longest = end;
	}
	return longest;
}

/* Whether what stands around a match may matter to it. */
static bool looks_around(struct slice source)
{
	static const char *const signs[] = {"^", "$", "\\", "*+", "++", "}+"};
	bool looks = false;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		looks |= slice_find(source, slice_from_string(signs[i]), 0) < source.len;
	return looks;
}

/* The leftmost match, from every place on, and where it ends; the longest, for patterns that do not look behind it. */
static void places_agree_with_the_regex(void **state)
{
	(void)state;
	struct test_random random = {13};
	struct test_text *text = malloc(sizeof(*text));
	struct automaton_pool *pool = NULL;
	assert_int_equal(automaton_pool_create(&pool), 0);
	size_t found = 0, ends = 0, told = 0;
	for (int round = 0; round < 8000; round++) {
		char source[160], anchored[200];
		struct regex *regex, *to_end;
		random_pattern(&random, text);
		struct slice bare = slice_make(text->bytes, text->len);
		snprintf(source, sizeof(source), "(*NO_JIT)%.*s", SLICE_ARG(bare));
		snprintf(anchored, sizeof(anchored), "(*NO_JIT)\\G(?:%.*s)\\z", SLICE_ARG(bare));
		if (regex_compile(slice_from_string(source), 0, &regex, NULL) != 0)
			continue;
		struct built b = built_of(bare);
		bool looks = looks_around(bare);
		assert_int_equal(regex_compile(slice_from_string(anchored), 0, &to_end, NULL), 0);
		for (int v = 0; b.automaton != NULL && v < 15; v++) {
			if (v < 10)
				random_value(&random, text);
			else
				random_long_value(&random, text);
			struct slice value = slice_make(text->bytes, text->len);
			size_t from = test_random_below(&random, (uint32_t)value.len + 1), count = 1;
			struct regex_span span = {REGEX_UNSET, 0};
			int r = regex_match(regex, regex_scratch, value, from, NULL, &span, &count);
			size_t start = automaton_leftmost(b.automaton, pool, value, from);
			if (start != (r == REGEX_MATCH ? span.start : SIZE_MAX))
				fail_msg("[%s] on [%.*s] from %zu: %zu", source, SLICE_ARG(value), from, start);
			if (r != REGEX_MATCH)
				continue;
			size_t end = automaton_longest(b.automaton, pool, value, start);
			assert_true(end != SIZE_MAX && end >= span.end && end <= value.len);
			assert_true(looks || end == longest_by_regex(to_end, value, start));
			ends += !looks && end > span.end;
			found++;
			if (!automaton_first_end(b.automaton, pool, value, start, &end))
				continue;
			if (end != span.end)
				fail_msg("[%s] on [%.*s] from %zu ends at %zu, not %zu", source, SLICE_ARG(value),
					 start, end, span.end);
			told++;
		}
		automaton_free(b.automaton);
		regex_free(regex);
		regex_free(to_end);
	}
	automaton_pool_free(pool);
	free(text);
	printf("# %zu matches, %zu of them could end later, of %zu the end was told\n", found, ends, told);
	assert_true(found > 5000 && ends > 20 && told > found / 2);
}

static void what_is_not_regular_is_unfit(void **state)
{
	(void)state;
	static const char *const unfit[] = {"(a)\\1", "a(?=b)",  "(?<!a)b", "(?>a)",   "(?:ab)*+",
					    "a?+",    "a{2,3}+", "(?1)()",  "\\G",     "a\\Z",
					    "(?x)a",  "\\R",     "\\pL",    "(*UTF)a", "(?:(?:(?:a{999}){999}){9})"};
	struct automaton_builder *builder = builder_made();
	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		assert_int_equal(automaton_builder_add(builder, slice_from_string(unfit[i]), 0), AUTOMATON_UNFIT);
	for (int i = 0; i < AUTOMATON_PATTERNS_MAX; i++)
		assert_int_equal(automaton_builder_add(builder, SLICE("x"), REGEX_CASELESS), 0);
	assert_int_equal(automaton_builder_add(builder, SLICE("x"), 0), AUTOMATON_UNFIT);
	struct built b = build(builder);
	assert_true(run(b.automaton, b.cache, SLICE("aX")) == UINT64_MAX);
	assert_true(run(b.automaton, b.cache, slice_make(NULL, 0)) == 0);
	built_free(&b);
}

static void names_are_of_the_patterns(void **state)
{
	(void)state;
	static const char *const sources[] = {"ab", "ab", "ac", "[a]b", "a|b"};
	struct automaton_name names[5];
	for (int i = 0; i < 5; i++) {
		struct automaton_builder *builder = builder_made();
		assert_int_equal(automaton_builder_add(builder, slice_from_string(sources[i]), 0), 0);
		struct built b = build(builder);
		names[i] = *automaton_name(b.automaton);
		built_free(&b);
	}
	assert_memory_equal(&names[0], &names[1], sizeof(names[0]));
	assert_memory_not_equal(&names[0], &names[2], sizeof(names[0]));
	assert_memory_equal(&names[0], &names[3], sizeof(names[0]));
	assert_memory_not_equal(&names[0], &names[4], sizeof(names[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_match_as_written),
		cmocka_unit_test(random_patterns_agree_with_the_regex),
		cmocka_unit_test(a_full_cache_begins_anew),
		cmocka_unit_test(a_bounded_run_makes_few_states),
		cmocka_unit_test(only_what_is_asked_makes_states),
		cmocka_unit_test(runs_side_by_side_are_as_alone),
		cmocka_unit_test(long_values_are_as_short_ones),
		cmocka_unit_test(places_agree_with_the_regex),
		cmocka_unit_test(what_is_not_regular_is_unfit),
		cmocka_unit_test(names_are_of_the_patterns),
	};
	return cmocka_run_group_tests(tests, make_scratch, free_scratch);
}
