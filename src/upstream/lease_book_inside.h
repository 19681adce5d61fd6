/* The book from within, for lease_book.c, and for lease_journal.c, which fills one. */
#ifndef GUIA_UPSTREAM_LEASE_BOOK_INSIDE_H
#define GUIA_UPSTREAM_LEASE_BOOK_INSIDE_H

#include "upstream/lease.h"

/* A line that ExaBGP has not answered. */
struct lease_asked {
	uint32_t id; /* of the lease; 0: of none */
	bool withdraws;
	uint64_t rate_bytes;
};

struct lease_book {
	const struct upstream_operator *operators;
	size_t operator_count;
	struct guard **guards; /* one an operator */
	struct lease *leases;  /* in the order of their beginning */
	size_t count;
	size_t capacity;
	uint32_t last_id;
	uint64_t held_ms;          /* 0: never */
	struct lease_asked *asked; /* the oldest first */
	size_t asked_count;
	size_t asked_capacity;
};

/* Room for one more lease, and for one more line's answer; the latter moves no lease. 0 or -ENOMEM. */
int lease_reserve(struct lease_book *book);
int lease_reserve_line(struct lease_book *book);

/* Whether another lease, not ending, is of the same route. */
bool lease_has_heir(const struct lease_book *book, const struct lease *lease);

/* The text of a line about a lease, without its newline; NULL where there are no words. Free it with buffer_free(). */
struct slice lease_line(const struct lease_book *book, const struct lease *lease, bool withdraw, struct buffer *out);

/* Writes it and awaits an answer; lease_reserve_line() was called. */
void lease_line_add(struct lease_book *book, const struct lease *lease, bool withdraw, struct slice line,
		    const struct lease_sink *sink);

/* ---- lease_record.c ---- */

/* A line of the journal: how the lease stands now; that something was announced. */
void lease_record(const struct lease_book *book, const struct lease *lease, struct buffer *journal);
void lease_record_change(const struct upstream_operator *operator_, uint64_t at_ms, struct buffer *journal);

#endif
