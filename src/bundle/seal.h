/*
 * The log's own word of an export: a record when it begins and one when it ends, the latter with the SHA-256 of the
 * bag's tag manifest. What was signed with it in, and timestamped, makes the bag's signature.
 */
#ifndef GUIA_BUNDLE_SEAL_H
#define GUIA_BUNDLE_SEAL_H

#include "bundle/export_plan.h"

enum { SEAL_SIGNED_WAIT_MS = 15 * 1000 };

struct seal_entry {
	const char *step; /* "begun", "finished" */
	const struct export_plan *plan;
	const struct merkle_hash *manifest; /* NULL: none yet */
	uint64_t files;
	uint64_t bytes;
};

/* Has the record written by whoever writes the log. 0, or -errno after a message of its own. */
struct seal_register {
	int (*record)(void *context, const struct seal_entry *entry);
	void *context;
	unsigned stamp_wait_ms; /* for an authority; 0: there is none */
};

/* The fields of a record of kind export, of the user who asked. */
void seal_values(const struct seal_entry *entry, uint64_t user, struct leaf_value values[LEAF_FIELDS_MOST]);

/* Where such a record is, and what was signed that has it. */
struct seal_place {
	unsigned epoch;
	uint64_t record;
	struct buffer note;
};

/* 0, -ETIMEDOUT: nothing was signed in time, or -errno. The place is to be freed in any case. */
int seal_put(const struct seal_register *recorder, const char *log, const struct seal_entry *entry,
	     struct seal_place *ret_place);
void seal_place_free(struct seal_place *place);

/* Waits for a timestamp of it, and writes export.json, .tlog-proof, .checkpoint, .key.der, and .tsr if there is one. */
int seal_write(const struct seal_register *recorder, const char *log, const struct seal_place *place, int bag,
	       bool *ret_stamped);

#endif
