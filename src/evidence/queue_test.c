/* Clocks of the test's own: time passes between two looks at them, and the wall clock is set, when it is said. */
#include "evidence/queue.h"

#include "base/test.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE_BYTES = 4096, STANDSTILL_S = 5, SET_S = 60, READS = 8 };

static unsigned reads_left; /* of the wall clock and that of the boot, until we stand still; 0: we do not */
static time_t stood_s, set_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long r = syscall(SYS_clock_gettime, clock, now);
	now->tv_sec += stood_s + (clock == CLOCK_REALTIME ? set_s : 0);
	if ((clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) && reads_left > 0 && --reads_left == 0)
		stood_s += STANDSTILL_S;
	return (int)r;
}

/* Puts one. -> how often it is said, before it, that the clock was set */
static unsigned steps_told(struct queue *queue)
{
	struct queue_taken taken;
	struct queue_item item;
	unsigned steps = 0, others = 0;
	assert_true(queue_put(queue, LEAF_DECISION, SLICE("{}")));
	queue_take(queue, 0, &taken);
	while (queue_next(&taken, &item)) {
		assert_int_equal(others, 0);
		steps += item.kind == LEAF_CLOCK_STEP;
		others += item.kind != LEAF_CLOCK_STEP;
	}
	assert_int_equal(others, 1);
	return steps;
}

static void a_standstill_sets_no_clock(void **state)
{
	struct queue *queue;
	(void)state;
	for (unsigned reads = 1; reads <= READS; reads++) {
		reads_left = reads;
		assert_int_equal(queue_create(QUEUE_BYTES, &queue), 0);
		for (unsigned i = 0; i < READS; i++)
			assert_int_equal(steps_told(queue), 0);
		assert_int_equal(reads_left, 0);
		queue_free(queue);
	}
}

static void a_clock_that_is_set_is_told_once(void **state)
{
	struct queue *queue;
	(void)state;
	assert_int_equal(queue_create(QUEUE_BYTES, &queue), 0);
	assert_int_equal(steps_told(queue), 0);
	for (int way = -1; way <= 1; way += 2) {
		set_s += way * SET_S;
		assert_int_equal(steps_told(queue), 1);
		assert_int_equal(steps_told(queue), 0);
	}
	queue_free(queue);
}

TEST_MAIN(cmocka_unit_test(a_standstill_sets_no_clock), cmocka_unit_test(a_clock_that_is_set_is_told_once))
