#include "evidence/leaf.h"

#include "base/test.h"
#include "codec/text.h"

#include <jansson.h>

static const struct clock_state clock_good = {true, 1200};

static void write_all(enum leaf_kind kind, bool optional_too, struct slice text, struct buffer *out)
{
	static const uint8_t digest[32] = {0xab, 0xcd};
	const struct leaf_row *row = leaf_row(kind);
	struct leaf_value values[LEAF_FIELDS_MOST] = {{.number = 0}};
	struct buffer fields = buffer_make(NULL);
	for (size_t i = 0; i < row->field_count; i++) {
		if (row->fields[i].optional && !optional_too)
			continue;
		values[i] = row->fields[i].form == LEAF_NUMBER ? leaf_number(i * 1000)
			    : row->fields[i].form == LEAF_TEXT ? leaf_text(text)
							       : leaf_text(slice_make(digest, sizeof(digest)));
	}
	leaf_write_fields(kind, values, &fields);
	buffer_clear(out);
	leaf_write(kind, 1764200000123, &clock_good, buffer_slice(&fields), out);
	assert_int_equal(out->error, 0);
	buffer_free(&fields);
}

/* Whatever the texts are, it is JSON, it is read again, and no byte of its frame may be another. */
static void every_kind_comes_back(void **state)
{
	const struct slice texts[] = {SLICE("plain"), SLICE("\"\\\n\x1b\x00\xff\xe2\x80\xae"), SLICE("")};
	struct buffer record = buffer_make(NULL);
	struct leaf leaf;
	(void)state;
	for (enum leaf_kind kind = 0; kind < LEAF_KINDS; kind++)
		for (size_t text = 0; text < 3; text++)
			for (int optional = 0; optional < 2; optional++) {
				json_error_t error;
				write_all(kind, optional, texts[text], &record);
				json_t *json = json_loadb((char *)record.ptr, record.len,
							  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
				assert_non_null(json);
				json_decref(json);
				assert_int_equal(leaf_read(test_fenced(buffer_slice(&record)), &leaf), 0);
				assert_int_equal(leaf.kind, kind);
				assert_int_equal(leaf.time_ms, 1764200000123);
				assert_true(leaf.clock.synchronised);
				assert_int_equal(leaf.clock.error_us, 1200);
				for (size_t len = 0; len < record.len; len++)
					assert_int_equal(leaf_read(slice_make(record.ptr, len), &leaf), LEAF_MALFORMED);
				buffer_byte(&record, ' ');
				assert_int_equal(leaf_read(buffer_slice(&record), &leaf), LEAF_MALFORMED);
			}
	buffer_free(&record);
}

static void what_is_newer_is_told_from_what_is_wrong(void **state)
{
	struct leaf leaf;
	(void)state;
	assert_int_equal(
		leaf_read(SLICE("{\"v\":9,\"kind\":\"decision\",\"t\":5,\"clock\":\"synchronised\",\"error_us\":1}"),
			  &leaf),
		LEAF_NEWER);
	assert_int_equal(leaf.time_ms, 5);
	assert_int_equal(
		leaf_read(SLICE("{\"v\":1,\"kind\":\"omen\",\"t\":5,\"clock\":\"unsynchronised\",\"error_us\":1}"),
			  &leaf),
		LEAF_NEWER);
	assert_false(leaf.clock.synchronised);
	/* What an older version wrote is read by a later one. */
	assert_int_equal(
		leaf_read(SLICE("{\"v\":1,\"kind\":\"decision\",\"t\":5,\"clock\":\"x\",\"error_us\":1,\"site\":\"a\","
				"\"what\":\"b\"}"),
			  &leaf),
		0);
	assert_int_equal(
		leaf_read(SLICE("{\"v\":0,\"kind\":\"decision\",\"t\":5,\"clock\":\"x\",\"error_us\":1,\"site\":\"a\","
				"\"what\":\"b\"}"),
			  &leaf),
		LEAF_NEWER);
	assert_int_equal(
		leaf_read(SLICE("{\"v\":1,\"kind\":\"close\",\"t\":05,\"clock\":\"x\",\"error_us\":1,\"why\":\"\"}"),
			  &leaf),
		LEAF_MALFORMED);
	assert_int_equal(leaf_read(SLICE("{\"v\":1,\"kind\":\"close\",\"t\":5,\"clock\":\"x\",\"error_us\":1}"), &leaf),
			 LEAF_MALFORMED);
}

/* A record never outgrows its bound, and says how much of a text was left out. */
static void a_long_text_is_cut_and_that_is_said(void **state)
{
	struct buffer text = buffer_make(NULL), record = buffer_make(NULL);
	(void)state;
	for (int i = 0; i < 5000; i++)
		buffer_text(&text, "\xe6\xbe\xb3");
	for (enum leaf_kind kind = 0; kind < LEAF_KINDS; kind++) {
		write_all(kind, true, buffer_slice(&text), &record);
		assert_true(record.len <= LEAF_BYTES_MOST);
	}
	write_all(LEAF_CLOSE, true, buffer_slice(&text), &record);
	assert_true(utf8_valid(buffer_slice(&record)));
	assert_true(slice_find(buffer_slice(&record), SLICE("... and 13977 bytes\"}"), 0) < record.len);
	buffer_clear(&text);
	for (int i = 0; i < 5000; i++)
		buffer_byte(&text, 1);
	for (enum leaf_kind kind = 0; kind < LEAF_KINDS; kind++) {
		write_all(kind, true, buffer_slice(&text), &record);
		assert_true(record.len < UINT16_MAX);
	}
	buffer_free(&text);
	buffer_free(&record);
}

TEST_MAIN(cmocka_unit_test(every_kind_comes_back), cmocka_unit_test(what_is_newer_is_told_from_what_is_wrong),
	  cmocka_unit_test(a_long_text_is_cut_and_that_is_said))
