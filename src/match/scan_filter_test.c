#include "match/scan_filter.h"

#include "base/test.h"

static const char *const literals[] = {
	"abc", "<sc", "exec", "union", "/etc/passwd", "select from", "\xe6\xbe\xb3\xe9", "xp_cmdshell"};

static int set_up(void **state)
{
	size_t count = sizeof(literals) / sizeof(literals[0]);
	struct scan_filter *filter;
	if (scan_filter_create(count, &filter) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		scan_filter_add(filter, slice_from_string(literals[i]));
	*state = filter;
	return 0;
}

static int tear_down(void **state)
{
	scan_filter_free(*state);
	return 0;
}

/* In values of every length, in whichever case: a filter may say yes too often, never no. */
static void each_literal_is_held_wherever_it_stands(void **state)
{
	uint8_t text[60];
	for (size_t k = 0; k < sizeof(literals) / sizeof(literals[0]); k++) {
		struct slice literal = slice_from_string(literals[k]);
		for (size_t len = literal.len; len <= sizeof(text); len++) {
			for (size_t at = 0; at + literal.len <= len; at++) {
				memset(text, 'q', len);
				for (size_t i = 0; i < literal.len; i++)
					text[at + i] = i % 2 == 0 && byte_is_alpha(literal.ptr[i])
							       ? (uint8_t)(literal.ptr[i] ^ 0x20)
							       : literal.ptr[i];
				struct slice value = slice_make(text, len);
				bool last = at + literal.len == len;
				assert_true(scan_filter_may_hold(*state, last ? test_fenced(value) : value));
			}
		}
	}
}

static void plain_text_is_mostly_passed(void **state)
{
	size_t held = 0;
	uint32_t seed = 1;
	for (size_t n = 0; n < 2000; n++) {
		uint8_t text[24];
		size_t len = n % (sizeof(text) + 1);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = (uint8_t)('d' + (seed >> 16) % 20);
		}
		held += scan_filter_may_hold(*state, test_fenced(slice_make(text, len)));
	}
	assert_in_range(held, 0, 100);
	assert_true(scan_filter_may_hold(*state, slice_make((uint8_t[300]){0}, 300)));
}

/* From every place on, in every form; only behind the end may one see what another does not. */
static void all_forms_tell_the_same_places(void **state)
{
	uint8_t text[90];
	uint32_t seed = 7;
	size_t held = 0;
	for (size_t n = 0; n < 2000; n++) {
		size_t len = n % (sizeof(text) + 1);
		for (size_t i = 0; i < len; i++)
			text[i] = (uint8_t) "abcexsu/<"[(seed = seed * 1664525 + 1013904223) >> 16 & 7];
		struct slice literal = slice_from_string(literals[n % (sizeof(literals) / sizeof(literals[0]))]);
		if (literal.len <= len)
			memcpy(text + n % (len - literal.len + 1), literal.ptr, literal.len);
		struct slice value = test_fenced(slice_make(text, len));
		size_t at = n % 5;
		size_t plain = scan_filter_next_by(SCAN_FILTER_PLAINLY, *state, value, at);
		for (enum scan_filter_form form = SCAN_FILTER_BY_8; form <= SCAN_FILTER_BY_16; form++) {
			if (!scan_filter_form_is_possible(form))
				continue;
			size_t place = scan_filter_next_by(form, *state, value, at);
			if (place == SIZE_MAX || place + 4 <= len)
				assert_int_equal(place, plain);
			else
				assert_true(plain == SIZE_MAX || plain >= place);
		}
		held += plain != SIZE_MAX;
	}
	assert_in_range(held, 1000, 1999);
}

static void a_value_is_dense_where_literals_stand_all_over_it(void **state)
{
	uint8_t text[1024];
	memset(text, 'q', sizeof(text));
	assert_false(scan_filter_is_dense(*state, slice_make(text, 256), 12));
	for (size_t i = 0; i < 20; i += 5)
		memcpy(text + i, "union", 5);
	assert_false(scan_filter_is_dense(*state, test_fenced(slice_make(text, sizeof(text))), 12));
	for (size_t i = 0; i + 5 <= sizeof(text); i += 5)
		memcpy(text + i, "union", 5);
	assert_true(scan_filter_is_dense(*state, test_fenced(slice_make(text, sizeof(text))), 12));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN(TEST(each_literal_is_held_wherever_it_stands), TEST(plain_text_is_mostly_passed),
	  TEST(all_forms_tell_the_same_places), TEST(a_value_is_dense_where_literals_stand_all_over_it))
