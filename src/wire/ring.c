/* The reader: a run of slots at a time, with the head read before and after. The writer is inline, in ring.h. */
#include "wire/ring.h"

#include "base/error.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static int read_whole(int fd, void *bytes, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (uint8_t *)bytes + done, len - done, at + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int head_read(const struct ring_reader *reader, uint64_t *ret_head)
{
	int r = read_whole(reader->fd, ret_head, sizeof(*ret_head), reader->control_at);
	/* Orders the copies that the kernel made for us: what is read next is not older than the head. */
	atomic_thread_fence(memory_order_acquire);
	return r;
}

/* The oldest record that no writer at `head` can be touching: the slots from `head` on may be half written. */
static uint64_t oldest_safe(const struct ring_reader *reader, uint64_t head)
{
	uint64_t kept = reader->slot_count - (reader->at_once > 0 ? reader->at_once : 1);
	return head > kept ? head - kept : 0;
}

int ring_reader_start(struct ring_reader *reader)
{
	uint64_t head;
	int r = head_read(reader, &head);
	if (r == 0)
		reader->next = oldest_safe(reader, head);
	return r;
}

/* Moves on to what a writer at `head` leaves. False: the head went back, which no writer does; begun afresh there. */
static bool catch_up(struct ring_reader *reader, uint64_t head)
{
	if (head < reader->next) {
		reader->broken++;
		reader->next = head;
		return false;
	}
	uint64_t oldest = oldest_safe(reader, head);
	if (reader->next < oldest) {
		reader->lost += oldest - reader->next;
		reader->next = oldest;
	}
	return true;
}

/* Keeps the records from `first` on that have the number of their place. */
static size_t keep_sound(struct ring_reader *reader, uint8_t *records, size_t first, size_t count, uint64_t number)
{
	size_t kept = 0;
	for (size_t i = first; i < count; i++) {
		uint64_t own;
		const uint8_t *record = records + i * reader->slot_bytes;
		memcpy(&own, record, sizeof(own));
		if (own != number + i) {
			reader->broken++;
			continue;
		}
		if (kept != i)
			memmove(records + kept * reader->slot_bytes, record, reader->slot_bytes);
		kept++;
	}
	return kept;
}

/* One run of slots. Sets *ret_kept; 1: there was one, 0: there was none. */
static int take_run(struct ring_reader *reader, uint8_t *records, size_t room, size_t *ret_kept)
{
	uint64_t head, later;
	int r = head_read(reader, &head);
	if (r != 0)
		return r;
	if (!catch_up(reader, head) || head == reader->next)
		return 0;
	uint64_t number = reader->next, slot = number & (reader->slot_count - 1);
	size_t count = reader->slot_count - (size_t)slot;
	if (count > head - number)
		count = (size_t)(head - number);
	if (count > room)
		count = room;
	r = read_whole(reader->fd, records, count * reader->slot_bytes,
		       reader->slots_at + (off_t)(slot * reader->slot_bytes));
	atomic_thread_fence(memory_order_acquire);
	r = r != 0 ? r : head_read(reader, &later);
	if (r != 0)
		return r;
	uint64_t oldest = oldest_safe(reader, later);
	size_t overwritten = oldest <= number ? 0 : oldest - number < count ? (size_t)(oldest - number) : count;
	reader->lost += overwritten;
	reader->next = number + count;
	*ret_kept = keep_sound(reader, records, overwritten, count, number);
	return 1;
}

ssize_t ring_reader_take(struct ring_reader *reader, void *records, size_t room)
{
	size_t kept = 0;
	/* A run of which nothing is sound is no reason to stop; but a writer could go on making such. */
	for (int run = 0; run < 4 && kept == 0 && room > 0; run++) {
		int r = take_run(reader, records, room, &kept);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	return (ssize_t)kept;
}

ssize_t ring_reader_waiting(const struct ring_reader *reader)
{
	uint64_t head;
	int r = head_read(reader, &head);
	if (r != 0)
		return r;
	if (head < reader->next)
		return 0;
	return head - reader->next < reader->slot_count ? (ssize_t)(head - reader->next) : (ssize_t)reader->slot_count;
}
