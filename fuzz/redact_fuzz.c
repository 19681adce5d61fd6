/* A secret planted before or behind anything at all does not come through, in any form. */
#include "http/redact.h"

#include "target.h"

static const struct redact_names names;

static void expect_gone(const char *before, const uint8_t *data, size_t size, const char *behind, const char *form)
{
	struct buffer text = buffer_make(NULL), out = buffer_make(NULL);
	buffer_printf(&text, "%s%.*s%s", before, (int)size, (const char *)data, behind);
	if (form != NULL)
		redact_body(&names, slice_from_string(form), buffer_slice(&text), &out);
	else if (!redact_text_keeps(&names, buffer_slice(&text), 0))
		redact_text(&names, SLICE(""), SLICE(""), buffer_slice(&text), &out);
	redact_text_beginning(&names, buffer_slice(&text), form == NULL ? text.len : 0, &out);
	struct slice secret = SLICE("Zq7Zq7"), seen = buffer_slice(out.len == 0 ? &text : &out);
	if (slice_find(slice_make(data, size), SLICE("Zq7"), 0) == size && slice_find(seen, secret, 0) < seen.len)
		abort();
	buffer_free(&text);
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	expect_gone("", data, size, "&password=Zq7Zq7", "application/x-www-form-urlencoded");
	expect_gone("{\"password\" : \"Zq7Zq7\",", data, size, "", "application/json");
	expect_gone("--B\r\nA: x; name=\"pwd\"\r\n\r\nZq7Zq7\r\n--B\r\n", data, size, "", "multipart/form-data");
	expect_gone("<password>Zq7Zq7</password>", data, size, "", "");
	expect_gone("<password>Zq7Zq7</password>", data, size, "", NULL);
	expect_gone("GET /?p%61ssword=Zq7Zq7 ", data, size, "", NULL);
	return 0;
}
