#include "match/marker_internal.h"

#include "base/test.h"
#include "match/automaton.h"
#include "match/test_generate.h"
#include "match/test_rules.h"

#include <limits.h>

enum {
	TOGETHER = 90,
	TEXTS = 8,
	WORDS = TOGETHER / 64 + 1,
	ROUNDS = 300,
	FENCED = 64,       /* of so many one ends where no memory is */
	LONG_BYTES = 3000, /* texts are put together to such */
	LONG_EACH = 4,     /* of so many one */
};

/* Patterns whose markers are in one set, and what tells for certain whether they match. */
struct together {
	struct pattern patterns[TOGETHER];
	struct automaton *automata[TOGETHER];
	struct automaton_cache *caches[TOGETHER];
	size_t count;
	struct markers *markers;
	struct marker_room *room;
};

static void add(struct together *t, struct slice source)
{
	struct automaton_builder *builder;
	if (pattern_parse(source, 0, &t->patterns[t->count]) != 0)
		return;
	assert_int_equal(automaton_builder_create(false, &builder), 0);
	if (automaton_builder_add(builder, source, 0) == 0) {
		assert_int_equal(automaton_build(builder, &t->automata[t->count]), 0);
		assert_int_equal(automaton_cache_create(t->automata[t->count], &t->caches[t->count]), 0);
		t->count++;
	} else {
		pattern_free(&t->patterns[t->count]);
	}
	automaton_builder_free(builder);
}

static void finish(struct together *t)
{
	assert_int_equal(markers_create(t->count, &t->markers), 0);
	for (size_t i = 0; i < t->count; i++)
		assert_int_equal(markers_add(t->markers, i, &t->patterns[i], UINT_MAX), 0);
	markers_finish(t->markers);
	assert_int_equal(marker_room_create(&t->room), 0);
	assert_int_equal(marker_room_fit(t->room, t->markers), 0);
}

static void free_all(struct together *t)
{
	markers_free(t->markers);
	marker_room_free(t->room);
	for (size_t i = 0; i < t->count; i++) {
		pattern_free(&t->patterns[i]);
		automaton_cache_free(t->caches[i]);
		automaton_free(t->automata[i]);
	}
	t->count = 0;
}

/* No pattern that matches may be taken out. Returns how many that do not match were. */
static size_t check(const struct together *t, struct slice value, bool lowered)
{
	uint64_t slots[WORDS];
	size_t out = 0;
	memset(slots, 0xff, sizeof(slots));
	markers_narrow(t->markers, t->room, value, lowered, slots);
	for (enum marker_form form = MARKER_BY_4; form <= MARKER_BY_8; form++) {
		uint64_t same[WORDS];
		memset(same, 0xff, sizeof(same));
		markers_narrow_by(form, t->markers, t->room, value, lowered, same);
		if (marker_form_is_possible(form))
			assert_memory_equal(same, slots, sizeof(slots));
	}
	for (size_t i = 0; i < t->count; i++) {
		bool kept = (slots[i / 64] >> i % 64 & 1) != 0;
		if (!kept && automaton_simulate(t->automata[i], t->caches[i], value, lowered) != 0)
			fail_msg("pattern %zu is taken out of what matches", i);
		out += !kept;
	}
	return out;
}

/* Texts that patterns may match, one after another, to some length. */
static struct slice make_long(struct test_random *random, const struct together *t, uint8_t *bytes)
{
	struct test_text text;
	size_t len = 0, most = LONG_BYTES - test_random_below(random, LONG_BYTES / 2);
	while (len < most) {
		test_generate(random, &t->patterns[test_random_below(random, (uint32_t)t->count)], SLICE(""), &text);
		size_t more = text.len < most - len ? text.len : most - len;
		memcpy(bytes + len, text.bytes, more);
		len += more;
		if (len < most)
			bytes[len++] = ' ';
	}
	return slice_make(bytes, len);
}

static size_t check_texts(struct together *t, struct test_random *random)
{
	static uint8_t bytes[LONG_BYTES];
	struct test_text text;
	size_t out = 0;
	finish(t);
	for (size_t n = 0; n < TEXTS * t->count; n++) {
		test_generate(random, &t->patterns[n % t->count], SLICE(""), &text);
		struct slice value =
			n % LONG_EACH == 0 ? make_long(random, t, bytes) : slice_make(text.bytes, text.len);
		value = n % FENCED == 0 ? test_fenced(value) : value;
		out += check(t, value, false);
		out += check(t, value, true);
	}
	return out;
}

static void random_source(struct test_random *r, struct test_text *out)
{
	static const char *const atoms[] = {"a",    "b",     "[^a]",      ".",       "\\s",  "\\b", "^",   "$",
					    "[ab]", "\n",    "(a|",       "(b",      ")",    "*",   "+",   "?",
					    "|",    "{2}",   "{5}",       "_",       "\\B",  "A",   "xy",  "{1,3}",
					    "(?:|", "\\z",   "(?:cd|de)", "{2,}",    "[^b]", "zz",  "e*f", "(?:ab)*",
					    "(?i:", "{2,9}", "\\Z",       "[\\d\\D]"};
	test_add_atoms(r, atoms, sizeof(atoms) / sizeof(atoms[0]), out);
}

static void random_patterns_are_kept_where_they_match(void **state)
{
	(void)state;
	struct test_random random = {5};
	static struct together t;
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t count = 1 + test_random_below(&random, 6);
		while (t.count < count) {
			struct test_text source;
			random_source(&random, &source);
			add(&t, slice_make(source.bytes, source.len));
		}
		check_texts(&t, &random);
		free_all(&t);
	}
}

static void patterns_of_the_rules_are_kept_where_they_match(void **state)
{
	(void)state;
	struct test_random random = {6};
	static struct test_rules rules;
	static struct together t;
	size_t out = 0, asked = 0;
	test_rules_find(&rules);
	for (size_t i = 0; i < rules.count; i++) {
		add(&t, rules.patterns[i]);
		if (t.count < TOGETHER && i + 1 < rules.count)
			continue;
		out += check_texts(&t, &random);
		asked += 2 * TEXTS * t.count * t.count;
		free_all(&t);
	}
	if (marker_is_possible())
		assert_true(rules.count == 0 || out > asked / 2); /* most do not match other patterns' texts */
}

/* Where a stream's words end, and where a marker is carried from one to the next. */
static void places_in_words_are_all_the_same(void **state)
{
	(void)state;
	static struct together t;
	static uint8_t bytes[1100];
	add(&t, SLICE("bcd"));
	add(&t, SLICE("b[^x]*d"));
	add(&t, SLICE("(?:bc|x)+d"));
	add(&t, SLICE("d$"));
	add(&t, SLICE("\\bbc\\B"));
	finish(&t);
	for (size_t len = 3; len < sizeof(bytes); len++) {
		memset(bytes, ' ', len);
		memcpy(bytes + len - 3, "bcd", 3);
		uint64_t slots[WORDS] = {31};
		markers_narrow(t.markers, t.room, slice_make(bytes, len), false, slots);
		assert_int_equal(slots[0], 31);
		bytes[len - 2] = 'x';
		bytes[len - 1] = 'y';
		markers_narrow(t.markers, t.room, slice_make(bytes, len), false, slots);
		assert_int_equal(slots[0], marker_is_possible() ? 0 : 31);
	}
	free_all(&t);
}

/* From each place of an endless repeat the next turn begins, over many words. */
static void long_runs_are_gone_over(void **state)
{
	(void)state;
	static struct together t;
	static uint8_t bytes[MARKER_BYTES_MOST];
	add(&t, SLICE("<[a-z]*>"));
	add(&t, SLICE("<(?:aa)*>"));
	add(&t, SLICE("<(?:a|b)*>"));
	finish(&t);
	memset(bytes, 'a', sizeof(bytes));
	for (size_t len = 5; len <= sizeof(bytes); len = len * 3 + 1) {
		uint64_t slots[WORDS] = {7};
		bytes[1] = '<';
		bytes[len - 1] = '>';
		markers_narrow(t.markers, t.room, slice_make(bytes, len), false, slots);
		assert_int_equal(slots[0] & 5, 5);
		slots[0] = 7;
		bytes[len - 1] = '!';
		markers_narrow(t.markers, t.room, slice_make(bytes, len), false, slots);
		assert_int_equal(slots[0] & 5, marker_is_possible() ? 0 : 5);
		bytes[len - 1] = 'a';
	}
	free_all(&t);
}

TEST_MAIN(cmocka_unit_test(random_patterns_are_kept_where_they_match),
	  cmocka_unit_test(patterns_of_the_rules_are_kept_where_they_match),
	  cmocka_unit_test(places_in_words_are_all_the_same), cmocka_unit_test(long_runs_are_gone_over))
