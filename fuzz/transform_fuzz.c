/* Each transformation stays within its bound, says "unchanged" exactly for equal bytes, and always answers the same. */
#include "codec/transform.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	for (unsigned row = 0; row < TRANSFORM_COUNT; row++) {
		size_t bound = transform_bound(row, size), len = size, again = size;
		uint8_t *out = malloc(bound + 1), *other = malloc(bound + 1);
		if (out == NULL || other == NULL)
			abort();
		bool changed = transform_apply(row, NULL, in, out, &len);
		struct slice first = changed ? slice_make(out, len) : in;
		if (len > bound && changed)
			abort();
		if (changed == slice_equal(first, in))
			abort();
		if (transform_apply(row, NULL, in, other, &again) != changed || again != len)
			abort();
		if (changed && !slice_equal(first, slice_make(other, again)))
			abort();
		free(out);
		free(other);
	}
	return 0;
}
