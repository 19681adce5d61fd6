/* A map parses or complains, never both; what it holds are bytes. */
#include "codec/unicode_map.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unicode_map map;
	struct diagnostics diagnostics;
	diagnostics_init(&diagnostics);
	int r = unicode_map_parse(&map, slice_make(data, size), 20127, "map", &diagnostics);
	if ((r != 0) != diagnostics_failed(&diagnostics))
		abort();
	for (size_t i = 0; i < UNICODE_MAP_SIZE; i += 61) {
		if (map.byte[i] > UNICODE_MAP_ABSENT)
			abort();
	}
	diagnostics_destroy(&diagnostics);
	return 0;
}
