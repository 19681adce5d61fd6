/*
 * Multipart bodies, put together from pieces by a seeded generator, read by ours and by libmodsecurity: every variable
 * is equal, but for the differences named at `expect_*` below.
 */
#include "http/multipart.h"
#include "http_workshop.h"

/* expect_joined_lines: libmodsecurity 3.0.9 loses the line breaks inside a part's value. */
static struct slice without_line_breaks(struct workshop *w, struct slice s)
{
	struct buffer out = buffer_make(&w->arena);
	for (size_t i = 0; i < s.len; i++) {
		bool crlf = s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n';
		if (!crlf && s.ptr[i] != '\n')
			buffer_byte(&out, s.ptr[i]);
	}
	return buffer_slice(&out);
}

static void tell_multipart(struct workshop *w, const struct multipart *m)
{
	struct told *to = &w->ours;
	struct slice none = slice_make("", 0);
	for (size_t i = 0; i < m->arguments.count; i++)
		tell(to, "ARGS", m->arguments.items[i].name, without_line_breaks(w, m->arguments.items[i].value));
	tell_fields(to, "MULTIPART_NAME", &m->names);
	tell_fields(to, "MULTIPART_FILENAME", &m->filenames);
	tell_fields(to, "MULTIPART_PART_HEADERS", &m->part_headers);
	for (size_t i = 0; i < m->file_count; i++) {
		tell(to, "FILES", m->files[i].name, m->files[i].filename);
		tell(to, "FILES_NAMES", m->files[i].name, m->files[i].name);
		tell_number(to, "FILES_SIZES", m->files[i].name, m->files[i].content.len);
	}
	if (m->file_count > 0)
		tell_number(to, "FILES_COMBINED_SIZE", none, m->files_combined_bytes);
	else
		tell_text(to, "FILES_COMBINED_SIZE", "");
	const struct multipart_flags *f = &m->flags;
	tell_number(to, "MULTIPART_STRICT_ERROR", none, f->strict_error);
	tell_number(to, "MULTIPART_BOUNDARY_QUOTED", none, f->boundary_quoted);
	tell_number(to, "MULTIPART_BOUNDARY_WHITESPACE", none, f->boundary_whitespace);
	tell_number(to, "MULTIPART_DATA_BEFORE", none, f->data_before);
	tell_number(to, "MULTIPART_DATA_AFTER", none, f->data_after);
	tell_number(to, "MULTIPART_HEADER_FOLDING", none, f->header_folding);
	tell_number(to, "MULTIPART_LF_LINE", none, f->lf_line);
	tell_number(to, "MULTIPART_CRLF_LF_LINES", none, f->crlf_lf_lines);
	tell_number(to, "MULTIPART_MISSING_SEMICOLON", none, f->missing_semicolon);
	tell_number(to, "MULTIPART_INVALID_QUOTING", none, f->invalid_quoting);
	tell_number(to, "MULTIPART_INVALID_PART", none, f->invalid_part);
	tell_number(to, "MULTIPART_INVALID_HEADER_FOLDING", none, f->invalid_header_folding);
	tell_number(to, "MULTIPART_UNMATCHED_BOUNDARY", none, f->unmatched_boundary);
	tell_text(to, "REQBODY_ERROR", m->error.len > 0 ? "1" : "0");
	struct buffer message = buffer_make(&w->arena);
	buffer_text(&message, m->error.len > 0 ? "Multipart parsing error: " : "");
	buffer_add(&message, m->error);
	tell(to, "REQBODY_PROCESSOR_ERROR_MSG", none, buffer_slice(&message));
}

/* expect_empty_boundary: libmodsecurity passes over a body whose boundary is empty and reports no error. */
static bool is_expected_difference(const struct multipart *m)
{
	return slice_equal(m->error, SLICE("Multipart: Invalid boundary in C-T (empty)."));
}

static struct slice compose_content_type(struct workshop *w)
{
	static const char *const usual[] = {
		"multipart/form-data; boundary=B",     "multipart/form-data; boundary=B",
		"multipart/form-data; boundary=\"B\"", "multipart/form-data;boundary= B",
		"multipart/form-data boundary=B",      "Multipart/Form-Data; boundary =B",
	};
	static const char *const pieces[] = {"; ", "boundary", "Boundary",  "=", "B", "\"",
					     " ",  ";",        "charset=x", ",", "_B"};
	struct buffer text = buffer_make(&w->arena);
	buffer_text(&text, PICK(w, usual));
	if (random_below(&w->seed, 8) == 0)
		buffer_add(&text, COMPOSE(w, pieces, 4));
	return buffer_slice(&text);
}

static struct slice compose_part(struct workshop *w)
{
	static const char *const names[] = {"name=a",       "name=\"b\"", "name='c'", "name=\"d\\\"\\\"e\"",
					    "name=\"f'g\"", "Name=h",     ""};
	static const char *const files[] = {"",
					    "",
					    "; filename=\"x.txt\"",
					    "; filename=y",
					    "; filename=\"C:\\z\\w\"",
					    ";filename*=utf-8'en'%41b",
					    "; filename*=utf-8'en'%4",
					    "; filename=\"p\"; filename*=utf-8''q",
					    "; filename =\"r\"",
					    "; name=s",
					    "; filename=\"t\" u",
					    "; size=3",
					    "; filename=\"\""};
	static const char *const ends[] = {"\r\n", "\r\n", "\r\n", "\r\n", "\n"};
	static const char *const others[] = {"",
					     "",
					     "",
					     "Content-Type: text/plain",
					     "content-type: text/plain; Charset=utf-8",
					     "X-Y:z",
					     " folded",
					     "\tfolded",
					     "\vf",
					     "no colon",
					     ": x",
					     "content-disposition: form-data; name=q",
					     "--B",
					     "-- B",
					     "--C"};
	static const char *const lines[] = {"value", "",         "--",   "--C",       "--B", "x--B",
					    "--B--", "\x01\xff", "-- B", "two words", "v\r"};
	struct buffer text = buffer_make(&w->arena);
	const char *end = PICK(w, ends);
	buffer_text(&text, "Content-Disposition: form-data; ");
	buffer_text(&text, PICK(w, names));
	buffer_text(&text, PICK(w, files));
	buffer_text(&text, end);
	const char *other = PICK(w, others);
	if (other[0] != '\0')
		buffer_printf(&text, "%s%s", other, PICK(w, ends));
	if (random_below(&w->seed, 16) != 0)
		buffer_text(&text, end);
	for (size_t i = random_below(&w->seed, 4); i > 0; i--)
		buffer_printf(&text, "%s%s", PICK(w, lines), PICK(w, ends));
	if (random_below(&w->seed, 32) == 0)
		for (int i = random_below(&w->seed, 2) == 0 ? 4000 : 5000; i > 0; i--)
			buffer_text(&text, i % 997 == 0 ? "--B" : "y");
	return buffer_slice(&text);
}

static struct slice compose_body(struct workshop *w)
{
	static const char *const befores[] = {"", "", "", "", "", "", "preamble\r\n", "\r\n", "--\r\n"};
	static const char *const boundaries[] = {"--B\r\n", "--B\r\n",  "--B\r\n",  "--B\r\n",     "--B\r\n", "--B\r\n",
						 "--B\n",   "--B \r\n", "--Bx\r\n", "--\"B\"\r\n", "-- B\r\n"};
	static const char *const finals[] = {"--B--\r\n", "--B--\r\n",         "--B--", "--B--", "--B--\n", "--B-",
					     "",          "--B--\r\nepilogue", "--B--x"};
	struct buffer text = buffer_make(&w->arena);
	buffer_text(&text, PICK(w, befores));
	for (size_t i = random_below(&w->seed, 4); i > 0; i--) {
		buffer_text(&text, PICK(w, boundaries));
		buffer_add(&text, compose_part(w));
	}
	buffer_text(&text, PICK(w, finals));
	return buffer_slice(&text);
}

/* Some bytes hit at random, so that what no piece foresees comes too. */
static void hit(struct workshop *w, struct slice text)
{
	static const char hits[] = "\r\n-B \"';=:\t\\\x01%*";
	uint8_t *bytes = (uint8_t *)text.ptr;
	for (size_t i = random_below(&w->seed, 6); i < 2 && text.len > 0; i++)
		bytes[random_below(&w->seed, text.len)] = (uint8_t)PICK(w, hits);
}

/* The end of a header that starts before `at`, folded lines included. */
static size_t header_end(struct slice body, size_t at)
{
	do
		at = slice_find_byte(body, '\n', at) + 1;
	while (at < body.len && byte_is_space(body.ptr[at]) && body.ptr[at] != '\n' && body.ptr[at] != '\r');
	return at;
}

static bool quote_left_open_in(struct slice header)
{
	for (size_t at = 0; (at = slice_find_byte(header, '=', at)) < header.len;) {
		do
			at++;
		while (at < header.len && byte_is_space(header.ptr[at]));
		if (at >= header.len || (header.ptr[at] != '"' && header.ptr[at] != '\''))
			continue;
		uint8_t quote = header.ptr[at++];
		while (at < header.len && header.ptr[at] != quote)
			at += header.ptr[at] == '\\' ? 2 : 1;
		if (at >= header.len)
			return true;
	}
	return false;
}

/* expect_open_quote: libmodsecurity reads on behind the end of such a header, and whatever it finds there decides. */
static bool quote_left_open(struct slice body)
{
	for (size_t at = 0; (at = slice_find(body, SLICE("form-data"), at)) < body.len; at++)
		if (quote_left_open_in(slice_sub(body, at, header_end(body, at))))
			return true;
	return false;
}

static void test_multipart(void **state)
{
	(void)state;
	struct workshop *w = workshop_open(5);
	size_t compared = 0;
	size_t whole = 0;
	for (int i = 0; i < 60000; i++) {
		workshop_next(w);
		struct slice content_type = compose_content_type(w);
		struct slice body = compose_body(w);
		hit(w, body);
		if (quote_left_open(body))
			continue;
		struct multipart_options options = {0};
		struct multipart multipart;
		assert_true(multipart_parse(content_type, body, &options, &w->arena, &multipart) >= 0);
		if (is_expected_difference(&multipart))
			continue;
		tell_multipart(w, &multipart);
		struct oracle_request request = {
			.uri = {"/", 1},
			.content_type = to_oracle(content_type),
			.body = to_oracle(body),
			.processor = "",
		};
		workshop_ask(w, &request,
			     " ARGS FILES FILES_NAMES FILES_SIZES FILES_COMBINED_SIZE MULTIPART_NAME MULTIPART_FILENAME"
			     " MULTIPART_PART_HEADERS MULTIPART_STRICT_ERROR MULTIPART_BOUNDARY_QUOTED"
			     " MULTIPART_BOUNDARY_WHITESPACE MULTIPART_DATA_BEFORE MULTIPART_DATA_AFTER"
			     " MULTIPART_HEADER_FOLDING MULTIPART_LF_LINE MULTIPART_CRLF_LF_LINES"
			     " MULTIPART_MISSING_SEMICOLON MULTIPART_INVALID_QUOTING MULTIPART_INVALID_PART"
			     " MULTIPART_INVALID_HEADER_FOLDING MULTIPART_UNMATCHED_BOUNDARY REQBODY_ERROR"
			     " REQBODY_PROCESSOR_ERROR_MSG ");
		workshop_compare(w, body);
		compared++;
		whole += multipart.error.len == 0;
	}
	assert_true(compared > 50000);
	assert_true(whole > 5000);
	workshop_close(w);
}

TEST_MAIN(cmocka_unit_test(test_multipart))
