/*
 * What is older than it may be is deleted: parcels of messages, with their salts, and records, of which the hashes
 * stay: whatever was signed is still proven. A record of the log says so first. What is held (evidence/holds.h) stays,
 * and so does what tells of keys.
 */
#ifndef GUIA_EVIDENCE_RETENTION_H
#define GUIA_EVIDENCE_RETENTION_H

#include "evidence/disk.h"

enum { RETENTION_DAYS = 90, RETENTION_DAYS_MOST = 36500 };

struct retention_policy {
	unsigned messages_days; /* 0: they are kept for ever */
	unsigned records_days;
};

/*
 * Has the log say what is about to be deleted, and returns once that is sealed; false: it is not, and nothing is
 * deleted. `of` "messages": between two times in milliseconds; WALK_DELETED_RECORDS and an epoch's number: of its
 * records from one to before the other, those that are not there.
 */
typedef bool retention_say_fn(void *context, const char *of, uint64_t from, uint64_t to, const char *why);

struct retention_sums {
	uint64_t parcels, bundles; /* deleted now */
	uint64_t held;             /* of either, old enough, and kept for a hold */
};

/* `folder` is the log's. 0, HOLDS_DAMAGED or -errno. */
int retention_run(const struct disk_calls *disk, const char *folder, const struct retention_policy *policy,
		  uint64_t now_ms, retention_say_fn *say, void *context, struct retention_sums *ret_sums);

#endif
