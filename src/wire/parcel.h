/*
 * Records of any length up to a bound, in a ring of slots (wire/ring.h): a parcel lies in as many slots, one behind
 * another, as it needs, and all of them become visible at once. What holds of slots holds of parcels: a writer that is
 * killed in the middle leaves nothing to be seen, the oldest are overwritten, and the reader knows exactly how many it
 * missed, because parcels have numbers of their own, which go on over the lives of writers.
 */
#ifndef GUIA_WIRE_PARCEL_H
#define GUIA_WIRE_PARCEL_H

#include "base/slice.h"
#include "wire/ring.h"

enum {
	PARCEL_SLOT_BYTES = 1024,
	PARCEL_PART_BYTES = PARCEL_SLOT_BYTES - 24,
	PARCEL_PARTS_MOST = 184, /* slots that one parcel may take */
	PARCEL_BYTES_MOST = PARCEL_PARTS_MOST * PARCEL_PART_BYTES,
	PARCEL_SLOTS_LEAST = 2 * PARCEL_PARTS_MOST, /* of a ring; a power of two beyond it */
};

/* One part of a parcel, as it lies in a slot. */
struct parcel_slot {
	uint64_t number; /* the ring's */
	uint64_t parcel; /* from 0; never more than `number` */
	uint32_t bytes;  /* of the whole parcel */
	uint32_t part;   /* from 0 */
	uint8_t text[PARCEL_PART_BYTES];
};

_Static_assert(sizeof(struct parcel_slot) == PARCEL_SLOT_BYTES, "a part has its size");

struct parcel_writer {
	struct ring_writer ring;
	uint64_t parcel; /* the next one's number */
};

/* Goes on where the one before left off. `slot_count` is at least PARCEL_SLOTS_LEAST. */
void parcel_attach(struct parcel_writer *writer, struct ring_control *control, uint8_t *slots, uint32_t slot_count);

/* One parcel made of these bytes, in this order. Nothing is written where they are none, or too many: false. */
bool parcel_send(struct parcel_writer *writer, const struct slice *pieces, size_t count);

struct parcel_reader {
	struct ring_reader ring;   /* `fd`, `control_at`, `slots_at` and `slot_count` are the caller's to set */
	struct parcel_slot *slots; /* taken, of which `taken` stand, and those from `at` on wait */
	size_t at;
	size_t taken;
	uint8_t *bytes;          /* what there is of the parcel that is being put together */
	size_t have;             /* 0: none is */
	struct parcel_slot last; /* its newest part, without the text */
	bool known;              /* whether the number of the next one is */
	uint64_t next;
	uint64_t seen;   /* slots: the newest that ended a parcel, and one */
	uint64_t lost;   /* parcels that were overwritten before they were read */
	uint64_t broken; /* that are not what a writer leaves */
};

/* From the oldest parcel that is whole. 0 or -errno. Releasing what was never started is allowed. */
int parcel_reader_start(struct parcel_reader *reader);
void parcel_reader_release(struct parcel_reader *reader);

/* The next parcel, in memory of the reader's until it is asked again. 1; 0: there is none; -errno. */
int parcel_reader_take(struct parcel_reader *reader, struct slice *ret_parcel);

#endif
