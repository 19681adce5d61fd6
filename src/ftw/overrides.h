/*
 * What a set of tests expects otherwise on this engine or server, and why (go-ftw's overrides):
 *   test_overrides: [ { rule_id: N, test_ids: [N...], reason: TEXT, output: {...}, ignore: BOOL } ]
 * A stage that does not do what its test says passes if it does what `output` says: a list made for one engine holds
 * for another that does better. `ignore: true` skips the tests, the reason being told.
 */
#ifndef GUIA_FTW_OVERRIDES_H
#define GUIA_FTW_OVERRIDES_H

#include "ftw/suite.h"

struct ftw_override {
	const char *id; /* of the test, "942100-7" */
	const char *reason;
	bool ignore;
	const struct yaml_node *output; /* NULL if none */
};

struct ftw_overrides {
	struct ftw_override *items;
	size_t count;
	size_t capacity;
	struct arena *arena;
};

/* Adds a file's entries; an entry needs a reason. 0, FTW_INVALID, -ENOMEM, or -errno of the file. */
int ftw_overrides_load(const char *path, struct diagnostics *diagnostics, struct ftw_overrides *overrides);

/* 0, FTW_INVALID (an `output` is not of its form), or -ENOMEM. */
int ftw_overrides_apply(const struct ftw_overrides *overrides, struct arena *arena, struct ftw_suite *suite);

#endif
