/*
 * What every parser of this room yields: named values in the order in which they came. Names and values are slices of
 * the bytes parsed where nothing needed decoding, and of the list's arena otherwise; so they live as long as both.
 */
#ifndef GUIA_HTTP_FIELD_H
#define GUIA_HTTP_FIELD_H

#include "base/arena.h"

struct field {
	struct slice name;
	struct slice value;
	size_t name_offset;  /* of the name as sent, from the first byte parsed; 0 where a name is composed (JSON, XML)
			      */
	size_t value_offset; /* of the value as sent */
};

struct field_list {
	struct field *items;
	size_t count;
	size_t capacity;
	struct arena *arena;
};

static inline struct field_list field_list_make(struct arena *arena)
{
	return (struct field_list){.arena = arena};
}

/* 0, or -ENOMEM with the list unchanged. */
int field_list_add(struct field_list *list, struct field field) __attribute__((warn_unused_result));

/* The first field of that name, ASCII case ignored, or NULL. */
const struct field *field_list_find(const struct field_list *list, struct slice name);

/*
 * A body processor's outcome besides 0 and negative errors: the body is not what it should be. What was read before
 * the fault is kept, and the error text says what libmodsecurity's REQBODY_PROCESSOR_ERROR_MSG says behind its prefix
 * ("JSON parsing error: ", "XML parsing error: ", "Multipart parsing error: ").
 */
enum {
	BODY_MALFORMED = 1,
};

#endif
