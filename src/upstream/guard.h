/*
 * Judges what is about to be written to ExaBGP, from its bytes alone: it reads the line back, and knows only the
 * operator's agreement and what passed before. Nothing is announced that it did not pass.
 *
 * An announcement hits our own addresses only and no protected one, is no wider, no more and no faster than agreed, and
 * ends. One that would keep visitors from a served port without saying whose packets it means is blackholing, whatever
 * it is called, and needs a person's yes. A withdrawal passes if it withdraws what had passed.
 */
#ifndef GUIA_UPSTREAM_GUARD_H
#define GUIA_UPSTREAM_GUARD_H

#include "upstream/operator.h"
#include "upstream/route.h"

enum guard_verdict {
#define GUARD(name, text) GUARD_##name,
#include "upstream/guard_verdicts.h"
#undef GUARD
	GUARD_VERDICTS
};

enum {
	GUARD_MINUTE_MS = 60000,
	GUARD_SOURCE_BITS_V4 = 16, /* a wider source is as good as none */
	GUARD_SOURCE_BITS_V6 = 32,
};

struct guard_terms {
	uint64_t now_ms;
	uint64_t until_ms; /* when it will be withdrawn */
	bool yes;          /* a person agreed */
};

struct guard;

/* `operator` is borrowed. 0 or -ENOMEM. */
int guard_create(const struct upstream_operator *operator_, struct guard **ret_guard);
void guard_free(struct guard *guard);

/* What it would say, without its newline. Nothing is noted. */
enum guard_verdict guard_judge(const struct guard *guard, struct slice line, const struct guard_terms *terms);

/* The same, and notes what passes as announced or withdrawn. */
enum guard_verdict guard_pass(struct guard *guard, struct slice line, const struct guard_terms *terms);

/* Notes a line as announced by an earlier life of ours, if it would pass at any pace. */
enum guard_verdict guard_adopt(struct guard *guard, struct slice line, const struct guard_terms *terms);

size_t guard_count(const struct guard *guard);

/* When the last changes_most announcements passed, the oldest first (0: none yet); and one more, for the next life. */
uint64_t guard_change(const struct guard *guard, size_t at);
void guard_note_change(struct guard *guard, uint64_t at_ms);

/* Whether the route would keep visitors from a service of ours, other than those of a named source. */
bool guard_blackholes(const struct upstream_operator *operator_, const struct route *route);

const char *guard_text(enum guard_verdict verdict);

#endif
