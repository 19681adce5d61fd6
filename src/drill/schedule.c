/*
 * Visits and bursts get a time each, their requests follow from there, and all is sorted; pieces of slow requests come
 * at even steps. An attack is laid out in the time that it is on; place() puts the pauses of pulses in between.
 */
#include "drill/schedule.h"

#include "base/error.h"
#include "drill/random.h"

#include <stdlib.h>

enum {
	VISIT_REQUESTS_MOST = 7, /* 1 to 7: 4 in the mean */
	STRIDE = 7919,           /* a prime: by it one comes to everybody before anybody a second time */
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

/* A group's share of a schedule: so many of its items, within so long from a moment on. */
struct share {
	struct sending *items;
	size_t count;
	uint32_t first; /* of the group */
	uint32_t persons;
	int64_t from_ns;
	int64_t span_ns;
	bool everyone; /* takes a turn */
};

/* Where everyone is to come visits are as short as that needs. */
static uint32_t requests_most(const struct share *share)
{
	size_t each = share->everyone ? share->count / share->persons : VISIT_REQUESTS_MOST;
	return each == 0 ? 1 : each < VISIT_REQUESTS_MOST ? (uint32_t)each : VISIT_REQUESTS_MOST;
}

/* What of a visit lies past the end wraps to the beginning, so that the rate is even from the first second on. */
static void fill_visits(uint64_t *random, const struct share *share)
{
	if (share->count == 0)
		return;
	uint32_t most = requests_most(share), turn = random_below(random, share->persons);
	for (size_t i = 0; i < share->count;) {
		turn = share->everyone ? (turn + STRIDE) % share->persons : random_below(random, share->persons);
		uint32_t who = share->first + turn, requests = 1 + random_below(random, most);
		int64_t at_ns = draw_time(random, share->span_ns);
		for (; requests > 0 && i < share->count; requests--, i++) {
			share->items[i] = (struct sending){share->from_ns + at_ns % share->span_ns, who,
							   (uint32_t)random_next(random)};
			at_ns += (int64_t)(PAUSE_MIN_MS + random_below(random, PAUSE_MAX_MS - PAUSE_MIN_MS)) * MS;
		}
	}
}

int schedule_visitors(const struct run_plan *plan, struct schedule *ret_schedule)
{
	uint32_t end_ms = run_plan_end_ms(plan), late_ms = plan->shape->guests.late ? plan->quiet_ms : 0;
	uint32_t guests_ms = plan->shape->guests.late ? plan->attack_ms : end_ms;
	size_t residents = (size_t)plan->residents_per_second * end_ms / 1000;
	size_t guests = (size_t)plan->guests_per_second * guests_ms / 1000;
	struct schedule schedule = {calloc(residents + guests + 1, sizeof(*schedule.items)), residents + guests};
	uint64_t random = random_stream(plan->census.day, 3);
	if (schedule.items == NULL)
		return -ENOMEM;
	uint32_t resident_count = (uint32_t)plan->census.residents.count;
	fill_visits(&random, &(struct share){schedule.items, residents, 0, resident_count, 0, (int64_t)end_ms * MS,
					     plan->everyone});
	fill_visits(&random, &(struct share){schedule.items + residents, guests, resident_count,
					     (uint32_t)plan->census.guests.count, (int64_t)late_ms * MS,
					     (int64_t)guests_ms * MS, plan->everyone});
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
	uint64_t random = random_stream(plan->census.day, 4);
	int64_t span_ns = on_span_ns(plan);
	uint32_t sources = (uint32_t)plan->census.attackers.count, all = (uint32_t)(schedule->count / sources);
	uint32_t burst = shape->burst > 0 ? shape->burst : all;
	uint32_t turn = random_below(&random, sources);
	for (size_t i = 0; i < schedule->count;) {
		uint32_t who = (turn += STRIDE) % sources;
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
	uint64_t random = random_stream(plan->census.day, 4);
	int64_t span_ns = on_span_ns(plan), step_ns = span_ns / (int64_t)schedule->count;
	for (size_t i = 0; i < schedule->count; i++)
		schedule->items[i] =
			(struct sending){place(plan, (int64_t)i * step_ns),
					 (uint32_t)(i % plan->census.attackers.count), (uint32_t)random_next(&random)};
}

int schedule_attack(const struct run_plan *plan, const struct tells *tells, struct schedule *ret_schedule)
{
	bool packets = plan->shape->volley.kind != PACKET_NONE; /* nobody writes a list of those */
	size_t count = packets ? 0 : (size_t)((int64_t)plan->attacks_per_second * (on_span_ns(plan) / MS) / 1000);
	struct schedule schedule = {calloc(count + 1, sizeof(*schedule.items)), count};
	if (schedule.items == NULL)
		return -ENOMEM;
	if (count > 0 && plan->shape->manner == MANNER_WHOLE)
		fill_bursts(plan, tells, &schedule);
	else if (count > 0)
		fill_pieces(plan, &schedule);
	*ret_schedule = schedule;
	return 0;
}

void schedule_free(struct schedule *schedule)
{
	free(schedule->items);
	*schedule = (struct schedule){0};
}
