/*
 * Objects whose pointers lead to arrays of their own, as bytes, and back in a process of the same build: the object as
 * it is in memory, then its arrays. What is read is known to have been written so; only its length is not relied on.
 */
#ifndef GUIA_MATCH_IMAGE_H
#define GUIA_MATCH_IMAGE_H

#include "base/buffer.h"
#include "base/reader.h"

enum { IMAGE_ARRAYS_MOST = 10 };

/* An array of an object: where its pointer is, and what it holds. */
struct image_array {
	void **at;
	size_t bytes;
};

struct image_kind {
	size_t bytes;       /* of the object */
	size_t array_count; /* IMAGE_ARRAYS_MOST at most */
	void (*arrays_of)(void *object, struct image_array *ret_arrays);
};

void image_write(const struct image_kind *kind, const void *object, struct buffer *out);

/*
 * The object and each array are of malloc, one without bytes is NULL. Other pointers that it has are another process's.
 * 0, -ENOMEM, or -EBADMSG.
 */
int image_read(const struct image_kind *kind, struct reader *in, void **ret_object);

#endif
