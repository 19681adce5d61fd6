#include "base/buffer.h"
#include "base/file.h"
#include "base/test.h"
#include "match/xss.h"

static struct slice unescape(struct slice s)
{
	uint8_t *out = malloc(s.len + 1);
	size_t len = 0;
	assert_non_null(out);
	for (size_t i = 0; i < s.len; i++) {
		bool escape = s.ptr[i] == '\\' && i + 1 < s.len;
		i += escape;
		out[len++] = !escape ? s.ptr[i] : s.ptr[i] == 'n' ? '\n' : s.ptr[i] == 't' ? '\t' : s.ptr[i];
	}
	struct slice fenced = test_fenced(slice_make(out, len));
	free(out);
	return fenced;
}

static void cases_hold(void **state)
{
	(void)state;
	struct buffer text = buffer_make(NULL);
	assert_int_equal(file_read("tests/data/xss.cases", 1 << 20, &text), 0);
	struct slice rest = buffer_slice(&text);
	unsigned count = 0;
	while (rest.len > 0) {
		struct slice line, answer;
		rest = slice_cut(rest, '\n', &line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		struct slice value = unescape(slice_cut(line, ' ', &answer));
		if (xss_detect(value) != slice_equal(answer, SLICE("yes")))
			fail_msg("[%.*s]", SLICE_ARG(line));
		count++;
	}
	buffer_free(&text);
	assert_true(count > 30);
}

/* NULs hide nothing, and every cut of a page is read within its bounds. */
static void nuls_and_cuts(void **state)
{
	(void)state;
	assert_true(xss_detect(SLICE("<scr\0ipt>")));
	assert_true(xss_detect(SLICE("<\0script>")));
	assert_true(xss_detect(SLICE("<a href=\"ja\0vascript:1\">")));
	struct slice page =
		SLICE("<!-- - -!> <![CDATA[ ]]> <% %> <? ?> </b x=1> <b a = 'b' c=\"&#x6a;&#106\" / d=`e`/>&#");
	for (size_t from = 0; from < page.len; from++) {
		struct slice fenced = test_fenced(slice_sub(page, from, page.len - from / 2));
		assert_int_equal(xss_detect(fenced), xss_detect(fenced));
	}
}

TEST_MAIN(cmocka_unit_test(cases_hold), cmocka_unit_test(nuls_and_cuts))
