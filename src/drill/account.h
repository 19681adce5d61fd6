/*
 * What Guia says itself of a run: asked of the watch each second (`guia status`), and compared with what was so. None
 * of it decides whether residents were served; that is measured at their end.
 */
#ifndef GUIA_DRILL_ACCOUNT_H
#define GUIA_DRILL_ACCOUNT_H

#include "base/slice.h"

#include <stdint.h>

enum {
	ACCOUNT_SECONDS = 300,
	ACCOUNT_WHAT_BYTES = 256,
};

/* Sums over all sites, of the ten seconds before it was asked. */
struct account_second {
	bool told;
	double asked;
	double answered;
};

/* A flood of packets, as it is told. */
struct account_flood {
	double detected_s;
	double held_s;
	double over_s; /* the latest of its kind; NAN: it is on */
};

enum account_flood_kind {
	ACCOUNT_UDP,
	ACCOUNT_SYN,
	ACCOUNT_LINK,
	ACCOUNT_FLOODS,
};

/* Times are seconds from the start of the run; NAN: it did not happen. */
struct account {
	double detected_s;  /* the first incident */
	double mitigated_s; /* the first mitigation in force */
	double hits;        /* requests that mitigations refused */
	unsigned changes;   /* of state, the most at one site */
	double kept_out;    /* from the origin, since it was first asked; NAN: nothing was told */
	double kept_out_before;
	char what[ACCOUNT_WHAT_BYTES]; /* what is refused, in words; empty: nothing */
	double full_s;                 /* that the link is full */
	double dark_s;                 /* that it is, and that nobody can be asked */
	struct account_flood floods[ACCOUNT_FLOODS];
	struct account_second seconds[ACCOUNT_SECONDS];
};

/* By which name it is told. */
extern const char *const account_flood_names[ACCOUNT_FLOODS];

void account_init(struct account *account);

/* Takes an answer to `status`. `start_boot_ms` is the start of the run on CLOCK_BOOTTIME. False: it is no such answer.
 */
bool account_take(struct account *account, struct slice json, uint64_t start_boot_ms, uint64_t now_boot_ms);

/* Of visitors' success in [from_s, to_s), as far as was told; NAN: nothing was. Percent. */
double account_estimate(const struct account *account, double from_s, double to_s);

#endif
