#include "wire/fingerprint.h"

#include "base/test.h"

static const struct hash_key key = {1, 2};

static struct fingerprint of(const char *const lines[][2], size_t count)
{
	struct fingerprint f = {0};
	for (size_t i = 0; i < count; i++)
		fingerprint_add(&f, &key, slice_from_string(lines[i][0]), slice_from_string(lines[i][1]));
	return f;
}

static void test_every_header_has_its_bit_in_any_case(void **state)
{
	(void)state;
	for (unsigned i = FINGERPRINT_OTHER + 1; i < FINGERPRINT_HEADERS; i++) {
		char name[64];
		struct fingerprint f = {0}, upper = {0}, longer = {0};
		snprintf(name, sizeof(name), "%s", fingerprint_header_name(i));
		fingerprint_add(&f, &key, test_fenced(slice_from_string(name)), SLICE("v"));
		assert_int_equal(f.present, UINT32_C(1) << i);
		for (char *c = name; *c != '\0'; c++)
			*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
		fingerprint_add(&upper, &key, slice_from_string(name), SLICE("v"));
		assert_int_equal(upper.present, f.present);
		assert_true(upper.shape != f.shape); /* who writes it so is another tool */
		strcat(name, "x");
		fingerprint_add(&longer, &key, slice_from_string(name), SLICE("v"));
		assert_int_equal(longer.present, UINT32_C(1) << FINGERPRINT_OTHER);
	}
	struct fingerprint empty = {0};
	fingerprint_add(&empty, &key, SLICE(""), SLICE(""));
	assert_int_equal(empty.present, 1);
	assert_int_equal(empty.headers, 1);
}

static void test_order_counts_and_values_do_not(void **state)
{
	static const char *const one[][2] = {{"Host", "a"}, {"User-Agent", "x"}, {"Accept", "*/*"}};
	static const char *const other[][2] = {{"Host", "b"}, {"User-Agent", "y"}, {"Accept", "text/html"}};
	static const char *const turned[][2] = {{"Host", "a"}, {"Accept", "*/*"}, {"User-Agent", "x"}};
	static const char *const more[][2] = {{"Host", "a"}, {"User-Agent", "x"}, {"Accept", "*/*"}, {"X", "1"}};
	(void)state;
	struct fingerprint a = of(one, 3), b = of(other, 3), c = of(turned, 3), d = of(more, 4);
	assert_true(a.shape == b.shape);
	assert_true(a.agent != b.agent);
	assert_true(a.accept != b.accept);
	assert_true(a.shape != c.shape);
	assert_true(a.present == c.present);
	assert_true(a.agent == c.agent);
	assert_true(a.shape != d.shape);
	assert_true(a.language == 0);
	assert_true(a.agent == fingerprint_text(&key, SLICE("x")));
	assert_true(fingerprint_text(&key, SLICE("")) != 0);
}

static void test_names_of_arguments(void **state)
{
	(void)state;
	assert_int_equal(fingerprint_query(&key, SLICE("")), 0);
	uint64_t two = fingerprint_query(&key, SLICE("a=1&b=2"));
	assert_true(two != 0);
	assert_true(two == fingerprint_query(&key, SLICE("a=77&b")));
	assert_true(two != fingerprint_query(&key, SLICE("b=1&a=2")));
	assert_true(two != fingerprint_query(&key, SLICE("a=1&b=2&c=3")));
	assert_true(fingerprint_query(&key, SLICE("a=1")) != fingerprint_query(&key, SLICE("ab=1")));
	static uint8_t ampersands[100000];
	memset(ampersands, '&', sizeof(ampersands));
	assert_true(fingerprint_query(&key, slice_make(ampersands, sizeof(ampersands))) != 0);
}

TEST_MAIN(cmocka_unit_test(test_every_header_has_its_bit_in_any_case),
	  cmocka_unit_test(test_order_counts_and_values_do_not), cmocka_unit_test(test_names_of_arguments))
