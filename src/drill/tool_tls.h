/*
 * TLS 1.2 as an attacker's tool speaks it (RFC 5246, RFC 8422): one cipher, and of the work of a client no more than
 * the gate can see. The gate signs, exchanges keys, resumes sessions and seals as for any browser; the tool looks at no
 * certificate and no signature, and its private key is 1: its public key is the curve's base point, and what it shares
 * with the gate is the gate's public key. That protects nobody, and attackers have nothing to protect.
 * Bytes in, bytes out: whoever has the socket sends and receives.
 */
#ifndef GUIA_DRILL_TOOL_TLS_H
#define GUIA_DRILL_TOOL_TLS_H

#include "drill/tool_keys.h"

enum {
	TOOL_SESSION_BYTES = 32,
	TOOL_FLIGHT_BYTES = 512, /* the most that is said at once */
	TOOL_SHARED_BYTES = 32,
	TOOL_RECORD_MOST = TOOL_SEALED_MORE + (16 << 10),
};

/* What is left of a connection for the next one. */
struct tool_session {
	uint8_t id[TOOL_SESSION_BYTES];
	size_t id_len; /* 0: there is none */
	uint8_t master[TOOL_MASTER_BYTES];
};

enum tool_awaits {
	TOOL_AWAITS_HELLO,
	TOOL_AWAITS_KEY, /* the gate's; its certificate comes before it */
	TOOL_AWAITS_DONE,
	TOOL_AWAITS_CHANGE,
	TOOL_AWAITS_FINISHED,
	TOOL_AWAITS_NOTHING, /* hands are shaken */
};

struct tool_tls {
	const struct tool_ciphers *ciphers;
	struct tool_session *session;
	enum tool_awaits awaits;
	bool resumed;
	uint8_t randoms[2 * TOOL_RANDOM_BYTES];
	uint8_t shared[TOOL_SHARED_BYTES];
	struct tool_session next; /* what `session` becomes when hands are shaken */
	SHA256_CTX said;
	struct tool_way out, in;
};

struct tool_answer {
	uint8_t flight[TOOL_FLIGHT_BYTES]; /* to be sent */
	size_t flight_len;
	struct slice plain; /* what was sealed, in the record's bytes */
};

/* Says hello: how many bytes of `flight`. `session` stays the caller's, and is resumed if there is one. */
size_t tool_tls_begin(struct tool_tls *tls, const struct tool_ciphers *ciphers, struct tool_session *session,
		      const char *host, uint64_t *random, uint8_t flight[TOOL_FLIGHT_BYTES]);

/* How long the record is that these bytes begin with; 0: it is not whole yet; -EIO: it is none. */
ssize_t tool_record_len(struct slice bytes);

/* One whole record, which is changed. 0, 1 if the other end says no more, or -EIO. */
int tool_tls_take(struct tool_tls *tls, uint8_t *record, size_t len, struct tool_answer *ret_answer);

/* Once hands are shaken: plain.len + TOOL_SEALED_MORE bytes at `record`. 0 or -EIO. */
int tool_tls_say(struct tool_tls *tls, struct slice plain, uint8_t *record);

#endif
