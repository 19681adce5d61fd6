/*
 * The latest requests of all sources lie in a ring, each with the number of its source's next in the same visit; by the
 * number it is known whether the ring still has it. What seems to be a visit is copied to a reservoir, from which
 * visits_gather() takes those whose sources proved to come in visits.
 */
#include "traffic/visits.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum { HOPELESS_S = 10 };

static const double CHANCE_LOG = -11.5; /* one in 100,000 */

struct visits {
	struct quiet_sample kept;
	uint64_t count; /* requests so far; the last has that number, the first 1 */
	struct recent {
		struct sampled request;
		uint64_t next;   /* the source's next one in the same visit; 0: none yet */
	} recent[VISITS_RECENT]; /* a ring */
};

int visits_new(uint64_t seed, struct visits **ret_visits)
{
	struct visits *visits = calloc(1, sizeof(*visits));
	if (visits == NULL)
		return -ENOMEM;
	visits->kept.most = VISITS_KEPT;
	visits->kept.random = seed;
	*ret_visits = visits;
	return 0;
}

void visits_free(struct visits *visits)
{
	if (visits != NULL)
		quiet_sample_release(&visits->kept);
	free(visits);
}

static double seconds_here(const struct offender *offender, uint64_t now_ms)
{
	return (double)(now_ms / 1000 - offender->since_ms / 1000 + 1);
}

static bool is_moderate(const struct offender *offender, double here)
{
	return offender_paths(offender) >= VISIT_PATHS && offender->asked <= VISITOR_AT_ONCE + VISITOR_A_SECOND * here;
}

/*
 * Of `asked` requests strewn over `here` seconds the chance that all lie in some `active` of them is at most the number
 * of such choices, times the chance for each.
 */
bool offender_is_visitor(const struct offender *offender, uint64_t now_ms)
{
	double here = seconds_here(offender, now_ms), active = offender->active, asked = offender->asked;
	if (active * VISIT_PAUSES > here || asked < active * VISIT_A_SECOND || !is_moderate(offender, here))
		return false;
	double choices = lgamma(here + 1) - lgamma(active + 1) - lgamma(here - active + 1);
	return choices + asked * log(active / here) <= CHANCE_LOG;
}

static bool is_held(const struct visits *visits, uint64_t number)
{
	return number != 0 && visits->count - number < VISITS_RECENT;
}

/* The second after one in which it came is of the same visit. */
static void hold(struct visits *visits, struct offender *offender, const struct sampled *request, uint64_t now_ms)
{
	uint32_t second = (uint32_t)(now_ms / 1000) + 1;
	bool goes_on = offender->active_second + 1 >= second && is_held(visits, offender->visit_last);
	offender->active += offender->active_second != second;
	offender->active_second = second;
	visits->recent[++visits->count % VISITS_RECENT] = (struct recent){.request = *request};
	offender->visit_requests = goes_on ? offender->visit_requests + 1 : 1;
	if (goes_on && is_held(visits, offender->visit_last))
		visits->recent[offender->visit_last % VISITS_RECENT].next = visits->count;
	else
		offender->visit_first = visits->count;
	/* What was before it is held no more. */
	if (!is_held(visits, offender->visit_first))
		offender->visit_first = offender->visit_last;
	offender->visit_last = visits->count;
}

static void keep(struct visits *visits, struct offender *offender)
{
	uint64_t number = offender->visit_first;
	while (is_held(visits, number) && offender->lent < VISIT_REQUESTS) {
		const struct recent *recent = &visits->recent[number % VISITS_RECENT];
		struct sampled *place = quiet_sample_place(&visits->kept, recent->request.at_s);
		if (place != NULL)
			*place = recent->request;
		offender->lent++;
		number = recent->next;
	}
}

void visits_arrival(struct visits *visits, struct offender *offender, const struct sampled *request, uint64_t now_ms)
{
	double here = seconds_here(offender, now_ms);
	offender->asked++;
	hold(visits, offender, request, now_ms);
	if (offender->visit_requests == VISIT_REQUESTS && offender->lent == 0 && is_moderate(offender, here) &&
	    offender->active * 2.0 <= here + 2)
		keep(visits, offender);
}

size_t visits_gather(struct visits *visits, const struct offenders *offenders, uint16_t site, uint64_t now_ms,
		     const struct sampled **ret_requests)
{
	struct quiet_sample *kept = &visits->kept;
	size_t visitors = 0, left = 0;
	for (size_t i = 0; i < kept->count; i++) {
		const struct sampled one = kept->items[i];
		const struct offender *offender = offenders_find(offenders, site, &one.source);
		if (offender == NULL)
			continue;
		if (offender_is_visitor(offender, now_ms)) {
			kept->items[left++] = kept->items[visitors];
			kept->items[visitors++] = one;
		} else if (seconds_here(offender, now_ms) < HOPELESS_S) {
			kept->items[left++] = one;
		}
	}
	kept->seen *= kept->count > 0 ? (double)left / (double)kept->count : 0;
	kept->count = left;
	*ret_requests = kept->items;
	return visitors;
}
