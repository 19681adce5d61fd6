#include "bundle/warc.h"

#include "base/test.h"

static void records_are_read_as_they_were_written(void **state)
{
	struct buffer out = buffer_make(NULL);
	struct warc_record record;
	(void)state;
	warc_begin(&out, "request", "<urn:uuid:1>", UINT64_C(1783713600123));
	warc_field_uri(&out, "WARC-Target-URI", "http", SLICE("a.test"), SLICE("/x?y=%41"));
	size_t at = warc_block(&out, "application/http;msgtype=request", SLICE("GET / HTTP/1.1\r\n\r\n"));
	warc_begin(&out, "metadata", "<urn:uuid:2>", 0);
	(void)warc_block(&out, "application/json", SLICE(""));
	struct reader file = reader_make(test_fenced(buffer_slice(&out)));
	assert_true(warc_next(&file, &record));
	assert_slice(record.block, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(record.block_at, at);
	assert_slice(warc_value(&record, "warc-type"), "request");
	assert_slice(warc_value(&record, "WARC-Date"), "2026-07-10T20:00:00.123Z");
	assert_slice(warc_value(&record, "WARC-Target-URI"), "http://a.test/x?y=%41");
	assert_slice(warc_value(&record, "WARC-Block-Digest"),
		     "sha256:8ac8a2c19d1c441af9f62e3e2309d3adaf82ddc6cbc8f100770cc234df048e17");
	assert_null(warc_value(&record, "Guia-Record").ptr);
	assert_true(warc_next(&file, &record));
	assert_int_equal(record.block.len, 0);
	assert_false(warc_next(&file, &record));
	assert_true(reader_at_end(&file));
	buffer_free(&out);
}

/* What a client sends cannot end a line, nor begin a record. */
static void hostile_bytes_stay_in_their_field(void **state)
{
	static const char *const hostile[] = {
		"/\r\nWARC-Type: warcinfo", "/\r\n\r\nWARC/1.1\r\n", "/\n\n", "/\x7f\x80\xff ", "/%", "/<>\"\\^`{|}"};
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct buffer out = buffer_make(NULL);
		struct warc_record record;
		warc_begin(&out, "request", "<urn:uuid:1>", 0);
		warc_field_uri(&out, "WARC-Target-URI", "http", slice_from_string(hostile[i]),
			       slice_from_string(hostile[i]));
		warc_field(&out, "X", slice_from_string(hostile[i]));
		(void)warc_block(&out, "text/plain", SLICE("block"));
		struct reader file = reader_make(buffer_slice(&out));
		assert_true(warc_next(&file, &record));
		assert_true(reader_at_end(&file));
		assert_slice(warc_value(&record, "WARC-Type"), "request");
		assert_slice(record.block, "block");
		for (size_t b = 0; b < record.head.len; b++)
			assert_true(record.head.ptr[b] == '\r' || record.head.ptr[b] == '\n' ||
				    (record.head.ptr[b] >= ' ' && record.head.ptr[b] <= '~'));
		buffer_free(&out);
	}
}

static void what_is_no_record_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"WARC/1.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
		"WARC/1.1\r\nContent-Length: 1\r\n\r\n\r\n\r\n",
		"WARC/1.1\r\nContent-Length: -1\r\n\r\n\r\n\r\n",
		"WARC/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n\r\n\r\n",
		"WARC/1.1\r\nX: 0\r\n\r\n\r\n\r\n",
		"WARC/1.1\r\nContent-Length: 0\r\n\r\n\r\n",
		"WARC/1.1\r\nContent-Length: 0\r\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct warc_record record;
		struct reader file = reader_make(test_fenced(slice_from_string(bad[i])));
		assert_false(warc_next(&file, &record));
		assert_int_equal(file.at, 0);
	}
}

TEST_MAIN(cmocka_unit_test(records_are_read_as_they_were_written), cmocka_unit_test(hostile_bytes_stay_in_their_field),
	  cmocka_unit_test(what_is_no_record_is_none))
