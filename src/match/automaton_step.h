/* A run of one automaton, step by step. */
#ifndef GUIA_MATCH_AUTOMATON_STEP_H
#define GUIA_MATCH_AUTOMATON_STEP_H

#include "match/automaton_internal.h"

static inline const uint16_t *classes_of(const struct automaton *a, bool lowered)
{
	return lowered ? a->lowered_class_of : a->class_of;
}

/* Rows are no more once their cache was emptied: for a state of another lane, which has the same cache. */
static inline bool is_stale(const struct automaton_run *run)
{
	return run->emptied != run->cache->facts.emptied;
}

static inline void set_row(struct automaton_run *run, uint32_t row)
{
	run->row = row;
	run->emptied = run->cache->facts.emptied;
}

static inline void start(struct automaton_run *run, enum before before)
{
	set_row(run, automaton_start_row(run->automaton, run->cache, before));
}

/* One step of one automaton, making the transition if need be. False when its credit is used up, or its row stale. */
static inline bool step(struct automaton_run *run, uint32_t class)
{
	if (is_stale(run))
		return false;
	uint32_t next = run->cache->rows[run->row + class];
	if (next == UNKNOWN) {
		if (run->cache->credit_bytes <= 0)
			return false;
		next = automaton_make_transition(run->automaton, run->cache, run->row, class);
	}
	set_row(run, next);
	return true;
}

static inline uint64_t matched(const struct automaton_run *run)
{
	return is_stale(run) ? 0 : automaton_state(run->automaton, run->cache, run->row)->matched;
}

static inline void end_run(struct automaton_run *run, bool busy)
{
	run->busy = busy || !step(run, run->automaton->class_count - 1);
	run->found = matched(run);
	run->cache->facts.refused += run->busy;
}

static inline uint64_t all_patterns(const struct automaton *a)
{
	return a->pattern_count == 64 ? UINT64_MAX : ((uint64_t)1 << a->pattern_count) - 1;
}

#endif
