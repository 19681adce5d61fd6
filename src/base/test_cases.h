/*
 * Test cases as data: one a line, columns between tabs, '#' starts a comment line. Columns are escaped with \n \r \t \0
 * \\ and \xHH. Columns that are inputs are handed out ending at an unreadable page.
 */
#ifndef GUIA_BASE_TEST_CASES_H
#define GUIA_BASE_TEST_CASES_H

#include "base/file.h"
#include "base/reader.h"
#include "base/test.h"

enum { TEST_COLUMNS = 6 };

struct test_case {
	unsigned line;
	size_t count;
	struct slice column[TEST_COLUMNS]; /* unescaped and fenced; empty beyond `count` */
};

struct test_cases {
	const char *path;
	struct buffer content;
	struct reader reader;
	unsigned line;
};

/* `path` is relative to the tree's root. */
static inline void test_cases_open(struct test_cases *cases, const char *path)
{
	*cases = (struct test_cases){.path = path, .content = buffer_make(NULL)};
	assert_int_equal(file_read(path, 4 << 20, &cases->content), 0);
	cases->reader = reader_make(buffer_slice(&cases->content));
}

static inline void test_cases_close(struct test_cases *cases)
{
	buffer_free(&cases->content);
}

static inline uint8_t test_unescape_byte(struct reader *r)
{
	uint8_t letter = reader_byte(r);
	switch (letter) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '0':
		return 0;
	case 'x': {
		int high = byte_hex_value(reader_byte(r)), low = byte_hex_value(reader_byte(r));
		assert_true(high >= 0 && low >= 0);
		return (uint8_t)(high << 4 | low);
	}
	default:
		assert_int_equal(letter, '\\');
		return letter;
	}
}

static inline struct slice test_unescape(struct slice text)
{
	struct buffer bytes = buffer_make(NULL);
	for (struct reader r = reader_make(text); !reader_at_end(&r);) {
		uint8_t byte = reader_byte(&r);
		buffer_byte(&bytes, byte == '\\' ? test_unescape_byte(&r) : byte);
		assert_false(r.overrun);
	}
	struct slice fenced = test_fenced(buffer_slice(&bytes));
	buffer_free(&bytes);
	return fenced;
}

/* False at the end. */
static inline bool test_cases_next(struct test_cases *cases, struct test_case *ret_case)
{
	while (!reader_at_end(&cases->reader)) {
		struct slice line = reader_until(&cases->reader, '\n');
		cases->line++;
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		*ret_case = (struct test_case){.line = cases->line};
		for (struct reader r = reader_make(line); ret_case->count < TEST_COLUMNS;) {
			ret_case->column[ret_case->count++] = test_unescape(reader_until(&r, '\t'));
			if (reader_at_end(&r) && line.ptr[line.len - 1] != '\t')
				break;
			if (reader_at_end(&r)) {
				ret_case->count++;
				break;
			}
		}
		return true;
	}
	return false;
}

/* "path:line: got [...], expected [...]" unless they are equal. */
static inline void test_case_expect(const struct test_cases *cases, const struct test_case *test, struct slice got,
				    struct slice expected)
{
	if (slice_equal(got, expected))
		return;
	struct buffer text = buffer_make(NULL);
	const struct slice both[2] = {got, expected};
	for (size_t side = 0; side < 2; side++) {
		buffer_text(&text, side == 0 ? "got [" : "], expected [");
		for (size_t i = 0; i < both[side].len; i++) {
			uint8_t byte = both[side].ptr[i];
			if (byte < ' ' || byte > '~')
				buffer_printf(&text, "\\x%02x", byte);
			else
				buffer_byte(&text, byte);
		}
	}
	fail_msg("%s:%u: %.*s]", cases->path, test->line, (int)text.len, (const char *)text.ptr);
}

#endif
