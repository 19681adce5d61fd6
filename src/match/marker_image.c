/* The programs of a set's markers as bytes, and back. */
#include "match/image.h"
#include "match/marker_internal.h"

static void arrays_of(void *object, struct image_array *ret_arrays)
{
	struct markers *m = object;
	const struct image_array arrays[] = {
		{(void **)&m->programs, m->slots * sizeof(*m->programs)},
		{(void **)&m->has_program, (m->slots / 64 + 1) * sizeof(*m->has_program)},
		{(void **)&m->ops, m->op_count * sizeof(*m->ops)},
		{(void **)&m->sets, m->set_count * sizeof(*m->sets)},
		{(void **)&m->commons, m->common_count * sizeof(*m->commons)},
	};
	memcpy(ret_arrays, arrays, sizeof(arrays));
}

static const struct image_kind kind = {sizeof(struct markers), 5, arrays_of};

void markers_write(const struct markers *markers, struct buffer *out)
{
	image_write(&kind, markers, out);
}

int markers_read(struct reader *in, struct markers **ret_markers)
{
	void *object;
	int r = image_read(&kind, in, &object);
	if (r != 0)
		return r;
	*ret_markers = object;
	(*ret_markers)->table = NULL;
	return 0;
}
