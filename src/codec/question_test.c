#include "codec/question.h"

#include "base/test.h"

static void words_are_cut_one_by_one(void **state)
{
	(void)state;
	struct slice rest = SLICE("ban  192.0.2.1 why so");
	assert_slice(question_word(&rest), "ban");
	assert_slice(question_word(&rest), "");
	assert_slice(question_word(&rest), "192.0.2.1");
	assert_slice(rest, "why so");
	assert_slice(question_word(&rest), "why");
	assert_slice(question_word(&rest), "so");
	assert_slice(question_word(&rest), "");
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
		assert_int_equal(question_number(slice_from_string(rows[i].text), rows[i].most, &number), rows[i].good);
		assert_true(number == (rows[i].good ? rows[i].number : 77));
	}
}

static void a_fault_is_a_line_of_json(void **state)
{
	(void)state;
	struct buffer out = buffer_make(NULL);
	question_fault(&out, "no \"such\" thing");
	assert_slice(buffer_slice(&out), "{\"fault\":\"no \\\"such\\\" thing\"}\n");
	buffer_free(&out);
}

TEST_MAIN(cmocka_unit_test(words_are_cut_one_by_one), cmocka_unit_test(numbers_are_digits_within_bounds),
	  cmocka_unit_test(a_fault_is_a_line_of_json))
