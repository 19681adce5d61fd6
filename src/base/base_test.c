#include "base/arena.h"
#include "base/buffer.h"
#include "base/byte_set.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "base/growth.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "base/reader.h"
#include "base/test.h"

#include <fcntl.h>
#include <errno.h>
#include <unistd.h>

static void slice_finds_and_trims(void **state)
{
	(void)state;
	struct slice s = SLICE("  Key: Value ");
	assert_slice(slice_trim(s), "Key: Value");
	assert_int_equal(slice_find_nocase(s, SLICE("VALUE"), 0), 7);
	assert_int_equal(slice_find(s, SLICE("absent"), 0), s.len);
	struct slice head;
	struct slice tail = slice_cut(SLICE("a=b=c"), '=', &head);
	assert_slice(head, "a");
	assert_slice(tail, "b=c");
}

/* At every place of a text, with near misses before it: 16 or 64 bytes are looked at together. */
static void slice_finds_wherever_it_stands(void **state)
{
	(void)state;
	static const struct slice needle = SLICE_INIT("nEedle:");
	uint8_t text[270];
	for (size_t len = needle.len; len <= sizeof(text); len++) {
		for (size_t at = 0; at + needle.len <= len; at++) {
			struct slice s = slice_make(text, len);
			for (size_t i = 0; i < len; i++)
				text[i] = (uint8_t) "n:"[i % 2];
			memcpy(text + at, "nEedle:", needle.len);
			assert_int_equal(slice_find(s, needle, 0), at);
			assert_int_equal(slice_find(s, needle, at), at);
			assert_int_equal(slice_find(s, needle, at + 1), len);
			assert_int_equal(slice_find(s, SLICE("needle:"), 0), len);
			assert_int_equal(slice_find_nocase(s, SLICE("NeeDLE:"), 0), at);
			assert_int_equal(slice_find_nocase(s, SLICE("NeeDLE\x1a"), 0), len);
		}
		assert_int_equal(slice_find(test_fenced(slice_make(text, len)), needle, 0), len - needle.len);
		assert_int_equal(slice_find(test_fenced(slice_make(text, len)), SLICE("n!"), 0), len);
	}
}

static void slices_end_alike(void **state)
{
	uint8_t bytes[300], others[200];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	memcpy(others, bytes + 100, sizeof(others));
	struct slice a = slice_make(bytes, sizeof(bytes)), b = slice_make(others, sizeof(others));
	assert_int_equal(slice_common_end(a, b), sizeof(others));
	assert_int_equal(slice_common_end(a, SLICE("")), 0);
	for (size_t i = 0; i < sizeof(others); i++) {
		others[i] ^= 1;
		assert_int_equal(slice_common_end(a, b), sizeof(others) - i - 1);
		assert_int_equal(slice_common_end(b, a), sizeof(others) - i - 1);
		others[i] ^= 1;
	}
}

/* At every length, and with every byte in every place: eight bytes are compared together. */
static void slice_compares_without_case(void **state)
{
	(void)state;
	static const char text[] = "Content-Type: [@A\xc1`{z]Z.aM";
	for (size_t len = 0; len < sizeof(text); len++) {
		uint8_t other[sizeof(text)];
		struct slice s = test_fenced(slice_make(text, len));
		memcpy(other, text, sizeof(text));
		assert_true(slice_equal_nocase(s, slice_make(other, len)));
		for (size_t at = 0; at < len; at++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				other[at] = (uint8_t)byte;
				assert_true(slice_equal_nocase(s, slice_make(other, len)) ==
					    (byte_lower((uint8_t)byte) == byte_lower((uint8_t)text[at])));
			}
			other[at] = (uint8_t)text[at];
		}
	}
}

static void buffer_writes_numbers(void **state)
{
	(void)state;
	struct buffer b = buffer_make(NULL);
	static const int64_t numbers[] = {0, 7, -1, 10, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buffer_number(&b, numbers[i]);
		buffer_byte(&b, ' ');
	}
	assert_true(slice_equal(buffer_slice(&b), SLICE("0 7 -1 10 9223372036854775807 -9223372036854775808 ")));
	buffer_free(&b);
}

static void reader_keeps_its_overrun(void **state)
{
	(void)state;
	struct reader r = reader_make(SLICE("ab"));
	reader_skip(&r, 1);
	assert_int_equal(reader_take(&r, 5).len, 1);
	assert_true(r.overrun);
	assert_int_equal(reader_byte(&r), 0);
	assert_int_equal(reader_peek(&r, 0), -1);
}

static void arena_refuses_past_its_cap(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 100 * 1024, 64 * 1024);
	for (int round = 0; round < 3; round++) {
		assert_non_null(arena_alloc(&arena, 60 * 1024));
		assert_null(arena_alloc(&arena, 60 * 1024));
		assert_true(arena.exhausted);
		arena_reset(&arena);
		assert_false(arena.exhausted);
	}
	assert_null(arena_zalloc(&arena, SIZE_MAX / 2, 4));
	arena_destroy(&arena);
}

static void arena_shrinks_the_newest(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1024, 1024);
	void *a = arena_alloc(&arena, 512);
	arena_shrink(&arena, a, 512, 10);
	assert_int_equal(arena_used_bytes(&arena), 16);
	arena_destroy(&arena);
}

/* Large things lie apart, so that small ones fill their block; all are whole. */
static void arena_that_lasts_is_dense(void **state)
{
	enum { THINGS = 50, SMALL = 64, LARGE = 3000 };
	(void)state;
	struct arena arena;
	uint8_t *things[2 * THINGS];
	arena_init_lasting(&arena);
	for (uint8_t i = 0; i < 2 * THINGS; i++) {
		things[i] = arena_alloc(&arena, i % 2 == 0 ? SMALL : LARGE);
		assert_non_null(things[i]);
		memset(things[i], i, i % 2 == 0 ? SMALL : LARGE);
	}
	int neighbours = 0;
	for (uint8_t i = 0; i < 2 * THINGS; i++) {
		assert_int_equal(things[i][0], i);
		assert_int_equal(things[i][(i % 2 == 0 ? SMALL : LARGE) - 1], i);
		neighbours += i >= 2 && i % 2 == 0 && things[i] == things[i - 2] + SMALL;
	}
	assert_true(neighbours > THINGS * 3 / 4);
	assert_int_equal(arena_used_bytes(&arena), THINGS * SMALL + THINGS * (LARGE + 8));
	arena_destroy(&arena);
}

/* What one arena needed serves the next; what nobody needs any more goes, but for what was there at the beginning. */
static void arena_reserve_goes_back_to_its_size(void **state)
{
	enum { MANY = 4 * 1024 * 1024, FIRST = 2, TIMES = 20000 };
	(void)state;
	struct arena_reserve *reserve;
	struct arena arena;
	uint8_t *large[FIRST + 1];
	assert_int_equal(arena_reserve_create(&reserve), 0);
	size_t at_first = arena_reserve_bytes(reserve);
	arena_init(&arena, SIZE_MAX, 0);
	arena.reserve = reserve;
	for (size_t i = 0; i <= FIRST; i++) {
		large[i] = arena_alloc(&arena, MANY);
		assert_non_null(large[i]);
		memset(large[i], 1, MANY);
	}
	arena_reset(&arena);
	assert_int_equal(arena_reserve_bytes(reserve), at_first + MANY);
	assert_ptr_equal(arena_alloc(&arena, MANY - 1000), large[FIRST]);
	assert_int_equal(arena_reserve_bytes(reserve), at_first);
	for (int i = 0; i < TIMES; i++) {
		arena_reset(&arena);
		assert_non_null(arena_alloc(&arena, 100));
		assert_non_null(arena_alloc(&arena, 40000));
	}
	arena_reset(&arena);
	assert_int_equal(arena_reserve_bytes(reserve), at_first);
	/* Those that stay have given back their pages. */
	assert_int_equal(large[0][MANY / 2], 0);
	arena_destroy(&arena);
	arena_reserve_free(reserve);
}

static void arena_reserve_lends(void **state)
{
	enum { HUGE_BYTES = 20 * 1024 * 1024 };
	(void)state;
	struct arena_reserve *reserve;
	size_t bytes;
	assert_int_equal(arena_reserve_create(&reserve), 0);
	size_t at_first = arena_reserve_bytes(reserve);
	uint8_t *a = arena_reserve_borrow(reserve, 100000, &bytes);
	assert_non_null(a);
	assert_true(bytes >= 100000 && arena_reserve_bytes(reserve) + bytes == at_first);
	memset(a, 1, bytes);
	uint8_t *b = arena_reserve_borrow(reserve, HUGE_BYTES, &bytes);
	assert_non_null(b);
	assert_true(bytes >= HUGE_BYTES && b != a);
	memset(b, 1, bytes);
	arena_reserve_return(reserve, a);
	arena_reserve_return(reserve, b);
	assert_int_equal(arena_reserve_bytes(reserve), at_first);
	assert_ptr_equal(arena_reserve_borrow(reserve, 90000, &bytes), a);
	arena_reserve_return(reserve, a);
	arena_reserve_free(reserve);
}

static void arena_extends_the_newest(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1024, 1024);
	assert_false(arena_extend(&arena, NULL, 0, 16));
	void *a = arena_alloc(&arena, 10);
	assert_true(arena_extend(&arena, a, 10, 100));
	assert_int_equal(arena_used_bytes(&arena), 112);
	assert_false(arena_extend(&arena, a, 100, 2000));
	void *b = arena_alloc(&arena, 16);
	assert_ptr_equal(b, (uint8_t *)a + 112);
	assert_false(arena_extend(&arena, a, 100, 120));
	assert_true(arena_extend(&arena, b, 16, 1024 - 112));
	assert_null(arena_alloc(&arena, 16));
	arena_destroy(&arena);
}

static void numbers_are_digits_within_bounds(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t most, number;
		bool good;
	} rows[] = {
		{"0", 0, 0, true},
		{"1", 0, 0, false},
		{"", 9, 0, false},
		{"007", 7, 7, true},
		{"8", 7, 0, false},
		{"10", 9, 0, false},
		{"-1", 9, 0, false},
		{"1 ", 9, 0, false},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
		{"18446744073709551616", UINT64_MAX, 0, false},
		{"99999999999999999999", UINT64_MAX, 0, false},
		{"4294967296", UINT32_MAX, 0, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t number = 77;
		assert_int_equal(slice_number(slice_from_string(rows[i].text), rows[i].most, &number), rows[i].good);
		assert_true(number == (rows[i].good ? rows[i].number : 77));
	}
}

static void caret_stands_below_the_character(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		unsigned column;
		const char *caret;
	} rows[] = {
		{"n\xc3\xa3o x", 6, "\n  n\xc3\xa3o x\n      ^\n"},
		{"\x01 x", 3, "\n  \\x01 x\n       ^\n"},
		{"x", 2, "\n  x\n   ^\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diagnostics list;
		diagnostics_init(&list);
		struct source_place place = {"f", 1, rows[i].column, slice_from_string(rows[i].line)};
		diagnostics_add(&list, DIAGNOSTIC_ERROR, place, NULL, "m");
		struct buffer out = buffer_make(NULL);
		diagnostic_format(list.first, &out);
		struct slice shown = slice_after(buffer_slice(&out), slice_find_byte(buffer_slice(&out), '\n', 0));
		assert_true(slice_equal(shown, slice_from_string(rows[i].caret)));
		buffer_free(&out);
		diagnostics_destroy(&list);
	}
}

static void diagnostic_shows_a_caret(void **state)
{
	(void)state;
	struct diagnostics list;
	diagnostics_init(&list);
	struct source_place place = {"rules.conf", 3, 5, SLICE("SecX\ton")};
	diagnostics_add(&list, DIAGNOSTIC_ERROR, place, "did you mean SecY?", "unknown \x1b[31m%s", "SecX");
	struct buffer out = buffer_make(NULL);
	diagnostic_format(list.first, &out);
	assert_slice(buffer_slice(&out), "rules.conf:3:5: error: unknown \\x1b[31mSecX\n"
					 "  SecX on\n"
					 "      ^\n"
					 "  hint: did you mean SecY?\n");
	assert_true(diagnostics_failed(&list));
	buffer_free(&out);
	diagnostics_destroy(&list);
}

static void diagnostic_shows_no_byte_that_is_no_text(void **state)
{
	(void)state;
	struct diagnostics list;
	diagnostics_init(&list);
	struct source_place place = {"", 0, 0,
				     SLICE("\xe6\x94\xbf\xff\xc2\x9b\xc0\xaf\xed\xa0\x80\xf0\x9f\x98\x80\xe6\x94")};
	diagnostics_add(&list, DIAGNOSTIC_ERROR, place, "", "bad");
	struct buffer out = buffer_make(NULL);
	diagnostic_format(list.first, &out);
	assert_slice(buffer_slice(&out), "error: bad\n  \xe6\x94\xbf\\xff\\xc2\\x9b\\xc0\\xaf\\xed\\xa0\\x80"
					 "\xf0\x9f\x98\x80\\xe6\\x94\n");
	buffer_free(&out);
	diagnostics_destroy(&list);
}

/* The reference vector of SipHash-1-3 has no official table; equality and case folding are what callers rely on. */
static void hash_folds_case_only_when_asked(void **state)
{
	(void)state;
	struct hash_key key = {1, 2};
	assert_true(hash_quick_nocase(&key, SLICE("Content-Type")) == hash_quick_nocase(&key, SLICE("content-type")));
	assert_false(hash_quick_nocase(&key, SLICE("[@")) == hash_quick_nocase(&key, SLICE("{`")));
	assert_false(hash_quick(&key, SLICE("Content-Type")) == hash_quick(&key, SLICE("content-type")));
	assert_false(hash_bytes(&key, SLICE("Content-Type")) == hash_bytes(&key, SLICE("content-type")));
	assert_false(hash_bytes(&key, SLICE("a")) == hash_bytes(&(struct hash_key){1, 3}, SLICE("a")));
	const uint64_t words[2] = {0x0123456789abcdef, 42};
	assert_true(hash_words(&key, words[0], words[1]) == hash_bytes(&key, slice_make(words, sizeof(words))));
}

static void file_read_is_bounded(void **state)
{
	(void)state;
	char path[] = "/tmp/guia-base-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(file_replace(path, SLICE("0123456789"), 0600), 0);
	struct buffer out = buffer_make(NULL);
	assert_int_equal(file_read(path, 10, &out), 0);
	assert_slice(buffer_slice(&out), "0123456789");
	assert_int_equal(file_read(path, 9, &out), -EFBIG);
	buffer_free(&out);
	assert_int_equal(file_read("/nonexistent/guia", 9, &out), -ENOENT);
	int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_read_at(folder, path + sizeof("/tmp/") - 1, 10, &out), 0);
	assert_slice(buffer_slice(&out), "0123456789");
	buffer_free(&out);
	close(folder);
	unlink(path);
	close(fd);
}

struct guess {
	const char *word;
	const char *name; /* NULL: none is near */
};

static void the_nearest_name_is_meant(void **state)
{
	(void)state;
	static const char *const names[] = {"rules", "response", "json", "server"};
	static const struct guess guesses[] = {
		{"rule", "rules"},
		{"ruels", "rules"},
		{"respones", "response"},
		{"RESPONSE", "response"},
		{"jsno", "json"},
		{"rulse", "rules"},
		{"x", NULL},
		{"verbose", NULL},
		{"json_json", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		struct nearest nearest = nearest_to(slice_from_string(guesses[i].word));
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			nearest_offer(&nearest, names[j]);
		if (guesses[i].name == NULL)
			assert_null(nearest.name);
		else
			assert_string_equal(nearest.name, guesses[i].name);
	}
}

static void a_set_of_bytes_is_found_anywhere(void **state)
{
	(void)state;
	uint8_t bytes[200];
	for (unsigned member = 0; member < 256; member++) {
		struct byte_set set = {0};
		byte_set_add(&set, (uint8_t)member);
		byte_set_add(&set, (uint8_t)(member * 7 + 3));
		for (unsigned other = 0; other < 256; other++) {
			bool has = other == member || other == (uint8_t)(member * 7 + 3);
			memset(bytes, (int)other, sizeof(bytes));
			assert_int_equal(byte_set_has(&set, (uint8_t)other), has);
			assert_int_equal(byte_set_find(&set, bytes, 70), has ? 0 : 70);
		}
	}
	struct byte_set set = {0};
	byte_set_add(&set, '\n');
	byte_set_add(&set, 0xe4);
	for (size_t at = 0; at < sizeof(bytes); at++) {
		memset(bytes, 'x', sizeof(bytes));
		bytes[at] = at % 2 == 0 ? '\n' : 0xe4;
		for (size_t count = 0; count <= sizeof(bytes); count++)
			assert_int_equal(byte_set_find(&set, bytes, count), at < count ? at : count);
	}
}

static void a_led_member_is_found_anywhere(void **state)
{
	(void)state;
	uint8_t bytes[200];
	struct byte_set set = {0};
	byte_set_add(&set, '#');
	byte_set_add(&set, 0xe4);
	for (size_t count = 0; count <= sizeof(bytes); count++) {
		for (size_t at = 0; at < count; at++) {
			memset(bytes, at % 3 == 0 ? '&' : '#', sizeof(bytes));
			bytes[at] = '&';
			if (at + 1 < sizeof(bytes))
				bytes[at + 1] = at % 2 == 0 ? '#' : 0xe4;
			struct slice s =
				at + 2 >= count ? test_fenced(slice_make(bytes, count)) : slice_make(bytes, count);
			assert_int_equal(byte_set_find_led(&set, '&', s.ptr, count, 0), at + 1 < count ? at : count);
			assert_int_equal(byte_set_find_led(&set, '&', s.ptr, count, at), at + 1 < count ? at : count);
			assert_int_equal(byte_set_find_led(&set, '&', s.ptr, count, at + 1), count);
		}
		assert_int_equal(byte_set_find_led(&set, '!', bytes, count, 0), count);
		assert_int_equal(byte_set_find_led(&set, '&', bytes, count, count + 1), count);
	}
}

static void only_what_came_since_is_growth(void **state)
{
	static const uint64_t sums[][2] = {{500, 0}, {500, 0}, {503, 3}, {2, 0}, {4, 2}, {0, 0}, {1, 1}};
	struct growth growth = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		assert_int_equal(growth_since(&growth, sums[i][0]), sums[i][1]);
}

TEST_MAIN(cmocka_unit_test(only_what_came_since_is_growth), cmocka_unit_test(numbers_are_digits_within_bounds),
	  cmocka_unit_test(caret_stands_below_the_character), cmocka_unit_test(slice_finds_and_trims),
	  cmocka_unit_test(slice_finds_wherever_it_stands), cmocka_unit_test(slices_end_alike),
	  cmocka_unit_test(slice_compares_without_case), cmocka_unit_test(buffer_writes_numbers),
	  cmocka_unit_test(reader_keeps_its_overrun), cmocka_unit_test(arena_refuses_past_its_cap),
	  cmocka_unit_test(arena_shrinks_the_newest), cmocka_unit_test(arena_that_lasts_is_dense),
	  cmocka_unit_test(arena_reserve_goes_back_to_its_size), cmocka_unit_test(arena_reserve_lends),
	  cmocka_unit_test(arena_extends_the_newest), cmocka_unit_test(diagnostic_shows_a_caret),
	  cmocka_unit_test(diagnostic_shows_no_byte_that_is_no_text), cmocka_unit_test(hash_folds_case_only_when_asked),
	  cmocka_unit_test(file_read_is_bounded), cmocka_unit_test(the_nearest_name_is_meant),
	  cmocka_unit_test(a_set_of_bytes_is_found_anywhere), cmocka_unit_test(a_led_member_is_found_anywhere))
