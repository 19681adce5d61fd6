/*
 * What an export is of, decided once: it is written down in the unfinished bag, so that one that was cut off goes on
 * with the same records, the same signatures and the same name.
 */
#ifndef GUIA_BUNDLE_EXPORT_PLAN_H
#define GUIA_BUNDLE_EXPORT_PLAN_H

#include "base/address.h"
#include "casebook/store.h"
#include "evidence/checkpoint.h"
#include "evidence/leaf.h"

enum {
	PLAN_ID_BYTES = 33, /* 32 hexadecimal digits and a NUL */
	PLAN_EPOCHS_MOST = 64,
	PLAN_AROUND_MS = 60 * 1000, /* that much before and after an incident belongs to it */
};

/* Messages: "clear" with the export key, "sealed" without, "none" where none were kept. */
enum plan_messages { PLAN_NONE, PLAN_SEALED, PLAN_CLEAR };

struct export_epoch {
	unsigned number;
	struct buffer note; /* what was signed when the export began */
	uint64_t begun;     /* the record that says so; UINT64_MAX: not in this epoch */
};

struct export_plan {
	char id[PLAN_ID_BYTES];
	uint64_t incident;
	uint64_t from_ms, to_ms; /* records in between */
	uint64_t at_ms;
	struct clock_state clock;
	uint64_t user;
	char why[CASE_TEXT_BYTES];
	char languages[64]; /* of reports, with spaces in between */
	enum plan_messages messages;
	size_t site_count;
	char sites[CASE_SITES][CASE_NAME_BYTES];
	enum case_kind kind;
	size_t source_count;
	struct address sources[CASE_TALLIES_KEPT]; /* of an intrusion's actor, in order */
	size_t epoch_count;
	struct export_epoch epochs[PLAN_EPOCHS_MOST];
};

/* From a minute before its onset to a minute after its end, or to `ongoing_ms` while it goes on. */
void export_plan_span(const struct case_record *record, uint64_t ongoing_ms, uint64_t *ret_from_ms,
		      uint64_t *ret_to_ms);

/* What there is of an incident now; without a name, and without who asks for what. 0 or -errno. */
int export_plan_make(struct case_store *store, const struct case_record *record, uint64_t now_ms,
		     struct export_plan *ret_plan);

/* A new name; 0 or -ENOMEM. */
int export_plan_name(struct export_plan *plan);

void export_plan_write(const struct export_plan *plan, struct buffer *out);
/* False if it is none. To be freed in any case. */
bool export_plan_read(struct slice text, struct export_plan *ret_plan);
void export_plan_free(struct export_plan *plan);

/* Whether an unfinished export is the one that is asked for. */
bool export_plan_same(const struct export_plan *begun, const struct export_plan *asked);

/* An address more, before plan_sources_sort(); one that is no address, or finds no room, is not. */
void export_plan_add_source(struct export_plan *plan, const char *address);
void export_plan_sort_sources(struct export_plan *plan);

/*
 * Whether a record of the incident's time belongs to it. What names the incident does, and so does what names none, of
 * its sites or of no site; a stopped request that names none, of an intrusion, if its source is one of the actor's. Of
 * what names another incident, of a flood all that was stopped or decided at its sites; of an intrusion what was
 * stopped of its actor's sources, and the totals.
 */
enum plan_choice { PLAN_TAKES, PLAN_OTHER_SITE, PLAN_OTHER_INCIDENT };
enum plan_choice export_plan_choose(const struct export_plan *plan, const struct leaf *leaf);

#endif
