/*
 * Writes down what happens: each second of an incident goes into the casebook, and what is new of it to the store on
 * disk by a thread of its own. While a disk refuses, what is new waits, as much of it as the book has room for.
 */
#ifndef GUIA_WATCH_CASES_H
#define GUIA_WATCH_CASES_H

#include "watch/cases_look.h"

struct cases;

/* `directory` is that of the bans; NULL: nothing is kept. What is wrong with the store is said on stderr. 0, -ENOMEM or
 * -errno of a thread that cannot be had. */
int cases_begin(const char *directory, struct cases **ret_cases);
/* What is new is written first. NULL is allowed. */
void cases_end(struct cases *cases);

void cases_second(struct cases *cases, const struct cases_sight *sight);

/*
 * What the rings hold, as it comes: for intrusions. Of a finding, the number of the incident that it belongs to; 0: to
 * none, so far.
 */
uint64_t cases_finding(struct cases *cases, const struct sites *sites, unsigned box, const struct finding *finding,
		       uint64_t wall_ms);
void cases_heads(struct cases *cases, unsigned box, const struct head *heads, size_t count);
void cases_events(struct cases *cases, const struct sites *sites, unsigned box, const struct event *events,
		  size_t count, uint64_t wall_ms);

/* With each look at the rings: what was noted goes to the disk at once. */
void cases_step(struct cases *cases, const struct cases_sight *sight);

/* All that are on, or may go on; of floods the latest. */
void cases_each(const struct cases *cases, case_glance_fn *each, void *context);

/* The number of the incident that is on and that a source (NULL: nobody's) or else a site has to do with; 0: none. */
uint64_t cases_incident(const struct cases *cases, const struct address *source, const char *site);

/* Where it is kept; "" where it is not. */
const char *cases_path(const struct cases *cases);

/* What Guia did, or a person ordered. */
void cases_note(struct cases *cases, enum case_entry_kind kind, const char *text, uint64_t wall_ms);

#endif
