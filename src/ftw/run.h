/*
 * Runs suites in process: the request's bytes through nginx's reading of them, the engine, the origin that rule tests
 * expect, and the engine again. A request that a server refuses before any rule is asked has that status; the rules
 * are asked nonetheless, with the request read leniently, since the tests are about the rules.
 */
#ifndef GUIA_FTW_RUN_H
#define GUIA_FTW_RUN_H

#include "guia.h"
#include "ftw/check.h"

enum ftw_outcome { FTW_PASSED, FTW_FAILED, FTW_SKIPPED };

struct ftw_result {
	const struct ftw_test *test;
	enum ftw_outcome outcome;
	const char *why; /* "" if passed */
	unsigned line;   /* of the stage that failed, else of the test */
};

/*
 * How a stage is brought about: in process, or over the network. 0 with *ret_seen set, its slices in the arena, or a
 * negative error. `cookie` is sent, and replaced by what the answer sets.
 */
typedef int ftw_stage_fn(void *context, const struct ftw_stage *stage, struct slice *cookie, struct arena *arena,
			 struct ftw_seen *ret_seen);

/* ftw_stage_fn's context for a stage in process. */
struct ftw_local {
	struct guia_worker *worker;
	struct guia_rules *rules;
};
int ftw_stage_local(void *local, const struct ftw_stage *stage, struct slice *cookie, struct arena *arena,
		    struct ftw_seen *ret_seen);

/* One result a test, in order: `results` has room for suite->test_count. 0 or a negative error. */
int ftw_run_suite(const struct ftw_suite *suite, ftw_stage_fn *run, void *context, struct arena *arena,
		  struct ftw_result *results);

#endif
