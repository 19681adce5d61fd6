/*
 * Suites, and stages in process; those over the network are remote.c's, by the same function type. A test ends at the
 * first stage that fails, and its memory is given back but for what is told of it.
 */
#include "ftw/run.h"

#include "base/clock.h"
#include "base/error.h"
#include "ftw/exchange.h"
#include "ftw/wire.h"

enum {
	STAGE_ARENA_BYTES = 64 << 20,
	STAGE_RETAIN_BYTES = 1 << 20,
};

/* `context` is where the answer is kept too. */
static int reflect(void *context, const struct request *request, struct arena *arena, struct ftw_answer *ret_answer)
{
	struct ftw_answer *kept = context;
	int r = ftw_origin_answer(request->method, request->uri, request->body, arena, kept);
	if (r == 0)
		*ret_answer = *kept;
	return r;
}

/* "NAME=VALUE" of the first cookie that is set; "": none is. */
static struct slice cookie_of(const struct ftw_answer *answer)
{
	const struct field *set = field_list_find(&answer->headers, SLICE("Set-Cookie"));
	struct slice cookie = SLICE("");
	if (set != NULL)
		slice_cut(set->value, ';', &cookie);
	return slice_trim(cookie);
}

static int collect_log(struct guia_transaction *t, struct arena *arena, struct slice *ret_log)
{
	struct buffer log = buffer_make(arena);
	size_t count = guia_log_line_count(t);
	for (size_t i = 0; i < count; i++) {
		buffer_add(&log, exchange_in(guia_log_line_at(t, i)));
		buffer_byte(&log, '\n');
	}
	*ret_log = buffer_slice(&log);
	return log.error;
}

static int run_transaction(const struct ftw_local *local, const struct request *request, struct arena *arena,
			   struct ftw_seen *seen, struct slice *ret_cookie)
{
	struct guia_transaction *t = NULL;
	struct guia_connection connection = exchange_connection(request->host);
	int r = guia_transaction_begin(local->worker, local->rules, &connection, (struct guia_slice){0}, clock_now_us(),
				       &t);
	if (r != 0)
		return r;
	struct ftw_answer answer = {.headers = field_list_make(arena)};
	struct exchange exchange = {request, reflect, &answer, arena};
	r = exchange_run(t, &exchange, &seen->status);
	if (r == 0)
		r = collect_log(t, arena, &seen->log);
	/* Of an answer that was blocked the client has nothing. */
	if (r == 0 && seen->status == answer.status)
		*ret_cookie = cookie_of(&answer);
	guia_transaction_end(t);
	return r;
}

int ftw_stage_local(void *context, const struct ftw_stage *stage, struct slice *cookie, struct arena *arena,
		    struct ftw_seen *ret_seen)
{
	const struct ftw_local *local = context;
	struct request_parser_options options = exchange_parser_permissive();
	struct ftw_seen seen = {0};
	struct request request = {0};
	struct slice wire, set = SLICE("");
	int r = ftw_wire_request(&stage->input, *cookie, arena, &wire);
	if (r != 0)
		return r > 0 ? -EINVAL : r;
	r = request_parse(wire, &options, arena, &request);
	if (r < 0)
		return r;
	unsigned refused = r == REQUEST_REFUSED ? request.refused_status : 0;
	seen.error = r == REQUEST_REFUSED;
	if (r == REQUEST_REFUSED)
		r = exchange_read_leniently(wire, arena, &request);
	r = r != 0 ? r : run_transaction(local, &request, arena, &seen, &set);
	/* An answer to HTTP/0.9 has no status line, so a client sees none. */
	seen.error = seen.error || seen.status == 0 || request.version_number == 9;
	seen.refused = refused != 0;
	if (refused != 0)
		seen.status = refused;
	if (r != 0)
		return r;
	if (stage->input.save_cookie && set.len > 0 && !seen.refused)
		*cookie = set;
	*ret_seen = seen;
	return 0;
}

static int run_stage(const struct ftw_stage *stage, ftw_stage_fn *run, void *context, struct slice *cookie,
		     struct arena *arena, struct buffer *why)
{
	int r = 0;
	for (int attempt = 0; attempt <= stage->output.retry_once; attempt++) {
		struct ftw_seen seen;
		buffer_clear(why);
		r = run(context, stage, cookie, arena, &seen);
		r = r != 0 ? r : ftw_check(&stage->output, &seen, why);
		if (r == FTW_UNEXPECTED && stage->override != NULL) {
			buffer_clear(why);
			r = ftw_check(stage->override, &seen, why);
		}
		if (r <= 0)
			break;
	}
	return r;
}

static int run_test(const struct ftw_test *test, ftw_stage_fn *run, void *context, struct arena *scratch,
		    struct arena *arena, struct ftw_result *result)
{
	struct slice cookie = SLICE("");
	*result = (struct ftw_result){test, FTW_PASSED, "", test->line};
	for (const struct ftw_stage *stage = test->stages; stage != NULL; stage = stage->next) {
		struct buffer why = buffer_make(scratch);
		int r = run_stage(stage, run, context, &cookie, scratch, &why);
		if (r < 0 && r != -EINVAL)
			return r;
		if (r == 0)
			continue;
		if (r == -EINVAL)
			buffer_text(&why, "encoded_request is not base64");
		result->outcome = FTW_FAILED;
		result->line = stage->line;
		result->why = arena_string(arena, buffer_slice(&why));
		return result->why == NULL ? -ENOMEM : 0;
	}
	return 0;
}

int ftw_run_suite(const struct ftw_suite *suite, ftw_stage_fn *run, void *context, struct arena *arena,
		  struct ftw_result *results)
{
	struct arena scratch;
	arena_init(&scratch, STAGE_ARENA_BYTES, STAGE_RETAIN_BYTES);
	int r = 0;
	size_t i = 0;
	for (const struct ftw_test *test = suite->tests; test != NULL && r == 0; test = test->next, i++) {
		if (test->skipped)
			results[i] = (struct ftw_result){test, FTW_SKIPPED, test->skip_reason, test->line};
		else
			r = run_test(test, run, context, &scratch, arena, &results[i]);
		arena_reset(&scratch);
	}
	arena_destroy(&scratch);
	return r;
}
