#include "base/error.h"
#include "match/pattern.h"
#include "match/regex.h"
#include "match/scan.h"
#include "match/test_cases.h"
#include "match/test_generate.h"
#include "match/test_rules.h"

static struct scan_scratch *scratch;
static struct regex_scratch *regex_scratch;

static int make_scratches(void **state)
{
	(void)state;
	return scan_scratch_create(&scratch) != 0 || regex_scratch_create(&regex_scratch) != 0;
}

static int free_scratches(void **state)
{
	(void)state;
	scan_scratch_free(scratch);
	regex_scratch_free(regex_scratch);
	return 0;
}

static struct scan_set *built(struct scan_builder *builder)
{
	struct scan_set *set = NULL;
	assert_int_equal(scan_set_compile(builder, NULL, NULL, &set), 0);
	assert_int_equal(scan_scratch_fit(scratch, set), 0);
	scan_builder_free(builder);
	return set;
}

static struct scan_builder *builder_made(void)
{
	struct scan_builder *builder = NULL;
	assert_int_equal(scan_builder_create(NULL, &builder), 0);
	return builder;
}

static struct scan_set *set_of_one(struct slice pattern, unsigned flags)
{
	struct scan_builder *builder = builder_made();
	assert_int_equal(scan_builder_add_regex(builder, 0, pattern, flags), 0);
	return built(builder);
}

static bool hits(const struct scan_set *set, struct slice value)
{
	uint64_t bits = 0;
	int r = scan_run(set, scratch, value, NULL, &bits);
	assert_int_equal(r, bits & 1);
	return r == 1;
}

/* What the class promises, held against the regex's own verdict. */
static void check_promise(const struct scan_set *set, struct slice pattern, struct slice value, bool matches)
{
	bool hit = hits(set, value);
	enum scan_class class = scan_set_class(set, 0);
	if (hit == matches || (hit && class != SCAN_EXACT))
		return;
	for (size_t i = 0; i < value.len; i++)
		printf("%02x", value.ptr[i]);
	fail_msg("[%.*s]: scan %d, regex %d, class %d, %zu bytes", SLICE_ARG(pattern), hit, matches, class, value.len);
}

static void cases_agree_with_the_regex(void **state)
{
	(void)state;
	struct test_cases cases = test_cases_read("src/match/regex_cases.txt");
	struct test_case c;
	size_t exact = 0, seen = 0;
	for (; test_cases_next(&cases, &c); seen++) {
		struct scan_set *set = set_of_one(c.pattern, c.flags);
		check_promise(set, c.pattern, test_fenced(c.value), !slice_equal(c.expected, SLICE("none")));
		exact += scan_set_class(set, 0) == SCAN_EXACT;
		scan_set_free(set);
	}
	assert_true(exact > seen / 2);
	test_cases_free(&cases);
}

/* How often each verdict was seen, lest the test compare nothing with nothing. */
struct tally {
	size_t matches;
	size_t misses;
	size_t classes[3];
};

static void compare(const struct scan_set *set, const struct regex *regex, struct slice pattern, struct slice value,
		    struct tally *tally)
{
	const struct regex_limits limits = {.match = 50 * 1000};
	int r = regex_match(regex, regex_scratch, value, 0, &limits, NULL, NULL);
	if (r == REGEX_LIMIT)
		return;
	tally->matches += r == REGEX_MATCH;
	tally->misses += r == REGEX_NONE;
	check_promise(set, pattern, value, r == REGEX_MATCH);
}

static void compare_pattern(struct slice source, unsigned rounds, struct tally *tally)
{
	struct regex *regex;
	if (regex_compile(source, 0, &regex, NULL) != 0)
		return;
	struct scan_set *set = set_of_one(source, 0);
	struct pattern pattern;
	bool opaque = pattern_parse(source, 0, &pattern) != 0;
	struct test_random random = {source.len};
	struct test_text *text = malloc(sizeof(*text));
	for (unsigned i = 0; i < rounds; i++) {
		test_generate(&random, opaque ? NULL : &pattern, source, text);
		compare(set, regex, source, slice_make(text->bytes, text->len), tally);
	}
	tally->classes[scan_set_class(set, 0)]++;
	free(text);
	if (!opaque)
		pattern_free(&pattern);
	scan_set_free(set);
	regex_free(regex);
}

static void rules_agree_with_the_regex(void **state)
{
	(void)state;
	static struct test_rules rules;
	struct tally tally = {0};
	test_rules_find(&rules);
	if (rules.count == 0)
		skip();
	for (size_t i = 0; i < rules.count; i++)
		compare_pattern(rules.patterns[i], 40, &tally);
	printf("# %zu patterns: %zu exact, %zu prefilter, %zu none; %zu matches, %zu misses\n", rules.count,
	       tally.classes[0], tally.classes[1], tally.classes[2], tally.matches, tally.misses);
	assert_true(tally.matches > rules.count * 10 && tally.misses > rules.count * 10);
	assert_true(tally.classes[SCAN_EXACT] > rules.count * 9 / 10);
}

/* All patterns together, where factors decide which are run, against each by itself. */
struct crowd {
	struct scan_set *all;
	struct scan_set *alone[2000];
	size_t count;
	size_t matches;
};

static void compare_crowd(struct crowd *crowd, struct slice value)
{
	uint64_t bits[2000 / 64 + 1] = {0};
	int found = scan_run(crowd->all, scratch, value, NULL, bits);
	for (uint32_t i = 0; i < crowd->count; i++) {
		bool hit = (bits[i / 64] >> (i % 64) & 1) != 0, expected = hits(crowd->alone[i], value);
		found -= hit;
		crowd->matches += hit;
		if (hit != expected && scan_set_class(crowd->all, i) == SCAN_EXACT)
			fail_msg("pattern %u: %d together, %d alone [%.*s]", i, hit, expected, SLICE_ARG(value));
	}
	assert_int_equal(found, 0);
}

/* By itself, between texts, and twice with much before it. */
static void compare_around(struct crowd *crowd, struct slice text)
{
	struct buffer long_value = buffer_make(NULL);
	compare_crowd(crowd, text);
	buffer_text(&long_value, "A plain text, of two sentences. It goes on\nfor \"a while\" - ");
	buffer_add(&long_value, text);
	compare_crowd(crowd, buffer_slice(&long_value));
	while (long_value.len < 700)
		buffer_text(&long_value, " and on");
	buffer_add(&long_value, text);
	compare_crowd(crowd, buffer_slice(&long_value));
	buffer_free(&long_value);
}

static void generate_for_crowd(struct crowd *crowd, struct slice source)
{
	struct pattern pattern;
	struct test_text *text = malloc(sizeof(*text));
	bool opaque = pattern_parse(source, 0, &pattern) != 0;
	struct test_random random = {source.len};
	for (int round = 0; round < 3; round++) {
		test_generate(&random, opaque ? NULL : &pattern, source, text);
		compare_around(crowd, slice_make(text->bytes, text->len));
	}
	if (!opaque)
		pattern_free(&pattern);
	free(text);
}

static void rules_together_agree_with_each_alone(void **state)
{
	(void)state;
	static struct test_rules rules;
	static struct crowd crowd;
	test_rules_find(&rules);
	if (rules.count == 0)
		skip();
	struct scan_builder *builder = builder_made();
	crowd.count = rules.count;
	for (size_t i = 0; i < rules.count; i++) {
		assert_int_equal(scan_builder_add_regex(builder, (uint32_t)i, rules.patterns[i], 0), 0);
		crowd.alone[i] = set_of_one(rules.patterns[i], 0);
	}
	crowd.all = built(builder);
	for (size_t i = 0; i < rules.count; i++)
		generate_for_crowd(&crowd, rules.patterns[i]);
	assert_true(crowd.matches > rules.count * 5);
	for (size_t i = 0; i < rules.count; i++)
		scan_set_free(crowd.alone[i]);
	scan_set_free(crowd.all);
}

static void random_byte(struct test_random *r, struct test_text *t)
{
	static const char *const atoms[] = {"a",  "b",   "B",     ".",   "\\s",   "\\w",  "\\b",   "^",   "$",   "[ab]",
					    "\n", "\\n", "[^a]",  "\\W", "(?:a|", "(b|",  ")",     "*",   "+",   "?",
					    "|",  "{2}", "{0,2}", "_",   "\\B",   "(?i:", "\\x00", "\\Z", "\\z", "\\A"};
	const char *atom = atoms[test_random_below(r, 30)];
	for (; *atom != 0; atom++)
		test_text_add(t, (uint8_t)*atom);
}

/* Patterns that nobody would write, over few bytes, so that places and empty matches meet in every way. */
static void random_patterns_agree_with_the_regex(void **state)
{
	(void)state;
	struct test_random random = {7};
	struct tally tally = {0};
	struct test_text *text = malloc(sizeof(*text));
	for (int i = 0; i < 500; i++) {
		text->len = 0;
		for (uint32_t n = 1 + test_random_below(&random, 8); n > 0; n--)
			random_byte(&random, text);
		compare_pattern(slice_make(text->bytes, text->len), 20, &tally);
	}
	free(text);
	assert_true(tally.matches > 1000 && tally.misses > 150 && tally.classes[SCAN_EXACT] > 50);
}

static void literals_are_bytes(void **state)
{
	(void)state;
	struct scan_builder *builder = builder_made();
	assert_int_equal(scan_builder_add_literal(builder, 3, SLICE("a.b*")), 0);
	assert_int_equal(scan_builder_add_literal(builder, 3, SLICE("Union Select")), 0);
	assert_int_equal(scan_builder_add_literal(builder, 64, slice_make("x\0\xff", 3)), 0);
	struct scan_set *set = built(builder);
	assert_int_equal(scan_set_words(set), 2);
	assert_int_equal(scan_set_min_width(set), 3);
	assert_int_equal(scan_set_facts(set).patterns, 2);
	assert_int_equal(scan_set_class(set, 3), SCAN_EXACT);
	assert_int_equal(scan_set_class(set, 4), SCAN_NONE);
	uint64_t bits[2] = {1, 0};
	assert_int_equal(scan_run(set, scratch, SLICE("aXb** union selec"), NULL, bits), 0);
	assert_int_equal(scan_run(set, scratch, SLICE("1 UNION select A.B*"), NULL, bits), 1);
	assert_int_equal(bits[0], 1 | 8);
	assert_int_equal(scan_run(set, scratch, slice_make("..X\0\xff", 5), NULL, bits), 1);
	assert_int_equal(bits[1], 1);
	assert_int_equal(scan_run(set, scratch, slice_make(NULL, 0), NULL, bits), 0);
	scan_set_free(set);
}

static void classes_are_told_and_none_is_always_set(void **state)
{
	(void)state;
	struct scan_builder *builder = builder_made();
	assert_int_equal(scan_builder_add_regex(builder, 0, SLICE("abc+"), 0), 0);
	assert_int_equal(scan_builder_add_regex(builder, 1, SLICE("(?<!x)foo"), 0), 0);
	assert_int_equal(scan_builder_add_regex(builder, 2, SLICE("(a(?1)?b)"), 0), 0);
	assert_int_equal(scan_builder_add_regex(builder, 3, slice_make("a\0b", 3), 0), 0);
	assert_int_equal(scan_builder_add_regex(builder, 1 << 20, SLICE("a"), 0), -EINVAL);
	struct scan_set *set = built(builder);
	assert_int_equal(scan_set_class(set, 0), SCAN_EXACT);
	assert_int_equal(scan_set_class(set, 1), SCAN_PREFILTER);
	assert_int_equal(scan_set_class(set, 2), SCAN_NONE);
	assert_int_equal(scan_set_class(set, 3), SCAN_EXACT); /* Hyperscan takes no NUL; the automaton does */
	assert_int_equal(scan_set_min_width(set), 0);
	uint64_t bits = 0;
	assert_int_equal(scan_run(set, scratch, SLICE("xfoo"), NULL, &bits), 2);
	assert_int_equal(bits, 4 | 2);
	assert_int_equal(scan_run(set, scratch, slice_make("A\0b a\0b", 7), NULL, &bits), 1);
	assert_int_equal(bits, 8 | 4 | 2);
	scan_set_free(set);
	set = built(builder_made());
	assert_int_equal(scan_set_words(set), 0);
	assert_int_equal(scan_run(set, scratch, SLICE("abc"), NULL, NULL), 0);
	scan_set_free(set);
}

/* Values that need ever new states: each pattern alone, and without states, must answer as all together. */
static void what_stands_behind_agrees(void **state)
{
	(void)state;
	static const char *const sources[] = {"a[ab]{16}c", "^[^a]+$", "b(?:ab|ba){6,9}c", "a[ab]{14}bb$"};
	enum { COUNT = 4 };
	struct scan_builder *builder = builder_made();
	struct regex *regexes[COUNT];
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(scan_builder_add_regex(builder, i, slice_from_string(sources[i]), 0), 0);
		assert_int_equal(regex_compile(slice_from_string(sources[i]), 0, &regexes[i], NULL), 0);
	}
	struct scan_set *set = built(builder);
	struct test_random random = {1};
	uint8_t bytes[300];
	size_t matches = 0;
	for (int round = 0; round < 2000; round++) {
		struct slice value = slice_make(bytes, test_random_below(&random, sizeof(bytes)));
		for (size_t i = 0; i < value.len; i++)
			bytes[i] = (uint8_t)(test_random_below(&random, 60) == 0 ? 'c'
										 : 'a' + test_random_below(&random, 2));
		uint64_t bits = 0, expected = 0;
		scan_run(set, scratch, value, NULL, &bits);
		for (size_t i = 0; i < COUNT; i++)
			if (regex_match(regexes[i], regex_scratch, value, 0, NULL, NULL, NULL) == REGEX_MATCH)
				expected |= (uint64_t)1 << i;
		assert_int_equal(bits, expected);
		matches += (size_t)__builtin_popcountll(bits);
	}
	assert_true(matches > 600);
	for (size_t i = 0; i < COUNT; i++)
		regex_free(regexes[i]);
	scan_set_free(set);
}

static void a_scratch_must_fit(void **state)
{
	(void)state;
	struct scan_builder *builder = builder_made();
	struct scan_scratch *other = NULL;
	struct scan_set *set = NULL;
	uint64_t bits = 0;
	assert_int_equal(scan_builder_add_regex(builder, 0, SLICE("abc+"), 0), 0);
	assert_int_equal(scan_set_compile(builder, NULL, NULL, &set), 0);
	assert_int_equal(scan_scratch_create(&other), 0);
	assert_int_equal(scan_run(set, other, SLICE("xabc"), NULL, &bits), -EINVAL);
	scan_scratch_free(other);
	scan_set_free(set);
	scan_builder_free(builder);
}

/* What is wanted by its id (NULL: all), with its signs or without, in either view. Whether the bits had to tell. */
static bool check_views(const struct scan_set *set, const uint32_t *id, bool signs_known, struct slice value,
			uint64_t expected, uint64_t mask)
{
	enum byte_level level = byte_level_of(byte_kinds(value));
	struct scan_signs signs;
	uint64_t slots = id == NULL ? UINT64_MAX : 0;
	bool told = false;
	if (id != NULL)
		scan_set_want(set, *id, &slots);
	scan_set_signs(set, &slots, &signs);
	for (size_t view = 0; view < SCAN_VIEWS; view++) { /* values are in lower case */
		uint64_t bits = 0;
		struct scan_view views[SCAN_VIEWS] = {{0}};
		views[view] = (struct scan_view){
			.slots = id == NULL ? NULL : &slots, .signs = signs_known ? &signs : NULL, .ret_bits = &bits};
		int r = scan_run_views(set, scratch, value, level, views);
		assert_true(r >= 0);
		assert_int_equal(bits & mask, expected);
		assert_true(r > 0 || bits == 0);
		told |= r > 0;
	}
	return told;
}

/* Literals and patterns with gates, of each level of bytes; each wanted by itself and all of them. */
static void what_is_wanted_is_found_at_every_level(void **state)
{
	static const char *const literals[] = {"plainword", "a;b(c", "one|two", "four", "two"};
	static const char *const patterns[] = {"alpha[0-9]+z", "beta&[a-z]+;", "\\$\\{gamma[^}]*\\}", "delta%[0-9]{2}",
					       "epsilon[ab]+x"};
	static const char *const values[] = {"a plainword",   "PLAINWORDS; and more",
					     "see a;b(c",     "a;b(c|",
					     "one|two",       "alpha12z",
					     "delta%20four",  "epsilonabx\ndelta%2",
					     "alpha12z;",     "alpha12z|",
					     "beta&x;",       "beta&;",
					     "${gamma:x}",    "plain",
					     "${gamma:x} é",  "plainword|alpha3z",
					     "$alpha7z beta", ""};
	enum { EACH = 5, IDS = 2 * EACH };
	(void)state;
	struct scan_builder *builder = builder_made();
	for (uint32_t i = 0; i < EACH; i++) {
		assert_int_equal(scan_builder_add_literal(builder, i, slice_from_string(literals[i])), 0);
		assert_int_equal(scan_builder_add_regex(builder, EACH + i, slice_from_string(patterns[i]), 0), 0);
	}
	struct scan_set *set = built(builder);
	assert_int_equal(scan_set_slot_words(set), 1);
	size_t found = 0, vain = 0;
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		struct slice value = slice_from_string(values[v]);
		uint64_t all = 0;
		assert_true(scan_run(set, scratch, value, NULL, &all) >= 0);
		found += (size_t)__builtin_popcountll(all);
		for (uint32_t id = 0; id <= IDS; id++) {
			uint64_t mask = id == IDS ? (1 << IDS) - 1 : UINT64_C(1) << id;
			vain += !check_views(set, id == IDS ? NULL : &id, false, value, all & mask, mask);
			vain += !check_views(set, id == IDS ? NULL : &id, true, value, all & mask, mask);
		}
	}
	assert_int_equal(found, 18);
	assert_true(vain > IDS); /* signs tell by themselves */
	scan_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_agree_with_the_regex),
		cmocka_unit_test(rules_agree_with_the_regex),
		cmocka_unit_test(rules_together_agree_with_each_alone),
		cmocka_unit_test(random_patterns_agree_with_the_regex),
		cmocka_unit_test(literals_are_bytes),
		cmocka_unit_test(classes_are_told_and_none_is_always_set),
		cmocka_unit_test(what_stands_behind_agrees),
		cmocka_unit_test(what_is_wanted_is_found_at_every_level),
		cmocka_unit_test(a_scratch_must_fit),
	};
	stdout = test_output();
	return cmocka_run_group_tests(tests, make_scratches, free_scratches);
}
