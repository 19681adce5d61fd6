/*
 * The reader takes slots in batches and puts parts together in its own memory; a parcel that lacks one is dropped. How
 * many were lost is told by the parcels' numbers, as far as the slots' numbers allow.
 */
#include "wire/parcel.h"

#include "base/error.h"

#include <stdlib.h>

enum { BATCH = 64 };

/* ---- the writer ---- */

void parcel_attach(struct parcel_writer *writer, struct ring_control *control, uint8_t *slots, uint32_t slot_count)
{
	ring_attach(&writer->ring, control, slots, PARCEL_SLOT_BYTES, slot_count);
	uint64_t head = writer->ring.next;
	const struct parcel_slot *newest =
		(const struct parcel_slot *)(slots + ((head - 1) & (slot_count - 1)) * PARCEL_SLOT_BYTES);
	bool is_whole = newest->number == head - 1 && newest->parcel <= newest->number;
	writer->parcel = head == 0 ? 0 : is_whole ? newest->parcel + 1 : head;
}

struct filling {
	struct parcel_writer *writer;
	struct parcel_slot *slot; /* NULL: none is begun */
	uint32_t bytes;
	uint32_t parts;
	size_t used; /* of the slot */
};

static void part_begin(struct filling *f)
{
	f->slot = ring_begin_ahead(&f->writer->ring, f->parts);
	f->slot->parcel = f->writer->parcel;
	f->slot->bytes = f->bytes;
	f->slot->part = f->parts++;
	f->used = 0;
}

static void piece_fill(struct filling *f, struct slice piece)
{
	while (piece.len > 0) {
		if (f->slot == NULL || f->used == PARCEL_PART_BYTES)
			part_begin(f);
		size_t room = PARCEL_PART_BYTES - f->used, some = piece.len < room ? piece.len : room;
		memcpy(f->slot->text + f->used, piece.ptr, some);
		f->used += some;
		piece = slice_after(piece, some);
	}
}

bool parcel_send(struct parcel_writer *writer, const struct slice *pieces, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > PARCEL_BYTES_MOST - bytes)
			return false;
		bytes += pieces[i].len;
	}
	if (bytes == 0)
		return false;
	struct filling filling = {.writer = writer, .bytes = (uint32_t)bytes};
	for (size_t i = 0; i < count; i++)
		piece_fill(&filling, pieces[i]);
	writer->parcel++;
	ring_commit_many(&writer->ring, filling.parts);
	return true;
}

/* ---- the reader ---- */

void parcel_reader_release(struct parcel_reader *reader)
{
	free(reader->slots);
	free(reader->bytes);
	reader->slots = NULL;
	reader->bytes = NULL;
	reader->at = reader->taken = reader->have = 0;
}

static int rooms_make(struct parcel_reader *reader)
{
	if (reader->slots == NULL)
		reader->slots = malloc(BATCH * sizeof(*reader->slots));
	if (reader->bytes == NULL)
		reader->bytes = malloc(PARCEL_BYTES_MOST);
	return reader->slots != NULL && reader->bytes != NULL ? 0 : -ENOMEM;
}

static size_t part_bytes(const struct parcel_slot *slot)
{
	size_t before = (size_t)slot->part * PARCEL_PART_BYTES, left = slot->bytes - before;
	return left < PARCEL_PART_BYTES ? left : PARCEL_PART_BYTES;
}

static bool is_sound(const struct parcel_slot *slot)
{
	return slot->bytes > 0 && slot->bytes <= PARCEL_BYTES_MOST && slot->part < PARCEL_PARTS_MOST &&
	       (size_t)slot->part * PARCEL_PART_BYTES < slot->bytes && slot->parcel <= slot->number;
}

/* Whether it goes on with what there is. */
static bool is_next_part(const struct parcel_reader *reader, const struct parcel_slot *slot)
{
	const struct parcel_slot *last = &reader->last;
	return reader->have > 0 && slot->number == last->number + 1 && slot->parcel == last->parcel &&
	       slot->bytes == last->bytes && slot->part == last->part + 1;
}

/* Adds a part. True: the parcel is whole. */
static bool part_take(struct parcel_reader *reader, const struct parcel_slot *slot)
{
	if (slot->part != 0 && !is_next_part(reader, slot)) {
		reader->have = 0;
		return false;
	}
	reader->have = slot->part == 0 ? 0 : reader->have;
	memcpy(reader->bytes + reader->have, slot->text, part_bytes(slot));
	reader->have += part_bytes(slot);
	memcpy(&reader->last, slot, offsetof(struct parcel_slot, text));
	return reader->have == slot->bytes;
}

/*
 * What is between this one and the last was lost: as many parcels as their numbers say, which cannot be more than the
 * slots between them. A writer's numbers do not go back either.
 */
static bool number_take(struct parcel_reader *reader)
{
	uint64_t number = reader->last.parcel, first = reader->last.number - reader->last.part;
	bool follows = !reader->known || (number >= reader->next && first >= reader->seen &&
					  number - reader->next <= first - reader->seen);
	if (reader->known && follows)
		reader->lost += number - reader->next;
	reader->broken += !follows;
	reader->known = true;
	reader->next = number + 1;
	reader->seen = reader->last.number + 1;
	return follows;
}

/* False: there are no more slots in what was taken. */
static bool put_together(struct parcel_reader *reader)
{
	while (reader->at < reader->taken) {
		const struct parcel_slot *slot = &reader->slots[reader->at++];
		if (!is_sound(slot)) {
			reader->have = 0;
			reader->broken++;
		} else if (part_take(reader, slot) && number_take(reader)) {
			return true;
		}
	}
	return false;
}

/* 1, 0: there are none; -errno. */
static int slots_take(struct parcel_reader *reader)
{
	ssize_t n = ring_reader_take(&reader->ring, reader->slots, BATCH);
	reader->at = 0;
	reader->taken = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

/* The first parcel of which all may be there. */
static void numbers_begin(struct parcel_reader *reader)
{
	const struct parcel_slot *first = reader->slots;
	reader->known = reader->taken > 0 ? is_sound(first) : reader->ring.next == 0;
	if (reader->known && reader->taken > 0) {
		reader->next = first->parcel + (first->part > 0);
		reader->seen = first->number;
	}
}

/* The first slots are taken at once, so that from them on all is counted. */
int parcel_reader_start(struct parcel_reader *reader)
{
	reader->ring.slot_bytes = PARCEL_SLOT_BYTES;
	reader->ring.at_once = PARCEL_PARTS_MOST;
	int r = rooms_make(reader);
	r = r != 0 ? r : ring_reader_start(&reader->ring);
	r = r != 0 ? r : slots_take(reader);
	if (r < 0)
		parcel_reader_release(reader);
	else
		numbers_begin(reader);
	return r < 0 ? r : 0;
}

int parcel_reader_take(struct parcel_reader *reader, struct slice *ret_parcel)
{
	while (!put_together(reader)) {
		int r = slots_take(reader);
		if (r <= 0)
			return r;
	}
	*ret_parcel = slice_make(reader->bytes, reader->have);
	reader->have = 0;
	return 1;
}
