/* Whether a log is what it was: read whole, without a network, and what cannot be told is said. */
#ifndef GUIA_EVIDENCE_VERIFY_H
#define GUIA_EVIDENCE_VERIFY_H

#include "evidence/walk.h"

struct verify_options {
	struct slice anchor;     /* a checkpoint that was kept elsewhere; len 0: none */
	const char *authorities; /* certificates (PEM) of who may have timestamped; NULL: not checked */
	const char *fingerprint; /* of the first key, from the log book; NULL: not compared */
};

#define VERIFY_NO_RECORD UINT64_MAX /* of a file, a key, a signature */

struct verify_report {
	enum finding finding;
	unsigned epoch; /* in which it was found; 0: of a bundle, which says it in words */
	uint64_t record;
	struct buffer text; /* for people, lines */
};

/* 0 with a report, -ENOENT: there is no log, or -errno. The report is to be freed in any case. */
int verify_log(const char *path, const struct verify_options *options, struct verify_report *ret_report);
void verify_report_free(struct verify_report *report);

/* The highest number of an epoch's folder in a log; 0: there is none. Those below it may be missing. */
unsigned verify_highest_epoch(const char *path);

/* The folder of an epoch's files, or -errno; `epoch` 0: the last. */
int verify_open_epoch(const char *path, unsigned epoch);

/* The proof that a record is in what was signed, in C2SP's form, and the record. -ENOENT: it is not there, or not
 * signed. */
int verify_prove(int folder, uint64_t index, struct buffer *proof, struct buffer *record);

#endif
