/* FlowSpec from the wire (family, NLRI) or a line for ExaBGP: what is read is written again, and read as the same. */
#include "upstream/route.h"

#include "target.h"

static void line_holds(struct slice text)
{
	struct route_line line;
	struct buffer again = buffer_make(NULL);
	if (route_line_read(text, &line) && (route_line_write(&line, &again) != 0 || again.len != text.len + 1 ||
					     memcmp(again.ptr, text.ptr, text.len) != 0))
		abort();
	buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_rule rule, again;
	struct slice rest, nlri = slice_after(slice_make(data, size), 1);
	uint8_t first[FLOW_NLRI_BYTES + 1], second[FLOW_NLRI_BYTES + 1];
	line_holds(slice_make(data, size));
	if (size < 1 || flow_nlri_read(nlri, (data[0] & 1) != 0, &rule, &rest) != 0)
		return 0;
	size_t len = flow_nlri_write(&rule, first);
	if (len > 0 && (flow_nlri_read(slice_make(first, len), rule.v6, &again, &rest) != 0 || rest.len > 0 ||
			flow_nlri_write(&again, second) != len || memcmp(first, second, len) != 0))
		abort();
	return 0;
}
