/*
 * Cases of a parser as a data file: `input => output` a line, '#' starts a comment line. Both sides are escaped (\n \r
 * \t \\ \xHH); the output is what the test's renderer writes. The input is fenced by an unreadable page.
 */
#ifndef GUIA_HTTP_TEST_CASES_H
#define GUIA_HTTP_TEST_CASES_H

#include "base/file.h"
#include "base/reader.h"
#include "base/test.h"
#include "http/field.h"

/* Writes what the parser made of `input`, with test_escape() for whatever came from it. */
typedef void test_renderer(struct slice input, struct arena *arena, struct buffer *out);

static inline void test_escape(struct buffer *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '\n' || c == '\r' || c == '\t')
			buffer_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else if (c < ' ' || c >= 0x7f || c == '{' || c == '}' || c == '|' || c == '\\')
			buffer_printf(out, "\\x%02x", c);
		else
			buffer_byte(out, c);
	}
}

static inline void test_render_fields(struct buffer *out, const struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		buffer_text(out, "{");
		test_escape(out, list->items[i].name);
		buffer_text(out, "|");
		test_escape(out, list->items[i].value);
		buffer_text(out, "}");
	}
}

static inline struct slice test_unescape(struct slice text)
{
	static uint8_t bytes[1 << 16];
	size_t length = 0;
	struct reader r = reader_make(text);
	while (!reader_at_end(&r)) {
		uint8_t c = reader_byte(&r);
		if (c == '\\') {
			c = reader_byte(&r);
			if (c == 'x') {
				int high = byte_hex_value(reader_byte(&r));
				c = (uint8_t)(high << 4 | byte_hex_value(reader_byte(&r)));
			} else {
				c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
			}
		}
		assert_true(length < sizeof(bytes));
		bytes[length++] = c;
	}
	assert_false(r.overrun);
	return test_fenced(slice_make(bytes, length));
}

static inline void test_case_run(struct slice line, test_renderer *render)
{
	size_t arrow = slice_find(line, SLICE(" => "), 0);
	if (arrow == line.len)
		fail_msg("no arrow in case [%.*s]", SLICE_ARG(line));
	struct slice expected = slice_after(line, arrow + 4);
	struct arena arena;
	arena_init(&arena, 16 << 20, 0);
	struct buffer out = buffer_make(NULL);
	render(test_unescape(slice_sub(line, 0, arrow)), &arena, &out);
	if (!slice_equal(buffer_slice(&out), expected))
		fail_msg("[%.*s]\n  got      %.*s\n  expected %.*s", (int)arrow, (const char *)line.ptr,
			 SLICE_ARG(buffer_slice(&out)), SLICE_ARG(expected));
	buffer_free(&out);
	arena_destroy(&arena);
}

static inline void test_cases_run(const char *path, test_renderer *render)
{
	struct buffer file = buffer_make(NULL);
	assert_int_equal(file_read(path, 1 << 20, &file), 0);
	size_t count = 0;
	for (struct reader r = reader_make(buffer_slice(&file)); !reader_at_end(&r);) {
		struct slice line = reader_until(&r, '\n');
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		test_case_run(line, render);
		count++;
	}
	assert_true(count > 0);
	buffer_free(&file);
}

#endif
