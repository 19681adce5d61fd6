/*
 * Records on their way to the thread that writes them. Whoever puts one waits for nobody but another who puts one: what
 * does not fit is counted by kind. Records leave in the order of their times; where the wall clock was set between two,
 * a record says so.
 */
#ifndef GUIA_EVIDENCE_QUEUE_H
#define GUIA_EVIDENCE_QUEUE_H

#include "evidence/leaf.h"

struct queue;

struct queue_loss {
	uint64_t records;
	uint64_t since_ms;
	uint64_t until_ms;
};

struct queue_item {
	enum leaf_kind kind;
	uint64_t time_ms;
	uint64_t put_ns; /* CLOCK_MONOTONIC */
	struct slice fields;
};

/* What was taken at once, for one thread. */
struct queue_taken {
	struct slice bytes; /* until the next is taken */
	struct queue_loss lost[LEAF_KINDS];
	uint64_t time_ms; /* not before any of them */
	bool ending;
};

int queue_create(size_t bytes, struct queue **ret_queue);
void queue_free(struct queue *queue);

/* The fields as leaf_write_fields() makes them. Whether it was taken. */
bool queue_put(struct queue *queue, enum leaf_kind kind, struct slice fields);

/* Waits for the first record, `wait_ms` at most, and then a little for more. */
void queue_take(struct queue *queue, int wait_ms, struct queue_taken *ret_taken);

/* The next of what was taken. */
bool queue_next(struct queue_taken *taken, struct queue_item *ret_item);

/* Nothing is taken any more; who takes is woken. */
void queue_end(struct queue *queue);
bool queue_ending(struct queue *queue);

/* Records that had no room since the last take; and since when the first of those that wait does (0: none waits). */
uint64_t queue_lost(struct queue *queue);
uint64_t queue_oldest_ns(struct queue *queue);

#endif
