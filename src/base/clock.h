/* The system's clocks, each as one number. */
#ifndef GUIA_BASE_CLOCK_H
#define GUIA_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

enum {
	CLOCK_MS_PER_S = 1000,
	CLOCK_US_PER_S = 1000 * 1000,
	CLOCK_NS_PER_US = 1000,
	CLOCK_NS_PER_MS = 1000 * 1000,
	CLOCK_NS_PER_S = 1000 * 1000 * 1000,
};

/* What a clock of clock_gettime(2) shows, in nanoseconds. */
static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

/* Microseconds since 1970. */
static inline int64_t clock_now_us(void)
{
	return clock_ns(CLOCK_REALTIME) / CLOCK_NS_PER_US;
}

/* Milliseconds since 1970; 0 for a clock that was set to before. */
static inline uint64_t clock_now_ms(void)
{
	int64_t ns = clock_ns(CLOCK_REALTIME);
	return ns > 0 ? (uint64_t)ns / CLOCK_NS_PER_MS : 0;
}

/* For how long something takes: never set, never goes back, stands while the machine sleeps. */
static inline uint64_t clock_monotonic_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_ns() / CLOCK_NS_PER_MS;
}

/* Milliseconds since the machine was started: the same in all its processes, never goes back. */
static inline int64_t clock_boot_ms(void)
{
	return clock_ns(CLOCK_BOOTTIME) / CLOCK_NS_PER_MS;
}

#endif
