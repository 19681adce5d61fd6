/*
 * Rule tests in the go-ftw format: version 4's schema, and 3.3.4's (stages wrapped in `stage:`, log_contains, data as a
 * list of lines, stop_magic). A file is a suite of tests; a test has stages; a stage is a request and what must come
 * of it. Everything lives in the arena given.
 */
#ifndef GUIA_FTW_SUITE_H
#define GUIA_FTW_SUITE_H

#include "base/diagnostic.h"
#include "base/yaml.h"
#include "http/field.h"

struct ftw_ids {
	int64_t *items;
	size_t count;
};

/* Empty slices and lists stand for what is not written. Regular expressions are PCRE2's. */
struct ftw_output {
	struct ftw_ids statuses; /* any of them */
	struct ftw_ids expect_ids;
	struct ftw_ids no_expect_ids;
	struct slice match_regex; /* 3.3.4: log_contains */
	struct slice no_match_regex;
	struct slice response_contains;
	bool expect_error;
	bool isolated; /* no other rule is logged */
	bool retry_once;
};

struct ftw_input {
	struct slice method;
	struct slice uri;
	struct slice version;
	struct slice destination;
	struct field_list headers; /* as written, in order */
	struct slice data;
	struct slice encoded_request; /* base64 of the bytes on the wire */
	struct slice raw_request;
	bool autocomplete_headers;
	bool announces_empty; /* a POST without a body says Content-Length: 0; 3.3.4's runner did not */
	bool save_cookie;     /* what the answer sets, later stages send */
};

struct ftw_stage {
	struct ftw_input input;
	struct ftw_output output;
	struct ftw_output *override; /* NULL: none. What will do as well, should `output` not come true */
	unsigned line;
	struct ftw_stage *next;
};

struct ftw_test {
	const char *id; /* "942100-7" */
	unsigned line;
	bool skipped; /* by `enabled: false`, or by an override that says ignore */
	const char *skip_reason;
	struct ftw_stage *stages;
	struct ftw_test *next;
};

struct ftw_suite {
	const char *file;
	struct ftw_test *tests;
	size_t test_count;
};

enum {
	FTW_INVALID = 1, /* a diagnostic was added */
};

/* 0, FTW_INVALID, -ENOMEM, or -errno of the file. */
int ftw_suite_load(const char *path, struct arena *arena, struct diagnostics *diagnostics, struct ftw_suite *ret_suite);

/* Whether an `output:` has only keys that it may have; NULL has. `text` is the file's. 0, or FTW_INVALID. */
int ftw_output_check(const struct yaml_node *node, struct arena *arena, struct diagnostics *diagnostics,
		     const char *file, struct slice text);

/* Reads the keys of an `output:` over what stands there: a key that is written replaces. For overrides. */
int ftw_output_read(const struct yaml_node *node, struct arena *arena, struct ftw_output *output);

#endif
