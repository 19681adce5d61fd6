/* The bytes of a place image, for place_image.c and place_build.c alone. */
#ifndef GUIA_LIMIT_PLACE_LAYOUT_H
#define GUIA_LIMIT_PLACE_LAYOUT_H

#include "limit/place_image.h"

enum {
	PLACE_IMAGE_FORM = 1,
	PLACE_INDEX_BITS = 16,
	PLACE_INDEX = (1 << PLACE_INDEX_BITS) + 1, /* index[i]: the first range that begins at i << rest or behind */
	PLACE_COUNT_MOST = 1 << 27,
};

struct place_header {
	struct image_head head;
	struct place_source source;
	uint64_t v4_count;
	uint64_t v6_count;
	uint64_t name_count;
	uint64_t name_bytes;
};

/* Arrays behind the header in this order, each at a multiple of 8. */
enum place_array {
	PLACE_V6_STARTS,
	PLACE_V4_STARTS,
	PLACE_V4_INDEX,
	PLACE_V6_INDEX,
	PLACE_V4_NETWORKS,
	PLACE_V6_NETWORKS,
	PLACE_V4_COUNTRIES,
	PLACE_V6_COUNTRIES,
	PLACE_NAME_NETWORKS,
	PLACE_NAME_OFFSETS,
	PLACE_NAME_TEXT,
	PLACE_ARRAYS,
};

/* Where each begins, and where the last ends. */
struct place_layout {
	size_t at[PLACE_ARRAYS + 1];
};

struct place_layout place_layout_of(const struct place_header *header);

static inline struct image_head place_head_expected(void)
{
	return (struct image_head){
		.magic = {'G', 'u', 'i', 'a', 'P', 'l', 'a', 'c'},
		.form = PLACE_IMAGE_FORM,
		.record_bytes = sizeof(struct place_header),
	};
}

#endif
