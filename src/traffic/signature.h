/*
 * What the requests of an attack have in common and visitors' have not: a conjunction of at most five terms, found by
 * comparing a sample of the attack with one of quiet days. Pure.
 *
 * A sample of an attack holds residents too. What quiet days lead to expect of them is taken off before anything is
 * said to cover the attack, and how many visitors a conjunction would hit is never guessed: it is the upper 95 % limit
 * of what it hits of a quiet sample that had no part in finding it, and again of the visits of those who come often.
 */
#ifndef GUIA_TRAFFIC_SIGNATURE_H
#define GUIA_TRAFFIC_SIGNATURE_H

#include "base/address.h"

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
	struct prefix prefix[SIGNATURE_PREFIXES]; /* sorted */
	double coverage;                          /* of what is more than normal, as far as the sample tells; 0 to 1 */
	double collateral;                        /* upper 95 % limit of the share of visitors' requests that it hits */
};

void signature_values_free(struct signature_values *values);
void signature_free(struct signature *signature);

bool signature_matches(const struct signature *signature, const struct signature_request *request);

struct signature_sample {
	const struct signature_request *requests; /* completed */
	size_t count;
};

struct signature_question {
	struct signature_sample attack; /* of the time since its onset, each request as likely as any */
	struct signature_sample
		quiet;          /* of days on which nothing was wrong; 3,000 cannot be enough to show 0.1 % of half */
	double normal_share;    /* of requests in the attack's time, how many would have come anyway; 0 to 1 */
	double collateral_most; /* 0.001 where nobody is asked */
	double coverage_least;  /* below it a signature is none: 0.8 */
};

enum {
	SIGNATURE_NONE = 1, /* nothing tells them apart, or too little is known of visitors */
};

/*
 * The smallest there is. Ask only of what does harm and comes from where few came before: a crowd that arrives by one
 * link, or one app, has much in common too; what regulars among it share is held to be a crowd's. 0, SIGNATURE_NONE or
 * -ENOMEM.
 */
int signature_search(const struct signature_question *question, struct signature *ret_signature);

/* The upper 95 % limit (Clopper and Pearson 1934, by Wilson and Hilferty's approximation) of a share, k of n seen. */
double share_upper_limit(double k, double n);

const char *signature_field_name(enum signature_field field);

#endif
