/*
 * One expectation after another, and only the first that fails is told. An id is looked for as it stands in the log's
 * text. Of a request that the server refused it is not asked what must not be in the log.
 */
#include "ftw/check.h"

#include "base/error.h"
#include "match/regex.h"

#include <inttypes.h>
#include <stdio.h>

/* Whether a line of the log tells of this rule: [id "N"]. */
static bool log_has_id(struct slice log, int64_t id)
{
	char text[40];
	int len = snprintf(text, sizeof(text), "[id \"%" PRId64 "\"]", id);
	return slice_find(log, slice_make(text, (size_t)len), 0) < log.len;
}

static bool has_id(const struct ftw_ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->items[i] == id)
			return true;
	return false;
}

/* Every id of the log, for the message and for `isolated`. */
static size_t list_ids(struct slice log, struct buffer *out)
{
	size_t count = 0;
	const struct slice opening = SLICE("[id \"");
	for (size_t at = 0; (at = slice_find(log, opening, at)) < log.len;) {
		at += opening.len;
		size_t end = slice_find_byte(log, '"', at);
		if (out != NULL) {
			buffer_byte(out, ' ');
			buffer_add(out, slice_sub(log, at, end));
		}
		count++;
	}
	return count;
}

static int unexpected(struct slice log, struct buffer *why)
{
	buffer_text(why, "; logged:");
	if (list_ids(log, why) == 0)
		buffer_text(why, " nothing");
	return FTW_UNEXPECTED;
}

enum { PATTERN_MATCHES = REGEX_MATCH, PATTERN_IS_NONE = 2 };

/* PATTERN_MATCHES, 0 if it does not, PATTERN_IS_NONE with the reason in `why`, or a negative error. */
static int matches(struct slice pattern, struct slice text, struct buffer *why)
{
	struct regex *regex = NULL;
	struct regex_scratch *scratch = NULL;
	struct regex_error error;
	int r = regex_compile(pattern, 0, &regex, &error);
	if (r == REGEX_BAD_PATTERN) {
		buffer_printf(why, "the expression %.*s does not compile: %s", SLICE_ARG(pattern), error.message);
		return PATTERN_IS_NONE;
	}
	r = r != 0 ? r : regex_scratch_create_to_load(&scratch); /* most texts need no automata */
	r = r != 0 ? r : regex_match(regex, scratch, text, 0, NULL, NULL, NULL);
	regex_scratch_free(scratch);
	regex_free(regex);
	if (r == REGEX_LIMIT) {
		buffer_printf(why, "the expression %.*s needs too many steps", SLICE_ARG(pattern));
		return PATTERN_IS_NONE;
	}
	return r;
}

static int check_ids(const struct ftw_output *expected, const struct ftw_seen *seen, struct buffer *why)
{
	struct slice log = seen->log;
	for (size_t i = 0; i < expected->expect_ids.count; i++)
		if (!log_has_id(log, expected->expect_ids.items[i])) {
			buffer_printf(why, "expected rule %" PRId64 " in the log", expected->expect_ids.items[i]);
			return unexpected(log, why);
		}
	for (size_t i = 0; i < expected->no_expect_ids.count && !seen->refused; i++)
		if (log_has_id(log, expected->no_expect_ids.items[i])) {
			buffer_printf(why, "expected no rule %" PRId64 " in the log", expected->no_expect_ids.items[i]);
			return unexpected(log, why);
		}
	if (expected->isolated && list_ids(log, NULL) != 1) {
		buffer_text(why, "expected exactly one rule in the log");
		return unexpected(log, why);
	}
	return 0;
}

static int check_pattern(struct slice pattern, struct slice text, bool wanted, const char *where, struct buffer *why)
{
	if (pattern.len == 0)
		return 0;
	int r = matches(pattern, text, why);
	if (r < 0 || r == PATTERN_IS_NONE)
		return r < 0 ? r : FTW_INVALID;
	if ((r == PATTERN_MATCHES) == wanted)
		return 0;
	buffer_printf(why, "expected %s %s %.*s", where, wanted ? "to match" : "not to match", SLICE_ARG(pattern));
	return FTW_UNEXPECTED;
}

static int check_status(const struct ftw_output *expected, const struct ftw_seen *seen, struct buffer *why)
{
	if (expected->statuses.count == 0 || has_id(&expected->statuses, seen->status))
		return 0;
	buffer_text(why, "expected status");
	for (size_t i = 0; i < expected->statuses.count; i++)
		buffer_printf(why, "%s %" PRId64, i > 0 ? " or" : "", expected->statuses.items[i]);
	buffer_printf(why, ", got %u", seen->status);
	return FTW_UNEXPECTED;
}

int ftw_check(const struct ftw_output *expected, const struct ftw_seen *seen, struct buffer *why)
{
	if (expected->expect_error && seen->error)
		return 0;
	if (expected->expect_error || (seen->status == 0 && seen->error)) {
		buffer_printf(why, "expected %s, got %s", expected->expect_error ? "no answer" : "an answer",
			      expected->expect_error ? "one" : "none");
		return FTW_UNEXPECTED;
	}
	int r = check_status(expected, seen, why);
	r = r != 0 ? r : check_pattern(expected->response_contains, seen->response, true, "the response", why);
	r = r != 0 ? r : check_ids(expected, seen, why);
	if (r == 0 && (r = check_pattern(expected->match_regex, seen->log, true, "the log", why)) == FTW_UNEXPECTED)
		return unexpected(seen->log, why);
	if (r != 0 || seen->refused)
		return r;
	return check_pattern(expected->no_match_regex, seen->log, false, "the log", why);
}
