#include "match/scan_gram.h"

#include "base/test.h"
#include "codec/byte_kind.h"
#include "match/automaton.h"
#include "match/test_generate.h"
#include "match/test_rules.h"

enum {
	TOGETHER = 90, /* so many that some have to do without grams of their own */
	TEXTS = 40,
	WORDS = TOGETHER / 64 + 1,
	ROUNDS = 300,
	FENCED = 64, /* of so many one ends where no memory is */
};

/* Patterns whose grams are followed together, as those of a set. */
struct together {
	struct pattern patterns[TOGETHER];
	struct automaton *automata[TOGETHER];
	struct automaton_cache *caches[TOGETHER];
	struct pattern_grams grams[TOGETHER];
	struct pattern_grams *slots[TOGETHER];
	size_t count;
	struct scan_grams *all;
};

/* Of the level that is asked about. */
static struct pattern_set allowed;

static void allow(enum byte_level level)
{
	memset(&allowed, 0, sizeof(allowed));
	for (unsigned c = 0; c < 256; c++)
		if ((byte_kind((uint8_t)c) & byte_level_kinds(level)) != 0)
			pattern_set_add(&allowed, (uint8_t)c);
}

/* Without the bytes that are not allowed. */
static struct slice within_level(struct test_text *text)
{
	size_t len = 0;
	for (size_t i = 0; i < text->len && len < SCAN_GRAM_VALUE_BYTES; i++)
		if (pattern_set_has(&allowed, text->bytes[i]))
			text->bytes[len++] = text->bytes[i];
	return slice_make(text->bytes, len);
}

static void add(struct together *t, struct slice source, unsigned flags)
{
	struct automaton_builder *builder;
	if (pattern_parse(source, flags, &t->patterns[t->count]) != 0)
		return;
	assert_int_equal(automaton_builder_create(false, &builder), 0);
	if (automaton_builder_add(builder, source, flags) == 0) {
		assert_int_equal(automaton_build(builder, &t->automata[t->count]), 0);
		assert_int_equal(automaton_cache_create(t->automata[t->count], &t->caches[t->count]), 0);
		pattern_grams_find(&t->patterns[t->count], &allowed, &t->grams[t->count]);
		t->slots[t->count] = &t->grams[t->count];
		t->count++;
	} else {
		pattern_free(&t->patterns[t->count]);
	}
	automaton_builder_free(builder);
}

static void free_all(struct together *t)
{
	scan_grams_free(t->all);
	for (size_t i = 0; i < t->count; i++) {
		pattern_free(&t->patterns[i]);
		automaton_cache_free(t->caches[i]);
		automaton_free(t->automata[i]);
	}
	t->count = 0;
}

/* What is found hangs neither on what else is wanted nor on the machine. */
static void check_wanted(const struct together *t, struct slice value, bool lowered, uint64_t found)
{
	assert_int_equal(scan_grams_find_plainly(t->all, value, lowered), found);
	for (size_t i = 0; i < t->count; i++) {
		uint64_t wanted;
		scan_grams_of_slot(t->all, (uint32_t)i, &wanted);
		assert_int_equal(scan_grams_find(t->all, value, lowered, wanted), found & wanted);
	}
}

/* No pattern that matches may be taken out. Returns how many that do not match were. */
static size_t check(const struct together *t, struct slice value, bool lowered)
{
	uint64_t slots[WORDS];
	size_t out = 0;
	uint64_t found = scan_grams_find(t->all, value, lowered, UINT64_MAX);
	memset(slots, 0xff, sizeof(slots));
	check_wanted(t, value, lowered, found);
	scan_grams_narrow(t->all, found, slots);
	for (size_t i = 0; i < t->count; i++) {
		bool kept = (slots[i / 64] >> i % 64 & 1) != 0;
		if (!kept && automaton_simulate(t->automata[i], t->caches[i], value, lowered) != 0)
			fail_msg("pattern %zu is taken out of what matches", i);
		out += !kept;
	}
	return out;
}

static size_t check_texts(struct together *t, struct test_random *random)
{
	struct test_text text;
	size_t out = 0;
	assert_int_equal(scan_grams_create(t->slots, t->count, &t->all), 0);
	for (size_t n = 0; n < TEXTS * t->count; n++) {
		test_generate(random, &t->patterns[n % t->count], SLICE(""), &text);
		struct slice value = within_level(&text);
		value = n % FENCED == 0 ? test_fenced(value) : value;
		out += check(t, value, false);
		out += check(t, value, true);
	}
	return out;
}

static void random_source(struct test_random *r, struct test_text *out)
{
	static const char *const atoms[] = {
		"a",    "b",   "[^a]",      ".",    "\\s",  "\\b", "^",   "$",  "[ab]", "\n",      "(a|", "(b",
		")",    "*",   "+",         "?",    "|",    "{2}", "{5}", "_",  "\\B",  "A",       "xy",  "{1,3}",
		"(?:|", "\\z", "(?:cd|de)", "{2,}", "[^b]", "zz",  "e*f", "()", "(?i:", "[\\d\\D]"};
	test_add_atoms(r, atoms, sizeof(atoms) / sizeof(atoms[0]), out);
}

static void random_patterns_are_kept_where_they_match(void **state)
{
	(void)state;
	struct test_random random = {3};
	static struct together t;
	for (size_t round = 0; round < ROUNDS; round++) {
		allow((enum byte_level)(round % BYTE_LEVELS));
		size_t count = 1 + test_random_below(&random, 6);
		while (t.count < count) {
			struct test_text source;
			random_source(&random, &source);
			add(&t, slice_make(source.bytes, source.len), 0);
		}
		check_texts(&t, &random);
		free_all(&t);
	}
}

static void patterns_of_the_rules_are_kept_where_they_match(void **state)
{
	(void)state;
	struct test_random random = {4};
	static struct test_rules rules;
	static struct together t;
	size_t out = 0, asked = 0, round = 0;
	test_rules_find(&rules);
	for (size_t i = 0; i < rules.count; i++) {
		if (t.count == 0)
			allow((enum byte_level)(round++ % BYTE_LEVELS));
		add(&t, rules.patterns[i], 0);
		if (t.count < TOGETHER && i + 1 < rules.count)
			continue;
		out += check_texts(&t, &random);
		asked += 2 * TEXTS * t.count * t.count;
		free_all(&t);
	}
	assert_true(rules.count == 0 || out > asked / 2); /* of most other patterns' texts nothing is asked */
}

static void an_empty_value_is_asked_only_of_what_may_be_empty(void **state)
{
	(void)state;
	static struct together t;
	uint64_t slots[WORDS] = {7};
	allow(BYTE_LEVEL_ANY);
	add(&t, SLICE("a"), 0);
	add(&t, SLICE("a*"), 0);
	add(&t, SLICE("^$"), 0);
	assert_int_equal(scan_grams_create(t.slots, t.count, &t.all), 0);
	scan_grams_narrow(t.all, scan_grams_find(t.all, SLICE(""), false, UINT64_MAX), slots);
	assert_int_equal(slots[0], 6);
	free_all(&t);
}

TEST_MAIN(cmocka_unit_test(random_patterns_are_kept_where_they_match),
	  cmocka_unit_test(patterns_of_the_rules_are_kept_where_they_match),
	  cmocka_unit_test(an_empty_value_is_asked_only_of_what_may_be_empty))
