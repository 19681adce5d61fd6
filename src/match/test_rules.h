/*
 * For tests: the @rx patterns of rule files. The folders are those in GUIA_CRS_RULES, split at colons, or where Debian
 * keeps the Core Rule Set. This is no parser of the language: it finds what stands between the quotes of an operator.
 */
#ifndef GUIA_MATCH_TEST_RULES_H
#define GUIA_MATCH_TEST_RULES_H

#include "base/buffer.h"
#include "base/file.h"
#include "base/reader.h"
#include "base/test.h"

#include <glob.h>

struct test_rules {
	struct slice patterns[2000]; /* each on the heap, until the process ends */
	size_t count;
};

/* Reads a quoted argument, taking \" for a quote and \ at a line's end for none. False if there is no quote. */
static inline bool test_read_quoted(struct reader *in, struct buffer *out)
{
	if (!reader_accept(in, SLICE("\"")))
		return false;
	while (!reader_at_end(in) && reader_peek(in, 0) != '"') {
		if (reader_accept(in, SLICE("\\\""))) {
			buffer_byte(out, '"');
		} else if (reader_accept(in, SLICE("\\\n"))) {
			while (reader_peek(in, 0) == ' ')
				reader_byte(in);
		} else {
			buffer_byte(out, reader_byte(in));
		}
	}
	reader_byte(in);
	return true;
}

static inline void test_rules_add(struct test_rules *rules, struct slice operator)
{
	if (slice_starts_with(operator, SLICE("!")))
		operator= slice_after(operator, 1);
	if (!slice_starts_with(operator, SLICE("@rx ")) || rules->count == 2000)
		return;
	operator= slice_after(operator, 4);
	for (size_t i = 0; i < rules->count; i++)
		if (slice_equal(rules->patterns[i], operator))
			return;
	uint8_t *copy = malloc(operator.len + 1);
	assert_non_null(copy);
	memcpy(copy, operator.ptr, operator.len);
	copy[operator.len] = 0;
	rules->patterns[rules->count++] = slice_make(copy, operator.len);
}

static inline void test_rules_read(struct test_rules *rules, const char *path)
{
	struct buffer content = buffer_make(NULL);
	assert_int_equal(file_read(path, 16 * 1024 * 1024, &content), 0);
	struct slice text = buffer_slice(&content);
	for (size_t at = 0; at < text.len; at++) {
		struct reader in = reader_make(slice_after(text, at));
		bool fresh = at == 0 || text.ptr[at - 1] == '\n' || text.ptr[at - 1] == ' ';
		if (!fresh || !reader_accept(&in, SLICE("SecRule ")))
			continue;
		reader_until(&in, ' ');
		struct buffer operator= buffer_make(NULL);
		if (test_read_quoted(&in, &operator))
			test_rules_add(rules, buffer_slice(&operator));
		buffer_free(&operator);
		at += in.at - 1;
	}
	buffer_free(&content);
}

static inline void test_rules_find(struct test_rules *rules)
{
	const char *folders = getenv("GUIA_CRS_RULES");
	struct slice rest = slice_from_string(folders != NULL ? folders : "/usr/share/modsecurity-crs/rules");
	rules->count = 0;
	while (rest.len > 0) {
		struct slice folder;
		char mask[4096];
		glob_t found;
		rest = slice_cut(rest, ':', &folder);
		snprintf(mask, sizeof(mask), "%.*s/*.conf", SLICE_ARG(folder));
		if (glob(mask, 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			test_rules_read(rules, found.gl_pathv[i]);
		globfree(&found);
	}
}

#endif
