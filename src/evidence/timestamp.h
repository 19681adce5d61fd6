/*
 * Timestamps of checkpoints by an authority (RFC 3161): that a checkpoint existed at a time that somebody else vouches
 * for. Query and reply are libcrypto's; the reply's signature is checked against certificates that the checker chose.
 */
#ifndef GUIA_EVIDENCE_TIMESTAMP_H
#define GUIA_EVIDENCE_TIMESTAMP_H

#include "base/buffer.h"

enum { TIMESTAMP_REPLY_BYTES_MOST = 64 * 1024, TIMESTAMP_WAIT_MS = 5000 };

/* Asks for the SHA-256 of `content`, with a nonce and the authority's certificate. Appended. 0 or -ENOMEM. */
int timestamp_query(struct slice content, struct buffer *out);

enum {
	TIMESTAMP_MALFORMED = 1,
	TIMESTAMP_REFUSED = 2,   /* the authority granted none */
	TIMESTAMP_OTHER = 3,     /* it is of something else */
	TIMESTAMP_UNTRUSTED = 4, /* its signature is not by whom the certificates vouch for */
};

/* Of an outcome above or -errno. */
const char *timestamp_fault_text(int fault);

/* Whether a reply answers that query: what an authority sent is kept only if it does. 0 or an outcome. */
int timestamp_answers(struct slice query, struct slice reply);

/* The time, in UTC milliseconds, that a reply states for `content`, whoever signed it. 0 or an outcome. */
int timestamp_read(struct slice reply, struct slice content, uint64_t *ret_time_ms);

/* The same, and its signature against the certificates (PEM) in a file. 0, an outcome, or -errno of the file. */
int timestamp_verify(struct slice reply, struct slice content, const char *authorities);

/* Whether a file has certificates (PEM) to hold timestamps against. */
bool timestamp_authorities_readable(const char *path);

/*
 * Sends a query to http://HOST[:PORT]/PATH and appends the reply. Waits TIMESTAMP_WAIT_MS at most, and for the
 * resolver of names. 0, -EINVAL: no such address; -EPROTO: it is no reply; -ETIMEDOUT; -errno.
 */
int timestamp_ask(const char *url, struct slice query, struct buffer *reply);

#endif
