/*
 * Who was refused what, summed up by second: how many ended at a site in a second for one reason and by one rule, as
 * events tell it. What events do not tell, because they were overwritten unread, the gate's counters do: what those
 * have more is told as it is known, without the rule. Pure: time is an argument.
 */
#ifndef GUIA_WATCH_TALLY_H
#define GUIA_WATCH_TALLY_H

#include "watch/sites.h"

struct tally;

struct tally_line {
	uint64_t second; /* UTC */
	uint16_t site;   /* a number of ours, or SITE_NONE */
	uint8_t verdict;
	uint8_t reason;
	bool by_rule;  /* `rule` is known */
	uint64_t rule; /* as in struct event_end */
	uint64_t total;
};
typedef void tally_tell_fn(void *context, const struct tally_line *line);

/* 0 or -ENOMEM. */
int tally_create(struct tally **ret_tally);
void tally_free(struct tally *tally); /* NULL is allowed */

/*
 * An end of request that nothing let pass. `counted`: the site's counters have it since they were first looked at. When
 * there is no room for another line all are told.
 */
void tally_add(struct tally *tally, uint16_t site, const struct event *event, bool counted, tally_tell_fn *tell,
	       void *context);

/* Tells what was before `second`. */
void tally_tell(struct tally *tally, uint64_t second, tally_tell_fn *tell, void *context);

/*
 * Each second, of each site: `then` is what its counters were a second ago, so that the events of all of it have come.
 * With `lost`, some may not have: what is missing is told, as of `second`.
 */
void tally_compare(struct tally *tally, uint16_t site, const struct site_sums *then, bool lost, uint64_t second,
		   tally_tell_fn *tell, void *context);

#endif
