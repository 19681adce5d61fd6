/*
 * A ring of records of one size: one process writes, another reads, and neither waits for the other. The writer
 * overwrites the oldest record; the reader finds out how many it missed, exactly.
 *
 * Records are numbered from 0; number n stands in slot n % slots, and begins with n. `head` is the number of the next
 * one: what is below it is whole. A writer that dies in the middle of a record has not moved `head`, and whoever writes
 * next overwrites what it left. The reader copies first and looks at `head` again afterwards: what may have been
 * overwritten meanwhile, the slots being written included, is thrown away and counted (a sequence lock without
 * waiting). A writer may fill several slots before it commits them together; its reader knows how many at most.
 *
 * The writer works in mapped memory, with no system call and no lock. The reader uses pread(2): whatever somebody does
 * to the file, truncation included, is an error here and never a signal. Both keep their own place in their own memory;
 * what stands in the file decides no address.
 */
#ifndef GUIA_WIRE_RING_H
#define GUIA_WIRE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ring_control {
	_Alignas(64) _Atomic uint64_t head;
};

struct ring_writer {
	struct ring_control *control;
	uint8_t *slots;
	uint32_t slot_bytes; /* a multiple of 8 */
	uint32_t mask;       /* slots - 1; there is a power of two of them */
	uint64_t next;
};

/* Goes on where the one before left off. */
static inline void ring_attach(struct ring_writer *ring, struct ring_control *control, uint8_t *slots,
			       uint32_t slot_bytes, uint32_t slot_count)
{
	*ring = (struct ring_writer){control, slots, slot_bytes, slot_count - 1, atomic_load(&control->head)};
}

/* The slot of the record `ahead` behind the next one, with its number set and the rest as it was. Nothing is seen of it
 * before the commit. */
static inline void *ring_begin_ahead(struct ring_writer *ring, uint32_t ahead)
{
	uint64_t number = ring->next + ahead;
	uint64_t *slot = (uint64_t *)(ring->slots + (number & ring->mask) * ring->slot_bytes);
	/* That the slot's last record was the newest but `slots` must be seen before it changes. */
	atomic_thread_fence(memory_order_release);
	*slot = number;
	return slot;
}

/* The next `count` records are whole. */
static inline void ring_commit_many(struct ring_writer *ring, uint32_t count)
{
	ring->next += count;
	atomic_store_explicit(&ring->control->head, ring->next, memory_order_release);
}

static inline void *ring_begin(struct ring_writer *ring)
{
	return ring_begin_ahead(ring, 0);
}

static inline void ring_commit(struct ring_writer *ring)
{
	ring_commit_many(ring, 1);
}

struct ring_reader {
	int fd; /* the caller's */
	off_t control_at;
	off_t slots_at;
	uint32_t slot_bytes;
	uint32_t slot_count; /* a power of two */
	uint32_t at_once;    /* so many a writer may fill before it commits them, below slot_count; 0: one */
	uint64_t next;       /* what comes next */
	uint64_t lost;       /* were overwritten before they were read */
	uint64_t broken;     /* are not what a writer leaves */
};

/* From the oldest record that is still there. 0 or -errno; -EIO where the file ends too soon. */
int ring_reader_start(struct ring_reader *reader);

/*
 * Takes up to `room` records, the oldest first, into memory of room * slot_bytes. Returns how many; they end where the
 * slots end, so that there may be more as long as it is not 0. Or -errno.
 */
ssize_t ring_reader_take(struct ring_reader *reader, void *records, size_t room);

/* How many records there are to take, as far as the file says: at most slot_count. Or -errno. */
ssize_t ring_reader_waiting(const struct ring_reader *reader);

#endif
