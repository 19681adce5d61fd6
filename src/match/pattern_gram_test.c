#include "match/pattern_gram.h"

#include "base/test_cases.h"

#include <ctype.h>

enum { SET_SHOWN_MOST = 12 };

static void render_set(const struct pattern_set *set, struct buffer *out)
{
	char members[257];
	size_t count = 0;
	for (int c = 0; c < 256; c++)
		if (pattern_set_has(set, (uint8_t)c))
			members[count++] = (char)(isgraph(c) ? c : '_');
	if (count > SET_SHOWN_MOST) {
		buffer_text(out, ".");
		return;
	}
	buffer_text(out, count > 1 ? "[" : "");
	buffer_add(out, slice_make((const uint8_t *)members, count));
	buffer_text(out, count > 1 ? "]" : "");
}

static void render(struct slice source, const struct pattern_set *allowed, struct buffer *out)
{
	struct pattern pattern;
	struct pattern_grams grams;
	assert_int_equal(pattern_parse(source, 0, &pattern), 0);
	pattern_grams_find(&pattern, allowed, &grams);
	pattern_free(&pattern);
	for (size_t i = 0; grams.share < 1 && i < grams.count; i++) {
		buffer_text(out, i > 0 ? " " : "");
		for (size_t k = grams.items[i].len; k-- > 0;) {
			buffer_text(out, (grams.items[i].edges >> k & 1) != 0 ? "!" : "");
			render_set(&grams.items[i].sets[k], out);
		}
	}
	buffer_text(out, grams.share >= 1 ? "none" : grams.count == 0 ? "impossible" : "");
}

static void cases_come_out(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case test;
	struct pattern_set all, tame = {{0}};
	memset(&all, 0xff, sizeof(all));
	for (const char *c = "abcdefghijklmnopqrstuvwxyz =-"; *c != 0; c++)
		pattern_set_add(&tame, (uint8_t)*c);
	for (test_cases_open(&cases, "src/match/pattern_gram_cases.txt"); test_cases_next(&cases, &test);) {
		struct buffer out = buffer_make(NULL);
		render(test.column[0], &all, &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[1]);
		buffer_clear(&out);
		render(test.column[0], &tame, &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[2]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
}

/* `deep` times: what a rule's author may write, be it by mistake. */
static void add_times(struct buffer *out, const char *text, size_t deep)
{
	for (size_t i = 0; i < deep; i++)
		buffer_text(out, text);
}

static void repeats_inside_repeats_come_to_an_end(void **state)
{
	(void)state;
	enum { DEEP = 90 };
	struct pattern pattern;
	struct pattern_grams grams;
	struct pattern_set all;
	memset(&all, 0xff, sizeof(all));
	struct buffer text = buffer_make(NULL);
	add_times(&text, "(", DEEP);
	buffer_text(&text, "ab");
	add_times(&text, "){2,9}", DEEP);
	assert_int_equal(pattern_parse(buffer_slice(&text), 0, &pattern), 0);
	pattern_grams_find(&pattern, &all, &grams);
	assert_true(grams.share >= 1);
	pattern_free(&pattern);
	buffer_free(&text);
}

static void repeats_of_repeats_are_bounded(void **state)
{
	(void)state;
	struct pattern pattern;
	struct buffer text = buffer_make(NULL);
	buffer_text(&text, "a");
	add_times(&text, "{1}", 1000 * 1000);
	assert_int_equal(pattern_parse(buffer_slice(&text), 0, &pattern), PATTERN_OPAQUE);
	assert_int_equal(pattern_parse(SLICE("a{2}{3}?{1,}"), 0, &pattern), 0);
	pattern_free(&pattern);
	buffer_free(&text);
}

TEST_MAIN(cmocka_unit_test(cases_come_out), cmocka_unit_test(repeats_inside_repeats_come_to_an_end),
	  cmocka_unit_test(repeats_of_repeats_are_bounded))
