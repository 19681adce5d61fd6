/* The engine through guia.h alone, phase by phase as the gate calls it; its logs are made and thrown away. */
#include "ours.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

struct ours {
	struct guia_rules *rules;
	struct guia_collection_store *store;
	struct guia_worker *worker;
	uint64_t number; /* of the transaction: its unique id, as nginx gives one */
};

static void print_diagnostic(void *context, const struct guia_diagnostic *diagnostic)
{
	(void)context;
	if (diagnostic->severity == GUIA_ERROR)
		fputs(diagnostic->text, stderr);
}

struct ours *ours_new(struct guia_pool *pool, const char *rules_file)
{
	struct ours *ours = calloc(1, sizeof(*ours));
	struct guia_source source = {.kind = GUIA_SOURCE_FILE, .text = rules_file};
	if (ours == NULL)
		return NULL;
	if (guia_rules_compile(pool, &source, 1, print_diagnostic, NULL, &ours->rules, NULL) == 0 &&
	    guia_store_new_local(1 << 20, &ours->store) == 0) {
		struct guia_worker_options options = {.store = ours->store, .verdicts_only = true};
		if (guia_worker_new(&options, &ours->worker) == 0 &&
		    guia_worker_prepare(ours->worker, ours->rules) == 0)
			return ours;
	}
	ours_free(ours);
	return NULL;
}

void ours_free(struct ours *ours)
{
	if (ours == NULL)
		return;
	guia_worker_free(ours->worker);
	guia_store_free_local(ours->store);
	guia_rules_unref(ours->rules);
	free(ours);
}

static struct guia_slice given(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

static bool over(struct guia_verdict verdict, int *status)
{
	if (verdict.action == GUIA_PASS)
		return false;
	*status = verdict.status;
	return true;
}

static bool run_request(struct guia_transaction *t, const struct sample *e, int *status)
{
	guia_request_line(t, given(e->method), given(e->uri), given(SLICE("HTTP/1.1")));
	for (size_t i = 0; i < e->header_count; i++)
		guia_request_header(t, given(e->headers[i].name), given(e->headers[i].value));
	if (over(guia_request_headers_done(t), status))
		return true;
	if (e->body.len > 0 && guia_request_body_wanted(t))
		guia_request_body(t, given(e->body), true);
	return over(guia_request_body_done(t), status);
}

static void run_response(struct guia_transaction *t, const struct sample *e, int *status)
{
	for (size_t i = 0; i < e->response_header_count; i++)
		guia_response_header(t, given(e->response_headers[i].name), given(e->response_headers[i].value));
	if (over(guia_response_headers_done(t, (uint16_t)e->response_status, given(SLICE("HTTP/1.1"))), status))
		return;
	if (e->response_body.len > 0 && guia_response_body_wanted(t))
		guia_response_body(t, given(e->response_body), true);
	over(guia_response_body_done(t), status);
}

static void read_verdict(const struct guia_transaction *t, int status, struct verdict *ret_verdict)
{
	ret_verdict->status = status;
	ret_verdict->count = 0;
	for (size_t i = 0; i < guia_match_count(t); i++) {
		struct guia_match match;
		guia_match_at(t, i, &match);
		if (match.logged && match.scored && ret_verdict->count < VERDICT_RULES_MAX)
			ret_verdict->rules[ret_verdict->count++] = match.rule_id;
	}
}

static volatile uint8_t sink; /* a log that keeps nothing */

static void read_logs(struct guia_transaction *t)
{
	size_t lines = guia_log_line_count(t);
	for (size_t i = 0; i < lines; i++)
		sink = guia_log_line_at(t, i).ptr[0];
	struct guia_slice record = guia_audit_record(t);
	if (record.len > 0)
		sink = record.ptr[0];
}

static struct guia_slice next_id(struct ours *ours, uint8_t id[static 32])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t number = ours->number++ * HASH_SPREAD;
	for (size_t i = 0; i < 32; i++)
		id[i] = (uint8_t)digits[number >> (i % 16 * 4) & 15];
	return (struct guia_slice){id, 32};
}

__attribute__((noinline)) int ours_run(struct ours *ours, const struct sample *sample, struct verdict *ret_verdict)
{
	const struct guia_slice loopback = given(SLICE("127.0.0.1"));
	const struct guia_connection connection = {
		.client_address = loopback, .client_port = 40000, .server_address = loopback, .server_port = 80};
	uint8_t id[32];
	int status = 200;
	struct guia_transaction *t;
	if (guia_transaction_begin(ours->worker, ours->rules, &connection, next_id(ours, id), 1700000000000000, &t) !=
	    0)
		return -1;
	if (!run_request(t, sample, &status))
		run_response(t, sample, &status);
	guia_transaction_log(t, (uint16_t)status, sample->response_body.len);
	read_logs(t);
	if (ret_verdict != NULL)
		read_verdict(t, status, ret_verdict);
	guia_transaction_end(t);
	return status;
}
