/*
 * Incidents that are intrusions: one for each actor that came to enough of a kind (casebook/kind.h). It is called by
 * the gravest kind that its actor came to, takes in all sites where the actor is seen, moves through the same phases as
 * a flood, ends when nothing more has come for five minutes, and goes on if the actor is back within the hour.
 *
 * Pure: time is an argument, as milliseconds since 1970. What is new of each is taken by who writes it down.
 */
#ifndef GUIA_CASEBOOK_INTRUSIONS_H
#define GUIA_CASEBOOK_INTRUSIONS_H

#include "base/address.h"
#include "base/hash.h"
#include "casebook/casebook.h"
#include "wire/event.h"
#include "wire/finding.h"

enum {
	INTRUSIONS_MOST = 48, /* that are on, or may go on; of scans half of them */
	INTRUSION_QUIET_MS = 60 * 1000,
	INTRUSION_OVER_MS = 5 * 60 * 1000,
	INTRUSION_ENTRIES = 24,
	INTRUSION_SOURCES_RESUMED = 24,
	INTRUSION_TALLIES = 7 * 24, /* an item of each dimension; and of places, which the taker may add */
	INTRUSION_TALLY_BYTES = 160,
};

struct intrusion_tally {
	const char *dimension;
	char key[INTRUSION_TALLY_BYTES];
	uint64_t requests;
};

/* What is new of one. */
struct intrusion_news {
	struct case_record record;
	struct case_actor actor;
	size_t entry_count;
	struct case_entry entries[INTRUSION_ENTRIES];
	size_t point_count;
	struct case_point points[CASE_SITES];
	size_t tally_count;
	struct intrusion_tally tallies[INTRUSION_TALLIES];
};

struct intrusions;

/* `key` is for tables that clients fill. 0 or -ENOMEM. NULL may be freed. */
int intrusions_new(const struct hash_key *key, struct intrusions **ret_intrusions);
void intrusions_free(struct intrusions *intrusions);

/* What is on record of one that may go on, and an address of its actor, which may be asked for several times. */
void intrusions_resume(struct intrusions *intrusions, const struct case_record *record, const struct case_actor *actor);
void intrusions_resume_source(struct intrusions *intrusions, uint64_t id, const char *address);

/* As they come. `site` is the number of its name, the same in all calls. Returns the incident that it is one more of;
 * 0: of none, so far. */
uint64_t intrusions_finding(struct intrusions *intrusions, const struct finding *finding, uint16_t site,
			    const char *site_name, uint64_t now_ms);
/* `box` tells whose numbers requests have. */
void intrusions_head(struct intrusions *intrusions, unsigned box, const struct head *head);
void intrusions_event(struct intrusions *intrusions, unsigned box, const struct event *event, uint16_t site,
		      const char *site_name, uint64_t now_ms);

/* Something was done, or ordered: of all that are on. */
void intrusions_note(struct intrusions *intrusions, enum case_entry_kind kind, const char *text, uint64_t now_ms);

/* A second has passed; no scan begins while a flood is on. *last_id is the highest number given: new ones get those
 * behind it. */
void intrusions_second(struct intrusions *intrusions, bool flood, uint64_t *last_id, uint64_t now_ms);

bool intrusions_changed(const struct intrusions *intrusions);

/* All that are on, or may go on. */
void intrusions_each(const struct intrusions *intrusions, case_glance_fn *each, void *context);

/* The one that is on and to whose actor an address belongs; 0: there is none. */
uint64_t intrusions_incident_of(struct intrusions *intrusions, const struct address *source);

/* The next one of which there is news; false: there is none. What is taken is the caller's to keep. */
bool intrusions_take(struct intrusions *intrusions, uint64_t now_ms, struct intrusion_news *ret_news);

/* Requests of note that found no room, and actors that came to enough while there was no number for them. */
uint64_t intrusions_unplaced(const struct intrusions *intrusions);

#endif
