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

#include "limit/signature.h"

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
	struct signature_sample elsewhere; /* quiet requests of other sites: they judge what tells of the client, and
					      any page or form of this site's may be one of theirs; may be empty */
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

/* What share of the attack's time visitors are, for a question in which it is not known yet, as far as what they have
 * and attackers have not tells: at most 0.9. */
double signature_normal_share(const struct signature_question *question);

/* The upper 95 % limit (Clopper and Pearson 1934, by Wilson and Hilferty's approximation) of a share, k of n seen. */
double share_upper_limit(double k, double n);

#endif
