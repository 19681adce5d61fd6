/* Where the watch keeps evidence, and what it states of it, as options and configurations say. */
#ifndef GUIA_CLI_WATCH_EVIDENCE_H
#define GUIA_CLI_WATCH_EVIDENCE_H

#include "serve/config.h"
#include "watch/witness.h"

#include <limits.h>

enum watch_kept { WATCH_KEPT_MESSAGES, WATCH_KEPT_RECORDS, WATCH_KEPT };

/* All zero: where it is usual, and for as long. */
struct watch_evidence {
	char folder[PATH_MAX];
	char authority[PATH_MAX];
	char certificate[PATH_MAX];
	unsigned days[WATCH_KEPT]; /* that is kept */
	bool days_told[WATCH_KEPT];
	struct witness_digest *digests;
	size_t count, capacity;
};

void watch_evidence_free(struct watch_evidence *evidence);

/* Each: CLI_FINE, or an exit code after a message. Texts that are not of a configuration must stay. */
int watch_evidence_configured(struct watch_evidence *evidence, const struct serve_config *config);
int watch_evidence_days(struct watch_evidence *evidence, enum watch_kept kept, const char *text);
int watch_evidence_folder(struct watch_evidence *evidence, const char *folder);
int watch_evidence_authority(struct watch_evidence *evidence, const char *authority);
int watch_evidence_certificate(struct watch_evidence *evidence, const char *path);
/* "OF HEX NAME" */
int watch_evidence_digest(struct watch_evidence *evidence, struct slice text);

/* In the folder of bans where nothing else was said; nowhere without one. */
int watch_evidence_options(struct watch_evidence *evidence, const char *bans, struct witness_options *ret_options);

#endif
