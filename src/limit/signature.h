/*
 * Signatures of attacks, and the requests that they match: a conjunction of at most five terms, or a few of them. The
 * watch finds them (traffic/signature.h) and the gate refuses what they match; both make their requests of the event
 * that tells of an arrival, so that both see the same. Pure.
 */
#ifndef GUIA_LIMIT_SIGNATURE_H
#define GUIA_LIMIT_SIGNATURE_H

#include "base/address.h"
#include "wire/event.h"

/* What a request has one value of, as a keyed hash or a number; 0: it has none. A row for each in signature.c. */
enum signature_field {
	SIGNATURE_SHAPE, /* names of its headers in their order */
	SIGNATURE_AGENT,
	SIGNATURE_ACCEPT,
	SIGNATURE_LANGUAGE,
	SIGNATURE_PATH,
	SIGNATURE_QUERY, /* names of its arguments */
	SIGNATURE_METHOD,
	SIGNATURE_PROTOCOL,
	SIGNATURE_HEADERS, /* how many */
	SIGNATURE_LENGTH,  /* of its body: signature_class() of bytes */
	SIGNATURE_PACE,    /* signature_class() of milliseconds since the source's last request */
	SIGNATURE_GIVEN,   /* so many are given; the rest is made of them by signature_complete() */
	SIGNATURE_SHAPE_AGENT = SIGNATURE_GIVEN, /* which go together in a browser, and not in a mix */
	SIGNATURE_AGENT_ACCEPT,
	SIGNATURE_AGENT_LANGUAGE,
	SIGNATURE_FIELDS,
};

struct signature_request {
	uint64_t field[SIGNATURE_FIELDS];
	uint32_t present; /* a bit for each header that is there: wire/fingerprint.h */
	bool regular;     /* its source was here before, when nothing was wrong */
	struct address source;
};

/* Four classes to each doubling; 0 for 0. */
uint64_t signature_class(uint64_t number);
void signature_complete(struct signature_request *request);

/*
 * The request that an arrival tells of, completed. `since_ms` is how long ago its source's last one was, as
 * source_pace_meet() says (limit/source_pace.h); 0: there was none, or nobody knows.
 */
struct signature_request signature_request_from(const struct event *arrival, uint64_t since_ms, bool regular);

enum signature_test {
	SIGNATURE_EQUALS,  /* the field has the value */
	SIGNATURE_ONE_OF,  /* ... one of some values, that are rare on quiet days */
	SIGNATURE_UNKNOWN, /* ... none of those that it has on quiet days */
	SIGNATURE_HAS,     /* the header of number `value` is there */
	SIGNATURE_LACKS,
	SIGNATURE_FROM, /* the source is in one of the prefixes */
	SIGNATURE_TESTS,
};

struct signature_term {
	enum signature_test test;
	enum signature_field field;
	uint64_t value;
};

enum {
	SIGNATURE_TERMS = 5,
	SIGNATURE_CONJUNCTIONS = 4,
	SIGNATURE_PREFIXES = 256,
	SIGNATURE_LISTED = 256,
};

struct signature_conjunction {
	unsigned count;
	struct signature_term term[SIGNATURE_TERMS];
};

/* Values of a field, sorted. */
struct signature_values {
	uint64_t *values; /* owned */
	size_t count;
};

/* Matches what any of its conjunctions matches: a botnet of two tools needs two. */
struct signature {
	unsigned count;
	struct signature_conjunction conjunction[SIGNATURE_CONJUNCTIONS];
	struct signature_values known[SIGNATURE_FIELDS]; /* on quiet days; where a term SIGNATURE_UNKNOWN asks for it */
	struct signature_values listed[SIGNATURE_FIELDS]; /* where a term SIGNATURE_ONE_OF does */
	size_t prefixes;
	struct prefix prefix[SIGNATURE_PREFIXES]; /* sorted, none in another */
	double coverage;                          /* of what is more than normal, as far as the sample tells; 0 to 1 */
	double collateral;                        /* upper 95 % limit of the share of visitors' requests that it hits */
};

bool signature_values_have(const struct signature_values *values, uint64_t value);
void signature_values_free(struct signature_values *values);
void signature_free(struct signature *signature);

/* In all its lists. */
size_t signature_value_count(const struct signature *signature);

bool signature_matches(const struct signature *signature, const struct signature_request *request);

/* Whether any of its terms asks for the field. */
bool signature_asks(const struct signature *signature, enum signature_field field);

/* Whether one of them has the source. They are sorted, and none lies in another: the last that begins before it
 * decides.
 */
bool prefixes_have(const struct prefix *prefixes, size_t count, const struct address *source);

const char *signature_field_name(enum signature_field field);

#endif
