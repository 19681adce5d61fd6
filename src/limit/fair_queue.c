/* A doubly linked line for each rank, and a word with a bit for each line that is not empty. */
#include "limit/fair_queue.h"

_Static_assert(FAIR_QUEUE_RANKS <= 64, "a bit for each rank");

uint8_t fair_queue_rank(unsigned standing, uint64_t used_us)
{
	uint64_t used_ms = used_us / 1000;
	uint8_t level = 0;
	for (; used_ms > 0 && level < FAIR_QUEUE_LEVELS - 1; used_ms /= 2)
		level++;
	return (uint8_t)(level +
			 (standing < FAIR_QUEUE_STANDINGS ? standing : FAIR_QUEUE_STANDINGS - 1) * FAIR_QUEUE_LEVELS);
}

void fair_queue_leave(struct fair_queue *q, struct fair_queue_entry *entry)
{
	struct fair_queue_line *line = &q->lines[entry->rank];
	if (!entry->waits)
		return;
	*(entry->previous != NULL ? &entry->previous->next : &line->first) = entry->next;
	*(entry->next != NULL ? &entry->next->previous : &line->last) = entry->previous;
	if (line->first == NULL)
		q->filled &= ~(UINT64_C(1) << entry->rank);
	entry->waits = false;
	q->count--;
}

static void append(struct fair_queue *q, struct fair_queue_entry *entry)
{
	struct fair_queue_line *line = &q->lines[entry->rank];
	entry->next = NULL;
	entry->previous = line->last;
	*(line->last != NULL ? &line->last->next : &line->first) = entry;
	line->last = entry;
	entry->waits = true;
	q->filled |= UINT64_C(1) << entry->rank;
	q->count++;
}

bool fair_queue_join(struct fair_queue *q, struct fair_queue_entry *entry, uint8_t rank, uint64_t now_us,
		     struct fair_queue_entry **ret_pushed_out)
{
	struct fair_queue_entry *out = NULL;
	if (q->count >= q->capacity) {
		unsigned worst = q->filled == 0 ? 0 : 63 - (unsigned)__builtin_clzll(q->filled);
		if (q->filled == 0 || worst <= rank)
			return false;
		out = q->lines[worst].last;
		fair_queue_leave(q, out);
	}
	entry->rank = rank;
	entry->since_us = now_us;
	append(q, entry);
	*ret_pushed_out = out;
	return true;
}

struct fair_queue_entry *fair_queue_take(struct fair_queue *q)
{
	if (q->filled == 0)
		return NULL;
	struct fair_queue_entry *entry = q->lines[__builtin_ctzll(q->filled)].first;
	fair_queue_leave(q, entry);
	return entry;
}

struct fair_queue_entry *fair_queue_take_overdue(struct fair_queue *q, uint64_t before_us)
{
	for (uint64_t left = q->filled; left != 0; left &= left - 1) {
		struct fair_queue_entry *entry = q->lines[__builtin_ctzll(left)].first;
		if (entry->since_us <= before_us) {
			fair_queue_leave(q, entry);
			return entry;
		}
	}
	return NULL;
}

struct fair_queue_entry *fair_queue_take_if(struct fair_queue *q, fair_queue_test *test, void *context)
{
	for (uint64_t left = q->filled; left != 0; left &= left - 1) {
		struct fair_queue_entry *entry = q->lines[__builtin_ctzll(left)].first;
		for (; entry != NULL; entry = entry->next) {
			if (!test(entry, context))
				continue;
			fair_queue_leave(q, entry);
			return entry;
		}
	}
	return NULL;
}
