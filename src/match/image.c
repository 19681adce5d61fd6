/*
 * Pointers are written as they are, and mean nothing until their array is read. What was read before a fault is freed.
 */
#include "match/image.h"

#include "base/error.h"

#include <stdlib.h>

void image_write(const struct image_kind *kind, const void *object, struct buffer *out)
{
	struct image_array arrays[IMAGE_ARRAYS_MOST];
	kind->arrays_of((void *)(uintptr_t)object, arrays);
	buffer_add(out, slice_make(object, kind->bytes));
	for (size_t i = 0; i < kind->array_count; i++)
		buffer_add(out, slice_make(*arrays[i].at, arrays[i].bytes));
}

/* A copy of the next bytes; NULL if it is of none. 0, -ENOMEM, or -EBADMSG. */
static int read_copy(struct reader *in, size_t bytes, void **ret_copy)
{
	struct slice taken = reader_take(in, bytes);
	if (in->overrun)
		return -EBADMSG;
	*ret_copy = bytes > 0 ? malloc(bytes) : NULL;
	if (bytes > 0 && *ret_copy == NULL)
		return -ENOMEM;
	if (bytes > 0)
		memcpy(*ret_copy, taken.ptr, bytes);
	return 0;
}

int image_read(const struct image_kind *kind, struct reader *in, void **ret_object)
{
	struct image_array arrays[IMAGE_ARRAYS_MOST];
	void *object;
	size_t done = 0;
	int r = read_copy(in, kind->bytes, &object);
	if (r != 0)
		return r;
	kind->arrays_of(object, arrays);
	while (done < kind->array_count && (r = read_copy(in, arrays[done].bytes, arrays[done].at)) == 0)
		done++;
	if (r == 0) {
		*ret_object = object;
		return 0;
	}
	while (done > 0)
		free(*arrays[--done].at);
	free(object);
	return r;
}
