/* guia_worker_*, guia_transaction_*, guia_request_*, guia_response_*: the engine's, under the public names. */
#include "engine/transaction.h"

#include "api/convert.h"
#include "api/profile.h"
#include "api/rules.h"
#include "engine/body_bytes.h"
#include "engine/phase.h"
#include "engine/profile.h"
#include "engine/report.h"
#include "engine/request.h"
#include "engine/variable.h"

#include <errno.h>
#include <stdlib.h>

struct guia_worker {
	struct worker *engine;
};

/* A transaction is the engine's with its rule set held: the list gives the small holder back to the next one. */
struct guia_transaction {
	struct transaction *engine;
	struct guia_rules *rules;
};

int guia_worker_new(const struct guia_worker_options *options, struct guia_worker **ret_worker)
{
	struct guia_worker *worker = calloc(1, sizeof(*worker));
	int r = worker == NULL ? -ENOMEM : worker_create(options, &worker->engine);
	if (r != 0) {
		free(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

void guia_worker_free(struct guia_worker *worker)
{
	if (worker == NULL)
		return;
	worker_free(worker->engine);
	free(worker);
}

int guia_worker_prepare(struct guia_worker *worker, const struct guia_rules *rules)
{
	return worker_prepare(worker->engine, rules_plan(rules));
}

void guia_worker_profile(struct guia_worker *worker, struct guia_profile *profile)
{
	worker->engine->profile = profile == NULL ? NULL : profile_engine(profile);
}

int guia_transaction_begin(struct guia_worker *worker, struct guia_rules *rules,
			   const struct guia_connection *connection, struct guia_slice unique_id, int64_t now_us,
			   struct guia_transaction **ret_transaction)
{
	struct transaction *engine;
	int r = transaction_begin(worker->engine, rules_plan(rules), connection, slice_in(unique_id), now_us, &engine);
	if (r != 0)
		return r;
	struct guia_transaction *transaction = (struct guia_transaction *)transaction_holder(engine);
	*transaction = (struct guia_transaction){engine, guia_rules_ref(rules)};
	if (worker->engine->profile != NULL)
		worker->engine->profile->transactions++;
	*ret_transaction = transaction;
	return 0;
}

_Static_assert(sizeof(struct guia_transaction) <= TRANSACTION_HOLDER_BYTES, "the holder has room");

void guia_transaction_end(struct guia_transaction *transaction)
{
	if (transaction == NULL)
		return;
	struct guia_rules *rules = transaction->rules;
	transaction_end(transaction->engine);
	guia_rules_unref(rules);
}

/* A feeding that failed for want of memory is told by the next verdict too. */
static int fed(struct transaction *t, int r)
{
	if (r == -ENOMEM)
		transaction_out_of_memory(t);
	return r;
}

int guia_request_line(struct guia_transaction *transaction, struct guia_slice method, struct guia_slice uri,
		      struct guia_slice protocol)
{
	struct transaction *t = transaction->engine;
	struct profile_timer timer = profile_begin(t->worker->profile);
	int r = fed(t, request_line(t, slice_in(method), slice_in(uri), slice_in(protocol)));
	profile_end_stage(timer, PROFILE_REQUEST_LINE);
	return r;
}

int guia_request_header(struct guia_transaction *transaction, struct guia_slice name, struct guia_slice value)
{
	struct transaction *t = transaction->engine;
	struct profile_timer timer = profile_begin(t->worker->profile);
	int r = fed(t, request_header(t, slice_in(name), slice_in(value)));
	profile_end_stage(timer, PROFILE_REQUEST_HEADERS);
	return r;
}

struct guia_verdict guia_request_headers_done(struct guia_transaction *transaction)
{
	return phase_run(transaction->engine, PHASE_REQUEST_HEADERS);
}

bool guia_request_body_wanted(const struct guia_transaction *transaction)
{
	return phase_request_body_wanted(transaction->engine);
}

int guia_request_body_expect(struct guia_transaction *transaction, uint64_t bytes)
{
	struct transaction *t = transaction->engine;
	return body_expect(t, &t->request_body, bytes);
}

void guia_request_body_lost(struct guia_transaction *transaction)
{
	transaction->engine->scan_failed = true;
}

int guia_request_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays)
{
	struct transaction *t = transaction->engine;
	return body_add(t, &t->request_body, slice_in(bytes), stays);
}

struct guia_verdict guia_request_body_done(struct guia_transaction *transaction)
{
	return phase_run(transaction->engine, PHASE_REQUEST_BODY);
}

int guia_response_header(struct guia_transaction *transaction, struct guia_slice name, struct guia_slice value)
{
	struct transaction *t = transaction->engine;
	struct profile_timer timer = profile_begin(t->worker->profile);
	int r = fed(t, response_header(t, slice_in(name), slice_in(value)));
	profile_end_stage(timer, PROFILE_RESPONSE_HEADERS);
	return r;
}

struct guia_verdict guia_response_headers_done(struct guia_transaction *transaction, uint16_t status,
					       struct guia_slice protocol)
{
	struct transaction *t = transaction->engine;
	(void)fed(t, response_line(t, status, slice_in(protocol)));
	return phase_run(t, PHASE_RESPONSE_HEADERS);
}

bool guia_response_body_wanted(const struct guia_transaction *transaction)
{
	return phase_response_body_wanted(transaction->engine);
}

int guia_response_body(struct guia_transaction *transaction, struct guia_slice bytes, bool stays)
{
	struct transaction *t = transaction->engine;
	return body_add(t, &t->response_body, slice_in(bytes), stays);
}

struct guia_verdict guia_response_body_done(struct guia_transaction *transaction)
{
	return phase_run(transaction->engine, PHASE_RESPONSE_BODY);
}

void guia_transaction_log(struct guia_transaction *transaction, uint16_t status, uint64_t sent_bytes)
{
	struct transaction *t = transaction->engine;
	(void)fed(t, response_sent(t, status, sent_bytes));
	(void)phase_run(t, PHASE_LOGGING);
}

struct guia_slice guia_transaction_response_body(const struct guia_transaction *transaction)
{
	return slice_out(transaction->engine->response_body.bytes);
}

struct guia_slice guia_transaction_id(const struct guia_transaction *transaction)
{
	return slice_out(transaction->engine->unique_id);
}

void guia_transaction_summary(const struct guia_transaction *transaction, struct guia_summary *ret_summary)
{
	report_summary(transaction->engine, ret_summary);
}

size_t guia_match_count(const struct guia_transaction *transaction)
{
	return report_match_count(transaction->engine);
}

void guia_match_at(const struct guia_transaction *transaction, size_t index, struct guia_match *ret_match)
{
	report_match(transaction->engine, index, ret_match);
}

bool guia_tx_at(struct guia_transaction *transaction, size_t index, struct guia_slice *ret_name,
		struct guia_slice *ret_value)
{
	struct slice name;
	struct slice value;
	if (!report_tx(transaction->engine, index, &name, &value))
		return false;
	*ret_name = slice_out(name);
	*ret_value = slice_out(value);
	return true;
}

size_t guia_log_line_count(const struct guia_transaction *transaction)
{
	return transaction->engine->log_count;
}

struct guia_slice guia_transaction_redact(struct guia_transaction *transaction, struct guia_slice text)
{
	return slice_out(report_redact(transaction->engine, slice_in(text)));
}

struct guia_slice guia_transaction_redacted_uri(struct guia_transaction *transaction)
{
	return slice_out(report_redact_uri(transaction->engine));
}

struct guia_slice guia_transaction_redacted_head(struct guia_transaction *transaction)
{
	return slice_out(report_redact_head(transaction->engine));
}

struct guia_slice guia_log_line_at(struct guia_transaction *transaction, size_t index)
{
	struct profile_timer timer = profile_begin(transaction->engine->worker->profile);
	struct slice line = report_log_line(transaction->engine, index);
	profile_end_stage(timer, PROFILE_LOG);
	return slice_out(line);
}

void guia_log_entry_at(struct guia_transaction *transaction, size_t index, struct guia_log_entry *ret_entry)
{
	report_log_entry(transaction->engine, index, ret_entry);
}

struct guia_slice guia_log_tag_at(const struct guia_transaction *transaction, size_t index, size_t tag)
{
	return slice_out(report_log_tag(transaction->engine, index, tag));
}

struct guia_slice guia_audit_record(struct guia_transaction *transaction)
{
	struct profile_timer timer = profile_begin(transaction->engine->worker->profile);
	struct slice record = report_audit(transaction->engine);
	profile_end_stage(timer, PROFILE_LOG);
	return slice_out(record);
}

bool guia_audit_wanted(struct guia_transaction *transaction)
{
	return report_audit_is_wanted(transaction->engine);
}

void guia_transaction_trace(struct guia_transaction *transaction, guia_trace_fn *trace, void *context)
{
	transaction->engine->trace = trace;
	transaction->engine->trace_context = context;
}
