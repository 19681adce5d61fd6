/* @detectXSS: the same answer twice, and never yes without a tag or an attribute value. */
#include "match/xss.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice value = slice_make(data, size);
	bool found = xss_detect(value);
	if (found && (size == 0 || (slice_find_byte(value, '<', 0) == size && slice_find_byte(value, '=', 0) == size)))
		abort();
	if (found != xss_detect(value))
		abort();
	return 0;
}
