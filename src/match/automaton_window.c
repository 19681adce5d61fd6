/* An automaton over those parts of a value where matches can begin. */
#include "match/automaton_step.h"

enum { WINDOW_LEADS_MOST = 512 }; /* bytes behind a window */

/* Takes the run on from `at` until all of a window is behind it and nothing is under way. False: see the header. */
static bool go_over_window(struct automaton_run *run, struct slice value, size_t to, size_t *at)
{
	const struct automaton *a = run->automaton;
	const uint16_t *class_of = classes_of(a, run->lowered);
	size_t most = value.len - to > WINDOW_LEADS_MOST ? to + WINDOW_LEADS_MOST : value.len;
	for (; *at < most; ++*at) {
		if (*at > to && automaton_state(a, run->cache, run->row)->count == 0)
			return true;
		if (!step(run, class_of[value.ptr[*at]]))
			return false;
	}
	return *at == value.len;
}

bool automaton_run_windows(struct automaton_run *run, struct slice value, const struct automaton_window *windows,
			   size_t count)
{
	const struct automaton *a = run->automaton;
	size_t at = 0;
	bool whole = false;
	run->busy = false;
	run->found = 0;
	for (size_t i = 0; i < count && !whole; i++) {
		if (i > 0 && windows[i].to < at)
			continue;
		at = windows[i].from > at ? windows[i].from : at;
		start(run, at == 0 ? BEFORE_START
				   : automaton_before_after(a, classes_of(a, run->lowered)[value.ptr[at - 1]]));
		size_t from = at;
		if (!go_over_window(run, value, windows[i].to, &at))
			return false;
		automaton_earn(run->cache, at - from);
		whole = at == value.len;
		run->found |= matched(run);
		if (run->found == all_patterns(a))
			return true;
	}
	if (whole) {
		uint64_t found = run->found;
		end_run(run, false);
		run->found |= found;
	}
	return !run->busy;
}
