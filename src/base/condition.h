/* Condition variables that are waited for until a time which no setting of the wall clock moves. */
#ifndef GUIA_BASE_CONDITION_H
#define GUIA_BASE_CONDITION_H

#include "base/clock.h"

#include <pthread.h>
#include <stdbool.h>

static inline void condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* With the lock held, which is given back meanwhile. False once clock_monotonic_ns() is `until_ns`. */
static inline bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ns)
{
	const struct timespec until = {.tv_sec = (time_t)(until_ns / CLOCK_NS_PER_S),
				       .tv_nsec = (long)(until_ns % CLOCK_NS_PER_S)};
	return pthread_cond_timedwait(condition, lock, &until) == 0;
}

#endif
