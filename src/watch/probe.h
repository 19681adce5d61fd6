/*
 * Fetches a site as a visitor would, through the public listener, once a second, without ever waiting: a state machine
 * that is told when its socket is ready. Up is three good in a row: a 2xx or 3xx that came whole within two seconds.
 * Certificates are not judged: the question is whether the site answers.
 */
#ifndef GUIA_WATCH_PROBE_H
#define GUIA_WATCH_PROBE_H

#include "base/address.h"

#include <poll.h>
#include <sys/socket.h>

enum {
	PROBE_HOST_BYTES = 254,
	PROBE_GOOD = 3,
};

struct probe_target {
	char host[PROBE_HOST_BYTES]; /* asked for; the site's name in reports */
	char path[256];
	bool tls;
	struct sockaddr_storage address;
	socklen_t address_len;
};

enum probe_state {
	PROBE_RESTING,
	PROBE_CONNECTING,
	PROBE_HANDSHAKE,
	PROBE_SENDING,
	PROBE_READING,
};

struct probe {
	struct probe_target target;
	enum probe_state state;
	int fd;
	void *tls; /* SSL */
	short wants;
	uint64_t began_ns;
	uint64_t next_ns;
	char bytes[4096]; /* the request to be sent, then the beginning of the answer */
	size_t len;
	size_t sent;
	uint64_t received;
	char tail[8]; /* the last bytes that came */

	unsigned good; /* in a row */
	uint64_t asked;
	uint64_t answered; /* well */
	int status;        /* of the last answer; 0: none */
	double ms;
	const char *fault;   /* of the last; NULL if it was good */
	uint64_t changed_ns; /* when it last went up or down; 0: never yet up */
	bool up;
};

/*
 * "HOST=http[s]://ADDRESS[:PORT][/PATH]": whom to ask, and where; the address may be a name, looked up now. NULL, or
 * what is wrong with it.
 */
const char *probe_target_parse(struct slice text, struct probe_target *ret_target);
struct address probe_target_address(const struct probe_target *target);

void probe_init(struct probe *probe, const struct probe_target *target);
void probe_release(struct probe *probe);

/* The one that fetches this site; NULL: none does. */
const struct probe *probe_find(const struct probe *probes, size_t count, const char *site);

/* What to wait for; fd is -1 where there is nothing. */
struct pollfd probe_waits(const struct probe *probe);

/* Does what can be done now. `context` is an SSL_CTX for all probes; it may be NULL where none has TLS. */
void probe_step(struct probe *probe, void *context, uint64_t now_ns);

#endif
