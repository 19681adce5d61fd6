/* A WARC file of anyone's making; and what a client sent, written into one, stays in the field that it was put in. */
#include "bundle/warc.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_make(data, size), some = slice_sub(bytes, 0, 4096);
	struct reader file = reader_make(bytes);
	struct buffer out = buffer_make(NULL);
	struct warc_record record;
	while (warc_next(&file, &record))
		if (record.block.ptr != bytes.ptr + record.block_at || file.at > size)
			abort();
	warc_begin(&out, "request", "<urn:uuid:1>", 0);
	warc_field_uri(&out, "WARC-Target-URI", "http", some, some);
	warc_field(&out, "X", some);
	(void)warc_block(&out, "text/plain", bytes);
	file = reader_make(buffer_slice(&out));
	if (!warc_next(&file, &record) || !reader_at_end(&file) || !slice_equal(record.block, bytes) ||
	    !slice_equal(warc_value(&record, "WARC-Type"), SLICE("request")))
		abort();
	buffer_free(&out);
	return 0;
}
