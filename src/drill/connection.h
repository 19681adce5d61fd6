/*
 * A connection of a person to the gate, from that person's address: non-blocking, with or without TLS, which is a
 * library's for browsers and tool_tls.h for attackers' tools. Sessions of TLS are resumed, and sockets that were broken
 * off used again, which costs a third less. All names of the gate's are here.
 */
#ifndef GUIA_DRILL_CONNECTION_H
#define GUIA_DRILL_CONNECTION_H

#include "base/buffer.h"
#include "drill/people.h"
#include "drill/tool_tls.h"

#include <openssl/ssl.h>

#define GATE_V4 "192.0.2.10"
#define GATE_V6 "2001:db8:0:2::10"

enum connection_state {
	CONNECTION_GREETING, /* connecting, shaking hands */
	CONNECTION_WRITING,
	CONNECTION_READING,
	CONNECTION_IDLE,
	CONNECTION_SLOW, /* between two pieces */
	CONNECTION_GONE,
};

struct connection {
	int fd;
	bool six;
	bool tls;
	const char *host;
	bool greets; /* by TLS, once both ends are there */
	SSL *ssl;    /* a browser's */
	struct tool_tls *tool;
	enum connection_state state;
	uint32_t who;
	bool used;      /* it has answered before */
	bool again;     /* its request was sent before, over one that had been closed meanwhile */
	size_t sending; /* index in the schedule */
	size_t written;
	int64_t due_ns;
	struct connection *earlier, *later; /* in a due list */
	struct connection *under;           /* in the stack of this person's idle ones, or of spare ones */
	struct buffer in;
	struct buffer sealed; /* a tool's: what came of a record that is not whole */
};

/* What a client's connections have in common. */
struct dial {
	int poll; /* an epoll set, edge-triggered, with the connection as its data */
	SSL_CTX *context;
	SSL_SESSION **sessions;      /* by person; NULL: none yet */
	uint32_t mark;               /* by which packets find their way; 0: none */
	bool tools;                  /* not browsers */
	struct tool_ciphers ciphers; /* theirs */
	struct tool_session *tool_sessions;
	uint64_t random;
	struct connection *spare[2]; /* sockets that are used again: of IPv4, of IPv6 */
};

/* Of browsers, or of tools; `mark` is SO_MARK's. 0 or -errno. */
int dial_init(size_t person_count, bool tools, uint32_t mark, struct dial *ret_dial);

/* Begins to connect. 0 or -errno. */
int connection_open(struct dial *dial, const struct person *person, uint32_t who, const char *host,
		    struct connection **ret_connection);

/*
 * It is gone then; its memory stays until connection_free, for events that were fetched before may speak of it yet.
 * `abruptly`: by a reset, as one who will not hear of it any more.
 */
void connection_close(struct connection *connection, bool abruptly);
void connection_free(struct dial *dial, struct connection *connection);

/* Once the gate is heard of: 0 when hands are shaken, -EAGAIN, or -EIO. */
int connection_greet(struct dial *dial, struct connection *connection);

/* How many bytes, at least 1; -EAGAIN; or -EIO. */
ssize_t connection_write(struct connection *connection, const uint8_t *bytes, size_t len);

/* Bytes appended to `in`; 0 at the end; -EAGAIN; or -EIO. */
ssize_t connection_read(struct connection *connection);

#endif
