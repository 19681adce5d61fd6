/* The system is asked each time: nginx's cached time is as old as the turn of its event loop. */
#include "clock.h"

#include <time.h>

#define NS_A_SECOND UINT64_C(1000000000)

static uint64_t time_by(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_A_SECOND + (uint64_t)t.tv_nsec;
}

uint64_t gate_now_ns(void)
{
	return time_by(CLOCK_BOOTTIME);
}

uint64_t gate_worked_ns(void)
{
	return time_by(CLOCK_THREAD_CPUTIME_ID);
}

bool gate_rate_allows(uint64_t *due_ns, uint64_t now_ns, uint64_t amount, uint64_t a_second, uint64_t at_once)
{
	uint64_t ahead_ns = *due_ns > now_ns ? *due_ns - now_ns : 0, each_ns = NS_A_SECOND * amount / a_second;

	if (ahead_ns + each_ns > at_once * NS_A_SECOND / a_second)
		return false;
	*due_ns = now_ns + ahead_ns + each_ns;
	return true;
}
