/* The search for words against one that looks everywhere. */
#include "match/seek.h"

#include "base/test.h"
#include "match/test_generate.h"

enum { VALUE_BYTES = 2000, TEXT_BYTES = 20 };

struct told {
	const struct seek_word *words;
	size_t at[SEEK_WORDS_MAX][VALUE_BYTES / 8];
	size_t counts[SEEK_WORDS_MAX];
	size_t most; /* ends the search */
	size_t count;
};

static bool on_hit(void *context, const struct seek_word *word, size_t at)
{
	struct told *told = context;
	size_t i = (size_t)(word - told->words);
	assert_in_range(told->counts[i], 0, VALUE_BYTES / 8 - 1);
	told->at[i][told->counts[i]++] = at;
	return ++told->count == told->most;
}

static struct seeker seeker_of(struct seek_word *words, size_t count)
{
	struct seeker seeker = {.count = count};
	qsort(words, count, sizeof(*words), seek_word_order);
	for (size_t i = 0; i < count; i++)
		seeker.words[i] = &words[i];
	seeker_make(&seeker);
	return seeker;
}

static size_t places_of(struct slice value, struct slice text)
{
	size_t count = 0;
	for (size_t at = 0; at + text.len <= value.len; at++)
		count += slice_equal_nocase(slice_sub(value, at, at + text.len), text);
	return count;
}

static void check_all_told(const struct told *told, const struct seek_word *words, size_t count, struct slice value)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(told->counts[i], places_of(value, words[i].text));
		for (size_t k = 0; k < told->counts[i]; k++) {
			size_t at = told->at[i][k];
			assert_true(slice_equal_nocase(slice_sub(value, at, at + words[i].text.len), words[i].text));
			assert_true(k == 0 || told->at[i][k - 1] < at);
		}
	}
}

static void words_are_found_wherever_they_stand(void **state)
{
	static const char *const texts[] = {"<?=",  "abc", "ora-", "java.", "\xff\xfe\xfd", "clonetransformer",
					    "[{@`", "a\0b"};
	enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
	struct seek_word words[COUNT];
	(void)state;
	if (!seek_is_possible())
		return;
	for (size_t i = 0; i < COUNT; i++)
		words[i] =
			seek_word_make(slice_make(texts[i], texts[i][1] == 0 ? 3 : strlen(texts[i])), (uint32_t)i, 0);
	struct seeker seeker = seeker_of(words, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		for (size_t len = words[i].text.len; len < 200; len += len < 150 ? 1 : 7) {
			for (size_t at = 0; at + words[i].text.len <= len; at += 1 + at % 3) {
				uint8_t bytes[200];
				static struct told told;
				memset(&told, 0, sizeof(told));
				told.words = words;
				memset(bytes, 'q', len);
				memcpy(bytes + at, words[i].text.ptr, words[i].text.len);
				bytes[at] ^= byte_is_alpha(bytes[at]) ? 0x20 : 0;
				struct slice value = slice_make(bytes, len);
				value = at + words[i].text.len == len ? test_fenced(value) : value;
				assert_true(seeker_run(&seeker, value, on_hit, &told));
				assert_true(told.count == 1 && told.counts[i] == 1 && told.at[i][0] == at);
			}
		}
	}
}

/* Bytes of few kinds, so that windows are met often and words now and then; some that differ in one bit. */
static uint8_t draw(struct test_random *r, unsigned kinds)
{
	static const uint8_t bytes[] = "aAkKbcde[{@`\0 \x20\xe1\xc1\x81\x01qrstuvwxyz0123456789.,-_/<>=\"'";
	return kinds > sizeof(bytes) - 1 ? (uint8_t)test_random_below(r, 256) : bytes[test_random_below(r, kinds)];
}

static void nothing_is_missed_or_made_up(void **state)
{
	static struct told told;
	static uint8_t texts[SEEK_WORDS_MAX][TEXT_BYTES], bytes[VALUE_BYTES];
	struct seek_word words[SEEK_WORDS_MAX];
	struct test_random random = {5};
	size_t whole = 0, found = 0;
	(void)state;
	for (size_t round = 0; seek_is_possible() && round < 1500; round++) {
		size_t count = 1 + test_random_below(&random, round % 4 == 0 ? SEEK_WORDS_MAX : 12);
		unsigned kinds = 8 + test_random_below(&random, 60);
		size_t len = test_random_below(&random, VALUE_BYTES);
		for (size_t i = 0; i < count; i++) {
			size_t text = SEEK_WORD_LEAST + test_random_below(&random, TEXT_BYTES - SEEK_WORD_LEAST);
			for (size_t k = 0; k < text; k++)
				texts[i][k] = byte_lower(draw(&random, kinds));
			words[i] = seek_word_make(slice_make(texts[i], text), (uint32_t)i, 0);
		}
		for (size_t i = 0; i < len; i++)
			bytes[i] = draw(&random, kinds);
		for (size_t n = test_random_below(&random, 6); n > 0; n--) {
			const struct slice text = words[test_random_below(&random, (uint32_t)count)].text;
			if (text.len < len)
				memcpy(bytes + test_random_below(&random, (uint32_t)(len - text.len)), text.ptr,
				       text.len);
		}
		memset(&told, 0, sizeof(told));
		told.words = words;
		struct seeker seeker = seeker_of(words, count);
		struct slice value = slice_make(bytes, len);
		if (!seeker_run(&seeker, value, on_hit, &told))
			continue;
		check_all_told(&told, words, count, value);
		whole++;
		found += told.count;
	}
	assert_true(!seek_is_possible() || (whole > 300 && found > 1000));
}

static void it_gives_up_where_words_are_everywhere(void **state)
{
	static struct told told;
	uint8_t bytes[1200];
	struct seek_word words[] = {seek_word_make(SLICE("abcdef"), 0, 0), seek_word_make(SLICE("cdefab"), 1, 0)};
	(void)state;
	if (!seek_is_possible())
		return;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)("abcdef"[i % 6]);
	struct seeker seeker = seeker_of(words, 2);
	told.words = words;
	assert_false(seeker_run(&seeker, slice_make(bytes, sizeof(bytes)), on_hit, &told));
	memset(&told, 0, sizeof(told));
	told.words = words;
	told.most = 3;
	assert_true(seeker_run(&seeker, slice_make(bytes, sizeof(bytes)), on_hit, &told));
	assert_int_equal(told.count, 3);
}

TEST_MAIN(cmocka_unit_test(words_are_found_wherever_they_stand), cmocka_unit_test(nothing_is_missed_or_made_up),
	  cmocka_unit_test(it_gives_up_where_words_are_everywhere))
