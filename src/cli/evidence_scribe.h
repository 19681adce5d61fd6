/* Who writes an evidence log for a command: the watch that has it, or, where none runs, this process with its key. */
#ifndef GUIA_CLI_EVIDENCE_SCRIBE_H
#define GUIA_CLI_EVIDENCE_SCRIBE_H

#include "cli/watch_place.h"
#include "evidence/leaf.h"

#define EVIDENCE_PLACE_OPTIONS                                                                                         \
	{"log", 0, "DIR", "the evidence log of a watch that does not run (default: the watch's)"},                     \
		{"signing-key", 0, "FILE", "with --log: the key that signs for it (default: key.pem in it)"},          \
	{                                                                                                              \
		"authority", 0, "URL", "with --log: who timestamps (RFC 3161), http://HOST[:PORT]/PATH"                \
	}

struct evidence_scribe {
	const struct cli_arguments *arguments;
	char log[PATH_MAX];
	char own_key[PATH_MAX + 16];
	const char *signing_key; /* NULL: the watch writes */
	const char *authority;
	bool stamped; /* somebody timestamps */
};

enum evidence_purpose { EVIDENCE_TO_READ, EVIDENCE_TO_WRITE };

/* CLI_FINE, or an exit code after a message. To read, no key is needed. */
int evidence_scribe_find(const struct cli_arguments *arguments, enum evidence_purpose purpose,
			 struct evidence_scribe *ret_scribe);

/*
 * One record, signed for. `question` is how the watch is asked for it, `values` what this process writes by itself.
 * CLI_FINE, or an exit code after a message.
 */
int evidence_scribe_put(const struct evidence_scribe *scribe, const char *question, enum leaf_kind kind,
			const struct leaf_value *values);

/* Has another key take the place of the log's; the watch's answer only says that it will. Likewise. */
int evidence_scribe_rotate(const struct evidence_scribe *scribe);

#endif
