/*
 * What is asked of operators, each with an end and a reason, and the lines for ExaBGP that follow. Pure: time is an
 * argument, lines and the journal are appended to buffers of the caller's. Nothing is announced but through the guard.
 *
 * Two clocks end a lease: its own, and the hold, which whoever watches the attack renews every few seconds. With the
 * hold lapsed everything is withdrawn: nobody would see any more that a rule does harm or is needed no longer.
 */
#ifndef GUIA_UPSTREAM_LEASE_BOOK_H
#define GUIA_UPSTREAM_LEASE_BOOK_H

#include "upstream/lease.h"

struct lease_book;

/* `operators` are borrowed. 0 or -ENOMEM. */
int lease_book_create(const struct upstream_operator *operators, size_t count, struct lease_book **ret_book);
void lease_book_free(struct lease_book *book);

/* What an ask would come to. A guard's verdict, or an outcome of lease.h. */
int lease_try(const struct lease_book *book, const struct lease_ask *ask, uint64_t now_ms);

/* Announces, or gives a lease of the same route another end. The same; *ret_lease is valid until the next change. */
int lease_ask(struct lease_book *book, const struct lease_ask *ask, uint64_t now_ms, const struct lease_sink *sink,
	      const struct lease **ret_lease);

/* 0 or LEASE_UNKNOWN. What is lifted keeps its lease; raising it again asks the guard. */
int lease_end(struct lease_book *book, uint32_t id, const struct lease_sink *sink);
int lease_lift(struct lease_book *book, uint32_t id, const struct lease_sink *sink);
int lease_raise(struct lease_book *book, uint32_t id, uint64_t now_ms, const struct lease_sink *sink);

/* Whoever watches the attack is there: nothing is let go for LEASE_HOLD_MS. */
void lease_hold(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink);
bool lease_is_held(const struct lease_book *book, uint64_t now_ms);
/* When it last said so; 0: never. */
uint64_t lease_held_ms(const struct lease_book *book);

/* Ends what is over. Returns when it is next needed, UINT64_MAX: not before something changes. */
uint64_t lease_tick(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink);

/* ExaBGP's answer to the oldest line that it has not answered. */
void lease_answered(struct lease_book *book, bool taken, uint64_t now_ms, const struct lease_sink *sink);
/* A whole line for ExaBGP that is about no lease: its answer, too, comes in its turn. 0 or -ENOMEM. */
int lease_line_other(struct lease_book *book, struct slice line, const struct lease_sink *sink);
size_t lease_unanswered(const struct lease_book *book);

/* All of them, in the order of their beginning; valid until the next change. */
size_t lease_list(const struct lease_book *book, const struct lease **ret_leases);
/* How many routes an operator's router has of ours, as far as the guard knows. */
size_t lease_announced(const struct lease_book *book, uint32_t operator_);

#endif
