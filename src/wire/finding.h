/*
 * What inspection found in one request and its answer: a parcel in the ring of findings (wire/parcel.h), told when the
 * request has ended, beside its event. The fixed part goes first, then what matched, then texts one behind another;
 * both sides write and read it here. Whoever reads it takes it for hostile: any byte may have any value.
 *
 * Texts hold no secrets, as logs hold none (http/redact.h), but for the heads and the bodies as they came. Those are
 * for what is sealed and encrypted alone, and there only of a request that was blocked, or would have been.
 */
#ifndef GUIA_WIRE_FINDING_H
#define GUIA_WIRE_FINDING_H

#include "base/slice.h"

#include <stdint.h>

enum finding_flag {
	FINDING_RESPONSE = 1 << 0,  /* the verdict is of the answer: phase 3 or later */
	FINDING_DISRUPTED = 1 << 1, /* blocked; without it and FINDING_WOULD_BLOCK it only scored */
	FINDING_WOULD_BLOCK = 1 << 2,
	FINDING_FAILED = 1 << 3,    /* inspection failed: guia_on_failure decided */
	FINDING_BODY_SHED = 1 << 4, /* head and body as they came would be here, but passed the rate of bytes */
	FINDING_BODY_GONE = 1 << 5, /* no part of the body was there to be kept any more */
};

/* What attacks are called by the tags of rules; a bit each. */
enum finding_class {
	FINDING_CLASS_SQL_INJECTION,
	FINDING_CLASS_CROSS_SITE_SCRIPTING,
	FINDING_CLASS_FILE_ACCESS,    /* lfi: a file of the server's is named */
	FINDING_CLASS_FILE_INCLUSION, /* rfi: one from elsewhere */
	FINDING_CLASS_COMMAND,        /* rce */
	FINDING_CLASS_PHP,
	FINDING_CLASS_JAVA,
	FINDING_CLASS_INJECTION, /* generic, LDAP, e-mail, templates, ... */
	FINDING_CLASS_SESSION_FIXATION,
	FINDING_CLASS_SCANNER,
	FINDING_CLASS_PROTOCOL,
	FINDING_CLASS_DENIAL_OF_SERVICE,
	FINDING_CLASS_DISCLOSURE, /* an answer holds what nobody should see */
	FINDING_CLASS_UPLOAD,     /* what matched is a file that was sent, or its name */
	FINDING_CLASS_WEB_SHELL,  /* an answer looks like a web shell's */
	FINDING_CLASSES,
};

enum finding_text {
	FINDING_ID, /* guia_id: of the access log and the error log */
	FINDING_METHOD,
	FINDING_TARGET,   /* the URI as sent */
	FINDING_PROTOCOL, /* "HTTP/1.1" */
	FINDING_AGENT,
	FINDING_HEAD,        /* request line and headers, a line each */
	FINDING_HEAD_SENT,   /* the same as it came: secret */
	FINDING_BODY_SENT,   /* the first bytes of the body as they came: secret */
	FINDING_ANSWER_HEAD, /* of an answer that was blocked, or would have been, as the origin gave it: secret */
	FINDING_ANSWER_BODY, /* likewise */
	FINDING_TEXTS,
};

enum {
	FINDING_MATCHES_MOST = 32,
	FINDING_NAME_BYTES = 96, /* of the variable */
	FINDING_MESSAGE_BYTES = 160,
	FINDING_DATA_BYTES = 160,
	FINDING_BODY_BYTES = 64 * 1024,
};

/* The most of each text that is kept; a longer one is cut. */
uint32_t finding_text_bytes(enum finding_text text);

/* A rule that matched and says so in the error log. */
struct finding_match {
	int64_t rule;
	uint32_t classes; /* a bit for each of enum finding_class */
	uint8_t phase;
	uint8_t severity; /* 0 EMERGENCY to 7 DEBUG; 255: none is given */
	uint8_t paranoia_level;
	uint8_t disruptive; /* it ended the transaction */
	uint16_t name_bytes;
	uint16_t message_bytes;
	uint16_t data_bytes;
	uint8_t reserved[2];
};

/* The fixed part. Numbers are the machine's own. */
struct finding_head {
	uint64_t at_ns;   /* CLOCK_BOOTTIME */
	uint64_t wall_ms; /* UTC */
	uint64_t request; /* of the events */
	uint64_t connection;
	uint8_t source[16]; /* as in events */
	uint16_t port;
	uint16_t site;  /* a number of the outbox's table */
	uint16_t flags; /* enum event_flag */
	uint16_t found; /* enum finding_flag */
	uint16_t status;
	uint8_t phase;        /* of the verdict; else of the newest match */
	uint8_t match_count;  /* that are told here */
	uint32_t matches_all; /* that there were */
	uint64_t path;        /* as in events */
	uint64_t agent;
	uint64_t shape;
	uint64_t query;
	int64_t rule; /* whose verdict it is; 0: none */
	int32_t inbound_score;
	int32_t outbound_score;
	int32_t inbound_threshold; /* 0: the rules have none */
	int32_t outbound_threshold;
	uint64_t body_bytes;   /* that came, or were announced */
	uint64_t answer_bytes; /* the same of the answer's body */
	uint32_t classes;      /* of all matches */
	uint32_t text_bytes[FINDING_TEXTS];
	uint32_t reserved;
};

_Static_assert(sizeof(struct finding_match) == 24 && sizeof(struct finding_head) == 184, "no holes");

/* ---- writing ---- */

struct finding_match_texts {
	struct slice name; /* "ARGS:q" */
	struct slice message;
	struct slice data;
};

struct parcel_writer;

/* Cuts texts to what is kept of them, sets lengths and all classes, and sends all. head->match_count is at most
 * FINDING_MATCHES_MOST. */
void finding_send(struct parcel_writer *writer, struct finding_head *head, struct finding_match *matches,
		  const struct finding_match_texts *match_texts, const struct slice texts[FINDING_TEXTS]);

/* The bits that a rule's tag and the variable that matched stand for; 0: none. */
uint32_t finding_classes_of_tag(struct slice tag);
uint32_t finding_classes_of_variable(struct slice name);

const char *finding_class_name(unsigned class); /* "sql-injection"; "?" for what is none */

/* ---- reading ---- */

struct finding {
	struct finding_head head;
	struct finding_match matches[FINDING_MATCHES_MOST];
	struct finding_match_texts match_texts[FINDING_MATCHES_MOST];
	struct slice texts[FINDING_TEXTS];
};

/* Slices are of the parcel. False: it is not what finding_send() makes. */
bool finding_read(struct slice parcel, struct finding *ret_finding);

#endif
