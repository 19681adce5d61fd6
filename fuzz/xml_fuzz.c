/* No value holds more than the body does (entities would make it grow), in any of the ways to ask. */
#include "http/xml.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	xml_library_start();
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct field_list list = field_list_make(&arena);
	struct xml_document *document = NULL;
	struct slice error = {0};
	int outcome = xml_parse(slice_make(data, size), &(struct xml_options){.node_limit = 1000}, &document, &error);
	if (outcome < 0 || (outcome != 0) != (error.len > 0) || (outcome == 0) != xml_well_formed(document))
		abort();
	if (xml_query(document, "/*", NULL, 0, SLICE("a"), &list) != 0 || list.count > 1)
		abort();
	if (xml_query(document, "//@*", NULL, 0, SLICE("b"), &list) != 0 || xml_arguments(document, 100, &list) != 0)
		abort();
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].value.len > 4 * size) /* other encodings become UTF-8 */
			abort();
	xml_destroy(document);
	arena_destroy(&arena);
	return 0;
}
