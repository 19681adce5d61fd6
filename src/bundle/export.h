/*
 * The evidence of one incident as a bundle that others can check by themselves: a BagIt bag (RFC 8493).
 *
 *     bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt sizes.txt VERIFY.md
 *     export.json export.tlog-proof export.checkpoint export.key.der export.tsr   the log's word of this bag (seal.h)
 *     data/custody.json data/incident.json data/report-LANGUAGE.html
 *     data/warc/incident-3-0001-00000.warc                  records, and messages where the export key was given
 *     data/proofs/0001/000                                  the way from each to what was signed (chunk.h)
 *     data/log/0001/ checkpoint key.der tile/ timestamps/   of the log: hashes, and no records
 *     data/packets/                                         pcapng, where the export key was given and the edge sampled
 *     data/messages/                                        parcels, where messages stay sealed
 *
 * It is made in DIR.part and takes its name when it is whole. What was cut off, by a full disk, by SIGKILL, is gone on
 * with by the same order.
 */
#ifndef GUIA_BUNDLE_EXPORT_H
#define GUIA_BUNDLE_EXPORT_H

#include "bundle/papers.h"
#include "bundle/seal.h"

#include <limits.h>

struct export_order {
	const char *log;
	const char *to;
	struct case_store *store;
	const struct case_record *record;
	struct slice incident; /* as JSON */
	const char *why;
	const char *languages;
	const char *key; /* of messages; NULL: they stay sealed */
	uint64_t user;
	uint64_t now_ms;
	struct seal_register seal;
	/* How far it is, now and then; NULL: nobody asks. */
	void (*progress)(void *context, const char *what, uint64_t done, uint64_t of);
	void *context;
};

struct export_result {
	struct chunk_sums sums;
	uint64_t files, bytes; /* of the payload */
	uint64_t sealed_parcels, unopened_parcels;
	bool resumed;
	bool stamped;
	char what[PATH_MAX]; /* what an error is of; "": the bag */
};

enum {
	EXPORT_EXISTS = 1,      /* there is something of that name */
	EXPORT_OTHER = 2,       /* an unfinished export of another incident, reason, user or choice is there */
	EXPORT_ALTERED = 3,     /* the log is not what was signed */
	EXPORT_UNSIGNED = 4,    /* the log took the record, but nobody signed for it in time */
	EXPORT_KEY_BAD = 5,     /* no key of messages */
	EXPORT_UNFINISHED = 6,  /* another process works on it */
	EXPORT_NOT_RECORDED = 7 /* whoever writes the log would not; it said why */
};

/* 0, an outcome above, what the store answers as -EIO, or -errno. */
int export_run(const struct export_order *order, struct export_result *ret_result);

#endif
