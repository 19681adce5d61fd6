#include "base/test.h"
#include "match/phrases.h"

static struct phrases *compiled_kept(const struct phrase_list *list)
{
	struct phrases *phrases = NULL;
	assert_int_equal(phrases_compile(list, &phrases), 0);
	return phrases;
}

static struct phrases *compiled(struct phrase_list *list)
{
	struct phrases *phrases = compiled_kept(list);
	phrase_list_free(list);
	return phrases;
}

static struct phrases *of_argument(const char *argument)
{
	struct phrase_list list = {0};
	assert_int_equal(phrase_list_add_argument(&list, slice_from_string(argument)), 0);
	return compiled(&list);
}

static void the_argument_is_words_hex_and_escapes(void **state)
{
	(void)state;
	static const struct {
		const char *argument;
		size_t count;
		const char *first, *last;
	} rows[] = {
		{"a b  c", 3, "a", "c"},
		{" \t\"one two\"", 2, "one", "two"},
		{"\"open", 1, "\"open", "\"open"},
		{"a|41 42|c", 1, "aABc", "aABc"},
		{"|4|1", 1, "1", "1"},
		{"a|20|b", 2, "a", "b"},
		{"x\\:y \\;\\\\\\\"", 2, "x:y", ";\\\""},
		{"a\\b c|41|", 2, "a\\b", "c|41|"},
		{"", 0, "", ""},
		{"\"\"", 0, "", ""},
		{"A a", 1, "A", "A"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct phrases *p = of_argument(rows[i].argument);
		assert_int_equal(phrases_count(p), rows[i].count);
		if (rows[i].count > 0) {
			assert_true(slice_equal(phrases_at(p, 0), slice_from_string(rows[i].first)));
			assert_true(slice_equal(phrases_at(p, rows[i].count - 1), slice_from_string(rows[i].last)));
		}
		assert_int_equal(phrases_at(p, rows[i].count).len, 0);
		phrases_free(p);
	}
}

static void a_file_is_lines_and_comments(void **state)
{
	(void)state;
	struct phrase_list list = {0};
	struct slice content = SLICE("# note\n\n  # too\none two \n \n\tx\r\nlast#1");
	assert_int_equal(phrase_list_add_file(&list, content), 0);
	struct phrases *p = compiled(&list);
	assert_int_equal(phrases_count(p), 4);
	assert_slice(phrases_at(p, 0), "one two ");
	assert_slice(phrases_at(p, 1), " ");
	assert_slice(phrases_at(p, 2), "\tx\r");
	assert_slice(phrases_at(p, 3), "last#1");
	phrases_free(p);
}

static void assert_match(const char *argument, struct slice value, const char *text, size_t end)
{
	struct phrases *p = of_argument(argument);
	struct phrase_match m;
	assert_true(phrases_match(p, test_fenced(value), &m));
	assert_true(slice_equal(m.text, slice_from_string(text)));
	assert_int_equal(m.end, end);
	assert_int_equal(m.start, end - m.text.len);
	assert_true(phrases_match(p, value, NULL));
	phrases_free(p);
}

static void the_match_is_told_as_modsecurity_does(void **state)
{
	(void)state;
	assert_match("Union select", SLICE("1 uNION SELECT"), "Union", 7);
	assert_match("abcd bc", SLICE("xabcx"), "abc", 4);
	assert_match("ABCd abc", SLICE("abc"), "ABC", 3);
	assert_match("he she hers", SLICE("ushers"), "she", 4);
	assert_match("abcde bcz cdq", SLICE("abcdq"), "cdq", 5);
	assert_match("\xc3\xa9 x", SLICE("caf\xc3\xa9"), "\xc3\xa9", 5);
	assert_match("\xff", SLICE("\xff"), "\xff", 1);
	struct phrases *p = of_argument("abc");
	assert_false(phrases_match(p, SLICE("ab ac"), NULL));
	assert_false(phrases_match(p, slice_make(NULL, 0), NULL));
	phrases_free(p);
	p = of_argument("");
	assert_false(phrases_match(p, SLICE("abc"), NULL));
	phrases_free(p);
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % bound;
}

/* Of `least` to `most` bytes. */
static struct slice random_text(struct slice alphabet, uint8_t *bytes, uint32_t least, uint32_t most)
{
	size_t len = least + random_below(most - least + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = alphabet.ptr[random_below((uint32_t)alphabet.len)];
	return slice_make(bytes, len);
}

/* The end of the match that ends first, by trying every phrase at every place; SIZE_MAX if none. */
static size_t plain_end(const struct phrase_list *list, struct slice value)
{
	for (size_t end = 1; end <= value.len; end++)
		for (size_t i = 0; i < list->count; i++)
			if (list->items[i].len <= end &&
			    slice_equal_nocase(slice_sub(value, end - list->items[i].len, end), list->items[i]))
				return end;
	return SIZE_MAX;
}

static size_t plain_start(const struct phrase_list *list, struct slice value, size_t end)
{
	for (size_t start = 0; start < end; start++)
		for (size_t i = 0; i < list->count; i++)
			if (slice_starts_with_nocase(list->items[i], slice_sub(value, start, end)))
				return start;
	return end;
}

static bool agrees_with_plain_search(const struct phrase_list *list, const struct phrases *p, struct slice value)
{
	size_t end = plain_end(list, value);
	struct phrase_match m = {.end = SIZE_MAX};
	assert_int_equal(phrases_match(p, value, &m), end != SIZE_MAX);
	assert_int_equal(m.end, end);
	assert_int_equal(m.start, end == SIZE_MAX ? 0 : plain_start(list, value, end));
	return end != SIZE_MAX;
}

static void random_lists_agree_with_plain_search(void **state)
{
	(void)state;
	const struct slice few = SLICE("aAbBc\0");
	size_t hits = 0;
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[64];
		struct phrase_list list = {0};
		for (uint32_t i = random_below(6); i > 0; i--)
			assert_int_equal(phrase_list_add(&list, random_text(few, bytes, 0, 7)), 0);
		struct phrases *p = compiled_kept(&list);
		hits += agrees_with_plain_search(&list, p, random_text(few, bytes, 0, 30));
		phrases_free(p);
		phrase_list_free(&list);
	}
	assert_in_range(hits, 2000, 18000);
}

/* Puts a phrase of the list into the value, or all of it but an end. */
static void plant(const struct phrase_list *list, uint8_t *bytes, size_t len)
{
	struct slice phrase = list->items[random_below((uint32_t)list->count)];
	struct slice part = slice_sub(phrase, random_below(2), phrase.len - random_below(2));
	if (part.len <= len)
		memcpy(bytes + random_below((uint32_t)(len - part.len + 1)), part.ptr, part.len);
}

static void phrases_of_three_bytes_and_more_are_found_wherever_they_stand(void **state)
{
	(void)state;
	const struct slice alphabet = SLICE("aAbBcdefgh/");
	size_t hits = 0;
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[400];
		struct phrase_list list = {0};
		for (uint32_t i = 1 + random_below(8); i > 0; i--)
			assert_int_equal(phrase_list_add(&list, random_text(alphabet, bytes, 3 + random_below(9), 40)),
					 0);
		struct phrases *p = compiled_kept(&list);
		struct slice value = random_text(alphabet, bytes, 0, sizeof(bytes));
		for (uint32_t i = random_below(4); i > 0; i--)
			plant(&list, bytes, value.len);
		hits += agrees_with_plain_search(&list, p, test_fenced(value));
		phrases_free(p);
		phrase_list_free(&list);
	}
	assert_in_range(hits, 2000, 18000);
}

TEST_MAIN(cmocka_unit_test(the_argument_is_words_hex_and_escapes), cmocka_unit_test(a_file_is_lines_and_comments),
	  cmocka_unit_test(the_match_is_told_as_modsecurity_does),
	  cmocka_unit_test(random_lists_agree_with_plain_search),
	  cmocka_unit_test(phrases_of_three_bytes_and_more_are_found_wherever_they_stand))
