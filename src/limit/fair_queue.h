/*
 * A short queue before an origin: who is known goes before who was seen lately, he before who is a stranger, and among
 * equals who has used less of the origin.
 *
 * Each entry has a rank, the less the sooner; entries of a rank go in the order they came. When the queue is full an
 * entry of a better rank takes the place of the last of the worst, so that a flood pushes out itself and not others.
 * All is O(1), whatever comes. Entries belong to the caller, who keeps them where they are while they wait. One
 * process, one queue.
 */
#ifndef GUIA_LIMIT_FAIR_QUEUE_H
#define GUIA_LIMIT_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAIR_QUEUE_LEVELS = 16, FAIR_QUEUE_STANDINGS = 3, FAIR_QUEUE_RANKS = FAIR_QUEUE_STANDINGS * FAIR_QUEUE_LEVELS };

struct fair_queue_entry {
	struct fair_queue_entry *next; /* towards the last of its rank */
	struct fair_queue_entry *previous;
	uint64_t since_us;
	uint8_t rank;
	bool waits;
};

struct fair_queue_line {
	struct fair_queue_entry *first;
	struct fair_queue_entry *last;
};

/* All zero but the capacity is an empty one. */
struct fair_queue {
	struct fair_queue_line lines[FAIR_QUEUE_RANKS];
	uint64_t filled; /* a bit for each rank that has entries */
	size_t count;
	size_t capacity;
};

/* `standing`: 0 for those who go before all others; `used_us`: of the origin's time by this source lately. Each
 * doubling from a millisecond on is a level. */
uint8_t fair_queue_rank(unsigned standing, uint64_t used_us);

/*
 * False if the queue is full of entries as good or better. If one had to leave for it, *ret_pushed_out is that one,
 * else NULL.
 */
bool fair_queue_join(struct fair_queue *q, struct fair_queue_entry *entry, uint8_t rank, uint64_t now_us,
		     struct fair_queue_entry **ret_pushed_out);

/* The next to go, taken out; NULL if none waits. */
struct fair_queue_entry *fair_queue_take(struct fair_queue *q);

/* One that came at `before_us` or earlier, taken out; NULL if none. */
struct fair_queue_entry *fair_queue_take_overdue(struct fair_queue *q, uint64_t before_us);

typedef bool fair_queue_test(struct fair_queue_entry *entry, void *context);
/* One of which `test` is true, taken out; NULL if none. All that wait may have to be looked at. */
struct fair_queue_entry *fair_queue_take_if(struct fair_queue *q, fair_queue_test *test, void *context);

/* The client went away, or its source is refused since. Nothing if it does not wait. */
void fair_queue_leave(struct fair_queue *q, struct fair_queue_entry *entry);

#endif
