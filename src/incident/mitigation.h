/*
 * A mitigation as data: a signature whose requests are to be refused at a site, bans of sources that took too much, or
 * slow connections that the gate closes.
 * A signature is tried on what arrives before anything is refused, watched while it is in force, and done when it
 * matches hardly anything any more, or hits those who were here before the attack.
 */
#ifndef GUIA_INCIDENT_MITIGATION_H
#define GUIA_INCIDENT_MITIGATION_H

#include "limit/signature_image.h"
#include "traffic/signature.h"

enum mitigation_kind {
	MITIGATION_SIGNATURE,
	MITIGATION_BANS,     /* of those who take most, for want of a signature */
	MITIGATION_SHEDDING, /* the gate closes connections that bring no request */
	MITIGATION_KINDS,
};

const char *mitigation_kind_name(enum mitigation_kind kind);

enum mitigation_stage {
	MITIGATION_NONE,
	MITIGATION_TRIAL,    /* matched, and nothing refused */
	MITIGATION_IN_FORCE, /* published */
	MITIGATION_STAGES,
};

const char *mitigation_stage_name(enum mitigation_stage stage);

/* Why one is no more. */
enum mitigation_end {
	MITIGATION_DONE,       /* its hits have stayed low for the hold time */
	MITIGATION_STALE,      /* in its trial it matched too little of what arrived */
	MITIGATION_COLLATERAL, /* it hits those who were here before */
	MITIGATION_LIFTED,     /* a person did not want it */
	MITIGATION_NO_ROOM,    /* what the gate reads holds no more signatures */
	MITIGATION_ENDS,
};

const char *mitigation_end_text(enum mitigation_end end);

enum {
	MITIGATION_TRIAL_MS = 500,
	MITIGATION_HOLD_MS = 60 * 1000,
	MITIGATION_HOLD_MOST_MS = 15 * 60 * 1000,
	MITIGATION_LIFTED_MS =
		10 * 60 * 1000, /* for so long nothing new is put in force at a site where one was lifted */
};

/*
 * Sources since it is tried: visitors, who were here before the episode with the same client; those of them that it
 * matches; and all that it matches.
 */
struct mitigation_known {
	uint32_t visitors;
	uint32_t visitors_hit;
	uint32_t hit;
};

struct mitigation {
	uint32_t id;
	enum mitigation_kind kind;
	enum mitigation_stage stage;
	struct signature signature; /* owned; of bans it matches nothing */
	uint64_t since_ms;          /* of the stage */
	uint64_t arrivals, matched; /* of the trial */
	uint64_t familiar;          /* of those that did not match, who was here before the attack */
	uint64_t seen;              /* arrivals that matched since it is in force */
	uint64_t hits;              /* what the gate refused by it, and by bans of sources that it matched; or closed */
	uint64_t seen_before, hits_before;
	double rate, peak; /* both, a second */
	uint64_t low_since_ms;
	struct mitigation_known known;
};

/*
 * Whether it hits more than 0.1 % of visitors, with 95 % certainty. Of attackers some share an address with a visitor,
 * and some of these a browser: as many as that are let be.
 */
bool mitigation_hits_visitors(const struct mitigation_known *known);

/* A second has passed. `hits` is the gate's sum; `normal` is how many requests a second would come anyway, < 0: nobody
 * knows. */
void mitigation_second(struct mitigation *mitigation, uint64_t hits, double normal, uint64_t now_ms);

/* The lower 95 % limit of a share, k of n seen. */
double share_lower_limit(double k, double n);

/* What the signature asks, in words: "order of headers is one of 3, and has no accept-language". */
void signature_describe(const struct signature *signature, struct buffer *out);

#endif
