#include "drill/shape.h"

enum {
	QUIET_MS = 10000,
	ATTACK_MS = 45000,
	AFTER_MS = 10000,
	RESIDENTS = 2000,
	RESIDENTS_PER_SECOND = 300,
	BRIEF_QUIET_MS = 3000,
	BRIEF_ATTACK_MS = 8000,
	BRIEF_AFTER_MS = 3000,
	BRIEF_TIME_DIVISOR = 5,
	BRIEF_RATE_DIVISOR = 3,
};

const struct shape shapes[] = {
	{
		.name = "get-flood",
		.title = "GET flood on one URL",
		.target = TARGET_ONE_PAGE,
		.sources = 2000,
		.per_second = 10000,
		.burst_gap_ms = 200,
	},
	{
		.name = "query-flood",
		.title = "random queries that defeat the cache",
		.target = TARGET_RANDOM_QUERY,
		.sources = 2000,
		.per_second = 10000,
		.burst_gap_ms = 200,
	},
	{
		.name = "form-flood",
		.title = "POST flood on search and login",
		.target = TARGET_FORMS,
		.sources = 2000,
		.per_second = 10000,
		.burst_gap_ms = 200,
	},
	{
		.name = "diffuse",
		.title = "diffuse flood, each of 20,000 sources under any limit",
		.target = TARGET_PRIVATE,
		.sources = 20000,
		.per_second = 10000,
		.burst = 10,
		.burst_gap_ms = 150,
	},
	{
		.name = "slow-head",
		.title = "slowloris: headers without end",
		.target = TARGET_RESIDENT,
		.manner = MANNER_SLOW_HEAD,
		.sources = 10000,
		.per_second = 1500,
		.attack_ms = 60000,
	},
	{
		.name = "slow-body",
		.title = "bodies without end",
		.target = TARGET_FORMS,
		.manner = MANNER_SLOW_BODY,
		.sources = 10000,
		.per_second = 1500,
		.attack_ms = 60000,
	},
	{
		.name = "pulse",
		.title = "a flood that pauses and returns, 20 s on, 20 s off",
		.target = TARGET_PRIVATE,
		.sources = 2000,
		.per_second = 10000,
		.burst_gap_ms = 200,
		.on_ms = 20000,
		.off_ms = 20000,
		.attack_ms = 60000,
	},
};

const size_t shape_count = sizeof(shapes) / sizeof(shapes[0]);

const struct shape *shape_find(const char *name, struct nearest *nearest)
{
	*nearest = nearest_to(slice_from_string(name));
	for (size_t i = 0; i < shape_count; i++) {
		if (strcmp(shapes[i].name, name) == 0)
			return &shapes[i];
		nearest_offer(nearest, shapes[i].name);
	}
	return NULL;
}

struct run_plan run_plan_of(const struct shape *shape, uint64_t seed, bool brief)
{
	bool slow = shape->manner != MANNER_WHOLE;
	struct run_plan plan = {
		.shape = shape,
		.seed = seed,
		.quiet_ms = brief ? BRIEF_QUIET_MS : QUIET_MS,
		.attack_ms = shape->attack_ms != 0 ? shape->attack_ms : ATTACK_MS,
		.after_ms = brief ? BRIEF_AFTER_MS : AFTER_MS,
		.on_ms = shape->on_ms,
		.off_ms = shape->off_ms,
		.resident_count = RESIDENTS,
		.residents_per_second = RESIDENTS_PER_SECOND,
		.sources = shape->sources,
		.attacks_per_second = shape->per_second,
		.brief = brief,
	};
	if (!brief)
		return plan;
	plan.attack_ms = shape->attack_ms != 0 ? shape->attack_ms / BRIEF_TIME_DIVISOR : BRIEF_ATTACK_MS;
	plan.on_ms /= BRIEF_TIME_DIVISOR;
	plan.off_ms /= BRIEF_TIME_DIVISOR;
	/* Slow connections do harm by being many, not by being fast. */
	plan.attacks_per_second /= slow ? 1 : BRIEF_RATE_DIVISOR;
	plan.sources /= slow ? 1 : BRIEF_RATE_DIVISOR;
	return plan;
}

bool run_plan_attacks(const struct run_plan *plan, uint32_t at_ms)
{
	if (at_ms < plan->quiet_ms || at_ms >= plan->quiet_ms + plan->attack_ms)
		return false;
	return plan->on_ms == 0 || (at_ms - plan->quiet_ms) % (plan->on_ms + plan->off_ms) < plan->on_ms;
}
