/* Long values: gone over in pieces, or in part. */
#include "base/test.h"
#include "match/automaton.h"
#include "match/test_generate.h"

struct built {
	struct automaton *automaton;
	struct automaton_cache *cache;
};

static struct built build(const char *source)
{
	struct built b;
	struct automaton_builder *builder = NULL;
	assert_int_equal(automaton_builder_create(false, &builder), 0);
	assert_int_equal(automaton_builder_add(builder, slice_from_string(source), 0), 0);
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

static void run(const struct built *b, struct slice value, uint64_t expected)
{
	struct automaton_run one = {.automaton = b->automaton, .cache = b->cache};
	automaton_run(&one, 1, value);
	assert_true(!one.busy && one.found == expected);
}

/* Makes states until there are so many, or the cache was emptied; returns how many there were. */
static uint64_t make_states(const struct built *b, uint64_t count)
{
	static uint8_t plain[20000]; /* earns the credit */
	struct test_random random = {17};
	uint8_t bytes[40];
	for (;;) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = test_random_below(&random, 2) == 0 ? 'a' : 'b';
		run(b, slice_make(plain, sizeof(plain)), 0);
		for (size_t len = 1; len <= sizeof(bytes); len++) {
			struct automaton_cache_facts facts = automaton_cache_facts(b->cache);
			if (facts.emptied > 0 || facts.states_made >= count)
				return facts.states_made;
			run(b, slice_make(bytes, len), 0);
		}
	}
}

/*
 * A match lies across two pieces. In the second its first bytes come again, in a state that may be the first one made
 * after the cache was emptied: that has the number which the state at the piece's beginning had before.
 */
static void a_piece_may_empty_the_cache(void **state)
{
	(void)state;
	enum { PIECE = 1024, MARGINS = 40 };
	static uint8_t value[4 * PIECE];
	struct slice half = SLICE("abbabaababba");
	struct built first = build("a[ab]{11}c");
	uint64_t room = make_states(&first, UINT64_MAX);
	size_t emptied = 0;
	built_free(&first);
	memset(value, '.', sizeof(value));
	memcpy(value + PIECE - half.len, half.ptr, half.len);
	value[PIECE] = 'c';
	memcpy(value + PIECE + 200, half.ptr, half.len);
	for (uint64_t margin = 0; margin < MARGINS; margin++) {
		struct built b = build("a[ab]{11}c");
		make_states(&b, room - margin);
		uint64_t before = automaton_cache_facts(b.cache).emptied;
		run(&b, slice_make(value, sizeof(value)), 1);
		emptied += before == 0 && automaton_cache_facts(b.cache).emptied == 1;
		built_free(&b);
	}
	assert_true(emptied > 5);
}

/* What is under way may be left only where the value has no byte of a kind that all its ways to a match take. */
static void what_is_under_way_is_left_only_where_it_is_in_vain(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		const char *begin; /* of a value; 300 dots and `end` follow */
		const char *end;
		bool lowered;
		uint64_t expected;
	} cases[] = {
		{";[^;]*\\\\c", ";", "\\c", false, 1},
		{";[^;]*\\\\c", ";", "/c", false, 0},
		{";[^;]*\\\\c", "\\;", "\\c", false, 1},
		{";[^;]*(?:\\^|')", ";", "'", false, 1},
		{";[^;]*(?:\\^|')", ";", "^", false, 1},
		{";[^;]*(?:\\^|'|$)", ";", "", false, 1},
		{";[.]*z", ";", "Z", true, 1},
		{";[.]*z", ";", "Z", false, 0},
		{";[.]*Z", ";", "Z", true, 0},
		{";[^;]*\\(.*\\)", ";(", ")", false, 1},
		{";[^;]*(?:<[^>]*)?>", ";", ">", false, 1},
		{";(?:[^;]*<)*", ";", "", false, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[400];
		struct built b = build(cases[i].source);
		int len = snprintf(text, sizeof(text), "%s%0300d%s", cases[i].begin, 0, cases[i].end);
		for (int k = 0; k < len; k++)
			text[k] = text[k] == '0' ? '.' : text[k];
		struct automaton_run one = {.automaton = b.automaton, .cache = b.cache, .lowered = cases[i].lowered};
		automaton_run(&one, 1, slice_make(text, (size_t)len));
		assert_false(one.busy);
		assert_int_equal(one.found, cases[i].expected);
		built_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_may_empty_the_cache),
		cmocka_unit_test(what_is_under_way_is_left_only_where_it_is_in_vain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
