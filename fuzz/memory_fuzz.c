/* What the watch remembers: whatever passes the check is written as the same again. */
#include "traffic/memory.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = {1, 2};
	static struct traffic_memory memory, again;
	struct buffer bytes = buffer_make(NULL), out = buffer_make(NULL);
	struct regulars *regulars;
	buffer_add(&bytes, slice_make(data, size));
	if (size >= 64)
		traffic_memory_seal(&bytes);
	if (traffic_memory_open(&bytes, &key, &memory) == TRAFFIC_MEMORY_GOOD && regulars_new(64, &regulars) == 0) {
		(void)traffic_memory_regulars(&memory, regulars, 1720551600);
		(void)traffic_memory_write(NULL, 0, &memory, regulars, &key, &out);
		if (traffic_memory_open(&out, &key, &again) != TRAFFIC_MEMORY_GOOD || again.sites != memory.sites)
			abort();
		traffic_memory_close(&again);
		regulars_free(regulars);
	}
	traffic_memory_close(&memory);
	buffer_free(&bytes);
	return 0;
}
