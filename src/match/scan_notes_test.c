#include "base/error.h"
#include "base/test.h"
#include "match/regex.h"
#include "match/scan_internal.h"
#include "match/test_scan_cache.h"

static const char *const various[] = {
	"union\\s+(?:all\\s+)?select",
	"etc/(?:passwd|shadow)",
	"<script[^>]*>",
	"\\bor\\b\\s+\\d+=\\d+",
	"sleep\\s*\\(",
	"(?i)javascript:",
	"^[a-z]+$",
	"\\.\\./",
	"['\"]\\s*;",
	"[^\\x20-\\x7e]",
	"(?:a|b)*c{2,5}d",
	"\\$\\{.*\\}",
	"x(?=y)",
	"/\\*.*?\\*/",
	"(?:cmd|power)shell",
	"\\bexec\\s+xp_",
	"[\\n\\r]+\\s*set-cookie",
	"^(?:get|post)\\s",
	"\\w+\\s*=\\s*\\w+;$",
	"onload\\s*=",
};
enum { VARIOUS = sizeof(various) / sizeof(various[0]) };

static struct scan_builder *builder_of_various(void)
{
	struct scan_builder *builder;
	assert_int_equal(scan_builder_create(NULL, &builder), 0);
	for (uint32_t i = 0; i < VARIOUS; i++)
		assert_int_equal(scan_builder_add_regex(builder, i, slice_from_string(various[i]), 0), 0);
	return builder;
}

static struct scan_cache_key key_of_various(void)
{
	struct scan_builder *builder = builder_of_various();
	struct scan_cache_key key;
	hs_platform_info_t platform = {0};
	hs_populate_platform(&platform);
	assert_int_equal(scan_store_notes_key(builder, &platform, &key), 0);
	scan_builder_free(builder);
	return key;
}

static struct scan_set *compile_various(const struct scan_cache *cache)
{
	struct scan_builder *builder = builder_of_various();
	struct scan_set *set = NULL;
	assert_int_equal(scan_set_compile(builder, cache, &told, &set), 0);
	scan_builder_free(builder);
	return set;
}

static uint64_t found_in(const struct scan_set *set, struct slice value)
{
	struct scan_scratch *scratch;
	uint64_t bits = 0;
	assert_int_equal(scan_scratch_create(&scratch), 0);
	assert_int_equal(scan_scratch_fit(scratch, set), 0);
	assert_true(scan_run(set, scratch, value, NULL, &bits) >= 0);
	scan_scratch_free(scratch);
	return bits;
}

/* A set that was read finds what the one finds that was made, in short values and in long ones. */
static void what_was_noted_finds_the_same(void **state)
{
	(void)state;
	static const char *const values[] = {
		"1 UNION  all select",
		"../../etc/passwd",
		"<script src=x>",
		"or 1=1",
		"abcccd",
		"shell powershell",
		"xy",
		"get / ${jndi:x}",
		"'; exec xp_",
		"a = b;",
		"",
		"\xff",
		"\nset-cookie: a",
		"plain",
	};
	struct scan_cache *cache = opened();
	struct scan_set *made = compile_various(cache), *noted = compile_various(cache);
	struct buffer longer = buffer_make(NULL);
	assert_false(scan_set_facts(made).noted);
	assert_true(scan_set_facts(noted).noted);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct slice value = slice_from_string(values[i]);
		buffer_clear(&longer);
		for (unsigned k = 0; k < 600; k++)
			buffer_text(&longer, "plain text ");
		buffer_add(&longer, value);
		assert_int_equal(found_in(made, value), found_in(noted, value));
		assert_int_equal(found_in(made, buffer_slice(&longer)), found_in(noted, buffer_slice(&longer)));
	}
	assert_int_equal(told.warnings, 0);
	buffer_free(&longer);
	scan_set_free(made);
	scan_set_free(noted);
	scan_cache_close(cache);
}

/* What a digest holds for all the same: notes that end too soon, or too late. */
static void notes_that_do_not_fit_are_made_anew(void **state)
{
	(void)state;
	struct scan_cache *cache = opened();
	struct scan_set *set = compile_various(cache);
	const struct scan_cache_key key = key_of_various();
	struct buffer sound = buffer_make(NULL);
	scan_set_free(set);
	assert_int_equal(scan_cache_load(cache, &key, &told, &sound), 1);
	buffer_byte(&sound, 0);
	for (size_t i = 0; i < 103; i++) {
		size_t len = i < 101 ? sound.len * i / 101 : i == 101 ? sound.len - 2 : sound.len;
		assert_int_equal(scan_cache_store(cache, &key, slice_make(sound.ptr, len), &told), 0);
		for (unsigned start = 0; start < 2; start++) {
			set = compile_various(cache);
			assert_int_equal(scan_set_facts(set).noted, start == 1);
			assert_int_equal(found_in(set, SLICE("or 1=1")), 1 << 3);
			scan_set_free(set);
		}
	}
	assert_int_equal(told.warnings, 0);
	buffer_free(&sound);
	scan_cache_close(cache);
}

static void few_patterns_have_no_notes(void **state)
{
	(void)state;
	struct scan_cache *cache = opened();
	for (unsigned start = 0; start < 2; start++) {
		struct scan_builder *builder;
		struct scan_set *set = NULL;
		assert_int_equal(scan_builder_create(NULL, &builder), 0);
		assert_int_equal(scan_builder_add_regex(builder, 0, SLICE("^site[0-9]+$"), 0), 0);
		assert_int_equal(scan_set_compile(builder, cache, &told, &set), 0);
		assert_false(scan_set_facts(set).noted);
		assert_int_equal(found_in(set, SLICE("site17")), 1);
		scan_set_free(set);
		scan_builder_free(builder);
	}
	scan_cache_close(cache);
}

static struct scan_cache_key key_of(const char *text, uint32_t id, unsigned flags, unsigned long long features)
{
	struct scan_builder *builder;
	struct scan_cache_key key;
	const hs_platform_info_t platform = {.cpu_features = features};
	assert_int_equal(scan_builder_create(NULL, &builder), 0);
	assert_int_equal(scan_builder_add_regex(builder, id, slice_from_string(text), flags), 0);
	assert_int_equal(scan_store_notes_key(builder, &platform, &key), 0);
	scan_builder_free(builder);
	return key;
}

static void all_that_matters_is_in_the_key(void **state)
{
	(void)state;
	const struct scan_cache_key key = key_of("a", 1, 0, 0);
	const struct scan_cache_key same = key_of("a", 1, 0, 0);
	const struct scan_cache_key others[] = {key_of("b", 1, 0, 0), key_of("a", 2, 0, 0),
						key_of("a", 1, REGEX_CASELESS, 0),
						key_of("a", 1, 0, HS_CPU_FEATURES_AVX2)};
	assert_memory_equal(&key, &same, sizeof(key));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_memory_not_equal(&key, &others[i], sizeof(key));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

TEST_MAIN(IN_A_FOLDER(what_was_noted_finds_the_same), IN_A_FOLDER(notes_that_do_not_fit_are_made_anew),
	  IN_A_FOLDER(few_patterns_have_no_notes), cmocka_unit_test(all_that_matters_is_in_the_key))
