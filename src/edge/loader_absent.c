/* In place of loader_program.c where clang or bpftool were missing when this was built. */
#include "edge/loader_inside.h"

bool edge_is_built(void)
{
	return false;
}

int loader_load(const struct edge_options *options, struct buffer *told, struct loaded *ret_loaded)
{
	(void)options;
	(void)ret_loaded;
	buffer_text(told,
		    "this build is without the edge: clang-14 or bpftool was missing. Install them and build again\n");
	return EDGE_NOT_BUILT;
}
