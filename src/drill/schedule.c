#include "drill/schedule.h"

#include "base/error.h"
#include "drill/random.h"

#include <stdlib.h>

enum {
	VISIT_REQUESTS_MAX = 7, /* 1 to 7: 4 in the mean */
	VISIT_REQUESTS_MEAN = 4,
	PAUSE_MIN_MS = 150,
	PAUSE_MAX_MS = 1800,
	MS = 1000000,
};

static int compare(const void *a, const void *b)
{
	const struct sending *x = a, *y = b;
	return x->at_ns != y->at_ns ? (x->at_ns < y->at_ns ? -1 : 1) : x->word < y->word ? -1 : x->word > y->word;
}

static int64_t draw_time(uint64_t *random, int64_t span_ns)
{
	return (int64_t)((double)(random_next(random) >> 11) * 0x1p-53 * (double)span_ns);
}

static void sort(struct schedule *schedule)
{
	qsort(schedule->items, schedule->count, sizeof(*schedule->items), compare);
}

/* What of a visit lies past the end wraps to the beginning, so that the rate is even from the first second on. */
int schedule_residents(const struct run_plan *plan, struct schedule *ret_schedule)
{
	int64_t span_ns = (int64_t)run_plan_end_ms(plan) * MS;
	size_t count = (size_t)plan->residents_per_second * run_plan_end_ms(plan) / 1000;
	struct schedule schedule = {calloc(count + 1, sizeof(*schedule.items)), count};
	uint64_t random = random_stream(plan->seed, 3);
	if (schedule.items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count;) {
		uint32_t who = random_below(&random, plan->resident_count);
		uint32_t requests = 1 + random_below(&random, VISIT_REQUESTS_MAX);
		int64_t at_ns = draw_time(&random, span_ns);
		for (; requests > 0 && i < count; requests--, i++) {
			schedule.items[i] = (struct sending){at_ns % span_ns, who, (uint32_t)random_next(&random)};
			at_ns += (int64_t)(PAUSE_MIN_MS + random_below(&random, PAUSE_MAX_MS - PAUSE_MIN_MS)) * MS;
		}
	}
	sort(&schedule);
	*ret_schedule = schedule;
	return 0;
}

/* Time with the attack on, in milliseconds from its beginning, to time from the start of the run. */
static int64_t place(const struct run_plan *plan, int64_t on_ns)
{
	int64_t pulse_ns = (int64_t)plan->on_ms * MS, pauses = pulse_ns > 0 ? on_ns / pulse_ns : 0;
	return (int64_t)plan->quiet_ms * MS + on_ns + pauses * plan->off_ms * MS;
}

static int64_t on_span_ns(const struct run_plan *plan)
{
	if (plan->on_ms == 0)
		return (int64_t)plan->attack_ms * MS;
	uint32_t period = plan->on_ms + plan->off_ms, rest = plan->attack_ms % period;
	uint32_t last = rest < plan->on_ms ? rest : plan->on_ms;
	return ((int64_t)(plan->attack_ms / period) * plan->on_ms + last) * MS;
}

/* Bursts: each source takes its turn, so that none sends more than another. */
static void fill_bursts(const struct run_plan *plan, const struct tells *tells, struct schedule *schedule)
{
	const struct shape *shape = plan->shape;
	uint64_t random = random_stream(plan->seed, 4);
	int64_t span_ns = on_span_ns(plan);
	uint32_t all = (uint32_t)(schedule->count / plan->sources), burst = shape->burst > 0 ? shape->burst : all;
	uint32_t turn = random_below(&random, plan->sources);
	for (size_t i = 0; i < schedule->count;) {
		uint32_t who = (uint32_t)((turn += 7919) % plan->sources);
		int64_t at_ns = draw_time(&random, span_ns);
		for (uint32_t left = burst; left > 0 && i < schedule->count; left--, i++) {
			int64_t gap_ns = (int64_t)shape->burst_gap_ms * MS;
			schedule->items[i] =
				(struct sending){place(plan, at_ns % span_ns), who, (uint32_t)random_next(&random)};
			at_ns += (tells->set & TELL_TIMING) != 0 ? gap_ns : gap_ns / 2 + draw_time(&random, gap_ns);
		}
	}
	sort(schedule);
}

/* Every source sends a piece at even intervals, each from a moment of its own on. */
static void fill_pieces(const struct run_plan *plan, struct schedule *schedule)
{
	uint64_t random = random_stream(plan->seed, 4);
	int64_t span_ns = on_span_ns(plan), step_ns = span_ns / (int64_t)schedule->count;
	for (size_t i = 0; i < schedule->count; i++)
		schedule->items[i] = (struct sending){place(plan, (int64_t)i * step_ns), (uint32_t)(i % plan->sources),
						      (uint32_t)random_next(&random)};
}

int schedule_attack(const struct run_plan *plan, const struct tells *tells, struct schedule *ret_schedule)
{
	size_t count = (size_t)((int64_t)plan->attacks_per_second * (on_span_ns(plan) / MS) / 1000);
	struct schedule schedule = {calloc(count + 1, sizeof(*schedule.items)), count};
	if (schedule.items == NULL)
		return -ENOMEM;
	if (plan->shape->manner == MANNER_WHOLE)
		fill_bursts(plan, tells, &schedule);
	else
		fill_pieces(plan, &schedule);
	*ret_schedule = schedule;
	return 0;
}

void schedule_free(struct schedule *schedule)
{
	free(schedule->items);
	*schedule = (struct schedule){0};
}
