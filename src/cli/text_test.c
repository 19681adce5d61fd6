#include "cli/text.h"

#include "base/test.h"

struct shown {
	const char *bytes;
	const char *safe;
	const char *json;
};

static const struct shown cases[] = {
	{"plain", "plain", "\"plain\""},
	{"a\x1b[31m", "a\\x1b[31m", "\"a\\u001b[31m\""},
	{"\xc2\x9b"
	 "2J",
	 "\\u{9b}2J", "\"\\u009b2J\""},
	{"\x9b"
	 "2J",
	 "\\x9b2J",
	 "\"\xef\xbf\xbd"
	 "2J\""},
	{"a\xe2\x80\xae"
	 "b",
	 "a\\u{202e}b", "\"a\\u202eb\""},
	{"\xe6\xbe\xb3", "\xe6\xbe\xb3", "\"\xe6\xbe\xb3\""},
	{"\xc0\xaf", "\\xc0\\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xf3\xa0\x81\x81", "\\u{e0041}", "\"\\udb40\\udc41\""},
	{"q\"\\\n", "q\"\\\\n", "\"q\\\"\\\\\\u000a\""},
	{"\xe2\x80", "\\xe2\\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
};

static void nothing_raw_comes_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out = buffer_make(NULL);
		text_safe(&out, test_fenced(slice_from_string(cases[i].bytes)));
		buffer_byte(&out, '\0');
		assert_string_equal((const char *)out.ptr, cases[i].safe);
		buffer_clear(&out);
		text_json(&out, test_fenced(slice_from_string(cases[i].bytes)));
		buffer_byte(&out, '\0');
		assert_string_equal((const char *)out.ptr, cases[i].json);
		buffer_free(&out);
	}
}

TEST_MAIN(cmocka_unit_test(nothing_raw_comes_out))
