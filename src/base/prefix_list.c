/* All or nothing: the first line that cannot be taken ends the reading, and what was read before it goes. */
#include "base/prefix_list.h"

#include "base/error.h"
#include "base/vector.h"

#include <stdlib.h>

const char *prefix_list_fault(int outcome)
{
	return outcome == PREFIX_LIST_BAD    ? "not an address or prefix, such as 192.0.2.0/24 or 2001:db8::/48"
	       : outcome == PREFIX_LIST_LONG ? "there are too many"
					     : "out of memory";
}

int prefix_list_read(struct slice text, size_t most, struct prefix **ret_prefixes, size_t *ret_count, size_t *ret_line)
{
	struct prefix *items = NULL;
	size_t count = 0, capacity = 0, number = 0;
	int r = 0;
	while (text.len > 0 && r == 0) {
		struct slice line;
		text = slice_cut(text, '\n', &line);
		slice_cut(line, '#', &line);
		line = slice_trim(line);
		number++;
		if (line.len == 0)
			continue;
		if (count == most)
			r = PREFIX_LIST_LONG;
		else if (vector_grow((void **)&items, &capacity, count, sizeof(*items)) != 0)
			r = -ENOMEM;
		else if (!prefix_parse(line, &items[count++]))
			r = PREFIX_LIST_BAD;
	}
	if (r != 0) {
		*ret_line = number;
		free(items);
		return r;
	}
	*ret_prefixes = items;
	*ret_count = count;
	return 0;
}
