/* Drawn once a run, from a stream of its own. What can tell depends on the shape, and what is no tool tells nothing. */
#include "drill/tell.h"

#include "drill/random.h"

#include <stdio.h>

const char *const tell_absent_name[TELL_ABSENT_KINDS] = {"Accept-Language", "Referer", "Sec-Fetch-Site",
							 "Upgrade-Insecure-Requests"};

/* What can be told of a shape: one URL has one query, and slow requests have no bursts. */
static unsigned tells_of(const struct shape *shape)
{
	unsigned set = TELL_ORDER | TELL_ABSENT;
	if (shape->target != TARGET_ONE_PAGE)
		set |= TELL_QUERY;
	if (shape->manner == MANNER_WHOLE)
		set |= TELL_TIMING;
	return set;
}

static unsigned draw_one(uint64_t *random, unsigned from)
{
	unsigned tell;
	do
		tell = 1u << random_below(random, 4);
	while ((tell & from) == 0);
	return tell;
}

/* The pauses of bursts are seen by nobody who looks at one request: timing is never the only tell. */
struct tells tells_draw(const struct run_plan *plan)
{
	static const char *const arguments[] = {"v", "t", "_", "cb", "nocache", "ref", "id"};
	uint64_t random = random_stream(plan->census.day, 2);
	unsigned from = tells_of(plan->shape);
	struct tells tells = {.set = draw_one(&random, from & ~(unsigned)TELL_TIMING)};
	if (random_below(&random, 2) != 0)
		tells.set |= draw_one(&random, from & ~tells.set);
	if (plan->census.attackers.being != BEING_TOOL)
		tells.set = 0; /* they are what they say, or say what they are */
	tells.order = (uint32_t)random_next(&random);
	tells.absent = random_below(&random, TELL_ABSENT_KINDS);
	snprintf(tells.argument, sizeof(tells.argument), "%s",
		 arguments[random_below(&random, sizeof(arguments) / sizeof(arguments[0]))]);
	tells.argument_digits = 5 + random_below(&random, 6);
	return tells;
}

void tells_describe(const struct tells *tells, struct buffer *out)
{
	size_t from = out->len;
	if ((tells->set & TELL_ORDER) != 0)
		buffer_text(out, "an order of headers that no browser has");
	if ((tells->set & TELL_ABSENT) != 0)
		buffer_printf(out, "%sno %s", out->len > from ? ", " : "", tell_absent_name[tells->absent]);
	if ((tells->set & TELL_QUERY) != 0)
		buffer_printf(out, "%san argument %s of %u digits", out->len > from ? ", " : "", tells->argument,
			      tells->argument_digits);
	if ((tells->set & TELL_TIMING) != 0)
		buffer_printf(out, "%spauses all alike", out->len > from ? ", " : "");
}
