#include "codec/url.h"

#include "base/test.h"
#include "base/word.h"

enum { ROUNDS = 40000, BYTES_MOST = 400 };

static uint32_t below(uint64_t *state, uint32_t bound)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*state >> 33) % bound);
}

static int digit(struct slice in, size_t at)
{
	uint8_t c = at < in.len ? in.ptr[at] : 0;
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

static bool is_pair(struct slice in, size_t at)
{
	return digit(in, at) >= 0 && digit(in, at + 1) >= 0;
}

static uint8_t pair(struct slice in, size_t at)
{
	return (uint8_t)(digit(in, at) << 4 | digit(in, at + 1));
}

/* As the header says, byte by byte; without full-width letters. */
static size_t unescape_plainly(enum url_escapes escapes, struct slice in, uint8_t *out, bool *invalid)
{
	size_t len = 0;
	for (size_t at = 0; at < in.len;) {
		uint8_t c = in.ptr[at];
		if (c == '%' && is_pair(in, at + 1)) {
			out[len++] = pair(in, at + 1);
			at += 3;
		} else if (c == '%' && escapes == URL_UNICODE && at + 1 < in.len && (in.ptr[at + 1] | 0x20) == 'u' &&
			   is_pair(in, at + 2) && is_pair(in, at + 4)) {
			out[len++] = pair(in, at + 4);
			at += 6;
		} else {
			*invalid |= c == '%';
			out[len++] = escapes != URL_PERCENT && c == '+' ? ' ' : c;
			at++;
		}
	}
	return len;
}

/* Mostly escapes, or mostly text, and what is nearly one. */
static struct slice random_text(uint64_t *state, uint8_t *bytes)
{
	static const char *const parts[] = {
		"%41",    "%e4%bd%a0", "%",    "%%41",
		"%4",     "%u0041",    "%U12", "+",
		"plain ", "%zz",       "u",    "%F0%9f",
		"4",      "%u00",      "%2B+", "longer text without any of these in it, at all ",
		"\xff"};
	uint32_t kinds = 1 + below(state, sizeof(parts) / sizeof(parts[0]));
	size_t len = 0, most = below(state, BYTES_MOST);
	while (len < most) {
		const char *part = parts[below(state, kinds)];
		for (size_t i = 0; part[i] != 0 && len < most; i++)
			bytes[len++] = (uint8_t)part[i];
	}
	return slice_make(bytes, len);
}

static void texts_are_unescaped_as_byte_by_byte(void **state)
{
	(void)state;
	uint64_t random = 7;
	static uint8_t bytes[BYTES_MOST], out[BYTES_MOST], expected[BYTES_MOST];
	for (size_t n = 0; n < ROUNDS; n++) {
		enum url_escapes escapes = (enum url_escapes)(n % 3);
		struct slice in = random_text(&random, bytes);
		bool invalid = false, expected_invalid = false;
		in = n % 256 == 0 ? test_fenced(in) : in;
		size_t len = url_unescape(escapes, NULL, in, out, &invalid);
		size_t expected_len = unescape_plainly(escapes, in, expected, &expected_invalid);
		assert_int_equal(len, expected_len);
		assert_memory_equal(out, expected, len);
		assert_int_equal(invalid, expected_invalid);
	}
}

static void what_is_no_escape_is_found(void **state)
{
	(void)state;
	uint64_t random = 8;
	static uint8_t bytes[BYTES_MOST];
	for (size_t n = 0; n < ROUNDS; n++) {
		struct slice in = random_text(&random, bytes);
		size_t expected = 0;
		while (expected < in.len && (in.ptr[expected] != '%' || is_pair(in, expected + 1)))
			expected++;
		assert_int_equal(url_find_unsound(n % 256 == 0 ? test_fenced(in) : in, 0), expected);
	}
}

/* What is written stays within the input's length. */
static void no_byte_is_written_behind_the_room(void **state)
{
	(void)state;
	static uint8_t bytes[BYTES_MOST];
	for (size_t len = 60; len < 260; len++) {
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t) "%41"[i % 3];
		struct slice room = test_fenced(slice_make(bytes, len));
		bool invalid = false;
		size_t made =
			url_unescape(URL_FORM, NULL, slice_make(bytes, len), (uint8_t *)(uintptr_t)room.ptr, &invalid);
		assert_int_equal(made, len / 3 + len % 3);
	}
}

TEST_MAIN(cmocka_unit_test(texts_are_unescaped_as_byte_by_byte), cmocka_unit_test(what_is_no_escape_is_found),
	  cmocka_unit_test(no_byte_is_written_behind_the_room))
