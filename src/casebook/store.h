/*
 * The casebook on disk: years of incidents in one SQLite database (WAL), its schema versioned. One connection is one
 * thread's; readers may open the same file while the watch writes.
 */
#ifndef GUIA_CASEBOOK_STORE_H
#define GUIA_CASEBOOK_STORE_H

#include "base/buffer.h"
#include "casebook/casebook.h"

#define CASE_STORE_FILE "history.db"

enum {
	CASE_STORE_VERSION = 3,
	CASE_STORE_NEWER = 1,     /* a later Guia wrote it: it is left alone */
	CASE_STORE_DAMAGED = 2,   /* SQLite cannot read it */
	CASE_STORE_NONE = 3,      /* there is no such file, or no such incident */
	CASE_ENTRIES_SHOWN = 400, /* where not all are asked for */
	CASE_TALLIES_KEPT = 1000, /* of an incident and dimension, those that came most often */
};

struct case_store;

/* How often something came, in addition to what is kept. `dimension` and `key` are printable. */
struct case_tally {
	const char *dimension;
	const char *key;
	double requests;
};

/* All that is new of an incident. */
struct case_news {
	const struct case_record *record;
	const struct case_entry *entries;
	size_t entry_count;
	const struct case_point *points;
	size_t point_count;
	const struct case_tally *tallies;
	size_t tally_count;
	const struct case_actor *actor; /* of an intrusion; NULL of a flood */
};

/* For writing: made if it is not there. 0, CASE_STORE_NEWER, CASE_STORE_DAMAGED or -errno. */
int case_store_open(const char *path, struct case_store **ret_store);
/* For reading: also CASE_STORE_NONE. */
int case_store_look(const char *path, struct case_store **ret_store);
void case_store_close(struct case_store *store); /* NULL is allowed */

/*
 * A damaged one is put beside, as PATH.damaged or PATH.damaged.N, with what belongs to it, so that a new one can be
 * begun and nothing is lost. 0 with its new name, or -errno.
 */
int case_store_put_aside(const char *path, struct buffer *ret_name);

/* What is new of so many incidents in one transaction: all or nothing. 0, CASE_STORE_DAMAGED or -errno (-ENOSPC: the
 * disk is full). */
int case_store_write(struct case_store *store, const struct case_news *news, size_t count);

/* 0, CASE_STORE_NONE, CASE_STORE_DAMAGED or -errno, as are all that read. */
int case_store_latest(struct case_store *store, struct case_record *ret_record);
int case_store_latest_flood(struct case_store *store, struct case_record *ret_record);
int case_store_actor(struct case_store *store, uint64_t id, struct case_actor *ret_actor);
int case_store_read(struct case_store *store, uint64_t id, struct case_record *ret_record);

/* From the latest on, those before `before` (0: all), at most `count`. `each` returns false to stop. */
typedef bool case_record_fn(void *context, const struct case_record *record);
int case_store_records(struct case_store *store, uint64_t before, size_t count, case_record_fn *each, void *context);

/* In the order in which it happened. */
typedef bool case_entry_fn(void *context, const struct case_entry *entry);
int case_store_entries(struct case_store *store, uint64_t id, case_entry_fn *each, void *context);

/* The first and the last of them, CASE_ENTRIES_SHOWN in all at most: with the first of the latter comes how many were
 * left out before it, else 0. What is read does not grow with an incident. */
typedef bool case_entry_end_fn(void *context, const struct case_entry *entry, uint64_t left_out);
int case_store_entry_ends(struct case_store *store, uint64_t id, case_entry_end_fn *each, void *context);

/* In order of time, summed up to steps of `step_ms`; `site` CASE_SITES is all of them together. */
typedef bool case_point_fn(void *context, const struct case_point *point);
int case_store_points(struct case_store *store, uint64_t id, uint16_t site, uint64_t step_ms, case_point_fn *each,
		      void *context);

/* The most frequent first. */
typedef bool case_tally_fn(void *context, const struct case_tally *tally);
int case_store_tallies(struct case_store *store, uint64_t id, const char *dimension, size_t count, case_tally_fn *each,
		       void *context);

#endif
