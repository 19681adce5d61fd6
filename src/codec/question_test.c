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

static void a_fault_is_a_line_of_json(void **state)
{
	(void)state;
	struct buffer out = buffer_make(NULL);
	question_fault(&out, "no \"such\" thing");
	assert_slice(buffer_slice(&out), "{\"fault\":\"no \\\"such\\\" thing\"}\n");
	buffer_free(&out);
}

TEST_MAIN(cmocka_unit_test(words_are_cut_one_by_one), cmocka_unit_test(a_fault_is_a_line_of_json))
