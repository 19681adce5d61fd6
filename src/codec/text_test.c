#include "codec/text.h"

#include "base/error.h"
#include "base/test_cases.h"

static void add_log_quoted(struct buffer *out, struct slice s)
{
	text_add_log(out, s, true);
}

static void add_log_plain(struct buffer *out, struct slice s)
{
	text_add_log(out, s, false);
}

/* Its first 20 bytes, then how many there would be. */
static void add_log_limited(struct buffer *out, struct slice s)
{
	size_t len = text_add_log_limited(out, s, 20);
	buffer_byte(out, '/');
	buffer_number(out, (int64_t)len);
}

static void add_base64(struct buffer *out, struct slice s)
{
	assert_int_equal(buffer_reserve(out, base64_encoded_length(s.len) + 1), 0);
	out->len += base64_encode(s, out->ptr + out->len);
}

static void add_base64_decoded(struct buffer *out, struct slice s)
{
	size_t len;
	assert_int_equal(buffer_reserve(out, s.len + 1), 0);
	if (base64_decode(s, out->ptr + out->len, &len) == 0)
		out->len += len;
	else
		buffer_text(out, "invalid");
}

static void add_hex(struct buffer *out, struct slice s)
{
	assert_int_equal(buffer_reserve(out, 2 * s.len + 1), 0);
	out->len += hex_encode(s, out->ptr + out->len);
}

static void add_validity(struct buffer *out, struct slice s)
{
	buffer_text(out, utf8_valid(s) ? "yes" : "no");
}

static const struct {
	struct slice name;
	void (*add)(struct buffer *out, struct slice s);
} WRITERS[] = {
	{SLICE_INIT("utf8"), text_add_utf8},
	{SLICE_INIT("json"), text_add_json},
	{SLICE_INIT("terminal"), text_add_terminal},
	{SLICE_INIT("log"), add_log_plain},
	{SLICE_INIT("quoted"), add_log_quoted},
	{SLICE_INIT("base64"), add_base64},
	{SLICE_INIT("unbase64"), add_base64_decoded},
	{SLICE_INIT("hex"), add_hex},
	{SLICE_INIT("valid"), add_validity},
	{SLICE_INIT("limited"), add_log_limited},
	{SLICE_INIT("shown-json"), text_add_terminal_json},
};
enum { WRITER_COUNT = sizeof(WRITERS) / sizeof(WRITERS[0]) };

static void cases_come_out(void **state)
{
	(void)state;
	size_t seen[WRITER_COUNT] = {0};
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/codec/text_cases.txt"); test_cases_next(&cases, &test);) {
		size_t writer = 0;
		while (writer < WRITER_COUNT && !slice_equal(WRITERS[writer].name, test.column[0]))
			writer++;
		if (writer == WRITER_COUNT)
			fail_msg("line %u: no such writer", test.line);
		seen[writer]++;
		struct buffer out = buffer_make(NULL);
		WRITERS[writer].add(&out, test.column[1]);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[2]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
	for (size_t i = 0; i < WRITER_COUNT; i++)
		assert_true(seen[i] >= 3);
}

/* Every pair of bytes, alone and between letters: what comes out is valid UTF-8 and holds nothing that acts. */
static void terminal_text_never_acts(void **state)
{
	(void)state;
	struct buffer out = buffer_make(NULL);
	for (unsigned pair = 0; pair < 65536; pair++) {
		const uint8_t bytes[3] = {(uint8_t)(pair >> 8), (uint8_t)pair, 'm'};
		buffer_clear(&out);
		text_add_terminal(&out, slice_make(bytes, sizeof(bytes)));
		assert_true(utf8_valid(buffer_slice(&out)));
		for (size_t i = 0; i < out.len; i++) {
			assert_true(out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
			assert_false(out.ptr[i] == 0xc2 && out.ptr[i + 1] < 0xa0);
		}
		buffer_clear(&out);
		text_add_json(&out, slice_make(bytes, sizeof(bytes)));
		assert_true(utf8_valid(buffer_slice(&out)));
	}
	buffer_free(&out);
}

static void hexadecimal_is_exact(void **state)
{
	static const char *const bad[] = {"", "0", "00f", "00f", "00ffg0", "00ff001", "00ff0011", "00 f01"};
	uint8_t out[3];
	(void)state;
	assert_true(hex_exact(test_fenced(SLICE("00fFa1")), out, 3));
	assert_memory_equal(out, "\x00\xff\xa1", 3);
	assert_true(hex_exact(SLICE(""), out, 0));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(hex_exact(test_fenced(slice_from_string(bad[i])), out, 3));
}

static void base64_comes_back(void **state)
{
	(void)state;
	uint8_t bytes[64], encoded[88], decoded[64];
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(i * 37 + len);
		size_t got, encoded_len = base64_encode(slice_make(bytes, len), encoded);
		assert_int_equal(encoded_len, base64_encoded_length(len));
		assert_int_equal(base64_decode(slice_make(encoded, encoded_len), decoded, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(decoded, bytes, len);
	}
}

static void lost_memory_is_told(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 64, 0);
	struct buffer out = buffer_make(&arena);
	for (int i = 0; i < 100; i++)
		text_add_json(&out, SLICE("\x01\x02\x03"));
	assert_int_equal(out.error, -ENOMEM);
	arena_destroy(&arena);
}

TEST_MAIN(cmocka_unit_test(cases_come_out), cmocka_unit_test(hexadecimal_is_exact),
	  cmocka_unit_test(terminal_text_never_acts), cmocka_unit_test(base64_comes_back),
	  cmocka_unit_test(lost_memory_is_told))
