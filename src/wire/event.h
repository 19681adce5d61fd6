/*
 * What the gate tells the watch of each request: one event when its head has been read, before anything inspects it,
 * and one when it has ended, however it did. Both have one size; their numbers are the ring's (wire/ring.h).
 *
 * A hash is hash_quick() under the key that lies in the events directory: equal in all workers, unknown to clients.
 * Whoever reads events takes them for hostile: any byte may have any value.
 */
#ifndef GUIA_WIRE_EVENT_H
#define GUIA_WIRE_EVENT_H

#include <stdint.h>

enum event_kind {
	EVENT_ARRIVAL = 1,
	EVENT_END = 2,
};

enum event_verdict {
	EVENT_PASSED,
	EVENT_BLOCKED,
	EVENT_WOULD_BLOCK, /* passed, since rules only detect */
	EVENT_UNSEEN,      /* not inspected: guia is off there, or nginx answered first */
	EVENT_VERDICTS,
};

/* Why the verdict is as it is, or why there is none. */
enum event_reason {
	EVENT_NO_REASON,
	EVENT_BY_RULE,
	EVENT_BY_FAILURE, /* inspection failed: guia_on_failure decided */
	EVENT_BY_SERVER,  /* nginx refused it by itself: malformed, too long, too slow */
	EVENT_BY_BAN,
	EVENT_BY_LIMIT,
	EVENT_CROWDED_OUT, /* no slot of its origin: a copy or an error was the answer */
	EVENT_BY_SIGNATURE,
	EVENT_BY_MODE, /* its site's mode kept it from the origin: a copy or an error was the answer */
	EVENT_REASONS,
};

enum event_method {
	EVENT_OTHER_METHOD,
	EVENT_GET,
	EVENT_HEAD,
	EVENT_POST,
	EVENT_PUT,
	EVENT_DELETE,
	EVENT_OPTIONS,
	EVENT_PATCH,
	EVENT_METHODS,
};

enum event_flag {
	EVENT_TLS = 1 << 0,
	EVENT_HTTP2 = 1 << 1,
	EVENT_HTTP10 = 1 << 2,      /* or older */
	EVENT_FROM_HEADER = 1 << 3, /* a trusted proxy names the source: whom we speak with is another */
	EVENT_REPEATED = 1 << 4,    /* not the first of its connection */
	EVENT_UNREAD = 1 << 5,      /* an end without an arrival: the head never came whole, or was refused */
	EVENT_ORIGIN = 1 << 6,      /* the origin was asked */
	EVENT_COPY = 1 << 7,        /* a kept copy was the answer */
	EVENT_BODY = 1 << 8,        /* a body was announced */
	EVENT_ALLOWED = 1 << 9,     /* somebody allows its source: no limit, ban or signature is for it */
};

struct event_arrival {
	uint64_t query;    /* the names of its arguments, in order; 0: none */
	uint64_t accept;   /* the values of Accept and Accept-Encoding */
	uint64_t language; /* the value of Accept-Language */
	uint64_t length;   /* of the body, as announced */
	uint32_t present;  /* a bit for each header of wire/fingerprint.h */
	uint16_t uri_bytes;
	uint16_t headers; /* how many */
};

struct event_end {
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t rule; /* whose verdict it is, or of a ban, signature or mode the mitigation's id; 0: none */
	uint32_t total_us;
	uint32_t origin_us; /* time of the origin's spent on it */
	uint16_t status;    /* 0: no answer */
	uint8_t verdict;
	uint8_t reason;
	uint32_t present;
};

/* Numbers are the machine's own. Times that pass what they fit into stand at the most that fits. */
struct event {
	uint64_t number;
	uint64_t at_ns; /* CLOCK_BOOTTIME */
	uint64_t wall_ms;
	uint64_t request;    /* the same in both events of a request, unique in its ring */
	uint64_t connection; /* nginx's number of it */
	uint8_t source[16];  /* IPv6; IPv4 is mapped (::ffff:a.b.c.d); all zero: nobody that could be told from others,
				as  who comes by a UNIX socket, or by a trusted proxy that names nobody */
	uint16_t port;
	uint16_t site; /* a number of the outbox's table */
	uint8_t kind;
	uint8_t method;
	uint16_t flags;
	uint64_t path;  /* the URI without arguments, decoded and normalised; 0: never read */
	uint64_t agent; /* User-Agent; 0: none */
	uint64_t shape; /* the headers' names as sent, in order */
	union {
		struct event_arrival arrival;
		struct event_end end;
	};
};

_Static_assert(sizeof(struct event) == 128, "an event has its size");

/*
 * The head of a request as a person reads it, secrets replaced: a sample, at most so many a second for each site.
 */
enum { HEAD_BYTES = 2048, HEAD_TEXT_BYTES = HEAD_BYTES - 96 };

struct head {
	uint64_t number;
	uint64_t at_ns;
	uint64_t wall_ms;
	uint64_t request; /* of the events */
	uint8_t source[16];
	uint16_t port;
	uint16_t site;
	uint16_t flags;  /* enum event_flag */
	uint16_t length; /* of the text; a longer head was cut */
	uint64_t path;
	uint64_t agent;
	uint64_t shape;
	uint64_t query;
	uint8_t reserved[8];
	uint8_t text[HEAD_TEXT_BYTES];
};

_Static_assert(sizeof(struct head) == HEAD_BYTES, "a head has its size");

/* What a person reads; "?" for what is none. */
const char *event_verdict_name(unsigned verdict);
const char *event_reason_name(unsigned reason);
const char *event_method_name(unsigned method);

#endif
