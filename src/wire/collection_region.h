/*
 * The inside of a collection table's region: header, buckets, cells. For collection_table.c and its test alone.
 *
 * Records live in chains of cells of equal size. A record is never changed in place: its new form is written to free
 * cells, becomes valid by one store (the head cell's state), and then the old form is freed. Links (buckets, the free
 * list, the order of use) can be rebuilt from the valid head cells, and are, when `changing` is found set: whoever set
 * it died. Of two valid forms of a record, caught between the two stores, the newer counts.
 */
#ifndef GUIA_WIRE_COLLECTION_REGION_H
#define GUIA_WIRE_COLLECTION_REGION_H

#include "base/hash.h"
#include "wire/collection_table.h"

enum {
	REGION_VERSION = 1,
	CELL_BYTES = 256,
	CELL_NONE = 0, /* cells are numbered from 1 */
	HEAD_DATA_BYTES = 152,
	MORE_DATA_BYTES = 240,
};

enum cell_state {
	CELL_FREE = 0,
	CELL_HEAD = 0x48454144,
	CELL_MORE = 0x4d4f5245,
};

/* What a record is, besides its bytes. Together they are what the checksum covers. */
struct record_meta {
	uint64_t generation; /* unique; of two forms of a record the greater is the newer */
	uint64_t created_ms;
	uint64_t updated_ms;
	uint64_t expires_ms;
	uint64_t updates;
	uint32_t length; /* of its bytes: site, key, values */
	uint16_t site_len;
	uint16_t key_len;
	uint32_t collection;
	uint32_t zero;
};

/* A record gathered from its cells. */
struct record_image {
	struct record_meta meta;
	uint8_t bytes[COLLECTION_RECORD_BYTES];
};

struct cell {
	uint32_t state;
	uint32_t next;       /* cell of the record, or of the free list */
	uint32_t owner;      /* MORE: the head */
	uint32_t generation; /* MORE: the record's, cut to 32 bits */
	union {
		uint8_t more[MORE_DATA_BYTES];
		struct {
			struct record_meta meta;
			uint64_t checksum;
			uint64_t used; /* tick of the last use; not under the checksum, nor are the links */
			uint32_t chain;
			uint32_t newer;
			uint32_t older;
			uint32_t hash;
			uint8_t data[HEAD_DATA_BYTES];
		};
	};
};

struct region_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t cell_bytes;
	uint32_t buckets;
	uint32_t cells;
	uint64_t bytes;
	struct hash_key seed;
	uint64_t check; /* over all above */

	uint32_t changing; /* a change is in progress, or its author died */
	uint32_t free_first;
	uint32_t newest;
	uint32_t oldest;
	uint64_t tick;
	uint64_t free_count;
	uint64_t records;
	uint64_t evicted;
	uint64_t repairs;
};

_Static_assert(sizeof(struct cell) == CELL_BYTES, "a cell has its size");
_Static_assert(sizeof(struct region_header) <= CELL_BYTES, "the header has its room");

static inline struct region_header *region_header(const struct collection_table *t)
{
	return (struct region_header *)t->region;
}

static inline uint32_t *region_buckets(const struct collection_table *t)
{
	return (uint32_t *)(t->region + CELL_BYTES);
}

/* NULL for CELL_NONE and for numbers that cannot be. */
static inline struct cell *region_cell(const struct collection_table *t, uint32_t number)
{
	if (number == CELL_NONE || number > t->cells)
		return NULL;
	size_t cells_at = t->bytes - (size_t)t->cells * CELL_BYTES;
	return (struct cell *)(t->region + cells_at) + (number - 1);
}

/* How many buckets and cells fit; sets bytes too. */
void region_measure(struct collection_table *t, size_t bytes);
void region_format(struct collection_table *t);
bool region_header_valid(const struct collection_table *t);

/* Rebuilds every link from the records that hold. Leaves `changing` clear. */
void region_repair(struct collection_table *t);
int region_verify(const struct collection_table *t);

/* The marks around a change. */
void region_begin(struct collection_table *t);
void region_end(struct collection_table *t);

/* The record's head, with its content in *ret_image, or CELL_NONE. Repairs if it comes upon a bad link. */
uint32_t region_find(struct collection_table *t, const struct collection_id *id, struct record_image *ret_image);

/* The following are to be called between begin and end. */
void region_touch(struct collection_table *t, uint32_t head);
void region_remove(struct collection_table *t, uint32_t head);

/*
 * Writes a new form and frees the old (CELL_NONE: there is none). Evicts for room. Sets the image's generation. False
 * where it came upon a bad link: nothing is written then, and all links are repaired.
 */
bool region_write(struct collection_table *t, struct record_image *image, uint32_t old);

#endif
