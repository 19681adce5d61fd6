/* Whatever the bytes: escaped text is valid UTF-8 without control bytes, and base64 comes back. */
#include "codec/text.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	struct buffer out = buffer_make(NULL);
	text_add_json(&out, in);
	text_add_terminal(&out, in);
	for (size_t i = 0; i < out.len; i++) {
		if (out.ptr[i] < ' ' || out.ptr[i] == 0x7f)
			abort();
	}
	if (out.error != 0 || !utf8_valid(buffer_slice(&out)))
		abort();
	uint8_t *encoded = malloc(base64_encoded_length(size) + 1), *decoded = malloc(size + 3);
	size_t len;
	if (base64_decode(slice_make(encoded, base64_encode(in, encoded)), decoded, &len) != 0)
		abort();
	if (!slice_equal(slice_make(decoded, len), in) || base64_decode_forgiving(in, decoded) > size)
		abort();
	free(encoded);
	free(decoded);
	buffer_free(&out);
	return 0;
}
