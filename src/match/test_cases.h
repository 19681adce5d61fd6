/* Reads the case files of this room's tests: pattern, value and outcome between tabs, values escaped. */
#ifndef GUIA_MATCH_TEST_CASES_H
#define GUIA_MATCH_TEST_CASES_H

#include "base/file.h"
#include "base/test.h"
#include "match/regex.h"

struct test_cases {
	struct buffer content;
	struct slice rest;
	unsigned line;
	uint8_t unescaped[2][512];
};

struct test_case {
	unsigned line;
	unsigned flags;
	struct slice pattern;
	struct slice value;    /* valid until the next case */
	struct slice expected; /* likewise */
};

static inline struct test_cases test_cases_read(const char *path)
{
	struct test_cases cases = {.content = buffer_make(NULL)};
	assert_int_equal(file_read(path, 1024 * 1024, &cases.content), 0);
	cases.rest = buffer_slice(&cases.content);
	return cases;
}

static inline void test_cases_free(struct test_cases *cases)
{
	buffer_free(&cases->content);
}

static inline struct slice test_unescape(struct slice s, uint8_t *out)
{
	static const char names[] = "n\nr\rt\t0\0\\\\";
	size_t len = 0;
	for (size_t i = 0; i < s.len; i++) {
		const char *name = NULL;
		for (size_t n = 0; n + 1 < sizeof(names); n += 2)
			if (s.ptr[i] == '\\' && i + 1 < s.len && s.ptr[i + 1] == (uint8_t)names[n])
				name = &names[n];
		if (name != NULL) {
			out[len++] = (uint8_t)name[1];
			i++;
		} else if (s.ptr[i] == '\\' && i + 3 < s.len && s.ptr[i + 1] == 'x') {
			out[len++] = (uint8_t)(byte_hex_value(s.ptr[i + 2]) << 4 | byte_hex_value(s.ptr[i + 3]));
			i += 3;
		} else {
			out[len++] = s.ptr[i];
		}
	}
	return slice_make(out, len);
}

static inline bool test_cases_next(struct test_cases *cases, struct test_case *ret_case)
{
	while (cases->rest.len > 0) {
		struct slice line, value;
		cases->rest = slice_cut(cases->rest, '\n', &line);
		cases->line++;
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		struct test_case c = {.line = cases->line};
		struct slice after = slice_cut(line, '\t', &c.pattern);
		struct slice expected = slice_cut(after, '\t', &value);
		if (slice_starts_with(c.pattern, SLICE("i:"))) {
			c.flags = REGEX_CASELESS;
			c.pattern = slice_after(c.pattern, 2);
		}
		assert_true(value.len < 512 && expected.len < 512);
		c.value = test_unescape(value, cases->unescaped[0]);
		c.expected = test_unescape(expected, cases->unescaped[1]);
		*ret_case = c;
		return true;
	}
	return false;
}

#endif
