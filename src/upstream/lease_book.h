/*
 * What is asked of operators, each with an end and a reason, and the lines for ExaBGP that follow. Pure: time is an
 * argument, lines and the journal are appended to buffers of the caller's. Nothing is announced but through the guard.
 *
 * Two clocks end a lease: its own, and the hold, which whoever watches the attack renews every few seconds. With the
 * hold lapsed everything is withdrawn: nobody would see any more that a rule does harm or is needed no longer.
 *
 * The journal is a line a change, written before the lines it is about: what it holds is at least what ExaBGP was told.
 */
#ifndef GUIA_UPSTREAM_LEASE_BOOK_H
#define GUIA_UPSTREAM_LEASE_BOOK_H

#include "upstream/guard.h"

#include <sys/types.h>

enum {
	LEASE_WHY_BYTES = 160,
	LEASE_HOLD_MS = 25000,
	LEASE_RETRY_MS = 1000, /* from a withdrawal that ExaBGP did not take to the next */

	/* Beside the guard's verdicts: */
	LEASE_UNHELD = GUARD_VERDICTS, /* nobody holds leases: it would be withdrawn at once */
	LEASE_UNWRITABLE,
	LEASE_UNKNOWN, /* there is no such lease */
};

enum lease_state {
	LEASE_ANNOUNCED,
	LEASE_LIFTED, /* withdrawn for a look at what comes without it */
	LEASE_ENDING, /* withdrawn; ExaBGP has not said that it did */
};

struct lease {
	uint32_t id;
	uint32_t operator_; /* its place among the book's */
	enum lease_state state;
	struct route route;
	uint64_t since_ms;
	uint64_t until_ms;
	uint64_t retry_ms; /* of LEASE_ENDING: when it is withdrawn again; 0: an answer is awaited */
	bool yes;
	bool taken; /* ExaBGP said so */
	uid_t by;
	char why[LEASE_WHY_BYTES + 1];
};

struct lease_ask {
	uint32_t operator_;
	const struct route *route;
	uint64_t until_ms;
	bool yes;
	uid_t by;
	struct slice why; /* cut to LEASE_WHY_BYTES, controls replaced */
};

/* What becomes of a lease. */
enum lease_change {
	LEASE_KEEPER_BEGAN, /* of none: what was told before may be missing */
	LEASE_ASKED,        /* it goes to ExaBGP */
	LEASE_RENEWED,      /* it has another end */
	LEASE_REFUSED,      /* the guard's verdict, or one of the above; there is no lease */
	LEASE_TAKEN,        /* ExaBGP says that it is announced */
	LEASE_NOT_TAKEN,
	LEASE_IS_LIFTED,
	LEASE_RAISED,
	LEASE_WITHDRAWN, /* somebody ends it */
	LEASE_LAPSED,    /* its time is over */
	LEASE_LET_GO,    /* nobody holds it any more */
	LEASE_GONE,      /* ExaBGP says that it is withdrawn */
	LEASE_CHANGES,
};
const char *lease_change_name(enum lease_change change);

/* Where what is to be written goes: the journal first. And who is told of what becomes of leases; NULL: nobody. */
struct lease_sink {
	struct buffer *journal;
	struct buffer *lines;
	void (*told)(void *context, const struct lease *lease, enum lease_change change, int outcome);
	void *context;
};

struct lease_book;

/* `operators` are borrowed. 0 or -ENOMEM. */
int lease_book_create(const struct upstream_operator *operators, size_t count, struct lease_book **ret_book);
void lease_book_free(struct lease_book *book);

/* What an ask would come to. A guard's verdict, or one of those above. */
int lease_try(const struct lease_book *book, const struct lease_ask *ask, uint64_t now_ms);

/* Announces, or gives a lease of the same route another end. The same; *ret_lease is valid until the next change. */
int lease_ask(struct lease_book *book, const struct lease_ask *ask, uint64_t now_ms, const struct lease_sink *sink,
	      const struct lease **ret_lease);

/* 0 or LEASE_UNKNOWN. What is lifted keeps its lease; raising it again asks the guard. */
int lease_end(struct lease_book *book, uint32_t id, const struct lease_sink *sink);
int lease_lift(struct lease_book *book, uint32_t id, const struct lease_sink *sink);
int lease_raise(struct lease_book *book, uint32_t id, uint64_t now_ms, const struct lease_sink *sink);

void lease_hold(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink);
bool lease_is_held(const struct lease_book *book, uint64_t now_ms);

/* Ends what is over. Returns when it is next needed, UINT64_MAX: not before something changes. */
uint64_t lease_tick(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink);

/* ExaBGP's answer to the oldest line that it has not answered. */
void lease_answered(struct lease_book *book, bool taken, uint64_t now_ms, const struct lease_sink *sink);
size_t lease_unanswered(const struct lease_book *book);

size_t lease_list(const struct lease_book *book, const struct lease **ret_leases);
size_t lease_announced(const struct lease_book *book, uint32_t operator_);

/* ---- the journal ---- */

/* The whole book as a journal, appended; `boot` tells one start of the machine from another. */
void lease_journal_write(const struct lease_book *book, struct slice boot, struct buffer *out);

enum { LEASE_JOURNAL_BAD = 1 };

/*
 * Into a book that is empty. What the guard passes today goes on, the rest is withdrawn; a half-written last line never
 * happened. 0; LEASE_JOURNAL_BAD: some of it could not be read, and ExaBGP may hold more than is known; -ENOMEM.
 */
int lease_journal_read(struct lease_book *book, struct slice text, struct slice boot, uint64_t now_ms,
		       const struct lease_sink *sink);

const char *lease_outcome_text(int outcome);

#endif
