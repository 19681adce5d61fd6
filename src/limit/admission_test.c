/* Against an origin of so many slots that is asked for more than it can do, by the clock of the simulation. */
#include "limit/admission.h"

#include "base/test.h"

enum { STEP_US = 250, IN_FLIGHT_MOST = 4096, PAGE = 1, REPORT = 2 };

struct asked {
	uint64_t sent_us;
	uint64_t done_us; /* 0: waits inside the origin */
	uint64_t kind;
};

/* First come, first served, by `slots` at once; a page takes page_us, a report ten times as long. */
struct origin {
	uint32_t slots;
	uint64_t page_us;
	bool refuses; /* in the usual time, with an answer that says so */
	uint32_t busy;
	struct asked inside[IN_FLIGHT_MOST];
	size_t count;
};

struct day {
	struct admission *admission;
	struct origin origin;
	uint64_t now_us;
	uint64_t due; /* arrivals, in millionths */
	uint64_t random;
	uint64_t answered;
	uint64_t late_us; /* latencies of pages summed */
	uint64_t pages;
	uint32_t reports_percent;
};

static uint64_t draw(struct day *day)
{
	day->random = day->random * 6364136223846793005u + 1442695040888963407u;
	return day->random >> 33;
}

static void arrive(struct day *day)
{
	struct origin *o = &day->origin;
	if (o->count == IN_FLIGHT_MOST || !admission_enter(day->admission, draw(day) % 2, day->now_us))
		return;
	uint64_t kind = draw(day) % 100 < day->reports_percent ? REPORT : PAGE;
	o->inside[o->count++] = (struct asked){.sent_us = day->now_us, .kind = kind};
}

static void serve(struct day *day)
{
	struct origin *o = &day->origin;
	size_t left = 0;
	for (size_t i = 0; i < o->count; i++) {
		struct asked asked = o->inside[i];
		if (asked.done_us != 0 && asked.done_us <= day->now_us) {
			uint64_t latency = day->now_us - asked.sent_us;
			o->busy--;
			day->answered += !o->refuses;
			day->pages += asked.kind == PAGE;
			day->late_us += asked.kind == PAGE ? latency : 0;
			/* The process that sent it: both are given back to in turn. */
			size_t process = day->admission->in_flight[0] > 0 ? 0 : 1;
			admission_leave(day->admission, process, asked.kind,
					o->refuses ? ADMISSION_OVERLOADED : ADMISSION_ANSWERED, latency, day->now_us);
			continue;
		}
		o->inside[left++] = asked;
	}
	o->count = left;
	for (size_t i = 0; i < o->count && o->busy < o->slots; i++)
		if (o->inside[i].done_us == 0) {
			uint64_t usual = o->inside[i].kind == PAGE ? o->page_us : 10 * o->page_us;
			o->inside[i].done_us = day->now_us + usual * (90 + draw(day) % 21) / 100;
			o->busy++;
		}
}

static void pass(struct day *day, double seconds, uint64_t arrivals_a_second)
{
	day->answered = day->late_us = day->pages = 0;
	for (uint64_t end = day->now_us + (uint64_t)(seconds * 1e6); day->now_us < end; day->now_us += STEP_US) {
		serve(day);
		for (day->due += arrivals_a_second * STEP_US; day->due >= 1000000; day->due -= 1000000)
			arrive(day);
	}
}

static struct day day_of(uint32_t slots)
{
	static struct admission admission;
	admission = (struct admission){0};
	return (struct day){
		.admission = &admission, .origin = {.slots = slots, .page_us = 50000}, .now_us = 77000000, .random = 7};
}

static void assert_between(uint64_t value, uint64_t least, uint64_t most)
{
	if (value < least || value > most)
		fail_msg("%llu is not between %llu and %llu", (unsigned long long)value, (unsigned long long)least,
			 (unsigned long long)most);
}

static void a_flood_fills_the_slots_and_little_more(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 20, 300);
	assert_between(day.answered, 5900, 6100);
	pass(&day, 5, 10000);
	pass(&day, 10, 10000);
	assert_between(day.answered, 9500, 10100);
	assert_between(day.late_us / day.pages, 49000, 70000);
	pass(&day, 60, 10000);
	assert_between(day.answered, 57000, 60100);
	assert_between(day.late_us / day.pages, 49000, 70000);
}

static void an_attack_under_way_at_the_start_is_met(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 3, 10000);
	pass(&day, 10, 10000);
	assert_between(day.answered, 9500, 10100);
	assert_between(day.late_us / day.pages, 49000, 70000);
}

static void more_slots_are_found(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 10, 10000);
	day.origin.slots = 200;
	pass(&day, 10, 10000);
	pass(&day, 5, 10000);
	assert_between(day.answered, 18500, 20100);
	assert_between(day.late_us / day.pages, 49000, 70000);
}

static void fewer_slots_are_noticed(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 10, 10000);
	day.origin.slots = 20;
	pass(&day, 10, 10000);
	pass(&day, 10, 10000);
	assert_between(day.answered, 3700, 4100);
	assert_between(day.late_us / day.pages, 49000, 75000);
}

static void a_slower_origin_is_not_starved(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 10, 10000);
	day.origin.page_us = 150000;
	pass(&day, 60, 10000);
	pass(&day, 20, 10000);
	assert_between(day.answered, 6000, 6700);
	assert_between(day.late_us / day.pages, 145000, 210000);
}

/* Longer than a probe lasts: its answers come when it has long ended. */
static void an_origin_twenty_times_slower_is_not_starved(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 10, 10000);
	day.origin.page_us = 1000000;
	pass(&day, 90, 10000);
	pass(&day, 20, 10000);
	assert_between(day.answered, 850, 1010);
	assert_between(day.late_us / day.pages, 950000, 1400000);
}

static void slow_pages_among_quick_ones_are_no_harm(void **state)
{
	(void)state;
	struct day day = day_of(100);
	day.reports_percent = 20; /* 140 ms in the mean: 714 a second */
	pass(&day, 10, 10000);
	pass(&day, 20, 10000);
	assert_between(day.answered, 13300, 14500);
	assert_between(day.late_us / day.pages, 49000, 75000);
}

static void a_crowd_within_capacity_is_let_in(void **state)
{
	(void)state;
	struct day day = day_of(400);
	pass(&day, 10, 600);
	pass(&day, 10, 4000); /* a crowd within what the origin can do */
	/* But for the windows in which the limit grows; who finds it reached then is in a queue for as long. */
	assert_between(day.answered, 40000 - 3 * 400, 40300);
	pass(&day, 10, 6000);
	assert_between(day.answered, 60000 - 1 * 600, 60300);
}

static void an_origin_that_refuses_is_asked_for_little_until_it_answers(void **state)
{
	(void)state;
	struct day day = day_of(50);
	pass(&day, 10, 10000);
	day.origin.refuses = true;
	pass(&day, 20, 10000);
	assert_between(admission_limit(day.admission, day.now_us), ADMISSION_LEAST, 2 * ADMISSION_LEAST);
	day.origin.refuses = false;
	pass(&day, 10, 10000);
	pass(&day, 10, 10000);
	assert_between(day.answered, 9500, 10100);
}

static void what_a_killed_process_had_in_flight_is_forgotten(void **state)
{
	(void)state;
	struct admission a = {0};
	for (int i = 0; i < ADMISSION_FIRST; i++)
		assert_true(admission_enter(&a, 3, 1000));
	assert_false(admission_enter(&a, 4, 1000));
	assert_true(admission_pressed(&a, 1000));
	admission_forget(&a, 3);
	assert_int_equal(admission_in_flight(&a), 0);
	assert_true(admission_enter(&a, 4, 1000));
	admission_leave(&a, 3, 0, ADMISSION_ABANDONED, 0, 2000);
	assert_int_equal(admission_in_flight(&a), 1);
	assert_false(admission_pressed(&a, 10 * ADMISSION_WINDOW_US));
}

TEST_MAIN(cmocka_unit_test(a_flood_fills_the_slots_and_little_more),
	  cmocka_unit_test(an_attack_under_way_at_the_start_is_met), cmocka_unit_test(more_slots_are_found),
	  cmocka_unit_test(fewer_slots_are_noticed), cmocka_unit_test(a_slower_origin_is_not_starved),
	  cmocka_unit_test(an_origin_twenty_times_slower_is_not_starved),
	  cmocka_unit_test(slow_pages_among_quick_ones_are_no_harm),
	  cmocka_unit_test(a_crowd_within_capacity_is_let_in),
	  cmocka_unit_test(an_origin_that_refuses_is_asked_for_little_until_it_answers),
	  cmocka_unit_test(what_a_killed_process_had_in_flight_is_forgotten))
