/* A request and the response an origin would give, as fields: what is fed to both engines alike. */
#ifndef PARITY_SAMPLE_H
#define PARITY_SAMPLE_H

#include "base/slice.h"

enum { SAMPLE_HEADERS_MAX = 64 };

struct sample_header {
	struct slice name;
	struct slice value;
};

struct sample {
	struct slice client; /* the address, NUL-terminated: one of its own for each, so that none has a history */
	struct slice method;
	struct slice uri;
	struct slice version; /* "1.1" */
	struct sample_header headers[SAMPLE_HEADERS_MAX];
	size_t header_count;
	struct slice body;
	unsigned response_status;
	struct sample_header response_headers[SAMPLE_HEADERS_MAX];
	size_t response_header_count;
	struct slice response_body;
};

/* What an engine made of it. */
enum { OUTCOME_MATCHES_MAX = 4096, OUTCOME_TX_MAX = 2048, OUTCOME_CAPTURES_MAX = 4096 };

struct outcome_match {
	int64_t rule_id; /* the head's */
	unsigned depth;  /* of the link; 0 the head */
	bool completed;  /* the last link of its rule; ours only */
};

struct outcome_tx {
	struct slice name; /* lower case */
	struct slice value;
};

/* One that the last rule to capture this group took: which of several is left depends on the order of visiting. */
struct outcome_capture {
	unsigned group;
	struct slice value;
};

struct outcome {
	struct outcome_match matches[OUTCOME_MATCHES_MAX];
	size_t match_count;
	struct outcome_tx tx[OUTCOME_TX_MAX]; /* sorted by name */
	size_t tx_count;
	struct outcome_capture captures[OUTCOME_CAPTURES_MAX]; /* the oracle's only */
	size_t capture_count;
	int status; /* 200 where nothing disrupted */
};

#endif
