/* Bodies with structure: JSON and multipart. */
#include "http/json.h"
#include "http/multipart.h"
#include "http/test_cases.h"

#include <errno.h>

static void render_json(struct slice input, struct arena *arena, struct buffer *out)
{
	struct json_options options = {.depth_limit = 6, .arguments_limit = 8};
	struct field_list list = field_list_make(arena);
	struct slice error = slice_make("", 0);
	int outcome = json_parse(input, &options, &list, &error);
	assert_int_equal(outcome, error.len == 0 ? 0 : BODY_MALFORMED);
	test_render_fields(out, &list);
	if (error.len > 0 && list.count > 0)
		buffer_byte(out, ' ');
	test_escape(out, error);
}

static void test_json_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/json.txt", render_json);
}

static void render_flags(const struct multipart_flags *f, struct buffer *out)
{
	const struct {
		const char *name;
		unsigned set;
	} flags[] = {
		{"strict", f->strict_error},
		{"quoted", f->boundary_quoted},
		{"whitespace", f->boundary_whitespace},
		{"before", f->data_before},
		{"after", f->data_after},
		{"folding", f->header_folding},
		{"lf", f->lf_line},
		{"mixed", f->crlf_lf_lines},
		{"semicolon", f->missing_semicolon},
		{"quoting", f->invalid_quoting},
		{"part", f->invalid_part},
		{"badfolding", f->invalid_header_folding},
		{"limit", f->file_limit_exceeded},
	};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].set)
			buffer_printf(out, " %s", flags[i].name);
	if (f->unmatched_boundary)
		buffer_printf(out, " unmatched=%u", f->unmatched_boundary);
}

static void render_multipart(struct slice input, struct arena *arena, struct buffer *out)
{
	struct slice content_type;
	struct slice body = slice_cut(input, '\n', &content_type);
	struct multipart_options options = {0};
	struct multipart multipart;
	int outcome = multipart_parse(content_type, body, &options, arena, &multipart);
	assert_int_equal(outcome, multipart.error.len == 0 ? 0 : BODY_MALFORMED);
	test_render_fields(out, &multipart.arguments);
	for (size_t i = 0; i < multipart.file_count; i++) {
		const struct multipart_file *file = &multipart.files[i];
		const struct slice parts[] = {file->name, file->filename, file->content};
		for (size_t k = 0; k < 3; k++) {
			buffer_text(out, k == 0 ? "[" : "|");
			test_escape(out, parts[k]);
		}
		buffer_text(out, "]");
		assert_ptr_equal(file->content.ptr, body.ptr + file->content_offset);
	}
	render_flags(&multipart.flags, out);
	if (multipart.error.len > 0) {
		buffer_text(out, " error=");
		test_escape(out, multipart.error);
	}
	/* A line starts with what there is, not with the space before it. */
	if (out->len > 0 && out->ptr[0] == ' ')
		memmove(out->ptr, out->ptr + 1, --out->len);
}

static void test_multipart_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/multipart.txt", render_multipart);
}

static const char two_files[] = "--B\r\nContent-Disposition: form-data; name=f; filename=1\r\n\r\nx\r\n"
				"--B\r\nContent-Disposition: form-data; name=g; filename=2\r\n\r\nyy\r\n--B--\r\n";

static void test_file_limit(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct multipart_options options = {.file_limit = 1, .keep_files = true};
	struct multipart multipart;
	struct slice type = SLICE("multipart/form-data; boundary=B");
	assert_int_equal(multipart_parse(type, slice_from_string(two_files), &options, &arena, &multipart),
			 BODY_MALFORMED);
	assert_int_equal(multipart.flags.file_limit_exceeded, 1);
	assert_int_equal(multipart.flags.strict_error, 1);
	assert_int_equal(multipart.file_count, 2);
	assert_true(multipart.files[0].kept);
	assert_false(multipart.files[1].kept);
	assert_int_equal(multipart.files_combined_bytes, 3);
	options.keep_files = false;
	assert_int_equal(multipart_parse(type, slice_from_string(two_files), &options, &arena, &multipart), 0);
	options.parts_limit = 1;
	assert_int_equal(multipart_parse(type, slice_from_string(two_files), &options, &arena, &multipart),
			 BODY_MALFORMED);
	assert_int_equal(multipart.file_count, 0);
	arena_destroy(&arena);
}

static void test_part_headers(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct slice body = SLICE("--B\r\nContent-Disposition: form-data;\r\n name=a\r\nX: y\r\n"
				  "Content-Type: text/plain; charset=utf-8\r\n\r\nv\r\n--B--\r\n");
	struct multipart multipart;
	assert_int_equal(multipart_parse(SLICE("multipart/form-data; boundary=B"), body, &(struct multipart_options){0},
					 &arena, &multipart),
			 0);
	assert_int_equal(multipart.part_headers.count, 3);
	assert_slice(multipart.part_headers.items[0].name, "a");
	assert_slice(multipart.part_headers.items[0].value, "Content-Disposition: form-data; name=a");
	assert_slice(multipart.part_headers.items[1].value, "X: y\r\n");
	assert_slice(multipart.part_headers.items[2].value, "Content-Type: text/plain; charset=utf-8");
	assert_slice(multipart.names.items[0].value, "a");
	assert_int_equal(multipart.no_files_bytes, 92);
	arena_destroy(&arena);
}

/* More headers in one part than anyone needs, and names far longer than the body, are refused. */
static void test_bounds(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 16 << 20, 0);
	struct buffer body = buffer_make(&arena);
	buffer_text(&body, "--B\r\n");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&body, "h%d: x\r\n", i);
	struct multipart multipart;
	assert_int_equal(multipart_parse(SLICE("multipart/form-data; boundary=B"), buffer_slice(&body),
					 &(struct multipart_options){0}, &arena, &multipart),
			 BODY_MALFORMED);
	assert_int_equal(multipart.flags.error, 1);
	struct buffer json = buffer_make(&arena);
	buffer_printf(&json, "{\"%04000d\":[", 0);
	for (int i = 0; i < 4000; i++)
		buffer_text(&json, "1,");
	struct field_list list = field_list_make(&arena);
	struct slice error = slice_make("", 0);
	struct json_options options = {.depth_limit = 10000, .arguments_limit = SIZE_MAX};
	assert_int_equal(json_parse(buffer_slice(&json), &options, &list, &error), BODY_MALFORMED);
	assert_true(slice_ends_with(error, SLICE("Argument names too long")));
	assert_true(list.count < 300);
	arena_destroy(&arena);
}

static void test_no_memory(void **state)
{
	(void)state;
	struct slice type = SLICE("multipart/form-data; boundary=B");
	struct slice text = SLICE("{\"a\":[\"\\n\",{\"b\":1}]}");
	size_t failed = 0;
	for (size_t cap = 0; cap < 8192; cap += 16) {
		struct arena arena;
		arena_init(&arena, cap, 0);
		struct multipart multipart;
		int outcome = multipart_parse(type, slice_from_string(two_files), &(struct multipart_options){0},
					      &arena, &multipart);
		assert_true(outcome == (arena.exhausted ? -ENOMEM : 0));
		failed += outcome != 0;
		arena_reset(&arena);
		struct field_list list = field_list_make(&arena);
		struct slice error;
		outcome = json_parse(
			text,
			&(struct json_options){.depth_limit = 100, .arguments_limit = 100, .empty_containers = true},
			&list, &error);
		assert_true(outcome == (arena.exhausted ? -ENOMEM : 0));
		failed += outcome != 0;
		arena_destroy(&arena);
	}
	assert_true(failed > 20 && failed < 1000);
}

TEST_MAIN(cmocka_unit_test(test_json_cases), cmocka_unit_test(test_multipart_cases), cmocka_unit_test(test_file_limit),
	  cmocka_unit_test(test_part_headers), cmocka_unit_test(test_bounds), cmocka_unit_test(test_no_memory))
